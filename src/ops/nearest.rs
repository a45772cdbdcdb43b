//! The nearest centres of each patch, and sums of differences to them. Exact: quick paths give what brute force gives.

#![expect(
    clippy::inline_always,
    reason = "only inlined code is compiled for the instruction set that was chosen"
)]

use candle_core::{DType, Device, Result, Tensor, bail};
use rayon::prelude::*;

#[cfg(feature = "cuda")]
use super::cuda::{self, Centred};
use super::pruned::{Projection, Scratch, Search};
use super::simd::{Kernel, LANES, ROWS, dispatch, multiply_add};
use super::values::{with_indices, with_values};

/// Patches per piece of parallel work.
const PIECE: usize = 8 * ROWS;

/// The nearest centres of every patch, nearest first.
#[derive(Debug, Clone)]
pub struct Neighbours {
    /// `(T, count)`, `u32`.
    pub indices: Tensor,
    /// Squared Euclidean distances `(T, count)`.
    pub squared: Tensor,
}

/// A fixed set of centres, prepared for searching.
#[derive(Debug, Clone)]
pub struct CentreIndex {
    centres: Tensor,
    projection: Option<Projection>,
    #[cfg(feature = "cuda")]
    centred: Option<Centred>,
}

impl CentreIndex {
    /// Prepares `centres` (N, D).
    pub fn new(centres: &Tensor) -> Result<Self> {
        let (count, width) = centres.dims2()?;
        if count == 0 || width == 0 {
            bail!("a memory bank needs at least one centre, but its shape is ({count}, {width})");
        }
        let centres = centres.contiguous()?;
        let projection = match centres.device() {
            Device::Cpu => with_values(&centres, |values| Projection::new(values, width))?,
            _ => None,
        };
        Ok(Self {
            #[cfg(feature = "cuda")]
            centred: centres
                .device()
                .is_cuda()
                .then(|| Centred::new(&centres))
                .transpose()?,
            centres,
            projection,
        })
    }

    /// The centres `(N, D)`.
    pub fn centres(&self) -> &Tensor {
        &self.centres
    }

    /// The `count` nearest centres of each of `patches` (T, D); all of them where there are fewer. Among equally distant
    /// centres the earlier one comes first. A patch's answer does not depend on the other patches.
    pub fn nearest(&self, patches: &Tensor, count: usize) -> Result<Neighbours> {
        match patches.device() {
            Device::Cpu => search(patches, &self.centres, self.projection.as_ref(), count),
            #[cfg(feature = "cuda")]
            Device::Cuda(_) => {
                let found = self
                    .centred
                    .as_ref()
                    .map(|centred| cuda::nearest(patches, &self.centres, centred, count));
                let found = found.transpose()?.flatten();
                found.map_or_else(|| nearest_by_tensors(patches, &self.centres, count), Ok)
            }
            _ => nearest_by_tensors(patches, &self.centres, count),
        }
    }

    /// `sum_k coefficients[t][k] * (patches[t] - centres[indices[t][k]])` for each patch: (T, D).
    pub fn weighted_differences(
        &self,
        patches: &Tensor,
        indices: &Tensor,
        coefficients: &Tensor,
    ) -> Result<Tensor> {
        match patches.device() {
            Device::Cpu => weighted_differences(patches, &self.centres, indices, coefficients),
            #[cfg(feature = "cuda")]
            Device::Cuda(_) => {
                cuda::weighted_differences(patches, &self.centres, indices, coefficients)
            }
            _ => weighted_differences_by_tensors(patches, &self.centres, indices, coefficients),
        }
    }
}

/// Looks at every centre of every patch on the CPU, with the same distances as the quick search.
pub fn nearest_by_brute_force(
    patches: &Tensor,
    centres: &Tensor,
    count: usize,
) -> Result<Neighbours> {
    search(patches, centres, None, count)
}

fn search(
    patches: &Tensor,
    centres: &Tensor,
    projection: Option<&Projection>,
    count: usize,
) -> Result<Neighbours> {
    let (patch_count, width) = patches.dims2()?;
    let (centre_count, centre_width) = centres.dims2()?;
    if width != centre_width {
        bail!("patches have {width} values, centres {centre_width}");
    }
    let count = count.min(centre_count);
    let mut indices = vec![0_u32; patch_count * count];
    let mut squared = vec![0.0_f32; patch_count * count];
    with_values(patches, |patches| {
        with_values(centres, |centres| {
            patches
                .par_chunks(PIECE * width)
                .zip(
                    indices
                        .par_chunks_mut(PIECE * count)
                        .zip(squared.par_chunks_mut(PIECE * count)),
                )
                .for_each_init(
                    Scratch::default,
                    |scratch, (patches, (indices, squared))| {
                        dispatch(Search {
                            projection,
                            centres,
                            patches,
                            width,
                            scratch,
                            indices,
                            squared,
                            count,
                        });
                    },
                );
            Ok(())
        })
    })?;
    Ok(Neighbours {
        indices: Tensor::from_vec(indices, (patch_count, count), &Device::Cpu)?,
        squared: Tensor::from_vec(squared, (patch_count, count), &Device::Cpu)?,
    })
}

/// The same on any device with plain tensor operations: distances from one matrix product, `count` masked minima, and the
/// chosen distances again by direct differences. Order among nearly equal distances may differ by rounding.
pub fn nearest_by_tensors(patches: &Tensor, centres: &Tensor, count: usize) -> Result<Neighbours> {
    let (centre_count, _) = centres.dims2()?;
    let count = count.min(centre_count);
    let norms = centres.sqr()?.sum_keepdim(1)?.t()?; // (1, N)
    // The patch's own norm is the same for all centres and does not change the order.
    let mut distances = patches
        .matmul(&centres.t()?)?
        .affine(-2.0, 0.0)?
        .broadcast_add(&norms)?; // (T, N)
    let columns = Tensor::arange(0, centre_count as u32, patches.device())?.unsqueeze(0)?;
    let infinite = Tensor::full(f32::INFINITY, distances.shape(), patches.device())?;
    let mut indices = Vec::with_capacity(count);
    for _ in 0..count {
        let lowest = distances.argmin_keepdim(1)?; // (T, 1)
        distances = columns
            .broadcast_eq(&lowest)?
            .where_cond(&infinite, &distances)?;
        indices.push(lowest);
    }
    let indices = Tensor::cat(&indices, 1)?; // (T, count)
    let squared = (0..count)
        .map(|k| {
            let chosen =
                centres.index_select(&indices.narrow(1, k, 1)?.flatten_all()?.contiguous()?, 0)?;
            (patches - chosen)?.sqr()?.sum_keepdim(1)
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Neighbours {
        indices,
        squared: Tensor::cat(&squared, 1)?,
    })
}

struct AddDifference<'a> {
    patch: &'a [f32],
    centres: &'a [f32],
    indices: &'a [u32],
    coefficients: &'a [f32],
    sum: &'a mut [f32],
}

impl Kernel for AddDifference<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let width = self.patch.len();
        for (&index, &coefficient) in self.indices.iter().zip(self.coefficients) {
            if coefficient == 0.0 {
                continue;
            }
            let centre = &self.centres[index as usize * width..][..width];
            for ((sum, patch), centre) in self.sum.iter_mut().zip(self.patch).zip(centre) {
                *sum = multiply_add::<FUSED>(coefficient, patch - centre, *sum);
            }
        }
    }
}

fn weighted_differences(
    patches: &Tensor,
    centres: &Tensor,
    indices: &Tensor,
    coefficients: &Tensor,
) -> Result<Tensor> {
    let (patch_count, width) = patches.dims2()?;
    let (_, count) = indices.dims2()?;
    let mut sums = vec![0.0_f32; patch_count * width];
    with_values(patches, |patches| {
        with_values(centres, |centres| {
            with_indices(indices, |indices| {
                with_values(coefficients, |coefficients| {
                    sums.par_chunks_mut(width)
                        .with_min_len(LANES)
                        .enumerate()
                        .for_each(|(t, sum)| {
                            dispatch(AddDifference {
                                patch: &patches[t * width..][..width],
                                centres,
                                indices: &indices[t * count..][..count],
                                coefficients: &coefficients[t * count..][..count],
                                sum,
                            });
                        });
                    Ok(())
                })
            })
        })
    })?;
    Tensor::from_vec(sums, (patch_count, width), &Device::Cpu)
}

/// The same on any device with plain tensor operations.
pub fn weighted_differences_by_tensors(
    patches: &Tensor,
    centres: &Tensor,
    indices: &Tensor,
    coefficients: &Tensor,
) -> Result<Tensor> {
    let mut sum = Tensor::zeros(patches.shape(), DType::F32, patches.device())?;
    for k in 0..indices.dim(1)? {
        let chosen =
            centres.index_select(&indices.narrow(1, k, 1)?.flatten_all()?.contiguous()?, 0)?;
        sum = (sum + (patches - chosen)?.broadcast_mul(&coefficients.narrow(1, k, 1)?)?)?;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::{
        CentreIndex, Neighbours, nearest_by_brute_force, nearest_by_tensors,
        weighted_differences_by_tensors,
    };
    use candle_core::{Device, Tensor};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Values whose spread falls from coordinate to coordinate, as in a bank of real features.
    fn cloud(count: usize, width: usize, seed: u64) -> Vec<f32> {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        (0..count * width)
            .map(|i| {
                generator.random_range(-1.0_f32..1.0) * 0.93_f32.powi((i % width) as i32) + 0.3
            })
            .collect()
    }

    fn tensor(values: Vec<f32>, width: usize) -> Tensor {
        let rows = values.len() / width;
        Tensor::from_vec(values, (rows, width), &Device::Cpu).unwrap()
    }

    fn assert_same(a: &Neighbours, b: &Neighbours) {
        assert_eq!(
            a.indices.to_vec2::<u32>().unwrap(),
            b.indices.to_vec2::<u32>().unwrap()
        );
        assert_eq!(
            a.squared.to_vec2::<f32>().unwrap(),
            b.squared.to_vec2::<f32>().unwrap()
        );
    }

    #[test]
    fn the_worked_example_has_the_sorted_distances() {
        let centres = tensor(
            vec![0., 0., 1., 0., 0., 1., 1., 1., 2., 0., 0., 2., 2., 2.],
            2,
        );
        let patches = tensor(vec![0.2, 0.1, 1.5, 1.5], 2);
        let found = CentreIndex::new(&centres)
            .unwrap()
            .nearest(&patches, 6)
            .unwrap()
            .squared
            .to_vec2::<f32>()
            .unwrap();
        let expected = [
            [0.05, 0.65, 0.85, 1.45, 3.25, 3.65],
            [0.5, 0.5, 2.5, 2.5, 2.5, 2.5],
        ];
        for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert!((found - expected).abs() < 1e-5);
        }
    }

    #[test]
    fn pruning_changes_nothing_for_near_far_and_duplicate_patches() {
        let width = 160;
        let mut bank = cloud(500, width, 1);
        // Duplicates: ties must come out in the same order.
        bank.extend_from_within(0..40 * width);
        let mut patches: Vec<f32> = bank
            .iter()
            .zip(cloud(540, width, 2))
            .map(|(c, noise)| c + 0.1 * noise)
            .collect();
        patches.truncate(101 * width);
        patches.extend_from_slice(&bank[..7 * width]);
        patches.extend(cloud(5, width, 3).iter().map(|v| 50.0 * v));
        let (bank, patches) = (tensor(bank, width), tensor(patches, width));
        let index = CentreIndex::new(&bank).unwrap();
        assert!(index.projection.is_some());
        for count in [1, 3, 6, 12] {
            assert_same(
                &index.nearest(&patches, count).unwrap(),
                &nearest_by_brute_force(&patches, &bank, count).unwrap(),
            );
        }
    }

    #[test]
    fn pruning_changes_nothing_when_all_centres_lie_in_a_few_directions_or_coincide() {
        let width = 130;
        for distinct in [1, 3, 200] {
            let bank: Vec<f32> = (0..200)
                .flat_map(|n| {
                    (0..width).map(move |d| {
                        if d < 5 {
                            ((n % distinct) * (d + 1)) as f32
                        } else {
                            7.0
                        }
                    })
                })
                .collect();
            let patches: Vec<f32> = bank[..40 * width]
                .iter()
                .enumerate()
                .map(|(i, v)| v + (i as f32).sin())
                .collect();
            let (bank, patches) = (tensor(bank, width), tensor(patches, width));
            let index = CentreIndex::new(&bank).unwrap();
            assert!(index.projection.is_some());
            assert_same(
                &index.nearest(&patches, 6).unwrap(),
                &nearest_by_brute_force(&patches, &bank, 6).unwrap(),
            );
        }
    }

    #[test]
    fn a_bank_smaller_than_asked_for_gives_what_it_has() {
        let centres = tensor(vec![0.0, 0.0, 3.0, 4.0], 2);
        let found = CentreIndex::new(&centres)
            .unwrap()
            .nearest(&tensor(vec![3.0, 4.0], 2), 6)
            .unwrap();
        assert_eq!(found.indices.to_vec2::<u32>().unwrap(), [[1, 0]]);
        assert_eq!(found.squared.to_vec2::<f32>().unwrap(), [[0.0, 25.0]]);
    }

    #[test]
    fn values_that_are_not_numbers_end_in_valid_centres_at_infinite_distance() {
        let width = 160;
        let bank = tensor(cloud(300, width, 4), width);
        let index = CentreIndex::new(&bank).unwrap();
        let patches = tensor(vec![f32::NAN; width], width);
        let found = index.nearest(&patches, 3).unwrap();
        assert_eq!(found.indices.to_vec2::<u32>().unwrap(), [[0, 1, 2]]);
        assert!(
            found.squared.to_vec2::<f32>().unwrap()[0]
                .iter()
                .all(|d| d.is_infinite())
        );
    }

    #[test]
    fn a_patch_is_answered_alike_alone_and_among_others() {
        let width = 160;
        let bank = tensor(cloud(300, width, 5), width);
        let patches = tensor(cloud(61, width, 6), width);
        let index = CentreIndex::new(&bank).unwrap();
        let together = index.nearest(&patches, 4).unwrap();
        let alone = index
            .nearest(&patches.narrow(0, 47, 1).unwrap(), 4)
            .unwrap();
        assert_eq!(
            together
                .squared
                .narrow(0, 47, 1)
                .unwrap()
                .to_vec2::<f32>()
                .unwrap(),
            alone.squared.to_vec2::<f32>().unwrap()
        );
    }

    #[test]
    fn plain_tensor_operations_agree_with_the_kernels() {
        let width = 160;
        let bank = tensor(cloud(300, width, 7), width);
        let patches = tensor(cloud(20, width, 8), width);
        let index = CentreIndex::new(&bank).unwrap();
        let quick = index.nearest(&patches, 6).unwrap();
        let plain = nearest_by_tensors(&patches, &bank, 6).unwrap();
        assert_eq!(
            quick.indices.to_vec2::<u32>().unwrap(),
            plain.indices.to_vec2::<u32>().unwrap()
        );
        let largest = |a: &Tensor, b: &Tensor| {
            (a - b)
                .unwrap()
                .abs()
                .unwrap()
                .max_all()
                .unwrap()
                .to_scalar::<f32>()
                .unwrap()
        };
        assert!(largest(&quick.squared, &plain.squared) < 1e-4);

        let coefficients = tensor(cloud(20, 6, 9), 6);
        let quick_sum = index
            .weighted_differences(&patches, &quick.indices, &coefficients)
            .unwrap();
        let plain_sum =
            weighted_differences_by_tensors(&patches, &bank, &quick.indices, &coefficients)
                .unwrap();
        assert!(largest(&quick_sum, &plain_sum) < 1e-4);
    }

    #[test]
    fn an_empty_bank_and_patches_of_another_width_are_refused() {
        let empty = Tensor::zeros((0, 4), candle_core::DType::F32, &Device::Cpu).unwrap();
        assert!(CentreIndex::new(&empty).is_err());
        let index = CentreIndex::new(&tensor(vec![0.0; 8], 4)).unwrap();
        assert!(index.nearest(&tensor(vec![0.0; 6], 3), 1).is_err());
    }
}
