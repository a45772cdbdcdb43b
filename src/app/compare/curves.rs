//! The curves of all compared runs in one plot, with the working point of each at its own limit.

use eframe::egui::{Ui, vec2};
use egui_plot::{GridInput, HoverPosition, Line, MarkerShape, PlotBounds, PlotPoints, Points};

use super::super::controls::{self, segment};
use super::super::numbers::{metric, percent};
use super::super::plot_parts::{even_marks, still_plot};
use super::super::theme;
use super::column::{Column, letter_ui};
use crate::metrics::comparison::{Compared, PixelGrid};
use crate::metrics::{Curve, Evaluation};

const HEIGHT: f32 = 260.0;

/// Which curve is drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Roc,
    PrecisionRecall,
    PixelRoc,
    RegionOverlap,
}

impl Kind {
    const ALL: [Self; 4] = [
        Self::Roc,
        Self::PrecisionRecall,
        Self::PixelRoc,
        Self::RegionOverlap,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Roc => "ROC",
            Self::PrecisionRecall => "Precision and recall",
            Self::PixelRoc => "Pixel ROC",
            Self::RegionOverlap => "Per-region overlap",
        }
    }

    fn axes(self) -> [&'static str; 2] {
        match self {
            Self::Roc | Self::PixelRoc => ["False alarms", "Found"],
            Self::PrecisionRecall => ["Recall", "Precision"],
            Self::RegionOverlap => ["False alarms", "Covered"],
        }
    }

    /// The curve, the area it is summed up by, and that area.
    fn of(self, evaluation: &Evaluation, grid: PixelGrid) -> (&Curve, &'static str, Option<f64>) {
        let (image, pixel) = (&evaluation.image, grid.metrics(evaluation));
        match self {
            Self::Roc => (&image.roc, "AUROC", image.auroc),
            Self::PrecisionRecall => (&image.precision_recall, "AP", image.average_precision),
            Self::PixelRoc => (&pixel.roc, "AUROC", pixel.auroc),
            Self::RegionOverlap => (&pixel.per_region_overlap, "AUPRO", pixel.aupro),
        }
    }

    fn is_of_pixels(self) -> bool {
        matches!(self, Self::PixelRoc | Self::RegionOverlap)
    }
}

/// How much of the plot is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Window {
    #[default]
    Whole,
    /// The corner where good models differ.
    Corner,
}

#[derive(Debug, Default)]
pub struct CurvesView {
    kind: Kind,
    window: Window,
}

pub fn curves_ui(ui: &mut Ui, columns: &[Column<'_>], view: &mut CurvesView) {
    let runs: Vec<Compared<'_>> = columns.iter().map(|column| column.of).collect();
    let grid = PixelGrid::of(&runs);
    controls::heading(ui, "Curves");
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for kind in Kind::ALL {
            segment(ui, &mut view.kind, kind, kind.name());
        }
        let mut corner = view.window == Window::Corner;
        let hint = "Only the corner where good models differ";
        if ui
            .checkbox(&mut corner, "Corner")
            .on_hover_text(hint)
            .changed()
        {
            view.window = if corner {
                Window::Corner
            } else {
                Window::Whole
            };
        }
    });
    ui.horizontal_wrapped(|ui| {
        for column in columns {
            let (_, area, value) = view.kind.of(column.of.evaluation, grid);
            letter_ui(ui, column.letter, column.colour);
            controls::muted(ui, format!("{area} {}", metric(value)));
            ui.add_space(8.0);
        }
    });
    let drawn = |column: &Column<'_>| !view.kind.of(column.of.evaluation, grid).0.points.is_empty();
    if !columns.iter().any(drawn) {
        ui.allocate_space(vec2(0.0, HEIGHT / 2.0));
        controls::muted(
            ui,
            "n/a: these test sets have no pictures or masks to draw it from",
        );
        return;
    }
    plot_ui(ui, columns, view, grid);
}

fn plot_ui(ui: &mut Ui, columns: &[Column<'_>], view: &CurvesView, grid: PixelGrid) {
    let kind = view.kind;
    let axes = kind.axes();
    let (well, limit) = (theme::palette(ui).well, theme::palette(ui).limit);
    still_plot(ui, ("compared", kind.name()), HEIGHT)
        .y_grid_spacer(|input: GridInput| even_marks(input.bounds, 6.0, 0.0))
        .x_axis_label(axes[0])
        .y_axis_label(axes[1])
        .label_formatter(move |position| match position {
            HoverPosition::NearDataPoint {
                plot_name,
                position,
                ..
            } if !plot_name.is_empty() => {
                let (x, y) = (percent(position.x), percent(position.y));
                Some(format!("{plot_name}\n{} {x}\n{} {y}", axes[0], axes[1]))
            }
            _ => None,
        })
        .show(ui, |plot| {
            plot.set_plot_bounds(bounds(kind, view.window));
            for column in columns {
                let (curve, ..) = kind.of(column.of.evaluation, grid);
                let points: Vec<[f64; 2]> = curve.points.iter().map(|p| [p.x, p.y]).collect();
                let name = format!("{} {}", column.letter, column.run.name());
                plot.line(
                    Line::new(name, PlotPoints::from(points))
                        .color(column.colour)
                        .style(column.style)
                        .allow_band(false)
                        .width(2.0),
                );
            }
            for column in columns {
                let (curve, ..) = kind.of(column.of.evaluation, grid);
                let Some(point) = curve.at_limit(working_limit(kind, column)) else {
                    continue;
                };
                let shapes = [(6.5, well), (5.0, limit), (2.5, column.colour)];
                for (radius, colour) in shapes {
                    plot.points(
                        Points::new("", vec![[point.x, point.y]])
                            .shape(MarkerShape::Circle)
                            .radius(radius)
                            .color(colour)
                            .allow_hover(false),
                    );
                }
            }
        });
    controls::muted(ui, "Points: each run at its own limit");
}

fn working_limit(kind: Kind, column: &Column<'_>) -> f32 {
    if kind.is_of_pixels() {
        column.of.rule.pixel.value
    } else {
        column.of.rule.fail_from()
    }
}

fn bounds(kind: Kind, window: Window) -> PlotBounds {
    let ([left, bottom], [right, top]) = match (kind, window) {
        (Kind::RegionOverlap, Window::Whole) => ([0.0, 0.0], [0.5, 1.0]),
        (_, Window::Whole) => ([0.0, 0.0], [1.0, 1.0]),
        (Kind::PrecisionRecall, Window::Corner) => ([0.7, 0.7], [1.0, 1.0]),
        (_, Window::Corner) => ([0.0, 0.7], [0.3, 1.0]),
    };
    let air = [0.02 * (right - left), 0.03 * (top - bottom)];
    PlotBounds::from_min_max(
        [left - air[0], bottom - air[1]],
        [right + air[0], top + air[1]],
    )
}
