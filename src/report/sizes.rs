//! The smallest defect found: detection over area with intervals, as curve, as table, and in four facts.

use super::facts::Facts;
use super::html::{Cell, Column, Table, paragraph, section};
use super::svg::{Axis, Mark, Plot};
use crate::metrics::wording::{area, count, grouped, interval, percent};
use crate::metrics::{Rate, SizeBin, SizeCurve};

const TITLE: &str = "Smallest defect found";

pub fn sizes(facts: &Facts) -> String {
    let body = match &facts.sizes {
        None => paragraph(
            "muted",
            "An earlier program scored these pictures and measured no regions; score the run again to see which defects are \
             found.",
        ),
        Some(curve) if curve.bins.is_empty() => {
            paragraph("muted", "No test picture has a mask that marks a defect.")
        }
        Some(curve) => found(facts, curve),
    };
    section("sizes", TITLE, &body)
}

fn found(facts: &Facts, curve: &SizeCurve) -> String {
    let scale = facts.pixels_per_mm();
    let told = |size: Option<usize>, nothing: &str| {
        size.map_or_else(|| nothing.to_owned(), |size| area(size as f64, scale))
    };
    let found: usize = curve.bins.iter().map(|bin| bin.found).sum();
    let total: usize = curve.bins.iter().map(|bin| bin.total).sum();
    let line = format!(
        "{} of {} found. Smallest found: {}. Largest missed: {}. All found from: {}.",
        grouped(found),
        count(total, "marked defect"),
        told(curve.smallest_found, "none"),
        told(curve.largest_missed, "none"),
        told(curve.all_found_from, "no size")
    );
    let meaning = if facts.rule.area.is_off() {
        "A defect counts as found when a region at or above the pixel limit touches it."
    } else {
        "A defect counts as found when a region at or above the pixel limit touches it that is as large as the area rule asks."
    };
    let figure = format!("<figure>{}</figure>\n", plot(curve, scale));
    paragraph("", &line) + &paragraph("muted", meaning) + &figure + &bins(curve, scale)
}

fn bins(curve: &SizeCurve, scale: Option<f64>) -> String {
    let mut table = Table::new(
        "Defects of similar size together",
        &[
            ("Area from", Column::Numbers),
            ("to", Column::Numbers),
            ("Found", Column::Numbers),
            ("Share", Column::Numbers),
            ("95 % interval", Column::Numbers),
        ],
    );
    let row = |bin: &SizeBin| {
        let rate = Rate {
            events: bin.found,
            of: bin.total,
        };
        vec![
            Cell::text(area(bin.from as f64, scale)),
            Cell::text(area(bin.to as f64, scale)),
            Cell::text(format!("{} of {}", grouped(bin.found), grouped(bin.total))),
            Cell::text(percent(bin.rate)),
            Cell::text(interval(rate)),
        ]
    };
    table.rows = curve.bins.iter().map(row).collect();
    table.markup()
}

fn plot(curve: &SizeCurve, scale: Option<f64>) -> String {
    let middles: Vec<f64> = curve.bins.iter().map(|bin| middle(bin, scale)).collect();
    let low = middles.iter().copied().fold(f64::INFINITY, f64::min) - 0.25;
    let high = middles.iter().copied().fold(f64::NEG_INFINITY, f64::max) + 0.25;
    let unit = if scale.is_some() { "mm²" } else { "px" };
    let x = Axis {
        name: format!("Area of the defect, {unit} (log)"),
        low,
        high,
        marks: marks(low, high),
    };
    let mut plot = Plot::new(
        "sizes-plot",
        (
            "Share of defects found over their size",
            "A dot for each group of defects of similar size, with its exact 95 % interval as a whisker. The table below has \
             the same numbers.",
        ),
        (960.0, 260.0),
        x,
        Axis::share("Found", 1.0),
    );
    for (bin, &x) in curve.bins.iter().zip(&middles) {
        plot.polyline("whisker", [(x, bin.interval.low), (x, bin.interval.high)]);
    }
    let points = middles
        .iter()
        .copied()
        .zip(curve.bins.iter().map(|bin| bin.rate));
    plot.polyline("line defect", points.clone());
    for point in points {
        plot.dot("spot defect", point, 4.5);
    }
    plot.finish()
}

/// The middle of a bin on the logarithmic axis, in the unit that is shown.
fn middle(bin: &SizeBin, scale: Option<f64>) -> f64 {
    let pixels = (bin.from as f64 * bin.to as f64).sqrt();
    scale
        .map_or(pixels, |per_mm| pixels / (per_mm * per_mm))
        .log10()
}

/// One, two and five of each power of ten; only the powers where many would crowd.
fn marks(low: f64, high: f64) -> Vec<Mark> {
    let leading: &[f64] = if high - low > 2.5 {
        &[1.0]
    } else {
        &[1.0, 2.0, 5.0]
    };
    let powers = low.floor() as i32..=high.ceil() as i32;
    let values = powers.flat_map(|power| leading.iter().map(move |d| d.log10() + f64::from(power)));
    values
        .filter(|value| low <= *value && *value <= high)
        .map(|at| Mark {
            at,
            label: label(at),
        })
        .collect()
}

fn label(log: f64) -> String {
    let area = 10_f64.powf(log);
    if area < 0.95 {
        let decimals = (-log).ceil().clamp(1.0, 6.0) as usize;
        return format!("{area:.decimals$}");
    }
    grouped(area.round() as usize)
}

#[cfg(test)]
mod tests {
    use super::{label, marks, plot};
    use crate::metrics::{SizeCurve, SizedDefect};

    #[test]
    fn marks_are_ones_twos_and_fives() {
        let labels: Vec<String> = marks(0.9, 2.1).into_iter().map(|m| m.label).collect();
        assert_eq!(labels, ["10", "20", "50", "100"]);
        assert_eq!(label(-2.0), "0.01");
    }

    #[test]
    fn a_single_defect_makes_a_plot() {
        let curve = SizeCurve::of(&[SizedDefect {
            area: 1,
            found: true,
        }]);
        let svg = plot(&curve, Some(12.5));
        assert!(svg.contains("circle") && !svg.contains("NaN"), "{svg}");
    }
}
