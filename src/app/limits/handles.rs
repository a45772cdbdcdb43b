//! The grips of T1 and T2 on the histogram: drag, double-click, arrow keys. T2 is gripped at the top edge, T1 at the bottom
//! edge, so that both can be reached where they coincide.

use std::ops::RangeInclusive;

use eframe::egui::{
    Align2, Color32, CursorIcon, EventFilter, Id, Key, Pos2, Rect, Response, Role, Sense, Stroke,
    StrokeKind, TextStyle, Ui, WidgetInfo, pos2, vec2,
};
use egui_plot::PlotTransform;

use super::super::state::LimitEdit;
use super::super::{numbers, theme};
use super::range::step;
use crate::metrics::DecisionRule;

/// How close to a line a drag may start, in points.
const REACH: f32 = 14.0;
const TAB: (f32, f32) = (28.0, 17.0);

/// One of the two limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grip {
    T1,
    T2,
}

impl Grip {
    fn name(self) -> &'static str {
        match self {
            Self::T1 => "T1 in the histogram",
            Self::T2 => "T2 in the histogram",
        }
    }

    fn value(self, rule: &DecisionRule) -> f32 {
        match self {
            Self::T1 => rule.pass_below(),
            Self::T2 => rule.fail_from(),
        }
    }

    fn edit(self, value: f32) -> LimitEdit {
        match self {
            Self::T1 => LimitEdit::Review(Some(value)),
            Self::T2 => LimitEdit::Fail(value),
        }
    }
}

/// What is in the user's hand, and how far from the line it was gripped.
#[derive(Debug, Default)]
pub struct Handles {
    held: Option<(Grip, f32)>,
}

/// Everything the grips do in one frame.
pub fn handles_ui(
    ui: &Ui,
    transform: &PlotTransform,
    rule: &DecisionRule,
    range: &RangeInclusive<f32>,
    handles: &mut Handles,
) -> Option<LimitEdit> {
    let lines = Lines::of(transform, rule);
    let id = ui.scope_id().with("limit lines");
    let body = ui.interact(lines.frame, id, Sense::drag());
    body.widget_info(|| WidgetInfo::labeled(Role::Unknown, true, "Limit lines in the histogram"));
    let [t1, t2] = [Grip::T1, Grip::T2].map(|grip| tab(ui, id, grip, &lines, rule));
    paint(ui, &lines, rule, [&t1, &t2]);
    let grips = [(Grip::T1, &t1), (Grip::T2, &t2)];
    let dragged = drag(ui, transform, &lines, (&body, grips), handles);
    let dragged = dragged.map(|(grip, value)| {
        let value = value.clamp(*range.start(), *range.end());
        (value != grip.value(rule)).then(|| grip.edit(value))
    });
    if t1.double_clicked() {
        return rule.review.is_some().then_some(LimitEdit::Review(None));
    }
    dragged.flatten().or_else(|| nudge(ui, grips, rule, range))
}

/// Where the lines are, in points.
struct Lines {
    frame: Rect,
    x1: f32,
    x2: f32,
    has_band: bool,
}

impl Lines {
    fn of(transform: &PlotTransform, rule: &DecisionRule) -> Self {
        let x = |value: f32| transform.position_from_point_x(f64::from(value));
        Self {
            frame: *transform.frame(),
            x1: x(rule.pass_below()),
            x2: x(rule.fail_from()),
            has_band: rule.review.is_some(),
        }
    }

    fn x(&self, grip: Grip) -> f32 {
        match grip {
            Grip::T1 => self.x1,
            Grip::T2 => self.x2,
        }
    }

    fn tab(&self, grip: Grip) -> Rect {
        let y = match grip {
            Grip::T1 => self.frame.bottom() - TAB.1 / 2.0 - 1.0,
            Grip::T2 => self.frame.top() + TAB.1 / 2.0 + 1.0,
        };
        Rect::from_center_size(pos2(self.x(grip), y), TAB.into())
    }

    /// Which line a press here is meant for: the nearer one; of equally near ones T2 above and T1 below the middle. Without
    /// a REVIEW band the line is T2's all along.
    fn near(&self, at: Pos2) -> Option<Grip> {
        let (from_t1, from_t2) = ((at.x - self.x1).abs(), (at.x - self.x2).abs());
        if from_t1.min(from_t2) > REACH {
            return None;
        }
        let is_t1 = if (from_t1 - from_t2).abs() < 1.0 {
            at.y > self.frame.center().y
        } else {
            from_t1 < from_t2
        };
        Some(if self.has_band && is_t1 {
            Grip::T1
        } else {
            Grip::T2
        })
    }
}

fn tab(ui: &Ui, id: Id, grip: Grip, lines: &Lines, rule: &DecisionRule) -> Response {
    let response = ui.interact(
        lines.tab(grip),
        id.with(grip.name()),
        Sense::click_and_drag(),
    );
    let value = f64::from(grip.value(rule));
    response.widget_info(|| WidgetInfo::slider(true, value, grip.name()));
    let hint = match grip {
        Grip::T2 => {
            "T2: FAIL from here on. Drag, or click and use the arrow keys (Shift: ten steps)"
        }
        Grip::T1 if lines.has_band => {
            "T1: PASS below, REVIEW up to T2. Drag, or click and use the arrow keys; double-click closes the band"
        }
        Grip::T1 => "Drag to the left to open a REVIEW band below T2",
    };
    response.on_hover_text(hint)
}

/// What is dragged, and to which score.
fn drag(
    ui: &Ui,
    transform: &PlotTransform,
    lines: &Lines,
    (body, grips): (&Response, [(Grip, &Response); 2]),
    handles: &mut Handles,
) -> Option<(Grip, f32)> {
    let is_near = body.hover_pos().is_some_and(|at| lines.near(at).is_some());
    let on_tab = grips.iter().any(|(_, tab)| tab.hovered());
    if handles.held.is_some() || is_near || on_tab {
        ui.ctx().set_cursor_icon(CursorIcon::ResizeHorizontal);
    }
    let pressed = ui.input(|input| input.pointer.press_origin());
    let tab = grips.into_iter().find(|(_, tab)| tab.drag_started());
    let gripped = match tab {
        Some((grip, _)) => Some(grip),
        None if body.drag_started() => pressed.and_then(|at| lines.near(at)),
        None => None,
    };
    if let (Some(grip), Some(at)) = (gripped, pressed) {
        handles.held = Some((grip, at.x - lines.x(grip)));
    }
    for (grip, tab) in grips {
        if tab.clicked() || gripped == Some(grip) {
            tab.request_focus();
        }
    }
    if !body.dragged() && !grips.iter().any(|(_, tab)| tab.dragged()) {
        handles.held = None;
    }
    let (grip, offset) = handles.held?;
    let at = ui.input(|input| input.pointer.interact_pos())?;
    let moved = at - vec2(offset, 0.0);
    Some((grip, transform.value_from_position(moved).x as f32))
}

/// Left and Right move the focused grip, or T2 when nothing has the keyboard; with Shift ten times as far.
fn nudge(
    ui: &Ui,
    grips: [(Grip, &Response); 2],
    rule: &DecisionRule,
    range: &RangeInclusive<f32>,
) -> Option<LimitEdit> {
    let focused = grips.into_iter().find(|(_, tab)| tab.has_focus());
    if let Some((_, tab)) = focused {
        // Else the arrows would carry the focus away.
        let filter = EventFilter {
            horizontal_arrows: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(tab.id, filter));
    } else if ui.ctx().egui_wants_keyboard_input() {
        return None;
    }
    let grip = focused.map_or(Grip::T2, |(grip, _)| grip);
    let presses = presses(ui);
    let value = grip.value(rule) + presses * step(range);
    (presses != 0.0).then(|| grip.edit(value))
}

/// As the sheet of keys tells them; see [`presses`].
pub const KEYS: [(&str, &str); 2] = [
    ("Left, Right", "Move T2, or the grip that has the focus"),
    ("Shift+Left, Right", "Move it ten steps"),
];

fn presses(ui: &Ui) -> f32 {
    ui.input(|input| {
        if input.modifiers.command || input.modifiers.alt {
            return 0.0;
        }
        let count = |key| input.num_presses(key) as f32;
        let times = if input.modifiers.shift { 10.0 } else { 1.0 };
        times * (count(Key::ArrowRight) - count(Key::ArrowLeft))
    })
}

fn paint(ui: &Ui, lines: &Lines, rule: &DecisionRule, [t1, t2]: [&Response; 2]) {
    let palette = theme::palette(ui);
    paint_words(ui, lines, rule);
    paint_tab(ui, lines.tab(Grip::T2), "T2", palette.limit, t2);
    let colour = if lines.has_band {
        palette.review
    } else {
        palette.muted
    };
    paint_tab(ui, lines.tab(Grip::T1), "T1", colour, t1);
}

fn paint_tab(ui: &Ui, rect: Rect, text: &str, colour: Color32, tab: &Response) {
    let palette = theme::palette(ui);
    let painter = ui.painter();
    painter.rect_filled(rect, 4.0, colour);
    if tab.has_focus() || tab.hovered() {
        let ring = Stroke::new(1.5, palette.strong);
        painter.rect_stroke(rect.expand(2.0), 5.0, ring, StrokeKind::Inside);
    }
    let font = TextStyle::Small.resolve(ui.style());
    painter.text(
        rect.center(),
        Align2::CENTER_CENTER,
        text,
        font,
        palette.well,
    );
}

/// Moved down by whole lines of text until it covers none of `taken`.
fn below(room: Rect, taken: &[Rect]) -> Rect {
    const LINE: f32 = 17.0;
    let mut rooms = (0..=taken.len()).map(|line| room.translate(vec2(0.0, LINE * line as f32)));
    let is_free = |room: &Rect| !taken.iter().any(|other| other.intersects(*room));
    rooms.find(is_free).unwrap_or(room)
}

/// Which side of the lines means what. Words keep clear of each other and of the tab between them.
fn paint_words(ui: &Ui, lines: &Lines, rule: &DecisionRule) {
    let palette = theme::palette(ui);
    let first = lines.frame.top() + 10.0;
    let mut taken = vec![lines.tab(Grip::T2)];
    let mut label = |at: Pos2, align: Align2, text: &str, colour: Color32| {
        let font = TextStyle::Small.resolve(ui.style());
        let galley = ui.painter().layout_no_wrap(text.to_owned(), font, colour);
        let room = align.anchor_size(at, galley.size());
        let inside = lines.frame.shrink(4.0);
        let shift =
            (inside.left() - room.left()).max(0.0) + (inside.right() - room.right()).min(0.0);
        let room = room.translate(vec2(shift, 0.0));
        let room = below(room.expand2(vec2(3.0, 0.0)), &taken);
        taken.push(room);
        let ground = palette.well.gamma_multiply(0.85);
        ui.painter().rect_filled(room, 2.0, ground);
        let text = room.shrink2(vec2(3.0, 0.0));
        ui.painter().galley(text.min, galley, colour);
    };
    let pass = format!("PASS below {}", numbers::score(rule.pass_below()));
    let fail = format!("FAIL from {}", numbers::score(rule.fail_from()));
    let clear = TAB.0 / 2.0 + 6.0;
    let left = if lines.has_band && lines.x2 - lines.x1 > clear {
        lines.x1 - 6.0
    } else {
        lines.x2 - clear
    };
    label(
        pos2(left.min(lines.x1 - 6.0), first),
        Align2::RIGHT_CENTER,
        &pass,
        palette.pass,
    );
    label(
        pos2(lines.x2 + clear, first),
        Align2::LEFT_CENTER,
        &fail,
        palette.fail,
    );
    if lines.has_band {
        let middle = f32::midpoint(lines.x1, lines.x2);
        label(
            pos2(middle, first),
            Align2::CENTER_CENTER,
            "REVIEW",
            palette.review,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{Grip, Lines, below};
    use eframe::egui::{Rect, pos2, vec2};

    fn lines(x1: f32, x2: f32, has_band: bool) -> Lines {
        Lines {
            frame: Rect::from_min_max(pos2(0.0, 0.0), pos2(400.0, 200.0)),
            x1,
            x2,
            has_band,
        }
    }

    #[test]
    fn a_press_is_meant_for_the_nearer_line() {
        let lines = lines(100.0, 120.0, true);
        assert_eq!(lines.near(pos2(95.0, 50.0)), Some(Grip::T1));
        assert_eq!(lines.near(pos2(125.0, 150.0)), Some(Grip::T2));
        assert_eq!(lines.near(pos2(200.0, 50.0)), None);
    }

    #[test]
    fn words_move_down_until_they_cover_nothing() {
        let word = |x: f32| Rect::from_min_size(pos2(x, 4.0), vec2(60.0, 12.0));
        let free = below(word(100.0), &[word(0.0)]);
        assert_eq!(free, word(100.0));
        let second = below(word(40.0), &[word(0.0)]);
        assert!(second.top() > word(0.0).bottom());
        let third = below(word(40.0), &[word(0.0), second]);
        assert!(third.top() > second.bottom());
    }

    #[test]
    fn lines_that_coincide_are_told_apart_by_height() {
        let both = lines(100.0, 100.0, true);
        assert_eq!(both.near(pos2(102.0, 50.0)), Some(Grip::T2));
        assert_eq!(both.near(pos2(102.0, 150.0)), Some(Grip::T1));
        let one = lines(100.0, 100.0, false);
        assert_eq!(one.near(pos2(102.0, 150.0)), Some(Grip::T2));
        assert!(!one.tab(Grip::T1).intersects(one.tab(Grip::T2)));
    }
}
