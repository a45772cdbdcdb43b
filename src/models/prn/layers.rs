//! Convolutions with and without batch norm: trained with the batch's own statistics, scored with the running ones folded
//! into the weights.

use std::collections::HashMap;
use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor, Var, bail};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::ops::conv::{Activation, Channels, Conv2d, Padding};
use crate::ops::trained::{AfterNorm, BatchStatistics, Window, batch_norm, conv2d};

const EPSILON: f64 = 1e-5;
/// How much of a batch the running statistics take in.
const MOMENTUM: f64 = 0.1;

/// How the network is run.
pub enum Pass<'a> {
    /// Batches are normalised by their own statistics, which are collected in the order of the norms.
    Train(&'a mut Vec<BatchStatistics>),
    /// The running statistics are part of the weights.
    Score(&'a Folded),
}

/// What follows a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    Nothing,
    Relu,
}

/// A convolution with bias and, maybe, batch norm.
pub struct Layer {
    /// Its place among all layers.
    index: usize,
    weight: Var,
    bias: Var,
    window: Window,
    norm: Option<Norm>,
}

struct Norm {
    /// Its place among all norms.
    index: usize,
    gain: Var,
    shift: Var,
}

/// Running statistics of one norm's input.
#[derive(Debug, Clone)]
pub struct Running {
    pub mean: Tensor,
    pub variance: Tensor,
}

impl Running {
    /// Takes in the mean over a step's micro-batches; variances unbiased, as `PyTorch` keeps them.
    fn take(&mut self, batches: &[&BatchStatistics]) -> Result<()> {
        let share = 1.0 / batches.len() as f64;
        let (mut mean, mut variance) = ((&self.mean * 0.0)?, (&self.variance * 0.0)?);
        for batch in batches {
            let count = batch.count as f64;
            let unbiased = count / (count - 1.0).max(1.0);
            mean = (mean + (&batch.mean * share)?)?;
            variance = (variance + (&batch.variance * (share * unbiased))?)?;
        }
        self.mean = ((&self.mean * (1.0 - MOMENTUM))? + (mean * MOMENTUM)?)?;
        self.variance = ((&self.variance * (1.0 - MOMENTUM))? + (variance * MOMENTUM)?)?;
        Ok(())
    }
}

/// Moves all running statistics by one step, given what each of its micro-batches collected.
pub fn take_statistics(running: &mut [Running], collected: &[Vec<BatchStatistics>]) -> Result<()> {
    for (index, running) in running.iter_mut().enumerate() {
        let batches: Vec<_> = collected.iter().filter_map(|all| all.get(index)).collect();
        if batches.len() != collected.len() {
            bail!("a norm was not reached");
        }
        running.take(&batches)?;
    }
    Ok(())
}

/// The network's convolutions as scoring wants them.
pub struct Folded(Vec<Option<Conv2d>>);

impl Folded {
    /// Folds the running statistics into the weights of `layers`, which are all layers in their order.
    pub fn new(layers: &[Arc<Layer>], running: &[Running]) -> Result<Self> {
        layers
            .iter()
            .map(|layer| layer.folded(running))
            .collect::<Result<_>>()
            .map(Self)
    }
}

impl Layer {
    pub fn forward(&self, pixels: &Tensor, after: After, pass: &mut Pass) -> Result<Tensor> {
        match pass {
            Pass::Train(statistics) => self.train(pixels, after, statistics),
            Pass::Score(folded) => match folded.0.get(self.index).and_then(Option::as_ref) {
                Some(conv) => conv.forward(pixels, activation(after)),
                None => then(self.plain(pixels)?, after),
            },
        }
    }

    fn train(
        &self,
        pixels: &Tensor,
        after: After,
        collected: &mut Vec<BatchStatistics>,
    ) -> Result<Tensor> {
        let sum = self.plain(pixels)?;
        let Some(norm) = &self.norm else {
            return then(sum, after);
        };
        let after = match after {
            After::Nothing => AfterNorm::Nothing,
            After::Relu => AfterNorm::Relu,
        };
        let (normed, statistics) = batch_norm(&sum, &norm.gain, &norm.shift, EPSILON, after)?;
        if norm.index != collected.len() {
            bail!("norms out of order");
        }
        collected.push(statistics);
        Ok(normed)
    }

    fn plain(&self, pixels: &Tensor) -> Result<Tensor> {
        conv2d(pixels, &self.weight, &self.bias, self.window)
    }

    /// `None` for grouped convolutions, which have no norm and are small.
    fn folded(&self, running: &[Running]) -> Result<Option<Conv2d>> {
        if self.window.groups != 1 {
            return Ok(None);
        }
        let (mut weight, mut bias) = (
            self.weight.as_detached_tensor(),
            self.bias.as_detached_tensor(),
        );
        if let Some(norm) = &self.norm {
            let Some(running) = running.get(norm.index) else {
                bail!("a norm without running statistics")
            };
            let deviation = running.variance.affine(1.0, EPSILON)?.sqrt()?;
            let factor = norm.gain.as_detached_tensor().div(&deviation)?; // (C)
            weight = weight.broadcast_mul(&factor.reshape(((), 1, 1, 1))?)?;
            bias = ((bias - &running.mean)? * factor)?.add(&norm.shift.as_detached_tensor())?;
        }
        let padding = Padding::Zeros(self.window.padding);
        Conv2d::new(&weight, &bias, Channels::All, self.window.stride, padding).map(Some)
    }
}

fn activation(after: After) -> Activation {
    match after {
        After::Nothing => Activation::None,
        After::Relu => Activation::Relu,
    }
}

fn then(sum: Tensor, after: After) -> Result<Tensor> {
    match after {
        After::Nothing => Ok(sum),
        After::Relu => sum.relu(),
    }
}

/// What a convolution looks like.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub input: usize,
    pub output: usize,
    /// Side of the kernel.
    pub kernel: usize,
    pub stride: usize,
    pub groups: usize,
}

impl Shape {
    /// A convolution that keeps the grid's size.
    pub fn dense(input: usize, output: usize, kernel: usize) -> Self {
        Self {
            input,
            output,
            kernel,
            stride: 1,
            groups: 1,
        }
    }
}

/// Where initial values come from.
pub enum Source<'a> {
    /// Uniform draws, as `PyTorch` initialises each kind of layer.
    Random(&'a mut ChaCha8Rng),
    /// Saved tensors by name; what is used is taken out.
    Saved(&'a mut HashMap<String, Tensor>),
}

/// Makes the network's parameters and keeps account of them.
pub struct Builder<'a> {
    source: Source<'a>,
    device: Device,
    /// All layers in the order of their making.
    pub layers: Vec<Arc<Layer>>,
    /// Trained values by name, in the order of their making.
    pub parameters: Vec<(String, Var)>,
    /// Running statistics by the name of their norm.
    pub running: Vec<(String, Running)>,
}

impl<'a> Builder<'a> {
    pub fn new(source: Source<'a>, device: &Device) -> Self {
        Self {
            source,
            device: device.clone(),
            layers: Vec::new(),
            parameters: Vec::new(),
            running: Vec::new(),
        }
    }

    /// A convolution with bias that keeps the grid's size, or divides it by the stride.
    pub fn conv(&mut self, name: &str, shape: Shape) -> Result<Arc<Layer>> {
        self.layer(name, None, shape)
    }

    /// The same with batch norm behind it.
    pub fn conv_norm(&mut self, name: &str, norm: &str, shape: Shape) -> Result<Arc<Layer>> {
        self.layer(name, Some(norm), shape)
    }

    fn layer(&mut self, name: &str, norm: Option<&str>, shape: Shape) -> Result<Arc<Layer>> {
        let Shape {
            input,
            output,
            kernel,
            stride,
            groups,
        } = shape;
        if groups == 0 || !input.is_multiple_of(groups) || !output.is_multiple_of(groups) {
            bail!("{name}: {groups} groups for {input} and {output} channels");
        }
        let inputs = input / groups;
        let bound = 1.0 / ((inputs * kernel * kernel) as f64).sqrt();
        let dims = [output, inputs, kernel, kernel];
        let layer = Arc::new(Layer {
            index: self.layers.len(),
            weight: self.uniform(&format!("{name}.weight"), &dims, bound)?,
            bias: self.uniform(&format!("{name}.bias"), &[output], bound)?,
            window: Window {
                stride,
                padding: kernel / 2,
                groups,
            },
            norm: norm.map(|norm| self.norm(norm, output)).transpose()?,
        });
        self.layers.push(Arc::clone(&layer));
        Ok(layer)
    }

    fn norm(&mut self, name: &str, channels: usize) -> Result<Norm> {
        let gain = self.constant(&format!("{name}.weight"), channels, 1.0)?;
        let shift = self.constant(&format!("{name}.bias"), channels, 0.0)?;
        let running = Running {
            mean: self.constant(&format!("{name}.running_mean"), channels, 0.0)?,
            variance: self.constant(&format!("{name}.running_var"), channels, 1.0)?,
        };
        let index = self.running.len();
        self.running.push((name.to_owned(), running));
        Ok(Norm {
            index,
            gain: self.keep(&format!("{name}.weight"), &gain)?,
            shift: self.keep(&format!("{name}.bias"), &shift)?,
        })
    }

    /// A parameter drawn from `-bound` to `bound`.
    pub fn uniform(&mut self, name: &str, dims: &[usize], bound: f64) -> Result<Var> {
        let values = match &mut self.source {
            Source::Saved(saved) => taken(saved, name, dims, &self.device)?,
            Source::Random(generator) => {
                let draw = |_| generator.random_range(-bound..=bound) as f32;
                let values: Vec<f32> = (0..dims.iter().product()).map(draw).collect();
                Tensor::from_vec(values, dims, &self.device)?
            }
        };
        self.keep(name, &values)
    }

    fn constant(&mut self, name: &str, channels: usize, value: f32) -> Result<Tensor> {
        match &mut self.source {
            Source::Saved(saved) => taken(saved, name, &[channels], &self.device),
            Source::Random(_) => Tensor::full(value, channels, &self.device),
        }
    }

    fn keep(&mut self, name: &str, values: &Tensor) -> Result<Var> {
        let var = Var::from_tensor(values)?;
        self.parameters.push((name.to_owned(), var.clone()));
        Ok(var)
    }
}

/// Takes a tensor out of what was saved; an error that names it when it is missing or misshapen.
pub fn taken(
    saved: &mut HashMap<String, Tensor>,
    name: &str,
    dims: &[usize],
    device: &Device,
) -> Result<Tensor> {
    match saved.remove(name) {
        None => bail!("tensor {name} is missing"),
        Some(tensor) if tensor.dims() != dims => bail!(
            "tensor {name} has shape {:?}, which does not fit this model",
            tensor.dims()
        ),
        Some(tensor) => tensor.to_device(device)?.to_dtype(DType::F32),
    }
}
