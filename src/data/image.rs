//! Decode, resize, crop, normalise, and the way back from network pixels to the picture's own pixels.

use serde::{Deserialize, Serialize};

/// How a picture becomes network input. The shorter side is resized to 256, the aspect kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputPreset {
    /// Resize to 256: nothing is cut off.
    #[default]
    #[serde(rename = "256")]
    Resize256,
    /// Resize to 256, then keep the central 224 x 224: the papers' benchmark setting; blind at the border.
    #[serde(rename = "224crop")]
    Resize256Crop224,
}

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Size {
    pub width: usize,
    pub height: usize,
}
