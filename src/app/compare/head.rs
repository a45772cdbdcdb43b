//! Which runs are compared: one card each, the way to add another, and what Compare is for while there is only one.

use eframe::egui::{Button, Label, RichText, Ui};

use super::super::card_row::card_row;
use super::super::controls::{self, small_button};
use super::super::recent::Recent;
use super::super::state::{Action, Pick, State};
use super::super::{numbers, theme, words};
use super::column::{Column, letter_ui};
use crate::metrics::comparison::LETTERS;

pub fn head_ui(ui: &mut Ui, state: &State, columns: &[Column<'_>]) -> Option<Action> {
    let mut action = None;
    ui.horizontal(|ui| {
        controls::title(ui, "Compare");
        ui.add_space(8.0);
        action = add_ui(ui, state);
    });
    let shares = vec![1.0; columns.len()];
    card_row(ui, "runs", &shares, |ui, index| {
        if let Some(column) = columns.get(index) {
            action = run_ui(ui, column, index).or(action.take());
        }
    });
    action
}

fn add_ui(ui: &mut Ui, state: &State) -> Option<Action> {
    let free = state.comparisons.len() + 1 < LETTERS.len() && !state.is_busy();
    let hint = if state.comparisons.len() + 1 < LETTERS.len() {
        "Wait until the running job is over"
    } else {
        "Three runs are the most that can be read side by side; close one first"
    };
    let button = ui.add_enabled(free, Button::new("Add a run…"));
    let button = button.on_disabled_hover_text(hint);
    let button = button.on_hover_text("Choose the folder of another run on the same pictures");
    button.clicked().then_some(Action::Pick(Pick::ComparedRun))
}

/// One run: what it is, how it was scored, and the way to close it.
fn run_ui(ui: &mut Ui, column: &Column<'_>, index: usize) -> Option<Action> {
    let palette = theme::palette(ui);
    let name = column.run.name();
    let mut action = None;
    ui.horizontal(|ui| {
        letter_ui(ui, column.letter, column.colour);
        controls::from_right(ui, 24.0, |ui| {
            if index > 0 {
                let close = small_button(ui, "Close").accessible_name(format!("Close {name}"));
                if close.clicked() {
                    action = Some(Action::CloseComparison(index - 1));
                }
            }
            ui.with_layout(
                eframe::egui::Layout::left_to_right(eframe::egui::Align::Center),
                |ui| {
                    let text = RichText::new(&name).size(15.0).color(palette.strong);
                    let path = column.run.path.display().to_string();
                    ui.add(Label::new(text).truncate()).on_hover_text(path);
                },
            );
        });
    });
    let protocol = &column.of.evaluation.protocol;
    let what = format!(
        "{} on {}, {} × {} px, seed {}",
        column.run.config.model.title(),
        protocol.backbone,
        protocol.input_width,
        protocol.input_height,
        protocol.seed
    );
    controls::muted(ui, what);
    let limit = &column.of.rule.fail;
    let limits = format!(
        "{}; FAIL from {} ({})",
        words::count(protocol.test_good + protocol.test_defective, "test picture"),
        numbers::score(limit.value),
        limit.origin.describe()
    );
    controls::muted(ui, limits);
    action
}

/// What Compare is for, and the runs opened lately as the shortest way into it.
pub fn invitation_ui(ui: &mut Ui, state: &State) -> Option<Action> {
    ui.add_space(ui.available_height() * 0.18);
    ui.vertical_centered(|ui| {
        controls::heading(ui, "Nothing to compare with yet");
        controls::muted(
            ui,
            "Add one or two further runs on the same pictures: their numbers, curves and protocols stand side by side, \
             and the pictures on which they disagree come first",
        );
        ui.add_space(8.0);
        let button = controls::primary(ui, "Choose a run to compare…");
        let pick = ui.add_enabled(!state.is_busy(), button).clicked();
        let recent = recent_ui(ui, state, &state.recent);
        pick.then_some(Action::Pick(Pick::ComparedRun)).or(recent)
    })
    .inner
}

fn recent_ui(ui: &mut Ui, state: &State, recent: &Recent) -> Option<Action> {
    let open = state.run.as_ref().map(|run| &run.path);
    let others: Vec<_> = recent.runs().iter().filter(|p| Some(*p) != open).collect();
    if others.is_empty() {
        return None;
    }
    ui.add_space(10.0);
    controls::muted(ui, "Opened lately");
    let mut action = None;
    for path in others {
        let text = controls::shortened(&path.display().to_string(), 70);
        let button = ui.add_enabled(!state.is_busy(), Button::new(text));
        if button.on_hover_text(path.display().to_string()).clicked() {
            action = Some(Action::OpenComparison(path.clone()));
        }
    }
    action
}
