//! A training's losses as numbers and lines, one line more for each part of a model that trains by itself.

use eframe::egui::{
    Color32, Pos2, RichText, Role, Sense, Shape, Stroke, TextStyle, Ui, WidgetInfo, vec2,
};
use egui_plot::{GridMark, HoverPosition, Line, LineStyle, Plot, PlotPoints};

use super::controls::{fact, muted};
use super::job_progress::{Epoch, JobProgress};
use super::plot_parts::even_marks;
use super::theme;
use super::words;

/// Losses that span more than this factor are drawn on a logarithmic scale.
const LOG_SPAN: f64 = 20.0;

/// The last epoch in numbers, and the losses of all steps as lines; `below` is the height to leave free under them.
pub fn losses_ui(ui: &mut Ui, progress: &JobProgress, below: f32) {
    if progress.losses().is_empty() {
        muted(ui, "The loss is drawn here as soon as training begins");
        return;
    }
    let curves = curves(ui, progress);
    facts_ui(ui, progress.epochs().last(), &curves);
    if curves.len() > 1 {
        let text =
            RichText::new("Each scale learns by itself; all lines should fall and level off");
        ui.label(text.small().color(theme::palette(ui).muted));
    }
    ui.add_space(4.0);
    let scale = Scale::of(curves.iter().flat_map(|curve| &curve.points));
    let height = ui.ctx().content_rect().bottom() - ui.cursor().top() - below;
    plot(ui, scale, height.clamp(180.0, 480.0)).show(ui, |plot| {
        // The first one last, so that it lies on top.
        for curve in curves.into_iter().rev() {
            let points = curve.points.iter().map(|[x, y]| [*x, scale.to_plot(*y)]);
            let line = Line::new(curve.name, points.collect::<PlotPoints<'_>>());
            plot.line(
                line.color(curve.color)
                    .width(curve.width)
                    .style(curve.style),
            );
        }
    });
}

/// What the last epoch ended with; a piece of its line stands before each number that has one in the plot.
fn facts_ui(ui: &mut Ui, last: Option<&Epoch>, curves: &[Curve]) {
    let [whole, parts @ ..] = curves else {
        return;
    };
    let text = |value: Option<f32>| value.map_or_else(|| "…".to_owned(), |v| significant(v.into()));
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 36.0;
        let epoch = last.map(|last| format!("{} of {}", last.epoch, last.epochs));
        fact(ui, "Epoch", epoch.as_deref().unwrap_or("1"));
        let mean = text(last.map(|last| last.loss));
        if parts.is_empty() {
            fact(ui, "Mean loss", &mean);
        } else {
            fact_with_line_ui(ui, whole, &mean);
        }
        for (curve, (_, loss)) in parts.iter().zip(last.into_iter().flat_map(Epoch::parts)) {
            fact_with_line_ui(ui, curve, &text(Some(loss)));
        }
        for (name, value) in last.into_iter().flat_map(Epoch::others) {
            fact(ui, &words::capitalised(name), &text(Some(value)));
        }
    });
}

/// A line of the plot. Lines differ in dash as well as in colour.
struct Curve {
    name: String,
    points: Vec<[f64; 2]>,
    color: Color32,
    width: f32,
    style: LineStyle,
}

fn curves(ui: &Ui, progress: &JobProgress) -> Vec<Curve> {
    let palette = theme::palette(ui);
    let parts = progress.parts();
    let name = if parts.is_empty() {
        "Loss"
    } else {
        "All scales"
    };
    let mut curves = vec![Curve {
        name: name.to_owned(),
        points: progress.losses().to_vec(),
        color: palette.accent,
        width: 1.6,
        style: LineStyle::Solid,
    }];
    let looks = [
        (palette.second, LineStyle::Solid),
        (palette.third, LineStyle::Dashed { length: 9.0 }),
        (palette.fourth, LineStyle::Dotted { spacing: 5.0 }),
    ];
    let count = parts.len();
    for ((part, points), (color, style)) in parts.into_iter().zip(looks.into_iter().cycle()) {
        curves.push(Curve {
            name: words::capitalised(&part_name(part, count)),
            points,
            color,
            width: 2.2,
            style,
        });
    }
    curves
}

/// `scale 1 (finest)` of several.
fn part_name(name: &str, parts: usize) -> String {
    match name.strip_prefix("scale ").map(str::parse::<usize>) {
        Some(Ok(1)) if parts > 1 => format!("{name} (finest)"),
        Some(Ok(number)) if parts > 1 && number == parts => format!("{name} (coarsest)"),
        _ => name.to_owned(),
    }
}

/// A number under its name, and before the name a piece of its line. As high as a plain [`fact`].
fn fact_with_line_ui(ui: &mut Ui, curve: &Curve, value: &str) {
    const SAMPLE: f32 = 24.0;
    const GAP: f32 = 6.0;
    let palette = theme::palette(ui);
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        let font = TextStyle::Small.resolve(ui.style());
        let name = curve.name.clone();
        let galley = ui.painter().layout_no_wrap(name, font, palette.muted);
        let size = galley.size() + vec2(SAMPLE + GAP, 0.0);
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &curve.name));
        let start = rect.left_center();
        line_sample(ui, curve, [start, start + vec2(SAMPLE, 0.0)]);
        let at = rect.left_top() + vec2(SAMPLE + GAP, 0.0);
        ui.painter().galley(at, galley, palette.muted);
        ui.label(RichText::new(value).size(16.0).color(palette.strong));
    });
}

fn line_sample(ui: &Ui, curve: &Curve, ends: [Pos2; 2]) {
    let stroke = Stroke::new(curve.width, curve.color);
    match curve.style {
        LineStyle::Solid => {
            ui.painter().line_segment(ends, stroke);
        }
        LineStyle::Dashed { .. } => {
            ui.painter()
                .extend(Shape::dashed_line(&ends, stroke, 6.0, 3.0));
        }
        LineStyle::Dotted { spacing } => {
            let radius = curve.width * 0.5;
            let dots = Shape::dotted_line(&ends, curve.color, spacing, radius);
            ui.painter().extend(dots);
        }
    }
}

fn plot<'a>(ui: &Ui, scale: Scale, height: f32) -> Plot<'a> {
    Plot::new("loss")
        .height(height)
        .show_crosshair(false)
        .grid_color(theme::palette(ui).outline)
        .y_grid_spacer(move |input| scale.grid(input.bounds))
        .show_grid([false, true])
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .x_axis_label("Step")
        .x_axis_formatter(|mark: GridMark, _| words::grouped(mark.value.max(0.0) as usize))
        .y_axis_label(scale.label())
        .y_axis_formatter(move |mark: GridMark, _| tick(scale.to_loss(mark.value)))
        .label_formatter(move |hover| match hover {
            HoverPosition::NearDataPoint {
                plot_name,
                position,
                ..
            } => Some(format!(
                "{plot_name}\nStep {}\nLoss {}",
                words::grouped(position.x.max(0.0) as usize),
                significant(scale.to_loss(position.y))
            )),
            HoverPosition::Elsewhere { .. } => None,
        })
}

/// Three significant digits.
fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let digits = 2 - value.abs().log10().floor() as i32;
    format!("{value:.*}", digits.clamp(0, 6) as usize)
}

/// A number beside a grid line: without zeros that say nothing.
fn tick(value: f64) -> String {
    let text = significant(value);
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    Linear,
    Logarithmic,
}

impl Scale {
    fn of<'a>(losses: impl IntoIterator<Item = &'a [f64; 2]>) -> Self {
        let values = losses.into_iter().map(|[_, loss]| *loss);
        let (least, most) = values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), loss| {
                (least.min(loss), most.max(loss))
            });
        if least > 0.0 && most / least > LOG_SPAN {
            Self::Logarithmic
        } else {
            Self::Linear
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Linear => "Loss",
            Self::Logarithmic => "Loss (log scale)",
        }
    }

    /// Where the horizontal lines stand: at powers of ten and their multiples, or at round numbers.
    fn grid(self, bounds: (f64, f64)) -> Vec<GridMark> {
        if self == Self::Linear {
            return even_marks(bounds, 6.0, 0.0);
        }
        let (bottom, top) = bounds;
        let decades = bottom.floor() as i32..=top.ceil() as i32;
        let marks = decades.flat_map(|decade| {
            (1..10).map(move |multiple| GridMark {
                value: f64::from(decade) + f64::from(multiple).log10(),
                step_size: if multiple == 1 { 1.0 } else { 0.1 },
            })
        });
        marks
            .filter(|mark| (bottom..=top).contains(&mark.value))
            .collect()
    }

    fn to_plot(self, loss: f64) -> f64 {
        match self {
            Self::Linear => loss,
            Self::Logarithmic => loss.log10(),
        }
    }

    fn to_loss(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => 10.0_f64.powf(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Scale, part_name, significant, tick};

    #[test]
    fn the_finest_and_the_coarsest_scale_are_named() {
        for (name, parts, text) in [
            ("scale 1", 3, "scale 1 (finest)"),
            ("scale 2", 3, "scale 2"),
            ("scale 3", 3, "scale 3 (coarsest)"),
            ("scale 1", 1, "scale 1"),
            ("scale x", 2, "scale x"),
        ] {
            assert_eq!(part_name(name, parts), text);
        }
    }

    #[test]
    fn losses_over_orders_of_magnitude_get_a_logarithmic_scale() {
        let falling = [[0.0, 290.0], [1.0, 0.7]];
        assert_eq!(Scale::of(&falling), Scale::Logarithmic);
        for losses in [
            &[[0.0, 3.0], [1.0, 2.0]][..],
            &[[0.0, 3.0], [1.0, -0.1]],
            &[[0.0, 3.0], [1.0, 0.0]],
            &[],
        ] {
            assert_eq!(Scale::of(losses), Scale::Linear);
        }
        let scale = Scale::Logarithmic;
        assert!((scale.to_loss(scale.to_plot(290.0)) - 290.0).abs() < 1e-9);
    }

    #[test]
    fn three_digits_say_enough() {
        for (value, text) in [
            (290.4, "290"),
            (0.6591, "0.659"),
            (12.34, "12.3"),
            (0.0, "0"),
            (-1.234, "-1.23"),
            (1e-9, "0.000000"),
        ] {
            assert_eq!(significant(value), text);
        }
        for (value, text) in [
            (100.0, "100"),
            (10.0, "10"),
            (1.0, "1"),
            (0.5, "0.5"),
            (0.0, "0"),
        ] {
            assert_eq!(tick(value), text);
        }
    }
}
