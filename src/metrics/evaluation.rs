//! Every number a run reports, with the protocol under which it was measured.

use serde::{Deserialize, Serialize};

use super::{ImageMetrics, ImageRow, Limit, PixelMetrics};

/// How the numbers of an evaluation came about; shown wherever they are shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Protocol {
    pub program_version: String,
    pub model: String,
    pub backbone: String,
    /// SHA-256 of the backbone's weights, hexadecimal.
    pub backbone_sha256: String,
    /// `256` or `224crop`, and the network's input size in pixels.
    pub input: String,
    pub input_width: usize,
    pub input_height: usize,
    pub seed: u64,
    /// Always the last of this many epochs; no epoch is picked by looking at the test set.
    pub epochs: usize,
    pub training_pictures: usize,
    /// Good pictures held out of training, from which the limits come.
    pub calibration_pictures: usize,
    pub test_good: usize,
    pub test_defective: usize,
    /// Defective test pictures without a mask: judged as pictures, absent from the pixel numbers.
    pub without_mask: usize,
    /// Test pictures that could not be read.
    pub unreadable: usize,
    pub image_limit: Limit,
    pub pixel_limit: Limit,
    /// SHA-256 over the names and contents of the training pictures, hexadecimal.
    pub data_fingerprint: String,
    pub device: String,
}

/// The result of judging a model on a test set. The first block repeats the headline numbers under their short names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    pub image_auroc: Option<f64>,
    /// Pixel numbers of this block are on the model's input grid.
    pub pixel_auroc: Option<f64>,
    pub aupro: Option<f64>,
    pub image_ap: Option<f64>,
    pub pixel_ap: Option<f64>,
    /// Oracle.
    pub image_f1_max: Option<f64>,
    /// Oracle.
    pub pixel_f1_max: Option<f64>,
    /// Decoding and scoring of all test pictures, metrics excluded.
    pub seconds: f64,
    pub images_per_second: f64,
    pub protocol: Protocol,
    pub images: Vec<ImageRow>,
    pub image: ImageMetrics,
    pub pixel_at_input: PixelMetrics,
    /// Maps resampled to each picture's own size, original masks; with a crop, only the part the network saw.
    pub pixel_at_original: PixelMetrics,
}
