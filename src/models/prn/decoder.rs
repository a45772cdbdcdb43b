//! From fused features to a defect's logit for every input pixel, coarse to fine.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::layers::{After, Builder, Layer, Pass, Shape};
use crate::ops::trained::upsample;

/// ```text
/// G3 = up2(F4) 3x3    H3 = [M3, G3] 3x3 3x3      M: fused features, F4: the backbone's deepest tap
/// G2 = up2(H3) 3x3    H2 = [M2, G2] 3x3 3x3      every 3x3 with batch norm and ReLU
/// G1 = up2(H2) 3x3    H1 = [M1, G1] 3x3 3x3
/// logits = up4(H1) 3x3, 3x3 without
/// ```
pub struct Decoder {
    /// Coarsest first.
    stages: [Stage; 3],
    last: Arc<Layer>,
    logits: Arc<Layer>,
}

struct Stage {
    up: Arc<Layer>,
    join: Arc<Layer>,
    settle: Arc<Layer>,
}

impl Stage {
    /// From `coarse` channels below and `fused` beside to `wide`.
    fn new(name: &str, [coarse, fused, wide]: [usize; 3], builder: &mut Builder) -> Result<Self> {
        let mut layer = |part: &str, from: usize, to: usize| {
            let name = format!("{name}.{part}");
            builder.conv_norm(&name, &format!("{name}.norm"), Shape::dense(from, to, 3))
        };
        Ok(Self {
            up: layer("up", coarse, wide)?,
            join: layer("join", fused + wide, wide)?,
            settle: layer("settle", wide, wide)?,
        })
    }

    fn forward(&self, coarse: &Tensor, fused: &Tensor, pass: &mut Pass) -> Result<Tensor> {
        let (_, _, height, width) = fused.dims4()?;
        let up = upsample(coarse, height, width)?;
        let up = self.up.forward(&up, After::Relu, pass)?;
        let joined = Tensor::cat(&[fused, &up], 1)?;
        let joined = self.join.forward(&joined, After::Relu, pass)?;
        self.settle.forward(&joined, After::Relu, pass)
    }
}

impl Decoder {
    /// `widths`: half the channels of the three fused scales, finest first; `deepest`: those of the deepest tap.
    pub fn new(
        name: &str,
        [w1, w2, w3]: [usize; 3],
        deepest: usize,
        builder: &mut Builder,
    ) -> Result<Self> {
        let named = |part: &str| format!("{name}.{part}");
        let stages = [
            Stage::new(&named("stage3"), [deepest, 2 * w3, w3], builder)?,
            Stage::new(&named("stage2"), [w3, 2 * w2, w2], builder)?,
            Stage::new(&named("stage1"), [w2, 2 * w1, w1], builder)?,
        ];
        let (last, norm) = (named("last"), named("last.norm"));
        Ok(Self {
            stages,
            last: builder.conv_norm(&last, &norm, Shape::dense(w1, w1, 3))?,
            logits: builder.conv(&named("logits"), Shape::dense(w1, 1, 3))?,
        })
    }

    /// Logits `(B, 1, H, W)` for an input of `(height, width)` pixels.
    pub fn forward(
        &self,
        fused: &[Tensor; 3],
        deepest: &Tensor,
        (height, width): (usize, usize),
        pass: &mut Pass,
    ) -> Result<Tensor> {
        let mut trunk = deepest.clone();
        for (stage, fused) in self.stages.iter().zip(fused.iter().rev()) {
            trunk = stage.forward(&trunk, fused, pass)?;
        }
        let trunk = upsample(&trunk, height, width)?;
        let trunk = self.last.forward(&trunk, After::Relu, pass)?;
        self.logits.forward(&trunk, After::Nothing, pass)
    }
}
