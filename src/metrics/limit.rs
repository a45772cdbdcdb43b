//! The limit between accept and reject, where it came from, and what it does to a list of scores.

use serde::{Deserialize, Serialize};

/// Where a limit came from. Printed beside every number that depends on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LimitOrigin {
    /// The largest score of `pictures` good pictures that were held out of training.
    HeldOutMaximum { pictures: usize },
    /// A quantile (0 to 1) of the scores of `pictures` held-out good pictures.
    HeldOutQuantile { quantile: f64, pictures: usize },
    /// Set by hand.
    Manual,
    /// Best F1 on the test set itself: never a deployed limit.
    Oracle,
}

/// A picture or pixel with a score at or above `value` is called anomalous.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    pub value: f32,
    pub origin: LimitOrigin,
}

/// Pictures by truth and verdict at one limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Confusion {
    pub good_passed: usize,
    /// Overkill: good pictures called defective.
    pub good_failed: usize,
    /// Escapes: defective pictures called good.
    pub defective_passed: usize,
    pub defective_failed: usize,
}
