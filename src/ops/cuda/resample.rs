//! Upsampling of grids of embeddings on a GPU, and its adjoint.

use candle_core::{Result, Tensor, bail};

use super::{RESAMPLE, int, launch, room, tensor, threads_for, with_numbers};

/// As many fine samples per coarse one as the kernel of the adjoint has room for.
const LARGEST_RATIO: usize = 64;

/// `base` `(B, H, W, D)` plus every grid of `coarse` `(B, h, w, D)`, upsampled to it.
pub(in crate::ops) fn add_upsampled(base: &Tensor, coarse: &[Tensor]) -> Result<Tensor> {
    let (batch, height, width, depth) = base.dims4()?;
    let mut sum = with_numbers::<f32, _>(base, |base, device| {
        let mut sum = room::<f32>(device, base.len())?;
        device.memcpy_dtod(base, &mut sum)?;
        Ok(sum)
    })?;
    let device = base.device().as_cuda_device()?;
    for grid in coarse {
        let (grid_batch, h, w, grid_depth) = grid.dims4()?;
        if grid_batch != batch || grid_depth != depth || h * w == 0 {
            bail!(
                "a grid {:?} cannot be added to {:?}",
                grid.dims(),
                base.dims()
            );
        }
        if sum.is_empty() {
            continue;
        }
        with_numbers::<f32, _>(grid, |grid, device| {
            let function = RESAMPLE.load(device, "add_upsampled")?;
            launch!(
                function,
                (batch * height * width, 1),
                threads_for(depth),
                &mut sum,
                grid,
                &int(height)?,
                &int(width)?,
                &int(h)?,
                &int(w)?,
                &int(depth)?,
            );
            Ok(())
        })?;
    }
    Ok(tensor(sum, device, base.shape()))
}

/// Spreads gradients `(B, H, W, D)` back to the `(B, h, w, D)` samples they came from; `None` for a ratio the kernel was not
/// made for.
pub(in crate::ops) fn gather_upsampled(
    gradient: &Tensor,
    h: usize,
    w: usize,
) -> Result<Option<Tensor>> {
    let (batch, height, width, depth) = gradient.dims4()?;
    if h * w == 0 || height > LARGEST_RATIO * h || width > LARGEST_RATIO * w {
        return Ok(None);
    }
    with_numbers::<f32, _>(gradient, |gradient, device| {
        let mut coarse = room::<f32>(device, batch * h * w * depth)?;
        if !coarse.is_empty() {
            let function = RESAMPLE.load(device, "gather_upsampled")?;
            launch!(
                function,
                (batch * h * w, 1),
                threads_for(depth),
                gradient,
                &mut coarse,
                &int(height)?,
                &int(width)?,
                &int(h)?,
                &int(w)?,
                &int(depth)?,
            );
        }
        Ok(Some(tensor(coarse, device, (batch, h, w, depth))))
    })
}
