//! What a workflow tells whoever listens, and how it is asked to stop. Knows neither terminal nor window.

use std::sync::Arc;

use crate::score_map::ScoreMap;

/// The part of a workflow that is running now. Shown to people, so each has a name in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    ReadingPictures,
    Encoding,
    BuildingBank,
    Training,
    Freezing,
    Calibrating,
    Scoring,
    ComputingMetrics,
    Saving,
    Drawing,
    Downloading,
    WritingReport,
    Measuring,
}

impl Phase {
    /// Sentence case, as it stands beside the progress bar.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadingPictures => "Reading pictures",
            Self::Encoding => "Extracting features",
            Self::BuildingBank => "Preparing the model",
            Self::Training => "Training",
            Self::Freezing => "Fixing the scale of scores",
            Self::Calibrating => "Calibrating on held-out good pictures",
            Self::Scoring => "Scoring test pictures",
            Self::ComputingMetrics => "Computing metrics",
            Self::Saving => "Saving",
            Self::Drawing => "Drawing sample pictures",
            Self::Downloading => "Downloading weights",
            Self::WritingReport => "Writing the report",
            Self::Measuring => "Measuring",
        }
    }

    /// What is counted in this phase.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Training => "steps",
            Self::Downloading => "bytes",
            Self::ComputingMetrics | Self::Saving | Self::Measuring => "parts",
            _ => "pictures",
        }
    }
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Progress {
    /// Where the numbers are crunched, and why there.
    Device { line: String },
    /// A new phase begins, with `total` units of work.
    Phase { phase: Phase, total: usize },
    /// `done` of the current phase's units are finished.
    Step { done: usize },
    /// One training step of the current phase: its loss, for the live plot.
    Loss { step: usize, loss: f32 },
    /// An epoch ended: mean loss over its steps, and named model quantities such as CFA's radius.
    Epoch {
        epoch: usize,
        epochs: usize,
        loss: f32,
        quantities: Vec<(String, f32)>,
    },
    /// Something the user should know that did not stop the work, for example a picture that was left out.
    Warning { text: String },
    /// A test picture was scored.
    Scored {
        id: String,
        score: f32,
        map: Arc<ScoreMap>,
    },
}

/// Hears what a workflow does and says whether it should stop. Called between batches from the thread that works.
pub trait Monitor: Sync {
    fn report(&self, progress: Progress);
    fn should_stop(&self) -> bool;
}

/// Hears nothing and never stops: for tests and callers who only want the result.
pub struct Silent;

impl Monitor for Silent {
    fn report(&self, _: Progress) {}

    fn should_stop(&self) -> bool {
        false
    }
}

/// Stops at once.
#[cfg(test)]
pub struct Impatient;

#[cfg(test)]
impl Monitor for Impatient {
    fn report(&self, _: Progress) {}

    fn should_stop(&self) -> bool {
        true
    }
}

/// How a workflow ended when it did not fail.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<T> {
    Finished(T),
    Cancelled,
}

impl<T> Outcome<T> {
    /// The result, or `None` when the work was cancelled.
    pub fn finished(self) -> Option<T> {
        match self {
            Self::Finished(value) => Some(value),
            Self::Cancelled => None,
        }
    }
}
