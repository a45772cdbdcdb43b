//! CFA: coupled-hypersphere feature adaptation (Lee, Lee and Song 2022). The detector; its parts are in the files beside.

mod config;
mod loss;
mod memory;
mod network;
mod score;

use std::collections::HashMap;

use candle_core::{DType, Result, Tensor, bail};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::models::optim::{Adam, AdamSettings, OPTIMIZER_PREFIX};
use crate::models::taps::activated_taps;
use crate::models::{Detector, FeatureExtractor, StepReport, Turn};
use crate::ops::nearest::CentreIndex;
use crate::ops::pool::average_3x3;
use loss::Hypersphere;
use memory::TapStatistics;
use network::{Descriptor, pictures};

pub use config::{CfaConfig, TapScaling};

/// Bytes of embeddings on a GPU at a time.
const GPU_EMBEDDINGS: usize = 512 << 20;

/// A CFA model over a frozen network.
pub struct Cfa {
    config: CfaConfig,
    backbone: Box<dyn FeatureExtractor>,
    /// Height and width of the input.
    input: (usize, usize),
    descriptor: Descriptor,
    radius: f32,
    memory: Option<Memory>,
    optimiser: Adam,
    generator: ChaCha8Rng,
}

/// What [`Detector::prepare`] learns and training never changes.
struct Memory {
    bank: CentreIndex,
    /// Each tap is multiplied with its factor.
    factors: Vec<f32>,
}

impl Cfa {
    /// An untrained model for input of `(height, width)` pixels. The same seed gives the same model.
    pub fn new(
        config: CfaConfig,
        backbone: Box<dyn FeatureExtractor>,
        input: (usize, usize),
        seed: u64,
    ) -> Result<Self> {
        let channels = backbone.channels();
        let width = checked_width(&config, &channels)?;
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        let descriptor = Descriptor::random(&channels, width, &backbone.device(), &mut generator)?;
        let radius = config.initial_radius;
        Self::assemble(config, backbone, input, descriptor, radius, generator)
    }

    /// A trained model from what [`Detector::tensors`] gave. A missing, misshapen or unknown tensor is an error naming it.
    pub fn from_tensors(
        config: CfaConfig,
        backbone: Box<dyn FeatureExtractor>,
        input: (usize, usize),
        mut tensors: HashMap<String, Tensor>,
    ) -> Result<Self> {
        let channels = backbone.channels();
        let width = checked_width(&config, &channels)?;
        let device = backbone.device();
        let mut take = |name: &str, dims: &[Option<usize>]| match tensors.remove(name) {
            None => bail!("tensor {name} is missing"),
            Some(tensor) if !fits(&tensor, dims) => {
                bail!(
                    "tensor {name} has shape {:?}, which does not fit this model",
                    tensor.dims()
                )
            }
            Some(tensor) => tensor.to_device(&device)?.to_dtype(DType::F32),
        };
        let inputs = channels.iter().sum::<usize>() + 2;
        let weight = take("descriptor.weight", &[Some(width), Some(inputs)])?;
        let bias = take("descriptor.bias", &[Some(width)])?;
        let radius = take("radius", &[Some(1)])?.to_vec1::<f32>()?;
        let centres = take("memory_bank", &[None, Some(width)])?;
        let factors = take("tap_factors", &[Some(channels.len())])?.to_vec1::<f32>()?;
        if let Some(name) = tensors.keys().min() {
            bail!("tensor {name} does not belong to a CFA model");
        }
        let descriptor = Descriptor::from_reference(&weight, &bias, &channels)?;
        // The generator only fills an untrained model.
        let generator = ChaCha8Rng::seed_from_u64(0);
        let mut model = Self::assemble(config, backbone, input, descriptor, radius[0], generator)?;
        model.memory = Some(Memory {
            bank: CentreIndex::new(&centres)?,
            factors,
        });
        Ok(model)
    }

    fn assemble(
        config: CfaConfig,
        backbone: Box<dyn FeatureExtractor>,
        input: (usize, usize),
        descriptor: Descriptor,
        radius: f32,
        generator: ChaCha8Rng,
    ) -> Result<Self> {
        let settings = AdamSettings::amsgrad(config.learning_rate, config.weight_decay);
        let mut parameters = descriptor.blocks.clone();
        parameters.push(radius_tensor(radius, &backbone.device())?);
        let optimiser = Adam::new(settings, &parameters)?;
        Ok(Self {
            config,
            backbone,
            input,
            descriptor,
            radius,
            memory: None,
            optimiser,
            generator,
        })
    }

    /// The settings the model was made with.
    pub fn config(&self) -> &CfaConfig {
        &self.config
    }

    /// A half-trained model that goes on from what [`Detector::training_state`] gave. A missing, misshapen or unknown
    /// tensor is an error naming it.
    pub fn resume(
        config: CfaConfig,
        backbone: Box<dyn FeatureExtractor>,
        input: (usize, usize),
        tensors: HashMap<String, Tensor>,
    ) -> Result<Self> {
        let (mut state, tensors): (HashMap<_, _>, _) = tensors
            .into_iter()
            .partition(|(name, _)| name.starts_with(OPTIMIZER_PREFIX));
        let mut model = Self::from_tensors(config, backbone, input, tensors)?;
        model.optimiser.restore(&mut state)?;
        match state.keys().min() {
            Some(name) => {
                bail!("tensor {name} does not belong to the training state of a CFA model")
            }
            None => Ok(model),
        }
    }

    fn memory(&self) -> Result<&Memory> {
        match &self.memory {
            Some(memory) => Ok(memory),
            None => {
                bail!("the memory bank is empty: the model has to see the training pictures first")
            }
        }
    }

    /// Raw maps `(B, H, W)` of pictures' encoded taps.
    fn maps(&self, taps: &[Tensor]) -> Result<Tensor> {
        let memory = self.memory()?;
        let taps = scaled(taps, &memory.factors)?;
        let (batch, _, h, w) = taps[0].dims4()?;
        let patches = self.descriptor.embed(&taps)?; // (B * T, D)
        let found = memory.bank.nearest(&patches, self.config.neighbours)?;
        let scores = score::patch_scores(&found.squared)?.reshape((batch, h, w))?;
        score::anomaly_maps(&scores, self.input, self.config.smoothing)
    }

    /// Pictures that go through the descriptor together. On a CPU one: its embeddings stay in the cache, and its batch
    /// cannot matter, not even by rounding. A GPU takes as many as keep it busy and their embeddings within a budget.
    fn pictures_at_once(&self) -> usize {
        if self.backbone.device().is_cpu() {
            return 1;
        }
        let stride = self.backbone.strides().first().copied().unwrap_or(1).max(1);
        let cells = self.input.0.div_ceil(stride) * self.input.1.div_ceil(stride);
        let width = self.descriptor.blocks[0]
            .dims()
            .last()
            .copied()
            .unwrap_or(1);
        (GPU_EMBEDDINGS / (4 * cells * width).max(1)).max(1)
    }
}

impl Detector for Cfa {
    fn encode(&self, pixels: &Tensor) -> Result<Vec<Tensor>> {
        let taps = activated_taps(
            self.backbone.as_ref(),
            pixels,
            self.input,
            self.config.activation,
        )?;
        taps.iter().map(average_3x3).collect()
    }

    fn prepare(&mut self, batches: &mut dyn Iterator<Item = Result<Vec<Tensor>>>) -> Result<()> {
        let mut statistics = TapStatistics::default();
        for batch in batches {
            statistics.add(&batch?)?;
        }
        let means = statistics.means()?;
        let factors = statistics.factors(self.config.scaling)?;
        let means = scaled(&means, &factors)?;
        let centres = memory::centres(
            &self.descriptor,
            &means,
            self.config.gamma_c,
            &mut self.generator,
        )?;
        self.memory = Some(Memory {
            bank: CentreIndex::new(&centres)?,
            factors,
        });
        Ok(())
    }

    fn train_step(&mut self, batch: &[Tensor], _: Turn) -> Result<StepReport> {
        let memory = self.memory()?;
        let Some(finest) = batch.first() else {
            bail!("an encoded batch has no taps")
        };
        let (batch_size, _, h, w) = finest.dims4()?;
        let sphere = Hypersphere {
            neighbours: self.config.neighbours,
            hard_negatives: self.config.hard_negatives,
            alpha: self.config.alpha,
            nu: self.config.nu,
        };
        // In fixed parts: the sums have a fixed order.
        let (mut loss, mut radius_gradient) = (0.0, 0.0);
        let mut gradients: Vec<Tensor> = Vec::new();
        for (start, count) in parts(batch_size, self.pictures_at_once()) {
            let taps = scaled(&pictures(batch, start, count)?, &memory.factors)?;
            let patches = self.descriptor.embed(&taps)?;
            let total = batch_size * h * w;
            let measured = sphere.measure(&memory.bank, &patches, self.radius, total)?;
            let own = self.descriptor.gradients(&taps, &measured.patches)?;
            gradients = if gradients.is_empty() {
                own
            } else {
                gradients
                    .iter()
                    .zip(&own)
                    .map(|(sum, own)| sum + own)
                    .collect::<Result<_>>()?
            };
            loss += measured.loss;
            radius_gradient += measured.radius;
        }
        let device = self.backbone.device();
        gradients.push(radius_tensor(radius_gradient as f32, &device)?);
        let mut parameters = self.descriptor.blocks.clone();
        parameters.push(radius_tensor(self.radius, &device)?);
        self.optimiser.step(&mut parameters, &gradients)?;
        if let Some(radius) = parameters.pop() {
            self.radius = radius.to_vec1::<f32>()?[0];
        }
        self.descriptor.blocks = parameters;
        Ok(StepReport {
            loss: loss as f32,
            part: None,
            quantities: vec![("radius", self.radius)],
            seconds: Vec::new(),
        })
    }

    fn score(&self, pixels: &Tensor) -> Result<Tensor> {
        let maps = parts(pixels.dim(0)?, self.pictures_at_once()).map(|(start, count)| {
            let taps = self.encode(&pixels.narrow(0, start, count)?)?;
            self.maps(&pictures(&taps, 0, count)?)
        });
        Tensor::cat(&maps.collect::<Result<Vec<_>>>()?, 0)
    }

    fn training_state(&self) -> Result<Vec<(String, Tensor)>> {
        Ok([self.tensors()?, self.optimiser.state()?].concat())
    }

    fn tensors(&self) -> Result<Vec<(String, Tensor)>> {
        let memory = self.memory()?;
        let device = self.backbone.device();
        let (weight, bias) = self.descriptor.to_reference()?;
        let factors = Tensor::from_slice(&memory.factors, memory.factors.len(), &device)?;
        let named = [
            ("descriptor.weight", weight),
            ("descriptor.bias", bias),
            ("radius", radius_tensor(self.radius, &device)?),
            ("memory_bank", memory.bank.centres().clone()),
            ("tap_factors", factors),
        ];
        Ok(named
            .into_iter()
            .map(|(name, tensor)| (name.to_owned(), tensor))
            .collect())
    }
}

/// The descriptor's width, once the settings are known to make sense for these taps.
fn checked_width(config: &CfaConfig, channels: &[usize]) -> Result<usize> {
    if let Some(problem) = config.problem() {
        bail!("CFA settings: {problem}");
    }
    if channels.len() != config.taps.len() {
        bail!(
            "the settings name {} taps, the backbone has {}",
            config.taps.len(),
            channels.len()
        );
    }
    match config.width(channels.iter().sum()) {
        Some(width) => Ok(width),
        None => bail!("CFA settings: gamma_d leaves nothing of the descriptor"),
    }
}

/// Cuts `all` pictures into parts of `most`: the first of each, and how many.
fn parts(all: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..all)
        .step_by(most)
        .map(move |start| (start, most.min(all - start)))
}

fn fits(tensor: &Tensor, dims: &[Option<usize>]) -> bool {
    tensor.rank() == dims.len()
        && tensor
            .dims()
            .iter()
            .zip(dims)
            .all(|(found, wanted)| wanted.is_none_or(|wanted| wanted == *found))
}

fn radius_tensor(radius: f32, device: &candle_core::Device) -> Result<Tensor> {
    Tensor::new(&[radius], device)
}

fn scaled(taps: &[Tensor], factors: &[f32]) -> Result<Vec<Tensor>> {
    if taps.len() != factors.len() {
        bail!("expected {} taps, not {}", factors.len(), taps.len());
    }
    let scale = |(tap, &factor): (&Tensor, &f32)| {
        if factor == 1.0 {
            Ok(tap.clone())
        } else {
            tap * f64::from(factor)
        }
    };
    taps.iter().zip(factors).map(scale).collect()
}

#[cfg(test)]
mod tests;
