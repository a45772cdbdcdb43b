//! The built-in sample data set: a textured part drawn by code, good and defective.

/// How the sample data set is drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SampleSettings {
    pub seed: u64,
}
