//! Bilinear upsampling with aligned corners, and its gradient.
#![expect(
    clippy::inline_always,
    reason = "only inlined code is compiled for the instruction set that was chosen"
)]

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::has_kernels;
use crate::ops::conv::contiguous;
use crate::ops::resample::{Alignment, Sample, axis, interpolation_matrix};
use crate::ops::simd::{Kernel, dispatch, multiply_add};
use crate::ops::values::with_values;

/// `(B, C, h, w)` to `(B, C, height, width)`; the centres of the corner pixels stay where they are.
pub fn upsample(pixels: &Tensor, height: usize, width: usize) -> Result<Tensor> {
    let (_, _, h, w) = pixels.dims4()?;
    if [h, w, height, width].contains(&0) {
        bail!("cannot resample {h} x {w} pixels to {height} x {width}");
    }
    if has_kernels(pixels) {
        let pixels = pixels.contiguous()?;
        return pixels.apply_op1(Upsample::new([h, w], [height, width]));
    }
    by_tensors(pixels, height, width)
}

/// The plain reference, and what runs on other devices than the CPU.
fn by_tensors(pixels: &Tensor, height: usize, width: usize) -> Result<Tensor> {
    let (batch, channels, h, w) = pixels.dims4()?;
    let matrix = |from, to| {
        interpolation_matrix(from, to, Alignment::Centres, pixels.device())?
            .to_dtype(pixels.dtype())
    };
    let columns = matrix(w, width)?.t()?.contiguous()?;
    let wide = pixels.reshape(((), w))?.matmul(&columns)?;
    let wide = wide.reshape((batch * channels, h, width))?;
    let rows = matrix(h, height)?.unsqueeze(0)?;
    rows.broadcast_matmul(&wide)?
        .reshape((batch, channels, height, width))
}

struct Upsample {
    rows: Vec<Sample>,
    columns: Vec<Sample>,
    /// Height and width of what is upsampled.
    from: [usize; 2],
}

impl CustomOp1 for Upsample {
    fn name(&self) -> &'static str {
        "trained-upsample"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, channels, h, w) = layout.shape().dims4()?;
        let pixels = contiguous(storage, layout)?;
        let (height, width) = (self.rows.len(), self.columns.len());
        let mut output = vec![0.0; batch * channels * height * width];
        output
            .par_chunks_mut(height * width)
            .zip(pixels.par_chunks(h * w))
            .for_each(|(target, source)| self.plane(source, target));
        let shape = (batch, channels, height, width).into();
        Ok((CpuStorage::F32(output), shape))
    }

    fn bwd(&self, pixels: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        if !pixels.track_op() {
            return Ok(None);
        }
        let [h, w] = self.from;
        let mut result = vec![0.0; pixels.elem_count()];
        with_values(gradient, |gradient| {
            result
                .par_chunks_mut(h * w)
                .zip(gradient.par_chunks(self.rows.len() * self.columns.len()))
                .for_each(|(target, gradient)| self.adjoint(gradient, target));
            Ok(())
        })?;
        Tensor::from_vec(result, pixels.dims(), &Device::Cpu).map(Some)
    }
}

impl Upsample {
    fn new(from: [usize; 2], to: [usize; 2]) -> Self {
        Self {
            rows: axis(from[0], to[0], Alignment::Centres),
            columns: axis(from[1], to[1], Alignment::Centres),
            from,
        }
    }

    /// Each source row is stretched once; rows between are mixed from whole stretched rows.
    fn plane(&self, source: &[f32], target: &mut [f32]) {
        let width = self.columns.len();
        let mut stretched = vec![0.0; self.from[0] * width];
        let lines = stretched.chunks_exact_mut(width);
        for (line, source) in lines.zip(source.chunks_exact(self.from[1])) {
            for (to, sample) in line.iter_mut().zip(&self.columns) {
                let (first, second) = (source[sample.first], source[sample.second]);
                *to = (1.0 - sample.weight) * first + sample.weight * second;
            }
        }
        for (line, sample) in target.chunks_exact_mut(width).zip(&self.rows) {
            dispatch(Mix {
                line,
                first: &stretched[sample.first * width..][..width],
                second: &stretched[sample.second * width..][..width],
                weight: sample.weight,
            });
        }
    }

    /// The same steps backwards.
    fn adjoint(&self, gradient: &[f32], target: &mut [f32]) {
        let width = self.columns.len();
        let mut stretched = vec![0.0; self.from[0] * width];
        for (line, sample) in gradient.chunks_exact(width).zip(&self.rows) {
            for (row, weight) in [
                (sample.first, 1.0 - sample.weight),
                (sample.second, sample.weight),
            ] {
                let sum = &mut stretched[row * width..][..width];
                dispatch(AddScaled { sum, line, weight });
            }
        }
        let lines = target.chunks_exact_mut(self.from[1]);
        for (target, line) in lines.zip(stretched.chunks_exact(width)) {
            for (&value, sample) in line.iter().zip(&self.columns) {
                target[sample.first] += (1.0 - sample.weight) * value;
                target[sample.second] += sample.weight * value;
            }
        }
    }
}

/// `line = (1 - weight) * first + weight * second`.
struct Mix<'a> {
    line: &'a mut [f32],
    first: &'a [f32],
    second: &'a [f32],
    weight: f32,
}

impl Kernel for Mix<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let sources = self.first.iter().zip(self.second);
        for (to, (&first, &second)) in self.line.iter_mut().zip(sources) {
            *to = multiply_add::<FUSED>(self.weight, second, (1.0 - self.weight) * first);
        }
    }
}

/// `sum += weight * line`.
struct AddScaled<'a> {
    sum: &'a mut [f32],
    line: &'a [f32],
    weight: f32,
}

impl Kernel for AddScaled<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        for (sum, &value) in self.sum.iter_mut().zip(self.line) {
            *sum = multiply_add::<FUSED>(self.weight, value, *sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Result, Tensor};

    use super::super::compare::{assert_close, differentiate, noise};
    use super::{by_tensors, upsample};

    #[test]
    fn results_and_gradients_are_those_of_interpolation_matrices() -> Result<()> {
        for ([h, w], [height, width]) in [
            ([4, 6], [8, 12]),
            ([3, 5], [7, 11]),
            ([1, 1], [3, 2]),
            ([2, 1], [5, 1]),
            ([5, 4], [5, 4]),
            ([9, 7], [4, 3]),
            ([4, 4], [1, 1]),
            ([16, 20], [64, 80]),
        ] {
            let inputs = [noise(&[2, 3, h, w], 1)];
            let quick = differentiate(&inputs, DType::F32, |x| upsample(&x[0], height, width))?;
            let plain = differentiate(&inputs, DType::F64, |x| by_tensors(&x[0], height, width))?;
            for (quick, plain) in quick.iter().zip(&plain) {
                assert_close(
                    quick,
                    plain,
                    1e-6,
                    &format!("{h} x {w} to {height} x {width}"),
                );
            }
        }
        Ok(())
    }

    #[test]
    fn corners_stay_and_what_lies_between_is_even() -> Result<()> {
        let pixels = Tensor::new(&[0_f32, 3.0, 6.0, 9.0], &Device::Cpu)?.reshape((1, 1, 2, 2))?;
        let found = upsample(&pixels, 4, 4)?.flatten_all()?.to_vec1::<f32>()?;
        let expected: Vec<f32> = (0..16).map(|i| (2 * (i / 4) + i % 4) as f32).collect();
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5);
        }
        Ok(())
    }

    #[test]
    fn no_pixels_are_refused() {
        assert!(upsample(&noise(&[1, 1, 2, 2], 0), 0, 3).is_err());
    }
}
