//! Undo, redo and save of the limits, and whether the model file has them.

use eframe::egui::{Button, Ui};

use super::super::badge::warning_badge;
use super::super::state::{Action, State};
use super::super::theme;
use crate::worker::message::RunSummary;

pub fn history_ui(ui: &mut Ui, state: &State, run: &RunSummary) -> Option<Action> {
    let limits = &state.limits;
    let is_saved = limits.are_saved(run);
    let buttons = [
        (
            "Undo",
            "Undo the last change of the limits",
            limits.can_undo(),
            Action::UndoLimits,
        ),
        (
            "Redo",
            "Redo the change of the limits",
            limits.can_redo(),
            Action::RedoLimits,
        ),
        (
            "Save",
            "Save the limits in the model",
            !is_saved && !state.is_busy(),
            Action::SaveLimits,
        ),
    ];
    let mut asked = None;
    for (text, name, enabled, action) in buttons {
        let button = ui.add_enabled(enabled, Button::new(text));
        if button.accessible_name(name).on_hover_text(name).clicked() {
            asked = Some(action);
        }
    }
    if !is_saved {
        let text = "Limits differ from the model file";
        let hint = "Whoever opens the model elsewhere gets the limits that are saved in it";
        warning_badge(ui, text, theme::palette(ui).warning).on_hover_text(hint);
    }
    asked
}
