//! Limits that were in force and not saved, kept while another run is open: nothing that a user set is lost by looking elsewhere.
//! Plain data.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{LimitEdit, LimitsInForce, State, last_name};
use crate::data::Severity;
use crate::metrics::DecisionRule;
use crate::worker::message::RunSummary;

/// Of how many runs they are kept.
const RUNS: usize = 100;

/// Limits, and the model they were set for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnsavedLimits {
    run: PathBuf,
    /// Checksum of the model file.
    model: String,
    rule: DecisionRule,
    #[serde(default)]
    pixels_per_mm: Option<f64>,
}

impl UnsavedLimits {
    /// `None` when the model has them.
    fn of(run: &RunSummary, limits: &LimitsInForce) -> Option<Self> {
        (!limits.are_saved(run)).then(|| Self {
            run: run.path.clone(),
            model: run.checksum.clone(),
            rule: limits.rule().clone(),
            pixels_per_mm: limits.pixels_per_mm(),
        })
    }
}

/// At most one for each run, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unsaved(Vec<UnsavedLimits>);

impl Unsaved {
    fn keep(&mut self, limits: UnsavedLimits) {
        self.take(&limits.run);
        self.0.push(limits);
        let surplus = self.0.len().saturating_sub(RUNS);
        self.0.drain(..surplus);
    }

    fn take(&mut self, run: &Path) -> Option<UnsavedLimits> {
        let at = self.0.iter().position(|kept| kept.run == run)?;
        Some(self.0.remove(at))
    }
}

impl State {
    /// All limits that are not saved, those in force among them.
    pub fn unsaved_for_next_time(&self) -> Unsaved {
        let mut unsaved = self.unsaved.clone();
        let open = self.run.as_ref();
        if let Some(limits) = open.and_then(|run| UnsavedLimits::of(run, &self.limits)) {
            unsaved.keep(limits);
        }
        unsaved
    }

    /// The run at `next` takes the place of the open one, whose limits may not be saved.
    pub(super) fn keep_unsaved_limits(&mut self, next: &Path) {
        let Some(run) = &self.run else { return };
        let Some(limits) = UnsavedLimits::of(run, &self.limits) else {
            return;
        };
        let name = last_name(&run.path);
        self.unsaved.keep(limits);
        if run.path != next {
            let title = format!("The limits of {name} are not saved");
            let detail = "They are kept, and in force again when it is opened";
            self.tell(Severity::Note, title, detail);
        }
    }

    /// Unless they were set for another model.
    pub(super) fn put_unsaved_limits_in_force(&mut self, run: &Arc<RunSummary>, now: f64) {
        let Some(kept) = self.unsaved.take(&run.path) else {
            return;
        };
        if kept.model != run.checksum {
            let title = "The limits you had not saved are not in force";
            let detail = format!(
                "{} was trained again, or its limits were changed elsewhere; those saved in it are used",
                run.path.display()
            );
            return self.tell(Severity::Warning, title, detail);
        }
        self.limits.edit(run, &LimitEdit::Rule(kept.rule), now);
        let scale = LimitEdit::Scale(kept.pixels_per_mm);
        self.limits.edit(run, &scale, now);
    }
}
