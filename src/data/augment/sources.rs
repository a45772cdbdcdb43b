//! What simulated defects are made of: the picture itself shuffled, other pictures, textures. Places nothing.

use super::colour;
use super::draw::Draw;
use super::warp::{Symmetry, Warp};
use super::{Frame, SimulatedSettings};

/// The picture itself: mirrored or turned, shifted in colour, cut into a grid and shuffled (`MemSeg`'s structural source).
pub(super) fn shuffled(frame: &Frame, grid: [usize; 2], draw: &mut Draw) -> Frame {
    let mut source = Symmetry::any(frame.size(), draw).frame(frame);
    shift_colour(&mut source, draw);
    let [rows, columns] = [grid[0].min(frame.height()), grid[1].min(frame.width())];
    let (tile_width, tile_height) = (frame.width() / columns, frame.height() / rows);
    let order = draw.order(rows * columns);
    // What the grid leaves over at the right and bottom joins the last column and row.
    let place = |at: usize, tile: usize, count: usize| (at / tile).min(count - 1);
    Frame::from_fn(frame.size(), |x, y| {
        let (column, row) = (place(x, tile_width, columns), place(y, tile_height, rows));
        let from = order[row * columns + column];
        let (dx, dy) = (x - column * tile_width, y - row * tile_height);
        let from_x = (from % columns * tile_width + dx).min(frame.width() - 1);
        let from_y = (from / columns * tile_height + dy).min(frame.height() - 1);
        source.pixel(from_y * frame.width() + from_x)
    })
}

/// Another picture of the product, mirrored and moved so that it does not lie exactly on this one, then changed.
pub(super) fn displaced(other: &Frame, settings: &SimulatedSettings, draw: &mut Draw) -> Frame {
    let source = Symmetry::any(other.size(), draw).frame(other);
    let (width, height) = (other.width(), other.height());
    let (dx, dy) = (
        draw.whole(width / 8, width - width / 8),
        draw.whole(height / 8, height - height / 8),
    );
    let mut moved = Frame::from_fn(other.size(), |x, y| {
        source.pixel((y + dy) % height * width + (x + dx) % width)
    });
    change_texture(&mut moved, settings.operations.min(1), draw);
    moved
}

/// Different operations of colour, sharpness and direction, drawn from DRAEM's list of ten.
pub(super) fn change_texture(texture: &mut Frame, operations: usize, draw: &mut Draw) {
    for operation in draw.distinct(&Operation::ALL, operations) {
        operation.apply(texture, draw);
    }
}

/// Brighter or darker, and a little of another hue.
fn shift_colour(frame: &mut Frame, draw: &mut Draw) {
    colour::brightness(frame, draw.between(0.8, 1.2), draw.around_zero(20.0));
    colour::hue_and_saturation(frame, draw.around_zero(20.0), draw.between(0.8, 1.2));
}

#[derive(Debug, Clone, Copy)]
enum Operation {
    Gamma,
    Brightness,
    Sharpness,
    HueAndSaturation,
    Solarise,
    Posterise,
    Invert,
    Autocontrast,
    Equalise,
    Turn,
}

impl Operation {
    const ALL: [Self; 10] = [
        Self::Gamma,
        Self::Brightness,
        Self::Sharpness,
        Self::HueAndSaturation,
        Self::Solarise,
        Self::Posterise,
        Self::Invert,
        Self::Autocontrast,
        Self::Equalise,
        Self::Turn,
    ];

    fn apply(self, texture: &mut Frame, draw: &mut Draw) {
        match self {
            Self::Gamma => colour::gamma(texture, draw),
            Self::Brightness => {
                colour::brightness(texture, draw.between(0.8, 1.2), draw.around_zero(30.0));
            }
            Self::Sharpness => colour::sharpen(texture, draw.between(0.2, 1.5)),
            // The published 50 of 255 steps of hue are 70 degrees.
            Self::HueAndSaturation => {
                colour::hue_and_saturation(texture, draw.around_zero(70.0), draw.between(0.6, 1.6));
            }
            Self::Solarise => {
                if draw.chance(0.5) {
                    colour::solarise(texture, draw.whole(32, 128) as u8);
                }
            }
            Self::Posterise => colour::posterise(texture, draw.whole(2, 6) as u32),
            Self::Invert => colour::invert(texture),
            Self::Autocontrast => colour::autocontrast(texture),
            Self::Equalise => colour::equalise(texture),
            Self::Turn => {
                let warp = Warp::turn(texture.size(), draw.around_zero(45.0));
                *texture = warp.frame(texture);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Draw, Frame, Operation, displaced, shuffled};
    use crate::data::augment::AugmentSettings;
    use crate::data::image::Size;

    fn frame(width: usize, height: usize) -> Frame {
        Frame::from_fn(Size { width, height }, |x, y| {
            [(x * 3) as u8, (y * 5) as u8, 60]
        })
    }

    #[test]
    fn sources_have_the_pictures_size_whatever_it_is() {
        let settings = AugmentSettings::published().simulated;
        let mut draw = Draw::new(0, 0);
        for (width, height) in [(64, 64), (61, 37), (224, 20), (3, 2), (1, 1)] {
            let frame = frame(width, height);
            let shuffled = shuffled(&frame, [4, 8], &mut draw);
            assert_eq!(shuffled.size(), frame.size());
            assert_eq!(displaced(&frame, &settings, &mut draw).size(), frame.size());
            for operation in Operation::ALL {
                let mut changed = frame.clone();
                operation.apply(&mut changed, &mut draw);
                assert_eq!(changed.size(), frame.size(), "{operation:?}");
            }
        }
    }

    #[test]
    fn shuffling_moves_tiles() {
        let frame = frame(64, 64);
        let shuffled = shuffled(&frame, [4, 8], &mut Draw::new(1, 0));
        let moved = (0..64 * 64).filter(|&i| {
            let (a, b) = (frame.pixel(i), shuffled.pixel(i));
            a[0].abs_diff(b[0]) > 40 || a[1].abs_diff(b[1]) > 40
        });
        assert!(moved.count() > 2000);
    }
}
