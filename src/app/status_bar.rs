//! The bar at the bottom: what runs, what the pointer is on, what is open.

use eframe::egui::{Frame, Label, Margin, Panel, RichText, Sides, Ui, vec2};

use super::controls::{progress_bar, shortened, small_button};
use super::job_progress::PhaseProgress;
use super::state::{Action, Job, Place, State, belongs_to_train, last_name, title};
use super::theme;
use super::words;

/// `readout` is what the place in view has to say about where the pointer is.
pub fn status_bar_ui(ui: &mut Ui, state: &State, readout: Option<&str>) -> Option<Action> {
    let palette = theme::palette(ui);
    let frame = Frame::new()
        .fill(palette.rail)
        .inner_margin(Margin::symmetric(12, 3));
    Panel::bottom("status")
        .exact_size(28.0)
        .resizable(false)
        .frame(frame)
        .show(ui, |ui| {
            let (action, ()) = Sides::new().shrink_left().show(
                ui,
                |ui| match (readout, &state.job) {
                    (Some(readout), _) => {
                        line(ui, readout, palette.text);
                        None
                    }
                    (None, Some(job)) if state.is_busy() => job_ui(ui, job, state.place),
                    _ => {
                        line(ui, "Ready", palette.muted);
                        None
                    }
                },
                |ui| line(ui, &what_is_open(state), palette.muted),
            );
            action
        })
        .inner
}

fn line(ui: &mut Ui, text: &str, color: eframe::egui::Color32) {
    ui.add(Label::new(RichText::new(text).small().color(color)).truncate());
}

/// What runs and how far it is; leads to where it can be watched.
fn job_ui(ui: &mut Ui, job: &Job, here: Place) -> Option<Action> {
    let palette = theme::palette(ui);
    let current = job.progress.current();
    if let Some(fraction) = current.and_then(PhaseProgress::fraction) {
        progress_bar(ui, fraction, vec2(120.0, 6.0));
    }
    let mut text = title(&job.command);
    if let Some(phase) = current {
        text = format!("{text} · {}", phase.phase.name());
        if let Some(left) = phase.seconds_left() {
            text = format!("{text}, {} left", words::about(left));
        }
    }
    line(ui, &text, palette.text);
    let place = if belongs_to_train(&job.command) {
        Place::Train
    } else {
        Place::Data
    };
    if here == place {
        return None;
    }
    small_button(ui, "Show")
        .clicked()
        .then_some(Action::Go(place))
}

fn what_is_open(state: &State) -> String {
    let data = state
        .data
        .as_ref()
        .map(|data| format!("Data {}", last_name(&data.dataset.root)));
    let run = state
        .run
        .as_ref()
        .map(|run| format!("Run {}", last_name(&run.path)));
    let parts: Vec<String> = data
        .into_iter()
        .chain(run)
        .map(|part| shortened(&part, 40))
        .collect();
    parts.join("   ·   ")
}
