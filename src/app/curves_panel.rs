//! ROC, precision-recall and per-region-overlap curves with the working point at the limits in force.

use eframe::egui::{Align, Color32, Label, Layout, RichText, Stroke, Ui, vec2};
use egui_plot::{
    FilledArea, GridInput, Line, LineStyle, MarkerShape, PlotBounds, PlotPoints, Points, VLine,
};

use super::plot_parts::{even_marks, legend_entry, still_plot};
use super::state::State;
use super::{controls, numbers, theme};
use crate::metrics::{Confusion, Curve, Evaluation, PixelMetrics, Point};

const HEIGHT: f32 = 210.0;
const LEGEND_HEIGHT: f32 = 38.0;
/// AUPRO is the area up to this share of false alarms.
const OVERLAP_UP_TO: f64 = 0.3;

/// On which pixels the pixel curves and numbers were measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PixelGrid {
    #[default]
    Input,
    Original,
}

impl PixelGrid {
    pub const ALL: [Self; 2] = [Self::Input, Self::Original];

    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "Input size",
            Self::Original => "Original size",
        }
    }

    pub fn of(self, evaluation: &Evaluation) -> &PixelMetrics {
        match self {
            Self::Input => &evaluation.pixel_at_input,
            Self::Original => &evaluation.pixel_at_original,
        }
    }
}

/// One line of a plot.
struct Series<'a> {
    name: &'static str,
    /// The area in words, such as `AUROC 0.9984`.
    area: String,
    curve: &'a Curve,
    colour: Color32,
    style: LineStyle,
    marker: MarkerShape,
    /// Where the limit in force lies on the curve.
    working: Option<Point>,
}

/// What is drawn into one card.
struct Chart<'a> {
    title: &'static str,
    axes: [&'static str; 2],
    /// Largest value shown on x.
    right: f64,
    series: Vec<Series<'a>>,
    /// The working points in words.
    words: Vec<String>,
    shade_up_to: Option<f64>,
}

/// Draws the card with this index: ROC, precision-recall, per-region overlap.
pub fn curve_card_ui(
    ui: &mut Ui,
    index: usize,
    state: &State,
    evaluation: &Evaluation,
    grid: PixelGrid,
) {
    let charts = [roc, precision_recall, region_overlap];
    if let Some(chart) = charts.get(index) {
        let lines = Lines::of(ui, state, evaluation, grid);
        chart_ui(ui, &chart(&lines));
    }
}

/// What all charts need.
struct Lines<'a> {
    evaluation: &'a Evaluation,
    pixel: &'a PixelMetrics,
    confusion: Confusion,
    image_limit: f32,
    pixel_limit: f32,
    image_colour: Color32,
    pixel_colour: Color32,
}

impl<'a> Lines<'a> {
    fn of(ui: &Ui, state: &State, evaluation: &'a Evaluation, grid: PixelGrid) -> Self {
        let palette = theme::palette(ui);
        Self {
            evaluation,
            pixel: grid.of(evaluation),
            confusion: Confusion::at(&evaluation.images, state.image_limit()),
            image_limit: state.image_limit(),
            pixel_limit: state.pixel_limit(),
            image_colour: palette.accent,
            pixel_colour: palette.second,
        }
    }

    fn pictures(&self, curve: &'a Curve, area: &str, value: Option<f64>) -> Series<'a> {
        Series {
            name: "Pictures",
            area: format!("{area} {}", numbers::metric(value)),
            curve,
            colour: self.image_colour,
            style: LineStyle::Solid,
            marker: MarkerShape::Circle,
            working: curve.at_limit(self.image_limit),
        }
    }

    fn pixels(&self, curve: &'a Curve, area: &str, value: Option<f64>) -> Series<'a> {
        Series {
            name: "Pixels",
            area: format!("{area} {}", numbers::metric(value)),
            curve,
            colour: self.pixel_colour,
            style: LineStyle::dashed_dense(),
            marker: MarkerShape::Diamond,
            working: curve.at_limit(self.pixel_limit),
        }
    }
}

fn roc<'a>(lines: &Lines<'a>) -> Chart<'a> {
    let image = &lines.evaluation.image;
    let pixels = lines.pixels(&lines.pixel.roc, "AUROC", lines.pixel.auroc);
    let words = [
        both(
            lines.confusion.recall(),
            lines.confusion.overkill_rate(),
            |caught, overkill| format!("Pictures: {caught} of defects caught, {overkill} overkill"),
        ),
        pixels.working.map(|p| {
            let (found, marked) = (numbers::percent(p.y), numbers::percent(p.x));
            format!("Pixels: {found} of defects marked, {marked} of the rest")
        }),
    ];
    Chart {
        title: "ROC",
        axes: ["False alarms", "Found"],
        right: 1.0,
        series: vec![lines.pictures(&image.roc, "AUROC", image.auroc), pixels],
        words: words.into_iter().flatten().collect(),
        shade_up_to: None,
    }
}

fn precision_recall<'a>(lines: &Lines<'a>) -> Chart<'a> {
    let image = &lines.evaluation.image;
    let pixels = lines.pixels(
        &lines.pixel.precision_recall,
        "AP",
        lines.pixel.average_precision,
    );
    let sentence = |who: &str, recall: String, precision: String| {
        format!("{who}: {recall} of defects found, {precision} of alarms right")
    };
    let words = [
        both(
            lines.confusion.recall(),
            lines.confusion.precision(),
            |recall, precision| sentence("Pictures", recall, precision),
        ),
        pixels
            .working
            .map(|p| sentence("Pixels", numbers::percent(p.x), numbers::percent(p.y))),
    ];
    Chart {
        title: "Precision and recall",
        axes: ["Recall", "Precision"],
        right: 1.0,
        series: vec![
            lines.pictures(&image.precision_recall, "AP", image.average_precision),
            pixels,
        ],
        words: words.into_iter().flatten().collect(),
        shade_up_to: None,
    }
}

fn region_overlap<'a>(lines: &Lines<'a>) -> Chart<'a> {
    let series = lines.pixels(&lines.pixel.per_region_overlap, "AUPRO", lines.pixel.aupro);
    let words = series.working.map(|p| {
        let (covered, marked) = (numbers::percent(p.y), numbers::percent(p.x));
        format!("Pixels: {covered} of a defect region covered on average, {marked} of good pixels marked")
    });
    Chart {
        title: "Per-region overlap",
        axes: ["False alarms", "Covered"],
        right: 0.5,
        series: vec![series],
        words: words.into_iter().collect(),
        shade_up_to: Some(OVERLAP_UP_TO),
    }
}

fn both(a: Option<f64>, b: Option<f64>, say: impl Fn(String, String) -> String) -> Option<String> {
    Some(say(numbers::percent(a?), numbers::percent(b?)))
}

fn chart_ui(ui: &mut Ui, chart: &Chart<'_>) {
    let palette = theme::palette(ui);
    controls::heading(ui, chart.title);
    // Always as tall as two entries, so that the plots of all cards line up.
    let room = vec2(ui.available_width(), LEGEND_HEIGHT);
    ui.allocate_ui_with_layout(room, Layout::top_down(Align::Min), |ui| {
        ui.set_min_height(LEGEND_HEIGHT);
        ui.spacing_mut().item_spacing.y = 1.0;
        for series in &chart.series {
            let text = format!("{}, {}", series.name, series.area);
            legend_entry(ui, series.colour, &text);
        }
    });
    if chart
        .series
        .iter()
        .all(|series| series.curve.points.is_empty())
    {
        ui.add_space(HEIGHT / 2.0 - 20.0);
        ui.vertical_centered(|ui| {
            controls::muted(
                ui,
                "n/a: this test set has no pictures or masks to draw it from",
            );
        });
        ui.add_space(HEIGHT / 2.0 - 20.0);
        return;
    }
    plot_ui(ui, chart);
    for words in &chart.words {
        ui.add(Label::new(RichText::new(words).small().color(palette.text)).wrap());
    }
}

fn plot_ui(ui: &mut Ui, chart: &Chart<'_>) {
    let palette = theme::palette(ui);
    let axes = chart.axes;
    still_plot(ui, ("curve", chart.title), HEIGHT)
        .y_grid_spacer(|input: GridInput| even_marks(input.bounds, 6.0, 0.0))
        .x_axis_label(axes[0])
        .y_axis_label(axes[1])
        .label_formatter(move |position| match position {
            egui_plot::HoverPosition::NearDataPoint {
                plot_name,
                position,
                ..
            } if !plot_name.is_empty() => {
                let (x, y) = (numbers::percent(position.x), numbers::percent(position.y));
                Some(format!("{plot_name}\n{} {x}\n{} {y}", axes[0], axes[1]))
            }
            _ => None,
        })
        .show(ui, |plot| {
            let air = 0.02 * chart.right;
            plot.set_plot_bounds(PlotBounds::from_min_max(
                [-air, -0.02],
                [chart.right + air, 1.04],
            ));
            if let (Some(up_to), Some(series)) = (chart.shade_up_to, chart.series.first()) {
                plot.add(shaded(series.curve, up_to, series.colour));
                plot.vline(
                    VLine::new("", up_to)
                        .color(palette.muted)
                        .style(LineStyle::dotted_dense())
                        .allow_hover(false),
                );
            }
            for series in &chart.series {
                let points: Vec<[f64; 2]> =
                    series.curve.points.iter().map(|p| [p.x, p.y]).collect();
                plot.line(
                    Line::new(series.name, PlotPoints::from(points))
                        .color(series.colour)
                        .style(series.style)
                        .allow_band(false)
                        .width(2.0),
                );
            }
            for series in &chart.series {
                if let Some(point) = series.working {
                    for (radius, colour) in [(6.5, palette.well), (5.0, palette.limit)] {
                        plot.points(
                            Points::new("", vec![[point.x, point.y]])
                                .shape(series.marker)
                                .radius(radius)
                                .color(colour)
                                .allow_hover(false),
                        );
                    }
                }
            }
        });
}

/// The area under a curve from 0 to `up_to`, cut there by interpolation.
fn shaded(curve: &Curve, up_to: f64, colour: Color32) -> FilledArea {
    let outline = cut(curve, up_to);
    let (xs, ys): (Vec<f64>, Vec<f64>) = outline.into_iter().unzip();
    let floor = vec![0.0; xs.len()];
    FilledArea::new("", &xs, &floor, &ys)
        .fill_color(colour.gamma_multiply(0.16))
        .stroke(Stroke::NONE)
        .allow_hover(false)
}

fn cut(curve: &Curve, up_to: f64) -> Vec<(f64, f64)> {
    let mut outline = Vec::new();
    let mut last: Option<&Point> = None;
    for point in &curve.points {
        if point.x > up_to {
            if let Some(before) = last {
                let share = (up_to - before.x) / (point.x - before.x);
                outline.push((up_to, before.y + (point.y - before.y) * share));
            }
            break;
        }
        outline.push((point.x, point.y));
        last = Some(point);
    }
    outline
}

#[cfg(test)]
mod tests {
    use super::cut;
    use crate::metrics::{Curve, Point};

    #[test]
    fn the_shaded_area_ends_between_two_vertices() {
        let at = |x, y| Point { x, y, limit: None };
        let curve = Curve {
            points: vec![at(0.0, 0.0), at(0.2, 0.8), at(0.4, 1.0), at(1.0, 1.0)],
        };
        let outline = cut(&curve, 0.3);
        assert_eq!(outline.len(), 3);
        let (x, y) = outline[2];
        assert!((x - 0.3).abs() < 1e-12 && (y - 0.9).abs() < 1e-12);
        assert!(cut(&Curve::default(), 0.3).is_empty());
    }
}
