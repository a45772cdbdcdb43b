//! What Inspect and Results show while there is nothing to show.

use eframe::egui::{RichText, Ui};

use super::state::{Action, Place};
use super::{controls, theme};

/// What is missing, and the way to get it.
pub fn empty_place_ui(ui: &mut Ui, title: &str, hint: &str) -> Option<Action> {
    ui.add_space((ui.available_height() * 0.35).max(0.0));
    ui.vertical_centered(|ui| {
        controls::heading(ui, title);
        ui.label(RichText::new(hint).color(theme::palette(ui).muted));
        ui.add_space(8.0);
        ui.add(controls::primary(ui, "Go to Train")).clicked()
    })
    .inner
    .then_some(Action::Go(Place::Train))
}
