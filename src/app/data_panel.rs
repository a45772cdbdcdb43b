//! The Data place: one of three screens, depending on what is there.

use eframe::egui::Ui;

use super::controls::scrolled;
use super::data_found::found_ui;
use super::data_start::start_ui;
use super::progress_panel::waiting_ui;
use super::seen_card::SeenView;
use super::state::{Action, State, belongs_to_train};
use super::textures::Textures;
use crate::worker::message::Command;

/// What the place remembers that is nobody else's business.
#[derive(Debug, Default)]
pub struct DataView {
    /// The path being typed.
    pub path: String,
    /// The start screen was asked for although a data set is open.
    pub choose_another: bool,
    pub seen: SeenView,
}

pub fn data_ui(
    ui: &mut Ui,
    state: &State,
    view: &mut DataView,
    textures: &mut Textures,
) -> Option<Action> {
    scrolled(ui, |ui| place_ui(ui, state, view, textures))
}

fn place_ui(
    ui: &mut Ui,
    state: &State,
    view: &mut DataView,
    textures: &mut Textures,
) -> Option<Action> {
    if let Some(job) = &state.job {
        let quick = matches!(
            job.command,
            Command::ListWeights | Command::DiscardTraining { .. }
        );
        let shown_here = !quick && !belongs_to_train(&job.command);
        if shown_here {
            view.choose_another = false;
            return waiting_ui(ui, job);
        }
    }
    match &state.data {
        Some(data) if !view.choose_another => found_ui(ui, state, data, view, textures),
        _ => start_ui(ui, state, view),
    }
}
