//! Where the product is in a picture: decided once for a data set, then applied to each picture.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Frame;
use super::regions::{closed_then_opened, fill_holes};

/// How many good pictures the decision looks at.
const LOOKED_AT: usize = 16;
/// A product that covers less or more of the picture than this was not told from its background.
const PLAUSIBLE: std::ops::RangeInclusive<f32> = 0.05..=0.9;
/// The product may reach the border, but a background that holds less of the border than this is none.
const LEAST_BACKGROUND_AT_BORDER: f32 = 0.65;
/// The share of the pictures that must agree which side is the product.
const AGREEMENT: f32 = 0.8;
/// Side of the square for closing and opening, in a picture whose shorter side is 256.
const SQUARE: usize = 6;

/// How the product is told from the background.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForegroundRule {
    /// Found out from the good pictures.
    #[default]
    Automatic,
    /// No background: the product fills the picture.
    Everything,
    /// A bright product on a dark background.
    Bright,
    /// A dark product on a bright background.
    Dark,
}

impl ForegroundRule {
    pub const ALL: [Self; 4] = [Self::Automatic, Self::Everything, Self::Bright, Self::Dark];

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Everything => "everything",
            Self::Bright => "bright",
            Self::Dark => "dark",
        }
    }
}

impl fmt::Display for ForegroundRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ForegroundRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rule = Self::ALL.into_iter().find(|rule| rule.name() == text);
        rule.ok_or_else(|| {
            format!("`{text}` is no foreground; use automatic, everything, bright or dark")
        })
    }
}

/// The decision for a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreground {
    rule: ForegroundRule,
    reason: String,
}

impl Foreground {
    /// Decides from good pictures unless the rule leaves nothing to decide.
    pub fn resolve(rule: ForegroundRule, goods: &[&Frame]) -> Self {
        let chosen = |reason: &str| Self {
            rule,
            reason: reason.to_owned(),
        };
        match rule {
            ForegroundRule::Automatic => decide(goods),
            ForegroundRule::Everything => chosen("the whole picture, as chosen"),
            ForegroundRule::Bright => chosen("a bright product on a dark background, as chosen"),
            ForegroundRule::Dark => chosen("a dark product on a bright background, as chosen"),
        }
    }

    /// The rule that is applied; never [`ForegroundRule::Automatic`].
    pub fn rule(&self) -> ForegroundRule {
        self.rule
    }

    /// Why, in words for people.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The product's pixels, row-major. Never empty: a picture in which nothing is found counts as product everywhere.
    pub fn mask(&self, frame: &Frame) -> Vec<bool> {
        match self.rule {
            ForegroundRule::Bright => product(frame, Side::Bright),
            ForegroundRule::Dark => product(frame, Side::Dark),
            ForegroundRule::Automatic | ForegroundRule::Everything => vec![true; frame.pixels()],
        }
    }
}

/// The side of the threshold that the product is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Bright,
    Dark,
}

/// The product is the side that holds less of the border, if the pictures agree and it covers a plausible part of them.
fn decide(goods: &[&Frame]) -> Foreground {
    let everything = |reason: String| Foreground {
        rule: ForegroundRule::Everything,
        reason,
    };
    let step = goods.len().div_ceil(LOOKED_AT).max(1);
    let looked_at: Vec<&Frame> = goods.iter().copied().step_by(step).collect();
    let borders: Vec<f32> = looked_at.iter().map(|frame| bright_border(frame)).collect();
    let Some(border) = median(&borders) else {
        return everything("the whole picture: there is no good picture to look at".to_owned());
    };
    let (side, rule, words) = if border < 0.5 {
        let words = "a bright product on a dark background";
        (Side::Bright, ForegroundRule::Bright, words)
    } else {
        let words = "a dark product on a bright background";
        (Side::Dark, ForegroundRule::Dark, words)
    };
    let agreeing = borders.iter().filter(|&&b| (b < 0.5) == (border < 0.5));
    let agreement = agreeing.count() as f32 / borders.len() as f32;
    if border.max(1.0 - border) < LEAST_BACKGROUND_AT_BORDER || agreement < AGREEMENT {
        return everything("the whole picture: no even background along its border".to_owned());
    }
    let shares: Vec<f32> = looked_at
        .iter()
        .map(|frame| share(&segmented(frame, side)))
        .collect();
    let covered = median(&shares).unwrap_or(1.0);
    let percent = (covered * 100.0).round();
    if PLAUSIBLE.contains(&covered) {
        let reason = format!("{words}; it covers {percent} % of the picture");
        Foreground { rule, reason }
    } else {
        everything(format!(
            "the whole picture: {words} would cover {percent} % of it, which is hardly the product"
        ))
    }
}

fn product(frame: &Frame, side: Side) -> Vec<bool> {
    let mask = segmented(frame, side);
    if mask.contains(&true) {
        mask
    } else {
        vec![true; frame.pixels()]
    }
}

/// One side of Otsu's threshold, closed, opened and without holes: a product's dark hollow or shining middle is its own.
fn segmented(frame: &Frame, side: Side) -> Vec<bool> {
    let grey = grey(frame);
    let threshold = otsu(&grey);
    let raw: Vec<bool> = grey
        .iter()
        .map(|&value| (value > threshold) == (side == Side::Bright))
        .collect();
    let square = (SQUARE * frame.shorter_side()).div_ceil(256).max(2);
    let mut mask = closed_then_opened(&raw, frame.size(), square);
    fill_holes(&mut mask, frame.size());
    mask
}

/// The share of the border that is brighter than the threshold.
fn bright_border(frame: &Frame) -> f32 {
    let grey = grey(frame);
    let threshold = otsu(&grey);
    let (width, height) = (frame.width(), frame.height());
    let sides = (0..height).flat_map(|y| [y * width, y * width + width - 1]);
    let border = (0..width)
        .flat_map(|x| [x, (height - 1) * width + x])
        .chain(sides);
    let bright = border.filter(|&i| grey[i] > threshold).count();
    bright as f32 / (2 * (width + height)) as f32
}

/// Luma as in ITU-R BT.601.
fn grey(frame: &Frame) -> Vec<u8> {
    frame.rgb().chunks_exact(3).map(luma).collect()
}

pub(super) fn luma(pixel: &[u8]) -> u8 {
    let [red, green, blue] = [0, 1, 2].map(|c| u32::from(pixel[c]));
    ((299 * red + 587 * green + 114 * blue + 500) / 1000) as u8
}

/// The value above which the bright class begins: Otsu 1979, greatest variance between the classes.
fn otsu(grey: &[u8]) -> u8 {
    let mut histogram = [0u64; 256];
    for &value in grey {
        histogram[usize::from(value)] += 1;
    }
    let total = grey.len() as f64;
    let sum: f64 = (0..256).map(|v| v as f64 * histogram[v] as f64).sum();
    let (mut below, mut sum_below) = (0.0, 0.0);
    let (mut best, mut threshold) = (0.0, 0);
    for value in 0..255 {
        below += histogram[value] as f64;
        sum_below += value as f64 * histogram[value] as f64;
        if below == 0.0 || below == total {
            continue;
        }
        let apart = sum_below / below - (sum - sum_below) / (total - below);
        let between = below * (total - below) * apart * apart;
        if between > best {
            (best, threshold) = (between, value as u8);
        }
    }
    threshold
}

fn share(mask: &[bool]) -> f32 {
    mask.iter().filter(|&&m| m).count() as f32 / mask.len() as f32
}

fn median(values: &[f32]) -> Option<f32> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::{Foreground, ForegroundRule, Frame, otsu, share};
    use crate::data::image::Size;

    fn frame(width: usize, height: usize, grey: impl Fn(usize, usize) -> u8) -> Frame {
        Frame::from_fn(Size { width, height }, |x, y| [grey(x, y); 3])
    }

    /// A disc of radius 20 in the middle of 64 x 48 pixels.
    fn disc(inside: u8, outside: u8) -> Frame {
        frame(64, 48, |x, y| {
            let (dx, dy) = (x as f32 - 31.5, y as f32 - 23.5);
            if dx.hypot(dy) < 20.0 { inside } else { outside }
        })
    }

    fn automatic(frames: &[Frame]) -> Foreground {
        let frames: Vec<&Frame> = frames.iter().collect();
        Foreground::resolve(ForegroundRule::Automatic, &frames)
    }

    #[test]
    fn rules_keep_their_names() {
        for rule in ForegroundRule::ALL {
            assert_eq!(rule.name().parse(), Ok(rule));
            let json = serde_json::to_string(&rule).expect("json");
            assert_eq!(json, format!("\"{rule}\""));
        }
        assert!("blue".parse::<ForegroundRule>().is_err());
        assert_eq!(ForegroundRule::default(), ForegroundRule::Automatic);
    }

    #[test]
    fn the_side_that_touches_the_border_less_is_the_product() {
        for (inside, outside, rule) in [
            (200, 40, ForegroundRule::Bright),
            (40, 200, ForegroundRule::Dark),
        ] {
            let goods = [disc(inside, outside), disc(inside, outside)];
            let foreground = automatic(&goods);
            assert_eq!(foreground.rule(), rule);
            assert!(
                foreground.reason().contains("41 %"),
                "{}",
                foreground.reason()
            );
            let mask = foreground.mask(&goods[0]);
            assert!(mask[24 * 64 + 32] && !mask[0]);
        }
    }

    #[test]
    fn a_shining_middle_belongs_to_the_product() {
        let ring = frame(64, 64, |x, y| {
            let distance = (x as f32 - 31.5).hypot(y as f32 - 31.5);
            if (12.0..26.0).contains(&distance) {
                30
            } else {
                220
            }
        });
        let foreground = automatic(std::slice::from_ref(&ring));
        let mask = foreground.mask(&ring);
        assert_eq!(foreground.rule(), ForegroundRule::Dark);
        assert!(mask[32 * 64 + 32] && !mask[0]);
    }

    #[test]
    fn surfaces_flat_pictures_and_disagreement_count_as_everything() {
        let checkers = frame(
            64,
            64,
            |x, y| if (x / 8 + y / 8) % 2 == 0 { 50 } else { 180 },
        );
        let speck = frame(64, 64, |x, y| {
            if (30..36).contains(&x) && (30..36).contains(&y) {
                9
            } else {
                200
            }
        });
        for goods in [
            vec![checkers],
            vec![frame(20, 20, |_, _| 90)],
            vec![speck],
            vec![disc(200, 40), disc(40, 200)],
            vec![],
        ] {
            let foreground = automatic(&goods);
            assert_eq!(foreground.rule(), ForegroundRule::Everything);
            assert!(foreground.reason().starts_with("the whole picture"));
            if let Some(good) = goods.first() {
                assert!(foreground.mask(good).iter().all(|&m| m));
            }
        }
    }

    #[test]
    fn the_users_rule_is_taken_as_it_is_and_never_leaves_nothing() {
        let good = disc(40, 200);
        let resolve = |rule| Foreground::resolve(rule, &[&good]);
        assert!(share(&resolve(ForegroundRule::Bright).mask(&good)) > 0.5);
        assert!(share(&resolve(ForegroundRule::Dark).mask(&good)) < 0.5);
        assert_eq!(share(&resolve(ForegroundRule::Everything).mask(&good)), 1.0);
        let flat = frame(9, 9, |_, _| 7);
        for rule in ForegroundRule::ALL {
            assert_eq!(resolve(rule).mask(&flat).len(), 81);
            assert!(resolve(rule).mask(&flat).contains(&true));
        }
    }

    #[test]
    fn the_threshold_lies_between_two_heaps_of_values() {
        assert_eq!(otsu(&[10, 10, 12, 200, 201]), 12);
        assert_eq!(otsu(&[5; 4]), 0);
    }
}
