//! The numbers of several runs line by line, the best of each line marked, and how far the others are from the first.

use serde::Serialize;

use super::{Compared, PixelGrid, TestSets};
use crate::metrics::wording::{NOT_AVAILABLE, metric, percent};
use crate::metrics::{Evaluation, PixelMetrics, Rate, Tally};

/// Which way a number gets better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    Higher,
    Lower,
}

/// One number of one run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Cell {
    /// Of a rate its share.
    pub value: Option<f64>,
    /// The counts behind a rate.
    pub counts: Option<Rate>,
    pub is_best: bool,
    /// Against the first run, where it is another number.
    pub difference: Option<f64>,
    #[serde(skip)]
    kind: Kind,
}

/// How a number is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Metric,
    Rate,
}

impl Cell {
    pub fn text(&self) -> String {
        match (self.kind, self.value) {
            (_, None) => NOT_AVAILABLE.to_owned(),
            (Kind::Metric, value) => metric(value),
            (Kind::Rate, Some(value)) => percent(value),
        }
    }

    /// `2 of 24`.
    pub fn counts_text(&self) -> Option<String> {
        let rate = self.counts.filter(|rate| rate.of > 0)?;
        Some(format!("{} of {}", rate.events, rate.of))
    }

    /// With its sign.
    pub fn difference_text(&self) -> Option<String> {
        let apart = self.difference?;
        Some(match self.kind {
            Kind::Metric => format!("{apart:+.4}"),
            Kind::Rate => format!("{:+.1} points", 100.0 * apart),
        })
    }
}

/// One number of all runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    pub name: &'static str,
    pub meaning: &'static str,
    pub better: Better,
    /// One for each run.
    pub cells: Vec<Cell>,
}

impl Line {
    /// The numbers alone: of other pictures or pixels, none is better than another.
    fn unranked(mut self) -> Self {
        for cell in &mut self.cells {
            cell.is_best = false;
            cell.difference = None;
        }
        self
    }
}

/// Every number; ranked only when all runs were judged on the same pictures and pixels.
pub fn lines(runs: &[Compared<'_>], sets: TestSets) -> Vec<Line> {
    let grid = PixelGrid::of(runs);
    let mut pixels = of_pixels(runs, grid);
    if !grid.is_ranked() {
        pixels = pixels.into_iter().map(Line::unranked).collect();
    }
    let lines = of_scores(runs).into_iter();
    let lines = lines.chain(pixels).chain(of_verdicts(runs));
    if sets.are_same {
        return lines.collect();
    }
    lines.map(Line::unranked).collect()
}

fn of_scores(runs: &[Compared<'_>]) -> Vec<Line> {
    let number = |name, meaning, of: fn(&Evaluation) -> Option<f64>| {
        let values: Vec<_> = runs.iter().map(|run| of(run.evaluation)).collect();
        line(name, meaning, Better::Higher, &values)
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
    ]
}

fn of_pixels(runs: &[Compared<'_>], grid: PixelGrid) -> Vec<Line> {
    let number = |name, meaning, of: fn(&PixelMetrics) -> Option<f64>| {
        let metrics = runs.iter().map(|run| grid.metrics(run.evaluation));
        let values: Vec<_> = metrics.map(of).collect();
        line(name, meaning, Better::Higher, &values)
    };
    vec![
        number(
            "Pixel AUROC",
            "The chance that a defective pixel scores higher than a good one",
            |pixels| pixels.auroc,
        ),
        number(
            "Pixel average precision",
            "The area under precision over recall of pixels, by the step rule",
            |pixels| pixels.average_precision,
        ),
        number(
            "AUPRO up to 0.3",
            "How much of each defect region is covered, up to 30 % false alarms",
            |pixels| pixels.aupro,
        ),
    ]
}

fn of_verdicts(runs: &[Compared<'_>]) -> Vec<Line> {
    let rate = |name, meaning, of: fn(&Tally) -> Rate| {
        let rates = runs.iter().map(|run| of(&run.judgement.tally));
        let rates: Vec<Rate> = rates.collect();
        let values: Vec<_> = rates.iter().map(|rate| rate.share()).collect();
        let mut line = line(name, meaning, Better::Lower, &values);
        for (cell, rate) in line.cells.iter_mut().zip(rates) {
            cell.counts = Some(rate);
            cell.kind = Kind::Rate;
        }
        line
    };
    vec![
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

fn line(name: &'static str, meaning: &'static str, better: Better, values: &[Option<f64>]) -> Line {
    let best = best(values, better);
    let first = values.first().copied().flatten();
    let cells = values.iter().map(|&value| Cell {
        value,
        is_best: best.is_some() && value == best,
        difference: first.zip(value).map(|(a, b)| b - a).filter(|d| *d != 0.0),
        ..Cell::default()
    });
    Line {
        name,
        meaning,
        better,
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

#[cfg(test)]
mod tests {
    use super::{Better, Cell, Compared, Kind, TestSets, best, line, lines};
    use crate::metrics::evaluation::tests::evaluation;
    use crate::metrics::{DecisionRule, Judgement, Limit, Rate};

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
        let line = line(
            "AUROC",
            "",
            Better::Higher,
            &[Some(0.9), Some(0.91), Some(0.9)],
        );
        let told: Vec<_> = line.cells.iter().map(Cell::difference_text).collect();
        assert_eq!(told, [None, Some("+0.0100".to_owned()), None]);
        let rate = Cell {
            value: Some(0.0),
            counts: Some(Rate { events: 0, of: 20 }),
            difference: Some(-0.05),
            kind: Kind::Rate,
            ..Cell::default()
        };
        assert_eq!(rate.difference_text().as_deref(), Some("-5.0 points"));
        assert_eq!(rate.text(), "0.0 %");
        assert_eq!(rate.counts_text().as_deref(), Some("0 of 20"));
    }

    /// The pixel AUROC of two runs with these inputs, and whether one is the best.
    fn pixel_auroc(inputs: [(&str, usize); 2]) -> (Vec<Option<f64>>, bool) {
        let of = |(input, side): (&str, usize), at_input, at_original| {
            let mut evaluation = evaluation(1.0);
            input.clone_into(&mut evaluation.protocol.input);
            evaluation.protocol.input_width = side;
            evaluation.pixel_at_input.auroc = Some(at_input);
            evaluation.pixel_at_original.auroc = Some(at_original);
            evaluation
        };
        let evaluations = [of(inputs[0], 0.9, 0.8), of(inputs[1], 0.95, 0.7)];
        let (rule, judgement) = (
            DecisionRule::single(Limit::manual(0.5), Limit::manual(0.5)),
            Judgement::default(),
        );
        let runs = evaluations.each_ref().map(|evaluation| Compared {
            evaluation,
            judgement: &judgement,
            rule: &rule,
            low: 0.0,
            category: None,
            counterparts: None,
        });
        let sets = TestSets {
            are_same: true,
            ..TestSets::default()
        };
        let lines = lines(&runs, sets);
        let line = lines
            .iter()
            .find(|line| line.name == "Pixel AUROC")
            .unwrap();
        let values = line.cells.iter().map(|cell| cell.value).collect();
        (values, line.cells.iter().any(|cell| cell.is_best))
    }

    #[test]
    fn pixel_numbers_are_ranked_only_on_the_same_pixels() {
        let (input, original) = (vec![Some(0.9), Some(0.95)], vec![Some(0.8), Some(0.7)]);
        assert_eq!(pixel_auroc([("256", 256), ("256", 256)]), (input, true));
        let other = pixel_auroc([("256", 256), ("128", 128)]);
        assert_eq!(other, (original.clone(), true));
        let cropped = pixel_auroc([("256", 256), ("224crop", 224)]);
        assert_eq!(cropped, (original, false));
    }

    #[test]
    fn undefined_numbers_are_neither_best_nor_different() {
        let values = [Some(0.5), None, Some(0.75)];
        let line = line("AUROC", "", Better::Higher, &values);
        let best: Vec<bool> = line.cells.iter().map(|cell| cell.is_best).collect();
        assert_eq!(best, [false, false, true]);
        assert_eq!(line.cells[1].text(), "n/a");
        assert_eq!(line.cells[1].difference, None);
        assert_eq!(line.cells[2].difference_text().as_deref(), Some("+0.2500"));
        let line = line.unranked();
        assert!(
            line.cells
                .iter()
                .all(|c| !c.is_best && c.difference.is_none())
        );
    }
}
