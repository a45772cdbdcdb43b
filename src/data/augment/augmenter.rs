//! Deals out the examples of each epoch. Any one can be asked for at any time, by its seed, epoch and slot.

use std::sync::{Arc, OnceLock};

use thiserror::Error;

use super::draw::Draw;
use super::extended::extend;
use super::simulated::{Materials, simulate};
use super::warp::Warp;
use super::{
    AugmentSettings, Example, ExampleKind, Foreground, ForegroundRule, Frame, MarkedFrame, Source,
    SourceShares,
};
use crate::data::image::Size;

/// Keep these draws apart from the other uses of the same seed: an epoch's order of slots, its order of good pictures,
/// and what happens in one slot.
const SLOT_ORDERS: u64 = 1 << 61;
const GOOD_ORDERS: u64 = SLOT_ORDERS | 1 << 60;
const EXAMPLES: u64 = 1 << 62;
/// The epoch's place in a stream's number; slots are below.
const EPOCH: u32 = 32;

/// Why there is nothing to train with.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AugmentError {
    #[error("there are no good pictures to learn from")]
    NoGoods,
    #[error("{what} is {found} pixels large, but the others are {expected}")]
    OtherSize {
        what: String,
        found: Size,
        expected: Size,
    },
    #[error(
        "{id} marks no pixel at the network's input size: draw its defect larger, choose a larger input, or do not train on it"
    )]
    Unmarked { id: String },
    #[error("{0}")]
    Settings(&'static str),
}

/// Good pictures, seen defects and textures, and how examples are made of them.
#[derive(Debug)]
pub struct Augmenter {
    goods: Vec<Arc<Frame>>,
    /// Where the product is in each good picture, found out when first needed.
    products: Vec<OnceLock<Vec<bool>>>,
    seen: Vec<MarkedFrame>,
    textures: Vec<Frame>,
    foreground: Foreground,
    settings: AugmentSettings,
}

/// What a slot of an epoch is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Good { good: usize },
    Seen { seen: usize },
    Extended { good: usize },
    Simulated { good: usize },
}

impl Augmenter {
    pub fn new(
        goods: Vec<Arc<Frame>>,
        seen: Vec<MarkedFrame>,
        textures: Vec<Frame>,
        rule: ForegroundRule,
        settings: AugmentSettings,
    ) -> Result<Self, AugmentError> {
        if let Some(problem) = settings.problem() {
            return Err(AugmentError::Settings(problem));
        }
        check(&goods, &seen, &textures)?;
        let frames: Vec<&Frame> = goods.iter().map(Arc::as_ref).collect();
        Ok(Self {
            foreground: Foreground::resolve(rule, &frames),
            products: goods.iter().map(|_| OnceLock::new()).collect(),
            goods,
            seen,
            textures,
            settings,
        })
    }

    pub fn foreground(&self) -> &Foreground {
        &self.foreground
    }

    pub fn settings(&self) -> &AugmentSettings {
        &self.settings
    }

    /// Examples of an epoch: every good picture once, and as many defective ones.
    pub fn slots(&self) -> usize {
        2 * self.goods.len()
    }

    /// The example in a slot (0 to below [`Self::slots`]; larger ones wrap around). It depends on the pictures, the
    /// settings and these three numbers only.
    pub fn example(&self, seed: u64, epoch: usize, slot: usize) -> Example {
        let slots = self.slots();
        let order = Draw::new(seed, SLOT_ORDERS | epoch as u64).order(slots);
        let place = order[slot % slots];
        let role = self.role(seed, epoch, place);
        let stream = EXAMPLES | (epoch as u64) << EPOCH | place as u64;
        self.made(role, &mut Draw::new(seed, stream))
    }

    /// Up to `count` examples of each kind that these pictures give: good, seen, extended, and each source of simulated
    /// ones; in this order.
    pub fn preview(&self, seed: u64, count: usize) -> Vec<Example> {
        let order = Draw::new(seed, GOOD_ORDERS).order(self.goods.len());
        let good = |i: usize| order[i % order.len()];
        let stream = |i: usize| Draw::new(seed, EXAMPLES | i as u64);
        let goods = (0..count.min(order.len())).map(|i| Role::Good { good: good(i) });
        let step = self.seen.len().div_ceil(count.max(1)).max(1);
        let seen = (0..self.seen.len())
            .step_by(step)
            .take(count)
            .map(|seen| Role::Seen { seen });
        let extended = (0..count)
            .filter(|_| !self.seen.is_empty())
            .map(|i| Role::Extended { good: good(i) });
        let plain = goods.chain(seen).chain(extended).enumerate();
        let mut examples: Vec<Example> = plain
            .map(|(i, role)| self.made(role, &mut stream(i)))
            .collect();
        for source in Source::ALL {
            let Some(only) = self.only(source) else {
                continue;
            };
            examples.extend((0..count).map(|i| {
                let mut draw = stream(1000 * (1 + source as usize) + i);
                self.simulated(good(i), &only, &mut draw)
            }));
        }
        examples
    }

    /// The settings with one source of simulated defects; `None` when it is not in use.
    fn only(&self, source: Source) -> Option<AugmentSettings> {
        let share = self.materials(0).share(source, &self.settings.simulated);
        let mut settings = self.settings.clone();
        settings.simulated.sources = SourceShares::only(source);
        (share > 0.0).then_some(settings)
    }

    fn materials(&self, own: usize) -> Materials<'_> {
        Materials {
            goods: &self.goods,
            textures: &self.textures,
            own,
        }
    }

    /// The good pictures come first, then the seen, the extended and the simulated ones.
    fn role(&self, seed: u64, epoch: usize, place: usize) -> Role {
        let count = self.goods.len();
        let Some(defective) = place.checked_sub(count) else {
            return Role::Good { good: place };
        };
        let order = Draw::new(seed, GOOD_ORDERS | epoch as u64).order(count);
        let good = order[defective % count];
        let (real, raw) = self.real_slots(epoch);
        if defective < raw {
            let seen = (epoch * raw + defective) % self.seen.len().max(1);
            Role::Seen { seen }
        } else if defective < real {
            Role::Extended { good }
        } else {
            Role::Simulated { good }
        }
    }

    /// How many slots show real defects, and how many of these show them as they are. Of an odd number the halves
    /// alternate from epoch to epoch, so that even one good picture sees all kinds.
    fn real_slots(&self, epoch: usize) -> (usize, usize) {
        if self.seen.is_empty() {
            return (0, 0);
        }
        let goods = self.goods.len();
        let real = goods / 2 + goods % 2 * (epoch % 2);
        let share = self.settings.raw_share * real as f32;
        let raw = (share + 0.5 * (epoch / 2 % 2) as f32) as usize;
        let most = self.settings.raw_repeats.saturating_mul(self.seen.len());
        (real, raw.min(most).min(real))
    }

    fn made(&self, role: Role, draw: &mut Draw) -> Example {
        match role {
            Role::Good { good } => self.good(good, draw),
            Role::Seen { seen } => self.seen_as_it_is(seen),
            Role::Extended { good } => self.extended(good, draw),
            Role::Simulated { good } => self.simulated(good, &self.settings, draw),
        }
    }

    fn good(&self, good: usize, draw: &mut Draw) -> Example {
        let frame = &*self.goods[good];
        let turn = self.settings.good_turn;
        let frame = if draw.chance(turn.chance) {
            Warp::turn(frame.size(), draw.around_zero(turn.degrees)).frame(frame)
        } else {
            frame.clone()
        };
        Example {
            mask: vec![false; frame.pixels()],
            frame,
            kind: ExampleKind::Good,
            good,
            defect: None,
        }
    }

    fn seen_as_it_is(&self, seen: usize) -> Example {
        let MarkedFrame {
            frame,
            mask,
            defect,
            ..
        } = &self.seen[seen];
        Example {
            frame: frame.clone(),
            mask: mask.clone(),
            kind: ExampleKind::Seen,
            good: seen,
            defect: Some(defect.clone()),
        }
    }

    /// A seen defect on a good picture; as it is where it does not fit onto it.
    fn extended(&self, good: usize, draw: &mut Draw) -> Example {
        let index = draw.below(self.seen.len());
        let made = extend(
            &self.goods[good],
            self.product(good),
            &self.seen[index],
            &self.settings.extended,
            draw,
        );
        made.map_or_else(
            || self.seen_as_it_is(index),
            |(frame, mask)| Example {
                frame,
                mask,
                kind: ExampleKind::Extended,
                good,
                defect: Some(self.seen[index].defect.clone()),
            },
        )
    }

    fn simulated(&self, good: usize, settings: &AugmentSettings, draw: &mut Draw) -> Example {
        let made = simulate(
            &self.goods[good],
            self.product(good),
            self.materials(good),
            &settings.simulated,
            draw,
        );
        Example {
            frame: made.frame,
            mask: made.mask,
            kind: ExampleKind::Simulated(made.source),
            good,
            defect: None,
        }
    }

    fn product(&self, good: usize) -> &[bool] {
        self.products[good].get_or_init(|| self.foreground.mask(&self.goods[good]))
    }
}

/// Everything has the first good picture's size, and every seen picture marks something.
fn check(
    goods: &[Arc<Frame>],
    seen: &[MarkedFrame],
    textures: &[Frame],
) -> Result<(), AugmentError> {
    let expected = goods.first().ok_or(AugmentError::NoGoods)?.size();
    let fits = |what: &dyn Fn() -> String, found: Size| {
        if found == expected {
            Ok(())
        } else {
            let what = what();
            Err(AugmentError::OtherSize {
                what,
                found,
                expected,
            })
        }
    };
    for (i, good) in goods.iter().enumerate() {
        fits(&|| format!("good picture {}", i + 1), good.size())?;
    }
    for marked in seen {
        fits(&|| marked.id.clone(), marked.frame.size())?;
        let marks = marked.mask.len() == expected.pixels() && marked.mask.contains(&true);
        if !marks {
            let id = marked.id.clone();
            return Err(AugmentError::Unmarked { id });
        }
    }
    for (i, texture) in textures.iter().enumerate() {
        fits(&|| format!("texture {}", i + 1), texture.size())?;
    }
    Ok(())
}
