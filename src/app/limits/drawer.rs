//! The limits beside the picture: a drawer at the bottom of Inspect with T1, T2 and the pixel limit, and what they make of
//! the whole test set.

use std::ops::RangeInclusive;

use eframe::egui::collapsing_header::CollapsingState;
use eframe::egui::{Frame, Margin, Panel, RichText, Slider, SliderClamping, Ui};

use super::super::badge::origin_badge;
use super::super::state::{Action, LimitEdit, State};
use super::super::{controls, numbers, theme};
use super::history::history_ui;
use super::range::{pixel_range, score_range, step};
use super::rates::tally_line_ui;
use super::typed::reset_ui;
use crate::worker::message::RunSummary;

/// Takes the bottom of what is left of `ui`.
pub fn drawer_ui(ui: &mut Ui, state: &State, run: &RunSummary) -> Option<Action> {
    let ground = theme::palette(ui).panel;
    let frame = Frame::new()
        .fill(ground)
        .inner_margin(Margin::symmetric(10, 6));
    Panel::bottom("limits drawer")
        .resizable(false)
        .frame(frame)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            let id = ui.scope_id().with("limits");
            let mut drawer = CollapsingState::load_with_default_open(ui.ctx(), id, true);
            ui.horizontal_wrapped(|ui| {
                toggle_ui(ui, &mut drawer);
                tally_line_ui(ui, &state.limits.judgement().tally);
            });
            let body = drawer.show_body_unindented(ui, |ui| {
                ui.horizontal_wrapped(|ui| body_ui(ui, state, run)).inner
            });
            drawer.store(ui.ctx());
            body.and_then(|body| body.inner)
        })
        .inner
}

fn toggle_ui(ui: &mut Ui, drawer: &mut CollapsingState) {
    let (sign, hint) = if drawer.is_open() {
        ("-", "Hide the sliders of the limits")
    } else {
        ("+", "Show the sliders of the limits")
    };
    let toggle = controls::small_button(ui, &format!("{sign} Limits"));
    let toggle = toggle.accessible_name("Limits").on_hover_text(hint);
    if toggle.clicked() {
        drawer.toggle(ui);
    }
}

fn body_ui(ui: &mut Ui, state: &State, run: &RunSummary) -> Option<Action> {
    let rule = state.limits.rule();
    let scores = score_range(run, rule);
    ui.spacing_mut().slider_width = if ui.max_rect().width() < 900.0 {
        80.0
    } else {
        120.0
    };
    let t1 = slider(ui, "T1", "T1, pass below", rule.pass_below(), &scores);
    let t2 = slider(ui, "T2", "T2, fail from", rule.fail_from(), &scores);
    let pixels = pixel_range(run, rule);
    let pixel = slider(ui, "Pixels", "Pixels from", rule.pixel.value, &pixels);
    let edit = t1
        .map(|value| LimitEdit::Review(Some(value)))
        .or(t2.map(LimitEdit::Fail))
        .or(pixel.map(LimitEdit::Pixel));
    origin_badge(ui, &rule.fail.origin);
    let reset = reset_ui(ui, state, run);
    let history = history_ui(ui, state, run);
    edit.map(Action::EditLimits).or(reset).or(history)
}

/// The value it was moved to.
fn slider(
    ui: &mut Ui,
    short: &str,
    name: &str,
    value: f32,
    range: &RangeInclusive<f32>,
) -> Option<f32> {
    let mut moved = value;
    ui.label(RichText::new(short).color(theme::palette(ui).strong));
    let slider = Slider::new(&mut moved, range.clone())
        .clamping(SliderClamping::Never)
        .update_while_editing(false)
        .step_by(f64::from(step(range)))
        .custom_formatter(|value, _| numbers::score(value as f32));
    let hint = format!("{name} this score. Drag, type, or use the arrow keys");
    let response = ui.add(slider).accessible_name(name).on_hover_text(hint);
    (response.changed() && moved.is_finite() && moved != value).then_some(moved)
}
