//! From a picture file to network input, and the way back from network pixels to the picture's own pixels.
//! Nothing here knows which pictures there are or what they are for.

mod decode;
mod float_tiff;
mod format;
mod geometry;
mod input;
mod jpeg;
mod mask;
mod normalization;
mod picture;
mod resize;
mod rotate;

#[cfg(test)]
pub(crate) mod testing;

use serde::{Deserialize, Serialize};

pub use decode::{Decoded, Orientation, decode, read_picture, read_size};
pub use format::PictureFormat;
pub use geometry::{Geometry, PixelRect, Rect};
pub use input::{Crop, InputPreset, InputSpec, to_input, to_input_rgb, to_turned_inputs};
pub use mask::{Mask, load_mask, read_mask};
pub use normalization::Normalization;
pub use picture::{Picture, Pixels};

pub(super) use decode::read_bytes;

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Size {
    pub width: usize,
    pub height: usize,
}

impl Size {
    pub fn pixels(self) -> usize {
        self.width * self.height
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} x {}", self.width, self.height)
    }
}
