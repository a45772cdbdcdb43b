//! Runs the frozen network once over every training picture, in each of its turns, and keeps what it gave.

use anyhow::{Result, ensure};

use super::detector::PictureReader;
use super::feature_cache::{DEFAULT_BUDGET_BYTES, FeatureCache};
use crate::config::RunConfig;
use crate::data::{self, Sample};
use crate::models::Detector;
use crate::progress::{Monitor, Phase, Progress};

pub struct Encoded {
    pub cache: FeatureCache,
    /// The pictures in the cache, in its order.
    pub used: Vec<Sample>,
}

/// Runs the frozen network once over every training picture. `None`: cancelled.
pub fn encode(
    detector: &dyn Detector,
    reader: &PictureReader,
    samples: &[Sample],
    config: &RunConfig,
    monitor: &dyn Monitor,
) -> Result<Option<Encoded>> {
    monitor.report(Progress::Phase {
        phase: Phase::Encoding,
        total: samples.len(),
    });
    let mut cache = FeatureCache::new(DEFAULT_BUDGET_BYTES);
    let mut used = Vec::with_capacity(samples.len());
    let mut done = 0;
    let batches = match config.model.rotation() {
        None => reader.batches(samples)?,
        Some(r) => reader.rotated_batches(samples, config.seed, r.draws, r.degrees)?,
    };
    for batch in batches {
        if monitor.should_stop() {
            return Ok(None);
        }
        let batch = batch?;
        done += batch.indices.len() + batch.failed.len();
        for (_, reason) in &batch.failed {
            monitor.report(Progress::Warning {
                text: format!("left out of training: {reason}"),
            });
        }
        if let Some(pixels) = &batch.pixels {
            cache.push(&detector.encode(pixels)?)?;
            used.extend(batch.indices.iter().map(|&index| samples[index].clone()));
        }
        monitor.report(Progress::Step { done });
    }
    ensure!(
        used.len() >= data::MIN_TRAIN,
        "training needs at least {} readable good pictures, but only {} of {} could be read",
        data::MIN_TRAIN,
        used.len(),
        samples.len()
    );
    if cache.spilled() > 0 {
        monitor.report(Progress::Warning {
            text: format!(
                "the features of {} of {} pictures did not fit into memory and are kept on disk; training is slower",
                cache.spilled(),
                cache.len()
            ),
        });
    }
    Ok(Some(Encoded { cache, used }))
}
