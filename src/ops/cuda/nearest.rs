//! The exact search for nearest centres on a GPU: bounds first, distances of what they leave.

use candle_core::cuda_backend::CudaDevice;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView};
use candle_core::{Result, Tensor, bail};

use super::{NEAREST, int, launch, room, tensor, threads_for, with_numbers};
use crate::ops::nearest::Neighbours;
use crate::ops::pruned::{DIRECTIONS, Directions};

/// Numbers of a sketch, as in the kernels.
const SKETCH: usize = 36;
const HALF_NORM: usize = 33;

/// Rows that a block of the kernel `sketch` takes, with its threads.
const SKETCH_ROWS: usize = 32;
const SKETCH_THREADS: usize = 256;

/// Threads of a block: one a patch where bounds are computed, a warp a patch where distances are.
const THREADS: usize = 128;
const WARP: usize = 32;

/// Blocks that keep a large GPU busy. Fewer patches than that fills share the centres among more blocks.
const BUSY: usize = 264;
const MOST_SHARES: usize = 8;

/// Centres that a patch's bounds may leave before all are looked at.
const ROOM: usize = 64;

/// How the centres look from a few directions, on the GPU.
#[derive(Debug, Clone)]
pub(in crate::ops) struct Sketches {
    mean: Tensor,
    /// `(32, D)`.
    directions: Tensor,
    /// `(N, 36)`.
    centres: Tensor,
    largest_half_norm: f32,
    slack: f32,
}

impl Sketches {
    /// Of `centres` (N, D) on a GPU, in `directions` that were found on the CPU.
    pub(in crate::ops) fn new(centres: &Tensor, directions: Directions) -> Result<Self> {
        let (_, width) = centres.dims2()?;
        let slack = directions.slack();
        let device = centres.device();
        let mean = Tensor::from_vec(directions.mean, width, device)?;
        let rows: Vec<f32> = directions.rows.concat();
        let directions = Tensor::from_vec(rows, (DIRECTIONS, width), device)?;
        let centres = sketch(centres, &mean, &directions)?;
        let half_norms = centres.narrow(1, HALF_NORM, 1)?.flatten_all()?;
        let half_norms = half_norms.to_vec1::<f32>()?;
        Ok(Self {
            mean,
            directions,
            centres,
            largest_half_norm: half_norms.into_iter().fold(0.0, f32::max),
            slack,
        })
    }
}

fn sketch(rows: &Tensor, mean: &Tensor, directions: &Tensor) -> Result<Tensor> {
    let (count, width) = rows.dims2()?;
    with_numbers::<f32, _>(rows, |rows, device| {
        with_numbers::<f32, _>(mean, |mean, _| {
            with_numbers::<f32, _>(directions, |directions, _| {
                let mut sketches = room::<f32>(device, count * SKETCH)?;
                let function = NEAREST.load(device, "sketch")?;
                launch!(
                    function,
                    (count.div_ceil(SKETCH_ROWS), 1),
                    SKETCH_THREADS,
                    rows,
                    mean,
                    directions,
                    &mut sketches,
                    &int(count)?,
                    &int(width)?,
                );
                Ok(tensor(sketches, device, (count, SKETCH)))
            })
        })
    })
}

/// The `count` nearest of `centres` (N, D) for each of `patches` (T, D), nearest first, the earlier one among equals; `None`
/// where the kernels have no room for so many.
pub(in crate::ops) fn nearest(
    patches: &Tensor,
    centres: &Tensor,
    sketches: Option<&Sketches>,
    count: usize,
) -> Result<Option<Neighbours>> {
    let (patch_count, width) = patches.dims2()?;
    let (centre_count, centre_width) = centres.dims2()?;
    if width != centre_width {
        bail!("patches have {width} values, centres {centre_width}");
    }
    let Some(places) = [4, 8, 16, 32].into_iter().find(|&places| count <= places) else {
        return Ok(None);
    };
    let search = Search {
        patch_count,
        centre_count,
        width,
        wanted: count.min(centre_count),
        places,
    };
    if patch_count == 0 || search.wanted == 0 {
        return Ok(None);
    }
    let own = sketches
        .map(|sketches| sketch(patches, &sketches.mean, &sketches.directions))
        .transpose()?;
    with_numbers::<f32, _>(patches, |patches, device| {
        with_numbers::<f32, _>(centres, |centres, _| {
            let survivors = match (sketches, &own) {
                (Some(sketches), Some(own)) => {
                    with_numbers::<f32, _>(own, |own, _| {
                        with_numbers::<f32, _>(&sketches.centres, |bounds, _| {
                            search.survivors(patches, centres, (own, bounds), sketches, device)
                        })
                    })?
                }
                _ => Survivors::all(device)?,
            };
            search.nearest(patches, centres, &survivors, device)
        })
    })
    .map(Some)
}

/// The centres that the bounds leave.
struct Survivors {
    /// `(T, room)`; as many count as `found` says.
    list: CudaSlice<u32>,
    found: CudaSlice<u32>,
    /// 0: no list was made.
    room: usize,
}

impl Survivors {
    fn all(device: &CudaDevice) -> Result<Self> {
        Ok(Self {
            list: device.alloc_zeros(1)?,
            found: device.alloc_zeros(1)?,
            room: 0,
        })
    }
}

struct Search {
    patch_count: usize,
    centre_count: usize,
    width: usize,
    wanted: usize,
    /// Places for the nearest in a thread's registers.
    places: usize,
}

impl Search {
    fn survivors(
        &self,
        patches: &CudaView<f32>,
        centres: &CudaView<f32>,
        (own, bounds): (&CudaView<f32>, &CudaView<f32>),
        sketches: &Sketches,
        device: &CudaDevice,
    ) -> Result<Survivors> {
        let (count, places) = (self.patch_count, self.places);
        let blocks = count.div_ceil(THREADS);
        let shares = BUSY.div_ceil(blocks).min(MOST_SHARES);
        let (patch_count, centre_count) = (int(count)?, int(self.centre_count)?);
        let mut least = room::<f32>(device, shares * count * places)?;
        let mut seeds = room::<u32>(device, shares * count * places)?;
        let function = NEAREST.load(device, &format!("seeds_{places}"))?;
        launch!(
            function,
            (blocks, shares),
            THREADS,
            own,
            bounds,
            &mut least,
            &mut seeds,
            &patch_count,
            &centre_count,
        );
        let mut limits = room::<f32>(device, count)?;
        let function = NEAREST.load(device, &format!("limits_{places}"))?;
        launch!(
            function,
            (count.div_ceil(THREADS / WARP), 1),
            THREADS,
            patches,
            centres,
            own,
            &least,
            &seeds,
            &mut limits,
            &patch_count,
            &int(self.width)?,
            &int(self.wanted)?,
            &int(shares)?,
            &sketches.slack,
            &sketches.largest_half_norm,
        );
        let mut list = room::<u32>(device, count * ROOM)?;
        let mut found = device.alloc_zeros::<u32>(count)?;
        let function = NEAREST.load(device, "survivors")?;
        launch!(
            function,
            (blocks, shares),
            THREADS,
            own,
            bounds,
            &limits,
            &mut list,
            &mut found,
            &patch_count,
            &centre_count,
            &int(ROOM)?,
        );
        Ok(Survivors {
            list,
            found,
            room: ROOM,
        })
    }

    fn nearest(
        &self,
        patches: &CudaView<f32>,
        centres: &CudaView<f32>,
        survivors: &Survivors,
        device: &CudaDevice,
    ) -> Result<Neighbours> {
        let (count, wanted) = (self.patch_count, self.wanted);
        let mut indices = room::<u32>(device, count * wanted)?;
        let mut squared = room::<f32>(device, count * wanted)?;
        let function = NEAREST.load(device, &format!("nearest_{}", self.places))?;
        launch!(
            function,
            (count.div_ceil(THREADS / WARP), 1),
            THREADS,
            patches,
            centres,
            &survivors.list,
            &survivors.found,
            &mut indices,
            &mut squared,
            &int(count)?,
            &int(self.centre_count)?,
            &int(self.width)?,
            &int(wanted)?,
            &int(survivors.room)?,
        );
        Ok(Neighbours {
            indices: tensor(indices, device, (count, wanted)),
            squared: tensor(squared, device, (count, wanted)),
        })
    }
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
    if rows != patch_count
        || coefficients.dims2()? != (rows, count)
        || centres.dims2()?.1 != width
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
