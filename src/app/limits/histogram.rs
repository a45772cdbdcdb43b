//! The scores of the test pictures by class, good upwards and defective downwards, with what each limit makes of them.

use std::ops::RangeInclusive;
use std::sync::Arc;

use eframe::egui::{Color32, RichText, Stroke, Ui};
use egui_plot::{
    Bar, BarChart, GridInput, GridMark, MarkerShape, PlotBounds, PlotPoints, PlotTransform, PlotUi,
    Points, Polygon, VLine,
};

use super::super::badge::{badge, origin_badge};
use super::super::cached::{Cached, Same};
use super::super::plot_parts::{even_marks, legend_entry, still_plot};
use super::super::state::{Action, State};
use super::super::{controls, theme, words};
use super::LimitsView;
use super::handles::{Handles, handles_ui};
use super::proof_line::proof_ui;
use super::range::score_range;
use super::ways::ways_ui;
use crate::metrics::{DecisionRule, Evaluation, ScoreHistogram, Tally, Truth, score_histogram};
use crate::worker::message::RunSummary;

const HEIGHT: f32 = 250.0;

/// How tall a bar of `n` pictures is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Heights {
    #[default]
    Counts,
    /// `log10(1 + n)`: a single picture beside a thousand can be seen.
    Log,
}

impl Heights {
    fn of(self, count: usize) -> f64 {
        match self {
            Self::Counts => count as f64,
            Self::Log => (count as f64).ln_1p() / std::f64::consts::LN_10,
        }
    }

    fn axis(self) -> &'static str {
        match self {
            Self::Counts => "Pictures",
            Self::Log => "Pictures, log(1 + n)",
        }
    }

    fn marks(self, bounds: (f64, f64)) -> Vec<GridMark> {
        if self == Self::Counts {
            return even_marks(bounds, 6.0, 1.0);
        }
        // Powers of ten alone would leave a small test set with a single mark.
        let leading: &[usize] = if bounds.1.max(-bounds.0) < self.of(50) {
            &[1, 2, 5]
        } else {
            &[1]
        };
        let counts = (0..7).flat_map(|power| leading.iter().map(move |d| d * 10_usize.pow(power)));
        let heights = counts.map(|count| self.of(count));
        let up: Vec<f64> = std::iter::once(0.0).chain(heights).collect();
        let down = up.iter().skip(1).map(|height| -height);
        let inside = |value: &f64| bounds.0 <= *value && *value <= bounds.1;
        let all = up.iter().copied().chain(down).filter(inside);
        all.map(|value| GridMark {
            value,
            step_size: 1.0,
        })
        .collect()
    }

    /// Counts are whole and never negative, whichever way their bars point.
    fn label(self, height: f64) -> String {
        let count = match self {
            Self::Counts => height.abs(),
            Self::Log => (10_f64.powf(height.abs()) - 1.0).round(),
        };
        if count.fract() == 0.0 {
            words::grouped(count as usize)
        } else {
            String::new()
        }
    }
}

/// What is in the user's hand, the scale of the heights, and the counts of the evaluation.
#[derive(Debug, Default)]
pub struct HistogramView {
    handles: Handles,
    heights: Heights,
    counted: Cached<Same<Evaluation>, ScoreHistogram>,
}

/// The histogram with its grips, where the limits came from, the ways to another, and what held-out pictures prove.
pub fn histogram_card_ui(
    ui: &mut Ui,
    state: &State,
    run: &Arc<RunSummary>,
    evaluation: &Arc<Evaluation>,
    view: &mut LimitsView,
) -> Option<Action> {
    let rule = state.limits.rule();
    ui.horizontal_wrapped(|ui| {
        controls::heading(ui, "Scores of the test pictures");
        ui.add_space(8.0);
        controls::segment(ui, &mut view.histogram.heights, Heights::Counts, "Counts");
        controls::segment(ui, &mut view.histogram.heights, Heights::Log, "Log")
            .on_hover_text("Heights grow with log(1 + n): single pictures stay visible");
    });
    ui.horizontal_wrapped(|ui| legend_ui(ui, run, &state.limits.judgement().tally));
    let edit = plot_ui(ui, run, evaluation, rule, &mut view.histogram);
    let set = ui
        .horizontal_wrapped(|ui| {
            origins_ui(ui, rule);
            ways_ui(ui, rule, run, &mut view.ways)
        })
        .inner;
    proof_ui(ui, run, rule);
    edit.or(set).map(Action::EditLimits)
}

fn origins_ui(ui: &mut Ui, rule: &DecisionRule) {
    let palette = theme::palette(ui);
    ui.label(RichText::new("T1").color(palette.strong));
    match &rule.review {
        Some(review) => origin_badge(ui, &review.origin),
        None => badge(ui, "no REVIEW band", palette.muted)
            .on_hover_text("Drag the grip T1 at the bottom edge to the left to open one"),
    };
    ui.add_space(6.0);
    ui.label(RichText::new("T2").color(palette.strong));
    origin_badge(ui, &rule.fail.origin);
    ui.add_space(6.0);
}

fn legend_ui(ui: &mut Ui, run: &RunSummary, tally: &Tally) {
    let palette = theme::palette(ui);
    let count = |truth| words::grouped(tally.pictures(truth));
    let mut entries = vec![
        (
            palette.good_class,
            format!("good, upwards: {}", count(Truth::Good)),
        ),
        (
            palette.defect_class,
            format!("defective, downwards: {}", count(Truth::Defective)),
        ),
        (
            palette.second,
            format!(
                "held-out good: {}",
                words::grouped(run.calibration_scores.len())
            ),
        ),
    ];
    if tally.pictures(Truth::Unlabelled) > 0 {
        let text = format!("unlabelled, upwards, behind: {}", count(Truth::Unlabelled));
        entries.push((palette.muted, text));
    }
    for (colour, text) in entries {
        legend_entry(ui, colour, &text);
        ui.add_space(4.0);
    }
}

fn plot_ui(
    ui: &mut Ui,
    run: &RunSummary,
    evaluation: &Arc<Evaluation>,
    rule: &DecisionRule,
    view: &mut HistogramView,
) -> Option<super::super::state::LimitEdit> {
    let range = score_range(run, rule);
    let bins = (2.5 * (evaluation.images.len() as f64).sqrt()).clamp(24.0, 64.0) as usize;
    let inputs = Same(Arc::clone(evaluation));
    let heights = view.heights;
    let histogram = view.counted.get(inputs, |evaluation| {
        score_histogram(&evaluation.0.images, bins)
    });
    let transform = draw(ui, run, histogram, rule, &range, heights);
    handles_ui(ui, &transform, rule, &range, &mut view.handles)
}

fn draw(
    ui: &mut Ui,
    run: &RunSummary,
    histogram: &ScoreHistogram,
    rule: &DecisionRule,
    range: &RangeInclusive<f32>,
    heights: Heights,
) -> PlotTransform {
    let palette = theme::palette(ui);
    let top = |counts: &[usize]| heights.of(counts.iter().copied().max().unwrap_or(0).max(1));
    let up = top(&histogram.good).max(top(&histogram.unlabelled));
    let down = top(&histogram.defective);
    let (low, high) = (f64::from(*range.start()), f64::from(*range.end()));
    // Room for the words at the top and for the grips at both edges.
    let (air_below, air_above) = (0.12 * (up + down), 0.2 * (up + down));
    let bounds = PlotBounds::from_min_max([low, -down - air_below], [high, up + air_above]);
    still_plot(ui, "score histogram", HEIGHT)
        .x_axis_label("Score")
        .y_axis_label(heights.axis())
        .y_grid_spacer(move |input: GridInput| heights.marks(input.bounds))
        .y_axis_formatter(move |mark: GridMark, _: &RangeInclusive<f64>| heights.label(mark.value))
        .label_formatter(|_| None)
        .show(ui, |plot| {
            plot.set_plot_bounds(bounds);
            let (t1, t2) = (f64::from(rule.pass_below()), f64::from(rule.fail_from()));
            for (name, from, to, colour, strength) in [
                ("pass", low, t1, palette.pass, 0.05),
                ("review", t1, t2, palette.review, 0.16),
                ("fail", t2, high, palette.fail, 0.06),
            ] {
                // A polygon without width is drawn as something else.
                if from < to {
                    let heights = bounds.range_y();
                    plot.polygon(side(name, [from, to], heights, colour, strength));
                }
            }
            let behind = palette.muted.gamma_multiply(0.5);
            for (name, counts, sign, colour) in [
                ("unlabelled", &histogram.unlabelled, 1.0, behind),
                ("good", &histogram.good, 1.0, palette.good_class),
                (
                    "defective",
                    &histogram.defective,
                    -1.0,
                    palette.defect_class,
                ),
            ] {
                let height = |count| sign * heights.of(count);
                plot.bar_chart(bars(name, &histogram.edges, counts, height, colour));
            }
            held_out(plot, run, palette.second);
            if rule.review.is_some() {
                plot.vline(line("T1", t1, palette.review));
            }
            plot.vline(line("T2", t2, palette.limit));
        })
        .transform
}

/// The ground of one verdict.
fn side(
    name: &str,
    [from, to]: [f64; 2],
    heights: RangeInclusive<f64>,
    colour: Color32,
    strength: f32,
) -> Polygon<'static> {
    let (bottom, top) = heights.into_inner();
    let corners = vec![[from, bottom], [to, bottom], [to, top], [from, top]];
    Polygon::new(name, PlotPoints::from(corners))
        .fill_color(colour.gamma_multiply(strength))
        .stroke(Stroke::NONE)
        .allow_hover(false)
}

fn line(name: &str, value: f64, colour: Color32) -> VLine {
    VLine::new(name, value)
        .color(colour)
        .width(2.0)
        .allow_hover(false)
}

/// More diamonds than can be told apart only cost time.
const MOST_DIAMONDS: usize = 400;

fn held_out(plot: &mut PlotUi<'_>, run: &RunSummary, colour: Color32) {
    let scores = &run.calibration_scores;
    let every = scores.len().div_ceil(MOST_DIAMONDS).max(1);
    let mut sorted = scores.clone();
    if every > 1 {
        sorted.sort_by(|a, b| b.total_cmp(a));
    }
    let points: Vec<[f64; 2]> = sorted
        .iter()
        .step_by(every)
        .map(|&score| [f64::from(score), 0.0])
        .collect();
    plot.points(
        Points::new("held-out good", PlotPoints::from(points))
            .shape(MarkerShape::Diamond)
            .radius(4.0)
            .color(colour)
            .allow_hover(false),
    );
}

fn bars(
    name: &str,
    edges: &[f64],
    counts: &[usize],
    height: impl Fn(usize) -> f64,
    colour: Color32,
) -> BarChart {
    let bars = edges
        .windows(2)
        .zip(counts)
        .filter(|(_, count)| **count > 0)
        .map(|(edge, &count)| {
            Bar::new(f64::midpoint(edge[0], edge[1]), height(count))
                .width((edge[1] - edge[0]) * 0.92)
                .fill(colour)
                .stroke(Stroke::NONE)
        });
    BarChart::new(name, bars.collect())
        .color(colour)
        .allow_hover(false)
}

#[cfg(test)]
mod tests {
    use super::Heights;

    #[test]
    fn counts_are_labelled_without_a_sign() {
        assert_eq!(Heights::Counts.label(-4.0), "4");
        assert_eq!(Heights::Counts.label(4.0), "4");
        assert_eq!(Heights::Counts.label(2.5), "");
    }

    #[test]
    fn log_heights_are_labelled_with_the_counts_they_stand_for() {
        for count in [0, 1, 10, 1000] {
            let height = Heights::Log.of(count);
            let label = Heights::Log.label(-height);
            assert_eq!(
                label.replace(|c: char| !c.is_ascii_digit(), ""),
                count.to_string()
            );
        }
        let marks = Heights::Log.marks((-1.2, 2.1));
        let labels: Vec<String> = marks.iter().map(|m| Heights::Log.label(m.value)).collect();
        assert_eq!(labels, ["0", "1", "10", "100", "1", "10"]);
        let few = Heights::Log.marks((-0.4, 0.9));
        let labels: Vec<String> = few.iter().map(|m| Heights::Log.label(m.value)).collect();
        assert_eq!(labels, ["0", "1", "2", "5", "1"]);
    }
}
