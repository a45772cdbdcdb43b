//! How scores and shares are written in the window: as in every report.

pub use crate::metrics::wording::{NOT_AVAILABLE, metric, percent, score, share};
