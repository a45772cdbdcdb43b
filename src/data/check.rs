//! Looks at every picture before anything is trained on it.

use super::Finding;

/// What looking at every picture showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    pub findings: Vec<Finding>,
}
