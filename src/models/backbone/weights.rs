//! Reads a network's tensors by name, checks them and folds batch norm into the convolutions. Reads no files.

use std::collections::HashMap;

use candle_core::{DType, Device, Result, Tensor, bail};

use super::kind::{BackboneKind, Inventory};
use super::plan::{ConvSpec, NORM_PARTS, Offset};
use crate::ops::conv::Conv2d;

pub(super) struct Weights<'a> {
    kind: BackboneKind,
    tensors: &'a HashMap<String, Tensor>,
    epsilon: f64,
    device: &'a Device,
}

impl<'a> Weights<'a> {
    /// Refuses tensors the network does not have. Whether those it needs are there is seen when they are read.
    pub(super) fn new(
        kind: BackboneKind,
        tensors: &'a HashMap<String, Tensor>,
        epsilon: f64,
        device: &'a Device,
    ) -> Result<Self> {
        let weights = Self {
            kind,
            tensors,
            epsilon,
            device,
        };
        let inventory = Inventory::new(kind);
        if let Some(foreign) = tensors.keys().filter(|name| !inventory.knows(name)).min() {
            bail!("{kind} has no tensor `{foreign}`{}", weights.looks_like());
        }
        Ok(weights)
    }

    /// The convolution with its batch norm folded in: `w' = w g / sqrt(v + e)`, `b' = b - m g / sqrt(v + e)`.
    pub(super) fn conv(&self, spec: &ConvSpec) -> Result<Conv2d> {
        let shape = spec.weight_shape();
        let mut weight = match &spec.name {
            Some(name) => self.numbers(&format!("{name}.weight"), &shape)?,
            None => vec![1.0; shape.iter().product()],
        };
        let (factors, bias) = self.line(spec)?;
        let filter = (weight.len() / spec.out_channels).max(1);
        for (filter, &factor) in weight.chunks_mut(filter).zip(&factors) {
            for value in filter {
                *value = (f64::from(*value) * factor) as f32;
            }
        }
        if !weight.iter().chain(&bias).all(|value| value.is_finite()) {
            bail!("the weights of {} are not finite", spec.in_words());
        }
        let weight = Tensor::from_vec(weight, shape, self.device)?;
        let bias = Tensor::from_vec(bias, spec.out_channels, self.device)?;
        Conv2d::new(&weight, &bias, spec.channels, spec.stride, spec.padding)
    }

    /// By what the sums of each output channel are multiplied, and what is added then.
    fn line(&self, spec: &ConvSpec) -> Result<(Vec<f64>, Vec<f32>)> {
        let count = spec.out_channels;
        let norm = match (&spec.offset, &spec.name) {
            (Offset::Norm(norm), _) => norm,
            (Offset::Bias, Some(name)) => {
                let bias = self.numbers(&format!("{name}.bias"), &[count])?;
                return Ok((vec![1.0; count], bias));
            }
            (Offset::Bias, None) | (Offset::None, _) => {
                return Ok((vec![1.0; count], vec![0.0; count]));
            }
        };
        let [scale, shift, mean, variance] =
            NORM_PARTS.map(|part| self.numbers(&format!("{norm}.{part}"), &[count]));
        let (scale, shift, mean, variance) = (scale?, shift?, mean?, variance?);
        let factors: Vec<f64> = scale
            .iter()
            .zip(&variance)
            .map(|(&scale, &variance)| {
                f64::from(scale) / (f64::from(variance) + self.epsilon).sqrt()
            })
            .collect();
        let bias = shift
            .iter()
            .zip(mean.iter().zip(&factors))
            .map(|(&shift, (&mean, &factor))| (f64::from(shift) - f64::from(mean) * factor) as f32)
            .collect();
        Ok((factors, bias))
    }

    fn numbers(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let Some(tensor) = self.tensors.get(name) else {
            bail!(
                "{} needs a tensor `{name}` of shape {shape:?}, and there is none{}",
                self.kind,
                self.looks_like()
            );
        };
        if tensor.dims() != shape {
            let found = tensor.dims();
            bail!(
                "`{name}` has the shape {found:?}, {} needs {shape:?}{}",
                self.kind,
                self.looks_like()
            );
        }
        tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
    }

    /// The end of an error: which other network this is.
    fn looks_like(&self) -> String {
        let names = self
            .tensors
            .iter()
            .map(|(name, tensor)| (name.as_str(), tensor.dims()));
        match BackboneKind::detect(names) {
            Some(kind) if kind == self.kind => String::new(),
            Some(kind) => format!("; the weights look like those of {kind}"),
            None => "; the weights look like those of no network known here".into(),
        }
    }
}
