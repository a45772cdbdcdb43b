//! What the window looked like, from one session to the next: what was open, what was looked at and how. Plain data; read and
//! written by [`file`], taken from the window and given back to it by [`restore`].

mod file;
mod restore;

use std::path::PathBuf;

use eframe::egui::ThemePreference;
use serde::{Deserialize, Serialize};

use super::gallery::GallerySettings;
use super::state::Place;
use super::viewer::ViewerSettings;
use super::viewport::Viewport;
use crate::data::OpenOptions;
use crate::metrics::DecisionRule;

pub use file::SessionFile;

/// Written into every file; another one is not read.
const VERSION: u32 = 1;

/// Everything that is found again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    version: u32,
    pub place: Place,
    pub data: Option<KeptData>,
    pub run: Option<KeptRun>,
    pub gallery: GallerySettings,
    pub viewer: ViewerSettings,
    pub viewport: Viewport,
    /// How large everything is, against its natural size.
    pub size: f32,
    pub theme: ThemePreference,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            version: VERSION,
            place: Place::default(),
            data: None,
            run: None,
            gallery: GallerySettings::default(),
            viewer: ViewerSettings::default(),
            viewport: Viewport::default(),
            size: 1.0,
            theme: ThemePreference::default(),
        }
    }
}

/// The data set that was open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptData {
    pub root: PathBuf,
    #[serde(default)]
    pub options: OpenOptions,
    /// By name.
    #[serde(default)]
    pub category: Option<String>,
}

/// The run that was open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptRun {
    pub path: PathBuf,
    /// The selected picture, by its id.
    #[serde(default)]
    pub picture: Option<String>,
    /// Limits that were in force and not saved in the model.
    #[serde(default)]
    pub limits: Option<KeptLimits>,
    #[serde(default)]
    pub compared: Vec<PathBuf>,
}

/// Limits, and the model they were set for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptLimits {
    /// Checksum of the model file.
    pub model: String,
    pub rule: DecisionRule,
    #[serde(default)]
    pub pixels_per_mm: Option<f64>,
}
