//! Smaller copies of pictures for the screen.

use anyhow::{Context, Result};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

/// The size with the same aspect whose longer side is at most `longest`; never larger, never zero.
pub fn fitted(width: usize, height: usize, longest: usize) -> (usize, usize) {
    let side = width.max(height).max(1);
    if side <= longest {
        return (width, height);
    }
    let scaled = |length: usize| (length * longest).div_euclid(side).max(1);
    (scaled(width), scaled(height))
}

/// Antialiased resize of row-major RGB to `(width, height)`.
pub fn shrink_rgb(rgb: &[u8], from: (usize, usize), to: (usize, usize)) -> Result<Vec<u8>> {
    if from == to {
        return Ok(rgb.to_vec());
    }
    let source = ImageRef::new(from.0 as u32, from.1 as u32, rgb, PixelType::U8x3)
        .context("the picture's pixels do not fit its size")?;
    let mut small = Image::new(to.0 as u32, to.1 as u32, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    Resizer::new()
        .resize(&source, &mut small, &options)
        .context("making a smaller copy of a picture")?;
    Ok(small.into_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_aspect_is_kept_and_small_pictures_stay_as_they_are() {
        assert_eq!(fitted(900, 450, 96), (96, 48));
        assert_eq!(fitted(40, 30, 96), (40, 30));
        assert_eq!(fitted(10_000, 1, 96), (96, 1));
    }

    #[test]
    fn a_plain_picture_stays_plain() {
        let rgb = [7, 80, 200].repeat(20 * 10);
        let small = shrink_rgb(&rgb, (20, 10), (4, 2)).unwrap();
        assert_eq!(small, [7, 80, 200].repeat(8));
        assert!(shrink_rgb(&rgb, (30, 10), (4, 2)).is_err());
    }
}
