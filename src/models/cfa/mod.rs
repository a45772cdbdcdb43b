//! CFA: coupled-hypersphere feature adaptation.

use serde::{Deserialize, Serialize};

/// Settings of a CFA model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CfaConfig {
    pub epochs: usize,
}
