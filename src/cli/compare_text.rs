//! Runs side by side as text for people: a column for each run.

use super::compare::Found;
use super::output::line;
use crate::metrics::comparison::{Cell, differences_sentence};
use crate::metrics::wording::score;
use crate::metrics::{Combination, DecisionRule};
use crate::pipeline::Judged;

/// Of the names of numbers, and of what one run says about each.
const NAME: usize = 28;
const CELL: usize = 36;

/// The numbers first, then what they rest on, then the pictures.
pub fn print(found: &Found<'_>) {
    for (index, (letter, judged)) in found.runs.iter().enumerate() {
        let head = if index == 0 { "Runs" } else { "" };
        line(&format!("{head:<NAME$}{letter}  {}", of_run(judged)));
        line(&format!("{:<NAME$}   {}", "", of_rule(&judged.rule)));
    }
    line(&named("Test pictures", &test_pictures(found)));
    line(&named("Pixel numbers", found.pixels.sentence()));
    line("");
    let letters = found.runs.iter().map(|(letter, _)| letter.to_string());
    line(&columns("", letters));
    for numbers in &found.lines {
        line(&columns(numbers.name, numbers.cells.iter().map(of_cell)));
    }
    line("");
    protocols(found);
    pictures(found);
}

fn named(name: &str, value: &str) -> String {
    format!("{}{value}", padded(name, NAME))
}

/// At least so wide, and never without a gap before what follows.
fn padded(text: &str, width: usize) -> String {
    format!("{:<width$}", format!("{text}  "))
}

fn columns(name: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|cell| padded(&cell, CELL)).collect();
    let cells = cells.concat();
    named(name, cells.trim_end())
}

fn of_run(judged: &Judged) -> String {
    let protocol = &judged.evaluation.protocol;
    format!(
        "{}: {} on {}, input {} ({} x {}), seed {}",
        judged.run.path.display(),
        protocol.model,
        protocol.backbone,
        protocol.input,
        protocol.input_width,
        protocol.input_height,
        protocol.seed
    )
}

/// All that decides a verdict.
fn of_rule(rule: &DecisionRule) -> String {
    let fail = &rule.fail;
    let mut text = format!(
        "FAIL from {} ({})",
        score(fail.value),
        fail.origin.describe()
    );
    if let Some(review) = &rule.review {
        text = format!("REVIEW from {}, {text}", score(review.value));
    }
    if rule.area.combination != Combination::ScoreOnly {
        text = format!(
            "{text}; {}: {} px or more above {}",
            rule.area.combination.name().to_lowercase(),
            rule.area.pixels,
            score(rule.pixel.value)
        );
    }
    text
}

fn test_pictures(found: &Found<'_>) -> String {
    match found.sets.warning() {
        None => format!(
            "{}, by name and label the same for all runs",
            found.sets.pictures
        ),
        Some((_, why)) => format!("not the same, so nothing is ranked. {why}"),
    }
}

/// `0.9123 best, +0.0100`, `4.2 % (1 of 24)`.
fn of_cell(cell: &Cell) -> String {
    let mut text = cell.text();
    if let Some(counts) = cell.counts_text() {
        text = format!("{text} ({counts})");
    }
    if cell.is_best {
        text.push_str(" best");
    }
    if let Some(apart) = cell.difference_text() {
        text = format!("{text}, {apart}");
    }
    text
}

/// What differs, fact by fact; the rest is the same.
fn protocols(found: &Found<'_>) {
    line(&named("Protocols", &differences_sentence(&found.facts)));
    for fact in found.facts.iter().filter(|fact| fact.differs) {
        let said = found.runs.iter().zip(&fact.values);
        let said: Vec<String> = said
            .map(|((letter, _), value)| format!("{letter} {value}"))
            .collect();
        line(&named(&format!("  {}", fact.name), &said.join("; ")));
    }
}

fn pictures(found: &Found<'_>) {
    line(&named("Pictures", &found.disagreements.sentence()));
    let others = found.runs.iter().skip(1);
    for ((letter, _), agreement) in others.zip(found.disagreements.agreements()) {
        let (same, of) = (agreement.same, agreement.of);
        let mut text = format!("A and {letter} agree on {same} of {of}");
        for pair in agreement.different {
            text = format!("{text}; {}", pair.sentence(*letter));
        }
        line(&named("", &text));
    }
    for (seen, row) in found.named() {
        line(&named("", &seen.sentence(row)));
    }
}
