//! The poolings of `ops::pool` on a GPU.

use candle_core::{Result, Tensor};

use super::{LAYERS, int, launch, room, tensor, threads_for, with_numbers};

/// `(B, C, H, W)` to the same shape.
pub(in crate::ops) fn average_3x3(pixels: &Tensor) -> Result<Tensor> {
    let (_, _, height, width) = pixels.dims4()?;
    pool(pixels, "average_3x3", (height, width))
}

/// `(B, C, H, W)` to `(B, C, ceil(H / 2), ceil(W / 2))`.
pub(in crate::ops) fn max_3x3_stride_2(pixels: &Tensor) -> Result<Tensor> {
    let (_, _, height, width) = pixels.dims4()?;
    pool(
        pixels,
        "max_3x3_stride_2",
        (height.div_ceil(2), width.div_ceil(2)),
    )
}

fn pool(pixels: &Tensor, kernel: &str, (out_height, out_width): (usize, usize)) -> Result<Tensor> {
    let (batch, channels, height, width) = pixels.dims4()?;
    let planes = batch * channels;
    with_numbers::<f32, _>(pixels, |numbers, device| {
        let mut output = room::<f32>(device, planes * out_height * out_width)?;
        if planes * height * width > 0 {
            let function = LAYERS.load(device, kernel)?;
            launch!(
                function,
                (planes, 1),
                threads_for(out_height * out_width),
                numbers,
                &mut output,
                &int(height)?,
                &int(width)?,
            );
        }
        let shape = (batch, channels, out_height, out_width);
        Ok(tensor(output, device, shape))
    })
}
