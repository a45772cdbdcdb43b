//! Shows what a model that learns from defects would be taught, without training it.

use std::sync::Arc;

use anyhow::{Result, ensure};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use super::defects::{augmenter, read_seen};
use super::training_pictures::TrainingPictures;
use crate::config::{DefectsConfig, Recipe, RunConfig};
use crate::data::augment::{Example, ForegroundRule, Frame};
use crate::data::image::{InputSpec, read_picture};
use crate::data::{MIN_TRAIN, Sample};
use crate::progress::{Monitor, Outcome, Phase, Progress};

/// Good pictures that examples are drawn on.
const GOODS: usize = 32;
/// Pictures whose product is outlined.
const PRODUCTS: usize = 6;

/// What the network would see.
#[derive(Debug, Clone)]
pub struct Augmentation {
    /// Some of each kind, grouped by kind.
    pub examples: Vec<Example>,
    /// Where the product is taken to be, row-major, in a few good pictures.
    pub products: Vec<(Arc<Frame>, Vec<bool>)>,
    /// The rule that found the product, and in words why it was taken.
    pub rule: ForegroundRule,
    pub reason: String,
    /// Real defects that are learnt from.
    pub seen: usize,
}

/// Draws up to `count` examples of each kind, as the configured training would from its seed.
pub fn preview_augmentation(
    config: &RunConfig,
    count: usize,
    monitor: &dyn Monitor,
) -> Result<Outcome<Augmentation>> {
    let synthetic = || DefectsConfig::synthetic(Recipe::default());
    let defects = config.defects.clone().unwrap_or_else(synthetic);
    let pictures = TrainingPictures::choose(config)?;
    let spec = pictures.spec;
    let chosen = evenly(&pictures.train, GOODS);
    monitor.report(Progress::Phase {
        phase: Phase::ReadingPictures,
        total: chosen.len() + pictures.seen.len(),
    });
    let mut goods = Vec::with_capacity(chosen.len());
    for some in chosen.chunks(4) {
        if monitor.should_stop() {
            return Ok(Outcome::Cancelled);
        }
        let read: Vec<Result<Frame>> = some.par_iter().map(|good| read(good, &spec)).collect();
        for frame in read {
            match frame {
                Ok(frame) => goods.push(Arc::new(frame)),
                Err(reason) => monitor.report(Progress::Warning {
                    text: format!("left out: {reason:#}"),
                }),
            }
        }
        monitor.report(Progress::Step { done: goods.len() });
    }
    ensure!(
        goods.len() >= MIN_TRAIN,
        "only {} of {} good pictures can be read; {MIN_TRAIN} are needed to draw defects on",
        goods.len(),
        chosen.len()
    );
    let seen = read_seen(&pictures.seen, &defects, &spec, monitor)?;
    let known = seen.known.len();
    let augmenter = augmenter(goods.clone(), seen.frames, &defects, &spec, monitor)?;
    let foreground = augmenter.foreground();
    let products = goods.iter().take(PRODUCTS);
    Ok(Outcome::Finished(Augmentation {
        examples: augmenter.preview(config.seed, count),
        products: products
            .map(|good| (Arc::clone(good), foreground.mask(good)))
            .collect(),
        rule: foreground.rule(),
        reason: foreground.reason().to_owned(),
        seen: known,
    }))
}

/// At most so many, spread over all.
fn evenly(samples: &[Sample], count: usize) -> Vec<&Sample> {
    let count = count.min(samples.len());
    (0..count)
        .map(|i| &samples[i * samples.len() / count])
        .collect()
}

fn read(sample: &Sample, spec: &InputSpec) -> Result<Frame> {
    Frame::of(&read_picture(&sample.image, sample.orientation)?, spec)
}
