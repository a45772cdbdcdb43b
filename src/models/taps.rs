//! What the models do to the backbone's unrectified taps before anything else.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

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
