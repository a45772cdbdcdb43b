//! Results on stdout: tables for people, one JSON object for programs.

use anyhow::Result;
use serde::Serialize;

use crate::metrics::{Confusion, Evaluation, PixelMetrics, Protocol};

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

/// The evaluation as a table: honest numbers first, oracle numbers apart, then the protocol.
pub fn evaluation(evaluation: &Evaluation) {
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
    row("F1 at image limit", evaluation.image_f1, &|_| None);
    row("F1-max (oracle)", evaluation.image.f1_max, &|p| p.f1_max);
    line("");
    verdicts(evaluation);
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

fn verdicts(evaluation: &Evaluation) {
    let limit = &evaluation.protocol.image_limit;
    let confusion = Confusion::at(&evaluation.images, limit.value);
    line(&format!(
        "Limit               {:.5}, {}",
        limit.value,
        limit.origin.describe()
    ));
    line(&format!(
        "At this limit       overkill {} of {}, escapes {} of {}",
        confusion.good_failed,
        confusion.good_failed + confusion.good_passed,
        confusion.defective_passed,
        confusion.defective_passed + confusion.defective_failed,
    ));
}
