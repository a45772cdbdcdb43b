//! Scores loose pictures with a finished model: a table, the raw maps and an overlay of each.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::detector::TrainedDetector;
use crate::config::DeviceChoice;
use crate::data::image::{Picture, decode};
use crate::data::is_picture_name;
use crate::metrics::Limit;
use crate::progress::{Monitor, Outcome, Phase, Progress};
use crate::store::results::write_predictions;

/// What to score with what.
#[derive(Debug, Clone)]
pub struct PredictRequest {
    /// Model file or run folder.
    pub model: PathBuf,
    /// A picture or a folder of pictures; subfolders are searched too.
    pub input: PathBuf,
    pub out: PathBuf,
    pub weights: Option<PathBuf>,
    pub device: DeviceChoice,
}

/// One scored picture, or why it could not be scored.
#[derive(Debug, Clone, Serialize)]
pub struct PredictedPicture {
    /// Relative to the input folder.
    pub path: String,
    pub score: Option<f32>,
    /// `PASS`, `FAIL` or `ERROR`.
    pub verdict: &'static str,
    pub error: Option<String>,
}

/// All pictures of one call, in bytewise order of their paths.
#[derive(Debug, Clone, Serialize)]
pub struct Prediction {
    pub model: PathBuf,
    pub limit: Limit,
    pub pictures: Vec<PredictedPicture>,
    pub failed: usize,
    pub seconds: f64,
}
