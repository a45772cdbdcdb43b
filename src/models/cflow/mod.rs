//! CFLOW-AD: conditional normalizing flows on the features of a frozen network (Gudovskiy, Ishizaka and Kozuka 2022). The
//! detector; its parts are in the files beside.

mod autograd;
mod clamp;
mod closed_form;
mod condition;
mod config;
mod fibres;
mod flow;
mod folded;
mod learn;
mod likelihood;
#[cfg(feature = "cuda")]
mod on_gpu;
#[cfg(test)]
mod reference;
mod rotation;
mod scale;
mod schedule;
mod score;
#[cfg(test)]
mod speed;
mod standard;
#[cfg(test)]
mod tests;
mod workspace;

use std::collections::HashMap;

use candle_core::{DType, Device, Result, Tensor, bail};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::models::optim::OPTIMIZER_PREFIX;
use crate::models::taps::activated_taps;
use crate::models::{Detector, FeatureExtractor, StepReport, Turn};
use crate::ops::values::with_values;
use scale::Scale;
use schedule::Schedule;
use score::anomaly_maps;
use standard::ChannelStatistics;

pub use clamp::Clamp;
pub use config::{AdamSharing, CflowConfig, Gradient, ShortBatch, TapStandard};

/// What the scales are called in reports, finest first.
const SCALE_NAMES: [&str; 6] = [
    "scale 1", "scale 2", "scale 3", "scale 4", "scale 5", "scale 6",
];
const MAXIMA: &str = "likelihood_maxima";

/// A CFLOW-AD model over a frozen network. The flows run where the network runs.
pub struct Cflow {
    config: CflowConfig,
    backbone: Box<dyn FeatureExtractor>,
    /// Height and width of the input.
    input: (usize, usize),
    /// Decides the order of fibres.
    seed: u64,
    /// One a tap, finest first.
    scales: Vec<Scale>,
    /// Whether [`Detector::prepare`] has been done.
    is_prepared: bool,
    /// The largest likelihood of each scale on held-out good pictures, once it is known.
    maxima: Option<Vec<f64>>,
    order: Option<FibreOrder>,
}

/// The order of the fibres of the batch and scale that training is at.
struct FibreOrder {
    epoch: usize,
    batch: usize,
    scale: usize,
    fibres: Vec<u32>,
}

impl Cflow {
    /// An untrained model for input of `(height, width)` pixels. The same seed gives the same model.
    pub fn new(
        config: CflowConfig,
        backbone: Box<dyn FeatureExtractor>,
        input: (usize, usize),
        seed: u64,
    ) -> Result<Self> {
        let grids = checked_grids(&config, backbone.as_ref(), input)?;
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        let scales = backbone
            .channels()
            .iter()
            .zip(grids)
            .map(|(&channels, grid)| Scale::random(&config, channels, grid, &mut generator))
            .collect();
        Ok(Self {
            config,
            backbone,
            input,
            seed,
            scales,
            is_prepared: false,
            maxima: None,
            order: None,
        })
    }

    /// A trained model from what [`Detector::tensors`] gave. A missing, misshapen or unknown tensor is an error naming it.
    pub fn from_tensors(
        config: CflowConfig,
        backbone: Box<dyn FeatureExtractor>,
        input: (usize, usize),
        mut tensors: HashMap<String, Tensor>,
    ) -> Result<Self> {
        let maxima = match tensors.remove(MAXIMA) {
            Some(maxima) => maxima.to_dtype(DType::F64)?.to_vec1::<f64>()?,
            None => bail!("tensor {MAXIMA} is missing"),
        };
        let mut model = Self::with_scales(config, backbone, input, &mut tensors)?;
        if maxima.len() != model.scales.len() {
            bail!("tensor {MAXIMA} holds {} numbers", maxima.len());
        }
        refuse_rest(&tensors)?;
        model.maxima = Some(maxima);
        Ok(model)
    }

    /// A half-trained model that goes on from what [`Detector::training_state`] gave. A missing, misshapen or unknown
    /// tensor is an error naming it.
    pub fn resume(
        config: CflowConfig,
        backbone: Box<dyn FeatureExtractor>,
        input: (usize, usize),
        seed: u64,
        mut tensors: HashMap<String, Tensor>,
    ) -> Result<Self> {
        let mut model = Self::with_scales(config, backbone, input, &mut tensors)?;
        for (index, scale) in model.scales.iter_mut().enumerate() {
            scale.restore_training(&prefix(index), &mut tensors)?;
        }
        refuse_rest(&tensors)?;
        model.seed = seed;
        Ok(model)
    }

    fn with_scales(
        config: CflowConfig,
        backbone: Box<dyn FeatureExtractor>,
        input: (usize, usize),
        tensors: &mut HashMap<String, Tensor>,
    ) -> Result<Self> {
        let grids = checked_grids(&config, backbone.as_ref(), input)?;
        let channels = backbone.channels();
        let scales = channels.iter().zip(grids).enumerate();
        let scales = scales
            .map(|(index, (&channels, grid))| {
                Scale::from_tensors(&config, channels, grid, &prefix(index), tensors)
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            config,
            backbone,
            input,
            seed: 0,
            scales,
            is_prepared: true,
            maxima: None,
            order: None,
        })
    }

    /// The settings the model was made with.
    pub fn config(&self) -> &CflowConfig {
        &self.config
    }

    /// Optimiser steps each scale takes on a batch. Fibres that do not fill a step are left out, as published, unless there
    /// are no others.
    fn steps_by_scale(&self, pictures: usize) -> impl Iterator<Item = usize> + '_ {
        self.scales
            .iter()
            .map(move |scale| (pictures * scale.cells() / self.config.fibres).max(1))
    }

    /// Which scale takes step `step` of a batch, and which of its steps that is.
    fn whose_turn(&self, step: usize, pictures: usize) -> Result<(usize, usize)> {
        let mut before = 0;
        for (scale, steps) in self.steps_by_scale(pictures).enumerate() {
            if step < before + steps {
                return Ok((scale, step - before));
            }
            before += steps;
        }
        bail!("a batch of {pictures} pictures has no step {step}")
    }

    fn learning_rate(&self, turn: Turn) -> f64 {
        let schedule = Schedule {
            base: self.config.learning_rate,
            stages: self.config.stages(),
            warm_up: self.config.warm_up,
            batches: self.config.sub_epochs * turn.batches,
        };
        let within = turn.at.epoch % self.config.sub_epochs * turn.batches + turn.at.batch;
        schedule.rate(turn.at.epoch / self.config.sub_epochs, within)
    }

    /// The fibres of one step: part of a permutation of all fibres of the batch.
    fn chosen(&mut self, turn: Turn, scale: usize, step: usize, pictures: usize) -> Vec<u32> {
        let all = pictures * self.scales[scale].cells();
        let key = (turn.at.epoch, turn.at.batch, scale);
        let order = match self.order.take() {
            Some(order) if (order.epoch, order.batch, order.scale) == key => order,
            _ => FibreOrder {
                epoch: turn.at.epoch,
                batch: turn.at.batch,
                scale,
                fibres: fibres::order(all, self.seed, turn.at.epoch, turn.at.batch, scale),
            },
        };
        let start = step * self.config.fibres;
        let end = all.min(start + self.config.fibres);
        let chosen = order.fibres[start..end].to_vec();
        self.order = Some(order);
        chosen
    }

    /// Likelihoods of pictures' encoded taps, by scale: picture by picture, row by row.
    fn likelihoods(&self, taps: &[Tensor]) -> Result<Vec<Vec<f64>>> {
        let scales = self.scales.iter().zip(taps);
        scales.map(|(scale, tap)| scale.likelihoods(tap)).collect()
    }

    /// Maps `(B, H, W)` of some pictures' encoded taps.
    fn maps(&self, taps: &[Tensor], maxima: &[f64]) -> Result<Tensor> {
        let scales = self.scales.iter().zip(taps).zip(maxima);
        let shares = scales
            .map(|((scale, tap), &maximum)| scale.shares(tap, maximum))
            .collect::<Result<Vec<_>>>()?;
        anomaly_maps(&shares, self.input)
    }

    /// On a CPU pictures go through everything one at a time, so that a batch cannot matter, not even by rounding.
    fn pictures_at_once(&self, pictures: usize) -> usize {
        if self.backbone.device().is_cpu() {
            1
        } else {
            pictures.max(1)
        }
    }
}

impl Detector for Cflow {
    fn encode(&self, pixels: &Tensor) -> Result<Vec<Tensor>> {
        let taps = activated_taps(
            self.backbone.as_ref(),
            pixels,
            self.input,
            self.config.activation,
        )?;
        for (tap, scale) in taps.iter().zip(&self.scales) {
            let (_, channels, h, w) = tap.dims4()?;
            if (h, w) != scale.grid || channels != scale.flow.shape.channels {
                bail!(
                    "the backbone gave a tap of {channels} x {h} x {w} where {} x {:?} was expected",
                    scale.flow.shape.channels,
                    scale.grid
                );
            }
        }
        Ok(taps)
    }

    fn prepare(&mut self, batches: &mut dyn Iterator<Item = Result<Vec<Tensor>>>) -> Result<()> {
        if self.config.standard != TapStandard::None {
            let mut statistics: Vec<ChannelStatistics> = self
                .scales
                .iter()
                .map(|scale| ChannelStatistics::new(scale.flow.shape.channels))
                .collect();
            for batch in batches {
                for (statistics, tap) in statistics.iter_mut().zip(batch?) {
                    let cells = tap.dim(2)? * tap.dim(3)?;
                    with_values(&tap.to_device(&Device::Cpu)?, |values| {
                        statistics.add(values, cells);
                        Ok(())
                    })?;
                }
            }
            for (scale, statistics) in self.scales.iter_mut().zip(&statistics) {
                scale.standard = statistics.standard(self.config.standard);
            }
        }
        self.is_prepared = true;
        Ok(())
    }

    fn steps(&self, pictures: usize) -> usize {
        self.steps_by_scale(pictures).sum()
    }

    fn train_step(&mut self, batch: &[Tensor], turn: Turn) -> Result<StepReport> {
        if !self.is_prepared {
            bail!("the model has to see the training pictures before its first step");
        }
        let pictures = batch.first().map_or(Ok(0), |tap| tap.dim(0))?;
        let (index, step) = self.whose_turn(turn.at.step, pictures)?;
        let rate = self.learning_rate(turn);
        let (sharing, gradient) = (self.config.sharing, self.config.gradient);
        let chosen = self.chosen(turn, index, step, pictures);
        let total = self.steps(pictures);
        let ends: Vec<usize> = self
            .steps_by_scale(pictures)
            .scan(0, |sum, steps| {
                *sum += steps;
                Some(*sum)
            })
            .collect();
        let scale = &mut self.scales[index];
        if step == 0 {
            scale.idle(sharing, rate, turn.at.step as u64)?;
        }
        let loss = scale.step(&batch[index], &chosen, gradient, rate)?;
        if loss.is_finite() && turn.at.step + 1 == total {
            for (scale, end) in self.scales.iter_mut().zip(ends) {
                scale.idle(sharing, rate, (total - end) as u64)?;
            }
        }
        Ok(StepReport {
            loss: loss as f32,
            part: Some(SCALE_NAMES[index]),
            quantities: Vec::new(),
            seconds: Vec::new(),
        })
    }

    fn freeze(&mut self, held_out: &mut dyn Iterator<Item = Result<Tensor>>) -> Result<()> {
        let mut maxima = vec![f64::NEG_INFINITY; self.scales.len()];
        for pixels in held_out {
            let taps = self.encode(&pixels?)?;
            for (maximum, values) in maxima.iter_mut().zip(self.likelihoods(&taps)?) {
                *maximum = values.into_iter().fold(*maximum, f64::max);
            }
        }
        if let Some(index) = maxima.iter().position(|maximum| !maximum.is_finite()) {
            bail!(
                "no held-out good picture has a likelihood at {}",
                SCALE_NAMES[index]
            );
        }
        self.maxima = Some(maxima);
        Ok(())
    }

    fn score(&self, pixels: &Tensor) -> Result<Tensor> {
        let Some(maxima) = &self.maxima else {
            bail!("the model's constants are not fixed yet: it has to see held-out good pictures")
        };
        let pictures = pixels.dim(0)?;
        let at_once = self.pictures_at_once(pictures);
        let maps = (0..pictures).step_by(at_once).map(|start| {
            let count = at_once.min(pictures - start);
            let taps = self.encode(&pixels.narrow(0, start, count)?)?;
            self.maps(&taps, maxima)
        });
        Tensor::cat(&maps.collect::<Result<Vec<_>>>()?, 0)
    }

    fn training_state(&self) -> Result<Vec<(String, Tensor)>> {
        if !self.is_prepared {
            bail!("the model has not seen the training pictures yet");
        }
        let mut named = Vec::new();
        for (index, scale) in self.scales.iter().enumerate() {
            named.extend(scale.tensors(&prefix(index))?);
            named.extend(scale.training_tensors(&prefix(index))?);
        }
        Ok(named)
    }

    fn tensors(&self) -> Result<Vec<(String, Tensor)>> {
        let Some(maxima) = &self.maxima else {
            bail!("the model's constants are not fixed yet: it has to see held-out good pictures")
        };
        let maxima = Tensor::from_slice(maxima, maxima.len(), &Device::Cpu)?;
        let mut named = vec![(MAXIMA.to_owned(), maxima)];
        for (index, scale) in self.scales.iter().enumerate() {
            named.extend(scale.tensors(&prefix(index))?);
        }
        Ok(named)
    }
}

/// How the names of a scale's tensors start.
fn prefix(scale: usize) -> String {
    format!("scale{}.", scale + 1)
}

/// Rows and columns of each tap, once the settings are known to make sense for this network and input.
fn checked_grids(
    config: &CflowConfig,
    backbone: &dyn FeatureExtractor,
    (height, width): (usize, usize),
) -> Result<Vec<(usize, usize)>> {
    if let Some(problem) = config.problem() {
        bail!("CFLOW-AD settings: {problem}");
    }
    let (channels, strides) = (backbone.channels(), backbone.strides());
    if channels.len() != config.taps.len() || strides.len() != channels.len() {
        bail!(
            "the settings name {} taps, the backbone has {}",
            config.taps.len(),
            channels.len()
        );
    }
    if channels.len() > SCALE_NAMES.len() {
        bail!("at most {} taps are possible", SCALE_NAMES.len());
    }
    if channels.iter().any(|&channels| channels < 2) {
        bail!("a tap of one channel cannot be split into two halves");
    }
    let grid = |stride: usize| (height.div_ceil(stride), width.div_ceil(stride));
    for &stride in &strides {
        if grid(stride).0 * grid(stride).1 < 2 {
            bail!(
                "an input of {width} x {height} pixels leaves a single cell at 1/{stride} of its size; choose a larger input \
                 or taps of finer scales"
            );
        }
    }
    Ok(strides.into_iter().map(grid).collect())
}

fn refuse_rest(tensors: &HashMap<String, Tensor>) -> Result<()> {
    match tensors.keys().min() {
        Some(name) if name.starts_with(OPTIMIZER_PREFIX) => {
            bail!("tensor {name} belongs to a training that is not finished")
        }
        Some(name) => bail!("tensor {name} does not belong to a CFLOW-AD model"),
        None => Ok(()),
    }
}
