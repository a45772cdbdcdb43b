//! The page: what a reader of the report sees, from the verdict down to the hashes. Markup only; numbers come from the
//! facts.

use std::fmt::Write;

use super::facts::{CONFIDENCE, Facts, interval};
use super::html::{escaped, origin, section, table, verdict};
use super::pictures::{Example, Examples};
use super::svg::interval_bar;
use super::{curves, words};
use crate::metrics::{Limit, PixelMetrics, Rate, Truth, Verdict};

const STYLE: &str = include_str!("style.css");

pub fn page(facts: &Facts<'_>, examples: &Examples) -> String {
    let title = format!("Inspection report: {}", escaped(&facts.product));
    let sections = [
        summary(facts),
        data(facts),
        limits(facts),
        verdicts(facts),
        recall(facts),
        sizes(facts),
        numbers(facts),
        section("Curves", &curves::curves(facts)),
        pictures(facts, examples),
        protocol(facts),
        settings(facts),
    ];
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{}\
         <footer>Written by Flawscope {}. Every number is of this run's test pictures at the limits above.</footer>\n\
         </body>\n</html>\n",
        sections.concat(),
        escaped(env!("CARGO_PKG_VERSION"))
    )
}

/// Who was judged by what, and with which outcome.
fn summary(facts: &Facts<'_>) -> String {
    let protocol = &facts.evaluation.protocol;
    let scored = facts.scored.as_deref().unwrap_or("at an unknown time");
    let who = format!(
        "<p class=\"muted\">Run {}: {} on {}, {} × {} px, seed {}. Scored {scored}.</p>\n",
        escaped(&facts.name),
        escaped(facts.meta.config.model.title()),
        escaped(&protocol.backbone),
        protocol.input_width,
        protocol.input_height,
        protocol.seed
    );
    let tally = &facts.judgement.tally;
    let rates = [
        ("Overkill", tally.overkill(), "good pictures fail"),
        ("Escapes", tally.escapes(), "defective pictures pass"),
        ("Review", tally.review(), "pictures need a person"),
    ]
    .map(|(name, rate, what)| rate_block(name, rate, what));
    format!(
        "{who}<div class=\"verdict\"><div class=\"rates\">{}</div><p>{}.</p></div>\n",
        rates.concat(),
        escaped(&facts.proof)
    )
}

fn rate_block(name: &str, rate: Rate, what: &str) -> String {
    let told = interval(rate).map_or_else(
        || "none in this test set".to_owned(),
        |interval| {
            format!(
                "{} of {} {what}<br>95 % interval {} to {}",
                words::grouped(rate.events),
                words::grouped(rate.of),
                words::percent(interval.low),
                words::percent(interval.high)
            )
        },
    );
    format!(
        "<div>{name}<b>{}</b><span class=\"muted\">{told}</span></div>",
        words::rate(rate)
    )
}

fn data(facts: &Facts<'_>) -> String {
    let protocol = &facts.evaluation.protocol;
    let mut rows = vec![
        fact(
            "Trained on",
            words::count(protocol.training_pictures, "good picture"),
        ),
        fact(
            "Held out for the limits",
            words::count(protocol.calibration_pictures, "good picture"),
        ),
        fact(
            "Tested on",
            format!(
                "{} good and {} defective pictures",
                words::grouped(protocol.test_good),
                words::grouped(protocol.test_defective)
            ),
        ),
    ];
    for recall in &facts.types {
        let pictures = recall.caught().of;
        rows.push(fact(
            &format!("– {}", recall.name),
            words::count(pictures, "picture"),
        ));
    }
    for (count, name, what) in [
        (
            protocol.unlabelled,
            "Unlabelled",
            "scored and counted in no rate of good or defective pictures",
        ),
        (
            protocol.without_mask,
            "Without a mask",
            "judged as pictures, absent from the pixel numbers",
        ),
        (protocol.unreadable, "Unreadable", "left out"),
    ] {
        if count > 0 {
            rows.push(fact(
                name,
                format!("{}, {what}", words::count(count, "picture")),
            ));
        }
    }
    section("Pictures", &table(&[], &rows))
}

fn fact(name: &str, value: impl Into<String>) -> Vec<String> {
    vec![escaped(name), escaped(&value.into())]
}

fn limits(facts: &Facts<'_>) -> String {
    let rule = &facts.rule;
    let row = |name: &str, limit: &Limit, meaning: &str| {
        vec![
            name.to_owned(),
            words::score(limit.value),
            meaning.to_owned(),
            origin(&limit.origin),
        ]
    };
    let mut rows = Vec::new();
    if let Some(review) = &rule.review {
        rows.push(row("T1", review, "scores below it pass"));
    }
    let meaning = match rule.review {
        Some(_) => "scores from it on fail; between T1 and T2 a person decides",
        None => "scores from it on fail, others pass",
    };
    rows.push(row("T2", &rule.fail, meaning));
    rows.push(row(
        "Pixel limit",
        &rule.pixel,
        "map pixels from it on belong to a region",
    ));
    let area = if rule.area.is_off() {
        "<p>The image score alone decides; regions are only shown.</p>".to_owned()
    } else {
        let area = words::area(rule.area.pixels, facts.meta.limits.pixels_per_mm);
        format!(
            "<p><b>{}</b>: {}. Smallest area: {area}.</p>",
            rule.area.combination.name(),
            rule.area.combination.meaning()
        )
    };
    let legend = "<p class=\"legend\"><span class=\"key good\"></span> good, upwards \
                  <span class=\"key defective\"></span> defective, downwards \
                  <span class=\"key unlabelled\"></span> unlabelled</p>";
    let contents = format!(
        "{}{area}<p>{}.</p>{legend}{}",
        table(&["Limit", "Score", "Meaning", "Where it comes from"], &rows),
        escaped(&facts.proof),
        curves::histogram(facts)
    );
    section("Limits and what they prove", &contents)
}

/// The confusion matrix with its REVIEW column.
fn verdicts(facts: &Facts<'_>) -> String {
    let tally = &facts.judgement.tally;
    let mut text = String::from("<table class=\"matrix\"><thead><tr><th scope=\"col\"></th>");
    for of in Verdict::ALL {
        let _ = write!(text, "<th scope=\"col\">{}</th>", verdict(of));
    }
    text.push_str("</tr></thead><tbody>");
    for truth in Truth::ALL {
        if truth == Truth::Unlabelled && tally.pictures(truth) == 0 {
            continue;
        }
        let _ = write!(text, "<tr><th scope=\"row\">{}</th>", truth.name());
        for of in Verdict::ALL {
            let is_error = matches!(
                (truth, of),
                (Truth::Good, Verdict::Fail) | (Truth::Defective, Verdict::Pass)
            );
            let count = tally.count(truth, of);
            let class = if is_error && count > 0 {
                " class=\"wrong\""
            } else {
                ""
            };
            let _ = write!(text, "<td{class}>{}</td>", words::grouped(count));
        }
        text.push_str("</tr>");
    }
    text.push_str("</tbody></table>\n");
    section("Verdicts", &text)
}

fn recall(facts: &Facts<'_>) -> String {
    if facts.types.is_empty() {
        let nothing = "<p class=\"muted\">The test set has no defective pictures.</p>";
        return section("Caught by defect type", nothing);
    }
    let rows: Vec<Vec<String>> = facts
        .types
        .iter()
        .map(|recall| {
            let caught = recall.caught();
            vec![
                escaped(&recall.name),
                format!("{} of {}", caught.events, caught.of),
                recall.count(Verdict::Review).to_string(),
                recall.count(Verdict::Pass).to_string(),
                words::rate(caught),
                with_interval(caught),
            ]
        })
        .collect();
    let heads = [
        "Defect",
        "Caught",
        "To review",
        "Escaped",
        "Recall",
        "95 % interval",
    ];
    section("Caught by defect type", &table(&heads, &rows))
}

fn with_interval(rate: Rate) -> String {
    let known = interval(rate).zip(rate.share());
    known.map_or_else(
        || words::NOT_AVAILABLE.to_owned(),
        |(interval, share)| {
            format!(
                "{} to {}{}",
                words::percent(interval.low),
                words::percent(interval.high),
                interval_bar(share, interval.low, interval.high)
            )
        },
    )
}

fn sizes(facts: &Facts<'_>) -> String {
    let Some(curve) = &facts.sizes else {
        let nothing = "<p class=\"muted\">No test picture has a mask that marks a defect, or an earlier program scored them: \
                       score the run again to measure its regions.</p>";
        return section("Smallest defect found", nothing);
    };
    let scale = facts.meta.limits.pixels_per_mm;
    let told = |area: Option<usize>, nothing: &str| {
        area.map_or_else(
            || nothing.to_owned(),
            |area| words::area(area as f64, scale),
        )
    };
    let found: usize = curve.bins.iter().map(|bin| bin.found).sum();
    let total: usize = curve.bins.iter().map(|bin| bin.total).sum();
    let rows = [
        fact(
            "Found",
            format!("{found} of {}", words::count(total, "defect")),
        ),
        fact("Smallest found", told(curve.smallest_found, "none")),
        fact("Largest missed", told(curve.largest_missed, "none")),
        fact("All found from", told(curve.all_found_from, "no size")),
    ];
    let meaning = "<p class=\"muted\">A defect counts as found when a region at or above the pixel limit touches it; with an \
                   area rule, a region that is large enough. Whiskers: exact 95 % intervals.</p>";
    let contents = format!("{}{meaning}{}", table(&[], &rows), curves::sizes(curve));
    section("Smallest defect found", &contents)
}

fn numbers(facts: &Facts<'_>) -> String {
    let evaluation = facts.evaluation;
    let row = |name: &str, image: Option<String>, pixel: fn(&PixelMetrics) -> Option<f64>| {
        vec![
            name.to_owned(),
            image.unwrap_or_default(),
            words::metric(pixel(&evaluation.pixel_at_input)),
            words::metric(pixel(&evaluation.pixel_at_original)),
        ]
    };
    let image = |value| Some(words::metric(value));
    let oracle = "Best F1 <span class=\"badge oracle\">oracle</span>";
    let rows = [
        row("AUROC", image(evaluation.image.auroc), |p| p.auroc),
        row(
            "Average precision",
            image(evaluation.image.average_precision),
            |p| p.average_precision,
        ),
        row("AUPRO up to 0.3", None, |p| p.aupro),
        row("IoU at the run's pixel limit", None, |p| p.iou_at_limit),
        row(oracle, image(evaluation.image.f1_max), |p| p.f1_max),
    ];
    let heads = [
        "",
        "Pictures",
        "Pixels, input size",
        "Pixels, original size",
    ];
    section("Numbers that need no limit in force", &table(&heads, &rows))
}

fn pictures(facts: &Facts<'_>, examples: &Examples) -> String {
    let kinds = [
        (
            "Worst false rejects",
            &examples.overkill,
            "No good picture fails.",
        ),
        (
            "Worst escapes",
            &examples.escapes,
            "No defective picture passes.",
        ),
    ];
    let shown = kinds.map(|(title, examples, nothing)| {
        let contents = if examples.is_empty() {
            format!("<p class=\"muted\">{nothing}</p>")
        } else {
            let shown: Vec<String> = examples.iter().map(|e| example(facts, e)).collect();
            format!("<div class=\"examples\">{}</div>", shown.concat())
        };
        section(title, &contents)
    });
    shown.concat()
}

fn example(facts: &Facts<'_>, example: &Example) -> String {
    let Some(row) = facts.evaluation.images.get(example.index) else {
        return String::new();
    };
    let name = escaped(&row.path);
    let pair = match &example.shown {
        Ok([picture, heat]) => format!(
            "<div class=\"pair\"><img src=\"{picture}\" alt=\"{name}\">\
             <img src=\"{heat}\" alt=\"Heatmap of {name}, contour at the pixel limit\"></div>"
        ),
        Err(reason) => format!(
            "<p class=\"muted\">Cannot be shown: {}</p>",
            escaped(reason)
        ),
    };
    format!(
        "<div class=\"example\">{pair}<p>{} {name}, {}, score {}</p></div>\n",
        verdict(facts.verdict(example.index)),
        escaped(&row.defect),
        words::score(row.score)
    )
}

fn protocol(facts: &Facts<'_>) -> String {
    let protocol = &facts.evaluation.protocol;
    let seen = match protocol.seen.as_deref() {
        None => "does not apply: the model learns from good pictures alone".to_owned(),
        Some([]) => "none: purely synthetic training".to_owned(),
        Some(ids) => format!("{}: {}", ids.len(), ids.join(", ")),
    };
    let rows = [
        fact("Model", protocol.model.clone()),
        fact("Backbone", protocol.backbone.clone()),
        fact(
            "Input",
            format!(
                "{}, {} × {} px",
                protocol.input, protocol.input_width, protocol.input_height
            ),
        ),
        fact("Epochs", format!("{}, always the last", protocol.epochs)),
        fact("Seed", protocol.seed.to_string()),
        fact("Seen defects", seen),
        fact(
            "Speed",
            format!(
                "{:.2} pictures/s, decoding included, on {}",
                facts.evaluation.images_per_second, protocol.device
            ),
        ),
        fact("Confidence of all intervals", words::percent(CONFIDENCE)),
    ];
    let note = "<p class=\"muted\">The test pictures touched neither the model nor, unless a badge says so, its limits.</p>";
    section("Protocol", &format!("{}{note}", table(&[], &rows)))
}

fn settings(facts: &Facts<'_>) -> String {
    let protocol = &facts.evaluation.protocol;
    let hash = |name: &str, value: &str| {
        vec![
            name.to_owned(),
            format!("<span class=\"hash\">{}</span>", escaped(value)),
        ]
    };
    let settings = serde_json::to_string_pretty(&facts.meta.config).unwrap_or_default();
    let rows = [
        hash("Model file, SHA-256", facts.checksum),
        hash("Backbone weights, SHA-256", &protocol.backbone_sha256),
        hash("Training pictures, SHA-256", &protocol.data_fingerprint),
        fact(
            "Trained by",
            format!("Flawscope {}", facts.meta.program_version),
        ),
        fact(
            "Scored by",
            format!("Flawscope {}", protocol.program_version),
        ),
    ];
    section(
        "Settings and hashes",
        &format!(
            "{}<pre class=\"hash\">{}</pre>",
            table(&[], &rows),
            escaped(&settings)
        ),
    )
}
