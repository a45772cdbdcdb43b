//! What can be done with several chosen pictures. Stands at the bottom, so that no tile moves under the pointer.

use eframe::egui::{Frame, Margin, Panel, RichText, Ui};

use super::super::controls::small_button;
use super::super::state::{Action, State};
use super::super::{theme, words};
use super::GalleryView;
use crate::metrics::Evaluation;

/// Nothing unless several pictures are chosen.
pub fn selection_bar_ui(
    ui: &mut Ui,
    state: &State,
    evaluation: &Evaluation,
    view: &mut GalleryView,
) -> Option<Action> {
    if view.selection.is_empty() {
        return None;
    }
    let frame = Frame::new().inner_margin(Margin::symmetric(0, 6));
    Panel::bottom("chosen pictures")
        .resizable(false)
        .frame(frame)
        .show(ui, |ui| {
            ui.horizontal_wrapped(|ui| bar_ui(ui, state, evaluation, view))
                .inner
        })
        .inner
}

fn bar_ui(
    ui: &mut Ui,
    state: &State,
    evaluation: &Evaluation,
    view: &mut GalleryView,
) -> Option<Action> {
    ui.spacing_mut().item_spacing.x = 6.0;
    let rows = &evaluation.images;
    let chosen = format!("{} selected", words::grouped(view.selection.len()));
    ui.label(
        RichText::new(chosen)
            .small()
            .color(theme::palette(ui).strong),
    );
    let mut copied = None;
    if small_button(ui, "Copy names").clicked() {
        copied = Some(view.selection.names(rows));
    }
    let table = small_button(ui, "Copy as CSV")
        .on_hover_text("Path, truth, defect type, score and verdict at the limits in force");
    if table.clicked() {
        copied = Some(view.selection.csv(rows, state.limits.judgement()));
    }
    let clear = small_button(ui, "Clear").accessible_name("Clear the selection");
    if clear.on_hover_text("Escape").clicked() {
        view.selection.clear();
    }
    copied.map(Action::CopyText)
}
