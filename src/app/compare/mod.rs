//! Two or three runs side by side: their numbers with the protocol behind each, their curves in one plot, and the pictures
//! they judge differently. Each run is judged at its own limits; only the open one's can be changed, and not here.

mod column;
mod curves;
mod differences;
mod head;
mod numbers;
mod pictures;

use std::sync::Arc;

use eframe::egui::{CentralPanel, Frame, Margin, ScrollArea, Ui};

use self::column::{Column, columns};
use self::curves::CurvesView;
use self::pictures::PicturesView;
use super::badge::warning_badge;
use super::cached::{Cached, Same};
use super::card_row::card_row;
use super::controls;
use super::empty_place::{no_run_ui, no_scores_ui};
use super::state::{Action, State};
use super::textures::Textures;
use super::theme;
use crate::metrics::comparison::{Compared, TestSets};
use crate::worker::message::RunSummary;

/// Below this width cards stand under each other.
const NARROW: f32 = 900.0;

/// What the test sets of the open run and of those beside it are read from.
type Runs = (Same<RunSummary>, Vec<Same<RunSummary>>);

/// What Compare remembers between frames.
#[derive(Debug, Default)]
pub struct CompareView {
    curves: CurvesView,
    pictures: PicturesView,
    sets: Cached<Runs, TestSets>,
}

pub fn compare_ui(
    ui: &mut Ui,
    state: &State,
    view: &mut CompareView,
    textures: &mut Textures,
) -> Option<Action> {
    let Some(run) = &state.run else {
        return no_run_ui(ui, "Open a run to compare others with it");
    };
    if run.evaluation.is_none() {
        return no_scores_ui(ui, state, run, "This model has no results to compare");
    }
    let columns = columns(ui, state);
    let margin = Margin {
        left: 16,
        right: 6,
        top: 10,
        bottom: 0,
    };
    let frame = Frame::new()
        .fill(theme::palette(ui).panel)
        .inner_margin(margin);
    CentralPanel::default()
        .frame(frame)
        .show(ui, |ui| {
            ScrollArea::vertical()
                .auto_shrink(false)
                .show(ui, |ui| {
                    ui.set_max_width(ui.available_width() - 10.0);
                    ui.spacing_mut().item_spacing.y = 10.0;
                    let head = head::head_ui(ui, state, &columns);
                    let action = if columns.len() < 2 {
                        head::invitation_ui(ui, state)
                    } else {
                        let sets = test_sets(state, run, &columns, view);
                        warning_ui(ui, sets);
                        cards_ui(ui, state, &columns, sets, view, textures)
                    };
                    ui.add_space(10.0);
                    action.or(head)
                })
                .inner
        })
        .inner
}

fn test_sets(
    state: &State,
    run: &Arc<RunSummary>,
    columns: &[Column<'_>],
    view: &mut CompareView,
) -> TestSets {
    let others = state.comparisons.iter();
    let others = others.map(|other| Same(Arc::clone(&other.run))).collect();
    let runs = (Same(Arc::clone(run)), others);
    let sets = view.sets.get(runs, |_| {
        let runs: Vec<Compared<'_>> = columns.iter().map(|column| column.of).collect();
        TestSets::of(&runs)
    });
    *sets
}

/// Above everything that it concerns.
fn warning_ui(ui: &mut Ui, sets: TestSets) {
    if let Some((what, why)) = sets.warning() {
        ui.horizontal_wrapped(|ui| {
            warning_badge(ui, what, theme::palette(ui).warning);
            controls::muted(ui, why);
        });
    }
}

fn cards_ui(
    ui: &mut Ui,
    state: &State,
    columns: &[Column<'_>],
    sets: TestSets,
    view: &mut CompareView,
    textures: &mut Textures,
) -> Option<Action> {
    let mut card = |ui: &mut Ui, index: usize| match index {
        0 => numbers::numbers_ui(ui, columns, sets),
        _ => curves::curves_ui(ui, columns, &mut view.curves),
    };
    if ui.available_width() < NARROW {
        card_row(ui, "numbers", &[1.0], |ui, _| card(ui, 0));
        card_row(ui, "curves", &[1.0], |ui, _| card(ui, 1));
    } else {
        card_row(ui, "numbers and curves", &[1.15, 1.0], card);
    }
    let run = Arc::clone(state.run.as_ref()?);
    let mut action = None;
    card_row(ui, "pictures", &[1.0], |ui, _| {
        let pressed = pictures::pictures_ui(ui, state, &run, columns, &mut view.pictures, textures);
        action = pressed.or(action.take());
    });
    card_row(ui, "protocols", &[1.0], |ui, _| {
        differences::protocols_ui(ui, columns);
    });
    action
}
