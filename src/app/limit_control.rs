//! The two limits with their resets and origins. Inspect and Results show the same ones.

use std::ops::RangeInclusive;

use eframe::egui::{Button, DragValue, Label, RichText, Slider, SliderClamping, Ui};

use super::badge::origin_badge;
use super::state::{Action, LimitEdit, State};
use super::{numbers, theme};
use crate::worker::message::RunSummary;

/// Name, slider, value, reset, origin, in one line that wraps.
pub fn image_limit_ui(ui: &mut Ui, state: &State, run: &RunSummary) -> Option<Action> {
    let range = score_range(run, state.image_limit());
    let mut limit = state.image_limit();
    let mut action = None;
    let name = Label::new(RichText::new("Image limit").color(theme::palette(ui).strong));
    let name = ui.add(name);
    ui.spacing_mut().slider_width = if ui.max_rect().width() < 640.0 {
        96.0
    } else {
        150.0
    };
    let slider = Slider::new(&mut limit, range.clone())
        .clamping(SliderClamping::Never)
        .step_by(f64::from(step(&range)))
        .custom_formatter(|value, _| numbers::score(value as f32));
    let response = ui.add(slider).labelled_by(name.id).on_hover_text(
        "Pictures that score this much or more fail. Drag, type, or use the arrow keys",
    );
    if response.changed() && limit.is_finite() {
        action = Some(Action::EditLimits(LimitEdit::Fail(limit)));
    }
    let own = run.proposed.fail.value;
    let reset = ui.add_enabled(state.image_limit() != own, Button::new("Reset"));
    let hint = format!("Back to what calibration proposed, {}", numbers::score(own));
    let reset = reset
        .accessible_name("Reset the image limit")
        .on_hover_text(hint);
    if reset.clicked() {
        let rule = state.limits.rule().clone();
        let rule = rule.with_fail(run.proposed.fail.clone());
        action = Some(Action::EditLimits(LimitEdit::Rule(rule)));
    }
    origin_badge(ui, &state.limits.rule().fail.origin);
    action
}

/// Name, value, reset and origin of the pixel limit, in one line that wraps.
pub fn pixel_limit_ui(ui: &mut Ui, state: &State, run: &RunSummary) -> Option<Action> {
    ui.label(RichText::new("Pixel limit").color(theme::palette(ui).strong));
    let action = pixel_limit_value_ui(ui, state, run);
    origin_badge(ui, &state.limits.rule().pixel.origin);
    action
}

/// The pixel limit to drag or type, and its reset.
pub fn pixel_limit_value_ui(ui: &mut Ui, state: &State, run: &RunSummary) -> Option<Action> {
    let mut limit = state.pixel_limit();
    let value = DragValue::new(&mut limit)
        .speed((run.limits.scale.1 - run.limits.scale.0).abs() / 400.0)
        .custom_formatter(|value, _| numbers::score(value as f32));
    let response = ui.add(value).accessible_name("Pixel limit");
    let hint =
        "Pixels that score this much or more count as defective. Drag sideways, or click and type";
    if response.on_hover_text(hint).changed() && limit.is_finite() {
        return Some(Action::EditLimits(LimitEdit::Pixel(limit)));
    }
    let own = run.proposed.pixel.value;
    let reset = ui.add_enabled(state.pixel_limit() != own, Button::new("Reset"));
    let hint = format!("Back to what calibration proposed, {}", numbers::score(own));
    let reset = reset
        .accessible_name("Reset the pixel limit")
        .on_hover_text(hint);
    reset.clicked().then(|| {
        let rule = state.limits.rule().clone();
        let rule = rule.with_pixel(run.proposed.pixel.clone());
        Action::EditLimits(LimitEdit::Rule(rule))
    })
}

/// All test and held-out scores and the run's limit, with some air at both ends; wider only where `limit` lies outside.
pub fn score_range(run: &RunSummary, limit: f32) -> RangeInclusive<f32> {
    let rows = run.evaluation.iter().flat_map(|e| e.images.iter());
    let scores = rows
        .map(|row| row.score)
        .chain(run.calibration_scores.iter().copied())
        .chain([run.limits.image.value]);
    let (low, high) = scores
        .filter(|score| score.is_finite())
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), score| {
            (low.min(score), high.max(score))
        });
    if low > high {
        return 0.0..=1.0;
    }
    let air = ((high - low) * 0.04).max(high.abs().max(1e-6) * 1e-3);
    (low - air).min(limit)..=(high + air).max(limit)
}

/// What one press of an arrow key changes.
pub fn step(range: &RangeInclusive<f32>) -> f32 {
    (range.end() - range.start()) / 400.0
}
