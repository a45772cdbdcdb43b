//! The numbers of the compared runs under each other, the best of each line marked, and how far the others are from A.

use eframe::egui::{Grid, RichText, Ui};

use super::super::controls;
use super::super::numbers::{NOT_AVAILABLE, metric, percent};
use super::super::theme;
use super::column::{Column, letter_ui};
use super::test_sets::TestSets;
use crate::metrics::{Evaluation, Rate, Tally};

/// Which way a number gets better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Better {
    Higher,
    Lower,
}

/// One number of one run.
#[derive(Debug, Clone, Default, PartialEq)]
struct Cell {
    text: String,
    /// The counts behind a rate.
    counts: Option<String>,
    is_best: bool,
    /// Against the first run, with its sign.
    difference: Option<String>,
}

/// One number of all runs.
#[derive(Debug, PartialEq)]
struct Line {
    name: &'static str,
    meaning: &'static str,
    cells: Vec<Cell>,
}

impl Line {
    /// The numbers alone: of other pictures, none is better than another.
    fn unranked(mut self) -> Self {
        for cell in &mut self.cells {
            cell.is_best = false;
            cell.difference = None;
        }
        self
    }
}

pub fn numbers_ui(ui: &mut Ui, columns: &[Column<'_>], sets: TestSets) {
    controls::heading(ui, "Numbers");
    let runs: Vec<_> = columns
        .iter()
        .map(|column| (column.evaluation, &column.judgement.tally))
        .collect();
    let palette = theme::palette(ui);
    Grid::new("compared numbers")
        .num_columns(columns.len() + 1)
        .spacing([18.0, 5.0])
        .striped(true)
        .show(ui, |ui| {
            ui.label("");
            for column in columns {
                letter_ui(ui, column.letter, column.colour);
            }
            ui.end_row();
            for line in lines(&runs) {
                let line = if sets.are_same { line } else { line.unranked() };
                let name = RichText::new(line.name).color(palette.text);
                ui.label(name).on_hover_text(line.meaning);
                for cell in &line.cells {
                    cell_ui(ui, cell);
                }
                ui.end_row();
            }
        });
    ui.add_space(4.0);
    controls::muted(ui, "Rates at each run's own limits; pixels at input size");
    if !sets.are_same {
        controls::muted(ui, "Not ranked: the runs were judged on other pictures");
    }
}

fn cell_ui(ui: &mut Ui, cell: &Cell) {
    let palette = theme::palette(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        let text = RichText::new(&cell.text);
        if cell.is_best {
            ui.label(text.color(palette.strong).strong());
            ui.label(RichText::new("best").small().color(palette.accent))
                .on_hover_text("The best of this line");
        } else {
            ui.label(text.color(palette.text));
        }
        for small in [&cell.difference, &cell.counts].into_iter().flatten() {
            ui.label(RichText::new(small).small().color(palette.muted));
        }
    });
}

fn lines(runs: &[(&Evaluation, &Tally)]) -> Vec<Line> {
    let number = |name, meaning, of: fn(&Evaluation) -> Option<f64>| {
        let values: Vec<_> = runs.iter().map(|(evaluation, _)| of(evaluation)).collect();
        line(name, meaning, Better::Higher, &values, metric, "")
    };
    let rate = |name, meaning, of: fn(&Tally) -> Rate| {
        let rates: Vec<Rate> = runs.iter().map(|(_, tally)| of(tally)).collect();
        let values: Vec<_> = rates.iter().map(|rate| rate.share()).collect();
        let text = |value: Option<f64>| value.map_or_else(|| NOT_AVAILABLE.to_owned(), percent);
        let mut line = line(name, meaning, Better::Lower, &values, text, " %");
        for (cell, rate) in line.cells.iter_mut().zip(&rates) {
            cell.counts = (rate.of > 0).then(|| format!("{} of {}", rate.events, rate.of));
        }
        line
    };
    vec![
        number(
            "Picture AUROC",
            "The chance that a defective picture scores higher than a good one",
            |e| e.image.auroc,
        ),
        number(
            "Picture average precision",
            "The area under precision over recall of pictures, by the step rule",
            |e| e.image.average_precision,
        ),
        number(
            "Pixel AUROC",
            "The chance that a defective pixel scores higher than a good one",
            |e| e.pixel_at_input.auroc,
        ),
        number(
            "Pixel average precision",
            "The area under precision over recall of pixels, by the step rule",
            |e| e.pixel_at_input.average_precision,
        ),
        number(
            "AUPRO up to 0.3",
            "How much of each defect region is covered, up to 30 % false alarms",
            |e| e.pixel_at_input.aupro,
        ),
        rate(
            "Overkill rate",
            "The share of good pictures that are rejected",
            Tally::overkill,
        ),
        rate(
            "Escape rate",
            "The share of defective pictures that pass",
            Tally::escapes,
        ),
        rate(
            "Review rate",
            "The share of pictures that need a person",
            Tally::review,
        ),
    ]
}

fn line(
    name: &'static str,
    meaning: &'static str,
    better: Better,
    values: &[Option<f64>],
    text: impl Fn(Option<f64>) -> String,
    unit: &str,
) -> Line {
    let best = best(values, better);
    let first = values.first().copied().flatten();
    let cells = values.iter().enumerate().map(|(index, value)| Cell {
        text: text(*value),
        counts: None,
        is_best: best.is_some() && *value == best,
        difference: (index > 0)
            .then(|| difference(first?, (*value)?, unit))
            .flatten(),
    });
    Line {
        name,
        meaning,
        cells: cells.collect(),
    }
}

/// The best of several numbers; `None` when there is nothing to choose between.
fn best(values: &[Option<f64>], better: Better) -> Option<f64> {
    let mut known = values.iter().flatten().copied();
    let first = known.next()?;
    let rest: Vec<f64> = known.collect();
    if rest.is_empty() || rest.iter().all(|value| *value == first) {
        return None;
    }
    let pick = match better {
        Better::Higher => f64::max,
        Better::Lower => f64::min,
    };
    Some(rest.into_iter().fold(first, pick))
}

fn difference(first: f64, value: f64, unit: &str) -> Option<String> {
    let apart = value - first;
    if apart == 0.0 {
        return None;
    }
    Some(if unit.is_empty() {
        format!("{apart:+.4}")
    } else {
        format!("{:+.1}{unit}", 100.0 * apart)
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::numbers::metric;
    use super::{Better, best, difference, line};

    #[test]
    fn the_best_is_marked_only_where_there_is_a_choice() {
        assert_eq!(best(&[Some(0.9), Some(0.8)], Better::Higher), Some(0.9));
        assert_eq!(best(&[Some(0.9), Some(0.8)], Better::Lower), Some(0.8));
        assert_eq!(best(&[Some(0.9), Some(0.9)], Better::Lower), None);
        assert_eq!(best(&[Some(0.9), None], Better::Higher), None);
        assert_eq!(best(&[], Better::Higher), None);
    }

    #[test]
    fn differences_are_told_against_the_first_run() {
        assert_eq!(difference(0.9, 0.91, "").as_deref(), Some("+0.0100"));
        assert_eq!(difference(0.05, 0.0, " %").as_deref(), Some("-5.0 %"));
        assert_eq!(difference(0.9, 0.9, ""), None);
    }

    #[test]
    fn undefined_numbers_are_neither_best_nor_different() {
        let values = [Some(0.5), None, Some(0.75)];
        let line = line("AUROC", "", Better::Higher, &values, metric, "");
        let best: Vec<bool> = line.cells.iter().map(|cell| cell.is_best).collect();
        assert_eq!(best, [false, false, true]);
        assert_eq!(line.cells[1].text, "n/a");
        assert_eq!(line.cells[1].difference, None);
        assert_eq!(line.cells[2].difference.as_deref(), Some("+0.2500"));
    }
}
