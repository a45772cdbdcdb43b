//! The numbers of Results against `report.json`: the table, the confusion matrix, rates with intervals, recall by type.

use flawscope::metrics::{Outcome, Truth, Verdict};
use serde_json::Value;

use super::labels::Labels;
use super::told::Told;

/// Rows of the table of numbers: columns for pictures, pixels at input size, pixels at original size.
const PIXELS: [(&str, &str); 3] = [
    ("AUROC", "auroc"),
    ("Average precision", "average_precision"),
    ("AUPRO up to 0.3", "aupro"),
];

pub fn check(shown: &Labels, report: &Value, told: &mut Told) {
    table(shown, report, told);
    rates(shown, report, told);
    matrix(shown, report, told);
    recall(shown, report, told);
}

fn table(shown: &Labels, report: &Value, told: &mut Told) {
    let numbers = &report["numbers"];
    let (input, original) = (&numbers["pixel_at_input"], &numbers["pixel_at_original"]);
    let row = |name: &str| shown.after("All numbers", name);
    for (name, key) in PIXELS {
        let cells = row(name);
        told.number(name, cells[1], &input[key]);
        told.number(name, cells[2], &original[key]);
    }
    told.number("AUROC", row("AUROC")[0], &numbers["image_auroc"]);
    let precision = &numbers["image_average_precision"];
    told.number("AP", row("Average precision")[0], precision);
    told.number("F1", row("F1")[0], &numbers["image_f1"]);
    let overlap = row("IoU at the run's pixel limit");
    told.number("IoU", overlap[1], &input["iou_at_limit"]);
    told.number("IoU", overlap[2], &original["iou_at_limit"]);
    let best = row("Best F1");
    told.number("best F1", best[0], &numbers["image_f1_max_oracle"]);
    told.number("best F1", best[1], &input["f1_max_oracle"]);
    told.number("best F1", best[2], &original["f1_max_oracle"]);
    for (name, key) in [("Overkill rate", "overkill"), ("Escape rate", "escapes")] {
        told.percent(name, row(name)[0], &report[key]["share"]);
    }
}

/// In the head, large beside the matrix, and with counts and interval below.
fn rates(shown: &Labels, report: &Value, told: &mut Told) {
    for (name, key, what) in [
        ("Overkill", "overkill", "good pictures fail; "),
        ("Escapes", "escapes", "defective pictures pass; "),
        ("Review", "review", "pictures need a person; "),
    ] {
        let rate = &report[key];
        for heading in ["Results", "At these limits"] {
            let value = shown.after(heading, name)[0];
            told.percent(name, value, &rate["share"]);
        }
        if rate["of"] == 0 {
            continue;
        }
        let counted = shown.with(what);
        told.counts(name, counted, rate);
        let (_, interval) = counted.split_once("95 % interval ").unwrap();
        told.interval(name, interval, rate);
    }
}

fn count(report: &Value, truth: Truth, verdict: Verdict) -> &Value {
    let cells = report["tally"].as_array().unwrap();
    let is_cell = |cell: &&Value| {
        cell["truth"] == serde_json::to_value(truth).unwrap()
            && cell["verdict"] == serde_json::to_value(verdict).unwrap()
    };
    &cells.iter().find(is_cell).unwrap()["pictures"]
}

fn matrix(shown: &Labels, report: &Value, told: &mut Told) {
    let all = |truth| Verdict::ALL.map(|v| count(report, truth, v).as_u64().unwrap());
    for truth in Truth::ALL {
        if truth == Truth::Unlabelled && all(truth) == [0; 3] {
            continue;
        }
        for verdict in Verdict::ALL {
            let pictures = count(report, truth, verdict);
            let cell = format!("{} {pictures}", Outcome::new(truth, verdict).name());
            told.is(&cell, shown.says(&cell));
        }
    }
    let judged = Verdict::ALL.map(|verdict| {
        let counts = Truth::ALL.map(|truth| count(report, truth, verdict).as_u64().unwrap());
        format!("{} {}", counts.iter().sum::<u64>(), verdict.word())
    });
    told.is("verdicts in the head", shown.says(&judged.join(", ")));
}

fn recall(shown: &Labels, report: &Value, told: &mut Told) {
    for kind in report["defect_types"].as_array().unwrap() {
        let name = kind["name"].as_str().unwrap();
        let cells = shown.after("Caught by defect type", name);
        told.counts(name, cells[0], &kind["caught"]);
        told.interval(name, cells[2], &kind["caught"]);
        let others = format!("{} review, {} escaped", kind["review"], kind["escaped"]);
        told.text(name, cells[3], &others);
        told.number(name, cells[4], &kind["lowest_score"]);
    }
}
