//! The scores of the test pictures by class, good upwards and defective downwards, with the limit as a line to drag.

use std::ops::RangeInclusive;

use eframe::egui::{
    Align2, Color32, CursorIcon, Key, Pos2, Rect, Role, Sense, Stroke, TextStyle, Ui, WidgetInfo,
    pos2, vec2,
};
use egui_plot::{
    Bar, BarChart, GridInput, GridMark, MarkerShape, PlotBounds, PlotPoints, PlotTransform, Points,
    Polygon, VLine,
};

use super::limit_control::{score_range, step};
use super::plot_parts::{even_marks, legend_entry, still_plot};
use super::state::{Action, LimitEdit, State};
use super::{controls, numbers, theme, words};
use crate::metrics::{Evaluation, ScoreHistogram, Truth, score_histogram};
use crate::worker::message::RunSummary;

/// How close to the line a drag may start, in points.
const REACH: f32 = 18.0;
const HEIGHT: f32 = 262.0;

/// Whether the line is in the user's hand.
#[derive(Debug, Default)]
pub struct HistogramView {
    dragging: bool,
}

pub fn histogram_ui(
    ui: &mut Ui,
    state: &State,
    run: &RunSummary,
    evaluation: &Evaluation,
    view: &mut HistogramView,
) -> Option<Action> {
    ui.horizontal_wrapped(|ui| {
        controls::heading(ui, "Scores of the test pictures");
        ui.add_space(8.0);
        legend_ui(ui, run, evaluation);
    });
    let range = score_range(run, state.image_limit());
    let bins = (2.5 * (evaluation.images.len() as f64).sqrt()).clamp(24.0, 64.0) as usize;
    let histogram = score_histogram(&evaluation.images, bins);
    let transform = plot_ui(ui, state, run, &histogram, &range);
    paint_limit(ui, &transform, state.image_limit());
    drag_line(ui, &transform, state.image_limit(), &range, view)
        .or_else(|| nudge(ui, state.image_limit(), &range))
}

fn legend_ui(ui: &mut Ui, run: &RunSummary, evaluation: &Evaluation) {
    let palette = theme::palette(ui);
    let of = |truth| evaluation.images.iter().filter(move |r| r.truth() == truth);
    let unlabelled = of(Truth::Unlabelled).count();
    let entries = [
        (
            palette.good_class,
            format!("good, upwards: {}", words::grouped(of(Truth::Good).count())),
        ),
        (
            palette.defect_class,
            format!(
                "defective, downwards: {}",
                words::grouped(of(Truth::Defective).count())
            ),
        ),
        (
            palette.second,
            format!(
                "held-out good: {}",
                words::grouped(run.calibration_scores.len())
            ),
        ),
    ];
    let unlabelled = (unlabelled > 0).then(|| {
        let text = format!(
            "unlabelled, upwards, behind: {}",
            words::grouped(unlabelled)
        );
        (palette.muted, text)
    });
    for (colour, text) in entries.into_iter().chain(unlabelled) {
        legend_entry(ui, colour, &text);
        ui.add_space(4.0);
    }
}

fn plot_ui(
    ui: &mut Ui,
    state: &State,
    run: &RunSummary,
    histogram: &ScoreHistogram,
    range: &RangeInclusive<f32>,
) -> PlotTransform {
    let palette = theme::palette(ui);
    let top = |counts: &[usize]| counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let up = top(&histogram.good).max(top(&histogram.unlabelled));
    let down = top(&histogram.defective);
    let (low, high) = (f64::from(*range.start()), f64::from(*range.end()));
    let limit = f64::from(state.image_limit());
    let bounds = PlotBounds::from_min_max([low, -1.12 * down], [high, 1.3 * up]);
    let side = |name: &str, from: f64, to: f64, colour: Color32| {
        let corners = vec![
            [from, -2.0 * down],
            [to, -2.0 * down],
            [to, 2.0 * up],
            [from, 2.0 * up],
        ];
        Polygon::new(name, PlotPoints::from(corners))
            .fill_color(colour.gamma_multiply(0.055))
            .stroke(Stroke::NONE)
            .allow_hover(false)
    };
    still_plot(ui, "score histogram", HEIGHT)
        .x_axis_label("Score")
        .y_grid_spacer(|input: GridInput| even_marks(input.bounds, 6.0, 1.0))
        .y_axis_formatter(|mark: GridMark, _: &RangeInclusive<f64>| count_label(mark.value))
        .label_formatter(|_| None)
        .show(ui, |plot| {
            plot.set_plot_bounds(bounds);
            plot.polygon(side("pass", low - (high - low), limit, palette.pass));
            plot.polygon(side("fail", limit, high + (high - low), palette.fail));
            plot.bar_chart(bars(
                "unlabelled",
                histogram,
                &histogram.unlabelled,
                1.0,
                palette.muted.gamma_multiply(0.5),
            ));
            plot.bar_chart(bars(
                "good",
                histogram,
                &histogram.good,
                1.0,
                palette.good_class,
            ));
            plot.bar_chart(bars(
                "defective",
                histogram,
                &histogram.defective,
                -1.0,
                palette.defect_class,
            ));
            let held_out: Vec<[f64; 2]> = run
                .calibration_scores
                .iter()
                .map(|&s| [f64::from(s), 0.0])
                .collect();
            plot.points(
                Points::new("held-out good", PlotPoints::from(held_out))
                    .shape(MarkerShape::Diamond)
                    .radius(4.0)
                    .color(palette.second)
                    .allow_hover(false),
            );
            plot.vline(
                VLine::new("limit", limit)
                    .color(palette.limit)
                    .width(2.0)
                    .allow_hover(false),
            );
        })
        .transform
}

fn bars(
    name: &str,
    histogram: &ScoreHistogram,
    counts: &[usize],
    sign: f64,
    colour: Color32,
) -> BarChart {
    let edges = histogram.edges.windows(2);
    let bars = edges
        .zip(counts)
        .filter(|(_, count)| **count > 0)
        .map(|(edge, &count)| {
            Bar::new(f64::midpoint(edge[0], edge[1]), sign * count as f64)
                .width((edge[1] - edge[0]) * 0.92)
                .fill(colour)
                .stroke(Stroke::NONE)
        });
    BarChart::new(name, bars.collect())
        .color(colour)
        .allow_hover(false)
}

/// Counts are whole and never negative, whichever way their bars point.
fn count_label(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{:.0}", value.abs())
    } else {
        String::new()
    }
}

/// A grip on top of the line, its value, and which side means what.
fn paint_limit(ui: &Ui, transform: &PlotTransform, limit: f32) {
    let palette = theme::palette(ui);
    let frame = *transform.frame();
    let x = line_x(transform, limit);
    let painter = ui.painter().with_clip_rect(frame.expand2(vec2(0.0, 8.0)));
    let font = TextStyle::Small.resolve(ui.style());
    let y = frame.top() + 13.0;
    let grip = Rect::from_center_size(pos2(x, y), vec2(9.0, 18.0));
    painter.rect_filled(grip, 3.0, palette.limit);
    for dx in [-1.5, 1.5] {
        painter.vline(x + dx, y - 4.0..=y + 4.0, Stroke::new(1.0, palette.well));
    }
    let label = |at: Pos2, align: Align2, text: &str, colour: Color32| {
        let galley = painter.layout_no_wrap(text.to_owned(), font.clone(), colour);
        let room = align.anchor_size(at, galley.size());
        painter.rect_filled(
            room.expand2(vec2(3.0, 0.0)),
            2.0,
            palette.well.gamma_multiply(0.85),
        );
        painter.galley(room.min, galley, colour);
    };
    label(
        pos2(x - 12.0, y),
        Align2::RIGHT_CENTER,
        "PASS",
        palette.pass,
    );
    label(pos2(x + 12.0, y), Align2::LEFT_CENTER, "FAIL", palette.fail);
    let (beside, align) = if x + 80.0 < frame.right() {
        (12.0, Align2::LEFT_CENTER)
    } else {
        (-12.0, Align2::RIGHT_CENTER)
    };
    let value = numbers::score(limit);
    label(pos2(x + beside, y + 17.0), align, &value, palette.limit);
}

fn line_x(transform: &PlotTransform, limit: f32) -> f32 {
    transform.position_from_point_x(f64::from(limit))
}

/// A drag that starts near the line moves it, wherever along the line that is.
fn drag_line(
    ui: &Ui,
    transform: &PlotTransform,
    limit: f32,
    range: &RangeInclusive<f32>,
    view: &mut HistogramView,
) -> Option<Action> {
    let x = line_x(transform, limit);
    let near = |at: Pos2| (at.x - x).abs() <= REACH;
    let id = ui.scope_id().with("limit line");
    let response = ui.interact(*transform.frame(), id, Sense::drag());
    let name = "Limit line in the histogram";
    response.widget_info(|| WidgetInfo::labeled(Role::Unknown, true, name));
    if view.dragging || response.hover_pos().is_some_and(near) {
        ui.ctx().set_cursor_icon(CursorIcon::ResizeHorizontal);
    }
    if response.drag_started() {
        view.dragging = ui.input(|i| i.pointer.press_origin()).is_some_and(near);
    }
    if !response.dragged() {
        view.dragging = false;
    }
    let pointer = view.dragging.then(|| response.interact_pointer_pos())??;
    let score = transform.value_from_position(pointer).x as f32;
    let score = score.clamp(*range.start(), *range.end());
    (score != limit).then_some(Action::EditLimits(LimitEdit::Fail(score)))
}

/// Left and Right move the limit a little, with Shift a tenth of that.
fn nudge(ui: &Ui, limit: f32, range: &RangeInclusive<f32>) -> Option<Action> {
    if ui.ctx().egui_wants_keyboard_input() {
        return None;
    }
    let (presses, fine) = ui.input(|i| {
        let count = |key| i.num_presses(key) as f32;
        let steps = count(Key::ArrowRight) - count(Key::ArrowLeft);
        (
            if i.modifiers.command || i.modifiers.alt {
                0.0
            } else {
                steps
            },
            i.modifiers.shift,
        )
    });
    let step = step(range) * if fine { 0.1 } else { 1.0 };
    (presses != 0.0).then_some(Action::EditLimits(LimitEdit::Fail(limit + presses * step)))
}

#[cfg(test)]
mod tests {
    use super::count_label;

    #[test]
    fn counts_are_labelled_without_a_sign() {
        assert_eq!(count_label(-4.0), "4");
        assert_eq!(count_label(4.0), "4");
        assert_eq!(count_label(2.5), "");
    }
}
