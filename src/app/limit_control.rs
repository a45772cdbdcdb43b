//! The image limit as a slider with a typed value, its reset and its origin. Inspect and Results show the same one.

use std::ops::RangeInclusive;

use eframe::egui::{Button, Label, RichText, Slider, Ui};

use super::badge::origin_badge;
use super::state::{Action, State};
use super::{numbers, theme};
use crate::metrics::LimitOrigin;
use crate::worker::message::RunSummary;

/// Name, slider, value, reset, origin, in one line that wraps.
pub fn image_limit_ui(ui: &mut Ui, state: &State, run: &RunSummary) -> Option<Action> {
    let range = score_range(run, state.image_limit);
    let mut limit = state.image_limit;
    let mut action = None;
    let name = Label::new(RichText::new("Image limit").color(theme::palette(ui).strong));
    let name = ui.add(name);
    ui.spacing_mut().slider_width = 150.0;
    let slider = Slider::new(&mut limit, range.clone())
        .clamping(eframe::egui::SliderClamping::Never)
        .step_by(f64::from(step(&range)))
        .custom_formatter(|value, _| numbers::score(value as f32));
    let response = ui.add(slider).labelled_by(name.id).on_hover_text(
        "Pictures that score this much or more fail. Drag, type, or use the arrow keys",
    );
    if response.changed() && limit.is_finite() {
        action = Some(Action::SetImageLimit(limit));
    }
    let own = run.image_limit.value;
    let reset = ui.add_enabled(state.image_limit != own, Button::new("Reset"));
    let hint = format!("Back to the run's own limit, {}", numbers::score(own));
    if reset.on_hover_text(hint).clicked() {
        action = Some(Action::SetImageLimit(own));
    }
    origin_badge(ui, origin_in_force(state.image_limit, &run.image_limit));
    action
}

/// The run's limit keeps its origin; any other value was set by hand.
pub fn origin_in_force(value: f32, own: &crate::metrics::Limit) -> &LimitOrigin {
    if value == own.value {
        &own.origin
    } else {
        &LimitOrigin::Manual
    }
}

/// All test and held-out scores and the limits, with some air at both ends.
pub fn score_range(run: &RunSummary, limit: f32) -> RangeInclusive<f32> {
    let rows = run.evaluation.iter().flat_map(|e| e.images.iter());
    let scores = rows
        .map(|row| row.score)
        .chain(run.calibration_scores.iter().copied())
        .chain([run.image_limit.value, limit]);
    let (low, high) = scores
        .filter(|score| score.is_finite())
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), score| {
            (low.min(score), high.max(score))
        });
    if low > high {
        return 0.0..=1.0;
    }
    let air = ((high - low) * 0.04).max(high.abs().max(1e-6) * 1e-3);
    (low - air)..=(high + air)
}

/// What one press of an arrow key changes.
pub fn step(range: &RangeInclusive<f32>) -> f32 {
    (range.end() - range.start()) / 400.0
}

#[cfg(test)]
mod tests {
    use super::origin_in_force;
    use crate::metrics::{Limit, LimitOrigin};

    #[test]
    fn a_moved_limit_was_set_by_hand() {
        let own = Limit {
            value: 0.5,
            origin: LimitOrigin::HeldOutMaximum { pictures: 21 },
        };
        assert_eq!(origin_in_force(0.5, &own), &own.origin);
        assert_eq!(origin_in_force(0.6, &own), &LimitOrigin::Manual);
    }
}
