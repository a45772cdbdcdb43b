//! Extended defects: a seen defect, varied, on a good picture (PRN, Zhang et al. 2023). A hard copy of
//! its pixels: what makes the defect stays untouched.

use super::colour;
use super::draw::Draw;
use super::regions::regions;
use super::warp::{Similarity, Symmetry, Warp};
use super::{BesideProduct, ExtendedSettings, Frame, MarkedFrame};
use crate::data::image::Size;

/// How often operations are drawn again when the defect left the picture.
const ATTEMPTS: usize = 8;

/// A stronger barrel would show the same place twice, near the corners: `1 + 3 k r^2 + 5 k r^4 = 0` at `r^2 = 0.5`.
const FOLDS_BELOW: f32 = -0.36;

/// A good picture with a seen defect on it, and the mask; `None` when the defect left the picture each time.
pub(super) fn extend(
    good: &Frame,
    product: &[bool],
    seen: &MarkedFrame,
    settings: &ExtendedSettings,
    draw: &mut Draw,
) -> Option<(Frame, Vec<bool>)> {
    (0..ATTEMPTS).find_map(|_| {
        let mut varied = Varied {
            frame: seen.frame.clone(),
            mask: seen.mask.clone(),
        };
        for operation in draw.distinct(&Operation::ALL, settings.operations) {
            operation.apply(&mut varied, settings, draw);
        }
        let pasted = paste(good, product, &varied, settings, draw);
        pasted.1.contains(&true).then_some(pasted)
    })
}

struct Varied {
    frame: Frame,
    mask: Vec<bool>,
}

#[derive(Debug, Clone, Copy)]
enum Operation {
    QuarterTurns,
    Flip,
    Transpose,
    Lens,
    Noise,
    Blur,
    ShiftScaleTurn,
    Uneven,
    ContrastOrSharpness,
    HueAndSaturation,
}

impl Operation {
    const ALL: [Self; 10] = [
        Self::QuarterTurns,
        Self::Flip,
        Self::Transpose,
        Self::Lens,
        Self::Noise,
        Self::Blur,
        Self::ShiftScaleTurn,
        Self::Uneven,
        Self::ContrastOrSharpness,
        Self::HueAndSaturation,
    ];

    fn apply(self, varied: &mut Varied, settings: &ExtendedSettings, draw: &mut Draw) {
        let happens = match self {
            Self::QuarterTurns | Self::Flip | Self::Transpose | Self::Lens => true,
            Self::Noise | Self::Blur | Self::ShiftScaleTurn | Self::Uneven => {
                draw.chance(settings.shape_chance)
            }
            Self::ContrastOrSharpness | Self::HueAndSaturation => {
                draw.chance(settings.colour_chance)
            }
        };
        if !happens {
            return;
        }
        match self {
            Self::QuarterTurns | Self::Flip | Self::Transpose => {
                varied.rearrange(self.symmetry(varied.frame.size(), draw));
            }
            Self::Lens | Self::ShiftScaleTurn | Self::Uneven => {
                varied.warp(&self.warp(varied.frame.size(), settings, draw));
            }
            Self::Noise => colour::noise(&mut varied.frame, draw.between(3.0, 12.0), draw),
            Self::Blur => {
                for _ in 0..draw.whole(1, 3) {
                    colour::blur(&mut varied.frame);
                }
            }
            Self::ContrastOrSharpness => match draw.below(3) {
                0 => colour::contrast(&mut varied.frame, draw.between(0.8, 1.25)),
                1 => colour::sharpen(&mut varied.frame, draw.between(0.3, 1.0)),
                _ => colour::emboss(&mut varied.frame, draw.between(0.2, 0.7)),
            },
            Self::HueAndSaturation => {
                let (degrees, factor) = (draw.around_zero(28.0), draw.between(0.8, 1.2));
                colour::hue_and_saturation(&mut varied.frame, degrees, factor);
                colour::brightness(&mut varied.frame, 1.0, draw.around_zero(20.0));
            }
        }
    }

    /// Those that swap sides need a square; in other pictures half a turn takes their place.
    fn symmetry(self, size: Size, draw: &mut Draw) -> Symmetry {
        let square = size.width == size.height;
        let of = |mirrored, upside_down, transposed| Symmetry {
            mirrored,
            upside_down,
            transposed: transposed && square,
        };
        match self {
            // One, two or three quarters.
            Self::QuarterTurns if square => [
                of(true, false, true),
                of(true, true, false),
                of(false, true, true),
            ][draw.below(3)],
            Self::Transpose if square => of(false, false, true),
            Self::Flip => [
                of(true, false, false),
                of(false, true, false),
                of(true, true, false),
            ][draw.below(3)],
            _ => of(true, true, false),
        }
    }

    fn warp(self, size: Size, settings: &ExtendedSettings, draw: &mut Draw) -> Warp {
        match self {
            Self::Lens => Warp::Lens {
                k: draw.between((-settings.lens).max(FOLDS_BELOW), settings.lens),
                size,
            },
            Self::Uneven if draw.chance(0.5) => Warp::strips(size, 0.3, draw),
            Self::Uneven => {
                let reach = draw.between(0.01, 0.03) * size.width.min(size.height) as f32;
                Warp::waves(size, reach, draw)
            }
            _ => {
                let shift = (
                    draw.around_zero(settings.shift) * size.width as f32,
                    draw.around_zero(settings.shift) * size.height as f32,
                );
                let degrees = draw.around_zero(settings.degrees);
                let magnification = 1.0 + draw.around_zero(settings.scale);
                Warp::Similarity(Similarity::new(size, degrees, magnification, shift))
            }
        }
    }
}

impl Varied {
    fn rearrange(&mut self, symmetry: Symmetry) {
        self.mask = symmetry.mask(&self.mask, self.frame.size());
        self.frame = symmetry.frame(&self.frame);
    }

    fn warp(&mut self, warp: &Warp) {
        self.mask = warp.mask(&self.mask, self.frame.size());
        self.frame = warp.frame(&self.frame);
    }
}

/// In place when enough of the defect lies on the product; otherwise each of its regions is moved onto it.
fn paste(
    good: &Frame,
    product: &[bool],
    varied: &Varied,
    settings: &ExtendedSettings,
    draw: &mut Draw,
) -> (Frame, Vec<bool>) {
    let mut target = Target {
        frame: good.clone(),
        mask: vec![false; product.len()],
    };
    let marked = (0..product.len()).filter(|&i| varied.mask[i]);
    let (on_product, all) = marked.fold((0usize, 0usize), |(on, all), i| {
        (on + usize::from(product[i]), all + 1)
    });
    if on_product as f32 > settings.in_place_share * all as f32 {
        target.copy_in_place(varied);
        return (target.frame, target.mask);
    }
    let size = good.size();
    let pasteable = Pasteable {
        varied,
        product,
        size,
        beside: settings.beside_product,
    };
    let moved = regions(&varied.mask, size)
        .iter()
        .filter(|region| pasteable.move_onto(&mut target, region, draw))
        .count();
    if moved == 0 {
        target.copy_in_place(varied);
    }
    (target.frame, target.mask)
}

struct Target {
    frame: Frame,
    mask: Vec<bool>,
}

impl Target {
    fn copy_in_place(&mut self, varied: &Varied) {
        for i in (0..varied.mask.len()).filter(|&i| varied.mask[i]) {
            self.copy(varied, i, i);
        }
    }

    fn copy(&mut self, varied: &Varied, from: usize, to: usize) {
        self.frame.set(to, varied.frame.pixel(from));
        self.mask[to] = true;
    }
}

struct Pasteable<'a> {
    varied: &'a Varied,
    product: &'a [bool],
    size: Size,
    beside: BesideProduct,
}

impl Pasteable<'_> {
    /// Moves a region's centroid to a random point of the product; false where no point leaves room for it.
    fn move_onto(&self, target: &mut Target, region: &[usize], draw: &mut Draw) -> bool {
        let Size { width, height } = self.size;
        let at = |i: usize| (i % width, i / width);
        let count = region.len().max(1);
        let sum = region
            .iter()
            .map(|&i| at(i))
            .fold((0, 0), |s, p| (s.0 + p.0, s.1 + p.1));
        let centroid = (sum.0 / count, sum.1 / count);
        let extent = |of: fn((usize, usize)) -> usize| {
            let values = || region.iter().map(|&i| of(at(i)));
            values().max().unwrap_or(0) + 1 - values().min().unwrap_or(0)
        };
        let (half_width, half_height) = (extent(|p| p.0) / 2, extent(|p| p.1) / 2);
        let has_room = |i: usize| {
            let (x, y) = at(i);
            x >= half_width
                && x + half_width < width
                && y >= half_height
                && y + half_height < height
        };
        let points: Vec<usize> = (0..self.product.len())
            .filter(|&i| self.product[i] && has_room(i))
            .collect();
        let Some(&point) = points.get(draw.below(points.len())) else {
            return false;
        };
        let to = at(point);
        let moved = |i: usize| {
            let (x, y) = at(i);
            let (x, y) = (
                (x + to.0).checked_sub(centroid.0)?,
                (y + to.1).checked_sub(centroid.1)?,
            );
            (x < width && y < height).then_some(y * width + x)
        };
        let pairs: Vec<(usize, usize)> = region
            .iter()
            .filter_map(|&i| moved(i).map(|to| (i, to)))
            .collect();
        let on_product = pairs.iter().any(|&(_, to)| self.product[to]);
        let cut_off = self.beside == BesideProduct::CutOff && on_product;
        let pairs = pairs
            .iter()
            .filter(|&&(_, to)| !cut_off || self.product[to]);
        let mut copied = false;
        for &(from, to) in pairs {
            target.copy(self.varied, from, to);
            copied = true;
        }
        copied
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::augment::AugmentSettings;

    fn size(width: usize, height: usize) -> Size {
        Size { width, height }
    }

    fn good(size: Size) -> Frame {
        Frame::from_fn(size, |_, _| [90, 100, 110])
    }

    fn rect(size: Size, [left, top, right, bottom]: [usize; 4]) -> Vec<bool> {
        (0..size.pixels())
            .map(|i| {
                (left..right).contains(&(i % size.width))
                    && (top..bottom).contains(&(i / size.width))
            })
            .collect()
    }

    fn seen(size: Size, mask: Vec<bool>) -> MarkedFrame {
        let frame = Frame::from_fn(size, |x, y| {
            if mask[y * size.width + x] {
                [250, 20, 20]
            } else {
                [10; 3]
            }
        });
        MarkedFrame {
            frame,
            mask,
            defect: "red".to_owned(),
            id: "test/red/000.png".to_owned(),
        }
    }

    fn settings() -> ExtendedSettings {
        AugmentSettings::published().extended
    }

    #[test]
    fn a_defect_on_the_product_stays_in_its_place() {
        let size = size(40, 30);
        let seen = seen(size, rect(size, [10, 10, 16, 16]));
        let mut settings = settings();
        settings.operations = 0;
        let product = rect(size, [0, 0, 15, 30]);
        let (frame, mask) = extend(
            &good(size),
            &product,
            &seen,
            &settings,
            &mut Draw::new(0, 0),
        )
        .expect("pasted");
        assert_eq!(mask, seen.mask);
        for (i, &marked) in mask.iter().enumerate() {
            let expected = if marked {
                [250, 20, 20]
            } else {
                [90, 100, 110]
            };
            assert_eq!(frame.pixel(i), expected);
        }
    }

    #[test]
    fn regions_beside_the_product_are_moved_onto_it() {
        let size = size(60, 40);
        let two: Vec<bool> = rect(size, [2, 2, 8, 6])
            .iter()
            .zip(rect(size, [50, 30, 54, 38]))
            .map(|(a, b)| a | b)
            .collect();
        let seen = seen(size, two);
        let product = rect(size, [20, 10, 40, 30]);
        let mut settings = settings();
        settings.operations = 0;
        for beside in [BesideProduct::Kept, BesideProduct::CutOff] {
            settings.beside_product = beside;
            for seed in 0..20 {
                let (frame, mask) = extend(
                    &good(size),
                    &product,
                    &seen,
                    &settings,
                    &mut Draw::new(seed, 0),
                )
                .expect("pasted");
                let marked = mask.iter().filter(|&&m| m).count();
                assert!(marked > 0 && marked <= 24 + 32);
                let beside_product = (0..mask.len()).any(|i| mask[i] && !product[i]);
                assert!(!beside_product || beside == BesideProduct::Kept);
                for (i, &marked) in mask.iter().enumerate() {
                    assert_eq!(frame.pixel(i) == [250, 20, 20], marked);
                }
            }
        }
    }

    #[test]
    fn a_mask_over_the_whole_picture_and_one_of_a_single_pixel_are_pasted() {
        for size in [size(32, 32), size(48, 20), size(1, 1)] {
            let tiny_product: Vec<bool> =
                (0..size.pixels()).map(|i| i == size.pixels() / 2).collect();
            for product in [vec![true; size.pixels()], tiny_product] {
                for mask in [
                    vec![true; size.pixels()],
                    (0..size.pixels()).map(|i| i == 0).collect(),
                ] {
                    let seen = seen(size, mask);
                    for seed in 0..30 {
                        let made = extend(
                            &good(size),
                            &product,
                            &seen,
                            &settings(),
                            &mut Draw::new(seed, 0),
                        );
                        if let Some((_, mask)) = made {
                            assert!(mask.contains(&true));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn each_operation_keeps_the_size_and_moves_mask_and_picture_together() {
        let mut always = settings();
        (always.shape_chance, always.colour_chance) = (1.0, 1.0);
        for size in [size(64, 64), size(80, 48)] {
            for operation in Operation::ALL {
                let seen = seen(size, rect(size, [24, 16, 40, 30]));
                let mut varied = Varied {
                    frame: seen.frame,
                    mask: seen.mask,
                };
                operation.apply(&mut varied, &always, &mut Draw::new(3, 0));
                assert_eq!(varied.frame.size(), size);
                let red = |i: usize| varied.frame.pixel(i)[0] > 130;
                let off = (0..size.pixels())
                    .filter(|&i| red(i) != varied.mask[i])
                    .count();
                assert!(off < 60, "{operation:?}: {off}");
            }
        }
    }
}
