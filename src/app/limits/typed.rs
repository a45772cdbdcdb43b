//! T1 and T2 as numbers to type or drag sideways.

use eframe::egui::{Button, DragValue, Response, RichText, Ui};

use super::super::state::{Action, LimitEdit, State};
use super::super::{numbers, theme};
use super::range::{score_range, step};
use crate::worker::message::RunSummary;

/// Both fields, the way to close the REVIEW band, and the reset of everything.
pub fn typed_limits_ui(ui: &mut Ui, state: &State, run: &RunSummary) -> Option<Action> {
    let rule = state.limits.rule();
    let speed = step(&score_range(run, rule));
    let mut edit = t1_ui(ui, state, speed);
    let mut t2 = rule.fail_from();
    ui.label(RichText::new("T2").color(theme::palette(ui).strong));
    let hint = "FAIL from this score on. Drag sideways, or click and type";
    if field(ui, &mut t2, speed, "T2, fail from", hint).changed() {
        edit = Some(LimitEdit::Fail(t2));
    }
    edit.map(Action::EditLimits)
        .or_else(|| reset_ui(ui, state, run))
}

fn t1_ui(ui: &mut Ui, state: &State, speed: f32) -> Option<LimitEdit> {
    let rule = state.limits.rule();
    let mut t1 = rule.pass_below();
    let is_open = rule.review.is_some();
    let palette = theme::palette(ui);
    let colour = if is_open {
        palette.strong
    } else {
        palette.muted
    };
    ui.label(RichText::new("T1").color(colour));
    let hint = if is_open {
        "PASS below this score, REVIEW from here to T2. Drag sideways, or click and type"
    } else {
        "No REVIEW band: T1 is T2. Make it smaller to open one"
    };
    if field(ui, &mut t1, speed, "T1, pass below", hint).changed() {
        return Some(LimitEdit::Review(Some(t1)));
    }
    let close = ui.add_enabled(is_open, Button::new("×"));
    let close = close
        .accessible_name("Close the REVIEW band")
        .on_hover_text("Close the REVIEW band: T2 alone decides");
    close.clicked().then_some(LimitEdit::Review(None))
}

/// A half-typed number changes nothing: it would push the other limit about.
fn field(ui: &mut Ui, value: &mut f32, speed: f32, name: &str, hint: &str) -> Response {
    let field = DragValue::new(value)
        .speed(speed)
        .update_while_editing(false)
        .custom_formatter(|value, _| numbers::score(value as f32));
    ui.add(field).accessible_name(name).on_hover_text(hint)
}

/// Puts everything back: both limits, the pixel limit, the area rule.
pub fn reset_ui(ui: &mut Ui, state: &State, run: &RunSummary) -> Option<Action> {
    let changed = *state.limits.rule() != run.proposed;
    let reset = ui.add_enabled(changed, Button::new("Reset to calibration"));
    let hint = format!(
        "Back to what calibration proposed: T2 {}, pixel limit {}, no second rule",
        numbers::score(run.proposed.fail_from()),
        numbers::score(run.proposed.pixel.value)
    );
    let reset = reset.on_hover_text(hint);
    reset.clicked().then_some(Action::ResetLimits)
}
