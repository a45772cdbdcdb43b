//! The smallest defect found: detection over area, with intervals. What counts as found is decided by the region table.

use std::ops::RangeInclusive;
use std::sync::Arc;

use eframe::egui::{Color32, Pos2, Ui};
use egui_plot::{GridInput, GridMark, Line, PlotBounds, PlotPoints, PlotTransform, Points};

use super::super::cached::{Cached, Same};
use super::super::plot_parts::{even_marks, still_plot};
use super::super::state::State;
use super::super::{controls, numbers, theme, words};
use crate::metrics::wording::area as area_words;
use crate::metrics::{AreaRule, SizeBin, SizeCurve};
use crate::worker::message::RunSummary;

const HEIGHT: f32 = 210.0;
/// How near to a point the pointer must be to hear about it, in points.
const REACH: f32 = 24.0;

/// The curve at the pixel limit in force.
#[derive(Debug, Default)]
pub struct SizeView {
    curve: Cached<(Same<RunSummary>, f32, AreaRule), SizeCurve>,
}

pub fn size_curve_ui(ui: &mut Ui, state: &State, run: &Arc<RunSummary>, view: &mut SizeView) {
    controls::heading(ui, "Smallest defect found").on_hover_text(
        "A defect counts as found when a region at or above the pixel limit touches it; with an area rule, a region that is \
         large enough",
    );
    let Some(regions) = &run.regions else {
        controls::muted(ui, "Score the run again to measure its regions and defects");
        return;
    };
    if regions.defect_areas.is_empty() {
        controls::muted(ui, "No test picture has a mask that marks a defect");
        return;
    }
    let rule = state.limits.rule();
    let inputs = (Same(Arc::clone(run)), rule.pixel.value, rule.area);
    let curve = view.curve.get(inputs, |(_, limit, area)| {
        SizeCurve::at(regions, *limit, *area)
    });
    let scale = state.limits.pixels_per_mm();
    ends_ui(ui, curve, scale);
    plot_ui(ui, curve, scale);
}

fn ends_ui(ui: &mut Ui, curve: &SizeCurve, scale: Option<f64>) {
    let told = |area: Option<usize>, nothing: &str| {
        area.map_or_else(|| nothing.to_owned(), |area| area_words(area as f64, scale))
    };
    let found: usize = curve.bins.iter().map(|bin| bin.found).sum();
    let total: usize = curve.bins.iter().map(|bin| bin.total).sum();
    ui.horizontal_wrapped(|ui| {
        for (name, value) in [
            (
                "Found",
                format!("{found} of {}", words::count(total, "defect")),
            ),
            ("Smallest found", told(curve.smallest_found, "none")),
            ("Largest missed", told(curve.largest_missed, "none")),
            ("All found from", told(curve.all_found_from, "no size")),
        ] {
            controls::named_value(ui, name, &value);
        }
    });
}

/// The middle of a bin on the logarithmic axis, in the unit that is shown.
fn middle(bin: &SizeBin, scale: Option<f64>) -> f64 {
    let middle = (bin.from as f64 * bin.to as f64).sqrt();
    shown(middle, scale).log10()
}

/// Square millimetres once there is a scale.
fn shown(pixels: f64, scale: Option<f64>) -> f64 {
    scale.map_or(pixels, |per_mm| pixels / (per_mm * per_mm))
}

fn plot_ui(ui: &mut Ui, curve: &SizeCurve, scale: Option<f64>) {
    let palette = theme::palette(ui);
    let middles: Vec<f64> = curve.bins.iter().map(|bin| middle(bin, scale)).collect();
    let (low, high) = middles
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| {
            (low.min(x), high.max(x))
        });
    let bounds = PlotBounds::from_min_max([low - 0.25, -0.06], [high + 0.25, 1.06]);
    let axis = match scale {
        None => "Area of the defect, px (log)",
        Some(_) => "Area of the defect, mm² (log)",
    };
    let response = still_plot(ui, "size curve", HEIGHT)
        .x_axis_label(axis)
        .y_axis_label("Found")
        .x_grid_spacer(|input: GridInput| area_marks(input.bounds))
        .x_axis_formatter(|mark: GridMark, _: &RangeInclusive<f64>| area_label(mark.value))
        .y_grid_spacer(|_| even_marks((0.0, 1.0), 5.0, 0.0))
        .y_axis_formatter(|mark: GridMark, _: &RangeInclusive<f64>| {
            format!("{:.0} %", 100.0 * mark.value)
        })
        .label_formatter(|_| None)
        .show(ui, |plot| {
            plot.set_plot_bounds(bounds);
            for (bin, &x) in curve.bins.iter().zip(&middles) {
                plot.line(whisker(bin, x, palette.defect_class));
            }
            let points: Vec<[f64; 2]> = middles
                .iter()
                .zip(&curve.bins)
                .map(|(&x, bin)| [x, bin.rate])
                .collect();
            let joined = PlotPoints::from(points.clone());
            plot.line(
                Line::new("found", joined)
                    .color(palette.defect_class)
                    .allow_hover(false),
            );
            plot.points(
                Points::new("found", PlotPoints::from(points))
                    .radius(4.5)
                    .color(palette.defect_class)
                    .allow_hover(false),
            );
        });
    let near = response.response.hover_pos();
    let near = near.and_then(|at| nearest(&response.transform, curve, &middles, at));
    if let Some(bin) = near {
        response
            .response
            .on_hover_text_at_pointer(bin_words(bin, scale));
    }
}

fn whisker(bin: &SizeBin, x: f64, colour: Color32) -> Line<'static> {
    let points = PlotPoints::from(vec![[x, bin.interval.low], [x, bin.interval.high]]);
    Line::new("interval", points)
        .color(colour.gamma_multiply(0.5))
        .width(3.0)
        .allow_hover(false)
}

fn nearest<'a>(
    transform: &PlotTransform,
    curve: &'a SizeCurve,
    middles: &[f64],
    at: Pos2,
) -> Option<&'a SizeBin> {
    let distance = |x: f64| (transform.position_from_point_x(x) - at.x).abs();
    let bins = curve.bins.iter().zip(middles);
    let (bin, &x) = bins.min_by(|a, b| distance(*a.1).total_cmp(&distance(*b.1)))?;
    (distance(x) <= REACH).then_some(bin)
}

fn bin_words(bin: &SizeBin, scale: Option<f64>) -> String {
    format!(
        "{} to {}: {} of {} found, {} (95 % interval {} to {})",
        area_words(bin.from as f64, scale),
        area_words(bin.to as f64, scale),
        bin.found,
        bin.total,
        numbers::percent(bin.rate),
        numbers::percent(bin.interval.low),
        numbers::percent(bin.interval.high)
    )
}

/// One, two and five of each power of ten; only the powers where many would crowd.
fn area_marks((low, high): (f64, f64)) -> Vec<GridMark> {
    let leading: &[f64] = if high - low > 2.5 {
        &[1.0]
    } else {
        &[1.0, 2.0, 5.0]
    };
    let powers = low.floor() as i32..=high.ceil() as i32;
    let values = powers.flat_map(|power| leading.iter().map(move |d| d.log10() + f64::from(power)));
    let inside = values.filter(|value| low <= *value && *value <= high);
    inside
        .map(|value| GridMark {
            value,
            step_size: 1.0,
        })
        .collect()
}

fn area_label(log: f64) -> String {
    let area = 10_f64.powf(log);
    if area < 0.95 {
        let decimals = (-log).ceil().clamp(1.0, 6.0) as usize;
        return format!("{area:.decimals$}");
    }
    words::grouped(area.round() as usize)
}

#[cfg(test)]
mod tests {
    use super::{area_label, area_marks};

    #[test]
    fn marks_are_ones_twos_and_fives() {
        let labels: Vec<String> = area_marks((0.9, 2.1))
            .iter()
            .map(|mark| area_label(mark.value))
            .collect();
        assert_eq!(labels, ["10", "20", "50", "100"]);
        assert_eq!(area_marks((0.0, 4.0)).len(), 5);
        assert_eq!(area_label(-2.0), "0.01");
    }
}
