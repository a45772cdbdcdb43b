//! Runs side by side: numbers, protocols and the pictures they judge differently, read and clicked by their labels.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui_kittest::kittest::Queryable;
use flawscope::app::state::{Comparison, Pick, Place};
use flawscope::metrics::Limit;
use flawscope::worker::message::RunSummary;

use super::{Driver, Window, driver, driver_of, fake_run, settle, shows};

/// Another model of the same pictures: it misses one dent and rejects two good pictures.
pub fn other(name: &str, seed: u64) -> RunSummary {
    let mut rows = fake_run::rows();
    for row in &mut rows {
        match row.path.as_str() {
            "test/dent/003.png" => row.score = 0.41,
            "test/good/002.png" | "test/good/005.png" => row.score = 0.77,
            _ => row.score *= 1.02,
        }
    }
    let mut run = fake_run::run_of(Path::new("/pictures/lid"), rows);
    run.path = PathBuf::from("/runs").join(name);
    if let Some(evaluation) = run.evaluation.as_mut().map(Arc::make_mut) {
        evaluation.protocol.seed = seed;
        evaluation.pixel_at_input.aupro = Some(0.9544);
    }
    run.limits.review = Some(Limit::manual(0.55));
    run
}

fn beside(others: &[RunSummary], size: [f32; 2]) -> Driver {
    let mut window = Window::new(Place::Compare, fake_run::run());
    let open = window.state.run.clone().expect("a run is open");
    for other in others {
        let other = Comparison::with(&open, Arc::new(other.clone()));
        window.state.comparisons.push(other);
    }
    let mut harness = driver_of(window, size);
    settle(&mut harness);
    harness
}

#[test]
fn alone_a_run_is_invited_to_be_compared() {
    let mut harness = driver(Place::Compare);
    assert!(shows(&harness, "Nothing to compare with yet"));
    harness.get_by_label("Choose a run to compare…").click();
    settle(&mut harness);
    assert_eq!(harness.state().picked, Some(Pick::ComparedRun));
}

#[test]
fn numbers_and_protocols_stand_side_by_side_and_differences_are_named() {
    let harness = beside(&[other("lid-cfa-7", 7)], [1300.0, 1500.0]);
    for text in [
        "lid-cfa-7",
        "seed 7",
        "Picture AUROC",
        "+0.0232",
        "They differ in: ",
        "seed",
        "Seed (differs)",
    ] {
        assert!(shows(&harness, text), "{text}");
    }
    assert!(harness.query_all_by_label("Run B").count() > 3);
}

#[test]
fn a_contested_picture_is_a_click_from_being_inspected() {
    let mut harness = beside(&[other("lid-cfa-7", 7)], [1300.0, 1500.0]);
    let row = "test/dent/003.png, dent: A FAIL, B PASS";
    assert!(shows(&harness, "get different verdicts"));
    harness.get_by_label(row).click();
    settle(&mut harness);
    assert_eq!(harness.state().state.place, Place::Inspect);
    assert_eq!(harness.state().selected_name(), "test/dent/003.png");
}

#[test]
fn agreement_is_counted_and_all_pictures_can_be_listed() {
    let harness = beside(&[other("lid-cfa-7", 7)], [1300.0, 1500.0]);
    assert!(shows(&harness, "agree on"));
    assert!(shows(&harness, "A FAIL, B PASS: 1"));
    let mut twin = fake_run::run();
    twin.path = PathBuf::from("/runs/lid-cfa-twin");
    let mut harness = beside(&[twin], [1300.0, 1500.0]);
    assert!(shows(
        &harness,
        "The runs give every picture the same verdict"
    ));
    assert!(shows(&harness, "agree on 40 of 40"));
    harness.get_by_label("All pictures").click();
    settle(&mut harness);
    assert!(shows(&harness, "A FAIL, B FAIL"));
}

#[test]
fn three_runs_fit_and_each_but_the_open_one_can_be_closed() {
    let runs = [other("lid-cfa-7", 7), other("lid-cfa-8", 8)];
    let mut harness = beside(&runs, [1300.0, 1500.0]);
    assert!(harness.query_all_by_label("Run C").count() > 3);
    harness.get_by_label("Close lid-cfa-7").click();
    settle(&mut harness);
    assert_eq!(harness.state().state.comparisons.len(), 1);
    assert!(shows(&harness, "lid-cfa-8"));
    assert!(!shows(&harness, "lid-cfa-7"));
}

#[test]
fn each_kind_of_curve_can_be_shown() {
    let mut harness = beside(&[other("lid-cfa-7", 7)], [1300.0, 1500.0]);
    let auroc = harness
        .state()
        .state
        .run
        .as_ref()
        .and_then(|run| run.evaluation.as_ref()?.image_auroc);
    assert!(shows(
        &harness,
        &format!("AUROC {:.4}", auroc.expect("both classes"))
    ));
    harness.get_by_label("Per-region overlap").click();
    settle(&mut harness);
    assert!(shows(&harness, "AUPRO 0.9544"));
    harness.get_by_label("Corner").click();
    settle(&mut harness);
    assert!(shows(&harness, "AUPRO 0.9312"));
}

#[test]
fn other_test_pictures_are_warned_about() {
    let mut run = other("lid-cfa-7", 7);
    if let Some(evaluation) = run.evaluation.as_mut().map(Arc::make_mut) {
        evaluation.images.truncate(30);
    }
    let harness = beside(&[run], [1300.0, 1500.0]);
    assert!(shows(
        &harness,
        "30 of the 40 pictures of A are judged by all"
    ));
    assert!(shows(&harness, "Not ranked: the runs were judged on"));
    assert_eq!(harness.query_all_by_label("best").count(), 0);
    assert!(!shows(&harness, "+0.0232"));
}

#[test]
fn other_training_pictures_are_no_other_test_pictures() {
    let mut run = other("lid-cfa-7", 7);
    if let Some(evaluation) = run.evaluation.as_mut().map(Arc::make_mut) {
        evaluation.protocol.data_fingerprint = "ab".repeat(32);
    }
    let harness = beside(&[run], [1300.0, 1500.0]);
    assert!(!shows(&harness, "Other test pictures"));
    assert!(shows(&harness, "Training data SHA-256 (differs)"));
    assert!(harness.query_all_by_label("best").count() > 0);
}
