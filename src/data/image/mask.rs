//! Defect masks: which pixels of a picture are defective, according to people. Always resampled to the nearest pixel.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use ::image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use anyhow::{Context, Result};

use super::decode::{Orientation, decode, read_bytes};
use super::format::PictureFormat;
use super::geometry::PixelRect;
use super::picture::Pixels;
use super::resize::nearest_indices;
use super::{InputSpec, Size};

/// JPEG smears black and white, so its masks are cut in the middle.
const JPEG_LIMIT: u8 = 127;

/// Row-major, true on the defect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    width: usize,
    height: usize,
    values: Vec<bool>,
}

impl Mask {
    /// Wraps `height * width` values; `None` when the length does not fit or the mask is empty.
    pub fn new(width: usize, height: usize, values: Vec<bool>) -> Option<Self> {
        (width > 0 && height > 0 && values.len() == width * height).then_some(Self {
            width,
            height,
            values,
        })
    }

    /// A mask file's content: marked where any channel is above zero (above 127 in JPEG files). The error leaves the path
    /// to the caller.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let decoded = decode(bytes, Orientation::Ignore)?;
        let limit = if decoded.format == PictureFormat::Jpeg {
            JPEG_LIMIT
        } else {
            0
        };
        let values = match decoded.picture.pixels() {
            Pixels::U8(values) => values
                .chunks_exact(3)
                .map(|p| p.iter().any(|&v| v > limit))
                .collect(),
            Pixels::F32(values) => values
                .chunks_exact(3)
                .map(|p| p.iter().any(|&v| v > 0.0))
                .collect(),
        };
        let Size { width, height } = decoded.picture.size();
        Self::new(width, height, values).context("the mask has no pixels")
    }

    /// A mask that marks nothing: the truth about a good picture.
    pub fn unmarked(size: Size) -> Self {
        Self {
            width: size.width,
            height: size.height,
            values: vec![false; size.pixels()],
        }
    }

    pub fn size(&self) -> Size {
        Size {
            width: self.width,
            height: self.height,
        }
    }

    pub fn values(&self) -> &[bool] {
        &self.values
    }

    pub fn into_values(self) -> Vec<bool> {
        self.values
    }

    /// Whether any pixel is marked.
    pub fn marks_something(&self) -> bool {
        self.values.contains(&true)
    }

    /// How many pixels are marked.
    pub fn marked(&self) -> usize {
        self.values.iter().filter(|&&marked| marked).count()
    }

    /// An 8-bit grey PNG of the mask's own size: 255 on the defect, 0 elsewhere.
    pub fn to_png(&self) -> Result<Vec<u8>> {
        let grey: Vec<u8> = self.values.iter().map(|&v| u8::from(v) * 255).collect();
        let mut png = Cursor::new(Vec::new());
        PngEncoder::new(&mut png)
            .write_image(
                &grey,
                self.width as u32,
                self.height as u32,
                ExtendedColorType::L8,
            )
            .context("encoding the mask")?;
        Ok(png.into_inner())
    }

    /// Resampled to another size.
    #[must_use]
    pub fn resized(&self, to: Size) -> Self {
        let columns: Vec<usize> = nearest_indices(self.width, to.width).collect();
        let rows = nearest_indices(self.height, to.height)
            .map(|y| &self.values[y * self.width..][..self.width]);
        Self {
            width: to.width,
            height: to.height,
            values: rows
                .flat_map(|row| columns.iter().map(|&x| row[x]))
                .collect(),
        }
    }

    /// The part inside `rect`, as far as the mask reaches.
    #[must_use]
    pub fn cropped(&self, rect: PixelRect) -> Self {
        let (left, top) = (rect.left.min(self.width), rect.top.min(self.height));
        let (width, height) = (
            rect.width.min(self.width - left),
            rect.height.min(self.height - top),
        );
        let rows = self.values.chunks_exact(self.width).skip(top).take(height);
        Self {
            width,
            height,
            values: rows
                .flat_map(|row| &row[left..left + width])
                .copied()
                .collect(),
        }
    }

    /// The mask in input space: what the network's pixels show.
    #[must_use]
    pub fn to_input(&self, spec: &InputSpec) -> Self {
        let window = spec.window();
        self.resized(spec.resized()).cropped(PixelRect {
            left: window.left,
            top: window.top,
            width: window.size.width,
            height: window.size.height,
        })
    }

    fn join(&mut self, other: &Self) {
        for (mine, theirs) in self.values.iter_mut().zip(&other.values) {
            *mine |= theirs;
        }
    }
}

/// One mask file at its own size. Errors name the path.
pub fn read_mask(path: &Path) -> Result<Mask> {
    let mask = read_bytes(path).and_then(|bytes| Mask::decode(&bytes));
    mask.with_context(|| format!("reading mask {}", path.display()))
}

/// The union of a picture's mask files, each brought to the picture's size when it has another.
pub fn load_mask(paths: &[PathBuf], picture: Size) -> Result<Mask> {
    let mut union = Mask::unmarked(picture);
    for path in paths {
        let mask = read_mask(path)?;
        if mask.size() == picture {
            union.join(&mask);
        } else {
            union.join(&mask.resized(picture));
        }
    }
    Ok(union)
}

#[cfg(test)]
mod tests {
    use ::image::{DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage};

    use super::{Mask, PixelRect, Size, load_mask};
    use crate::data::image::{InputPreset, InputSpec, testing};

    fn marked(image: impl Into<DynamicImage>, format: ImageFormat) -> usize {
        let mask = Mask::decode(&testing::encode(&image.into(), format)).expect("a mask");
        mask.values().iter().filter(|&&v| v).count()
    }

    #[test]
    fn any_value_above_zero_marks_whatever_the_depth() {
        let index = GrayImage::from_fn(4, 4, |x, _| Luma([u8::from(x == 1)]));
        assert_eq!(marked(index, ImageFormat::Png), 4);
        let sixteen = ImageBuffer::<Luma<u16>, _>::from_fn(4, 4, |x, _| Luma([u16::from(x == 1)]));
        assert_eq!(marked(sixteen, ImageFormat::Png), 4);
        let blue = RgbImage::from_fn(4, 4, |x, _| Rgb([0, 0, u8::from(x == 1)]));
        assert_eq!(marked(blue, ImageFormat::Bmp), 4);
    }

    #[test]
    fn jpeg_masks_are_cut_in_the_middle() {
        let faint = GrayImage::from_fn(16, 16, |x, _| Luma([if x < 8 { 200 } else { 20 }]));
        assert_eq!(marked(faint, ImageFormat::Jpeg), 8 * 16);
    }

    #[test]
    fn several_files_are_joined_and_brought_to_the_pictures_size() {
        let folder = tempfile::tempdir().expect("a folder");
        let (same, half) = (folder.path().join("a.png"), folder.path().join("b.png"));
        testing::write_mask(&same, 20, 10, [0, 0, 2, 2]);
        testing::write_mask(&half, 10, 5, [9, 4, 10, 5]);
        let size = Size {
            width: 20,
            height: 10,
        };
        let mask = load_mask(&[same, half], size).expect("a mask");
        assert_eq!(mask.size(), size);
        assert_eq!(mask.values().iter().filter(|&&v| v).count(), 8);
        assert!(mask.values()[0] && mask.values()[199]);
        assert!(!load_mask(&[], size).expect("no files").marks_something());
    }

    #[test]
    fn a_mask_follows_its_picture_through_resize_and_crop() {
        let size = Size {
            width: 900,
            height: 900,
        };
        let values = (0..size.pixels())
            .map(|i| (i % 900, i / 900) == (450, 450))
            .collect();
        let spec = InputSpec::for_pictures(InputPreset::Resize256Crop224, size)
            .expect("an ordinary aspect");
        let one = Mask::new(900, 900, values).expect("900 x 900");
        // Input pixel 112 is resized pixel 128, whose centre falls on image pixel floor(128.5 * 900 / 256) = 451.
        assert!(!one.to_input(&spec).marks_something());
        let values = (0..size.pixels())
            .map(|i| (i % 900, i / 900) == (451, 451))
            .collect();
        let input = Mask::new(900, 900, values)
            .expect("900 x 900")
            .to_input(&spec);
        let marks: Vec<usize> = (0..224 * 224).filter(|&i| input.values()[i]).collect();
        assert_eq!(marks, [112 * 224 + 112]);
    }

    #[test]
    fn a_mask_comes_back_from_its_png_as_it_was() {
        let values: Vec<bool> = (0..7 * 5).map(|i| i % 3 == 0).collect();
        let mask = Mask::new(7, 5, values).expect("7 x 5");
        let png = mask.to_png().expect("a PNG");
        assert_eq!(Mask::decode(&png).expect("a mask"), mask);
        assert_eq!(mask.marked(), 12);
    }

    #[test]
    fn cropping_beyond_the_edge_keeps_what_there_is() {
        let mask = Mask::new(3, 2, vec![false, false, true, false, false, true]).expect("3 x 2");
        let rect = PixelRect {
            left: 2,
            top: 0,
            width: 5,
            height: 9,
        };
        assert_eq!(
            mask.cropped(rect),
            Mask::new(1, 2, vec![true, true]).expect("1 x 2")
        );
    }
}
