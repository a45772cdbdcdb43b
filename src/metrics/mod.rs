//! Slices in, numbers out: every number a run reports and how it is computed. Knows no tensors, files or windows.

pub mod curve;
pub mod evaluation;
pub mod limit;
pub mod region;

use serde::{Deserialize, Serialize};

pub use evaluation::{Evaluation, Protocol};
pub use curve::{Curve, Point};
pub use limit::{Confusion, Limit, LimitOrigin};

/// One test picture's row in the evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageRow {
    /// Path relative to the category's folder; [`crate::data`]'s sample id.
    pub path: String,
    /// `good` or `defective`.
    pub label: String,
    /// `good`, or the defect type.
    pub defect: String,
    /// Raw image score.
    pub score: f32,
}

impl ImageRow {
    pub fn is_defective(&self) -> bool {
        self.label != "good"
    }
}

/// Image-level numbers and curves. `None` is "n/a": the metric is undefined for this test set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageMetrics {
    pub auroc: Option<f64>,
    pub average_precision: Option<f64>,
    /// Oracle: the best F1 any limit reaches on the test set.
    pub f1_max: Option<f64>,
    /// Oracle: the limit that reaches it.
    pub f1_max_limit: Option<f32>,
    pub roc: Curve,
    pub precision_recall: Curve,
}

/// Pixel-level numbers and curves on one evaluation grid.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PixelMetrics {
    pub auroc: Option<f64>,
    pub average_precision: Option<f64>,
    /// Oracle, as for pictures.
    pub f1_max: Option<f64>,
    pub f1_max_limit: Option<f32>,
    /// Intersection over union at the same oracle limit.
    pub iou_max: Option<f64>,
    /// Intersection over union at the model's own pixel limit.
    pub iou_at_limit: Option<f64>,
    /// Area under the per-region overlap curve up to a false-positive rate of 0.3.
    pub aupro: Option<f64>,
    /// Ground-truth regions (8-connected) and defective pictures whose mask vanished on this grid.
    pub regions: usize,
    pub vanished_masks: usize,
    pub pixels: u64,
    pub roc: Curve,
    pub precision_recall: Curve,
    pub per_region_overlap: Curve,
}
