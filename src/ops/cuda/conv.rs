//! What a convolution of a frozen network needs beside the sums themselves: padding, filters of single channels, and what
//! follows the sums, in one pass.

use candle_core::{Result, Tensor, bail};

use super::{LAYERS, int, launch, room, tensor, threads_for, with_numbers};
use crate::ops::conv::Activation;
use crate::ops::conv::geometry::Geometry;

/// `activation(sums + bias + residual)` of `(B, C, H, W)`, `bias` `(C,)`.
pub(in crate::ops) fn finish(
    sums: &Tensor,
    bias: &Tensor,
    residual: Option<&Tensor>,
    activation: Activation,
) -> Result<Tensor> {
    let (batch, channels, height, width) = sums.dims4()?;
    let plane = height * width;
    check_rest(bias, residual, channels, batch * channels * plane)?;
    // Where there is no residual nothing is read from what stands in its place.
    let added = residual.unwrap_or(sums);
    with_numbers::<f32, _>(sums, |sums, device| {
        with_numbers::<f32, _>(bias, |bias, _| {
            with_numbers::<f32, _>(added, |added, _| {
                let mut output = room::<f32>(device, batch * channels * plane)?;
                if batch * channels * plane > 0 {
                    let function = LAYERS.load(device, "finish")?;
                    launch!(
                        function,
                        (batch * channels, 1),
                        threads_for(plane.div_ceil(4)),
                        sums,
                        bias,
                        added,
                        &mut output,
                        &int(channels)?,
                        &int(plane)?,
                        &i32::from(residual.is_some()),
                        &code(activation),
                    );
                }
                Ok(tensor(output, device, (batch, channels, height, width)))
            })
        })
    })
}

/// A convolution of each channel with its own filter: `weight` `(C, 1, k, k)`, with all that follows.
pub(in crate::ops) fn depthwise(
    pixels: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    residual: Option<&Tensor>,
    geometry: &Geometry,
    activation: Activation,
) -> Result<Tensor> {
    let &Geometry {
        batch,
        channels,
        rows,
        columns,
        kernel,
        stride,
    } = geometry;
    let plane = rows.out * columns.out;
    check_rest(bias, residual, channels, batch * channels * plane)?;
    if weight.elem_count() != channels * kernel * kernel {
        bail!("filters {:?} for {channels} channels", weight.dims());
    }
    let added = residual.unwrap_or(pixels);
    with_numbers::<f32, _>(pixels, |pixels, device| {
        with_numbers::<f32, _>(weight, |weight, _| {
            with_numbers::<f32, _>(bias, |bias, _| {
                with_numbers::<f32, _>(added, |added, _| {
                    let mut output = room::<f32>(device, batch * channels * plane)?;
                    if batch * channels * plane > 0 {
                        let function = LAYERS.load(device, "depthwise")?;
                        launch!(
                            function,
                            (batch * channels, 1),
                            threads_for(plane),
                            pixels,
                            weight,
                            bias,
                            added,
                            &mut output,
                            &int(channels)?,
                            &int(rows.size)?,
                            &int(columns.size)?,
                            &int(rows.out)?,
                            &int(columns.out)?,
                            &int(kernel)?,
                            &int(stride)?,
                            &int(rows.before)?,
                            &int(columns.before)?,
                            &i32::from(rows.reflect),
                            &i32::from(residual.is_some()),
                            &code(activation),
                        );
                    }
                    let shape = (batch, channels, rows.out, columns.out);
                    Ok(tensor(output, device, shape))
                })
            })
        })
    })
}

/// The picture with the border that `geometry` puts around it.
pub(in crate::ops) fn pad(pixels: &Tensor, geometry: &Geometry) -> Result<Tensor> {
    let (batch, channels, height, width) = pixels.dims4()?;
    let (rows, columns) = (&geometry.rows, &geometry.columns);
    let out_height = rows.before + height + rows.after;
    let out_width = columns.before + width + columns.after;
    let planes = batch * channels;
    with_numbers::<f32, _>(pixels, |pixels, device| {
        let mut output = room::<f32>(device, planes * out_height * out_width)?;
        if planes * out_height * out_width > 0 {
            let function = LAYERS.load(device, "pad")?;
            launch!(
                function,
                (planes, 1),
                threads_for(out_height * out_width),
                pixels,
                &mut output,
                &int(height)?,
                &int(width)?,
                &int(out_height)?,
                &int(out_width)?,
                &int(rows.before)?,
                &int(columns.before)?,
                &i32::from(rows.reflect),
            );
        }
        Ok(tensor(
            output,
            device,
            (batch, channels, out_height, out_width),
        ))
    })
}

fn check_rest(
    bias: &Tensor,
    residual: Option<&Tensor>,
    channels: usize,
    count: usize,
) -> Result<()> {
    let fits = residual.is_none_or(|residual| residual.elem_count() == count);
    if bias.elem_count() != channels || !fits {
        bail!("a bias or residual that does not fit {channels} channels and {count} numbers");
    }
    Ok(())
}

/// As in the kernels.
fn code(activation: Activation) -> i32 {
    match activation {
        Activation::None => 0,
        Activation::Relu => 1,
        Activation::Relu6 => 2,
        Activation::HardSigmoid => 3,
        Activation::HardSwish => 4,
    }
}
