//! A decoded picture: RGB, eight bits or floating point. Does not know where it came from.

use super::Size;

/// RGB samples, interleaved and row-major.
#[derive(Debug, Clone, PartialEq)]
pub enum Pixels {
    /// From 8-bit files.
    U8(Vec<u8>),
    /// From 16-bit and floating point files, on the scale 0 to 1.
    F32(Vec<f32>),
}

/// A decoded picture. Grey pictures have three equal channels; there is no alpha.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    width: usize,
    height: usize,
    pixels: Pixels,
}

impl Picture {
    /// Wraps `height * width * 3` samples; `None` when the length does not fit or the picture is empty.
    pub fn new(width: usize, height: usize, pixels: Pixels) -> Option<Self> {
        let samples = match &pixels {
            Pixels::U8(values) => values.len(),
            Pixels::F32(values) => values.len(),
        };
        (width > 0 && height > 0 && samples == width * height * 3).then_some(Self {
            width,
            height,
            pixels,
        })
    }

    pub fn width(&self) -> usize {
        self.width
    }

    pub fn height(&self) -> usize {
        self.height
    }

    pub fn size(&self) -> Size {
        Size {
            width: self.width,
            height: self.height,
        }
    }

    pub fn pixels(&self) -> &Pixels {
        &self.pixels
    }

    /// `height * width * 3` bytes for display and export; floating point samples are rounded and clamped.
    pub fn to_rgb8(&self) -> Vec<u8> {
        match &self.pixels {
            Pixels::U8(values) => values.clone(),
            Pixels::F32(values) => values.iter().map(|v| (v * 255.0).round() as u8).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Picture, Pixels};

    #[test]
    fn a_buffer_of_the_wrong_length_is_refused() {
        assert!(Picture::new(2, 2, Pixels::U8(vec![0; 11])).is_none());
        assert!(Picture::new(0, 2, Pixels::U8(vec![])).is_none());
    }

    #[test]
    fn display_rounds_and_clamps_floating_point_samples() {
        let picture = Picture::new(1, 1, Pixels::F32(vec![-0.1, 0.5, 1.05])).expect("1 x 1");
        assert_eq!(picture.to_rgb8(), [0, 128, 255]);
    }
}
