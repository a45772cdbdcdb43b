//! Textures drawn by code, for where no folder of textures is at hand. Covers whole frames; shapes come from elsewhere.

use std::f32::consts::{PI, TAU};

use super::Frame;
use super::draw::Draw;
use crate::data::image::Size;
use crate::data::synthetic::texture::fractal;

/// A texture between two colours.
pub(super) fn texture(size: Size, colours: [[f32; 3]; 2], draw: &mut Draw) -> Frame {
    match draw.below(4) {
        0 => clouds(size, colours, draw),
        1 => stripes(size, colours, draw),
        2 => checkers(size, colours, draw),
        _ => grain(size, colours, draw),
    }
}

/// Two colours, each anywhere.
pub(super) fn any_colours(draw: &mut Draw) -> [[f32; 3]; 2] {
    std::array::from_fn(|_| std::array::from_fn(|_| draw.between(0.0, 255.0)))
}

/// Two colours near one of the product's: darker or brighter, and slightly of another hue.
pub(super) fn related_colours(near: [u8; 3], draw: &mut Draw) -> [[f32; 3]; 2] {
    std::array::from_fn(|_| {
        let shift = draw.sign() * draw.between(20.0, 110.0);
        near.map(|v| (f32::from(v) + shift + draw.around_zero(18.0)).clamp(0.0, 255.0))
    })
}

/// Fractal noise; drawn at half size, since its finest features are wider than two pixels.
fn clouds(size: Size, colours: [[f32; 3]; 2], draw: &mut Draw) -> Frame {
    let cell = draw.between(0.04, 0.25) * size.width.min(size.height) as f32;
    let seed = draw.seed();
    let half = Size {
        width: size.width.div_ceil(2),
        height: size.height.div_ceil(2),
    };
    let field: Vec<f32> = (0..half.pixels())
        .map(|i| {
            let (x, y) = ((i % half.width * 2) as f32, (i / half.width * 2) as f32);
            0.5 + 0.9 * fractal([x / cell, y / cell], 4, seed)
        })
        .collect();
    Frame::from_fn(size, |x, y| {
        mixed(colours, field[y / 2 * half.width + x / 2])
    })
}

fn stripes(size: Size, colours: [[f32; 3]; 2], draw: &mut Draw) -> Frame {
    let (sin, cos) = draw.between(0.0, PI).sin_cos();
    let period = draw.between(3.0, 24.0) * size.width.min(size.height) as f32 / 256.0;
    let (across, down) = (cos / period, sin / period);
    let phase = draw.unit();
    // A table of one period: the sine would take most of the time.
    let wave: [f32; 256] = std::array::from_fn(|i| 0.5 + 0.5 * (TAU * i as f32 / 256.0).sin());
    Frame::from_fn(size, |x, y| {
        let place = phase + 64.0 + x as f32 * across + y as f32 * down;
        mixed(colours, wave[(place * 256.0) as usize & 255])
    })
}

fn checkers(size: Size, colours: [[f32; 3]; 2], draw: &mut Draw) -> Frame {
    let (sin, cos) = draw.between(0.0, PI / 2.0).sin_cos();
    let side = draw.between(4.0, 24.0) * size.width.min(size.height) as f32 / 256.0;
    let (sin, cos) = (sin / side, cos / side);
    Frame::from_fn(size, |x, y| {
        let (x, y) = (x as f32, y as f32);
        let column = (4096.0 + x * cos + y * sin) as u32;
        let row = (4096.0 - x * sin + y * cos) as u32;
        mixed(colours, ((column + row) & 1) as f32)
    })
}

fn grain(size: Size, colours: [[f32; 3]; 2], draw: &mut Draw) -> Frame {
    Frame::from_fn(size, |_, _| mixed(colours, 0.5 + 0.25 * draw.normal()))
}

fn mixed([a, b]: [[f32; 3]; 2], amount: f32) -> [u8; 3] {
    let amount = amount.clamp(0.0, 1.0);
    std::array::from_fn(|c| (a[c] + (b[c] - a[c]) * amount + 0.5) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_texture_fills_the_frame_with_more_than_one_colour() {
        let colours = [[10.0, 20.0, 30.0], [200.0, 100.0, 250.0]];
        for kind in [clouds, stripes, checkers, grain] {
            for (width, height) in [(64, 64), (61, 130), (1, 1)] {
                let size = Size { width, height };
                let frame = kind(size, colours, &mut Draw::new(2, 0));
                assert_eq!(frame.size(), size);
                let first = frame.pixel(0);
                assert!(size.pixels() == 1 || (0..size.pixels()).any(|i| frame.pixel(i) != first));
                assert!(
                    frame
                        .rgb()
                        .chunks_exact(3)
                        .all(|p| p[0] >= 10 && p[0] <= 200)
                );
            }
        }
    }

    #[test]
    fn related_colours_stay_near_and_differ() {
        let mut draw = Draw::new(0, 0);
        for _ in 0..50 {
            for colour in related_colours([128; 3], &mut draw) {
                assert!(colour.iter().all(|v| (0.0..=255.0).contains(v)));
                let mean = colour.iter().sum::<f32>() / 3.0;
                assert!((mean - 128.0).abs() > 1.0);
            }
        }
    }
}
