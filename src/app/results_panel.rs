//! Results: what the limit does to the test pictures, the curves, and every number with its protocol. Everything follows
//! the limits in force at once; nothing is scored again.

use eframe::egui::{Button, CentralPanel, Frame, Margin, Panel, RichText, ScrollArea, Ui};

use super::card_row::card_row;
use super::confusion_panel::{confusion_ui, proof_ui, recall_ui};
use super::curves_panel::{PixelGrid, curve_card_ui};
use super::empty_place::{no_run_ui, no_scores_ui};
use super::histogram_panel::{HistogramView, histogram_ui};
use super::limit_control::{image_limit_ui, pixel_limit_ui};
use super::numbers_panel::{numbers_ui, protocol_ui};
use super::state::{Action, State};
use super::{controls, numbers, taught_words, theme, words};
use crate::metrics::{Confusion, Evaluation};
use crate::worker::message::RunSummary;

/// Below this width cards that need room stand alone.
const NARROW: f32 = 720.0;

/// From this width on the protocol stands beside the numbers.
const WIDE: f32 = 1240.0;

/// How the user looks at the results.
#[derive(Debug, Default)]
pub struct ResultsView {
    pub grid: PixelGrid,
    histogram: HistogramView,
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
    let confusion = Confusion::at(&evaluation.images, state.image_limit());
    let mut action = Panel::top("results head")
        .resizable(false)
        .frame(
            Frame::new()
                .fill(ground)
                .inner_margin(Margin::symmetric(16, 10)),
        )
        .show(ui, |ui| head_ui(ui, state, run, evaluation, confusion))
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
                let changed = cards_ui(ui, state, run, evaluation, confusion, view);
                action = changed.or(action.take());
                ui.add_space(10.0);
            });
        });
    action
}

/// Stays in view while the cards scroll: what was judged, the limit, and what it costs.
fn head_ui(
    ui: &mut Ui,
    state: &State,
    run: &RunSummary,
    evaluation: &Evaluation,
    confusion: Confusion,
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
    ui.horizontal_wrapped(|ui| {
        let action = image_limit_ui(ui, state, run);
        ui.add_space(12.0);
        for (name, rate, count) in [
            ("Overkill", confusion.overkill_rate(), confusion.good_failed),
            (
                "Escapes",
                confusion.escape_rate(),
                confusion.defective_passed,
            ),
        ] {
            let value = rate.map_or_else(|| numbers::NOT_AVAILABLE.to_owned(), numbers::percent);
            let colour = if count > 0 {
                palette.error
            } else {
                palette.strong
            };
            ui.label(RichText::new(name).color(palette.muted));
            ui.label(RichText::new(value).size(17.0).color(colour));
            ui.add_space(8.0);
        }
        action
    })
    .inner
}

fn cards_ui(
    ui: &mut Ui,
    state: &State,
    run: &RunSummary,
    evaluation: &Evaluation,
    confusion: Confusion,
    view: &mut ResultsView,
) -> Option<Action> {
    ui.spacing_mut().item_spacing.y = 10.0;
    let narrow = ui.available_width() < NARROW;
    let mut action = None;
    let mut scores = |ui: &mut Ui, index: usize| match index {
        0 => {
            action =
                histogram_ui(ui, state, run, evaluation, &mut view.histogram).or(action.take());
        }
        _ => confusion_ui(ui, confusion),
    };
    if narrow {
        card_row(ui, "histogram", &[1.0], |ui, _| scores(ui, 0));
        card_row(ui, "confusion", &[1.0], |ui, _| scores(ui, 1));
    } else {
        card_row(ui, "scores", &[1.75, 1.0], scores);
    }
    card_row(
        ui,
        "recall and proof",
        &[1.2, 1.0],
        |ui, index| match index {
            0 => recall_ui(ui, evaluation, state.image_limit()),
            _ => proof_ui(ui, run, state.image_limit()),
        },
    );
    action = grid_ui(ui, state, run, &mut view.grid).or(action.take());
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
        0 => action = numbers_ui(ui, state, run, evaluation).or(action.take()),
        _ => protocol_ui(ui, run, evaluation),
    };
    if ui.available_width() < WIDE {
        card_row(ui, "numbers", &[1.0], |ui, _| numbers(ui, 0));
        card_row(ui, "protocol", &[1.0], |ui, _| numbers(ui, 1));
    } else {
        card_row(ui, "numbers and protocol", &[1.85, 1.0], numbers);
    }
    action
}

/// Which pixels the pixel curves below were measured on, and the limit marked on them.
fn grid_ui(ui: &mut Ui, state: &State, run: &RunSummary, grid: &mut PixelGrid) -> Option<Action> {
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
        pixel_limit_ui(ui, state, run)
    })
    .inner
}
