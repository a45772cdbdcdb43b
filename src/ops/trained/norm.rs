//! Batch norm with the statistics of the batch itself, and the activation that follows it, with gradients. Running
//! statistics, which inference uses, are the caller's.
#![expect(
    clippy::inline_always,
    reason = "only inlined code is compiled for the instruction set that was chosen"
)]

use candle_core::{CpuStorage, CustomOp3, Device, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::has_kernels;
use crate::ops::conv::contiguous;
use crate::ops::simd::{Kernel, LANES, dispatch};
use crate::ops::values::with_values;

/// What follows the norm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterNorm {
    Nothing,
    /// `max(x, 0)`.
    Relu,
}

/// Statistics of one batch, for each channel. They carry no gradient.
#[derive(Debug, Clone)]
pub struct BatchStatistics {
    /// `(C,)`.
    pub mean: Tensor,
    /// `(C,)`, the mean square of the deviations; times `count / (count - 1)` it estimates that of all data.
    pub variance: Tensor,
    /// Values of each channel, `B * H * W`.
    pub count: usize,
}

/// `after((x - mean) / sqrt(variance + epsilon) * gain + shift)` for `(B, C, H, W)`, with gain and shift `(C,)` (Ioffe
/// and Szegedy 2015, algorithm 1).
pub fn batch_norm(
    pixels: &Tensor,
    gain: &Tensor,
    shift: &Tensor,
    epsilon: f64,
    after: AfterNorm,
) -> Result<(Tensor, BatchStatistics)> {
    let (batch, channels, height, width) = pixels.dims4()?;
    if gain.dims1()? != channels || shift.dims1()? != channels || pixels.elem_count() == 0 {
        bail!(
            "a batch norm of {:?} with gain {:?} and shift {:?}",
            pixels.dims(),
            gain.dims(),
            shift.dims()
        );
    }
    if !has_kernels(pixels) {
        return by_tensors(pixels, gain, shift, epsilon, after);
    }
    let pixels = pixels.contiguous()?;
    let planes = Planes {
        batch,
        channels,
        size: height * width,
    };
    let moments = with_values(&pixels, |values| Ok(planes.moments(values)))?;
    let statistics = BatchStatistics {
        mean: per_channel(&moments, |moments| moments.mean as f32)?,
        variance: per_channel(&moments, |moments| moments.variance as f32)?,
        count: planes.count(),
    };
    let standards = moments.iter().map(|moments| Standard {
        mean: moments.mean as f32,
        factor: (1.0 / (moments.variance + epsilon).sqrt()) as f32,
    });
    let norm = Norm {
        planes,
        standards: standards.collect(),
        after,
    };
    let output = pixels.apply_op3(&gain.contiguous()?, &shift.contiguous()?, norm)?;
    Ok((output, statistics))
}

/// The plain reference, and what runs on other devices than the CPU.
fn by_tensors(
    pixels: &Tensor,
    gain: &Tensor,
    shift: &Tensor,
    epsilon: f64,
    after: AfterNorm,
) -> Result<(Tensor, BatchStatistics)> {
    let mean = pixels.mean_keepdim((0, 2, 3))?;
    let centred = pixels.broadcast_sub(&mean)?;
    let variance = centred.sqr()?.mean_keepdim((0, 2, 3))?;
    let deviation = (&variance + epsilon)?.sqrt()?;
    let scaled = centred
        .broadcast_div(&deviation)?
        .broadcast_mul(&gain.reshape((1, (), 1, 1))?)?
        .broadcast_add(&shift.reshape((1, (), 1, 1))?)?;
    let output = match after {
        AfterNorm::Nothing => scaled,
        AfterNorm::Relu => scaled.relu()?,
    };
    let statistics = BatchStatistics {
        mean: mean.detach().flatten_all()?,
        variance: variance.detach().flatten_all()?,
        count: pixels.elem_count() / gain.elem_count(),
    };
    Ok((output, statistics))
}

/// The sum of each channel of `(B, C, size)`, in one fixed order.
pub(super) fn channel_sums(values: &[f32], channels: usize, size: usize) -> Vec<f32> {
    let planes = Planes {
        batch: values.len() / (channels * size).max(1),
        channels,
        size,
    };
    planes.each_channel(|channel| {
        let planes = planes.of(values, channel);
        planes.map(sum).sum::<f64>() as f32
    })
}

fn per_channel<T>(all: &[T], number: impl Fn(&T) -> f32) -> Result<Tensor> {
    Tensor::from_vec(all.iter().map(number).collect(), all.len(), &Device::Cpu)
}

/// Sizes of `(B, C, size)`.
#[derive(Debug, Clone, Copy)]
struct Planes {
    batch: usize,
    channels: usize,
    size: usize,
}

struct Moments {
    mean: f64,
    variance: f64,
}

impl Planes {
    /// Values of each channel.
    fn count(&self) -> usize {
        self.batch * self.size
    }

    /// The planes of one channel.
    fn of<'a>(&self, values: &'a [f32], channel: usize) -> impl Iterator<Item = &'a [f32]> {
        let planes = values.chunks_exact(self.size);
        planes.skip(channel).step_by(self.channels)
    }

    fn each_channel<T: Send>(&self, work: impl Fn(usize) -> T + Send + Sync) -> Vec<T> {
        (0..self.channels).into_par_iter().map(work).collect()
    }

    fn moments(&self, values: &[f32]) -> Vec<Moments> {
        let count = self.count() as f64;
        self.each_channel(|channel| {
            let sum: f64 = self.of(values, channel).map(sum).sum();
            let mean = sum / count;
            let centre = mean as f32;
            let squares = self.of(values, channel).map(|plane| {
                let square = |[x]: [f32; 1]| [(x - centre) * (x - centre)];
                total([plane], square)[0]
            });
            // The centre is rounded: what that adds to the mean square is taken off again.
            let rounding = mean - f64::from(centre);
            let variance = squares.sum::<f64>() / count - rounding * rounding;
            Moments {
                mean,
                variance: variance.max(0.0),
            }
        })
    }
}

/// The norm of one batch, its statistics known.
struct Norm {
    planes: Planes,
    standards: Vec<Standard>,
    after: AfterNorm,
}

/// `(x - mean) * factor` has mean 0 and variance 1.
#[derive(Clone, Copy)]
struct Standard {
    mean: f32,
    factor: f32,
}

/// The gain and shift of a channel.
#[derive(Clone, Copy)]
struct Line {
    standard: Standard,
    slope: f32,
    shift: f32,
}

impl Line {
    fn new(standard: Standard, gain: f32, shift: f32) -> Self {
        Self {
            standard,
            slope: standard.factor * gain,
            shift,
        }
    }

    /// Forward and backward pass share it, so that they agree about the sign of each output.
    #[inline(always)]
    fn at(self, x: f32) -> f32 {
        (x - self.standard.mean) * self.slope + self.shift
    }
}

impl CustomOp3 for Norm {
    fn name(&self) -> &'static str {
        "trained-batch-norm"
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
        let lines = self.lines(contiguous(s2, l2)?, contiguous(s3, l3)?);
        let pixels = contiguous(s1, l1)?;
        let output = self.each_plane([pixels], |channel, slices, target| {
            let line = lines[channel];
            match self.after {
                AfterNorm::Nothing => fill(target, slices, |[x]| line.at(x)),
                // Not-a-number stays what it is.
                AfterNorm::Relu => fill(target, slices, |[x]| {
                    let y = line.at(x);
                    if y < 0.0 { 0.0 } else { y }
                }),
            }
        });
        Ok((CpuStorage::F32(output), l1.shape().clone()))
    }

    fn bwd(
        &self,
        pixels: &Tensor,
        gain: &Tensor,
        shift: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let gains = gain.to_vec1::<f32>()?;
        let lines = self.lines(&gains, &shift.to_vec1::<f32>()?);
        with_values(pixels, |values| {
            with_values(gradient, |gradient| {
                let sums = self.gradient_sums(values, gradient, &lines);
                let to_pixels = self.gradient_to_pixels(values, gradient, &lines, &sums);
                Ok((
                    Some(Tensor::from_vec(to_pixels, pixels.dims(), &Device::Cpu)?),
                    Some(per_channel(&sums, |sums| sums.to_gain as f32)?),
                    Some(per_channel(&sums, |sums| sums.to_shift as f32)?),
                ))
            })
        })
    }
}

/// The gradients to gain and shift of a channel.
struct GradientSums {
    to_gain: f64,
    to_shift: f64,
}

impl Norm {
    fn lines(&self, gain: &[f32], shift: &[f32]) -> Vec<Line> {
        let parameters = gain.iter().zip(shift);
        let lines = self.standards.iter().zip(parameters);
        lines
            .map(|(&standard, (&gain, &shift))| Line::new(standard, gain, shift))
            .collect()
    }

    fn gradient_sums(&self, pixels: &[f32], gradient: &[f32], lines: &[Line]) -> Vec<GradientSums> {
        self.planes.each_channel(|channel| {
            let (line, after) = (lines[channel], self.after);
            let Standard { mean, factor } = line.standard;
            let planes = self.planes.of(pixels, channel);
            let sums = planes.zip(self.planes.of(gradient, channel)).map(|(x, g)| {
                total([x, g], |[x, g]| {
                    let g = before_activation(after, line, x, g);
                    [g, g * (x - mean)]
                })
            });
            let sums = sums.fold([0.0; 2], |sum, part| [sum[0] + part[0], sum[1] + part[1]]);
            GradientSums {
                to_gain: sums[1] * f64::from(factor),
                to_shift: sums[0],
            }
        })
    }

    /// `factor * gain * (g - mean(g) - standardised x * mean(g * standardised x))`.
    fn gradient_to_pixels(
        &self,
        pixels: &[f32],
        gradient: &[f32],
        lines: &[Line],
        sums: &[GradientSums],
    ) -> Vec<f32> {
        let count = self.planes.count() as f64;
        self.each_plane([pixels, gradient], |channel, slices, target| {
            let (line, after, sums) = (lines[channel], self.after, &sums[channel]);
            let Standard { mean, factor } = line.standard;
            let level = (sums.to_shift / count) as f32;
            let tilt = (sums.to_gain / count) as f32 * factor;
            fill(target, slices, |[x, g]| {
                let g = before_activation(after, line, x, g);
                line.slope * (g - level - (x - mean) * tilt)
            });
        })
    }

    /// Fills `(B, C, size)` plane by plane from the same planes of others.
    fn each_plane<const N: usize>(
        &self,
        sources: [&[f32]; N],
        work: impl Fn(usize, [&[f32]; N], &mut [f32]) + Sync,
    ) -> Vec<f32> {
        let Planes {
            batch,
            channels,
            size,
        } = self.planes;
        let mut result = vec![0.0; batch * channels * size];
        let planes = result.par_chunks_mut(size).enumerate();
        planes.for_each(|(plane, target)| {
            let sources = sources.map(|source| &source[plane * size..][..size]);
            work(plane % channels, sources, target);
        });
        result
    }
}

/// The gradient before the activation, from the one after it.
#[inline(always)]
fn before_activation(after: AfterNorm, line: Line, x: f32, gradient: f32) -> f32 {
    match after {
        AfterNorm::Relu if line.at(x) <= 0.0 => 0.0,
        _ => gradient,
    }
}

fn sum(values: &[f32]) -> f64 {
    total([values], |[x]| [x])[0]
}

/// The sums of `numbers` over slices of one length.
fn total<const N: usize, const M: usize>(
    slices: [&[f32]; N],
    numbers: impl Fn([f32; N]) -> [f32; M],
) -> [f64; M] {
    dispatch(Total { slices, numbers })
}

struct Total<'a, const N: usize, F> {
    slices: [&'a [f32]; N],
    numbers: F,
}

impl<const N: usize, const M: usize, F: Fn([f32; N]) -> [f32; M]> Kernel for Total<'_, N, F> {
    type Output = [f64; M];

    #[inline(always)]
    fn run<const FUSED: bool>(self) -> [f64; M] {
        /// Registers of values after which sums go on in double precision.
        const BLOCK: usize = 128;
        let parts = self.slices.map(|slice| slice.as_chunks::<LANES>());
        let count = parts
            .iter()
            .map(|(whole, _)| whole.len())
            .min()
            .unwrap_or(0);
        let mut totals = [0.0; M];
        for first in (0..count).step_by(BLOCK) {
            let mut sums = [[0.0_f32; LANES]; M];
            for index in first..(first + BLOCK).min(count) {
                for lane in 0..LANES {
                    let values = parts.map(|(whole, _)| whole[index][lane]);
                    let numbers = (self.numbers)(values);
                    for (sum, number) in sums.iter_mut().zip(numbers) {
                        sum[lane] += number;
                    }
                }
            }
            for (total, sums) in totals.iter_mut().zip(sums) {
                *total += sums.into_iter().map(f64::from).sum::<f64>();
            }
        }
        let rest = parts.iter().map(|(_, rest)| rest.len()).min().unwrap_or(0);
        for index in 0..rest {
            let numbers = (self.numbers)(parts.map(|(_, rest)| rest[index]));
            for (total, number) in totals.iter_mut().zip(numbers) {
                *total += f64::from(number);
            }
        }
        totals
    }
}

/// Fills a slice from others of its length.
fn fill<const N: usize>(target: &mut [f32], slices: [&[f32]; N], number: impl Fn([f32; N]) -> f32) {
    dispatch(Fill {
        target,
        slices,
        number,
    });
}

struct Fill<'a, const N: usize, F> {
    target: &'a mut [f32],
    slices: [&'a [f32]; N],
    number: F,
}

impl<const N: usize, F: Fn([f32; N]) -> f32> Kernel for Fill<'_, N, F> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let length = self.target.len();
        let slices = self.slices.map(|slice| &slice[..length]);
        for (index, target) in self.target.iter_mut().enumerate() {
            *target = (self.number)(slices.map(|slice| slice[index]));
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Result, Tensor};

    use super::super::compare::{assert_close, differentiate, noise};
    use super::{AfterNorm, batch_norm, by_tensors};

    const SIZES: [[usize; 4]; 6] = [
        [2, 3, 4, 5],
        [1, 1, 1, 2],
        [3, 5, 1, 7],
        [2, 17, 8, 8],
        [1, 2, 67, 71],
        [4, 3, 3, 1],
    ];

    fn inputs(dims: [usize; 4]) -> Vec<Tensor> {
        let pixels = (noise(&dims, 1) * 2.0).unwrap();
        let gain = (noise(&[dims[1]], 2) + 0.3).unwrap();
        vec![(pixels + 0.7).unwrap(), gain, noise(&[dims[1]], 3)]
    }

    #[test]
    fn results_and_gradients_are_those_of_plain_tensor_operations() -> Result<()> {
        for dims in SIZES {
            for after in [AfterNorm::Nothing, AfterNorm::Relu] {
                let inputs = inputs(dims);
                let quick = differentiate(&inputs, DType::F32, |x| {
                    batch_norm(&x[0], &x[1], &x[2], 1e-3, after).map(|(output, _)| output)
                })?;
                let plain = differentiate(&inputs, DType::F64, |x| {
                    by_tensors(&x[0], &x[1], &x[2], 1e-3, after).map(|(output, _)| output)
                })?;
                for (part, (quick, plain)) in quick.iter().zip(&plain).enumerate() {
                    assert_close(quick, plain, 2e-5, &format!("part {part} of {dims:?}"));
                }
            }
        }
        Ok(())
    }

    #[test]
    fn statistics_are_exact_even_far_from_zero() -> Result<()> {
        let inputs = inputs([2, 3, 40, 40]);
        let far = (&inputs[0] + 1000.0)?.to_dtype(DType::F32)?;
        let parameters = [&inputs[1], &inputs[2]].map(|t| t.to_dtype(DType::F32).unwrap());
        let [gain, shift] = &parameters;
        let (_, quick) = batch_norm(&far, gain, shift, 1e-5, AfterNorm::Nothing)?;
        let far = far.to_dtype(DType::F64)?;
        let (_, plain) = by_tensors(&far, &inputs[1], &inputs[2], 1e-5, AfterNorm::Nothing)?;
        assert_close(&quick.mean, &plain.mean, 1e-7, "mean");
        assert_close(&quick.variance, &plain.variance, 1e-5, "variance");
        assert_eq!((quick.count, plain.count), (3200, 3200));
        assert!(!quick.mean.track_op());
        Ok(())
    }

    #[test]
    fn a_constant_channel_becomes_its_shift() -> Result<()> {
        let pixels = Tensor::full(3_f32, (2, 1, 3, 3), &Device::Cpu)?;
        let (gain, shift) = (
            Tensor::new(&[2_f32], &Device::Cpu)?,
            Tensor::new(&[0.5_f32], &Device::Cpu)?,
        );
        let (output, statistics) = batch_norm(&pixels, &gain, &shift, 1e-5, AfterNorm::Relu)?;
        let values = output.flatten_all()?.to_vec1::<f32>()?;
        assert!(values.iter().all(|&value| value == 0.5));
        assert_eq!(statistics.variance.to_vec1::<f32>()?, [0.0]);
        Ok(())
    }

    #[test]
    fn not_a_number_is_not_hidden_by_the_activation() -> Result<()> {
        let pixels = Tensor::new(&[1_f32, f32::NAN], &Device::Cpu)?.reshape((1, 1, 1, 2))?;
        let one = Tensor::new(&[1_f32], &Device::Cpu)?;
        let (output, _) = batch_norm(&pixels, &one, &one, 1e-5, AfterNorm::Relu)?;
        let values = output.flatten_all()?.to_vec1::<f32>()?;
        assert!(values.iter().all(|value| value.is_nan()));
        Ok(())
    }

    #[test]
    fn results_do_not_depend_on_the_number_of_threads() -> Result<()> {
        let inputs = inputs([3, 4, 19, 21]);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let tensors = pool.build().unwrap().install(|| {
                differentiate(&inputs, DType::F32, |x| {
                    batch_norm(&x[0], &x[1], &x[2], 1e-5, AfterNorm::Relu).map(|(output, _)| output)
                })
            });
            let bits = tensors.unwrap().into_iter();
            bits.map(|t| t.flatten_all()?.to_vec1::<f32>())
                .collect::<Result<Vec<_>>>()
        };
        assert_eq!(run(1)?, run(3)?);
        Ok(())
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let norm = |dims: [usize; 4], gain: usize, shift: usize| {
            let parameters = (noise(&[gain], 0), noise(&[shift], 0));
            batch_norm(
                &noise(&dims, 0),
                &parameters.0,
                &parameters.1,
                1e-5,
                AfterNorm::Nothing,
            )
        };
        assert!(norm([1, 3, 2, 2], 2, 3).is_err());
        assert!(norm([1, 3, 2, 2], 3, 1).is_err());
        assert!(norm([0, 3, 2, 2], 3, 3).is_err());
    }
}
