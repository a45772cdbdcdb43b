//! The whole road to a report from the command line: a model that was really trained, on pictures that were really scored.

use std::fs;

use super::{refused, succeed};

#[test]
fn a_trained_run_is_reported_once_it_is_scored() {
    let home = tempfile::tempdir().unwrap();
    let at = home.path();
    succeed(at, &["sample", "--out", "data", "--count", "12"]);
    let quick = ["--model", "cfa", "--input", "128", "--epochs", "1"];
    let train = ["train", "--data", "data", "--out", "run"];
    succeed(at, &[&train[..], &quick].concat());
    let report = ["report", "--run", "run", "--out", "report.html"];
    let said = refused(at, &report);
    assert!(said.contains("flawscope eval --run run"), "{said}");
    assert!(!at.join("report.html").exists());

    let told = succeed(at, &["eval", "--run", "run", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(succeed(at, &report).lines().count(), 3);
    let page = fs::read_to_string(at.join("report.html")).unwrap();
    let text = fs::read_to_string(at.join("report.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let numbers = &json["numbers"];
    assert_eq!(numbers["image_auroc"], told["image_auroc"]);
    assert_eq!(numbers["pixel_at_input"]["aupro"], told["aupro"]);
    assert!(json["scored_at"].is_u64());
    let auroc = told["image_auroc"].as_f64().unwrap();
    assert!(page.contains(&format!(">{auroc:.4}</td>")), "{auroc}");
    let table = fs::read_to_string(at.join("report.csv")).unwrap();
    let pictures = told["images"].as_array().unwrap().len();
    assert_eq!(table.lines().count(), pictures + 1);
}
