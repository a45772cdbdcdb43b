//! What the gallery leaves out: by verdict and truth, by defect type, by name. Plain data, no widgets.

use serde::{Deserialize, Serialize};

use super::super::verdict::Outcome;
use crate::metrics::ImageRow;

/// What the list leaves out. The default leaves out nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// Only these cells of verdict and truth; empty: all.
    pub outcomes: Vec<Outcome>,
    /// Only this defect type (`good` is one, and so is `unlabelled`).
    pub defect: Option<String>,
    /// Only names that contain this text, in any case.
    pub search: String,
}

impl Filter {
    /// Adds or removes one cell of verdict and truth.
    pub fn toggle(&mut self, outcome: Outcome) {
        match self.outcomes.iter().position(|&o| o == outcome) {
            Some(at) => {
                self.outcomes.remove(at);
            }
            None => self.outcomes.push(outcome),
        }
    }

    /// Whether it leaves out nothing.
    pub fn is_clear(&self) -> bool {
        self.outcomes.is_empty() && self.defect.is_none() && self.search.trim().is_empty()
    }

    /// For each cell in the order of [`Outcome::ALL`] whether it is listed.
    pub fn listed_outcomes(&self) -> [bool; 9] {
        Outcome::ALL.map(|cell| self.outcomes.is_empty() || self.outcomes.contains(&cell))
    }
}

/// The pictures whose name contains this text, by their place in the rows; `None`: all of them.
pub fn found(rows: &[ImageRow], search: &str) -> Option<Vec<bool>> {
    let search = search.trim().to_lowercase();
    let contains = |row: &ImageRow| row.path.to_lowercase().contains(&search);
    (!search.is_empty()).then(|| rows.iter().map(contains).collect())
}

#[cfg(test)]
mod tests {
    use super::super::super::verdict::Outcome;
    use super::super::index::made_up::rows;
    use super::{Filter, found};

    #[test]
    fn toggling_a_cell_twice_changes_nothing() {
        let mut filter = Filter::default();
        assert_eq!(filter.listed_outcomes(), [true; 9]);
        filter.toggle(Outcome::ESCAPE);
        assert_eq!(filter.outcomes, [Outcome::ESCAPE]);
        assert!(!filter.is_clear() && !filter.listed_outcomes()[0]);
        filter.toggle(Outcome::ESCAPE);
        assert_eq!(filter, Filter::default());
        assert!(filter.is_clear());
    }

    #[test]
    fn search_ignores_case_and_the_spaces_around() {
        let crack = Some(vec![true, true, false, false, false]);
        assert_eq!(found(&rows(), " CRACK/ "), crack);
        assert_eq!(found(&rows(), "  "), None, "no search at all");
        assert_eq!(found(&rows(), "x"), Some(vec![false; 5]));
    }

    #[test]
    fn a_filter_survives_being_written_down() {
        let filter = Filter {
            outcomes: vec![Outcome::OVERKILL],
            defect: Some("crack".to_owned()),
            search: "00".to_owned(),
        };
        let text = serde_json::to_string(&filter).unwrap();
        assert_eq!(serde_json::from_str::<Filter>(&text).unwrap(), filter);
        assert_eq!(
            serde_json::from_str::<Filter>("{}").unwrap(),
            Filter::default()
        );
    }
}
