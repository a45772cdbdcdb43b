//! How the user wants to see the gallery: kept from one session to the next. Plain data.

use serde::{Deserialize, Serialize};

use super::super::state::Comparison;
use super::filter::Filter;
use super::order::Sort;

/// How the pictures lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arrangement {
    /// One picture a row, with its facts beside it.
    #[default]
    Strip,
    /// As many pictures a row as fit, with their facts below.
    Grid,
}

impl Arrangement {
    pub const ALL: [Self; 2] = [Self::Strip, Self::Grid];

    pub fn name(self) -> &'static str {
        match self {
            Self::Strip => "Strip",
            Self::Grid => "Grid",
        }
    }
}

/// Everything about the gallery that outlives a session.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GallerySettings {
    pub arrangement: Arrangement,
    pub sort: Sort,
    pub filter: Filter,
}

impl GallerySettings {
    /// The order in use: without a run to compare with nothing disagrees.
    pub fn sort_with(&self, compared: &[Comparison]) -> Sort {
        match self.sort {
            Sort::Disagreement if compared.is_empty() => Sort::HighestScore,
            sort => sort,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrangement, GallerySettings, Sort};

    #[test]
    fn settings_survive_being_written_down() {
        let settings = GallerySettings {
            arrangement: Arrangement::Grid,
            sort: Sort::Name,
            ..GallerySettings::default()
        };
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(
            serde_json::from_str::<GallerySettings>(&text).unwrap(),
            settings
        );
    }

    #[test]
    fn nothing_disagrees_without_a_run_to_compare_with() {
        let settings = GallerySettings {
            sort: Sort::Disagreement,
            ..GallerySettings::default()
        };
        assert_eq!(settings.sort_with(&[]), Sort::HighestScore);
    }
}
