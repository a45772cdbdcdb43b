//! Results on stdout: tables for people, one JSON object for programs.

use anyhow::Result;
use serde::Serialize;

use crate::metrics::{
    Combination, Confusion, DecisionRule, Evaluation, Limit, PixelMetrics, Protocol, Rate, Tally,
    clopper_pearson,
};

/// Prints a line of a result.
#[expect(clippy::print_stdout, reason = "results are what stdout is for")]
pub fn line(text: &str) {
    println!("{text}");
}

/// Prints one JSON object.
pub fn json(value: &impl Serialize) -> Result<()> {
    line(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// A share with four digits, or `n/a`.
pub fn share(value: Option<f64>) -> String {
    value.map_or_else(|| "n/a".to_owned(), |v| format!("{v:.4}"))
}

/// The evaluation as a table: honest numbers first, oracle numbers apart, then the verdicts of the rule in force and the
/// protocol.
pub fn evaluation(evaluation: &Evaluation, in_force: &DecisionRule, tally: &Tally) {
    let protocol = &evaluation.protocol;
    line(&test_set(protocol));
    line("");
    line("                    image     pixel, input size   pixel, original size");
    let row = |name: &str, image: Option<f64>, pixel: &dyn Fn(&PixelMetrics) -> Option<f64>| {
        line(&format!(
            "{name:<20}{:<10}{:<20}{}",
            share(image),
            share(pixel(&evaluation.pixel_at_input)),
            share(pixel(&evaluation.pixel_at_original))
        ));
    };
    row("AUROC", evaluation.image.auroc, &|p| p.auroc);
    row(
        "average precision",
        evaluation.image.average_precision,
        &|p| p.average_precision,
    );
    row("AUPRO (FPR ≤ 0.3)", None, &|p| p.aupro);
    row("IoU at pixel limit", None, &|p| p.iou_at_limit);
    row(
        "F1 at these limits",
        Confusion::of_fails(tally).f1(),
        &|_| None,
    );
    row("F1-max (oracle)", evaluation.image.f1_max, &|p| p.f1_max);
    line("");
    rule(in_force);
    verdicts(tally);
    line(&format!(
        "Protocol            {} on {}, input {} ({} x {}), seed {}, last of {} epochs, {} training and {} held-out pictures",
        protocol.model,
        protocol.backbone,
        protocol.input,
        protocol.input_width,
        protocol.input_height,
        protocol.seed,
        protocol.epochs,
        protocol.training_pictures,
        protocol.calibration_pictures,
    ));
    if let Some(ids) = &protocol.seen {
        seen(ids.iter().map(String::as_str));
    }
    line(&format!(
        "Speed               {:.2} pictures/s, decoding included ({:.1} s on {})",
        evaluation.images_per_second, evaluation.seconds, protocol.device
    ));
}

/// What the numbers were measured on, and what was scored or left out beside it.
fn test_set(protocol: &Protocol) -> String {
    let mut text = format!(
        "Test set            {} good, {} defective",
        protocol.test_good, protocol.test_defective
    );
    for (count, what) in [
        (protocol.unlabelled, "unlabelled and only scored"),
        (protocol.unreadable, "unreadable and left out"),
    ] {
        if count > 0 {
            text = format!("{text}, {count} {what}");
        }
    }
    text
}

/// Which real defects a model has seen. They go with every number it gives.
pub fn seen<'a>(ids: impl ExactSizeIterator<Item = &'a str>) {
    if ids.len() == 0 {
        return line(
            "Seen defects        none: purely synthetic training; published numbers of PRN do not apply",
        );
    }
    let (count, ids): (_, Vec<&str>) = (ids.len(), ids.collect());
    line(&format!(
        "Seen defects        {count}, learnt from and not tested on: {}",
        ids.join(", ")
    ));
}

/// The limits and how they combine.
pub fn rule(rule: &DecisionRule) {
    let limit = |limit: &Limit| format!("{:.5}, {}", limit.value, limit.origin.describe());
    line(&format!("Limit               {}", limit(&rule.fail)));
    if let Some(review) = &rule.review {
        line(&format!("Review from         {}", limit(review)));
    }
    if rule.area.combination != Combination::ScoreOnly {
        line(&format!(
            "Second rule         {}: {} px or more above the pixel limit {}",
            rule.area.combination.name(),
            rule.area.pixels,
            limit(&rule.pixel)
        ));
    }
}

fn verdicts(tally: &Tally) {
    line(&format!(
        "At this limit       overkill {}, escapes {}, review {}",
        rate(tally.overkill()),
        rate(tally.escapes()),
        rate(tally.review()),
    ));
}

/// `2 of 40 (0.6 to 16.9 %)`: counts, and the exact interval at 95 % confidence.
fn rate(rate: Rate) -> String {
    let Rate { events, of } = rate;
    clopper_pearson(events, of, 0.95).map_or_else(
        || format!("{events} of {of}"),
        |interval| {
            let (low, high) = (100.0 * interval.low, 100.0 * interval.high);
            format!("{events} of {of} ({low:.1} to {high:.1} %)")
        },
    )
}
