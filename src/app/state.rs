//! What the window knows and what is selected. Plain data; changed by events and actions only, drawn elsewhere.

use std::path::PathBuf;
use std::sync::Arc;

use crate::worker::message::RunSummary;

/// The four places of the left rail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Place {
    #[default]
    Data,
    Train,
    Inspect,
    Results,
}

/// Everything the window knows.
#[derive(Debug, Default)]
pub struct State {
    pub place: Place,
    /// The run that Inspect and Results show.
    pub run: Option<Arc<RunSummary>>,
    /// Index into the run's samples and evaluation rows.
    pub selected: usize,
    /// The limits in force in the window; start at the run's own, follow the user's hand.
    pub image_limit: f32,
    pub pixel_limit: f32,
}

/// What the user asked for. Panels return it; the app carries it out.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Go(Place),
    OpenFolder(PathBuf),
    Select(usize),
    SetImageLimit(f32),
    SetPixelLimit(f32),
    ResetLimits,
    CopyText(String),
}
