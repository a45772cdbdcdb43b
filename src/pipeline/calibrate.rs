//! Limits and colour scale from good pictures the model has not been trained on.

use anyhow::{Result, ensure};

use super::detector::PictureReader;
use crate::config::RunConfig;
use crate::data::Sample;
use crate::metrics::Limit;
use crate::models::Detector;
use crate::progress::{Monitor, Phase, Progress};
use crate::score_map::ScoreMap;
use crate::store::model_file::Limits;

/// What the held-out good pictures say.
pub struct Calibration {
    pub limits: Limits,
    /// Image scores, ascending.
    pub scores: Vec<f32>,
    pub pictures: usize,
}

/// Lets the detector fix what scoring needs to know of held-out good pictures. False: cancelled.
pub fn freeze(
    detector: &mut dyn Detector,
    reader: &PictureReader,
    samples: &[Sample],
    monitor: &dyn Monitor,
) -> Result<bool> {
    let (mut batches, mut done, mut is_cancelled) = (None, 0, false);
    // Nothing is read for a model that asks for nothing.
    let mut pixels = std::iter::from_fn(|| {
        loop {
            is_cancelled |= monitor.should_stop();
            if is_cancelled {
                return None;
            }
            let batches = match &mut batches {
                Some(batches) => batches,
                none => {
                    monitor.report(Progress::Phase {
                        phase: Phase::Freezing,
                        total: samples.len(),
                    });
                    match reader.batches(samples) {
                        Ok(started) => none.insert(started),
                        Err(error) => return Some(Err(candle_core::Error::wrap(error))),
                    }
                }
            };
            monitor.report(Progress::Step { done });
            match batches.next()? {
                Err(error) => return Some(Err(candle_core::Error::wrap(error))),
                Ok(batch) => {
                    done += batch.indices.len() + batch.failed.len();
                    // Pictures that cannot be read are named when they are scored.
                    if let Some(pixels) = batch.pixels {
                        return Some(Ok(pixels));
                    }
                }
            }
        }
    });
    let frozen = detector.freeze(&mut pixels);
    if is_cancelled {
        return Ok(false);
    }
    frozen?;
    Ok(true)
}

/// Scores the held-out pictures. `None`: cancelled.
pub fn calibrate(
    detector: &dyn Detector,
    reader: &PictureReader,
    samples: &[Sample],
    config: &RunConfig,
    monitor: &dyn Monitor,
) -> Result<Option<Calibration>> {
    monitor.report(Progress::Phase {
        phase: Phase::Calibrating,
        total: samples.len(),
    });
    let mut scores = Vec::with_capacity(samples.len());
    let mut medians = Vec::with_capacity(samples.len());
    let finished = reader.score_all(detector, samples, monitor, &mut |_, scored| {
        match scored {
            Ok(map) => {
                scores.push(detector.image_score(map.values()));
                medians.push(median(&map));
            }
            Err(reason) => monitor.report(Progress::Warning {
                text: format!("left out of calibration: {reason}"),
            }),
        }
        Ok(())
    })?;
    if !finished {
        return Ok(None);
    }
    ensure!(
        !scores.is_empty(),
        "none of the {} good pictures held out for calibration could be read",
        samples.len()
    );
    scores.sort_by(f32::total_cmp);
    // One number is both limits. No picture's score is above its map's maximum, so one that fails always shows a contour;
    // where the score is the maximum, only such a picture does.
    let limit = Limit::from_held_out(&scores, config.calibration.quantile)?;
    let scale = colour_scale(&mut medians, limit.value);
    Ok(Some(Calibration {
        limits: Limits::new(limit.clone(), limit, scale),
        pictures: scores.len(),
        scores,
    }))
}

/// The frozen colour scale: typical good pixels at its dark end, the limit half-way.
fn colour_scale(medians: &mut [f32], limit: f32) -> (f32, f32) {
    medians.sort_by(f32::total_cmp);
    let low = medians[medians.len() / 2].min(limit);
    let high = limit + (limit - low).max(f32::EPSILON * limit.abs().max(1.0));
    (low, high)
}

fn median(map: &ScoreMap) -> f32 {
    let mut values = map.values().to_vec();
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_lies_half_way_on_the_colour_scale() {
        let (low, high) = colour_scale(&mut [0.3, 0.1, 0.2], 1.0);
        assert_eq!(low, 0.2);
        assert!((f32::midpoint(low, high) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_scale_never_collapses() {
        for limit in [0.0, 1.0, 1e6] {
            let (low, high) = colour_scale(&mut [limit], limit);
            assert!(low < high, "{low} {high}");
        }
    }
}
