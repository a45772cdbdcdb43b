//! What the models do to the backbone's unrectified taps before anything else.

use candle_core::{Result, Tensor, bail};
use serde::{Deserialize, Serialize};

use super::FeatureExtractor;

/// A tap's activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TapActivation {
    None,
    /// The features of a `ResNet` as published.
    Relu,
    /// Slope 0.01 below zero: what the CFA authors' code sees of a `ResNet`, because it moves each block's last `ReLU` to
    /// the entry of the next block and puts a `LeakyReLU` on the tap.
    LeakyRelu,
}

impl TapActivation {
    pub fn apply(self, tap: &Tensor) -> Result<Tensor> {
        match self {
            Self::None => Ok(tap.clone()),
            Self::Relu => tap.relu(),
            Self::LeakyRelu => tap.maximum(&(tap * 0.01)?),
        }
    }
}

/// What a model sees of network input `(B, 3, H, W)`: its backbone's taps, activated and without gradient. An error unless
/// the input has the model's `(height, width)`.
pub fn activated_taps(
    backbone: &dyn FeatureExtractor,
    pixels: &Tensor,
    input: (usize, usize),
    activation: TapActivation,
) -> Result<Vec<Tensor>> {
    let (_, _, height, width) = pixels.dims4()?;
    if (height, width) != input {
        bail!(
            "the model takes input of {input:?} pixels, not {:?}",
            (height, width)
        );
    }
    let taps = backbone.forward(pixels)?;
    taps.iter()
        .map(|tap| activation.apply(&tap.detach()))
        .collect()
}
