//! Changes of colour and sharpness, as in the augmentation libraries the published recipes use. Moves no pixel.

use super::Frame;
use super::draw::Draw;

/// The same change for every pixel: one table for each channel.
pub(super) fn with_tables(frame: &mut Frame, tables: &[[u8; 256]; 3]) {
    for pixel in frame.rgb_mut().chunks_exact_mut(3) {
        for (value, table) in pixel.iter_mut().zip(tables) {
            *value = table[usize::from(*value)];
        }
    }
}

fn table(change: impl Fn(f32) -> f32) -> [u8; 256] {
    std::array::from_fn(|value| (change(value as f32) + 0.5) as u8)
}

/// Each channel with an exponent of its own, from 0.5 to 2.
pub(super) fn gamma(frame: &mut Frame, draw: &mut Draw) {
    let tables = std::array::from_fn(|_| {
        let exponent = draw.between(-1.0, 1.0).exp2();
        table(|v| 255.0 * (v / 255.0).powf(exponent))
    });
    with_tables(frame, &tables);
}

/// `factor * value + offset`.
pub(super) fn brightness(frame: &mut Frame, factor: f32, offset: f32) {
    with_tables(frame, &[table(|v| v * factor + offset); 3]);
}

/// Brighter values turned over: from `threshold` up.
pub(super) fn solarise(frame: &mut Frame, threshold: u8) {
    let threshold = f32::from(threshold);
    with_tables(
        frame,
        &[table(|v| if v >= threshold { 255.0 - v } else { v }); 3],
    );
}

/// Only the upper bits are kept.
pub(super) fn posterise(frame: &mut Frame, bits: u32) {
    let kept = 0xFFu8 << (8 - bits.clamp(1, 8));
    with_tables(frame, &[std::array::from_fn(|v| v as u8 & kept); 3]);
}

pub(super) fn invert(frame: &mut Frame) {
    with_tables(frame, &[table(|v| 255.0 - v); 3]);
}

/// Each channel stretched to 0..255.
pub(super) fn autocontrast(frame: &mut Frame) {
    let tables = histograms(frame).map(|histogram| {
        let used = |v: &usize| histogram[*v] > 0;
        let low = (0..256).find(used).unwrap_or(0) as f32;
        let high = (0..256).rev().find(used).unwrap_or(255) as f32;
        if high > low {
            table(|v| (v - low) * 255.0 / (high - low))
        } else {
            table(|v| v)
        }
    });
    with_tables(frame, &tables);
}

/// Each channel with all values about as frequent.
pub(super) fn equalise(frame: &mut Frame) {
    let pixels = frame.pixels() as f32;
    let tables = histograms(frame).map(|histogram| {
        let mut below = 0;
        std::array::from_fn(|value| {
            let middle = below as f32 + histogram[value] as f32 / 2.0;
            below += histogram[value];
            (255.0 * middle / pixels) as u8
        })
    });
    with_tables(frame, &tables);
}

fn histograms(frame: &Frame) -> [[u32; 256]; 3] {
    let mut histograms = [[0; 256]; 3];
    for pixel in frame.rgb().chunks_exact(3) {
        for (histogram, &value) in histograms.iter_mut().zip(pixel) {
            histogram[usize::from(value)] += 1;
        }
    }
    histograms
}

/// Hue turned by `degrees` and colour strengthened by `factor` at equal luma. A linear map in place of hue,
/// saturation and value: close to it, smooth at grey, and an order of magnitude faster.
pub(super) fn hue_and_saturation(frame: &mut Frame, degrees: f32, factor: f32) {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (sin, cos) = (sin * factor, cos * factor);
    // Luma, and the two difference channels of YIQ with the angle between them turned.
    let luma = [0.299, 0.587, 0.114];
    let i = [0.596, -0.274, -0.322];
    let q = [0.211, -0.523, 0.312];
    let back = [[0.956, 0.621], [-0.272, -0.647], [-1.107, 1.704]];
    let matrix: [[f32; 3]; 3] = std::array::from_fn(|row| {
        std::array::from_fn(|c| {
            let (i, q) = (cos * i[c] - sin * q[c], sin * i[c] + cos * q[c]);
            luma[c] + back[row][0] * i + back[row][1] * q
        })
    });
    for pixel in frame.rgb_mut().chunks_exact_mut(3) {
        let [r, g, b] = [0, 1, 2].map(|c| f32::from(pixel[c]));
        for (value, row) in pixel.iter_mut().zip(&matrix) {
            *value = (row[0] * r + row[1] * g + row[2] * b + 0.5) as u8;
        }
    }
}

/// Contrast about middle grey.
pub(super) fn contrast(frame: &mut Frame, factor: f32) {
    with_tables(frame, &[table(|v| 128.0 + (v - 128.0) * factor); 3]);
}

/// Normal noise with this deviation, the same for all channels of a pixel.
pub(super) fn noise(frame: &mut Frame, deviation: f32, draw: &mut Draw) {
    for pixel in frame.rgb_mut().chunks_exact_mut(3) {
        let change = deviation * draw.normal();
        for value in pixel {
            *value = (f32::from(*value) + change + 0.5) as u8;
        }
    }
}

/// Sharper, by `amount` times the difference from the surroundings.
pub(super) fn sharpen(frame: &mut Frame, amount: f32) {
    let side = -amount / 4.0;
    convolve(
        frame,
        &[
            [0.0, side, 0.0],
            [side, 1.0 + amount, side],
            [0.0, side, 0.0],
        ],
    );
}

/// As if lit from one corner.
pub(super) fn emboss(frame: &mut Frame, amount: f32) {
    let half = amount / 2.0;
    convolve(
        frame,
        &[
            [-amount, -half, 0.0],
            [-half, 1.0, half],
            [0.0, half, amount],
        ],
    );
}

/// A small blur; twice is wider.
pub(super) fn blur(frame: &mut Frame) {
    let (corner, side) = (1.0 / 16.0, 2.0 / 16.0);
    convolve(
        frame,
        &[
            [corner, side, corner],
            [side, 4.0 / 16.0, side],
            [corner, side, corner],
        ],
    );
}

/// A 3 x 3 kernel; the border is repeated.
fn convolve(frame: &mut Frame, kernel: &[[f32; 3]; 3]) {
    let (width, height) = (frame.width(), frame.height());
    let source = frame.rgb().to_vec();
    let stride = width * 3;
    let rows = frame.rgb_mut().chunks_exact_mut(stride).enumerate();
    let mut sums = vec![0.0f32; stride];
    for (y, line) in rows {
        sums.fill(0.5);
        for (row, weights) in kernel.iter().enumerate() {
            let from = (y + row).saturating_sub(1).min(height - 1);
            let from = &source[from * stride..][..stride];
            add(&mut sums, from, weights, stride);
        }
        for (value, sum) in line.iter_mut().zip(&sums) {
            *value = *sum as u8;
        }
    }
}

/// Adds one row, weighted left, middle and right.
fn add(sums: &mut [f32], row: &[u8], weights: &[f32; 3], stride: usize) {
    for (sum, &value) in sums.iter_mut().zip(row) {
        *sum += weights[1] * f32::from(value);
    }
    for (sum, &value) in sums[3..].iter_mut().zip(row) {
        *sum += weights[0] * f32::from(value);
    }
    for (sum, &value) in sums.iter_mut().zip(&row[3..]) {
        *sum += weights[2] * f32::from(value);
    }
    for channel in 0..3 {
        sums[channel] += weights[0] * f32::from(row[channel]);
        sums[stride - 3 + channel] += weights[2] * f32::from(row[stride - 3 + channel]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::image::Size;

    fn frame() -> Frame {
        let size = Size {
            width: 7,
            height: 5,
        };
        Frame::from_fn(size, |x, y| [30 * x as u8 + 20, 40 * y as u8 + 10, 90])
    }

    fn after(change: impl Fn(&mut Frame)) -> Frame {
        let mut changed = frame();
        change(&mut changed);
        changed
    }

    #[test]
    fn neutral_amounts_change_nothing() {
        assert_eq!(after(|f| brightness(f, 1.0, 0.0)), frame());
        assert_eq!(after(|f| contrast(f, 1.0)), frame());
        assert_eq!(after(|f| posterise(f, 8)), frame());
        assert_eq!(after(|f| sharpen(f, 0.0)), frame());
        assert_eq!(after(|f| emboss(f, 0.0)), frame());
        assert_eq!(after(|f| noise(f, 0.0, &mut Draw::new(0, 0))), frame());
        let turned = after(|f| hue_and_saturation(f, 0.0, 1.0));
        let off = turned.rgb().iter().zip(frame().into_rgb());
        assert!(off.into_iter().all(|(a, b)| a.abs_diff(b) <= 1));
    }

    #[test]
    fn tables_do_what_their_names_say() {
        assert_eq!(after(|f| brightness(f, 0.5, 30.0)).pixel(0), [40, 35, 75]);
        assert_eq!(after(invert).pixel(0), [235, 245, 165]);
        assert_eq!(after(|f| solarise(f, 90)).pixel(0), [20, 10, 165]);
        assert_eq!(after(|f| posterise(f, 2)).pixel(34), [192, 128, 64]);
        let stretched = after(autocontrast);
        assert_eq!(
            (stretched.pixel(0), stretched.pixel(34)),
            ([0, 0, 90], [255, 255, 90])
        );
        assert_eq!(after(equalise).pixel(0)[2], 127);
    }

    #[test]
    fn luma_survives_a_change_of_hue_and_grey_stays_grey() {
        let mut grey = Frame::new(1, 1, vec![80; 3]).expect("a pixel");
        hue_and_saturation(&mut grey, 70.0, 1.3);
        assert!(grey.rgb().iter().all(|&v| v.abs_diff(80) <= 1));
        let mut red = Frame::new(1, 1, vec![150, 90, 90]).expect("a pixel");
        let before = super::super::foreground::luma(red.rgb());
        hue_and_saturation(&mut red, 60.0, 1.0);
        assert!(super::super::foreground::luma(red.rgb()).abs_diff(before) <= 1);
        assert!(red.rgb()[0].abs_diff(150) > 5);
    }

    #[test]
    fn kernels_keep_even_areas_and_blurring_evens_out() {
        let flat = Frame::from_fn(frame().size(), |_, _| [50, 60, 70]);
        for change in [
            blur,
            |f: &mut Frame| sharpen(f, 0.7),
            |f: &mut Frame| emboss(f, 0.5),
        ] {
            let mut changed = flat.clone();
            change(&mut changed);
            assert_eq!(changed, flat);
        }
        let mut dot = Frame::from_fn(frame().size(), |x, y| {
            [if (x, y) == (3, 2) { 160 } else { 0 }; 3]
        });
        blur(&mut dot);
        assert_eq!(
            [(3, 2), (2, 2), (4, 3)].map(|(x, y)| dot.pixel(y * 7 + x)[0]),
            [40, 20, 10]
        );
        let mut one = Frame::new(1, 1, vec![9, 8, 7]).expect("a pixel");
        blur(&mut one);
        assert_eq!(one.rgb(), [9, 8, 7]);
    }
}
