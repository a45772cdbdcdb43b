//! Small tinted labels: verdicts, errors, where a limit came from. Always a word, never a colour alone.

use eframe::egui::{
    Color32, CornerRadius, Painter, Pos2, Rect, Response, Role, Sense, Stroke, StrokeKind,
    TextStyle, Ui, WidgetInfo, vec2,
};

use super::icons::{self, Icon};
use super::theme;
use crate::metrics::{LimitOrigin, Verdict};

const RADIUS: u8 = 4;

pub fn verdict_colour(ui: &Ui, verdict: Verdict) -> Color32 {
    let palette = theme::palette(ui);
    match verdict {
        Verdict::Pass => palette.pass,
        Verdict::Review => palette.review,
        Verdict::Fail => palette.fail,
    }
}

/// A word on a tint of its colour.
pub fn badge(ui: &mut Ui, text: &str, colour: Color32) -> Response {
    badge_with(ui, None, text, colour)
}

/// A badge that calls for attention: with a sign before the word.
pub fn warning_badge(ui: &mut Ui, text: &str, colour: Color32) -> Response {
    badge_with(ui, Some(Icon::Warning), text, colour)
}

/// One piece, so that a line of badges wraps between them.
fn badge_with(ui: &mut Ui, sign: Option<Icon>, text: &str, colour: Color32) -> Response {
    let font = TextStyle::Small.resolve(ui.style());
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font, colour);
    let indent = if sign.is_some() { 20.0 } else { 0.0 };
    let size = galley.size() + vec2(14.0 + indent, 6.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    paint_ground(ui.painter(), rect, colour);
    if let Some(sign) = sign {
        let place = Rect::from_center_size(rect.left_center() + vec2(14.0, 0.0), vec2(15.0, 15.0));
        icons::paint(ui.painter(), place, sign, colour);
    }
    let at = rect.left_center() + vec2(7.0 + indent, -galley.size().y / 2.0);
    ui.painter().galley(at, galley, colour);
    response
}

fn paint_ground(painter: &Painter, rect: Rect, colour: Color32) {
    let radius = CornerRadius::same(RADIUS);
    painter.rect_filled(rect, radius, colour.gamma_multiply(0.13));
    let border = Stroke::new(1.0, colour.gamma_multiply(0.55));
    painter.rect_stroke(rect, radius, border, StrokeKind::Inside);
}

/// A plain badge painted where the caller says: its right edge at `right_middle`. Returns the room it took.
pub fn paint_badge(
    ui: &Ui,
    painter: &Painter,
    right_middle: Pos2,
    text: &str,
    colour: Color32,
) -> Rect {
    let font = TextStyle::Small.resolve(ui.style());
    let galley = painter.layout_no_wrap(text.to_owned(), font, colour);
    let size = galley.size() + vec2(12.0, 3.0);
    let rect = Rect::from_min_size(right_middle - vec2(size.x, size.y / 2.0), size);
    paint_ground(painter, rect, colour);
    painter.galley(rect.center() - galley.size() / 2.0, galley, colour);
    rect
}

/// Why this origin matters, for whoever hovers its badge.
fn origin_meaning(origin: &LimitOrigin) -> &'static str {
    match origin {
        LimitOrigin::HeldOutMaximum { .. }
        | LimitOrigin::HeldOutQuantile { .. }
        | LimitOrigin::FalseRejectBound { .. } => {
            "Comes from good pictures that were held out of training; no test picture was looked at"
        }
        LimitOrigin::Manual => {
            "Set by hand; what the held-out pictures prove at it is said beside it"
        }
        LimitOrigin::Cost { .. } | LimitOrigin::Oracle => {
            "Chosen on the test pictures themselves: what a perfect choice would give, never a limit to deploy"
        }
    }
}

/// Where a limit came from, as a badge. What was chosen on the test pictures stands apart.
pub fn origin_badge(ui: &mut Ui, origin: &LimitOrigin) -> Response {
    let palette = theme::palette(ui);
    let colour = match origin {
        LimitOrigin::Cost { .. } | LimitOrigin::Oracle => palette.warning,
        LimitOrigin::Manual => palette.limit,
        LimitOrigin::HeldOutMaximum { .. }
        | LimitOrigin::HeldOutQuantile { .. }
        | LimitOrigin::FalseRejectBound { .. } => palette.accent,
    };
    badge(ui, &origin.describe(), colour).on_hover_text(origin_meaning(origin))
}
