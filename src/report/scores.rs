//! The histogram of image scores with the limits in force, and the axis of scores it shares with other plots.

use super::facts::Facts;
use super::figure::{Key, Shape, figure, missing};
use super::svg::{Anchor, Axis, Plot};
use crate::metrics::wording::{grouped, score};
use crate::metrics::{ScoreHistogram, Truth, Verdict, score_histogram};

/// Good upwards, defective downwards, as in the window.
pub fn histogram(facts: &Facts) -> String {
    let title = "Scores of the test pictures";
    let rows = facts.rows();
    let bins = (2.5 * (rows.len() as f64).sqrt()).clamp(24.0, 64.0) as usize;
    let histogram = score_histogram(rows, bins);
    if histogram.edges.is_empty() {
        return missing(title, "there are no scores");
    }
    let plot = histogram_plot(facts, &histogram);
    figure(title, &histogram_keys(facts), &plot)
}

fn histogram_keys(facts: &Facts) -> Vec<Key> {
    let tally = facts.tally();
    let mut keys = vec![
        Key {
            class: "good",
            shape: Shape::Box,
            words: format!("good, upwards: {}", grouped(tally.pictures(Truth::Good))),
        },
        Key {
            class: "defect",
            shape: Shape::Box,
            words: format!(
                "defective, downwards: {}",
                grouped(tally.pictures(Truth::Defective))
            ),
        },
    ];
    let unlabelled = tally.pictures(Truth::Unlabelled);
    if unlabelled > 0 {
        keys.push(Key {
            class: "unlabelled",
            shape: Shape::Box,
            words: format!("unlabelled, upwards, behind: {}", grouped(unlabelled)),
        });
    }
    if !facts.held_out().is_empty() {
        keys.push(Key {
            class: "rug",
            shape: Shape::Line,
            words: format!(
                "held-out good, ticks at the bottom: {}",
                grouped(facts.held_out().len())
            ),
        });
    }
    keys
}

fn histogram_plot(facts: &Facts, histogram: &ScoreHistogram) -> String {
    let most = |counts: &[usize]| counts.iter().copied().max().unwrap_or(0);
    let up = most(&histogram.good)
        .max(most(&histogram.unlabelled))
        .max(1) as f64;
    let down = most(&histogram.defective) as f64;
    let (low, high) = range(facts);
    // Room for the limits' names at the top, for ticks and verdicts at the bottom.
    let (bottom, top) = (-down - 0.26 * (up + down), up + 0.24 * (up + down));
    // Pictures are counted in whole numbers.
    let marks = ((top - bottom) as usize).clamp(1, 6);
    let mut y = Axis::even("Pictures", bottom, top, marks);
    y.marks.retain(|mark| -down <= mark.at && mark.at <= up);
    for mark in &mut y.marks {
        mark.label = grouped(mark.at.abs().round() as usize);
    }
    let mut plot = Plot::new(
        "scores",
        (
            "Histogram of image scores by class",
            "Counts of good pictures point upwards, counts of defective ones downwards. Upright lines mark the limits T1 and \
             T2; below T1 pictures pass, from T2 on they fail.",
        ),
        (960.0, 330.0),
        Axis::even("Score", low, high, 8),
        y,
    );
    bands(&mut plot, facts, (low, high), (bottom, top));
    bars(&mut plot, histogram);
    plot.polyline("zero", [(low, 0.0), (high, 0.0)]);
    let tick = 0.035 * (top - bottom);
    for &held_out in facts.held_out() {
        let x = f64::from(held_out);
        plot.polyline("rug", [(x, bottom), (x, bottom + tick)]);
    }
    limit_lines(&mut plot, facts, (bottom, top));
    plot.finish()
}

/// All test and held-out scores and the limits, with some air at both ends.
pub fn range(facts: &Facts) -> (f64, f64) {
    let limits = [facts.rule.pass_below(), facts.rule.fail_from()];
    let rows = facts.rows().iter().map(|row| row.score);
    let scores = rows.chain(facts.held_out().iter().copied()).chain(limits);
    let (low, high) = scores
        .filter(|score| score.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), score| {
            (low.min(f64::from(score)), high.max(f64::from(score)))
        });
    if low > high {
        return (0.0, 1.0);
    }
    let air = ((high - low) * 0.04).max(high.abs().max(1e-6) * 1e-3);
    (low - air, high + air)
}

/// The ground of each verdict, with its word.
fn bands(plot: &mut Plot, facts: &Facts, (low, high): (f64, f64), (bottom, top): (f64, f64)) {
    let t1 = f64::from(facts.rule.pass_below());
    let t2 = f64::from(facts.rule.fail_from());
    for (class, verdict, from, to) in [
        ("pass", Verdict::Pass, low, t1),
        ("review", Verdict::Review, t1, t2),
        ("fail", Verdict::Fail, t2, high),
    ] {
        if from >= to {
            continue;
        }
        plot.bar(&format!("ground {class}"), (from, bottom), (to, top));
        // A narrow band has no room for its word; its colour and its place say the same.
        if plot.along(to) - plot.along(from) > 0.075 {
            let middle = (f64::midpoint(from, to), bottom);
            let word = verdict.word();
            plot.text(
                &format!("band-name {class}"),
                middle,
                (0.0, -17.0),
                Anchor::Middle,
                word,
            );
        }
    }
}

fn bars(plot: &mut Plot, histogram: &ScoreHistogram) {
    let edges = histogram.edges.windows(2);
    let counts = histogram
        .good
        .iter()
        .zip(&histogram.defective)
        .zip(&histogram.unlabelled);
    for (edges, ((&good, &defective), &unlabelled)) in edges.zip(counts) {
        let &[from, to] = edges else {
            continue;
        };
        for (class, height) in [
            ("unlabelled", unlabelled as f64),
            ("good", good as f64),
            ("defect", -(defective as f64)),
        ] {
            if height != 0.0 {
                plot.bar(&format!("bin {class}"), (from, 0.0), (to, height));
            }
        }
    }
}

/// T1's name to the left of its line, T2's to the right, where there is room; on different lines, so that they never cover
/// each other.
pub fn limit_lines(plot: &mut Plot, facts: &Facts, (bottom, top): (f64, f64)) {
    let review = facts.rule.review.as_ref();
    let t1 = review.map(|review| ("T1", review.value, Anchor::End, 30.0));
    let t2 = ("T2", facts.rule.fail_from(), Anchor::Start, 14.0);
    for (name, value, side, down) in t1.into_iter().chain([t2]) {
        let x = f64::from(value);
        plot.polyline("limit", [(x, bottom), (x, top)]);
        let along = plot.along(x);
        let (anchor, shift) = match side {
            Anchor::End if along > 0.2 => (Anchor::End, -6.0),
            _ if along > 0.8 => (Anchor::End, -6.0),
            _ => (Anchor::Start, 6.0),
        };
        let words = format!("{name} {}", score(value));
        plot.text("limit-name", (x, top), (shift, down), anchor, &words);
    }
}
