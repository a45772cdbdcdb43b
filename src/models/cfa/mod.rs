//! CFA: coupled-hypersphere feature adaptation.

use serde::{Deserialize, Serialize};

use super::backbone::BackboneKind;

/// Settings of a CFA model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CfaConfig {
    pub epochs: usize,
}

impl CfaConfig {
    pub fn paper(_: BackboneKind) -> Self {
        Self { epochs: 30 }
    }

    pub fn quick(_: BackboneKind) -> Self {
        Self { epochs: 3 }
    }
}
