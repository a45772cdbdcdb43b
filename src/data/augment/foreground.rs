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
/// The share of the variance that the threshold must explain: one heap of values, cut in two, has 0.64.
const LEAST_EXPLAINED: f32 = 0.65;
/// By how much colour must explain more than brightness to be preferred.
const COLOUR_ADVANTAGE: f32 = 0.05;
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
    /// A colourful product on a grey, black or white background.
    Colourful,
    /// A grey, black or white product on a colourful background.
    Pale,
}

impl ForegroundRule {
    pub const ALL: [Self; 6] = [
        Self::Automatic,
        Self::Everything,
        Self::Bright,
        Self::Dark,
        Self::Colourful,
        Self::Pale,
    ];

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Everything => "everything",
            Self::Bright => "bright",
            Self::Dark => "dark",
            Self::Colourful => "colourful",
            Self::Pale => "pale",
        }
    }

    /// As it is shown to people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Automatic => "found out from the good pictures",
            Self::Everything => "the whole picture",
            Self::Bright => "a bright product on a dark background",
            Self::Dark => "a dark product on a bright background",
            Self::Colourful => "a colourful product on a plain background",
            Self::Pale => "a plain product on a colourful background",
        }
    }

    /// The cue and the side of its threshold that the product is on.
    fn cut(self) -> Option<(Cue, Side)> {
        match self {
            Self::Automatic | Self::Everything => None,
            Self::Bright => Some((Cue::Brightness, Side::Above)),
            Self::Dark => Some((Cue::Brightness, Side::Below)),
            Self::Colourful => Some((Cue::Colour, Side::Above)),
            Self::Pale => Some((Cue::Colour, Side::Below)),
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
            format!("`{text}` is no foreground; use automatic, everything, bright, dark, colourful or pale")
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
        if rule == ForegroundRule::Automatic {
            return decide(goods);
        }
        let reason = format!("{}, as chosen", rule.words());
        Self { rule, reason }
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
        let found = self
            .rule
            .cut()
            .map(|(cue, side)| segmented(frame, cue, side));
        found
            .filter(|mask| mask.contains(&true))
            .unwrap_or_else(|| vec![true; frame.pixels()])
    }
}

/// What tells the product from the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cue {
    Brightness,
    /// The difference of the largest and the smallest channel.
    Colour,
}

/// The side of the threshold that the product is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Above,
    Below,
}

/// By brightness, or by colour where that separates clearly better.
fn decide(goods: &[&Frame]) -> Foreground {
    let step = goods.len().div_ceil(LOOKED_AT).max(1);
    let looked_at: Vec<&Frame> = goods.iter().copied().step_by(step).collect();
    let found = |rules| Candidate::of(&looked_at, rules);
    let brightness = found([ForegroundRule::Bright, ForegroundRule::Dark]);
    let colour = found([ForegroundRule::Colourful, ForegroundRule::Pale]);
    let chosen = match (brightness, colour) {
        (Ok(brightness), Ok(colour)) if colour.is_clearer_than(&brightness) => Ok(colour),
        (Err(_), Ok(colour)) => Ok(colour),
        (brightness, _) => brightness,
    };
    match chosen {
        Ok(Candidate { rule, covered, .. }) => Foreground {
            rule,
            reason: format!(
                "{}; it covers {} % of the picture",
                rule.words(),
                percent(covered)
            ),
        },
        Err(why) => Foreground {
            rule: ForegroundRule::Everything,
            reason: format!("the whole picture: {why}"),
        },
    }
}

/// A rule that would do, and how well.
struct Candidate {
    rule: ForegroundRule,
    /// Share of the variance between product and background.
    explained: f32,
    /// Deviation between product and background, in levels.
    contrast: f32,
    /// Share of the picture.
    covered: f32,
}

impl Candidate {
    /// The product is the side that holds less of the border, if the pictures agree, the sides are well apart and it
    /// covers a plausible part of the picture. The rules are those for above and below the threshold.
    fn of(goods: &[&Frame], rules: [ForegroundRule; 2]) -> Result<Self, String> {
        let Some((cue, _)) = rules[0].cut() else {
            return Err("there is nothing to go by".to_owned());
        };
        let cuts: Vec<Cut> = goods.iter().map(|frame| Cut::of(frame, cue)).collect();
        let median = |of: fn(&Cut) -> f32| median(cuts.iter().map(of));
        let Some(border) = median(|cut| cut.border_above) else {
            return Err("there is no good picture to look at".to_owned());
        };
        let is_above = |border: f32| border < 0.5;
        let agreeing = cuts
            .iter()
            .filter(|cut| is_above(cut.border_above) == is_above(border));
        let agreement = agreeing.count() as f32 / cuts.len() as f32;
        let explained = median(|cut| cut.explained).unwrap_or(0.0);
        if border.max(1.0 - border) < LEAST_BACKGROUND_AT_BORDER
            || agreement < AGREEMENT
            || explained < LEAST_EXPLAINED
        {
            return Err("no even background along its border".to_owned());
        }
        let (rule, side) = if is_above(border) {
            (rules[0], Side::Above)
        } else {
            (rules[1], Side::Below)
        };
        let shares = goods
            .iter()
            .map(|frame| share(&segmented(frame, cue, side)));
        let covered = self::median(shares).unwrap_or(1.0);
        if !PLAUSIBLE.contains(&covered) {
            let (words, percent) = (rule.words(), percent(covered));
            return Err(format!(
                "{words} would cover {percent} % of it, which is hardly the product"
            ));
        }
        Ok(Self {
            rule,
            explained,
            contrast: median(|cut| cut.contrast).unwrap_or(0.0),
            covered,
        })
    }

    fn is_clearer_than(&self, other: &Self) -> bool {
        self.explained > other.explained + COLOUR_ADVANTAGE && self.contrast > other.contrast
    }
}

/// One side of Otsu's threshold, closed, opened and without holes: a product's dark hollow or shining middle is its own.
fn segmented(frame: &Frame, cue: Cue, side: Side) -> Vec<bool> {
    let values = values(frame, cue);
    let threshold = Otsu::of(&values).threshold;
    let raw: Vec<bool> = values
        .iter()
        .map(|&value| (value > threshold) == (side == Side::Above))
        .collect();
    let square = (SQUARE * frame.shorter_side()).div_ceil(256).max(2);
    let mut mask = closed_then_opened(&raw, frame.size(), square);
    fill_holes(&mut mask, frame.size());
    mask
}

/// What one picture says about a cue.
struct Cut {
    /// The share of the border above the threshold.
    border_above: f32,
    explained: f32,
    contrast: f32,
}

impl Cut {
    fn of(frame: &Frame, cue: Cue) -> Self {
        let values = values(frame, cue);
        let otsu = Otsu::of(&values);
        let (width, height) = (frame.width(), frame.height());
        let sides = (0..height).flat_map(|y| [y * width, y * width + width - 1]);
        let border = (0..width)
            .flat_map(|x| [x, (height - 1) * width + x])
            .chain(sides);
        let above = border.filter(|&i| values[i] > otsu.threshold).count();
        Self {
            border_above: above as f32 / (2 * (width + height)) as f32,
            explained: otsu.explained as f32,
            contrast: otsu.between.sqrt() as f32,
        }
    }
}

fn values(frame: &Frame, cue: Cue) -> Vec<u8> {
    let pixels = frame.rgb().chunks_exact(3);
    match cue {
        Cue::Brightness => pixels.map(luma).collect(),
        Cue::Colour => pixels.map(colourfulness).collect(),
    }
}

/// Luma as in ITU-R BT.601.
pub(super) fn luma(pixel: &[u8]) -> u8 {
    let [red, green, blue] = [0, 1, 2].map(|c| u32::from(pixel[c]));
    ((299 * red + 587 * green + 114 * blue + 500) / 1000) as u8
}

fn colourfulness(pixel: &[u8]) -> u8 {
    let (red, green, blue) = (pixel[0], pixel[1], pixel[2]);
    red.max(green).max(blue) - red.min(green).min(blue)
}

/// The best cut of a heap of values in two: Otsu 1979, greatest variance between the classes.
struct Otsu {
    /// The upper class begins above this.
    threshold: u8,
    between: f64,
    /// The variance between the classes as a share of all variance.
    explained: f64,
}

impl Otsu {
    fn of(values: &[u8]) -> Self {
        let mut histogram = [0u64; 256];
        for &value in values {
            histogram[usize::from(value)] += 1;
        }
        let total = values.len() as f64;
        let moment = |power: i32| -> f64 {
            let each = histogram.iter().enumerate();
            each.map(|(v, &n)| (v as f64).powi(power) * n as f64).sum()
        };
        let sum = moment(1);
        let variance = moment(2) / total - (sum / total).powi(2);
        let (mut below, mut sum_below) = (0.0, 0.0);
        let (mut between, mut threshold) = (0.0, 0);
        for value in 0..255u8 {
            let count = histogram[usize::from(value)] as f64;
            below += count;
            sum_below += f64::from(value) * count;
            if below == 0.0 || below == total {
                continue;
            }
            let apart = sum_below / below - (sum - sum_below) / (total - below);
            let variance = below * (total - below) * apart * apart / (total * total);
            if variance > between {
                (between, threshold) = (variance, value);
            }
        }
        Self {
            threshold,
            between,
            explained: if variance > 0.0 {
                between / variance
            } else {
                0.0
            },
        }
    }
}

fn percent(share: f32) -> f32 {
    (share * 100.0).round()
}

fn share(mask: &[bool]) -> f32 {
    mask.iter().filter(|&&m| m).count() as f32 / mask.len() as f32
}

fn median(values: impl Iterator<Item = f32>) -> Option<f32> {
    let mut sorted: Vec<f32> = values.collect();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::{Foreground, ForegroundRule, Frame, Otsu, share};
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
    fn colour_decides_where_brightness_hardly_differs() {
        let nut = |inside: [u8; 3], outside: [u8; 3]| {
            let size = Size {
                width: 64,
                height: 64,
            };
            Frame::from_fn(size, |x, y| {
                let distance = (x as f32 - 31.5).hypot(y as f32 - 31.5);
                let colour = if distance < 20.0 { inside } else { outside };
                colour.map(|v| v + (x % 5 * 9) as u8)
            })
        };
        let (pale, yellow) = ([180, 160, 130], [190, 170, 40]);
        let foreground = automatic(&[nut(pale, yellow)]);
        assert_eq!(foreground.rule(), ForegroundRule::Pale);
        assert!(foreground.mask(&nut(pale, yellow))[32 * 64 + 32]);
        assert_eq!(
            automatic(&[nut(yellow, pale)]).rule(),
            ForegroundRule::Colourful
        );
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
        let two = Otsu::of(&[10, 10, 12, 200, 201]);
        assert_eq!(two.threshold, 12);
        assert!(two.explained > 0.99);
        let one = Otsu::of(&[5; 4]);
        assert_eq!((one.threshold, one.explained), (0, 0.0));
        let even: Vec<u8> = (0..=255).collect();
        assert!((Otsu::of(&even).explained - 0.75).abs() < 0.01);
    }
}
