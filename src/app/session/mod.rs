//! What the window looked like, from one session to the next: what was open, what was looked at and how. Plain data; read and
//! written by [`file`], taken from the window and given back to it by [`restore`].

mod file;
mod restore;

use std::path::PathBuf;

use eframe::egui::ThemePreference;
use serde::{Deserialize, Serialize};

use super::gallery::GallerySettings;
use super::state::{Place, Unsaved};
use super::viewer::ViewerSettings;
use super::viewport::Viewport;
use crate::data::OpenOptions;

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
    /// Limits that are not saved in their models.
    pub unsaved: Unsaved,
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
            unsaved: Unsaved::default(),
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

/// What of the last session could not be opened. It stays in the session until something else is opened in its place.
#[derive(Debug, Default)]
pub struct Missing {
    pub data: Option<KeptData>,
    pub run: Option<KeptRun>,
}

/// The run that was open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRun {
    pub path: PathBuf,
    /// The selected picture, by its id.
    #[serde(default)]
    pub picture: Option<String>,
    #[serde(default)]
    pub compared: Vec<PathBuf>,
}
