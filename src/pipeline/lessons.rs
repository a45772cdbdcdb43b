//! What a training step learns from: cached features of good pictures, or pictures with drawn defects.

use std::sync::Arc;

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use super::feature_cache::FeatureCache;
use crate::data::augment::Augmenter;
use crate::data::batch::epoch_order;
use crate::data::image::Normalization;
use crate::data::prefetch::Prefetch;

/// The batches of a training, of which any can be asked for.
pub trait Lessons {
    /// In an epoch.
    fn batches(&self) -> usize;

    /// As the detector's training step wants it.
    fn batch(&mut self, epoch: usize, batch: usize) -> Result<Vec<Tensor>>;
}

/// Features of good pictures, in another order each epoch.
pub struct CachedLessons {
    cache: FeatureCache,
    batch: usize,
    draws: usize,
    seed: u64,
    device: Device,
    /// An epoch and its order of pictures.
    order: (usize, Vec<usize>),
}

impl CachedLessons {
    /// Batches of so many pictures; a last partial batch is dropped, as published. The cache holds `draws` turns of each
    /// picture, one after the other.
    pub fn new(
        cache: FeatureCache,
        batch: usize,
        draws: usize,
        seed: u64,
        device: &Device,
    ) -> Self {
        Self {
            order: (0, epoch_order(cache.len() / draws, seed, 0)),
            cache,
            batch,
            draws,
            seed,
            device: device.clone(),
        }
    }
}

impl Lessons for CachedLessons {
    fn batches(&self) -> usize {
        self.order.1.len() / self.batch
    }

    fn batch(&mut self, epoch: usize, batch: usize) -> Result<Vec<Tensor>> {
        if self.order.0 != epoch {
            self.order = (epoch, epoch_order(self.order.1.len(), self.seed, epoch));
        }
        let mut batches = self.order.1.chunks_exact(self.batch);
        let indices = batches.nth(batch).context("an epoch has no such batch")?;
        self.cache
            .batch(&turned(indices, epoch, self.draws), &self.device)
    }
}

/// Where in the cache the pictures of a batch are, each in the turn that this epoch sees. Every turn has its epoch.
fn turned(indices: &[usize], epoch: usize, draws: usize) -> Vec<usize> {
    let turned = |&index: &usize| index * draws + (index + epoch) % draws;
    indices.iter().map(turned).collect()
}

/// How many batches of drawn pictures lie ready while one is learnt from.
const AHEAD: usize = 2;

/// Good pictures, seen defects and simulated ones: pictures `(B, 3, H, W)` and masks `(B, 1, H, W)` of 0 and 1. They are
/// drawn ahead, while the batch before is learnt from.
pub struct DrawnLessons {
    examples: Examples,
    batches: usize,
    device: Device,
    /// The next batch to come, counted through all epochs, and where from.
    ahead: Option<(usize, Prefetch<Planes>)>,
}

/// What is drawn, from what.
#[derive(Clone)]
struct Examples {
    augmenter: Arc<Augmenter>,
    normalization: Normalization,
    batch: usize,
    /// In an epoch; what does not fill a batch is left for none.
    pictures: usize,
    seed: u64,
}

/// A batch before it becomes tensors.
struct Planes {
    pixels: Vec<f32>,
    masks: Vec<f32>,
    /// Pictures, height, width.
    size: (usize, usize, usize),
}

impl DrawnLessons {
    /// An epoch shows `pictures` examples, by default as many as the augmenter deals out at a time.
    pub fn new(
        augmenter: Arc<Augmenter>,
        normalization: Normalization,
        batch: usize,
        pictures: Option<usize>,
        seed: u64,
        device: &Device,
    ) -> Self {
        let pictures = pictures.unwrap_or(augmenter.slots()).max(batch);
        Self {
            batches: pictures / batch,
            examples: Examples {
                augmenter,
                normalization,
                batch,
                pictures,
                seed,
            },
            device: device.clone(),
            ahead: None,
        }
    }

    fn drawn(&mut self, number: usize) -> Result<Planes> {
        let mut planes = match self.ahead.take() {
            Some((next, planes)) if next == number => planes,
            _ => self.start(number)?,
        };
        let drawn = planes
            .next()
            .context("the thread that draws defects ended before its work was done")?;
        self.ahead = Some((number + 1, planes));
        Ok(drawn)
    }

    fn start(&self, number: usize) -> Result<Prefetch<Planes>> {
        let (examples, batches) = (self.examples.clone(), self.batches);
        let mut numbers = number..;
        Prefetch::start("draw defects", AHEAD, move |_| {
            let number = numbers.next()?;
            Some(examples.batch(number / batches, number % batches))
        })
    }
}

impl Lessons for DrawnLessons {
    fn batches(&self) -> usize {
        self.batches
    }

    fn batch(&mut self, epoch: usize, batch: usize) -> Result<Vec<Tensor>> {
        let Planes {
            pixels,
            masks,
            size: (pictures, height, width),
        } = self.drawn(epoch * self.batches + batch)?;
        Ok(vec![
            Tensor::from_vec(pixels, (pictures, 3, height, width), &self.device)?,
            Tensor::from_vec(masks, (pictures, 1, height, width), &self.device)?,
        ])
    }
}

impl Examples {
    fn batch(&self, epoch: usize, batch: usize) -> Planes {
        let slots = self.augmenter.slots();
        let first = epoch * self.pictures + batch * self.batch;
        let examples: Vec<_> = (first..first + self.batch)
            .into_par_iter()
            // An epoch may show less or more than the augmenter deals out at a time.
            .map(|place| {
                self.augmenter
                    .example(self.seed, place / slots, place % slots)
            })
            .collect();
        let size = examples.first().map(|example| example.frame.size());
        let (height, width) = size.map_or((0, 0), |size| (size.height, size.width));
        let mut pixels = Vec::with_capacity(3 * examples.len() * height * width);
        let mut masks = Vec::with_capacity(examples.len() * height * width);
        for example in &examples {
            self.normalization
                .append_planes(example.frame.rgb(), &mut pixels);
            masks.extend(
                example
                    .mask
                    .iter()
                    .map(|&marked| f32::from(u8::from(marked))),
            );
        }
        Planes {
            pixels,
            masks,
            size: (examples.len(), height, width),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use candle_core::{Device, Tensor};

    use super::{DrawnLessons, Lessons, turned};
    use crate::data::augment::{AugmentSettings, Augmenter, ForegroundRule, Frame};
    use crate::data::image::Normalization;

    #[test]
    fn every_picture_shows_every_turn_once_in_as_many_epochs() {
        for picture in 0..3 {
            let mut seen: Vec<usize> = (0..4)
                .map(|epoch| turned(&[picture], epoch, 4)[0])
                .collect();
            seen.sort_unstable();
            assert_eq!(seen, (4 * picture..4 * picture + 4).collect::<Vec<_>>());
        }
        assert_eq!(turned(&[5, 2], 7, 1), [5, 2]);
    }

    fn lessons(pictures: Option<usize>) -> DrawnLessons {
        let good = |level: u8| {
            let rgb = (0..32 * 64 * 3).map(|i| level.wrapping_add((i % 97) as u8));
            Arc::new(Frame::new(64, 32, rgb.collect()).unwrap())
        };
        let goods = (0..5).map(|i| good(i * 40)).collect();
        let settings = AugmentSettings::published();
        let rule = ForegroundRule::Everything;
        let augmenter = Augmenter::new(goods, vec![], vec![], rule, settings).unwrap();
        let device = Device::Cpu;
        DrawnLessons::new(
            Arc::new(augmenter),
            Normalization::IMAGENET,
            3,
            pictures,
            7,
            &device,
        )
    }

    fn values(batch: &[Tensor]) -> Vec<f32> {
        let all = batch.iter().map(|t| t.flatten_all().unwrap());
        all.flat_map(|t| t.to_vec1::<f32>().unwrap()).collect()
    }

    #[test]
    fn any_batch_is_the_same_whenever_it_is_asked_for() {
        let mut in_order = lessons(None);
        assert_eq!(in_order.batches(), 3);
        let mut all = Vec::new();
        for epoch in 0..2 {
            for batch in 0..3 {
                all.push(in_order.batch(epoch, batch).unwrap());
            }
        }
        assert_eq!(all[0][0].dims(), [3, 3, 32, 64]);
        assert_eq!(all[0][1].dims(), [3, 1, 32, 64]);
        let mut resumed = lessons(None);
        assert_eq!(values(&resumed.batch(1, 1).unwrap()), values(&all[4]));
        assert_eq!(values(&resumed.batch(0, 2).unwrap()), values(&all[2]));
        assert_ne!(values(&all[0]), values(&all[3]));
    }

    #[test]
    fn an_epoch_may_be_shorter_or_longer_than_the_deal() {
        assert_eq!(lessons(Some(6)).batches(), 2);
        assert_eq!(lessons(Some(60)).batches(), 20);
        // The second epoch of six goes on where the first one ended: at the seventh example of ten.
        let second = lessons(Some(6)).batch(1, 0).unwrap();
        let whole = lessons(Some(9)).batch(0, 2).unwrap();
        assert_eq!(values(&second), values(&whole));
    }

    #[test]
    fn masks_are_zeros_and_ones_and_about_half_of_the_pictures_have_one() {
        let mut lessons = lessons(None);
        let mut marked = 0;
        for epoch in 0..4 {
            for batch in 0..3 {
                let masks = lessons.batch(epoch, batch).unwrap().remove(1);
                let masks: Vec<Vec<f32>> = masks.flatten_from(1).unwrap().to_vec2().unwrap();
                for mask in masks {
                    assert!(mask.iter().all(|&value| value == 0.0 || value == 1.0));
                    marked += usize::from(mask.contains(&1.0));
                }
            }
        }
        assert!((12..=24).contains(&marked), "{marked} of 36");
    }
}
