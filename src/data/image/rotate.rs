//! Turns a picture by a few degrees, bit for bit as Pillow does. Does not choose the angle.

use anyhow::{Context, Result};

use super::Size;
use super::picture::{Picture, Pixels};

/// The picture turned counterclockwise about its centre: nearest neighbour, same canvas, black where nothing was.
///
/// Equal to Pillow's `Image.rotate(degrees, resample=NEAREST, expand=False, fillcolor=0)` and thereby to torchvision's
/// `RandomRotation`, for sides below 32,768 pixels.
pub(super) fn rotated(picture: &Picture, degrees: f64) -> Result<Picture> {
    let turn = Turn::new(picture.size(), degrees);
    let pixels = match picture.pixels() {
        Pixels::U8(samples) => Pixels::U8(turn.apply(samples)),
        Pixels::F32(samples) => Pixels::F32(turn.apply(samples)),
    };
    Picture::new(picture.width(), picture.height(), pixels).context("turning an empty picture")
}

/// Where each pixel of a turned picture comes from, in steps of 1/65536 pixel as Pillow counts.
struct Turn {
    size: Size,
    /// The place in the source of the output's first pixel.
    start: (i64, i64),
    /// How far one output pixel to the right leads in the source.
    right: (i64, i64),
    /// How far one output pixel down leads in the source.
    down: (i64, i64),
}

impl Turn {
    fn new(size: Size, degrees: f64) -> Self {
        let (sin, cos) = (-degrees.rem_euclid(360.0).to_radians()).sin_cos();
        // Rounding to 15 digits is Pillow's; it also hides the last bit in which mathematical libraries differ.
        let (sin, cos) = (to_15_digits(sin), to_15_digits(cos));
        let (x, y) = (size.width as f64 / 2.0, size.height as f64 / 2.0);
        // In Pillow's order of operations, for the same rounding.
        let offset = (
            (cos * -x + sin * -y) + x + cos * 0.5 + sin * 0.5,
            (-sin * -x + cos * -y) + y + -sin * 0.5 + cos * 0.5,
        );
        let pair = |(x, y)| (fixed(x), fixed(y));
        Self {
            size,
            start: pair(offset),
            right: pair((cos, -sin)),
            down: pair((sin, cos)),
        }
    }

    fn apply<T: Copy + Default>(&self, samples: &[T]) -> Vec<T> {
        let Size { width, height } = self.size;
        let mut turned = vec![T::default(); samples.len()];
        for (row, line) in turned.chunks_exact_mut(width * 3).enumerate() {
            let row = row as i64;
            let mut x = self.start.0 + row * self.down.0;
            let mut y = self.start.1 + row * self.down.1;
            for pixel in line.chunks_exact_mut(3) {
                let (column, row) = ((x >> 16) as usize, (y >> 16) as usize);
                // A negative place became a huge one.
                if column < width && row < height {
                    pixel.copy_from_slice(&samples[(row * width + column) * 3..][..3]);
                }
                x += self.right.0;
                y += self.right.1;
            }
        }
        turned
    }
}

fn to_15_digits(value: f64) -> f64 {
    (value * 1e15).round_ties_even() / 1e15
}

fn fixed(value: f64) -> i64 {
    (value * 65536.0 + 0.5).floor() as i64
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use sha2::{Digest, Sha256};

    use super::{Picture, Pixels, rotated};

    /// What `tests/fixtures/rotation/reference.py` says of a picture turned by Pillow.
    #[derive(Deserialize)]
    struct Case {
        width: usize,
        height: usize,
        degrees: f64,
        /// RGB at equally spaced pixels, to see where a difference lies.
        samples: Vec<[u8; 3]>,
        /// Of all RGB bytes.
        sha256: String,
    }

    fn cases() -> Vec<Case> {
        let text = include_str!("../../../tests/fixtures/rotation/expected.json");
        serde_json::from_str(text).expect("the fixture")
    }

    /// Bytes without a pattern, the same as in the script.
    fn noise(count: usize) -> impl Iterator<Item = u8> {
        (0..count as u32).map(|index| {
            let mut x = index.wrapping_mul(0x9E37_79B1).wrapping_add(1);
            x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
            x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
            (x >> 24) as u8
        })
    }

    fn noisy(width: usize, height: usize) -> Picture {
        let pixels = Pixels::U8(noise(width * height * 3).collect());
        Picture::new(width, height, pixels).expect("a picture")
    }

    fn turned(picture: &Picture, degrees: f64) -> Vec<u8> {
        rotated(picture, degrees).expect("turned").to_rgb8()
    }

    #[test]
    fn pictures_are_turned_as_pillow_turns_them_to_the_bit() {
        let cases = cases();
        assert!(cases.len() > 40);
        for case in cases {
            let name = format!("{} x {} by {}", case.width, case.height, case.degrees);
            let found = turned(&noisy(case.width, case.height), case.degrees);
            let (last, count) = (case.width * case.height - 1, case.samples.len());
            for (i, wanted) in case.samples.iter().enumerate() {
                let place = i * last / (count - 1).max(1);
                assert_eq!(&found[place * 3..][..3], wanted, "{name}: pixel {place}");
            }
            let digest = Sha256::digest(&found);
            let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            let hex: String = digits
                .filter_map(|digit| char::from_digit(digit.into(), 16))
                .collect();
            assert_eq!(hex, case.sha256, "{name}");
        }
    }

    #[test]
    fn a_picture_that_is_not_turned_stays_as_it_is() {
        for (width, height) in [(8, 8), (7, 5), (1, 1), (1, 300)] {
            let picture = noisy(width, height);
            for degrees in [0.0, -0.0, 360.0, 1e-14] {
                assert_eq!(rotated(&picture, degrees).expect("turned"), picture);
            }
        }
    }

    #[test]
    fn the_turn_is_counterclockwise_and_the_corners_are_black() {
        let mut values = vec![255; 101 * 101 * 3];
        // A red dot to the right of the centre.
        values[(50 * 101 + 90) * 3..][..3].copy_from_slice(&[200, 0, 0]);
        let picture = Picture::new(101, 101, Pixels::U8(values)).expect("a picture");
        let found = turned(&picture, 5.0);
        let dot = found.chunks_exact(3).position(|p| p == [200, 0, 0]);
        // 40 pixels right of the centre at (50, 50): 40 cos 5 = 39.8 further right, 40 sin 5 = 3.5 up.
        let dot = dot.map(|i| (i % 101, i / 101)).expect("a dot");
        assert!(
            dot.0.abs_diff(90) <= 1 && (46..=47).contains(&dot.1),
            "{dot:?}"
        );
        for corner in [0, 100, 100 * 101, 101 * 101 - 1] {
            assert_eq!(found[corner * 3..][..3], [0; 3]);
        }
        assert_eq!(found[(50 * 101 + 50) * 3..][..3], [255; 3]);
    }

    #[test]
    fn floating_point_pictures_are_turned_like_their_eight_bit_twins() {
        let eight = noisy(37, 24);
        let unit = noise(37 * 24 * 3).map(|v| f32::from(v) / 255.0).collect();
        let unit = Picture::new(37, 24, Pixels::F32(unit)).expect("a picture");
        assert_eq!(turned(&eight, -3.7), turned(&unit, -3.7));
    }
}
