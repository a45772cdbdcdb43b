//! The verdicts of a scored run at the limits its model keeps. Scores nothing.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};

use crate::metrics::{DecisionRule, Evaluation, Judgement};
use crate::store::{self, RunFolder, RunSummary};

/// A run as the window shows it when it is opened: its evaluation, judged at its own limits.
#[derive(Debug)]
pub struct Judged {
    pub run: RunSummary,
    pub evaluation: Arc<Evaluation>,
    pub rule: DecisionRule,
    pub judgement: Judgement,
}

/// Judges the pictures of the evaluation in a run folder. The error says what to do where there is none.
pub fn judge(run: &Path) -> Result<Judged> {
    let summary = store::open_run(run)?;
    let Some(evaluation) = summary.evaluation.clone() else {
        return not_scored(run);
    };
    let rule = summary.limits.rule();
    let judgement = Judgement::of(&evaluation.images, summary.regions.as_deref(), &rule);
    Ok(Judged {
        run: summary,
        evaluation,
        rule,
        judgement,
    })
}

fn not_scored(run: &Path) -> Result<Judged> {
    let name = run.display();
    match RunFolder::open(run) {
        Err(_) => bail!(
            "{name} is a model file by itself and has no evaluation; name the run folder it was scored in"
        ),
        Ok(folder) if folder.evaluation_path().exists() => bail!(
            "the evaluation in {name} is of another model than the one that is there now; \
             score the test pictures again: `flawscope eval --run {name}`"
        ),
        Ok(_) => bail!(
            "the test pictures of {name} have not been scored; score them first: `flawscope eval --run {name}`"
        ),
    }
}
