//! One scale of the model: a tap, its grid, its flow, and what training and scoring keep beside them.

use std::collections::HashMap;
use std::sync::OnceLock;

use candle_core::{DType, Device, Result, Tensor, bail};
use rand_chacha::ChaCha8Rng;

use super::autograd;
use super::closed_form;
use super::condition::PositionCode;
use super::config::{AdamSharing, CflowConfig, Gradient};
use super::fibres::{Fibres, Standard, TapValues};
use super::flow::{Block, Flow, FlowShape, PARAMETERS};
use super::folded::FoldedFlow;
use super::learn::{BlockMoments, Moments, fresh_moments};
use super::workspace::Workspace;
use crate::models::optim::OPTIMIZER_PREFIX;
use crate::ops::adam::{AdamStep, IdleSteps, Slices};

/// A tap's flow.
pub(super) struct Scale {
    /// Rows and columns of the tap.
    pub(super) grid: (usize, usize),
    pub(super) flow: Flow,
    pub(super) standard: Standard,
    code: PositionCode,
    /// `None`: a model that only scores.
    training: Option<Training>,
    folded: OnceLock<FoldedFlow>,
}

/// What Adam remembers, and room to work in.
struct Training {
    moments: Vec<BlockMoments>,
    /// Steps of the optimiser so far, those without a gradient included; 0 before the first.
    steps: u64,
    space: Workspace,
}

impl Training {
    fn new(flow: &Flow) -> Self {
        Self {
            moments: fresh_moments(flow),
            steps: 0,
            space: Workspace::default(),
        }
    }
}

impl Scale {
    pub(super) fn random(
        config: &CflowConfig,
        channels: usize,
        grid: (usize, usize),
        generator: &mut ChaCha8Rng,
    ) -> Self {
        let shape = FlowShape {
            channels,
            condition: config.condition,
        };
        let flow = Flow::random(shape, config.blocks, config.clamp, generator);
        let training = Some(Training::new(&flow));
        let standard = Standard {
            shift: vec![0.0; channels],
            factor: vec![1.0; channels],
        };
        Self {
            grid,
            code: PositionCode::sinusoidal(config.condition, grid.0, grid.1),
            flow,
            standard,
            training,
            folded: OnceLock::new(),
        }
    }

    /// A scale that only scores, from the tensors whose names start with `prefix`, which are taken out.
    pub(super) fn from_tensors(
        config: &CflowConfig,
        channels: usize,
        grid: (usize, usize),
        prefix: &str,
        tensors: &mut HashMap<String, Tensor>,
    ) -> Result<Self> {
        let shape = FlowShape {
            channels,
            condition: config.condition,
        };
        let mut take = |name: String, dims: &[usize]| take(tensors, &name, dims);
        let mut blocks = Vec::with_capacity(config.blocks);
        for index in 0..config.blocks {
            let dims = Flow::parameter_dims(shape);
            let mut arrays = PARAMETERS
                .iter()
                .zip(&dims)
                .map(|(name, dims)| take(format!("{prefix}block{index}.{name}"), dims))
                .collect::<Result<Vec<_>>>()?
                .into_iter();
            let mut next = || arrays.next().unwrap_or_default();
            blocks.push(Block {
                weight1: next(),
                bias1: next(),
                weight2: next(),
                bias2: next(),
                scale: next(),
                offset: next(),
                rotation: take(
                    format!("{prefix}block{index}.rotation"),
                    &[channels, channels],
                )?,
            });
        }
        Ok(Self {
            grid,
            code: PositionCode::sinusoidal(config.condition, grid.0, grid.1),
            flow: Flow {
                shape,
                clamp: config.clamp,
                blocks,
            },
            standard: Standard {
                shift: take(format!("{prefix}shift"), &[channels])?,
                factor: take(format!("{prefix}factor"), &[channels])?,
            },
            training: None,
            folded: OnceLock::new(),
        })
    }

    /// Goes on training where a saved state stood; its tensors are taken out.
    pub(super) fn restore_training(
        &mut self,
        prefix: &str,
        tensors: &mut HashMap<String, Tensor>,
    ) -> Result<()> {
        let mut training = Training::new(&self.flow);
        let dims = Flow::parameter_dims(self.flow.shape);
        for (index, block) in training.moments.iter_mut().enumerate() {
            for ((moments, name), dims) in block.iter_mut().zip(PARAMETERS).zip(&dims) {
                let name = format!("{OPTIMIZER_PREFIX}{prefix}block{index}.{name}");
                moments.first = take(tensors, &format!("{name}.first"), dims)?;
                moments.second = take(tensors, &format!("{name}.second"), dims)?;
            }
        }
        let name = format!("{OPTIMIZER_PREFIX}{prefix}steps");
        let steps = tensors.remove(&name).map(|steps| steps.to_vec1::<i64>());
        training.steps = match steps.transpose()?.as_deref() {
            Some([steps]) => u64::try_from(*steps).map_err(candle_core::Error::wrap)?,
            _ => bail!("tensor {name} is missing or does not hold one number"),
        };
        self.training = Some(training);
        Ok(())
    }

    /// Everything scoring needs, by name.
    pub(super) fn tensors(&self, prefix: &str) -> Result<Vec<(String, Tensor)>> {
        let channels = self.flow.shape.channels;
        let mut named = Vec::new();
        let mut add = |name: String, values: &[f32], dims: &[usize]| -> Result<()> {
            named.push((name, Tensor::from_slice(values, dims, &Device::Cpu)?));
            Ok(())
        };
        let dims = Flow::parameter_dims(self.flow.shape);
        for (index, block) in self.flow.blocks.iter().enumerate() {
            for ((values, name), dims) in block.parameters().iter().zip(PARAMETERS).zip(&dims) {
                add(format!("{prefix}block{index}.{name}"), values, dims)?;
            }
            add(
                format!("{prefix}block{index}.rotation"),
                &block.rotation,
                &[channels, channels],
            )?;
        }
        add(format!("{prefix}shift"), &self.standard.shift, &[channels])?;
        add(
            format!("{prefix}factor"),
            &self.standard.factor,
            &[channels],
        )?;
        Ok(named)
    }

    /// What training needs besides, by name.
    pub(super) fn training_tensors(&self, prefix: &str) -> Result<Vec<(String, Tensor)>> {
        let training = self.training.as_ref().map_or_else(only_scores, Ok)?;
        let dims = Flow::parameter_dims(self.flow.shape);
        let mut named = Vec::new();
        for (index, block) in training.moments.iter().enumerate() {
            for ((moments, name), dims) in block.iter().zip(PARAMETERS).zip(&dims) {
                let Moments { first, second } = moments;
                for (part, values) in [("first", first), ("second", second)] {
                    let name = format!("{OPTIMIZER_PREFIX}{prefix}block{index}.{name}.{part}");
                    let tensor = Tensor::from_slice(values, dims.as_slice(), &Device::Cpu)?;
                    named.push((name, tensor));
                }
            }
        }
        let steps = i64::try_from(training.steps).map_err(candle_core::Error::wrap)?;
        named.push((
            format!("{OPTIMIZER_PREFIX}{prefix}steps"),
            Tensor::new(&[steps], &Device::Cpu)?,
        ));
        Ok(named)
    }

    /// The tap's values as the flow wants to see them.
    pub(super) fn tap<'a>(&'a self, values: &'a [f32]) -> TapValues<'a> {
        TapValues {
            values,
            channels: self.flow.shape.channels,
            height: self.grid.0,
            width: self.grid.1,
            standard: &self.standard,
        }
    }

    /// Fibres in one picture.
    pub(super) fn cells(&self) -> usize {
        self.grid.0 * self.grid.1
    }

    /// One optimiser step on the chosen fibres of a batch's tap; the mean loss before it.
    pub(super) fn step(
        &mut self,
        values: &[f32],
        chosen: &[u32],
        gradient: Gradient,
        learning_rate: f64,
    ) -> Result<f64> {
        let Some(training) = &mut self.training else {
            return only_scores();
        };
        let fibres = Fibres {
            tap: TapValues {
                values,
                channels: self.flow.shape.channels,
                height: self.grid.0,
                width: self.grid.1,
                standard: &self.standard,
            },
            chosen,
        };
        let adam = AdamStep::new(learning_rate, training.steps + 1);
        let (flow, moments) = (&mut self.flow, &mut training.moments);
        let loss = match gradient {
            Gradient::ClosedForm => closed_form::step(
                flow,
                moments,
                &fibres,
                &self.code,
                &mut training.space,
                &adam,
            ),
            Gradient::Autograd => autograd::step(flow, moments, &fibres, &self.code, &adam)?,
        };
        if loss.is_finite() {
            training.steps += 1;
            self.folded = OnceLock::new();
        }
        Ok(loss)
    }

    /// What the optimiser does to this scale while others take `count` steps.
    pub(super) fn idle(
        &mut self,
        sharing: AdamSharing,
        learning_rate: f64,
        count: u64,
    ) -> Result<()> {
        let Some(training) = &mut self.training else {
            return only_scores();
        };
        // Before its first gradient a parameter is unknown to the optimiser.
        if sharing == AdamSharing::Separate || training.steps == 0 || count == 0 {
            return Ok(());
        }
        let idle = IdleSteps::new(learning_rate, training.steps, count);
        for (block, moments) in self.flow.blocks.iter_mut().zip(&mut training.moments) {
            for (values, moments) in block.parameters_mut().into_iter().zip(moments) {
                idle.apply(Slices {
                    values,
                    first: &mut moments.first,
                    second: &mut moments.second,
                });
            }
        }
        training.steps += count;
        self.folded = OnceLock::new();
        Ok(())
    }

    /// Log-likelihood per dimension of every fibre of a tap.
    pub(super) fn likelihoods(&self, values: &[f32]) -> Vec<f64> {
        self.folded
            .get_or_init(|| FoldedFlow::new(&self.flow, &self.code))
            .likelihoods(self.tap(values))
    }
}

fn only_scores<T>() -> Result<T> {
    bail!("this model was loaded to score pictures; it cannot be trained on")
}

/// Takes the values of a tensor of exactly this shape out.
fn take(tensors: &mut HashMap<String, Tensor>, name: &str, dims: &[usize]) -> Result<Vec<f32>> {
    match tensors.remove(name) {
        None => bail!("tensor {name} is missing"),
        Some(tensor) if tensor.dims() != dims => bail!(
            "tensor {name} has shape {:?} where {dims:?} is needed",
            tensor.dims()
        ),
        Some(tensor) => tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1(),
    }
}
