//! ROC, precision-recall and per-region-overlap curves and the areas under them, from one sort.

use serde::{Deserialize, Serialize};

/// One vertex of a curve and the limit that makes it (predict anomalous when score >= limit).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub x: f64,
    pub y: f64,
    /// Infinite at the first vertex, where nothing is called anomalous; saved as null.
    pub limit: Option<f32>,
}

/// A curve to draw, in order of falling limit. Thinned for drawing; areas are computed from all vertices.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    pub points: Vec<Point>,
}
