//! The pixel limit to drag or type, wherever it stands.

use eframe::egui::{Button, DragValue, Ui};

use super::super::numbers;
use super::super::state::{Action, LimitEdit, State};
use super::range::{pixel_range, step};
use crate::worker::message::RunSummary;

/// The value, and its reset.
pub fn pixel_limit_value_ui(ui: &mut Ui, state: &State, run: &RunSummary) -> Option<Action> {
    let mut limit = state.pixel_limit();
    let value = DragValue::new(&mut limit)
        .speed(step(&pixel_range(run, state.limits.rule())))
        .update_while_editing(false)
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
