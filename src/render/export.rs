//! A scored picture as a file: the heatmap over it, the contour at the limit, and the colour bar that says what it means.

use std::io::Cursor;

use anyhow::{Context, Result};
use image::{ImageFormat, Rgb, RgbImage};

use super::{Palette, Segment, blend, colourise, contour};
use crate::score_map::ScoreMap;

const OPACITY: f32 = 0.45;
const LINE: Rgb<u8> = Rgb([255, 255, 255]);
const EDGE: Rgb<u8> = Rgb([0, 0, 0]);
const MARK: Rgb<u8> = Rgb([255, 220, 0]);

/// Encodes a picture `(width, height)` of row-major RGB as PNG with what its map says. `map` covers the rectangle of
/// the picture that starts at `corner` (column, row), one score a pixel. The bar on the right runs from `scale.0` at the
/// bottom to `scale.1` at the top; the notch is `limit`.
pub fn export_overlay_png(
    rgb: &[u8],
    (width, height): (usize, usize),
    map: &ScoreMap,
    corner: (usize, usize),
    scale: (f32, f32),
    limit: f32,
) -> Result<Vec<u8>> {
    let overlay = overlay_rgb(rgb, (width, height), map, corner, scale, limit)?;
    let picture = picture_of(&overlay, (width, height))?;
    let canvas = beside_bar(&picture, scale, limit);
    let mut png = Cursor::new(Vec::new());
    canvas
        .write_to(&mut png, ImageFormat::Png)
        .context("encoding the overlay")?;
    Ok(png.into_inner())
}

/// The same without the bar, as row-major RGB of the picture's size.
pub fn overlay_rgb(
    rgb: &[u8],
    size: (usize, usize),
    map: &ScoreMap,
    corner: (usize, usize),
    scale: (f32, f32),
    limit: f32,
) -> Result<Vec<u8>> {
    let mut picture = picture_of(rgb, size)?;
    lay_over(&mut picture, map, corner, scale);
    for segment in contour(map, limit) {
        draw_line(&mut picture, segment, corner, LINE);
    }
    Ok(picture.into_raw())
}

/// A picture of row-major RGB with an outline in picture pixels: yellow on black, to be seen on any ground.
pub fn outlined_rgb(rgb: &[u8], size: (usize, usize), outline: &[Segment]) -> Result<Vec<u8>> {
    let mut picture = picture_of(rgb, size)?;
    for (shift, colour) in [(1, EDGE), (0, MARK)] {
        for &segment in outline {
            draw_line(&mut picture, segment, (shift, shift), colour);
        }
    }
    Ok(picture.into_raw())
}

fn picture_of(rgb: &[u8], (width, height): (usize, usize)) -> Result<RgbImage> {
    RgbImage::from_raw(width as u32, height as u32, rgb.to_vec())
        .filter(|picture| picture.as_raw().len() == 3 * width * height)
        .context("the picture's pixels do not fit its size")
}

fn lay_over(
    picture: &mut RgbImage,
    map: &ScoreMap,
    (left, top): (usize, usize),
    scale: (f32, f32),
) {
    let rgba = colourise(map, scale, Palette::default(), None);
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let columns = map.width().min(width.saturating_sub(left));
    for (row, texels) in rgba.chunks_exact(4 * map.width()).enumerate() {
        let Some(y) = Some(top + row).filter(|&y| y < height) else {
            break;
        };
        let start = 3 * (y * width + left);
        if let Some(under) = picture.get_mut(start..start + 3 * columns) {
            blend(under, texels, OPACITY);
        }
    }
}

/// A thin line; every pixel it touches.
fn draw_line(
    picture: &mut RgbImage,
    [from, to]: Segment,
    (left, top): (usize, usize),
    colour: Rgb<u8>,
) {
    let steps = ((to[0] - from[0]).abs().max((to[1] - from[1]).abs()).ceil() as usize * 2).max(1);
    for step in 0..=steps {
        let share = step as f32 / steps as f32;
        let at = |axis: usize| from[axis] + (to[axis] - from[axis]) * share;
        let (x, y) = (
            at(0).max(0.0) as usize + left,
            at(1).max(0.0) as usize + top,
        );
        if let Some(pixel) = picture.get_pixel_mut_checked(x as u32, y as u32) {
            *pixel = colour;
        }
    }
}

/// The picture with its colour bar at the right.
fn beside_bar(picture: &RgbImage, (low, high): (f32, f32), limit: f32) -> RgbImage {
    let (width, height) = picture.dimensions();
    let bar = (width / 24).max(6);
    let gap = bar / 3;
    let mut canvas = RgbImage::from_pixel(width + gap + bar, height, EDGE);
    image::imageops::replace(&mut canvas, picture, 0, 0);
    let notch = ((high - limit) / (high - low).max(f32::MIN_POSITIVE)).clamp(0.0, 1.0);
    let notch = (notch * (height - 1) as f32).round() as u32;
    for y in 0..height {
        let share = 1.0 - y as f32 / (height - 1).max(1) as f32;
        let colour = if y == notch {
            LINE
        } else {
            Rgb(Palette::default().colour(share))
        };
        let from = if y == notch { width } else { width + gap };
        for x in from..width + gap + bar {
            canvas.put_pixel(x, y, colour);
        }
    }
    canvas
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(png: &[u8]) -> RgbImage {
        image::load_from_memory(png).unwrap().to_rgb8()
    }

    #[test]
    fn the_map_colours_only_its_own_rectangle() {
        let map = ScoreMap::new(10, 8, vec![0.0; 80]).unwrap();
        let png = export_overlay_png(&[200; 30 * 20 * 3], (30, 20), &map, (5, 6), (0.0, 1.0), 0.5)
            .unwrap();
        let picture = decoded(&png);
        assert_eq!(picture.get_pixel(4, 6).0, [200; 3]);
        assert_ne!(picture.get_pixel(5, 6).0, [200; 3]);
        assert_ne!(picture.get_pixel(14, 13).0, [200; 3]);
        assert_eq!(picture.get_pixel(15, 13).0, [200; 3]);
        assert!(picture.width() > 30 && picture.height() == 20);
    }

    #[test]
    fn the_contour_is_drawn_around_what_lies_above_the_limit() {
        let values = (0..400).map(|i| {
            if (5..15).contains(&(i % 20)) && (5..15).contains(&(i / 20)) {
                1.0
            } else {
                0.0
            }
        });
        let map = ScoreMap::new(20, 20, values.collect()).unwrap();
        let picture = decoded(
            &export_overlay_png(&[0; 1200], (20, 20), &map, (0, 0), (0.0, 2.0), 0.5).unwrap(),
        );
        assert!(
            picture
                .enumerate_pixels()
                .any(|(x, y, p)| p == &LINE && (4..=15).contains(&x) && (4..=15).contains(&y))
        );
        assert_ne!(picture.get_pixel(10, 10), &LINE);
    }

    #[test]
    fn a_map_larger_than_the_picture_and_a_flat_scale_do_no_harm() {
        let map = ScoreMap::new(9, 9, vec![1.0; 81]).unwrap();
        assert!(export_overlay_png(&[9; 12], (2, 2), &map, (1, 1), (1.0, 1.0), 1.0).is_ok());
        assert!(export_overlay_png(&[9; 11], (2, 2), &map, (0, 0), (0.0, 1.0), 1.0).is_err());
    }

    #[test]
    fn an_outline_is_drawn_on_the_picture_and_nowhere_else() {
        let outline = [[[2.0, 3.0], [6.0, 3.0]]];
        let rgb = outlined_rgb(&[200; 10 * 8 * 3], (10, 8), &outline).unwrap();
        let at = |x: usize, y: usize| &rgb[3 * (y * 10 + x)..][..3];
        assert_eq!(at(4, 3), MARK.0);
        assert_eq!(at(4, 4), EDGE.0);
        assert_eq!(at(4, 2), [200; 3]);
        assert!(outlined_rgb(&[200; 5], (10, 8), &outline).is_err());
    }
}
