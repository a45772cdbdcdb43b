//! Which good training pictures train and which are held out for calibration.

use super::Sample;

/// Good training pictures, parted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainSplit {
    pub train: Vec<Sample>,
    /// Never trained on; the limits come from their scores.
    pub calibration: Vec<Sample>,
}
