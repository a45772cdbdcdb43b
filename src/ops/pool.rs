//! The two 3x3 poolings the detectors use, with the border rules candle's lack. Inference only: no gradients.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::conv::contiguous;

/// Average of 3x3 pixels around each pixel of `(B, C, H, W)`. Outside the picture are zeros, which count: the sum is
/// always divided by 9.
pub fn average_3x3(pixels: &Tensor) -> Result<Tensor> {
    if pixels.device().is_cpu() {
        return pixels.contiguous()?.apply_op1_no_bwd(&Pool::Average);
    }
    #[cfg(feature = "cuda")]
    if pixels.device().is_cuda() {
        return super::cuda::average_3x3(pixels);
    }
    average_reference(pixels)
}

/// Maximum of 3x3 pixels around every second pixel of `(B, C, H, W)`, to `(B, C, ceil(H / 2), ceil(W / 2))`. Outside the
/// picture there is nothing.
pub fn max_3x3_stride_2(pixels: &Tensor) -> Result<Tensor> {
    if pixels.device().is_cpu() {
        return pixels.contiguous()?.apply_op1_no_bwd(&Pool::Max);
    }
    #[cfg(feature = "cuda")]
    if pixels.device().is_cuda() {
        return super::cuda::max_3x3_stride_2(pixels);
    }
    max_reference(pixels)
}

fn average_reference(pixels: &Tensor) -> Result<Tensor> {
    pixels
        .pad_with_zeros(2, 1, 1)?
        .pad_with_zeros(3, 1, 1)?
        .avg_pool2d_with_stride(3, 1)
}

/// Repeating the edge adds only numbers that every window at the edge already holds.
fn max_reference(pixels: &Tensor) -> Result<Tensor> {
    pixels
        .pad_with_same(2, 1, 1)?
        .pad_with_same(3, 1, 1)?
        .max_pool2d_with_stride(3, 2)
}

#[derive(Debug, Clone, Copy)]
enum Pool {
    Average,
    Max,
}

impl CustomOp1 for Pool {
    fn name(&self) -> &'static str {
        match self {
            Self::Average => "average-3x3",
            Self::Max => "max-3x3-stride-2",
        }
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let pixels = contiguous(storage, layout)?;
        let (batch, channels, height, width) = layout.shape().dims4()?;
        let (out_height, out_width) = match self {
            Self::Average => (height, width),
            Self::Max => (height.div_ceil(2), width.div_ceil(2)),
        };
        let mut output = vec![0.0; batch * channels * out_height * out_width];
        if !output.is_empty() {
            output
                .par_chunks_mut(out_height * out_width)
                .zip(pixels.par_chunks(height * width))
                .for_each_init(
                    || vec![0.0; width],
                    |line, (target, plane)| match self {
                        Self::Average => average_plane(plane, target, line),
                        Self::Max => max_plane(plane, target, line),
                    },
                );
        }
        Ok((
            CpuStorage::F32(output),
            (batch, channels, out_height, out_width).into(),
        ))
    }
}

/// Sums three rows into `line`, then three neighbours of it into each pixel.
fn average_plane(plane: &[f32], target: &mut [f32], line: &mut [f32]) {
    let width = line.len();
    for (y, target) in target.chunks_mut(width).enumerate() {
        fold_rows(plane, y, line, |a, b| a + b);
        for (x, value) in target.iter_mut().enumerate() {
            let left = if x > 0 { line[x - 1] } else { 0.0 };
            let right = if x + 1 < width { line[x + 1] } else { 0.0 };
            *value = (left + line[x] + right) / 9.0;
        }
    }
}

fn max_plane(plane: &[f32], target: &mut [f32], line: &mut [f32]) {
    let width = line.len();
    for (row, target) in target.chunks_mut(width.div_ceil(2)).enumerate() {
        fold_rows(plane, 2 * row, line, larger);
        for (column, value) in target.iter_mut().enumerate() {
            let x = 2 * column;
            let left = line[x.saturating_sub(1)];
            let right = line[(x + 1).min(width - 1)];
            *value = larger(larger(left, line[x]), right);
        }
    }
}

/// The larger one; not-a-number wins, as in `PyTorch`.
fn larger(a: f32, b: f32) -> f32 {
    if a > b || a.is_nan() { a } else { b }
}

/// Combines row `y` of the plane with the rows above and below it that exist.
fn fold_rows(plane: &[f32], y: usize, line: &mut [f32], combine: impl Fn(f32, f32) -> f32) {
    let width = line.len();
    let height = plane.len() / width;
    let first = y.saturating_sub(1);
    line.copy_from_slice(&plane[first * width..][..width]);
    for row in first + 1..(y + 2).min(height) {
        let row = &plane[row * width..][..width];
        line.iter_mut()
            .zip(row)
            .for_each(|(sum, &value)| *sum = combine(*sum, value));
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Result, Tensor};

    use super::{average_3x3, average_reference, max_3x3_stride_2, max_reference};

    fn waves(dims: (usize, usize, usize, usize)) -> Tensor {
        let count = dims.0 * dims.1 * dims.2 * dims.3;
        let values: Vec<f32> = (0..count)
            .map(|i| (i as f32 * 0.7).sin() * 3.0 - 1.0)
            .collect();
        Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
    }

    fn largest_difference(a: &Tensor, b: &Tensor) -> Result<f32> {
        assert_eq!(a.dims(), b.dims());
        (a - b)?.abs()?.flatten_all()?.max(0)?.to_scalar()
    }

    const SIZES: [(usize, usize, usize, usize); 6] = [
        (1, 1, 1, 1),
        (1, 2, 1, 5),
        (2, 1, 5, 1),
        (2, 3, 7, 8),
        (1, 1, 8, 7),
        (3, 2, 2, 2),
    ];

    #[test]
    fn average_counts_the_zeros_outside() {
        let pixels = Tensor::arange(1_f32, 10.0, &Device::Cpu)
            .unwrap()
            .reshape((1, 1, 3, 3))
            .unwrap();
        let pooled = average_3x3(&pixels)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1::<f32>()
            .unwrap();
        let expected = [
            1.333_333, 2.333_333, 1.777_778, 3.0, 5.0, 3.666_667, 2.666_667, 4.333_333, 3.111_111,
        ];
        for (value, expected) in pooled.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-6, "{pooled:?}");
        }
    }

    #[test]
    fn average_agrees_with_the_reference() {
        for dims in SIZES {
            let pixels = waves(dims);
            let difference = largest_difference(
                &average_3x3(&pixels).unwrap(),
                &average_reference(&pixels).unwrap(),
            )
            .unwrap();
            assert!(difference < 1e-6, "{dims:?}: {difference}");
        }
    }

    #[test]
    fn maximum_agrees_with_the_reference() {
        for dims in SIZES {
            let pixels = waves(dims);
            let quick = max_3x3_stride_2(&pixels).unwrap();
            assert_eq!(
                largest_difference(&quick, &max_reference(&pixels).unwrap()).unwrap(),
                0.0,
                "{dims:?}"
            );
        }
    }

    #[test]
    fn maximum_outside_the_picture_is_not_zero() {
        let pixels = (waves((1, 1, 5, 5)) - 10.0).unwrap();
        let largest: f32 = max_3x3_stride_2(&pixels)
            .unwrap()
            .flatten_all()
            .unwrap()
            .max(0)
            .unwrap()
            .to_scalar()
            .unwrap();
        assert!(largest < -5.0);
    }

    #[test]
    fn pooling_reads_tensors_that_are_not_contiguous() {
        let pixels = waves((1, 2, 4, 6)).transpose(2, 3).unwrap();
        let copied = pixels.copy().unwrap().contiguous().unwrap();
        let difference = largest_difference(
            &average_3x3(&pixels).unwrap(),
            &average_3x3(&copied).unwrap(),
        )
        .unwrap();
        assert_eq!(difference, 0.0);
    }
}
