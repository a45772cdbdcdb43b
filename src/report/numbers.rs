//! The numbers of the evaluation on all three grids, each with the limit it rests on. Oracle numbers stand apart.

use super::facts::Facts;
use super::html::{Cell, Column, Table, escape, paragraph, section};
use crate::metrics::wording::{NOT_AVAILABLE, metric, score, unbroken};
use crate::metrics::{Confusion, Limit, PixelMetrics, Protocol};

const NO_LIMIT: &str = "needs no limit";
const ORACLE: &str = "<span class=\"badge warning\">oracle</span> best limit on the test pictures";

pub fn numbers(facts: &Facts) -> String {
    let evaluation = facts.evaluation();
    let (input, original) = (&evaluation.pixel_at_input, &evaluation.pixel_at_original);
    let pixels = |of: fn(&PixelMetrics) -> Option<f64>| Some([of(input), of(original)]);
    let in_force = escape("limits in force");
    let when_scored = basis(&facts.protocol().pixel_limit, "pixel limit when scored");
    let no_limit = escape(NO_LIMIT);
    let image = &evaluation.image;
    let rows = [
        Row {
            name: "AUROC",
            image: Some(metric(image.auroc)),
            pixels: pixels(|p| p.auroc),
            basis: &no_limit,
        },
        Row {
            name: "Average precision",
            image: Some(metric(image.average_precision)),
            pixels: pixels(|p| p.average_precision),
            basis: &no_limit,
        },
        Row {
            name: "AUPRO (FPR ≤ 0.3)",
            image: None,
            pixels: pixels(|p| p.aupro),
            basis: &no_limit,
        },
        Row {
            name: "IoU at pixel limit",
            image: None,
            pixels: pixels(|p| p.iou_at_limit),
            basis: &when_scored,
        },
        Row {
            name: "F1 of FAIL verdicts",
            image: Some(metric(Confusion::of_fails(facts.tally()).f1())),
            pixels: None,
            basis: &in_force,
        },
        Row {
            name: "F1-max (oracle)",
            image: Some(metric(image.f1_max)),
            pixels: pixels(|p| p.f1_max),
            basis: ORACLE,
        },
    ];
    let mut table = Table::new(
        "Numbers of this test set",
        &[
            ("Number", Column::Words),
            ("Pictures", Column::Numbers),
            ("Pixels, input size", Column::Numbers),
            ("Pixels, original size", Column::Numbers),
            ("Limit", Column::Words),
        ],
    );
    table.rows = rows.iter().map(Row::cells).collect();
    let body = table.markup() + &missing(facts);
    section("numbers", "Numbers", &body)
}

/// One number on all three grids; `None` where it does not exist.
struct Row<'a> {
    name: &'static str,
    image: Option<String>,
    /// At input size and at original size.
    pixels: Option<[Option<f64>; 2]>,
    /// Markup.
    basis: &'a str,
}

impl Row<'_> {
    fn cells(&self) -> Vec<Cell> {
        let none = || Cell::text("–");
        let [input, original] = match self.pixels {
            Some(pixels) => pixels.map(|value| Cell::text(metric(value))),
            None => [none(), none()],
        };
        vec![
            Cell::head(self.name),
            self.image.as_ref().map_or_else(none, Cell::text),
            input,
            original,
            Cell::Markup(self.basis.to_owned()),
        ]
    }
}

fn basis(limit: &Limit, name: &str) -> String {
    escape(&unbroken(&format!("{name} {}", score(limit.value))))
}

/// Why numbers are not available.
fn missing(facts: &Facts) -> String {
    let evaluation = facts.evaluation();
    let mut reasons = Vec::new();
    if evaluation.image.auroc.is_none() {
        reasons.push(image_reason(facts.protocol()));
    }
    if evaluation.pixel_at_input.auroc.is_none() {
        reasons.push(pixel_reason(&evaluation.pixel_at_input));
    }
    if reasons.is_empty() {
        return String::new();
    }
    paragraph(
        "muted",
        &format!("{NOT_AVAILABLE}: {}.", reasons.join("; ")),
    )
}

/// Why numbers of pictures are undefined for this test set.
pub fn image_reason(protocol: &Protocol) -> &'static str {
    match (protocol.test_good, protocol.test_defective) {
        (0, 0) => "the test set has neither good nor defective pictures",
        (0, _) => "the test set has no good pictures",
        (_, 0) => "the test set has no defective pictures",
        _ => "undefined for this test set",
    }
}

/// The same for pixels.
pub fn pixel_reason(pixels: &PixelMetrics) -> &'static str {
    if pixels.regions == 0 {
        "no test picture has a mask that marks a defect"
    } else {
        "undefined for this test set"
    }
}
