//! How many pictures of each defect type fail, go to review or escape, the worst first, with exact intervals.

use std::sync::Arc;

use eframe::egui::{Grid, RichText, Ui, vec2};

use super::super::cached::{Cached, Same};
use super::super::{controls, numbers, theme};
use super::interval_bar::{interval_bar, interval_words};
use crate::metrics::{DefectTypes, Evaluation, Judgement, TypeRecall};

/// The defect types of an evaluation.
#[derive(Debug, Default)]
pub struct TypesView {
    types: Cached<Same<Evaluation>, DefectTypes>,
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
    let types = view.types.get(inputs, |e| DefectTypes::of(&e.0.images));
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

fn row_ui(ui: &mut Ui, recall: &TypeRecall<'_>, bar: f32) {
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
