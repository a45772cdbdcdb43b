//! What the verdicts made of the pictures: the confusion matrix, and how many of each defect type were caught.

use super::facts::Facts;
use super::html::{Cell, Column, Table, escape, paragraph, section, verdict};
use crate::metrics::wording::{grouped, interval, percent, score};
use crate::metrics::{Outcome, Rate, Truth, TypeRecall, Verdict};

/// Truths down, verdicts across.
pub fn confusion(facts: &Facts) -> String {
    let tally = facts.tally();
    let mut table = Table::new(
        "Pictures by truth and verdict",
        &[
            ("Truth", Column::Words),
            ("PASS", Column::Numbers),
            ("REVIEW", Column::Numbers),
            ("FAIL", Column::Numbers),
            ("All", Column::Numbers),
        ],
    );
    table.class = "matrix";
    let is_shown = |truth: &Truth| *truth != Truth::Unlabelled || tally.pictures(*truth) > 0;
    for truth in Truth::ALL.into_iter().filter(is_shown) {
        let mut row = vec![Cell::head(capital(truth.name()))];
        row.extend(
            Verdict::ALL
                .map(|verdict| cell(Outcome::new(truth, verdict), tally.count(truth, verdict))),
        );
        row.push(Cell::text(grouped(tally.pictures(truth))));
        table.rows.push(row);
    }
    let mut all = vec![Cell::head("All")];
    all.extend(Verdict::ALL.map(|verdict| Cell::text(grouped(tally.judged(verdict)))));
    let pictures = tally.review().of;
    all.push(Cell::text(grouped(pictures)));
    table.rows.push(all);
    section("confusion", "Confusion matrix", &table.markup())
}

/// An error stands out by its word, not by its colour alone.
fn cell(outcome: Outcome, count: usize) -> Cell {
    match outcome.error_word().filter(|_| count > 0) {
        None => Cell::text(grouped(count)),
        Some(word) => {
            let word = match (word, count) {
                ("escape", 2..) => "escapes",
                (word, _) => word,
            };
            Cell::Markup(format!(
                "<strong class=\"error\">{} {word}</strong>",
                grouped(count)
            ))
        }
    }
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// Every defect type, the worst caught first.
pub fn recall(facts: &Facts) -> String {
    let recall = facts.recall();
    if recall.is_empty() {
        let nothing = "The test set has no defective pictures, so there is nothing to catch.";
        return section(
            "recall",
            "Caught by defect type",
            &paragraph("muted", nothing),
        );
    }
    let mut table = Table::new(
        "Caught means FAIL. The worst caught type comes first",
        &[
            ("Defect type", Column::Words),
            ("Caught", Column::Numbers),
            ("Share", Column::Numbers),
            ("0 to 100 %", Column::Words),
            ("95 % interval", Column::Numbers),
            ("To review", Column::Numbers),
            ("Escaped", Column::Numbers),
            ("Lowest score", Column::Numbers),
        ],
    );
    table.rows = recall.iter().map(row).collect();
    if let [_, _, ..] = recall.as_slice() {
        table.rows.push(all(&recall));
    }
    section("recall", "Caught by defect type", &table.markup())
}

fn row(recall: &TypeRecall<'_>) -> Vec<Cell> {
    of_counts(
        recall.name,
        [Verdict::Fail, Verdict::Review, Verdict::Pass].map(|verdict| recall.count(verdict)),
        recall.weakest,
    )
}

fn all(recall: &[TypeRecall<'_>]) -> Vec<Cell> {
    let sum = |verdict| recall.iter().map(|recall| recall.count(verdict)).sum();
    let weakest = recall.iter().map(|recall| recall.weakest);
    of_counts(
        "All defects",
        [Verdict::Fail, Verdict::Review, Verdict::Pass].map(sum),
        weakest.fold(f32::INFINITY, f32::min),
    )
}

fn of_counts(name: &str, [caught, review, escaped]: [usize; 3], weakest: f32) -> Vec<Cell> {
    let rate = Rate {
        events: caught,
        of: caught + review + escaped,
    };
    let escaped = match escaped {
        0 => Cell::text("0"),
        escaped => Cell::Markup(format!(
            "<strong class=\"error\">{}</strong>",
            grouped(escaped)
        )),
    };
    vec![
        Cell::head(name),
        Cell::text(format!("{} of {}", grouped(rate.events), grouped(rate.of))),
        Cell::text(rate.share().map_or_else(String::new, percent)),
        Cell::Markup(bar(rate)),
        Cell::text(interval(rate)),
        Cell::text(grouped(review)),
        escaped,
        Cell::text(score(weakest)),
    ]
}

/// A dot where the rate was measured, a band over all that the count leaves open.
fn bar(rate: Rate) -> String {
    let (Some(share), Some(open)) = (rate.share(), rate.interval()) else {
        return String::new();
    };
    let at = |share: f64| 4.0 + 112.0 * share;
    format!(
        "<svg class=\"rate\" viewBox=\"0 0 120 14\" role=\"img\"><title>{}</title>\
         <desc>From 0 to 100 %: a dot at the share, a band over its interval</desc>\
         <rect class=\"track\" x=\"4\" y=\"5\" width=\"112\" height=\"4\" rx=\"2\"/>\
         <rect class=\"band\" x=\"{:.1}\" y=\"3\" width=\"{:.1}\" height=\"8\" rx=\"2\"/>\
         <circle class=\"spot\" cx=\"{:.1}\" cy=\"7\" r=\"4\"/></svg>",
        escape(&format!("{}, interval {}", percent(share), interval(rate))),
        at(open.low),
        (at(open.high) - at(open.low)).max(1.0),
        at(share)
    )
}

/// The badge of a picture's verdict, for the captions of pictures.
pub fn badge_of(facts: &Facts, index: usize) -> String {
    let outcome = facts.outcome(index);
    outcome.map_or_else(String::new, |outcome| verdict(outcome.verdict))
}
