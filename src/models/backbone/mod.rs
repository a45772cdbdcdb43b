//! Frozen image classifiers with feature taps. Loaded from tensors by their published names; batch norm folded.

mod block;
mod cost;
mod efficientnet_lite;
mod kind;
mod mobilenet;
mod plan;
mod resnet;
#[cfg(test)]
mod tests;
mod weights;

use std::collections::HashMap;

use candle_core::{Device, Result, Tensor, bail};

pub use kind::BackboneKind;
pub use plan::{Border, Tap, TensorSpec};

use crate::ops::conv::{Activation, Conv2d};
use crate::ops::pool::max_3x3_stride_2;
use plan::{Block, StemPool};
use weights::Weights;

/// A network cut behind the deepest tap wanted.
pub struct Backbone {
    kind: BackboneKind,
    device: Device,
    taps: Vec<Tap>,
    /// Neither side of a picture may have fewer pixels.
    least_side: usize,
    stem: Conv2d,
    stem_pool: StemPool,
    stem_activation: Activation,
    block_activation: Activation,
    blocks: Vec<Block<Conv2d>>,
    /// For each of `taps` how many blocks lead to it.
    depths: Vec<usize>,
}

impl Backbone {
    /// Builds what leads to `taps`, which are some of `kind.taps()` in their order.
    ///
    /// Weights of any float type, with or without those of deeper stages and the classifier, are on any device. A
    /// missing, misshapen or foreign tensor is an error that names it and says which network the weights look like.
    pub fn load(
        kind: BackboneKind,
        weights: &HashMap<String, Tensor>,
        taps: &[Tap],
        border: Border,
        device: &Device,
    ) -> Result<Self> {
        if border == Border::Reflect && !kind.is_resnet() {
            bail!("{kind} cannot mirror pictures at their edge, only ResNets can");
        }
        let numbers = tap_numbers(kind, taps)?;
        let plan = kind.plan(border);
        let weights = Weights::new(kind, weights, plan.epsilon, device)?;
        let depths: Vec<usize> = numbers
            .iter()
            .filter_map(|&number| plan.depths.get(number).copied())
            .collect();
        let deepest = depths.iter().copied().max().unwrap_or(0);
        let blocks = plan.blocks.iter().take(deepest);
        Ok(Self {
            kind,
            device: device.clone(),
            taps: taps.to_vec(),
            least_side: least_side(taps, border),
            stem: weights.conv(&plan.stem)?,
            stem_pool: plan.stem_pool,
            stem_activation: plan.stem_activation,
            block_activation: plan.block_activation,
            blocks: blocks
                .map(|block| block.try_map(|conv| weights.conv(conv)))
                .collect::<Result<_>>()?,
            depths,
        })
    }

    pub fn kind(&self) -> BackboneKind {
        self.kind
    }

    /// What [`Backbone::forward`] returns, in this order.
    pub fn taps(&self) -> &[Tap] {
        &self.taps
    }

    /// Where the weights are and the input is expected.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Features of normalised pictures `(B, 3, H, W)`: for each tap `(B, C, h, w)` with `h` about `H / stride`.
    ///
    /// They are the sums a block ends with, **before** its activation: a `ResNet`'s published features are their `ReLU`, and
    /// the negative half is there for those who want it (CFA, Lee et al. 2022, takes `LeakyReLU`). EfficientNet-Lite has
    /// no activation behind its blocks. Of `MobileNetV3` they are what the block's last convolution gives, before batch
    /// norm and sum (so CFLOW, Gudovskiy et al. 2022). A picture's features do not depend on the others in its batch.
    ///
    /// A picture too small for mirrored borders is an error that names the least size.
    pub fn forward(&self, pixels: &Tensor) -> Result<Vec<Tensor>> {
        self.check_size(pixels)?;
        let mut trunk = self.stem.forward(pixels, self.stem_activation)?; // (B, C, H / 2, W / 2)
        if self.stem_pool == StemPool::Max {
            trunk = max_3x3_stride_2(&trunk)?; // (B, C, H / 4, W / 4)
        }
        let mut features = Vec::with_capacity(self.depths.len());
        for (index, block) in self.blocks.iter().enumerate() {
            if self.depths.contains(&(index + 1)) {
                let (feature, rest) = block.tapped(&trunk, self.block_activation)?;
                features.push(feature);
                trunk = rest;
            } else {
                trunk = block.forward(&trunk, self.block_activation)?;
            }
        }
        Ok(features)
    }

    fn check_size(&self, pixels: &Tensor) -> Result<()> {
        let (_, _, height, width) = pixels.dims4()?;
        let least = self.least_side;
        if height.min(width) < least {
            let deepest = self.taps.last().map_or("", |tap| tap.name);
            bail!(
                "an input of {width} x {height} pixels is too small for {} with mirrored borders: up to {deepest} each \
                 side needs at least {least} pixels; choose a larger input size",
                self.kind
            );
        }
        Ok(())
    }
}

/// Mirroring a border of one cell needs a second cell behind it, down to the deepest features. Where those have two, the
/// stem has more than the four pixels that its border of three needs.
fn least_side(taps: &[Tap], border: Border) -> usize {
    let deepest = taps.last().map_or(1, |tap| tap.stride);
    match border {
        Border::Zeros => 1,
        Border::Reflect => 2 * deepest,
    }
}

/// Numbers of the taps in the network; an error unless there is at least one and they rise.
fn tap_numbers(kind: BackboneKind, taps: &[Tap]) -> Result<Vec<usize>> {
    let mut numbers = Vec::with_capacity(taps.len());
    for tap in taps {
        match kind.tap_number(tap) {
            Some(number) if numbers.last().is_none_or(|&last| last < number) => {
                numbers.push(number);
            }
            Some(_) => bail!(
                "the tap {} of {kind} is wanted twice or out of order",
                tap.name
            ),
            None => bail!(
                "{kind} has no tap {} with {} channels",
                tap.name,
                tap.channels
            ),
        }
    }
    if numbers.is_empty() {
        bail!("no tap of {kind} is wanted");
    }
    Ok(numbers)
}
