//! Draws the built-in sample data set, listened to like any other workflow.

use std::path::Path;

use anyhow::Result;

use crate::data::synthetic::{SampleSettings, SampleSummary, generate};
use crate::progress::{Monitor, Outcome, Phase, Progress};

/// Draws the sample into `out`, which must not hold anything yet.
pub fn draw_sample(
    out: &Path,
    settings: SampleSettings,
    monitor: &dyn Monitor,
) -> Result<Outcome<SampleSummary>> {
    monitor.report(Progress::Phase {
        phase: Phase::Drawing,
        total: settings.pictures(),
    });
    let summary = generate(out, &settings, &|done| {
        monitor.report(Progress::Step { done });
        !monitor.should_stop()
    })?;
    Ok(summary.map_or(Outcome::Cancelled, Outcome::Finished))
}
