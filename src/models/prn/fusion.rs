//! Multi-scale fusion: every scale takes in what the other two know.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::layers::{After, Builder, Layer, Pass, Shape};
use crate::ops::trained::upsample;

/// Exchange between three scales, each half as fine as the one before, in the manner of high-resolution networks:
///
/// ```text
/// O1 = X1 + U21(X2) + U31(X3)      U: 1x1 convolution, then bilinear upsampling with aligned corners
/// O2 = X2 + D12(X1) + U32(X3)      D: 3x3 with stride 2 or 5x5 with stride 4, each channel by itself
/// O3 = X3 + D13(X1) + D23(X2)
/// ```
pub struct Fusion {
    up21: Arc<Layer>,
    up31: Arc<Layer>,
    up32: Arc<Layer>,
    down12: Arc<Layer>,
    down13: Arc<Layer>,
    down23: Arc<Layer>,
}

impl Fusion {
    /// For scales of `channels`, finest first, each a multiple of the one before.
    pub fn new(name: &str, channels: [usize; 3], builder: &mut Builder) -> Result<Self> {
        let [c1, c2, c3] = channels;
        let mut up = |part: &str, from: usize, to: usize| {
            builder.conv(&format!("{name}.{part}"), Shape::dense(from, to, 1))
        };
        let (up21, up31, up32) = (
            up("up21", c2, c1)?,
            up("up31", c3, c1)?,
            up("up32", c3, c2)?,
        );
        let mut down = |part: &str, from: usize, to: usize, kernel: usize, stride: usize| {
            let shape = Shape {
                input: from,
                output: to,
                kernel,
                stride,
                groups: from,
            };
            builder.conv(&format!("{name}.{part}"), shape)
        };
        Ok(Self {
            up21,
            up31,
            up32,
            down12: down("down12", c1, c2, 3, 2)?,
            down13: down("down13", c1, c3, 5, 4)?,
            down23: down("down23", c2, c3, 3, 2)?,
        })
    }

    /// `(B, C, h, w)` of three scales to the same.
    pub fn forward(&self, scales: &[Tensor; 3], pass: &mut Pass) -> Result<[Tensor; 3]> {
        let [x1, x2, x3] = scales;
        let mut run = |layer: &Layer, x: &Tensor| layer.forward(x, After::Nothing, pass);
        let up = |x: Tensor, like: &Tensor| {
            let (_, _, height, width) = like.dims4()?;
            upsample(&x, height, width)
        };
        let o1 = (x1 + up(run(&self.up21, x2)?, x1)?)?;
        let o1 = (o1 + up(run(&self.up31, x3)?, x1)?)?;
        let o2 = (x2 + run(&self.down12, x1)?)?;
        let o2 = (o2 + up(run(&self.up32, x3)?, x2)?)?;
        let o3 = ((x3 + run(&self.down13, x1)?)? + run(&self.down23, x2)?)?;
        Ok([o1, o2, o3])
    }
}
