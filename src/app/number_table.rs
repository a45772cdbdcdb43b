//! The table of numbers of a run with the protocol behind each: what was measured, and where its limit came from.
//! Plain data, no widgets.

use std::fmt::Write;

use super::numbers::{self, NOT_AVAILABLE};
use super::state::LimitsInForce;
use crate::metrics::{Confusion, Evaluation, Limit, LimitOrigin, PixelMetrics};

/// Names of the three columns of numbers.
pub const COLUMNS: [&str; 3] = ["Pictures", "Pixels, input size", "Pixels, original size"];

/// What a group of numbers rests on.
#[derive(Debug, Clone, PartialEq)]
pub enum Basis {
    /// The number judges the order of scores; no limit is involved.
    NoLimit,
    Limit(Limit),
}

impl Basis {
    pub fn is_oracle(&self) -> bool {
        matches!(self, Self::Limit(limit) if limit.origin.looks_at_test_set())
    }

    pub fn words(&self) -> String {
        match self {
            Self::NoLimit => "needs no limit".to_owned(),
            Self::Limit(limit) => limit.origin.describe(),
        }
    }
}

/// One number, or why there is none.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Number(String),
    /// Undefined for this test set, for this reason.
    NotAvailable(&'static str),
    /// Does not exist for this column.
    Blank,
}

impl Cell {
    pub fn text(&self) -> &str {
        match self {
            Self::Number(text) => text,
            Self::NotAvailable(_) => NOT_AVAILABLE,
            Self::Blank => "",
        }
    }
}

/// A number on all three grids.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberRow {
    pub name: &'static str,
    /// What the number means, in a sentence.
    pub meaning: &'static str,
    /// In the order of [`COLUMNS`].
    pub cells: [Cell; 3],
}

/// Numbers that rest on the same basis.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub basis: Basis,
    pub rows: Vec<NumberRow>,
}

/// All numbers at the image limit in force.
pub fn groups(evaluation: &Evaluation, limits: &LimitsInForce) -> Vec<Group> {
    vec![
        without_limit(evaluation),
        at_image_limit(evaluation, limits),
        at_pixel_limit(evaluation),
        oracle(evaluation),
    ]
}

fn without_limit(evaluation: &Evaluation) -> Group {
    let reasons = Reasons::of(evaluation);
    let (image, input, original) = (
        &evaluation.image,
        &evaluation.pixel_at_input,
        &evaluation.pixel_at_original,
    );
    let pixels = |of: fn(&PixelMetrics) -> Option<f64>| {
        [reasons.pixel(of(input)), reasons.pixel(of(original))]
    };
    let [auroc_input, auroc_original] = pixels(|m| m.auroc);
    let [precision_input, precision_original] = pixels(|m| m.average_precision);
    let [overlap_input, overlap_original] = pixels(|m| m.aupro);
    Group {
        basis: Basis::NoLimit,
        rows: vec![
            NumberRow {
                name: "AUROC",
                meaning: "The chance that something defective scores higher than something good. 1 is perfect, 0.5 is guessing",
                cells: [reasons.image(image.auroc), auroc_input, auroc_original],
            },
            NumberRow {
                name: "Average precision",
                meaning: "The area under precision over recall, by the step rule. Falls with the share of what is defective",
                cells: [
                    reasons.image(image.average_precision),
                    precision_input,
                    precision_original,
                ],
            },
            NumberRow {
                name: "AUPRO up to 0.3",
                meaning: "How much of each defect region is covered, small regions counting as much as large ones, up to 30 % false alarms",
                cells: [Cell::Blank, overlap_input, overlap_original],
            },
        ],
    }
}

fn at_image_limit(evaluation: &Evaluation, limits: &LimitsInForce) -> Group {
    let limit = &limits.rule().fail;
    let tally = &limits.judgement().tally;
    let reasons = Reasons::of(evaluation);
    let share = |value: Option<f64>| match value {
        Some(value) => Cell::Number(numbers::percent(value)),
        None => reasons.image(None),
    };
    let row = |name, meaning, cell| NumberRow {
        name,
        meaning,
        cells: [cell, Cell::Blank, Cell::Blank],
    };
    Group {
        basis: Basis::Limit(limit.clone()),
        rows: vec![
            row(
                "Overkill rate",
                "The share of good pictures that are rejected",
                share(tally.overkill().share()),
            ),
            row(
                "Escape rate",
                "The share of defective pictures that pass",
                share(tally.escapes().share()),
            ),
            row(
                "F1",
                "The harmonic mean of precision and recall of rejected pictures",
                reasons.image(Confusion::of_fails(tally).f1()),
            ),
        ],
    }
}

/// Measured when the run was evaluated: always at the run's own pixel limit.
fn at_pixel_limit(evaluation: &Evaluation) -> Group {
    let reasons = Reasons::of(evaluation);
    Group {
        basis: Basis::Limit(evaluation.protocol.pixel_limit.clone()),
        rows: vec![NumberRow {
            name: "IoU at the run's pixel limit",
            meaning: "Overlap of what is marked and what is defective, divided by their union, over all pixels",
            cells: [
                Cell::Blank,
                reasons.pixel(evaluation.pixel_at_input.iou_at_limit),
                reasons.pixel(evaluation.pixel_at_original.iou_at_limit),
            ],
        }],
    }
}

fn oracle(evaluation: &Evaluation) -> Group {
    let reasons = Reasons::of(evaluation);
    let (image, input, original) = (
        &evaluation.image,
        &evaluation.pixel_at_input,
        &evaluation.pixel_at_original,
    );
    let limit = |value: Option<f32>, missing: Cell| {
        value.map_or(missing, |value| Cell::Number(numbers::score(value)))
    };
    Group {
        basis: Basis::Limit(Limit {
            value: image.f1_max_limit.unwrap_or(f32::NAN),
            origin: LimitOrigin::Oracle,
        }),
        rows: vec![
            NumberRow {
                name: "Best F1",
                meaning: "The best F1 that any limit reaches on these test pictures",
                cells: [
                    reasons.image(image.f1_max),
                    reasons.pixel(input.f1_max),
                    reasons.pixel(original.f1_max),
                ],
            },
            NumberRow {
                name: "Limit of the best F1",
                meaning: "The limit that reaches it. It was found by looking at the answers",
                cells: [
                    limit(image.f1_max_limit, reasons.image(None)),
                    limit(input.f1_max_limit, reasons.pixel(None)),
                    limit(original.f1_max_limit, reasons.pixel(None)),
                ],
            },
            NumberRow {
                name: "Best IoU",
                meaning: "The best overlap divided by union that any limit reaches on these test pictures",
                cells: [
                    Cell::Blank,
                    reasons.pixel(input.iou_max),
                    reasons.pixel(original.iou_max),
                ],
            },
        ],
    }
}

/// Why a number may be undefined for this test set.
struct Reasons {
    image: &'static str,
    pixel: &'static str,
}

impl Reasons {
    fn of(evaluation: &Evaluation) -> Self {
        let protocol = &evaluation.protocol;
        let image = match (protocol.test_good, protocol.test_defective) {
            (0, 0) if protocol.unlabelled > 0 => "The test set has only unlabelled pictures",
            (0, _) => "The test set has no good pictures",
            (_, 0) => "The test set has no defective pictures",
            _ => "Undefined for this test set",
        };
        let pixel = if evaluation.pixel_at_input.regions == 0 {
            "No test picture has a mask with a defect on it"
        } else {
            "Undefined for this test set"
        };
        Self { image, pixel }
    }

    fn image(&self, value: Option<f64>) -> Cell {
        Self::cell(value, self.image)
    }

    fn pixel(&self, value: Option<f64>) -> Cell {
        Self::cell(value, self.pixel)
    }

    fn cell(value: Option<f64>, reason: &'static str) -> Cell {
        match value {
            Some(_) => Cell::Number(numbers::metric(value)),
            None => Cell::NotAvailable(reason),
        }
    }
}

/// Everything as tab-separated text, for a spreadsheet or a report.
pub fn as_tsv(groups: &[Group], facts: &[[String; 3]]) -> String {
    let mut text = format!("Number\t{}\tLimit\n", COLUMNS.join("\t"));
    for group in groups {
        for row in &group.rows {
            let cells: Vec<&str> = row.cells.iter().map(Cell::text).collect();
            let _ = writeln!(
                text,
                "{}\t{}\t{}",
                row.name,
                cells.join("\t"),
                group.basis.words()
            );
        }
    }
    text.push('\n');
    for [name, value, whole] in facts {
        let value = if whole.is_empty() { value } else { whole };
        let _ = writeln!(text, "{name}\t{value}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Cell, Reasons};

    #[test]
    fn an_undefined_number_says_why() {
        let reasons = Reasons {
            image: "no good pictures",
            pixel: "no masks",
        };
        assert_eq!(reasons.image(Some(0.5)), Cell::Number("0.5000".to_owned()));
        assert_eq!(reasons.pixel(None), Cell::NotAvailable("no masks"));
        assert_eq!(reasons.pixel(None).text(), "n/a");
    }
}
