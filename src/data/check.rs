//! Looks at every picture before anything is trained on it.

use super::Finding;
use super::image::Size;

/// What looking at every picture showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    pub findings: Vec<Finding>,
    /// Sizes of the readable pictures and how many have each, most frequent first.
    pub sizes: Vec<(Size, usize)>,
}
