//! The plots of the report: histogram of scores, the curves, detection over defect size.

use super::facts::Facts;
use super::svg::{Axis, Plot};
use super::words;
use crate::metrics::{Curve, ScoreHistogram, SizeCurve, score_histogram};

const BINS: usize = 48;

/// Scores of good pictures upwards and of defective ones downwards, with the limits.
pub fn histogram(facts: &Facts<'_>) -> String {
    let histogram = score_histogram(&facts.evaluation.images, BINS);
    let (Some(&low), Some(&high)) = (histogram.edges.first(), histogram.edges.last()) else {
        return "<p class=\"muted\">There are no scores to draw.</p>".to_owned();
    };
    let limits = [facts.rule.pass_below(), facts.rule.fail_from()].map(f64::from);
    let finite = limits.iter().copied().filter(|limit| limit.is_finite());
    let (from, to) = finite.fold((low, high), |(from, to), limit| {
        (from.min(limit), to.max(limit))
    });
    let air = 0.03 * (to - from).max(f64::MIN_POSITIVE);
    let top = |counts: &[usize]| counts.iter().copied().max().unwrap_or(0) as f64;
    let up = top(&histogram.good)
        .max(top(&histogram.unlabelled))
        .max(1.0);
    let down = top(&histogram.defective).max(1.0);
    let plot = Plot {
        title: "Image scores",
        description: "Good pictures upwards, defective ones downwards, with the limits T1 and T2",
        x: Axis {
            name: "Image score",
            from: from - air,
            to: to + air,
            marks: marks(from, to),
        },
        y: Axis {
            name: "Pictures",
            from: -1.1 * down,
            to: 1.1 * up,
            marks: counted(up, down),
        },
        width: 820.0,
        height: 260.0,
    };
    let mut drawn = bars(&plot, &histogram);
    if facts.rule.review.is_some() {
        drawn.push_str(&plot.upright(limits[0], "T1"));
    }
    drawn.push_str(&plot.upright(limits[1], "T2"));
    plot.finish(&drawn)
}

fn bars(plot: &Plot<'_>, histogram: &ScoreHistogram) -> String {
    let classes = [
        ("unlabelled", &histogram.unlabelled, 1.0),
        ("good", &histogram.good, 1.0),
        ("defective", &histogram.defective, -1.0),
    ];
    let mut drawn = String::new();
    for (class, counts, sign) in classes {
        for (edges, &count) in histogram.edges.windows(2).zip(counts) {
            if count > 0 {
                drawn.push_str(&plot.bar(class, edges[0], edges[1], sign * count as f64));
            }
        }
    }
    drawn
}

/// Six even marks.
fn marks(from: f64, to: f64) -> Vec<(f64, String)> {
    (0..=5)
        .map(|i| from + (to - from) * f64::from(i) / 5.0)
        .map(|at| (at, words::score(at as f32)))
        .collect()
}

/// The highest counts of both directions.
fn counted(up: f64, down: f64) -> Vec<(f64, String)> {
    [up, 0.0, -down]
        .map(|at| (at, format!("{:.0}", at.abs())))
        .to_vec()
}

/// ROC, precision-recall and per-region overlap, those that can be drawn.
pub fn curves(facts: &Facts<'_>) -> String {
    let evaluation = facts.evaluation;
    let (image, pixel) = (&evaluation.image, &evaluation.pixel_at_input);
    let (t2, pixel_limit) = (facts.rule.fail_from(), facts.rule.pixel.value);
    let mut text = String::new();
    text.push_str(&curve(
        "ROC",
        ["False alarms", "Found"],
        1.0,
        &[
            (&image.roc, "pictures", t2),
            (&pixel.roc, "pixels", pixel_limit),
        ],
    ));
    text.push_str(&curve(
        "Precision and recall",
        ["Recall", "Precision"],
        1.0,
        &[
            (&image.precision_recall, "pictures", t2),
            (&pixel.precision_recall, "pixels", pixel_limit),
        ],
    ));
    text.push_str(&curve(
        "Per-region overlap",
        ["False alarms", "Covered"],
        0.3,
        &[(&pixel.per_region_overlap, "pixels", pixel_limit)],
    ));
    if text.is_empty() {
        return "<p class=\"muted\">This test set has no pictures or masks to draw curves from.</p>"
            .to_owned();
    }
    format!(
        "<p class=\"legend\"><span class=\"key pictures\"></span> pictures \
         <span class=\"key pixels\"></span> pixels, input size; dots: at the limits in force</p>\
         <div class=\"row\">{text}</div>"
    )
}

fn curve(title: &str, axes: [&str; 2], right: f64, lines: &[(&Curve, &str, f32)]) -> String {
    if lines.iter().all(|(curve, ..)| curve.points.is_empty()) {
        return String::new();
    }
    let plot = Plot {
        title,
        description: axes[1],
        x: Axis::share(axes[0], right),
        y: Axis::share(axes[1], 1.0),
        width: 330.0,
        height: 280.0,
    };
    let mut drawn = String::new();
    for (curve, class, _) in lines {
        let points = curve.points.iter().filter(|point| point.x <= right);
        drawn.push_str(&plot.line(class, points.map(|point| (point.x, point.y))));
    }
    for (curve, class, limit) in lines {
        if let Some(point) = curve.at_limit(*limit).filter(|point| point.x <= right) {
            drawn.push_str(&plot.dot(class, point.x, point.y));
        }
    }
    format!(
        "<figure><figcaption>{title}</figcaption>{}</figure>",
        plot.finish(&drawn)
    )
}

/// The share of defects found over their area, with intervals.
pub fn sizes(curve: &SizeCurve) -> String {
    let Some((first, last)) = curve.bins.first().zip(curve.bins.last()) else {
        return String::new();
    };
    let along = |area: usize| (area.max(1) as f64).log10();
    let (from, to) = (along(first.from).floor(), along(last.to).ceil());
    let to = if to > from { to } else { from + 1.0 };
    let decades = (from as i32..=to as i32).map(|power| {
        let area = 10_f64.powi(power);
        (f64::from(power), words::grouped(area as usize))
    });
    let plot = Plot {
        title: "Defects found by their area",
        description: "Share of defects found, with exact 95 % intervals, over their area in pixels",
        x: Axis {
            name: "Area of the defect in px",
            from,
            to,
            marks: decades.collect(),
        },
        y: Axis::share("Found", 1.0),
        width: 820.0,
        height: 240.0,
    };
    let middle = |from: usize, to: usize| f64::midpoint(along(from), along(to));
    let mut drawn = plot.line(
        "pictures",
        curve
            .bins
            .iter()
            .map(|bin| (middle(bin.from, bin.to), bin.rate)),
    );
    for bin in &curve.bins {
        let x = middle(bin.from, bin.to);
        drawn.push_str(&plot.whisker(x, bin.interval.low, bin.interval.high));
        drawn.push_str(&plot.dot("pictures", x, bin.rate));
    }
    plot.finish(&drawn)
}
