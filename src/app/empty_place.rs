//! What Inspect and Results show while there is nothing to show.

use eframe::egui::{RichText, Ui};

use super::state::{Action, Place, State};
use super::{controls, theme};
use crate::worker::message::RunSummary;

/// Nothing is open; `hint` says what would be shown.
pub fn no_run_ui(ui: &mut Ui, hint: &str) -> Option<Action> {
    empty_place_ui(ui, "No run is open", hint, go_to_train_ui)
}

/// A model is open whose test pictures were not scored. A run folder knows its data set; a lone model file does not.
pub fn no_scores_ui(ui: &mut Ui, state: &State, run: &RunSummary, title: &str) -> Option<Action> {
    let is_lone_model = run.path.extension().is_some_and(|e| e == "safetensors");
    if is_lone_model {
        let hint = "Its test pictures have not been scored. Open its run folder, if there is one";
        return empty_place_ui(ui, title, hint, go_to_train_ui);
    }
    let hint = "Its test pictures have not been scored. That needs no further training";
    empty_place_ui(ui, title, hint, |ui| {
        let button = controls::primary(ui, "Score them now");
        let pressed = ui.add_enabled(!state.is_busy(), button).clicked();
        pressed.then(|| Action::Evaluate(run.path.clone()))
    })
}

fn go_to_train_ui(ui: &mut Ui) -> Option<Action> {
    let button = controls::primary(ui, "Go to Train");
    ui.add(button).clicked().then_some(Action::Go(Place::Train))
}

/// What is missing, and the way to get it.
fn empty_place_ui(
    ui: &mut Ui,
    title: &str,
    hint: &str,
    way_out: impl FnOnce(&mut Ui) -> Option<Action>,
) -> Option<Action> {
    ui.add_space((ui.available_height() * 0.35).max(0.0));
    ui.vertical_centered(|ui| {
        controls::heading(ui, title);
        ui.label(RichText::new(hint).color(theme::palette(ui).muted));
        ui.add_space(8.0);
        way_out(ui)
    })
    .inner
}
