//! How many pictures of each defect type fail, go to review or escape, the worst first, with exact intervals.

use std::collections::BTreeMap;
use std::sync::Arc;

use eframe::egui::{Grid, RichText, Ui, vec2};

use super::super::cached::{Cached, Same};
use super::super::{controls, numbers, theme};
use super::interval_bar::{interval_bar, interval_words};
use crate::metrics::{Evaluation, ImageRow, Judgement, Rate, Verdict};

/// The defect types of an evaluation.
#[derive(Debug, Default)]
pub struct TypesView {
    types: Cached<Same<Evaluation>, Types>,
}

/// Which picture is of which defect type; worked out once, since names are slow to compare.
#[derive(Debug, Default)]
struct Types {
    names: Vec<String>,
    /// The lowest score of each: a limit at or below it catches all.
    weakest: Vec<f32>,
    /// Row and type of each defective picture.
    of_row: Vec<(u32, u32)>,
}

impl Types {
    fn of(rows: &[ImageRow]) -> Self {
        let mut known: BTreeMap<&str, u32> = BTreeMap::new();
        let mut types = Self::default();
        for (index, row) in rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.is_defective())
        {
            let kind = *known.entry(&row.defect).or_insert_with(|| {
                types.names.push(row.defect.clone());
                types.weakest.push(f32::INFINITY);
                types.names.len() as u32 - 1
            });
            if let Some(weakest) = types.weakest.get_mut(kind as usize) {
                *weakest = weakest.min(row.score);
            }
            types.of_row.push((index as u32, kind));
        }
        types
    }

    /// Every defect type, the worst caught first.
    fn recall(&self, judgement: &Judgement) -> Vec<Recall<'_>> {
        let types = self.names.iter().zip(&self.weakest);
        let mut list: Vec<Recall<'_>> = types
            .map(|(name, &weakest)| Recall {
                name,
                weakest,
                counts: [0; 3],
            })
            .collect();
        for &(row, kind) in &self.of_row {
            let verdict = judgement.verdicts.get(row as usize);
            if let (Some(recall), Some(&verdict)) = (list.get_mut(kind as usize), verdict) {
                recall.counts[verdict as usize] += 1;
            }
        }
        list.sort_by(|a, b| a.share().total_cmp(&b.share()).then(a.name.cmp(b.name)));
        list
    }
}

/// One defect type at the limits in force.
#[derive(Debug, Clone, PartialEq)]
struct Recall<'a> {
    name: &'a str,
    weakest: f32,
    /// In the order of [`Verdict::ALL`].
    counts: [usize; 3],
}

impl Recall<'_> {
    fn count(&self, verdict: Verdict) -> usize {
        self.counts[verdict as usize]
    }

    fn caught(&self) -> Rate {
        Rate {
            events: self.count(Verdict::Fail),
            of: self.counts.iter().sum(),
        }
    }

    fn share(&self) -> f64 {
        self.caught().share().unwrap_or_default()
    }
}

/// One line for each defect type.
pub fn recall_ui(
    ui: &mut Ui,
    evaluation: &Arc<Evaluation>,
    judgement: &Judgement,
    view: &mut TypesView,
) {
    controls::heading(ui, "Caught by defect type");
    let inputs = Same(Arc::clone(evaluation));
    let types = view.types.get(inputs, |e| Types::of(&e.0.images));
    let recall = types.recall(judgement);
    if recall.is_empty() {
        controls::muted(ui, "The test set has no defective pictures");
        return;
    }
    let bar = (ui.available_width() - 420.0).clamp(70.0, 220.0);
    Grid::new("recall")
        .num_columns(6)
        .spacing(vec2(14.0, 7.0))
        .show(ui, |ui| {
            heads_ui(ui);
            for recall in &recall {
                row_ui(ui, recall, bar);
                ui.end_row();
            }
        });
}

fn heads_ui(ui: &mut Ui) {
    let muted = theme::palette(ui).muted;
    for (name, hint) in [
        ("Defect type", "The worst caught first"),
        ("Caught", "Pictures that fail"),
        (
            "95 % interval",
            "Exact interval (Clopper and Pearson) of the share that is caught",
        ),
        ("", ""),
        (
            "Review, escaped",
            "Pictures between the limits, and pictures that pass",
        ),
        (
            "Weakest",
            "The lowest score among them: T2 at or below it catches all of this type",
        ),
    ] {
        let head = ui.label(RichText::new(name).small().color(muted));
        if !hint.is_empty() {
            head.on_hover_text(hint);
        }
    }
    ui.end_row();
}

fn row_ui(ui: &mut Ui, recall: &Recall<'_>, bar: f32) {
    let palette = theme::palette(ui);
    let caught = recall.caught();
    let [passed, review, _] = recall.counts;
    let escaped = if passed > 0 {
        palette.error
    } else {
        palette.muted
    };
    ui.label(RichText::new(recall.name).color(palette.text));
    let text = format!("{} of {}", caught.events, caught.of);
    ui.label(RichText::new(text).color(palette.strong));
    interval_bar(ui, caught, palette.defect_class, bar);
    let words = interval_words(caught);
    ui.label(RichText::new(words).small().color(palette.muted));
    let text = format!("{review} review, {passed} escaped");
    ui.label(RichText::new(text).small().color(escaped));
    ui.label(RichText::new(numbers::score(recall.weakest)).color(palette.text));
}

#[cfg(test)]
mod tests {
    use super::Types;
    use crate::metrics::{DecisionRule, ImageRow, Judgement, Limit};

    fn row(label: &str, defect: &str, score: f32) -> ImageRow {
        ImageRow {
            path: format!("test/{defect}/{score}.png"),
            label: label.to_owned(),
            defect: defect.to_owned(),
            score,
        }
    }

    fn rule() -> DecisionRule {
        DecisionRule::single(Limit::manual(0.6), Limit::manual(0.5))
            .with_review(Some(Limit::manual(0.3)))
    }

    #[test]
    fn the_worst_caught_type_comes_first_and_good_and_unlabelled_pictures_do_not_count() {
        let rows = [
            row("defective", "dent", 0.9),
            row("defective", "dent", 0.7),
            row("defective", "scratch", 0.4),
            row("defective", "scratch", 0.8),
            row("defective", "scratch", 0.2),
            row("good", "good", 0.9),
            row("unlabelled", "unlabelled", 0.9),
        ];
        let types = Types::of(&rows);
        let recall = types.recall(&Judgement::of(&rows, None, &rule()));
        let seen: Vec<_> = recall
            .iter()
            .map(|r| (r.name, r.counts, r.weakest))
            .collect();
        assert_eq!(
            seen,
            [("scratch", [1, 1, 1], 0.2), ("dent", [0, 0, 2], 0.7)]
        );
        assert_eq!((recall[0].caught().events, recall[0].caught().of), (1, 3));
    }

    #[test]
    fn without_defects_there_is_nothing_to_catch() {
        let types = Types::of(&[row("good", "good", 0.1)]);
        assert!(types.recall(&Judgement::default()).is_empty());
    }
}
