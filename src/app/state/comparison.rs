//! A run beside the open one: its verdicts at its own limits, and where it judges the same pictures. Plain data.

use std::collections::HashMap;
use std::sync::Arc;

use super::LimitsInForce;
use crate::metrics::{
    DecisionRule, ImageRow, Judgement, Opinion, Verdict, disagreement, relative_score,
};
use crate::worker::message::RunSummary;

/// Another run that is compared with the open one.
#[derive(Debug, Clone)]
pub struct Comparison {
    pub run: Arc<RunSummary>,
    /// At the limits in its model.
    pub judgement: Arc<Judgement>,
    /// For each picture of the open run its row here, by id.
    pub counterparts: Vec<Option<usize>>,
}

impl Comparison {
    /// `other` beside the open run.
    pub fn with(open: &RunSummary, other: Arc<RunSummary>) -> Self {
        let rule = other.limits.rule();
        let judgement = Judgement::of(rows(&other), other.regions.as_deref(), &rule);
        let by_id: HashMap<&str, usize> = rows(&other)
            .iter()
            .enumerate()
            .map(|(index, row)| (row.path.as_str(), index))
            .collect();
        let counterparts = rows(open)
            .iter()
            .map(|row| by_id.get(row.path.as_str()).copied())
            .collect();
        Self {
            judgement: Arc::new(judgement),
            counterparts,
            run: other,
        }
    }

    /// How far this run and the open one, at the limits in force, differ about a picture of the open run; `None` where it
    /// does not know the picture.
    pub fn disagreement(
        &self,
        open: &RunSummary,
        limits: &LimitsInForce,
        index: usize,
    ) -> Option<f32> {
        let here = (*self.counterparts.get(index)?)?;
        let own = opinion(open, limits.judgement(), limits.rule(), index)?;
        let other = opinion(&self.run, &self.judgement, &self.run.limits.rule(), here)?;
        Some(disagreement(own, other))
    }
}

fn opinion(
    run: &RunSummary,
    judgement: &Judgement,
    rule: &DecisionRule,
    index: usize,
) -> Option<Opinion> {
    let row = rows(run).get(index)?;
    let verdict: Verdict = *judgement.verdicts.get(index)?;
    Some(Opinion {
        verdict,
        relative: relative_score(row.score, run.limits.scale.0, rule),
    })
}

fn rows(run: &RunSummary) -> &[ImageRow] {
    run.evaluation
        .as_ref()
        .map(|evaluation| evaluation.images.as_slice())
        .unwrap_or_default()
}
