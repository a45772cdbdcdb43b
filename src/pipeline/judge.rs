//! The verdicts of a scored run at the limits its model keeps. Scores nothing.

use std::path::Path;

use anyhow::{Context, Result};

use crate::metrics::{DecisionRule, Judgement};
use crate::store;

/// Judges the pictures of the evaluation in a run folder: what the window shows when it opens the run.
pub fn judge(run: &Path) -> Result<(DecisionRule, Judgement)> {
    let summary = store::open_run(run)?;
    let evaluation = summary.evaluation.with_context(|| {
        format!(
            "{}: the test pictures have not been scored; run `flawscope eval` on it",
            run.display()
        )
    })?;
    let rule = summary.limits.rule();
    let judgement = Judgement::of(&evaluation.images, summary.regions.as_deref(), &rule);
    Ok((rule, judgement))
}
