//! What the limits say about one picture.

use serde::{Deserialize, Serialize};

/// The verdict on a picture, from harmless to defective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    Pass,
    /// Neither: a person decides.
    Review,
    Fail,
}

impl Verdict {
    pub const ALL: [Self; 3] = [Self::Pass, Self::Review, Self::Fail];

    /// As it stands on badges and in tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Review => "REVIEW",
            Self::Fail => "FAIL",
        }
    }
}
