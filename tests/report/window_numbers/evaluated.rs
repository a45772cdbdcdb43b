//! The numbers of Results against what `flawscope eval` has just told about the same run, as JSON and as text.

use serde_json::Value;

use super::labels::Labels;
use super::told::Told;

pub fn check_json(shown: &Labels, eval: &Value, told: &mut Told) {
    let row = |name: &str| shown.after("All numbers", name);
    let grids = ["image", "pixel_at_input", "pixel_at_original"].map(|name| &eval[name]);
    for (name, key) in [
        ("AUROC", "auroc"),
        ("Average precision", "average_precision"),
        ("Best F1", "f1_max"),
        ("Limit of the best F1", "f1_max_limit"),
    ] {
        for (cell, grid) in row(name).iter().zip(grids) {
            told.number(name, cell, &grid[key]);
        }
    }
    for (name, key) in [
        ("AUPRO up to 0.3", "aupro"),
        ("IoU at the run's pixel limit", "iou_at_limit"),
        ("Best IoU", "iou_max"),
    ] {
        for (cell, grid) in row(name).iter().zip(grids).skip(1) {
            told.number(name, cell, &grid[key]);
        }
    }
    for (name, key, column) in [
        ("AUROC", "image_auroc", 0),
        ("AUROC", "pixel_auroc", 1),
        ("Average precision", "image_ap", 0),
        ("Average precision", "pixel_ap", 1),
        ("AUPRO up to 0.3", "aupro", 1),
        ("F1", "image_f1", 0),
        ("Best F1", "image_f1_max", 0),
        ("Best F1", "pixel_f1_max", 1),
    ] {
        told.number(key, row(name)[column], &eval[key]);
    }
}

pub fn check_text(shown: &Labels, text: &str, told: &mut Told) {
    let line = |name: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(name));
        found.unwrap_or_else(|| panic!("no {name:?} in {text}"))
    };
    for (printed, name, columns) in [
        ("AUROC", "AUROC", 0..3),
        ("average precision", "Average precision", 0..3),
        ("AUPRO (FPR ≤ 0.3)", "AUPRO up to 0.3", 1..3),
        ("IoU at pixel limit", "IoU at the run's pixel limit", 1..3),
        ("F1 at these limits", "F1", 0..1),
        ("F1-max (oracle)", "Best F1", 0..3),
    ] {
        let cells = shown.after("All numbers", name);
        let numbers: Vec<&str> = line(printed).split_whitespace().collect();
        for column in columns {
            told.text(printed, cells[column], numbers[column]);
        }
    }
    let limit = |name: &str| {
        let number = line(name).split(',').next().unwrap().trim();
        Value::from(number.parse::<f64>().unwrap())
    };
    let t2 = limit("Limit  ");
    told.number("T2", &shown.field("T2, fail from"), &t2);
    if text.contains("Review from") {
        let t1 = limit("Review from");
        told.number("T1", &shown.field("T1, pass below"), &t1);
    }
    rates(shown, line("At this limit"), told);
}

/// `overkill 2 of 40 (0.6 to 16.9 %), escapes …`.
fn rates(shown: &Labels, printed: &str, told: &mut Told) {
    for (name, what) in [
        ("overkill", "good pictures fail; "),
        ("escapes", "defective pictures pass; "),
        ("review", "pictures need a person; "),
    ] {
        let (_, rest) = printed.split_once(&format!("{name} ")).unwrap();
        let (counts, rest) = rest.split_once(" (").unwrap();
        let counted = shown.with(what);
        told.is(name, counted.starts_with(&format!("{counts} ")));
        let (interval, _) = rest.split_once(" %)").unwrap();
        let (low, high) = interval.split_once(" to ").unwrap();
        let (_, interval) = counted.split_once("95 % interval ").unwrap();
        told.text(name, interval, &format!("{low} % to {high} %"));
    }
}
