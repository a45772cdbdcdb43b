//! The exact search for nearest centres on a GPU: a quick matrix product tells which centres can be among them, and their
//! distances are computed from differences.

use candle_core::cuda_backend::CudaDevice;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView};
use candle_core::{D, DType, Result, Tensor, bail};

use super::product::{Order, Precision, Product};
use super::{NEAREST, int, launch, room, tensor, threads_for, with_numbers};
use crate::ops::nearest::Neighbours;

/// As in the kernels.
const THREADS: usize = 128;
const WARP: usize = 32;

/// Numbers of a matrix of products of patches and centres, at most: 64 MB.
const PRODUCTS: usize = 16 << 20;

/// What the search needs to know of the centres.
#[derive(Debug, Clone)]
pub(in crate::ops) struct Centred {
    mean: Tensor,
    /// `(N, D)`, less the mean.
    centres: Tensor,
    /// `(N,)`: half the squared norms of those.
    half_norms: Tensor,
    largest_half_norm: f32,
}

impl Centred {
    /// Of `centres` (N, D) on a GPU.
    pub(in crate::ops) fn new(centres: &Tensor) -> Result<Self> {
        let (count, width) = centres.dims2()?;
        let mean = centres.to_dtype(DType::F64)?.mean(0)?;
        let mean = mean.to_dtype(DType::F32)?;
        let (centred, half_norms) = with_numbers::<f32, _>(centres, |centres, device| {
            let (centred, half_norms) = centre(centres, &mean, (count, width), device)?;
            Ok((
                tensor(centred, device, (count, width)),
                tensor(half_norms, device, count),
            ))
        })?;
        let largest_half_norm = half_norms.max(D::Minus1)?.to_scalar::<f32>()?;
        Ok(Self {
            mean,
            centres: centred,
            half_norms,
            largest_half_norm,
        })
    }
}

/// Rows less the mean, and half their squared norms.
fn centre(
    rows: &CudaView<f32>,
    mean: &Tensor,
    (count, width): (usize, usize),
    device: &CudaDevice,
) -> Result<(CudaSlice<f32>, CudaSlice<f32>)> {
    let mut centred = room::<f32>(device, count * width)?;
    let mut half_norms = room::<f32>(device, count)?;
    with_numbers::<f32, _>(mean, |mean, _| {
        let function = NEAREST.load(device, "centre")?;
        launch!(
            function,
            (count.div_ceil(THREADS / WARP), 1),
            THREADS,
            rows,
            mean,
            &mut centred,
            &mut half_norms,
            &int(count)?,
            &int(width)?,
        );
        Ok(())
    })?;
    Ok((centred, half_norms))
}

/// The `count` nearest of `centres` (N, D) for each of `patches` (T, D), nearest first, the earlier one among equals; `None`
/// where the kernel was not made for so many.
pub(in crate::ops) fn nearest(
    patches: &Tensor,
    centres: &Tensor,
    centred: &Centred,
    count: usize,
) -> Result<Option<Neighbours>> {
    let (patch_count, width) = patches.dims2()?;
    let (centre_count, centre_width) = centres.dims2()?;
    if width != centre_width {
        bail!("patches have {width} values, centres {centre_width}");
    }
    let wanted = count.min(centre_count);
    if patch_count == 0 || wanted == 0 || wanted > THREADS {
        return Ok(None);
    }
    let search = Search {
        centre_count,
        width,
        wanted,
        centred,
    };
    with_numbers::<f32, _>(patches, |patches, device| {
        with_numbers::<f32, _>(centres, |centres, _| {
            let mut indices = room::<u32>(device, patch_count * wanted)?;
            let mut squared = room::<f32>(device, patch_count * wanted)?;
            let at_once = (PRODUCTS / centre_count).clamp(1, patch_count);
            for start in (0..patch_count).step_by(at_once) {
                let end = patch_count.min(start + at_once);
                let found = (
                    &mut indices.slice_mut(start * wanted..end * wanted),
                    &mut squared.slice_mut(start * wanted..end * wanted),
                );
                let part = patches.slice(start * width..end * width);
                search.run(&part, centres, end - start, found, device)?;
            }
            Ok(Some(Neighbours {
                indices: tensor(indices, device, (patch_count, wanted)),
                squared: tensor(squared, device, (patch_count, wanted)),
            }))
        })
    })
}

struct Search<'a> {
    centre_count: usize,
    width: usize,
    wanted: usize,
    centred: &'a Centred,
}

type Mut<'a, 'b, T> = &'a mut candle_core::cuda_backend::cudarc::driver::CudaViewMut<'b, T>;

impl Search<'_> {
    fn run(
        &self,
        patches: &CudaView<f32>,
        centres: &CudaView<f32>,
        count: usize,
        (indices, squared): (Mut<u32>, Mut<f32>),
        device: &CudaDevice,
    ) -> Result<()> {
        let size = (count, self.width);
        let (centred, patch_half_norms) = centre(patches, &self.centred.mean, size, device)?;
        let mut products = room::<f32>(device, count * self.centre_count)?;
        with_numbers::<f32, _>(&self.centred.centres, |centred_centres, _| {
            Product {
                a: (Order::AsIs, self.width),
                b: (Order::Turned, self.width),
                c: self.centre_count,
                sizes: [count, self.centre_count, self.width],
                beta: 0.0,
                precision: Precision::Tf32,
            }
            .run(device, &centred, centred_centres, &mut products)
        })?;
        with_numbers::<f32, _>(&self.centred.half_norms, |half_norms, _| {
            let function = NEAREST.load(device, "nearest")?;
            launch!(
                function,
                (count, 1),
                THREADS,
                patches,
                centres,
                &mut products,
                &patch_half_norms,
                half_norms,
                indices,
                squared,
                &int(self.centre_count)?,
                &int(self.width)?,
                &int(self.wanted)?,
                &product_error(self.width),
                &self.centred.largest_half_norm,
            );
            Ok(())
        })
    }
}

/// How far a product of two rows may be off, in units of the product of their norms: both factors may lose all but 10 bits
/// behind the first, and every addition may round.
fn product_error(width: usize) -> f32 {
    2.0_f32.powi(-9) + width as f32 * 2.0_f32.powi(-22)
}

/// `sum_k coefficients[t][k] * (patches[t] - centres[indices[t][k]])`: (T, D).
pub(in crate::ops) fn weighted_differences(
    patches: &Tensor,
    centres: &Tensor,
    indices: &Tensor,
    coefficients: &Tensor,
) -> Result<Tensor> {
    let (patch_count, width) = patches.dims2()?;
    let (rows, count) = indices.dims2()?;
    if rows != patch_count || coefficients.dims2()? != (rows, count) || centres.dims2()?.1 != width
    {
        bail!("centres, indices or coefficients that do not fit the patches");
    }
    with_numbers::<f32, _>(patches, |patches, device| {
        with_numbers::<f32, _>(centres, |centres, _| {
            with_numbers::<u32, _>(indices, |indices, _| {
                with_numbers::<f32, _>(coefficients, |coefficients, _| {
                    let mut sums = room::<f32>(device, patch_count * width)?;
                    if !sums.is_empty() {
                        let function = NEAREST.load(device, "weighted_differences")?;
                        launch!(
                            function,
                            (patch_count, 1),
                            threads_for(width),
                            patches,
                            centres,
                            indices,
                            coefficients,
                            &mut sums,
                            &int(width)?,
                            &int(count)?,
                        );
                    }
                    Ok(tensor(sums, device, (patch_count, width)))
                })
            })
        })
    })
}
