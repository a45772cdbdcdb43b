//! Convolution in which every input channel makes its own output channels ("depthwise", with a multiplier), with
//! gradients. Its cost is that of reading the pictures, so plain loops over rows will do.
#![expect(
    clippy::inline_always,
    reason = "only inlined code is compiled for the instruction set that was chosen"
)]

use std::ops::Range;

use candle_core::{CpuStorage, CustomOp3, Device, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::conv::out_shape;
use super::norm::channel_sums;
use crate::ops::conv::contiguous;
use crate::ops::conv::geometry::{Geometry, PlaneLayout, pad_plane, unpad_plane};
use crate::ops::simd::{Kernel, LANES, dispatch, multiply_add};
use crate::ops::values::with_values;

/// Weights `(C_in * m, 1, k, k)`; outputs `m * c` to `m * c + m - 1` belong to input channel `c`.
pub(super) struct PerChannel {
    pub(super) geometry: Geometry,
}

impl CustomOp3 for PerChannel {
    fn name(&self) -> &'static str {
        "trained-conv2d-per-channel"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let bias = contiguous(s3, l3)?;
        let output = self.forward(contiguous(s1, l1)?, contiguous(s2, l2)?, bias);
        Ok((
            CpuStorage::F32(output),
            out_shape(&self.geometry, bias.len()),
        ))
    }

    fn bwd(
        &self,
        pixels: &Tensor,
        weight: &Tensor,
        _bias: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let out_channels = weight.dim(0)?;
        with_values(gradient, |gradient| {
            let to_bias = channel_sums(gradient, out_channels, self.geometry.out_pixels());
            let to_weight = with_values(pixels, |pixels| {
                Ok(self.to_weight(pixels, gradient, out_channels))
            })?;
            // Pictures and frozen features need no gradient.
            let to_pixels = if pixels.track_op() {
                let values = with_values(weight, |weight| Ok(self.to_pixels(weight, gradient)))?;
                Some(Tensor::from_vec(values, pixels.dims(), &Device::Cpu)?)
            } else {
                None
            };
            Ok((
                to_pixels,
                Some(Tensor::from_vec(to_weight, weight.dims(), &Device::Cpu)?),
                Some(Tensor::from_vec(to_bias, out_channels, &Device::Cpu)?),
            ))
        })
    }
}

impl PerChannel {
    fn in_plane(&self) -> usize {
        self.geometry.rows.size * self.geometry.columns.size
    }

    fn walk(&self) -> Walk {
        Walk {
            kernel: self.geometry.kernel,
            rows: self.geometry.rows.out,
            columns: self.geometry.columns.out,
            layout: self.geometry.layout(),
        }
    }

    fn padded(&self, pixels: &[f32]) -> Vec<f32> {
        let layout = self.geometry.layout();
        let mut padded = vec![0.0; layout.plane];
        pad_plane(pixels, &mut padded, &self.geometry, &layout);
        padded
    }

    fn forward(&self, pixels: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        let (channels, out_plane) = (self.geometry.channels, self.geometry.out_pixels());
        let filters = bias.len() / channels;
        let taps = weight.len() / bias.len();
        let mut output = vec![0.0; self.geometry.batch * bias.len() * out_plane];
        output
            .par_chunks_mut(filters * out_plane)
            .zip(pixels.par_chunks(self.in_plane()))
            .enumerate()
            .for_each(|(plane, (outputs, pixels))| {
                let first = plane % channels * filters;
                let padded = &self.padded(pixels);
                for (filter, output) in outputs.chunks_exact_mut(out_plane).enumerate() {
                    output.fill(bias[first + filter]);
                    dispatch(AddProducts {
                        walk: self.walk(),
                        weight: &weight[(first + filter) * taps..][..taps],
                        padded,
                        output,
                    });
                }
            });
        output
    }

    /// One channel at a time through all pictures, so that each weight's sum has one order.
    fn to_weight(&self, pixels: &[f32], gradient: &[f32], out_channels: usize) -> Vec<f32> {
        let (channels, out_plane) = (self.geometry.channels, self.geometry.out_pixels());
        let filters = out_channels / channels;
        let taps = self.geometry.kernel * self.geometry.kernel;
        let mut result = vec![0.0; out_channels * taps];
        let sums = result.par_chunks_mut(filters * taps).enumerate();
        sums.for_each(|(channel, sums)| {
            let pixels = pixels.chunks_exact(self.in_plane());
            let gradients = gradient.chunks_exact(filters * out_plane);
            let planes = pixels.zip(gradients).skip(channel).step_by(channels);
            for (pixels, gradients) in planes {
                let padded = &self.padded(pixels);
                let gradients = gradients.chunks_exact(out_plane);
                for (sums, gradient) in sums.chunks_exact_mut(taps).zip(gradients) {
                    dispatch(Correlate {
                        walk: self.walk(),
                        gradient,
                        padded,
                        sums,
                    });
                }
            }
        });
        result
    }

    fn to_pixels(&self, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        let (channels, out_plane) = (self.geometry.channels, self.geometry.out_pixels());
        let layout = self.geometry.layout();
        let taps = self.geometry.kernel * self.geometry.kernel;
        let filters = weight.len() / taps / channels;
        let mut result = vec![0.0; self.geometry.batch * channels * self.in_plane()];
        result
            .par_chunks_mut(self.in_plane())
            .zip(gradient.par_chunks(filters * out_plane))
            .enumerate()
            .for_each(|(plane, (target, gradients))| {
                let weights = weight[plane % channels * filters * taps..].chunks_exact(taps);
                let mut padded = vec![0.0; layout.plane];
                for (weight, gradient) in weights.zip(gradients.chunks_exact(out_plane)) {
                    dispatch(Spread {
                        walk: self.walk(),
                        weight,
                        gradient,
                        padded: &mut padded,
                    });
                }
                unpad_plane(&padded, target, &self.geometry, &layout);
            });
        result
    }
}

/// The way of a filter over a padded channel.
#[derive(Clone, Copy)]
struct Walk {
    kernel: usize,
    rows: usize,
    columns: usize,
    layout: PlaneLayout,
}

impl Walk {
    /// For each tap and row of outputs: the tap's number, where the row's outputs lie, and where what they read.
    #[inline(always)]
    fn steps(self) -> impl Iterator<Item = (usize, Range<usize>, Range<usize>)> {
        (0..self.kernel * self.kernel).flat_map(move |tap| {
            let offset = self.layout.tap(tap / self.kernel, tap % self.kernel);
            (0..self.rows).map(move |row| {
                let output = row * self.columns;
                let source = offset + self.layout.output(row, 0);
                (
                    tap,
                    output..output + self.columns,
                    source..source + self.columns,
                )
            })
        })
    }
}

/// `output += weight * padded`.
struct AddProducts<'a> {
    walk: Walk,
    weight: &'a [f32],
    padded: &'a [f32],
    output: &'a mut [f32],
}

impl Kernel for AddProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        for (tap, output, source) in self.walk.steps() {
            let pairs = self.output[output].iter_mut().zip(&self.padded[source]);
            for (sum, &value) in pairs {
                *sum = multiply_add::<FUSED>(self.weight[tap], value, *sum);
            }
        }
    }
}

/// `padded += weight * gradient`, the adjoint of [`AddProducts`].
struct Spread<'a> {
    walk: Walk,
    weight: &'a [f32],
    gradient: &'a [f32],
    padded: &'a mut [f32],
}

impl Kernel for Spread<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        for (tap, output, source) in self.walk.steps() {
            let pairs = self.padded[source].iter_mut().zip(&self.gradient[output]);
            for (sum, &value) in pairs {
                *sum = multiply_add::<FUSED>(self.weight[tap], value, *sum);
            }
        }
    }
}

/// `sums += padded * gradient` for each tap.
struct Correlate<'a> {
    walk: Walk,
    gradient: &'a [f32],
    padded: &'a [f32],
    sums: &'a mut [f32],
}

impl Kernel for Correlate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        for (tap, output, source) in self.walk.steps() {
            self.sums[tap] += dot::<FUSED>(&self.gradient[output], &self.padded[source]);
        }
    }
}

#[inline(always)]
fn dot<const FUSED: bool>(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let (whole_a, rest_a) = a.as_chunks::<LANES>();
    let (whole_b, rest_b) = b.as_chunks::<LANES>();
    for (a, b) in whole_a.iter().zip(whole_b) {
        for lane in 0..LANES {
            sums[lane] = multiply_add::<FUSED>(a[lane], b[lane], sums[lane]);
        }
    }
    let rest: f32 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}
