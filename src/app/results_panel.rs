//! Results: what the limit does to the test pictures, the curves, and every number with its protocol. Everything follows
//! the limits in force at once; nothing is scored again.

use std::sync::Arc;

use eframe::egui::{Button, CentralPanel, Frame, Margin, Panel, RichText, ScrollArea, Ui};

use super::card_row::card_row;
use super::curves_panel::{PixelGrid, curve_card_ui};
use super::empty_place::{no_run_ui, no_scores_ui};
use super::limits::{
    LimitsView, area_rule_ui, confusion_ui, histogram_card_ui, history_ui, rates_ui, recall_ui,
    size_curve_ui, tally_line_ui, typed_limits_ui,
};
use super::numbers_panel::{numbers_ui, protocol_ui};
use super::state::{Action, Pick, State};
use super::{controls, numbers, taught_words, theme, words};
use crate::metrics::Evaluation;
use crate::worker::message::RunSummary;

/// Below this width cards that need room stand alone.
const NARROW: f32 = 720.0;

/// From this width on the protocol stands beside the numbers.
const WIDE: f32 = 1240.0;

/// How the user looks at the results.
#[derive(Debug, Default)]
pub struct ResultsView {
    pub grid: PixelGrid,
    limits: LimitsView,
}

pub fn results_ui(ui: &mut Ui, state: &State, view: &mut ResultsView) -> Option<Action> {
    let Some(run) = &state.run else {
        let hint = "Train a model or open a run to see its numbers";
        return no_run_ui(ui, hint);
    };
    let Some(evaluation) = run.evaluation.as_ref().filter(|e| !e.images.is_empty()) else {
        return no_scores_ui(ui, state, run, "This model has no results yet");
    };
    let ground = theme::palette(ui).panel;
    let mut action = Panel::top("results head")
        .resizable(false)
        .frame(
            Frame::new()
                .fill(ground)
                .inner_margin(Margin::symmetric(16, 10)),
        )
        .show(ui, |ui| head_ui(ui, state, run, evaluation))
        .inner;
    CentralPanel::default()
        .frame(Frame::new().fill(ground).inner_margin(Margin {
            left: 16,
            right: 6,
            top: 8,
            bottom: 0,
        }))
        .show(ui, |ui| {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                ui.set_max_width(ui.available_width() - 10.0);
                let changed = cards_ui(ui, state, run, evaluation, view);
                action = changed.or(action.take());
                ui.add_space(10.0);
            });
        });
    action
}

/// Stays in view while the cards scroll: what was judged, the limits, and what they cost.
fn head_ui(
    ui: &mut Ui,
    state: &State,
    run: &RunSummary,
    evaluation: &Evaluation,
) -> Option<Action> {
    let palette = theme::palette(ui);
    ui.horizontal_wrapped(|ui| {
        controls::title(ui, "Results");
        let protocol = &evaluation.protocol;
        let mut what = format!(
            "{} on {}, {}",
            run.config.model.title(),
            protocol.backbone,
            words::count(protocol.test_good + protocol.test_defective, "test picture")
        );
        if protocol.unlabelled > 0 {
            let unlabelled = words::grouped(protocol.unlabelled);
            what = format!("{what}, {unlabelled} unlabelled");
        }
        if let Some(seen) = taught_words::briefly(protocol.seen.as_deref()) {
            what = format!("{what}, {seen}");
        }
        ui.label(RichText::new(what).color(palette.muted));
    });
    let action = ui
        .horizontal_wrapped(|ui| {
            let typed = typed_limits_ui(ui, state, run);
            ui.add_space(8.0);
            typed
                .or(history_ui(ui, state, run))
                .or(report_ui(ui, state))
        })
        .inner;
    ui.horizontal_wrapped(|ui| tally_line_ui(ui, &state.limits.judgement().tally));
    action
}

/// The way to take it all away.
fn report_ui(ui: &mut Ui, state: &State) -> Option<Action> {
    let button = ui.add_enabled(!state.is_busy(), Button::new("Write report…"));
    let hint = "One page with everything, pictures included, and the numbers as CSV and JSON beside it (Ctrl+E). \
                Limits that are not saved yet are saved in the model first";
    let pressed = button.on_hover_text(hint).clicked();
    pressed.then_some(Action::Pick(Pick::ReportFile))
}

fn cards_ui(
    ui: &mut Ui,
    state: &State,
    run: &Arc<RunSummary>,
    evaluation: &Arc<Evaluation>,
    view: &mut ResultsView,
) -> Option<Action> {
    ui.spacing_mut().item_spacing.y = 10.0;
    let narrow = ui.available_width() < NARROW;
    let mut action = limit_cards_ui(ui, state, run, evaluation, &mut view.limits);
    grid_ui(ui, state, &mut view.grid);
    let grid = view.grid;
    if narrow {
        for index in 0..3 {
            card_row(ui, &format!("curve {index}"), &[1.0], |ui, _| {
                curve_card_ui(ui, index, state, evaluation, grid);
            });
        }
    } else {
        card_row(ui, "curves", &[1.0; 3], |ui, index| {
            curve_card_ui(ui, index, state, evaluation, grid);
        });
    }
    let mut numbers = |ui: &mut Ui, index: usize| match index {
        0 => action = numbers_ui(ui, state, evaluation).or(action.take()),
        _ => protocol_ui(ui, state.limits.rule(), evaluation),
    };
    if ui.available_width() < WIDE {
        card_row(ui, "numbers", &[1.0], |ui, _| numbers(ui, 0));
        card_row(ui, "protocol", &[1.0], |ui, _| numbers(ui, 1));
    } else {
        card_row(ui, "numbers and protocol", &[1.85, 1.0], numbers);
    }
    action
}

/// What is set by hand and what follows at once: histogram and matrix, recall and second rule, sizes.
fn limit_cards_ui(
    ui: &mut Ui,
    state: &State,
    run: &Arc<RunSummary>,
    evaluation: &Arc<Evaluation>,
    view: &mut LimitsView,
) -> Option<Action> {
    let width = ui.available_width();
    let judgement = state.limits.judgement();
    let mut action = None;
    let mut card = |ui: &mut Ui, index: usize| {
        let asked = match index {
            0 => histogram_card_ui(ui, state, run, evaluation, view),
            1 => {
                let asked = confusion_ui(ui, &judgement.tally);
                ui.add_space(4.0);
                rates_ui(ui, &judgement.tally);
                asked
            }
            2 => {
                recall_ui(ui, evaluation, judgement, &mut view.types);
                None
            }
            3 => area_rule_ui(ui, state, run),
            _ => {
                size_curve_ui(ui, state, run, &mut view.sizes);
                None
            }
        };
        action = asked.or(action.take());
    };
    let rows: &[(&str, &[usize], &[f32])] = if width < NARROW {
        &[
            ("scores", &[0], &[1.0]),
            ("confusion", &[1], &[1.0]),
            ("regions", &[3], &[1.0]),
            ("recall", &[2], &[1.0]),
            ("sizes", &[4], &[1.0]),
        ]
    } else if width < WIDE {
        &[
            ("scores", &[0, 1], &[1.75, 1.0]),
            ("regions", &[3], &[1.0]),
            ("recall", &[2], &[1.0]),
            ("sizes", &[4], &[1.0]),
        ]
    } else {
        &[
            ("scores", &[0, 1], &[1.75, 1.0]),
            ("regions", &[3], &[1.0]),
            ("recall", &[2, 4], &[1.3, 1.0]),
        ]
    };
    for (id, cards, shares) in rows {
        card_row(ui, id, shares, |ui, place| {
            card(ui, cards.get(place).copied().unwrap_or_default());
        });
    }
    action
}

/// Which pixels the pixel curves below were measured on, and the limit marked on them.
fn grid_ui(ui: &mut Ui, state: &State, grid: &mut PixelGrid) {
    let palette = theme::palette(ui);
    ui.horizontal_wrapped(|ui| {
        controls::heading(ui, "Curves");
        ui.add_space(8.0);
        ui.label(RichText::new("Pixels at").color(palette.muted));
        for choice in PixelGrid::ALL {
            let button =
                Button::selectable(*grid == choice, choice.name()).frame_when_inactive(true);
            if ui.add(button).clicked() {
                *grid = choice;
            }
        }
        ui.add_space(8.0);
        let marked = numbers::score(state.pixel_limit());
        let marked = format!("The mark is the pixel limit, {marked}");
        ui.label(RichText::new(marked).color(palette.muted));
    });
}
