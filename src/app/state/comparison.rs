//! A run beside the open one: its verdicts at its own limits, and where it judges the same pictures. Plain data.

use std::sync::Arc;

use super::LimitsInForce;
use crate::metrics::comparison::{Compared, counterparts};
use crate::metrics::{DecisionRule, ImageRow, Judgement, disagreement};
use crate::worker::message::RunSummary;

/// Another run that is compared with the open one.
#[derive(Debug, Clone)]
pub struct Comparison {
    pub run: Arc<RunSummary>,
    /// In its model.
    pub rule: DecisionRule,
    /// By that rule.
    pub judgement: Arc<Judgement>,
    /// For each picture of the open run its row here, by id.
    pub counterparts: Vec<Option<usize>>,
}

impl Comparison {
    /// `other` beside the open run.
    pub fn with(open: &RunSummary, other: Arc<RunSummary>) -> Self {
        let rule = other.limits.rule();
        let judgement = Judgement::of(rows(&other), other.regions.as_deref(), &rule);
        Self {
            counterparts: counterparts(rows(open), rows(&other)),
            judgement: Arc::new(judgement),
            rule,
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
        let own = open.compared(limits.rule(), limits.judgement(), None)?;
        let (own, other) = (own.opinion(index)?, self.compared()?.opinion(index)?);
        Some(disagreement(own, other))
    }

    /// As one of several runs; `None` when its pictures were not scored.
    pub fn compared(&self) -> Option<Compared<'_>> {
        let counterparts = Some(self.counterparts.as_slice());
        self.run.compared(&self.rule, &self.judgement, counterparts)
    }
}

fn rows(run: &RunSummary) -> &[ImageRow] {
    run.evaluation
        .as_ref()
        .map(|evaluation| evaluation.images.as_slice())
        .unwrap_or_default()
}
