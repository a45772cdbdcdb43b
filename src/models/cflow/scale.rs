//! One scale of the model: a tap, its grid, its flow, and what training and scoring keep beside them.

use std::borrow::Cow;
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
#[cfg(feature = "cuda")]
use super::on_gpu;
use super::score::share;
use super::workspace::Workspace;
use crate::models::optim::OPTIMIZER_PREFIX;
use crate::ops::adam::{AdamStep, IdleSteps, Slices};
#[cfg(feature = "cuda")]
use crate::ops::cuda::GpuFlow;
use crate::ops::values::with_values;

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
    /// The flow on the GPU, once it was used there. What is learnt from then on is known there only.
    #[cfg(feature = "cuda")]
    gpu: OnceLock<GpuFlow>,
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
            #[cfg(feature = "cuda")]
            gpu: OnceLock::new(),
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
            #[cfg(feature = "cuda")]
            gpu: OnceLock::new(),
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
        for (index, block) in self.flow_now()?.blocks.iter().enumerate() {
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
        for (index, block) in self.moments_now(training)?.iter().enumerate() {
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

    /// The flow with what was learnt so far.
    #[cfg_attr(
        not(feature = "cuda"),
        expect(clippy::unnecessary_wraps, reason = "a GPU may fail to give it back")
    )]
    fn flow_now(&self) -> Result<Cow<'_, Flow>> {
        #[cfg(feature = "cuda")]
        if let Some(gpu) = self.gpu.get() {
            let mut flow = self.flow.clone();
            on_gpu::fetch_parameters(gpu, &mut flow)?;
            return Ok(Cow::Owned(flow));
        }
        Ok(Cow::Borrowed(&self.flow))
    }

    #[cfg_attr(
        not(feature = "cuda"),
        expect(
            clippy::unnecessary_wraps,
            clippy::unused_self,
            reason = "a GPU may have them, and may fail to give them back"
        )
    )]
    fn moments_now<'a>(&self, training: &'a Training) -> Result<Cow<'a, [BlockMoments]>> {
        #[cfg(feature = "cuda")]
        if let Some(gpu) = self.gpu.get() {
            let mut moments = training.moments.clone();
            on_gpu::fetch_moments(gpu, &mut moments)?;
            return Ok(Cow::Owned(moments));
        }
        Ok(Cow::Borrowed(&training.moments))
    }

    /// The flow on a GPU, brought there where it is not yet.
    #[cfg(feature = "cuda")]
    fn on_gpu(&self, device: &Device) -> Result<&GpuFlow> {
        if let Some(gpu) = self.gpu.get() {
            return Ok(gpu);
        }
        let moments = self.training.as_ref().map(|training| &training.moments[..]);
        let gpu = on_gpu::upload(&self.flow, moments, &self.code, &self.standard, device)?;
        Ok(self.gpu.get_or_init(|| gpu))
    }

    /// Fibres in one picture.
    pub(super) fn cells(&self) -> usize {
        self.grid.0 * self.grid.1
    }

    /// One optimiser step on the chosen fibres of a batch's tap `(B, C, h, w)`; the mean loss before it.
    pub(super) fn step(
        &mut self,
        tap: &Tensor,
        chosen: &[u32],
        gradient: Gradient,
        learning_rate: f64,
    ) -> Result<f64> {
        let Some(training) = &self.training else {
            return only_scores();
        };
        let adam = AdamStep::new(learning_rate, training.steps + 1);
        let loss = self.step_with(tap, chosen, gradient, adam)?;
        if let Some(training) = self.training.as_mut().filter(|_| loss.is_finite()) {
            training.steps += 1;
            self.folded = OnceLock::new();
        }
        Ok(loss)
    }

    fn step_with(
        &mut self,
        tap: &Tensor,
        chosen: &[u32],
        gradient: Gradient,
        adam: AdamStep,
    ) -> Result<f64> {
        #[cfg(feature = "cuda")]
        if tap.device().is_cuda() && gradient == Gradient::ClosedForm {
            self.on_gpu(tap.device())?;
            if let Some(gpu) = self.gpu.get_mut() {
                return gpu.step(tap, chosen, adam.factors());
            }
        }
        let Some(training) = &mut self.training else {
            return only_scores();
        };
        with_values(&tap.to_device(&Device::Cpu)?, |values| {
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
            let (flow, moments) = (&mut self.flow, &mut training.moments);
            match gradient {
                Gradient::ClosedForm => Ok(closed_form::step(
                    flow,
                    moments,
                    &fibres,
                    &self.code,
                    &mut training.space,
                    &adam,
                )),
                Gradient::Autograd => autograd::step(flow, moments, &fibres, &self.code, &adam),
            }
        })
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
        training.steps += count;
        self.folded = OnceLock::new();
        #[cfg(feature = "cuda")]
        if let Some(gpu) = self.gpu.get_mut() {
            let (push, fades) = idle.factors();
            return gpu.drift(push, fades);
        }
        for (block, moments) in self.flow.blocks.iter_mut().zip(&mut training.moments) {
            for (values, moments) in block.parameters_mut().into_iter().zip(moments) {
                idle.apply(Slices {
                    values,
                    first: &mut moments.first,
                    second: &mut moments.second,
                });
            }
        }
        Ok(())
    }

    /// Log-likelihood per dimension of every fibre of a tap `(B, C, h, w)`: picture by picture, row by row.
    pub(super) fn likelihoods(&self, tap: &Tensor) -> Result<Vec<f64>> {
        #[cfg(feature = "cuda")]
        if tap.device().is_cuda() {
            return self.on_gpu(tap.device())?.likelihoods(tap);
        }
        let flow = self
            .folded
            .get_or_init(|| FoldedFlow::new(&self.flow, &self.code));
        with_values(&tap.to_device(&Device::Cpu)?, |values| {
            Ok(flow.likelihoods(TapValues {
                values,
                channels: self.flow.shape.channels,
                height: self.grid.0,
                width: self.grid.1,
                standard: &self.standard,
            }))
        })
    }

    /// How likely every fibre of a tap `(B, C, h, w)` is beside a maximum, at most 1: `(B, h, w)`, where the tap is.
    pub(super) fn shares(&self, tap: &Tensor, maximum: f64) -> Result<Tensor> {
        #[cfg(feature = "cuda")]
        if tap.device().is_cuda() {
            return self.on_gpu(tap.device())?.shares(tap, maximum);
        }
        let likelihoods = self.likelihoods(tap)?.into_iter();
        let shares: Vec<f32> = likelihoods.map(|l| share(l, maximum)).collect();
        let shape = (tap.dim(0)?, self.grid.0, self.grid.1);
        Tensor::from_vec(shares, shape, tap.device())
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
