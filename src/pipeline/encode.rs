//! Runs the frozen network once over every training picture, in each of its turns, and keeps what it gave.

use std::sync::Arc;

use anyhow::{Result, ensure};
use candle_core::Tensor;

use super::detector::PictureReader;
use super::device::free_bytes;
use super::feature_cache::{DEFAULT_BUDGET_BYTES, FeatureCache};
use crate::config::RunConfig;
use crate::data::augment::Frame;
use crate::data::{self, Sample};
use crate::models::Detector;
use crate::progress::{Monitor, Phase, Progress};

pub struct Encoded {
    pub cache: FeatureCache,
    /// The pictures in the cache, in its order.
    pub used: Vec<Sample>,
    /// The same as the network sees them, for models that draw defects on them; else empty. Where they would take more
    /// memory than [`FRAME_BUDGET_BYTES`], evenly thinned out.
    pub frames: Vec<Arc<Frame>>,
}

/// Memory that pictures to draw on may take: 5,000 of 256 x 256 pixels.
const FRAME_BUDGET_BYTES: usize = 1 << 30;

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
    let mut cache = FeatureCache::new(DEFAULT_BUDGET_BYTES, gpu_budget(reader)?);
    let mut used = Vec::with_capacity(samples.len());
    let mut frames = Frames::new(config, reader, samples.len());
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
            frames.add(pixels, reader)?;
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
    if let Some(all) = frames.thinned_from(used.len()) {
        monitor.report(Progress::Warning { text: all });
    }
    Ok(Some(Encoded {
        cache,
        used,
        frames: frames.kept,
    }))
}

/// Bytes of features that may stay on the GPU that makes them: a quarter of what is free there.
fn gpu_budget(reader: &PictureReader) -> Result<usize> {
    Ok(free_bytes(reader.device())? / 4)
}

/// Keeps some of the pictures that go by.
struct Frames {
    kept: Vec<Arc<Frame>>,
    /// At most so many of so many.
    limit: usize,
    total: usize,
    seen: usize,
}

impl Frames {
    fn new(config: &RunConfig, reader: &PictureReader, total: usize) -> Self {
        let limit = match config.defects {
            None => 0,
            Some(_) => FRAME_BUDGET_BYTES / (3 * reader.spec().size().pixels()).max(1),
        };
        Self {
            kept: Vec::new(),
            limit: limit.min(total),
            total: total.max(1),
            seen: 0,
        }
    }

    /// Of network input `(B, 3, H, W)`.
    fn add(&mut self, pixels: &Tensor, reader: &PictureReader) -> Result<()> {
        for row in 0..pixels.dim(0)? {
            let place = self.seen;
            self.seen += 1;
            // Evenly among all pictures.
            if (place + 1) * self.limit / self.total > place * self.limit / self.total {
                self.kept.push(Arc::new(reader.frame(&pixels.get(row)?)?));
            }
        }
        Ok(())
    }

    /// What to tell where some were left out.
    fn thinned_from(&self, used: usize) -> Option<String> {
        (self.limit > 0 && self.limit < self.total).then(|| {
            format!(
                "defects are drawn on {} of the {used} good pictures: more would not fit into memory",
                self.kept.len()
            )
        })
    }
}
