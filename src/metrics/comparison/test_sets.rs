//! Whether the compared runs were judged on the same pictures, by name and label: only then do their numbers say which run is
//! better. What the runs were trained on plays no part; that stands in the protocols.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::Compared;
use crate::metrics::ImageRow;

/// The test pictures of the runs, held against those of the first one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TestSets {
    /// Pictures of the first run.
    pub pictures: usize,
    /// Those of them that every run judged and takes for the same: good, defective or unlabelled.
    pub shared: usize,
    /// Whether every run judged these and no others. What is in the files is not looked at.
    pub are_same: bool,
    /// Whether the runs name different categories, so that the same name need not be the same picture.
    pub are_other_products: bool,
}

impl TestSets {
    pub fn of(runs: &[Compared<'_>]) -> Self {
        let sets: Vec<_> = runs.iter().map(Compared::rows).collect();
        Self::of_rows(&sets, runs.iter().map(|run| run.category))
    }

    fn of_rows<'a>(
        sets: &[&[ImageRow]],
        categories: impl Iterator<Item = Option<&'a str>>,
    ) -> Self {
        let Some((first, others)) = sets.split_first() else {
            return Self::default();
        };
        let named: HashSet<&str> = categories.flatten().collect();
        let are_other_products = named.len() > 1;
        let labels: Vec<_> = others.iter().map(|rows| labels(rows)).collect();
        let is_shared = |row: &&ImageRow| {
            let label = Some(row.label.as_str());
            labels
                .iter()
                .all(|labels| labels.get(row.path.as_str()).copied() == label)
        };
        let shared = first.iter().filter(is_shared).count();
        let all_shared = others.iter().all(|rows| rows.len() == first.len());
        Self {
            pictures: first.len(),
            shared,
            are_same: all_shared && shared == first.len() && !are_other_products,
            are_other_products,
        }
    }

    /// What to be warned of, in two words and in a sentence; `None` when the numbers can be compared.
    pub fn warning(&self) -> Option<(&'static str, String)> {
        if self.are_same {
            return None;
        }
        if self.are_other_products {
            let why = "The runs are of different categories: pictures of the same name need not be the same pictures";
            return Some(("Other products", why.to_owned()));
        }
        let why = if self.shared == self.pictures {
            "The numbers are not of the same set: another run was judged on more pictures than A"
                .to_owned()
        } else {
            format!(
                "The numbers are not of the same set: {} of the {} pictures of A are judged by all runs, with the same label",
                self.shared, self.pictures
            )
        };
        Some(("Other test pictures", why))
    }
}

fn labels(rows: &[ImageRow]) -> HashMap<&str, &str> {
    rows.iter()
        .map(|row| (row.path.as_str(), row.label.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::TestSets;
    use crate::metrics::ImageRow;

    fn rows(named: &[(&str, &str)]) -> Vec<ImageRow> {
        let row = |(path, label): &(&str, &str)| ImageRow {
            path: (*path).to_owned(),
            label: (*label).to_owned(),
            defect: (*label).to_owned(),
            score: 0.5,
        };
        named.iter().map(row).collect()
    }

    fn of(sets: &[&[ImageRow]]) -> TestSets {
        TestSets::of_rows(sets, [].into_iter())
    }

    #[test]
    fn the_order_of_the_pictures_does_not_matter() {
        let a = rows(&[("1", "good"), ("2", "defective")]);
        let b = rows(&[("2", "defective"), ("1", "good")]);
        let sets = of(&[&a, &b]);
        assert!(sets.are_same);
        assert_eq!((sets.pictures, sets.shared), (2, 2));
        assert_eq!(sets.warning(), None);
    }

    #[test]
    fn a_picture_missing_here_or_added_there_makes_another_set() {
        let few = rows(&[("1", "good")]);
        let more = rows(&[("1", "good"), ("2", "defective")]);
        let fewer = of(&[&more, &few]);
        assert_eq!((fewer.shared, fewer.are_same), (1, false));
        let added = of(&[&few, &more]);
        assert_eq!((added.shared, added.are_same), (1, false));
        let (_, why) = added.warning().expect("other pictures");
        assert!(why.contains("more pictures than A"), "{why}");
    }

    #[test]
    fn a_picture_sorted_anew_is_not_shared() {
        let before = rows(&[("1", "good"), ("2", "good")]);
        let after = rows(&[("1", "good"), ("2", "defective")]);
        let sets = of(&[&before, &after]);
        assert_eq!((sets.shared, sets.are_same), (1, false));
    }

    #[test]
    fn the_same_names_in_another_category_are_other_pictures() {
        let a = rows(&[("1", "good")]);
        let categories = |names: [Option<&'static str>; 2]| {
            TestSets::of_rows(&[&a, &a.clone()], names.into_iter())
        };
        assert!(categories([Some("bottle"), None]).are_same);
        let other = categories([Some("bottle"), Some("cable")]);
        assert!(!other.are_same && other.are_other_products);
        assert_eq!(
            other.warning().map(|(word, _)| word),
            Some("Other products")
        );
    }

    #[test]
    fn no_run_and_no_pictures_warn_of_nothing_there_is() {
        assert_eq!(of(&[]), TestSets::default());
        assert!(of(&[&[], &[]]).are_same);
    }
}
