//! Bilinear resampling without antialiasing, of maps and of grids of embeddings, with its adjoint.

#![expect(
    clippy::inline_always,
    reason = "only inlined code is compiled for the instruction set that was chosen"
)]

use candle_core::{Device, Result, Tensor, bail};
use rayon::prelude::*;

use super::simd::{Kernel, dispatch, multiply_add};
use super::values::with_values;

/// Where one output sample comes from: `(1 - weight) * input[first] + weight * input[second]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) first: usize,
    pub(super) second: usize,
    pub(super) weight: f32,
}

/// What the ends of both grids share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alignment {
    /// The borders of the outermost cells: source coordinate `max((i + 0.5) * from / to - 0.5, 0)`.
    Borders,
    /// The centres of the outermost cells: `i * (from - 1) / (to - 1)`, 0 for a single sample.
    Centres,
}

/// One axis.
pub(super) fn axis(from: usize, to: usize, alignment: Alignment) -> Vec<Sample> {
    let scale = from as f64 / to as f64;
    let coordinate = |i: usize| match alignment {
        Alignment::Borders => ((i as f64 + 0.5) * scale - 0.5).max(0.0),
        Alignment::Centres => (i * (from - 1)) as f64 / (to - 1).max(1) as f64,
    };
    (0..to)
        .map(|i| {
            let position = coordinate(i);
            let first = (position as usize).min(from - 1);
            Sample {
                first,
                second: (first + 1).min(from - 1),
                weight: (position - first as f64) as f32,
            }
        })
        .collect()
}

/// The same axis as a matrix `(to, from)`, for any device.
pub fn interpolation_matrix(
    from: usize,
    to: usize,
    alignment: Alignment,
    device: &Device,
) -> Result<Tensor> {
    if from == 0 || to == 0 {
        bail!("cannot resample {from} samples to {to}");
    }
    let mut values = vec![0.0; to * from];
    for (row, sample) in values.chunks_exact_mut(from).zip(axis(from, to, alignment)) {
        row[sample.first] += 1.0 - sample.weight;
        row[sample.second] += sample.weight;
    }
    Tensor::from_vec(values, (to, from), device)
}

/// Resamples maps `(B, h, w)` to `(B, height, width)`.
pub fn resize(maps: &Tensor, height: usize, width: usize, alignment: Alignment) -> Result<Tensor> {
    let (_, h, w) = maps.dims3()?;
    let rows = interpolation_matrix(h, height, alignment, maps.device())?;
    let columns = interpolation_matrix(w, width, alignment, maps.device())?.t()?;
    rows.unsqueeze(0)?
        .broadcast_matmul(&maps.broadcast_matmul(&columns.unsqueeze(0)?)?)
}

/// Upsamples every grid `(B, h, w, D)` to the first one's size and adds them up: `(B, H, W, D)`.
pub fn sum_on_first_grid(grids: &[Tensor]) -> Result<Tensor> {
    let Some((base, coarse)) = grids.split_first() else {
        bail!("there are no grids to add up")
    };
    #[cfg(feature = "cuda")]
    if base.device().is_cuda() {
        return super::cuda::add_upsampled(base, coarse);
    }
    each_picture(base, |base, i| {
        let coarse = coarse
            .iter()
            .map(|grid| grid.get(i))
            .collect::<Result<Vec<_>>>()?;
        match base.device() {
            Device::Cpu => sum_rows(base, &coarse),
            _ => sum_on_first_grid_by_tensors(base, &coarse),
        }
    })
}

/// The adjoint of upsampling: spreads gradients `(B, H, W, D)` back to the `(B, h, w, D)` samples they came from.
pub fn upsampling_adjoint(gradient: &Tensor, h: usize, w: usize) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if gradient.device().is_cuda()
        && let Some(coarse) = super::cuda::gather_upsampled(gradient, h, w)?
    {
        return Ok(coarse);
    }
    each_picture(gradient, |gradient, _| match gradient.device() {
        Device::Cpu => gather_rows(gradient, h, w),
        _ => upsampling_adjoint_by_tensors(gradient, h, w),
    })
}

fn each_picture(batch: &Tensor, work: impl Fn(&Tensor, usize) -> Result<Tensor>) -> Result<Tensor> {
    if batch.dim(0)? == 1 {
        return work(&batch.squeeze(0)?, 0)?.unsqueeze(0);
    }
    let results = (0..batch.dim(0)?).map(|i| work(&batch.get(i)?, i));
    Tensor::stack(&results.collect::<Result<Vec<_>>>()?, 0)
}

/// [`sum_on_first_grid`] with interpolation matrices.
fn sum_on_first_grid_by_tensors(base: &Tensor, coarse: &[Tensor]) -> Result<Tensor> {
    let (height, width, depth) = base.dims3()?;
    coarse.iter().try_fold(base.clone(), |sum, grid| {
        let (h, w, _) = grid.dims3()?;
        let rows = interpolation_matrix(h, height, Alignment::Borders, base.device())?
            .matmul(&grid.reshape((h, w * depth))?)?;
        let columns =
            interpolation_matrix(w, width, Alignment::Borders, base.device())?.unsqueeze(0)?;
        sum + columns.broadcast_matmul(&rows.reshape((height, w, depth))?)?
    })
}

/// [`upsampling_adjoint`] with transposed interpolation matrices.
fn upsampling_adjoint_by_tensors(gradient: &Tensor, h: usize, w: usize) -> Result<Tensor> {
    let (height, width, depth) = gradient.dims3()?;
    let columns = interpolation_matrix(w, width, Alignment::Borders, gradient.device())?
        .t()?
        .contiguous()?
        .unsqueeze(0)?;
    let rows = interpolation_matrix(h, height, Alignment::Borders, gradient.device())?.t()?;
    let narrow = columns
        .broadcast_matmul(gradient)?
        .reshape((height, w * depth))?;
    rows.matmul(&narrow)?.reshape((h, w, depth))
}

/// `sum += weight * row`.
struct AddScaled<'a> {
    sum: &'a mut [f32],
    row: &'a [f32],
    weight: f32,
}

impl Kernel for AddScaled<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        for (sum, &value) in self.sum.iter_mut().zip(self.row) {
            *sum = multiply_add::<FUSED>(self.weight, value, *sum);
        }
    }
}

fn add_scaled(sum: &mut [f32], row: &[f32], weight: f32) {
    if weight != 0.0 {
        dispatch(AddScaled { sum, row, weight });
    }
}

/// CPU path of [`sum_on_first_grid`]: one pass over the fine grid, its rows in parallel.
fn sum_rows(base: &Tensor, coarse: &[Tensor]) -> Result<Tensor> {
    let (height, width, depth) = base.dims3()?;
    let mut sum = with_values(base, |values| Ok(values.to_vec()))?;
    for grid in coarse {
        let (h, w, grid_depth) = grid.dims3()?;
        if grid_depth != depth {
            bail!("grids of depth {grid_depth} and {depth} cannot be added");
        }
        let (rows, columns) = (
            axis(h, height, Alignment::Borders),
            axis(w, width, Alignment::Borders),
        );
        with_values(grid, |grid| {
            sum.par_chunks_mut(width * depth)
                .zip(&rows)
                .for_each(|(line, row)| {
                    // The coarse row for this line first, at coarse width; then its samples spread along the line.
                    let mut mixed = vec![0.0; w * depth];
                    add_scaled(
                        &mut mixed,
                        &grid[row.first * w * depth..][..w * depth],
                        1.0 - row.weight,
                    );
                    add_scaled(
                        &mut mixed,
                        &grid[row.second * w * depth..][..w * depth],
                        row.weight,
                    );
                    for (cell, column) in line.chunks_exact_mut(depth).zip(&columns) {
                        add_scaled(
                            cell,
                            &mixed[column.first * depth..][..depth],
                            1.0 - column.weight,
                        );
                        add_scaled(
                            cell,
                            &mixed[column.second * depth..][..depth],
                            column.weight,
                        );
                    }
                });
            Ok(())
        })?;
    }
    Tensor::from_vec(sum, (height, width, depth), &Device::Cpu)
}

/// CPU path of [`upsampling_adjoint`]: each coarse row gathers from the fine rows it was spread to, in fixed order.
fn gather_rows(gradient: &Tensor, h: usize, w: usize) -> Result<Tensor> {
    let (height, width, depth) = gradient.dims3()?;
    let (rows, columns) = (
        axis(h, height, Alignment::Borders),
        axis(w, width, Alignment::Borders),
    );
    let mut sums = vec![0.0; h * w * depth];
    with_values(gradient, |gradient| {
        sums.par_chunks_mut(w * depth)
            .enumerate()
            .for_each(|(y, line)| {
                let mut mixed = vec![0.0; width * depth];
                for (row, fine) in rows.iter().zip(gradient.chunks_exact(width * depth)) {
                    let weight = f32::from(row.first == y) * (1.0 - row.weight)
                        + f32::from(row.second == y) * row.weight;
                    add_scaled(&mut mixed, fine, weight);
                }
                for (column, cell) in columns.iter().zip(mixed.chunks_exact(depth)) {
                    add_scaled(
                        &mut line[column.first * depth..][..depth],
                        cell,
                        1.0 - column.weight,
                    );
                    add_scaled(
                        &mut line[column.second * depth..][..depth],
                        cell,
                        column.weight,
                    );
                }
            });
        Ok(())
    })?;
    Tensor::from_vec(sums, (h, w, depth), &Device::Cpu)
}

#[cfg(test)]
mod tests {
    use super::{
        Alignment, gather_rows, interpolation_matrix, resize, sum_on_first_grid,
        sum_on_first_grid_by_tensors, sum_rows, upsampling_adjoint_by_tensors,
    };
    use candle_core::{Device, Result, Tensor};

    fn waves(h: usize, w: usize, d: usize, seed: f32) -> Tensor {
        let values: Vec<f32> = (0..h * w * d)
            .map(|i| (i as f32 * 0.7 + seed).sin())
            .collect();
        Tensor::from_vec(values, (h, w, d), &Device::Cpu).unwrap()
    }

    fn largest_difference(a: &Tensor, b: &Tensor) -> f32 {
        assert_eq!(a.dims(), b.dims());
        (a - b)
            .unwrap()
            .abs()
            .unwrap()
            .max_all()
            .unwrap()
            .to_scalar()
            .unwrap()
    }

    fn dot(a: &Tensor, b: &Tensor) -> f32 {
        (a * b).unwrap().sum_all().unwrap().to_scalar().unwrap()
    }

    #[test]
    fn resizing_matches_the_half_pixel_vector() {
        let map = Tensor::new(&[[[0.0_f32, 1.0], [2.0, 4.0]]], &Device::Cpu).unwrap();
        let expected = [
            [0.0, 0.25, 0.75, 1.0],
            [0.5, 0.8125, 1.4375, 1.75],
            [1.5, 1.9375, 2.8125, 3.25],
            [2.0, 2.5, 3.5, 4.0],
        ];
        assert_eq!(
            resize(&map, 4, 4, Alignment::Borders)
                .unwrap()
                .to_vec3::<f32>()
                .unwrap()[0],
            expected
        );
    }

    #[test]
    fn resizing_with_centres_aligned_matches_the_vector() {
        let map = Tensor::new(&[[[0.0_f32, 1.0], [2.0, 4.0]]], &Device::Cpu).unwrap();
        let expected = [
            [0.0, 0.333_333, 0.666_667, 1.0],
            [0.666_667, 1.111_111, 1.555_556, 2.0],
            [1.333_333, 1.888_889, 2.444_444, 3.0],
            [2.0, 2.666_667, 3.333_333, 4.0],
        ];
        let found = resize(&map, 4, 4, Alignment::Centres).unwrap();
        let expected = Tensor::new(&[expected], &Device::Cpu).unwrap();
        let expected = expected.to_dtype(candle_core::DType::F32).unwrap();
        assert!(largest_difference(&found, &expected) < 1e-6);
    }

    #[test]
    fn one_sample_becomes_a_constant_and_none_is_refused() {
        let map = Tensor::new(&[[[0.3_f32]]], &Device::Cpu).unwrap();
        for alignment in [Alignment::Borders, Alignment::Centres] {
            let resized = resize(&map, 3, 5, alignment)
                .unwrap()
                .flatten_all()
                .unwrap()
                .to_vec1::<f32>()
                .unwrap();
            assert!(resized.iter().all(|&v| v == 0.3));
        }
        assert!(interpolation_matrix(0, 4, Alignment::Borders, &Device::Cpu).is_err());
        assert!(sum_on_first_grid(&[]).is_err());
    }

    #[test]
    fn row_kernels_agree_with_interpolation_matrices_at_any_ratio() -> Result<()> {
        for ((height, width), (h, w)) in [
            ((8, 12), (4, 6)),
            ((7, 5), (3, 2)),
            ((4, 4), (4, 4)),
            ((3, 3), (5, 7)),
            ((6, 1), (2, 1)),
        ] {
            let (base, coarse) = (waves(height, width, 5, 0.1), waves(h, w, 5, 0.4));
            let grids = [coarse];
            let quick = sum_rows(&base, &grids)?;
            assert!(
                largest_difference(&quick, &sum_on_first_grid_by_tensors(&base, &grids)?) < 1e-5
            );
            let quick = gather_rows(&base, h, w)?;
            assert!(
                largest_difference(&quick, &upsampling_adjoint_by_tensors(&base, h, w)?) < 1e-5
            );
        }
        Ok(())
    }

    #[test]
    fn the_adjoint_satisfies_its_definition() -> Result<()> {
        let (fine, coarse) = (waves(12, 8, 3, 0.0), waves(3, 2, 3, 1.0));
        let upsampled = sum_rows(&fine.zeros_like()?, std::slice::from_ref(&coarse))?;
        let spread = gather_rows(&fine, 3, 2)?;
        assert!((dot(&upsampled, &fine) - dot(&coarse, &spread)).abs() < 1e-4);
        Ok(())
    }
}
