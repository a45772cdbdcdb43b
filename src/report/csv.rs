//! The table beside the page: one row for each scored picture.

use super::facts::Facts;
use crate::store::results::csv_row;

/// The heads of the columns.
const HEADS: [&str; 7] = [
    "path",
    "label",
    "defect",
    "score",
    "verdict",
    "outcome",
    "largest_region_px",
];

/// `areas` are those of the largest regions, in the order of the rows; what is unknown stays empty.
pub fn table(facts: &Facts, areas: &[Option<f64>]) -> String {
    let mut table = csv_row(&HEADS);
    for (index, row) in facts.rows().iter().enumerate() {
        let outcome = facts.outcome(index);
        let area = areas.get(index).copied().flatten();
        table += &csv_row(&[
            &row.path,
            &row.label,
            &row.defect,
            &row.score.to_string(),
            outcome.map_or("", |outcome| outcome.verdict.word()),
            outcome.map_or("", |outcome| outcome.of_one()),
            &area.map_or_else(String::new, |area| format!("{:.0}", area.round())),
        ]);
    }
    table
}
