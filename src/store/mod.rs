//! What is on disk. The only place that names result files.

mod atomic;
mod container;
mod hash;

pub mod checkpoint;
pub mod model_file;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::RunConfig;
use crate::data::Sample;
use crate::metrics::{Evaluation, Limit};
use crate::models::backbone::BackboneKind;

/// A run as the window shows it: settings and results without tensors.
#[derive(Debug, Clone)]
pub struct RunSummary {
    /// The run folder, or the model file when a lone model was opened.
    pub path: PathBuf,
    pub config: RunConfig,
    pub image_limit: Limit,
    pub pixel_limit: Limit,
    /// Image scores of the held-out good pictures, ascending.
    pub calibration_scores: Vec<f32>,
    /// The frozen colour scale: raw scores at its two ends. The pixel limit lies half-way.
    pub scale: (f32, f32),
    pub evaluation: Option<Arc<Evaluation>>,
    /// The evaluated pictures, in the order of `evaluation.images`; empty when there is no evaluation.
    pub samples: Vec<Sample>,
}

/// One set of backbone weights that is at hand or could be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightsInfo {
    pub kind: BackboneKind,
    pub origin: WeightsOrigin,
    /// Hexadecimal SHA-256.
    pub sha256: String,
    /// Whether the hash is one the program knows for this network.
    pub verified: bool,
}

/// Where weights are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WeightsOrigin {
    Embedded,
    File(PathBuf),
}
