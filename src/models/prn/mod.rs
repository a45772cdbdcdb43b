//! PRN: prototypical residual networks (Zhang, Wang, Wu and Jiang 2023), which learn from a few seen defects and from made-up
//! ones where a picture differs from what good ones look like. The detector; its parts are in the files beside.

mod attention;
mod clusters;
mod config;
mod decoder;
mod fusion;
mod layers;
mod learn;
mod loss;
mod network;
mod prototypes;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Instant;

use candle_core::{Device, Result, Tensor, bail};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::models::optim::OPTIMIZER_PREFIX;
use crate::models::taps::activated_taps;
use crate::models::{Detector, FeatureExtractor, StepReport, Turn};
use layers::{Folded, Pass, Source, take_statistics, taken};
use learn::{AVERAGE_PREFIX, Learner, learning_rate};
use network::{Network, Sizes};
use prototypes::Prototypes;

pub use crate::models::optim::Decay;
pub use config::{AttentionForm, PrnConfig, ResidualForm, Width};

/// Scales that are compared with prototypes; the fourth tap goes to the decoder alone.
const SCALES: usize = 3;
const TAP_FACTORS: &str = "tap_factors";

/// A PRN model over a frozen network.
pub struct Prn {
    config: PrnConfig,
    backbone: Box<dyn FeatureExtractor>,
    /// Height and width of the input.
    input: (usize, usize),
    network: Network,
    learner: Learner,
    memory: Option<Memory>,
    /// The network as scoring wants it, once it is asked for.
    folded: OnceLock<Folded>,
    /// Of prototypes.
    generator: ChaCha8Rng,
}

/// What [`Detector::prepare`] learns and training never changes.
struct Memory {
    prototypes: [Prototypes; SCALES],
    /// Each tap is multiplied with its factor.
    factors: Vec<f32>,
}

impl Prn {
    /// An untrained model for input of `(height, width)` pixels. The same seed gives the same model.
    pub fn new(
        config: PrnConfig,
        backbone: Box<dyn FeatureExtractor>,
        input: (usize, usize),
        seed: u64,
    ) -> Result<Self> {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        let source = Source::Random(&mut generator);
        let sizes = sizes(backbone.as_ref(), input)?;
        let network = Network::new(&config, sizes, source, &backbone.device())?;
        Self::assemble(config, backbone, input, network, None, generator)
    }

    /// A trained model from what [`Detector::tensors`] gave. A missing, misshapen or unknown tensor is an error naming it.
    pub fn from_tensors(
        config: PrnConfig,
        backbone: Box<dyn FeatureExtractor>,
        input: (usize, usize),
        mut tensors: HashMap<String, Tensor>,
    ) -> Result<Self> {
        let (sizes, device) = (sizes(backbone.as_ref(), input)?, backbone.device());
        let network = Network::new(&config, sizes, Source::Saved(&mut tensors), &device)?;
        let memory = Memory::taken(&mut tensors, sizes, &device)?;
        if let Some(name) = tensors.keys().min() {
            bail!("tensor {name} does not belong to a PRN model");
        }
        // The generator only makes prototypes, which are there.
        let generator = ChaCha8Rng::seed_from_u64(0);
        Self::assemble(config, backbone, input, network, Some(memory), generator)
    }

    /// A half-trained model that goes on from what [`Detector::training_state`] gave. A missing, misshapen or unknown
    /// tensor is an error naming it.
    pub fn resume(
        config: PrnConfig,
        backbone: Box<dyn FeatureExtractor>,
        input: (usize, usize),
        tensors: HashMap<String, Tensor>,
    ) -> Result<Self> {
        let of_learner =
            |name: &str| name.starts_with(OPTIMIZER_PREFIX) || name.starts_with(AVERAGE_PREFIX);
        let (mut state, tensors): (HashMap<_, _>, _) =
            tensors.into_iter().partition(|(name, _)| of_learner(name));
        let mut model = Self::from_tensors(config, backbone, input, tensors)?;
        model.learner.restore(&model.network, &mut state)?;
        match state.keys().min() {
            Some(name) => {
                bail!("tensor {name} does not belong to the training state of a PRN model")
            }
            None => Ok(model),
        }
    }

    fn assemble(
        config: PrnConfig,
        backbone: Box<dyn FeatureExtractor>,
        input: (usize, usize),
        network: Network,
        memory: Option<Memory>,
        generator: ChaCha8Rng,
    ) -> Result<Self> {
        Ok(Self {
            learner: Learner::new(&config, &network)?,
            config,
            backbone,
            input,
            network,
            memory,
            folded: OnceLock::new(),
            generator,
        })
    }

    /// The settings the model was made with.
    pub fn config(&self) -> &PrnConfig {
        &self.config
    }

    fn memory(&self) -> Result<&Memory> {
        match &self.memory {
            Some(memory) => Ok(memory),
            None => {
                bail!("there are no prototypes: the model has to see the training pictures first")
            }
        }
    }

    /// What the network sees of pictures, without gradient.
    fn seen(&self, pixels: &Tensor) -> Result<Seen> {
        let memory = self.memory()?;
        let taps = self.encode(pixels)?;
        let taps = scaled(&taps, &memory.factors)?;
        let [f1, f2, f3, deepest] = taps.as_slice() else {
            bail!("PRN reads four taps")
        };
        let features = [f1.clone(), f2.clone(), f3.clone()];
        let residual = |scale: usize| {
            memory.prototypes[scale].residual(&features[scale], self.config.residual)
        };
        Ok(Seen {
            residuals: [residual(0)?, residual(1)?, residual(2)?],
            features,
            deepest: deepest.clone(),
        })
    }

    fn run(&self, seen: &Seen, pass: &mut Pass) -> Result<Tensor> {
        let Seen {
            features,
            residuals,
            deepest,
        } = seen;
        self.network
            .blocks
            .forward(features, residuals, deepest, self.input, pass)
    }

    fn folded(&self) -> Result<&Folded> {
        if let Some(folded) = self.folded.get() {
            return Ok(folded);
        }
        let folded = self.network.folded()?;
        Ok(self.folded.get_or_init(|| folded))
    }
}

/// What the trained network sees of pictures.
struct Seen {
    features: [Tensor; SCALES],
    residuals: [Tensor; SCALES],
    deepest: Tensor,
}

impl Memory {
    fn taken(saved: &mut HashMap<String, Tensor>, sizes: Sizes, device: &Device) -> Result<Self> {
        let mut scale = |scale: usize| {
            let name = prototypes_name(scale);
            let count = saved.get(&name).map_or(Ok(0), |maps| maps.dim(0))?.max(1);
            let (height, width) = sizes.grids[scale];
            let dims = [count, sizes.channels[scale], height, width];
            Prototypes::new(taken(saved, &name, &dims, device)?)
        };
        let prototypes = [scale(0)?, scale(1)?, scale(2)?];
        let dims = [sizes.channels.len()];
        let factors = taken(saved, TAP_FACTORS, &dims, &Device::Cpu)?.to_vec1()?;
        Ok(Self {
            prototypes,
            factors,
        })
    }

    fn tensors(&self) -> Result<Vec<(String, Tensor)>> {
        let prototypes = self.prototypes.iter().enumerate();
        let mut tensors: Vec<_> = prototypes
            .map(|(scale, prototypes)| (prototypes_name(scale), prototypes.maps().clone()))
            .collect();
        let factors = Tensor::new(self.factors.as_slice(), &Device::Cpu)?;
        tensors.push((TAP_FACTORS.to_owned(), factors));
        Ok(tensors)
    }
}

fn prototypes_name(scale: usize) -> String {
    format!("prototypes.{}", scale + 1)
}

fn sizes(backbone: &dyn FeatureExtractor, (height, width): (usize, usize)) -> Result<Sizes> {
    let Ok(channels) = <[usize; 4]>::try_from(backbone.channels()) else {
        bail!("PRN reads four taps")
    };
    let strides = backbone.strides();
    let Some(strides) = strides.first_chunk::<SCALES>() else {
        bail!("PRN compares three scales")
    };
    if strides[1] != 2 * strides[0] || strides[2] != 4 * strides[0] {
        bail!("PRN needs scales each half as fine as the one before");
    }
    let grids = strides.map(|stride| (height.div_ceil(stride), width.div_ceil(stride)));
    Ok(Sizes { channels, grids })
}

impl Detector for Prn {
    fn encode(&self, pixels: &Tensor) -> Result<Vec<Tensor>> {
        activated_taps(
            self.backbone.as_ref(),
            pixels,
            self.input,
            self.config.activation,
        )
    }

    fn prepare(&mut self, batches: &mut dyn Iterator<Item = Result<Vec<Tensor>>>) -> Result<()> {
        let total = batches.size_hint().1.unwrap_or(usize::MAX);
        let limit = self.config.prototype_pictures;
        let mut scales: Vec<Vec<Tensor>> = Vec::new();
        for (index, batch) in batches.enumerate() {
            let batch = batch?;
            scales.resize(batch.len(), Vec::new());
            // Evenly among all pictures.
            if total <= limit || (index + 1) * limit / total > index * limit / total {
                for (scale, tap) in scales.iter_mut().zip(batch) {
                    scale.push(tap);
                }
            }
        }
        let mut factors = Vec::with_capacity(scales.len());
        let mut prototypes = Vec::with_capacity(SCALES);
        for (scale, taps) in scales.into_iter().enumerate() {
            let features = Tensor::cat(&taps, 0)?;
            let factor = if self.config.is_standardised {
                factor(&features)?
            } else {
                1.0
            };
            factors.push(factor);
            if scale < SCALES {
                let count = self.config.prototype_share * features.dim(0)? as f64;
                let features = (features * f64::from(factor))?;
                let generator = &mut self.generator;
                prototypes.push(Prototypes::of(
                    &features,
                    (count as usize).max(1),
                    generator,
                )?);
            }
        }
        let Ok(prototypes) = prototypes.try_into() else {
            bail!("there are no pictures to make prototypes of")
        };
        self.memory = Some(Memory {
            prototypes,
            factors,
        });
        Ok(())
    }

    /// One step on pictures `(B, 3, H, W)` and masks `(B, 1, H, W)` of 0 and 1.
    fn train_step(&mut self, batch: &[Tensor], turn: Turn) -> Result<StepReport> {
        let [pixels, masks] = batch else {
            bail!("PRN trains on pictures and masks")
        };
        let pictures = pixels.dim(0)?;
        let mut account = Account::default();
        let mut collected = Vec::new();
        let mut gradients: Option<Vec<Tensor>> = None;
        for first in (0..pictures).step_by(self.config.micro_batch) {
            let count = self.config.micro_batch.min(pictures - first);
            let share = count as f64 / pictures as f64;
            let started = Instant::now();
            let seen = self.seen(&pixels.narrow(0, first, count)?)?;
            account.encoder += started.elapsed().as_secs_f64();
            let started = Instant::now();
            let mut statistics = Vec::new();
            let logits = self.run(&seen, &mut Pass::Train(&mut statistics))?;
            let masks = masks.narrow(0, first, count)?;
            let measured = loss::measure(&logits, &masks, self.config.focal_weight)?;
            account.smooth_l1 += share * f64::from(measured.smooth_l1);
            account.focal += share * f64::from(measured.focal);
            let own = self.gradients(&logits, &(measured.gradient * share)?)?;
            gradients = Some(match gradients {
                None => own,
                Some(sum) => sum
                    .iter()
                    .zip(&own)
                    .map(|(a, b)| a + b)
                    .collect::<Result<_>>()?,
            });
            collected.push(statistics);
            account.network += started.elapsed().as_secs_f64();
        }
        let mut loss = (account.smooth_l1 + self.config.focal_weight * account.focal) as f32;
        let gradients = gradients.unwrap_or_default();
        // A rectifier may hide from the loss what is no number, never from the gradient.
        if !length(&gradients)?.is_finite() {
            loss = f32::NAN;
        }
        if loss.is_finite() {
            let started = Instant::now();
            self.folded = OnceLock::new();
            let rate = learning_rate(&self.config, turn);
            self.learner.step(&self.network, &gradients, rate)?;
            let mut running: Vec<_> = self
                .network
                .running
                .iter()
                .map(|(_, r)| r.clone())
                .collect();
            take_statistics(&mut running, &collected)?;
            for ((_, slot), running) in self.network.running.iter_mut().zip(running) {
                *slot = running;
            }
            self.learner.average(&self.network, turn)?;
            account.optimiser = started.elapsed().as_secs_f64();
        }
        Ok(StepReport {
            loss,
            part: None,
            quantities: vec![
                ("smooth_l1", account.smooth_l1 as f32),
                ("focal", account.focal as f32),
            ],
            seconds: vec![
                ("encoder", account.encoder),
                ("network", account.network),
                ("optimiser", account.optimiser),
            ],
        })
    }

    /// Scoring uses the averaged weights. No pictures are needed.
    fn freeze(&mut self, _: &mut dyn Iterator<Item = Result<Tensor>>) -> Result<()> {
        self.folded = OnceLock::new();
        self.learner.settle(&mut self.network)
    }

    fn score(&self, pixels: &Tensor) -> Result<Tensor> {
        let logits = self.run(&self.seen(pixels)?, &mut Pass::Score(self.folded()?))?;
        loss::sigmoid(&logits.detach())?.squeeze(1)
    }

    /// The mean of the largest pixels.
    fn image_score(&self, map: &[f32]) -> f32 {
        mean_of_largest(map, self.config.top_pixels)
    }

    fn training_state(&self) -> Result<Vec<(String, Tensor)>> {
        let mut state = self.tensors()?;
        state.extend(self.learner.state(&self.network)?);
        Ok(state)
    }

    fn tensors(&self) -> Result<Vec<(String, Tensor)>> {
        let mut tensors = self.memory()?.tensors()?;
        tensors.extend(self.network.tensors());
        Ok(tensors)
    }
}

impl Prn {
    /// Of all parameters in order, from the loss's gradient by the logits.
    fn gradients(&self, logits: &Tensor, by_logits: &Tensor) -> Result<Vec<Tensor>> {
        // Its gradient by the logits is what was measured.
        let mut all = (logits * by_logits)?.sum_all()?.backward()?;
        let parameters = self.network.parameters.iter();
        parameters
            .map(|(_, var)| match all.remove(var) {
                Some(gradient) => Ok(gradient),
                None => var.zeros_like(),
            })
            .collect()
    }
}

/// Sums over a step's micro-batches.
#[derive(Default)]
struct Account {
    smooth_l1: f64,
    focal: f64,
    encoder: f64,
    network: f64,
    optimiser: f64,
}

fn scaled(taps: &[Tensor], factors: &[f32]) -> Result<Vec<Tensor>> {
    let taps = taps.iter().zip(factors);
    taps.map(|(tap, &factor)| tap * f64::from(factor)).collect()
}

/// Of all gradients together.
fn length(gradients: &[Tensor]) -> Result<f32> {
    let squares = gradients
        .iter()
        .map(|g| g.sqr()?.sum_all()?.to_scalar::<f32>());
    Ok(squares.sum::<Result<f32>>()?.sqrt())
}

/// One over the standard deviation of all values; 1 where they never vary.
fn factor(features: &Tensor) -> Result<f32> {
    let mean = features.mean_all()?.to_scalar::<f32>()?;
    let variance = (features - f64::from(mean))?
        .sqr()?
        .mean_all()?
        .to_scalar::<f32>()?;
    Ok(if variance > 0.0 && variance.is_finite() {
        1.0 / variance.sqrt()
    } else {
        1.0
    })
}

/// Of all values, when there are fewer. Not-a-number counts as largest, so that a broken map cannot pass for a good one.
fn mean_of_largest(map: &[f32], count: usize) -> f32 {
    let mut values = map.to_vec();
    let count = count.min(values.len());
    if count == 0 {
        return f32::NEG_INFINITY;
    }
    values.select_nth_unstable_by(count - 1, |a, b| b.total_cmp(a));
    let sum: f64 = values[..count].iter().map(|&value| f64::from(value)).sum();
    (sum / count as f64) as f32
}
