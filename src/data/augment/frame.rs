//! Pictures at the network's input size, before normalisation.

use anyhow::{Context, Result};

use crate::data::image::{InputSpec, Picture, Size, to_input_rgb};

/// A picture at the network's input size: 8-bit RGB, row-major and interleaved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

/// A picture of a real defect with the pixels that people marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedFrame {
    pub frame: Frame,
    /// Row-major, one value a pixel.
    pub mask: Vec<bool>,
    /// The defect's type, e.g. the name of its folder.
    pub defect: String,
    /// Which picture it is, for messages.
    pub id: String,
}

impl Frame {
    /// Wraps `height * width * 3` bytes; `None` when the length does not fit or the picture is empty.
    pub fn new(width: usize, height: usize, rgb: Vec<u8>) -> Option<Self> {
        (width > 0 && height > 0 && rgb.len() == width * height * 3).then_some(Self {
            width,
            height,
            rgb,
        })
    }

    /// What the network would see of a picture.
    pub fn of(picture: &Picture, spec: &InputSpec) -> Result<Self> {
        let Size { width, height } = spec.size();
        Self::new(width, height, to_input_rgb(picture, spec)?).context("a picture without pixels")
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

    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    pub fn into_rgb(self) -> Vec<u8> {
        self.rgb
    }

    pub(super) fn rgb_mut(&mut self) -> &mut [u8] {
        &mut self.rgb
    }

    /// How many pixels there are.
    pub(super) fn pixels(&self) -> usize {
        self.width * self.height
    }

    /// A pixel by its row-major index.
    pub(super) fn pixel(&self, index: usize) -> [u8; 3] {
        [
            self.rgb[index * 3],
            self.rgb[index * 3 + 1],
            self.rgb[index * 3 + 2],
        ]
    }

    pub(super) fn set(&mut self, index: usize, colour: [u8; 3]) {
        self.rgb[index * 3..index * 3 + 3].copy_from_slice(&colour);
    }

    /// The length that sizes of marks go by.
    pub(super) fn shorter_side(&self) -> usize {
        self.width.min(self.height)
    }

    /// A frame of this size, drawn pixel by pixel.
    pub(super) fn from_fn(size: Size, mut colour: impl FnMut(usize, usize) -> [u8; 3]) -> Self {
        let mut rgb = Vec::with_capacity(size.pixels() * 3);
        for y in 0..size.height {
            for x in 0..size.width {
                rgb.extend(colour(x, y));
            }
        }
        Self {
            width: size.width,
            height: size.height,
            rgb,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Frame;
    use crate::data::image::{InputPreset, InputSpec, Picture, Pixels, Size};

    #[test]
    fn bytes_of_the_wrong_length_and_empty_pictures_are_refused() {
        assert!(Frame::new(2, 2, vec![0; 12]).is_some());
        assert!(Frame::new(2, 2, vec![0; 11]).is_none());
        assert!(Frame::new(0, 2, vec![]).is_none());
    }

    #[test]
    fn a_frame_has_the_size_the_network_sees() {
        let picture = Picture::new(30, 20, Pixels::U8(vec![7; 1800])).expect("30 x 20");
        for preset in InputPreset::ALL {
            let spec = InputSpec::for_pictures(preset, picture.size()).expect("a spec");
            let frame = Frame::of(&picture, &spec).expect("a frame");
            assert_eq!(frame.size(), spec.size());
            assert!(frame.rgb().iter().all(|&v| v == 7));
        }
    }

    #[test]
    fn pixels_are_addressed_row_by_row() {
        let size = Size {
            width: 3,
            height: 2,
        };
        let mut frame = Frame::from_fn(size, |x, y| [x as u8, y as u8, 9]);
        assert_eq!(frame.pixel(5), [2, 1, 9]);
        frame.set(5, [1, 2, 3]);
        assert_eq!(frame.rgb()[15..], [1, 2, 3]);
    }
}
