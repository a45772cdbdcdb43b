//! The facts of the page for programs.

use anyhow::Result;
use serde::Serialize;

use super::facts::Facts;
use crate::config::RunConfig;
use crate::metrics::wording::rule_sentence;
use crate::metrics::{
    Confusion, Interval, PixelMetrics, Protocol, Rate, SizeCurve, Truth, Verdict, what_it_proves,
};
use crate::store::Limits;

#[derive(Serialize)]
struct File<'a> {
    product: String,
    run: &'a str,
    program_version: &'static str,
    /// Seconds since 1970, UTC.
    scored_at: Option<u64>,
    model: Model<'a>,
    protocol: &'a Protocol,
    limits: &'a Limits,
    rule: String,
    /// Whether a limit was chosen on the pictures it is judged on.
    limits_chosen_on_test_pictures: bool,
    proof: Proof,
    tally: Vec<Count>,
    overkill: Counted,
    escapes: Counted,
    review: Counted,
    numbers: Numbers,
    defect_types: Vec<Type<'a>>,
    defect_sizes: Option<&'a SizeCurve>,
    worst_false_rejects: Vec<&'a str>,
    worst_escapes: Vec<&'a str>,
    settings: &'a RunConfig,
}

#[derive(Serialize)]
struct Model<'a> {
    /// The same whatever limits are set.
    identity: &'a str,
    checksum: &'a str,
    trained_by: &'a str,
    backbone_sha256: &'a str,
}

#[derive(Serialize)]
struct Proof {
    held_out: usize,
    rejected: usize,
    confidence: f64,
    at_most: Option<f64>,
    interval: Option<Interval>,
    sentence: String,
}

#[derive(Serialize)]
struct Count {
    truth: Truth,
    verdict: Verdict,
    pictures: usize,
}

/// A rate with its exact interval at 95 % confidence.
#[derive(Serialize)]
struct Counted {
    events: usize,
    of: usize,
    share: Option<f64>,
    interval: Option<Interval>,
}

impl From<Rate> for Counted {
    fn from(rate: Rate) -> Self {
        Self {
            events: rate.events,
            of: rate.of,
            share: rate.share(),
            interval: rate.interval(),
        }
    }
}

#[derive(Serialize)]
struct Numbers {
    image_auroc: Option<f64>,
    image_average_precision: Option<f64>,
    image_f1: Option<f64>,
    image_f1_max_oracle: Option<f64>,
    pixel_at_input: Pixels,
    pixel_at_original: Pixels,
    images_per_second: f64,
}

#[derive(Serialize)]
struct Pixels {
    auroc: Option<f64>,
    average_precision: Option<f64>,
    aupro: Option<f64>,
    iou_at_limit: Option<f64>,
    f1_max_oracle: Option<f64>,
}

impl From<&PixelMetrics> for Pixels {
    fn from(pixels: &PixelMetrics) -> Self {
        Self {
            auroc: pixels.auroc,
            average_precision: pixels.average_precision,
            aupro: pixels.aupro,
            iou_at_limit: pixels.iou_at_limit,
            f1_max_oracle: pixels.f1_max,
        }
    }
}

#[derive(Serialize)]
struct Type<'a> {
    name: &'a str,
    caught: Counted,
    review: usize,
    escaped: usize,
    lowest_score: f32,
}

/// The whole file.
pub fn file(facts: &Facts) -> Result<Vec<u8>> {
    let tally = facts.tally();
    let model = &facts.source.model;
    let paths = |rows: &[usize]| -> Vec<&str> {
        let rows = rows.iter().filter_map(|&index| facts.rows().get(index));
        rows.map(|row| row.path.as_str()).collect()
    };
    let file = File {
        product: facts.product(),
        run: &facts.source.run,
        program_version: env!("CARGO_PKG_VERSION"),
        scored_at: facts.source.record.scored_at,
        model: Model {
            identity: model.identity(),
            checksum: &model.checksum,
            trained_by: &model.meta.program_version,
            backbone_sha256: &model.meta.backbone.sha256,
        },
        protocol: facts.protocol(),
        limits: facts.limits(),
        rule: rule_sentence(&facts.rule, facts.pixels_per_mm()),
        limits_chosen_on_test_pictures: facts.flatters_itself(),
        proof: proof(facts),
        tally: counts(facts),
        overkill: tally.overkill().into(),
        escapes: tally.escapes().into(),
        review: tally.review().into(),
        numbers: numbers(facts),
        defect_types: types(facts),
        defect_sizes: facts.sizes.as_ref(),
        worst_false_rejects: paths(facts.overkill.shown()),
        worst_escapes: paths(facts.escapes.shown()),
        settings: &model.meta.config,
    };
    let mut bytes = serde_json::to_vec_pretty(&file)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn proof(facts: &Facts) -> Proof {
    let proof = what_it_proves(
        facts.held_out(),
        facts.rule.fail_from(),
        super::limits::CONFIDENCE,
    );
    Proof {
        held_out: proof.pictures,
        rejected: proof.rejected,
        confidence: proof.confidence,
        at_most: proof.at_most,
        interval: proof.rate,
        sentence: proof.sentence(),
    }
}

fn counts(facts: &Facts) -> Vec<Count> {
    let cells = Truth::ALL
        .into_iter()
        .flat_map(|truth| Verdict::ALL.map(|verdict| (truth, verdict)));
    cells
        .map(|(truth, verdict)| Count {
            truth,
            verdict,
            pictures: facts.tally().count(truth, verdict),
        })
        .collect()
}

fn numbers(facts: &Facts) -> Numbers {
    let evaluation = facts.evaluation();
    Numbers {
        image_auroc: evaluation.image.auroc,
        image_average_precision: evaluation.image.average_precision,
        image_f1: Confusion::of_fails(facts.tally()).f1(),
        image_f1_max_oracle: evaluation.image.f1_max,
        pixel_at_input: (&evaluation.pixel_at_input).into(),
        pixel_at_original: (&evaluation.pixel_at_original).into(),
        images_per_second: evaluation.images_per_second,
    }
}

fn types(facts: &Facts) -> Vec<Type<'_>> {
    let recall = facts.recall().into_iter();
    recall
        .map(|recall| Type {
            name: recall.name,
            caught: recall.caught().into(),
            review: recall.count(Verdict::Review),
            escaped: recall.count(Verdict::Pass),
            lowest_score: recall.weakest,
        })
        .collect()
}
