//! The curves of the evaluation as plots: scores by class with the limits, and what any limit would give.

use super::facts::Facts;
use super::figure::{figure, line_key, missing};
use super::html::section;
use super::numbers::{image_reason, pixel_reason};
use super::scores::{histogram, limit_lines, range};
use super::svg::{Anchor, Axis, Plot};
use crate::metrics::pixel::OVERLAP_UP_TO;
use crate::metrics::wording::metric;
use crate::metrics::{Curve, Point};

/// Width and height of a plot beside others.
const HALF: (f64, f64) = (470.0, 350.0);

pub fn curves(facts: &Facts) -> String {
    let body = [
        histogram(facts),
        "<div class=\"plots\">\n".to_owned(),
        roc(facts),
        precision_recall(facts),
        overlap(facts),
        trade(facts),
        "</div>\n".to_owned(),
    ];
    section("curves", "Curves", &body.concat())
}

/// Where a curve stands at a limit in force.
struct Working {
    name: &'static str,
    limit: f32,
    /// Of the name beside its dot.
    shift: (f64, f64),
    anchor: Anchor,
}

fn image_limits(facts: &Facts, anchor: Anchor) -> Vec<Working> {
    let side = if anchor == Anchor::End { -9.0 } else { 9.0 };
    let mut limits = vec![Working {
        name: "T2",
        limit: facts.rule.fail_from(),
        shift: (side, 15.0),
        anchor,
    }];
    limits.extend(facts.rule.review.as_ref().map(|review| Working {
        name: "T1",
        limit: review.value,
        shift: (side, 29.0),
        anchor,
    }));
    limits
}

fn pixel_limit(facts: &Facts, anchor: Anchor) -> Vec<Working> {
    let side = if anchor == Anchor::End { -9.0 } else { 9.0 };
    vec![Working {
        name: "pixel limit",
        limit: facts.rule.pixel.value,
        shift: (side, 15.0),
        anchor,
    }]
}

fn draw(plot: &mut Plot, class: &str, curve: &Curve, working: &[Working]) {
    let points = curve.points.iter().map(|point| (point.x, point.y));
    plot.polyline(&format!("line {class}"), points);
    for working in working {
        if let Some(point) = curve.at_limit(working.limit) {
            let place = (point.x, point.y);
            plot.dot(&format!("spot {class}"), place, 4.5);
            plot.text(
                &format!("spot-name {class}"),
                place,
                working.shift,
                working.anchor,
                working.name,
            );
        }
    }
}

fn roc(facts: &Facts) -> String {
    let (image, pixel) = (
        &facts.evaluation().image,
        &facts.evaluation().pixel_at_input,
    );
    let title = "Receiver operating characteristic";
    if image.roc.points.is_empty() && pixel.roc.points.is_empty() {
        return missing(title, image_reason(facts.protocol()));
    }
    let mut plot = Plot::new(
        "roc",
        (
            title,
            "The share of what is defective that is found over the share of what is good that is rejected, for every limit. \
             Dots mark the limits in force.",
        ),
        HALF,
        Axis::share("Good that is rejected", 1.0),
        Axis::share("Defective that is found", 1.0),
    );
    plot.polyline("chance", [(0.0, 0.0), (1.0, 1.0)]);
    let mut keys = Vec::new();
    if !pixel.roc.points.is_empty() {
        draw(
            &mut plot,
            "second",
            &pixel.roc,
            &pixel_limit(facts, Anchor::Start),
        );
        let words = format!("pixels, input size: AUROC {}", metric(pixel.auroc));
        keys.push(line_key("line second", words));
    }
    if !image.roc.points.is_empty() {
        draw(
            &mut plot,
            "first",
            &image.roc,
            &image_limits(facts, Anchor::Start),
        );
        let words = format!("pictures: AUROC {}", metric(image.auroc));
        keys.insert(0, line_key("line first", words));
    }
    figure(title, &keys, &plot.finish())
}

fn precision_recall(facts: &Facts) -> String {
    let (image, pixel) = (
        &facts.evaluation().image,
        &facts.evaluation().pixel_at_input,
    );
    let title = "Precision and recall";
    let (of_image, of_pixel) = (&image.precision_recall, &pixel.precision_recall);
    if of_image.points.is_empty() && of_pixel.points.is_empty() {
        return missing(title, image_reason(facts.protocol()));
    }
    let mut plot = Plot::new(
        "precision",
        (
            title,
            "The share of what is rejected that is defective over the share of what is defective that is found, for every \
             limit. Dots mark the limits in force.",
        ),
        HALF,
        Axis::share("Defective that is found (recall)", 1.0),
        Axis::share("Rejected that is defective (precision)", 1.0),
    );
    let mut keys = Vec::new();
    if !of_pixel.points.is_empty() {
        draw(
            &mut plot,
            "second",
            of_pixel,
            &pixel_limit(facts, Anchor::End),
        );
        let words = format!(
            "pixels, input size: average precision {}",
            metric(pixel.average_precision)
        );
        keys.push(line_key("line second", words));
    }
    if !of_image.points.is_empty() {
        draw(
            &mut plot,
            "first",
            of_image,
            &image_limits(facts, Anchor::End),
        );
        let words = format!(
            "pictures: average precision {}",
            metric(image.average_precision)
        );
        keys.insert(0, line_key("line first", words));
    }
    figure(title, &keys, &plot.finish())
}

fn overlap(facts: &Facts) -> String {
    let evaluation = facts.evaluation();
    let (input, original) = (&evaluation.pixel_at_input, &evaluation.pixel_at_original);
    let title = "Overlap per defect region";
    let (of_input, of_original) = (&input.per_region_overlap, &original.per_region_overlap);
    if of_input.points.is_empty() && of_original.points.is_empty() {
        return missing(title, pixel_reason(input));
    }
    let mut plot = Plot::new(
        "overlap",
        (
            title,
            "The mean share of each defect region that is covered over the share of good pixels that are rejected, up to \
             30 %, for every pixel limit.",
        ),
        HALF,
        Axis::share("Good pixels that are rejected", OVERLAP_UP_TO),
        Axis::share("Mean share covered", 1.0),
    );
    let mut keys = Vec::new();
    for (class, key, curve, words, value, working) in [
        (
            "second",
            "line second",
            of_original,
            "original size",
            original.aupro,
            Vec::new(),
        ),
        (
            "first",
            "line first",
            of_input,
            "input size",
            input.aupro,
            pixel_limit(facts, Anchor::Start),
        ),
    ] {
        if !curve.points.is_empty() {
            let inside = within(curve);
            draw(&mut plot, class, &inside, &working);
            let words = format!("pixels, {words}: AUPRO {}", metric(value));
            keys.insert(0, line_key(key, words));
        }
    }
    figure(title, &keys, &plot.finish())
}

/// What another T2 would cost: both errors of the score alone, over the limit.
fn trade(facts: &Facts) -> String {
    let title = "Overkill and escapes at any T2";
    let roc = &facts.evaluation().image.roc;
    if roc.points.is_empty() {
        return missing(title, image_reason(facts.protocol()));
    }
    let (low, high) = range(facts);
    let steps = |share: fn(&Point) -> f64| steps(&roc.points, (low, high), share);
    let mut plot = Plot::new(
        "trade",
        (
            title,
            "The share of good pictures that fail and of defective pictures that pass, by the score alone, if T2 lay at any \
             other score. Upright lines mark the limits in force.",
        ),
        HALF,
        Axis::even("T2, on the score alone", low, high, 8),
        Axis::share("Share of their class", 1.0),
    );
    plot.polyline("line good", steps(|point| point.x));
    plot.polyline("line defect", steps(|point| 1.0 - point.y));
    limit_lines(&mut plot, facts, (0.0, 1.0));
    let keys = [
        line_key(
            "line good",
            "overkill: good pictures that would fail".to_owned(),
        ),
        line_key(
            "line defect",
            "escapes: defective pictures that would pass".to_owned(),
        ),
    ];
    figure(title, &keys, &plot.finish())
}

/// A share over the limit. What a vertex says holds for all limits down to the next vertex; limits fall along the curve,
/// from above all scores.
fn steps(points: &[Point], (low, high): (f64, f64), share: fn(&Point) -> f64) -> Vec<(f64, f64)> {
    let limit = |point: &Point| point.limit.map_or(high, f64::from);
    let ends = points.iter().skip(1).map(limit).chain([low]);
    let flat = |(point, end): (&Point, f64)| [(limit(point), share(point)), (end, share(point))];
    points.iter().zip(ends).flat_map(flat).collect()
}

/// The part of an overlap curve that is integrated.
fn within(curve: &Curve) -> Curve {
    let points = curve.points.iter().copied();
    Curve {
        points: points.filter(|point| point.x <= OVERLAP_UP_TO).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::steps;
    use crate::metrics::Point;

    #[test]
    fn a_share_is_flat_from_one_score_down_to_the_next() {
        let point = |x, limit| Point { x, y: 0.0, limit };
        let points = [
            point(0.0, None),
            point(0.5, Some(2.0)),
            point(1.0, Some(1.0)),
        ];
        let line = steps(&points, (0.0, 3.0), |point| point.x);
        let expected = [
            (3.0, 0.0),
            (2.0, 0.0),
            (2.0, 0.5),
            (1.0, 0.5),
            (1.0, 1.0),
            (0.0, 1.0),
        ];
        assert_eq!(line, expected);
    }
}
