//! The confusion matrix: truths down, PASS, REVIEW and FAIL across. A click on a cell lists its pictures in Inspect.

use eframe::egui::{
    Align2, Color32, CornerRadius, CursorIcon, FontId, Rect, Role, Sense, Stroke, StrokeKind,
    TextStyle, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use super::super::badge::verdict_colour;
use super::super::state::Action;
use super::super::verdict::Outcome;
use super::super::{controls, theme, words};
use crate::metrics::{Tally, Truth, Verdict};

const CELL_HEIGHT: f32 = 54.0;
/// Room for the truths on the left.
const SIDE: f32 = 74.0;
/// Room for the verdicts on top.
const TOP: f32 = 20.0;
const GAP: f32 = 5.0;

pub fn confusion_ui(ui: &mut Ui, tally: &Tally) -> Option<Action> {
    controls::heading(ui, "At these limits");
    let truths = shown_truths(tally);
    let lines = truths.len() as f32;
    let width = ((ui.available_width() - SIDE - 2.0 * GAP) / 3.0).max(50.0);
    let cell = vec2(width, CELL_HEIGHT);
    let size = vec2(
        SIDE + 3.0 * width + 2.0 * GAP,
        TOP + lines * (CELL_HEIGHT + GAP),
    );
    let (room, _) = ui.allocate_exact_size(size, Sense::hover());
    let at = |line: usize, column: usize| {
        let offset = vec2(column as f32, line as f32) * (cell + Vec2::splat(GAP));
        Rect::from_min_size(room.min + vec2(SIDE, TOP) + offset, cell)
    };
    heads(ui, room, &truths, at);
    let mut asked = None;
    for (line, &truth) in truths.iter().enumerate() {
        for (column, verdict) in Verdict::ALL.into_iter().enumerate() {
            let outcome = Outcome::new(truth, verdict);
            let count = tally.count(truth, verdict);
            asked = cell_ui(ui, at(line, column), outcome, count).or(asked);
        }
    }
    asked
}

/// Unlabelled pictures have a line only where there are any.
fn shown_truths(tally: &Tally) -> Vec<Truth> {
    let is_shown = |truth: &Truth| *truth != Truth::Unlabelled || tally.pictures(*truth) > 0;
    Truth::ALL.into_iter().filter(is_shown).collect()
}

fn heads(ui: &Ui, room: Rect, truths: &[Truth], at: impl Fn(usize, usize) -> Rect) {
    let small = TextStyle::Small.resolve(ui.style());
    for (column, verdict) in Verdict::ALL.into_iter().enumerate() {
        let place = pos2(at(0, column).center().x, room.top() + 8.0);
        let colour = verdict_colour(ui, verdict);
        let font = small.clone();
        ui.painter()
            .text(place, Align2::CENTER_CENTER, verdict.word(), font, colour);
    }
    for (line, truth) in truths.iter().enumerate() {
        let place = pos2(room.left(), at(line, 0).center().y);
        let colour = theme::palette(ui).text;
        let font = small.clone();
        ui.painter()
            .text(place, Align2::LEFT_CENTER, truth.name(), font, colour);
    }
}

fn cell_ui(ui: &Ui, rect: Rect, outcome: Outcome, count: usize) -> Option<Action> {
    let id = ui.scope_id().with(("cell", outcome.name()));
    let response = ui.interact(rect, id, Sense::click());
    let spoken = format!("{} {count}", outcome.name());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, count > 0, &spoken));
    let is_hot = response.hovered() || response.has_focus();
    paint_cell(ui, rect, outcome, count, is_hot);
    let hint = format!("{}. Click to list them in Inspect", outcome.explanation());
    let response = response.on_hover_text(hint);
    if count > 0 {
        response.clone().on_hover_cursor(CursorIcon::PointingHand);
    }
    (response.clicked() && count > 0).then_some(Action::ShowOutcome(outcome))
}

fn paint_cell(ui: &Ui, rect: Rect, outcome: Outcome, count: usize, is_hot: bool) {
    let palette = theme::palette(ui);
    let (ink, fill) = colours(ui, outcome, count);
    let border = if is_hot {
        palette.accent
    } else {
        ink.gamma_multiply(0.5)
    };
    let radius = CornerRadius::same(5);
    let painter = ui.painter();
    painter.rect_filled(rect, radius, fill);
    painter.rect_stroke(rect, radius, Stroke::new(1.0, border), StrokeKind::Inside);
    let number = if count > 0 { ink } else { palette.muted };
    let middle = rect.center();
    painter.text(
        middle - vec2(0.0, 8.0),
        Align2::CENTER_CENTER,
        words::grouped(count),
        FontId::proportional(21.0),
        number,
    );
    painter.text(
        middle + vec2(0.0, 15.0),
        Align2::CENTER_CENTER,
        caption(outcome),
        TextStyle::Small.resolve(ui.style()),
        if outcome.is_error() && count > 0 {
            palette.error
        } else {
            palette.muted
        },
    );
}

fn colours(ui: &Ui, outcome: Outcome, count: usize) -> (Color32, Color32) {
    let palette = theme::palette(ui);
    if outcome.is_error() && count > 0 {
        return (palette.error, palette.error.gamma_multiply(0.12));
    }
    (palette.strong, palette.button.gamma_multiply(0.5))
}

/// Beneath the number; the line and the column say the rest.
fn caption(outcome: Outcome) -> &'static str {
    match (outcome.truth, outcome.verdict) {
        (Truth::Good, Verdict::Fail) => "overkill",
        (Truth::Defective, Verdict::Pass) => "escapes",
        (Truth::Defective, Verdict::Fail) => "caught",
        (_, Verdict::Review) => "to review",
        (_, Verdict::Pass) => "passed",
        (_, Verdict::Fail) => "failed",
    }
}
