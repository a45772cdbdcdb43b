//! What the gallery needs of every picture of an evaluation, gathered once: classes, defect types, and the orders that no
//! limit changes. Plain data, no widgets.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::metrics::{ImageRow, Truth};

/// One evaluation's pictures, by their place in its rows.
#[derive(Debug, Default)]
pub struct Index {
    pub truths: Vec<Truth>,
    /// Every defect type, `good` first and `unlabelled` last.
    pub defects: Vec<String>,
    /// For each picture its place in `defects`.
    pub defect_of: Vec<usize>,
    pub scores: Vec<f32>,
    /// Highest score first; ties keep the order of the rows.
    pub falling: Vec<usize>,
    /// Lowest score first; ties keep the order of the rows.
    pub rising: Vec<usize>,
    pub by_name: Vec<usize>,
}

impl Index {
    pub fn of(rows: &[ImageRow]) -> Self {
        let defects = defect_types(rows);
        let place: BTreeMap<&str, usize> = defects
            .iter()
            .enumerate()
            .map(|(place, name)| (name.as_str(), place))
            .collect();
        let defect_of = rows
            .iter()
            .map(|row| place.get(row.defect.as_str()).copied().unwrap_or_default())
            .collect();
        let scores: Vec<f32> = rows.iter().map(|row| row.score).collect();
        let score = |index: usize| scores[index];
        Self {
            truths: rows.iter().map(ImageRow::truth).collect(),
            falling: ordered(rows.len(), |a, b| score(b).total_cmp(&score(a))),
            rising: ordered(rows.len(), |a, b| score(a).total_cmp(&score(b))),
            by_name: ordered(rows.len(), |a, b| rows[a].path.cmp(&rows[b].path)),
            defect_of,
            defects,
            scores,
        }
    }

    pub fn len(&self) -> usize {
        self.scores.len()
    }
}

/// The numbers below `count` in this order; ties stay as they are.
pub fn ordered(count: usize, compare: impl Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| compare(a, b));
    order
}

fn defect_types(rows: &[ImageRow]) -> Vec<String> {
    let mut names: Vec<&str> = rows.iter().map(|row| row.defect.as_str()).collect();
    names.sort_unstable_by_key(|&name| (name != "good", name == "unlabelled", name));
    names.dedup();
    names.into_iter().map(str::to_owned).collect()
}

/// Rows for the tests of this folder.
#[cfg(test)]
pub mod made_up {
    use crate::metrics::ImageRow;

    pub fn row(defect: &str, name: &str, score: f32) -> ImageRow {
        let label = match defect {
            "good" | "unlabelled" => defect,
            _ => "defective",
        };
        ImageRow {
            path: format!("test/{defect}/{name}.png"),
            label: label.to_owned(),
            defect: defect.to_owned(),
            score,
        }
    }

    /// Two good, three defective; at a limit of 0.5 one overkill and one escape.
    pub fn rows() -> Vec<ImageRow> {
        vec![
            row("crack", "000", 0.9),
            row("crack", "001", 0.3),
            row("good", "000", 0.1),
            row("good", "001", 0.6),
            row("stain", "000", 0.75),
        ]
    }

    /// Scores that repeat, in no order.
    pub fn many(count: usize) -> Vec<ImageRow> {
        let kinds = ["crack", "good", "stain", "unlabelled"];
        let mut seed = 7_u64;
        let mut rows: Vec<_> = (0..count)
            .map(|i| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let score = (seed >> 56) as f32 / 128.0;
                row(kinds[(seed >> 40) as usize % 4], &format!("{i:06}"), score)
            })
            .collect();
        rows.sort_by(|a, b| a.path.cmp(&b.path));
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::Index;
    use super::made_up::{row, rows};

    #[test]
    fn orders_and_types_are_gathered_once() {
        let mut rows = rows();
        rows.push(row("unlabelled", "000", 0.6));
        let index = Index::of(&rows);
        assert_eq!(index.defects, ["good", "crack", "stain", "unlabelled"]);
        assert_eq!(index.defect_of, [1, 1, 0, 0, 2, 3]);
        assert_eq!(index.falling, [0, 4, 3, 5, 1, 2], "ties by name");
        assert_eq!(index.rising, [2, 1, 3, 5, 4, 0], "ties by name");
        assert_eq!(index.by_name, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn no_pictures_have_no_order() {
        let index = Index::of(&[]);
        assert_eq!(index.len(), 0);
        assert!(index.defects.is_empty() && index.falling.is_empty());
    }
}
