//! Stand-in.
use super::resample::{Alignment, interpolation_matrix};
use candle_core::{D, Result, Tensor};
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub stride: usize,
    pub padding: usize,
    pub groups: usize,
}
pub fn conv2d(pixels: &Tensor, weight: &Tensor, bias: &Tensor, w: Window) -> Result<Tensor> {
    pixels
        .conv2d(weight, w.padding, w.stride, 1, w.groups)?
        .broadcast_add(&bias.reshape((1, (), 1, 1))?)
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterNorm {
    Nothing,
    Relu,
}
pub struct BatchStatistics {
    pub mean: Tensor,
    pub variance: Tensor,
    pub count: usize,
}
pub fn batch_norm(
    pixels: &Tensor,
    gain: &Tensor,
    shift: &Tensor,
    epsilon: f64,
    after: AfterNorm,
) -> Result<(Tensor, BatchStatistics)> {
    let (b, c, h, w) = pixels.dims4()?;
    let mean = pixels.mean((0, 2, 3))?;
    let centred = pixels.broadcast_sub(&mean.reshape((1, c, 1, 1))?)?;
    let variance = centred.sqr()?.mean((0, 2, 3))?;
    let factor = (gain / (&variance + epsilon)?.sqrt()?)?;
    let out = centred
        .broadcast_mul(&factor.reshape((1, c, 1, 1))?)?
        .broadcast_add(&shift.reshape((1, c, 1, 1))?)?;
    let out = if after == AfterNorm::Relu {
        out.relu()?
    } else {
        out
    };
    let _ = D::Minus1;
    Ok((
        out,
        BatchStatistics {
            mean: mean.detach(),
            variance: variance.detach(),
            count: b * h * w,
        },
    ))
}
pub fn upsample(pixels: &Tensor, height: usize, width: usize) -> Result<Tensor> {
    let (b, c, h, w) = pixels.dims4()?;
    let rows =
        interpolation_matrix(h, height, Alignment::Centres, pixels.device())?.unsqueeze(0)?;
    let columns = interpolation_matrix(w, width, Alignment::Centres, pixels.device())?
        .t()?
        .unsqueeze(0)?;
    rows.broadcast_matmul(
        &pixels
            .reshape((b * c, h, w))?
            .contiguous()?
            .broadcast_matmul(&columns)?,
    )?
    .reshape((b, c, height, width))
}
