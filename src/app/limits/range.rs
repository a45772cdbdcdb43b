//! Which values a limit may be dragged over, and how far one press of a key moves it.

use std::ops::RangeInclusive;

use crate::metrics::DecisionRule;
use crate::worker::message::RunSummary;

/// All test and held-out scores and the run's limit, with some air at both ends; wider only where T1 or T2 lies outside.
pub fn score_range(run: &RunSummary, rule: &DecisionRule) -> RangeInclusive<f32> {
    let rows = run.evaluation.iter().flat_map(|e| e.images.iter());
    let scores = rows
        .map(|row| row.score)
        .chain(run.calibration_scores.iter().copied())
        .chain([run.proposed.fail.value]);
    let (low, high) = scores
        .filter(|score| score.is_finite())
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), score| {
            (low.min(score), high.max(score))
        });
    if low > high {
        return 0.0..=1.0;
    }
    let air = ((high - low) * 0.04).max(high.abs().max(1e-6) * 1e-3);
    (low - air).min(rule.pass_below())..=(high + air).max(rule.fail_from())
}

/// The frozen colour scale, wider only where the pixel limit lies outside.
pub fn pixel_range(run: &RunSummary, rule: &DecisionRule) -> RangeInclusive<f32> {
    let (low, high) = run.limits.scale;
    low.min(high).min(rule.pixel.value)..=high.max(low).max(rule.pixel.value)
}

/// What one press of an arrow key changes.
pub fn step(range: &RangeInclusive<f32>) -> f32 {
    (range.end() - range.start()) / 400.0
}
