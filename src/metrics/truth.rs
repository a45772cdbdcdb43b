//! What is known about a picture before a model looks at it.

use serde::{Deserialize, Serialize};

/// The class of a test picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Truth {
    Good,
    Defective,
    /// Nobody has looked yet: scored and shown, counted in no rate.
    Unlabelled,
}

impl Truth {
    pub const ALL: [Self; 3] = [Self::Good, Self::Defective, Self::Unlabelled];

    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Defective => "defective",
            Self::Unlabelled => "unlabelled",
        }
    }

    /// The class of an evaluation row's label; anything unknown is unlabelled.
    pub fn of_label(label: &str) -> Self {
        let known = Self::ALL.into_iter().find(|truth| truth.name() == label);
        known.unwrap_or(Self::Unlabelled)
    }
}
