//! How many pictures of each defect type the limit catches. Plain data, no widgets.

use std::collections::BTreeMap;

use crate::metrics::{ImageRow, Limit};

/// One defect type at one limit.
#[derive(Debug, Clone, PartialEq)]
pub struct DefectRecall {
    pub defect: String,
    pub caught: usize,
    pub pictures: usize,
    /// The score of its least conspicuous picture: a limit at or below it catches all.
    pub weakest: f32,
}

impl DefectRecall {
    pub fn share(&self) -> f64 {
        self.caught as f64 / self.pictures as f64
    }
}

/// Every defect type of the test set, the worst caught first.
pub fn recall_by_defect(rows: &[ImageRow], limit: f32) -> Vec<DefectRecall> {
    let mut types: BTreeMap<&str, DefectRecall> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.is_defective()) {
        let entry = types.entry(&row.defect).or_insert_with(|| DefectRecall {
            defect: row.defect.clone(),
            caught: 0,
            pictures: 0,
            weakest: row.score,
        });
        entry.pictures += 1;
        entry.caught += usize::from(Limit::manual(limit).rejects(row.score));
        entry.weakest = entry.weakest.min(row.score);
    }
    let mut list: Vec<_> = types.into_values().collect();
    list.sort_by(|a, b| a.share().total_cmp(&b.share()));
    list
}

#[cfg(test)]
mod tests {
    use super::recall_by_defect;
    use crate::metrics::ImageRow;

    fn row(defect: &str, score: f32) -> ImageRow {
        ImageRow {
            path: format!("test/{defect}/a.png"),
            label: if defect == "good" {
                "good"
            } else {
                "defective"
            }
            .to_owned(),
            defect: defect.to_owned(),
            score,
        }
    }

    #[test]
    fn the_worst_caught_type_comes_first_and_good_and_unlabelled_pictures_do_not_count() {
        let rows = [
            row("dent", 0.9),
            row("dent", 0.7),
            row("scratch", 0.4),
            row("scratch", 0.8),
            row("good", 0.9),
            ImageRow {
                label: "unlabelled".to_owned(),
                ..row("unlabelled", 0.9)
            },
        ];
        let recall = recall_by_defect(&rows, 0.5);
        let seen: Vec<_> = recall
            .iter()
            .map(|r| (r.defect.as_str(), r.caught, r.pictures, r.weakest))
            .collect();
        assert_eq!(seen, [("scratch", 1, 2, 0.4), ("dent", 2, 2, 0.7)]);
    }

    #[test]
    fn without_defects_there_is_nothing_to_catch() {
        assert!(recall_by_defect(&[row("good", 0.1)], 0.5).is_empty());
    }
}
