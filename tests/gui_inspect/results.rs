//! The limit in the user's hand, and the numbers that follow it.

use std::sync::Arc;

use eframe::egui::{Role, vec2};
use egui_kittest::kittest::Queryable;
use flawscope::app::state::Place;
use flawscope::metrics::{Curve, Evaluation, ImageMetrics, PixelMetrics};

use super::{Window, driver, driver_of, fake_run, shows};

#[test]
fn the_confusion_matrix_and_rates_are_said_in_words() {
    let harness = driver(Place::Results);
    for text in [
        "Good passed 10",
        "Overkill 2",
        "Escapes 2",
        "Caught 26",
        "2 of 12 good pictures fail",
        "2 of 28 defective pictures pass",
        "16.7 %",
        "7.1 %",
        "maximum of 21 held-out good pictures",
        "None of 21 held-out good pictures fail at this limit: at 95\u{a0}% confidence at most 13.3\u{a0}%",
    ] {
        assert!(shows(&harness, text), "{text}");
    }
}

#[test]
fn f1_at_the_limit_and_the_oracles_best_are_both_shown_and_told_apart() {
    let mut harness = driver(Place::Results);
    harness.set_size(vec2(1200.0, 2400.0));
    harness.run_steps(4);
    let honest = harness.get_by_label("F1").rect();
    let oracle = harness.get_by_label("Best F1").rect();
    let words = harness
        .get_by_label_contains("Oracle: chosen by looking")
        .rect();
    assert!(honest.bottom() < words.top() && words.bottom() <= oracle.top());
}

#[test]
fn setting_the_limit_moves_every_number_at_once() {
    let mut harness = driver(Place::Results);
    harness
        .get_by_role_and_label(Role::SpinButton, "T2, fail from")
        .set_value_accesskit(0.53);
    harness.run_steps(2);
    for text in [
        "Good passed 8",
        "Overkill 4",
        "Escapes 1",
        "Caught 27",
        "33.3 %",
        "set by hand",
        "held-out good pictures fail at this limit",
    ] {
        assert!(shows(&harness, text), "{text}");
    }
}

#[test]
fn numbers_carry_where_their_limit_came_from_and_the_oracle_stands_apart() {
    let mut harness = driver_of(
        Window::new(Place::Results, fake_run::run()),
        [1600.0, 2400.0],
    );
    harness.run_steps(4);
    for text in [
        "needs no limit",
        "maximum of 21 held-out good pictures",
        "99.9 % quantile of 21 held-out good pictures",
        "oracle: best F1 on the test set",
        "Oracle: chosen by looking at the answers",
        "0.9803",
        "0.9788",
        "30, always the last",
        "12 good, 28 defective",
    ] {
        assert!(shows(&harness, text), "{text}");
    }
    harness.get_by_label("Copy table").click();
    harness.run_steps(2);
    let copied = harness.state().copied.clone().expect("copied");
    assert!(
        copied.starts_with("Number\tPictures\tPixels, input size\tPixels, original size\tLimit\n")
    );
    assert!(copied.contains("AUPRO up to 0.3\t\t0.9312\t0.9312\tneeds no limit\n"));
    assert!(copied.contains("Best F1\t0.9643\t0.7050\t0.7050\toracle: best F1 on the test set\n"));
    assert!(copied.contains("Seed\t0\n"));
}

#[test]
fn curves_show_the_working_point_in_words_on_both_grids() {
    let mut harness = driver_of(
        Window::new(Place::Results, fake_run::run()),
        [1600.0, 2400.0],
    );
    harness.run_steps(4);
    assert!(shows(
        &harness,
        "Pictures: 92.9 % of defects caught, 16.7 % overkill"
    ));
    assert!(shows(&harness, "Pixels, AUROC 0.9803"));
    harness.get_by_label("Original size").click();
    harness.run_steps(3);
    assert!(shows(&harness, "Pixels, AUROC 0.9788") && !shows(&harness, "Pixels, AUROC 0.9803"));
}

#[test]
fn a_test_set_of_good_pictures_shows_not_available_instead_of_numbers() {
    let mut run = fake_run::run();
    let evaluation = run.evaluation.clone().expect("it is evaluated");
    let good = evaluation.images.iter().filter(|row| !row.is_defective());
    let pixel = PixelMetrics {
        roc: Curve::default(),
        ..PixelMetrics::default()
    };
    run.evaluation = Some(Arc::new(Evaluation {
        images: good.cloned().collect(),
        image: ImageMetrics::default(),
        pixel_at_input: pixel.clone(),
        pixel_at_original: pixel,
        ..(*evaluation).clone()
    }));
    let mut harness = driver_of(Window::new(Place::Results, run), [1600.0, 2400.0]);
    harness.run_steps(4);
    for text in ["n/a", "The test set has no defective pictures", "AUROC n/a"] {
        assert!(shows(&harness, text), "{text}");
    }
}

/// A run of a model that learned from these defects as well as from good pictures.
fn run_with_seen(ids: &[&str]) -> flawscope::worker::message::RunSummary {
    let mut run = fake_run::run();
    let mut evaluation = Evaluation::clone(run.evaluation.as_ref().expect("it is evaluated"));
    "prn".clone_into(&mut evaluation.protocol.model);
    evaluation.protocol.seen = Some(ids.iter().map(|&id| id.to_owned()).collect());
    run.evaluation = Some(Arc::new(evaluation));
    run
}

#[test]
fn seen_defects_are_printed_with_the_numbers_and_can_be_copied() {
    let ids = [
        "test/broken_large/003.png",
        "test/broken_small/011.png",
        "test/contamination/007.png",
    ];
    let size = [1600.0, 2400.0];
    let mut harness = driver_of(Window::new(Place::Results, run_with_seen(&ids)), size);
    harness.run_steps(4);
    assert!(shows(&harness, "3 seen defects left out"), "in the head");
    let said = "3 seen defects learned from and left out of the test set";
    assert!(!shows(&harness, ids[0]));
    // Above the numbers; the protocol beside them says the same.
    let first = harness.get_all_by_label(said).next();
    first.expect("said").click();
    harness.run_steps(20);
    for id in ids {
        assert!(shows(&harness, id), "{id}");
    }
    look(&mut harness, "results-seen");
    harness.get_by_label("Copy list").click();
    harness.run_steps(2);
    assert_eq!(harness.state().copied.clone().unwrap(), ids.join("\n"));
    harness.get_by_label("Copy table").click();
    harness.run_steps(2);
    let copied = harness.state().copied.clone().unwrap();
    let line = format!("Seen defects\t{said}: {}\n", ids.join(", "));
    assert!(copied.contains(&line), "{copied}");
}

#[test]
fn numbers_of_a_purely_synthetic_training_say_so_and_other_models_say_nothing() {
    let synthetic = Window::new(Place::Results, run_with_seen(&[]));
    let mut harness = driver_of(synthetic, [1600.0, 2400.0]);
    harness.run_steps(4);
    let said = "Purely synthetic: the published numbers of PRN do not apply";
    assert_eq!(harness.query_all_by_label(said).count(), 2);
    assert!(shows(&harness, "purely synthetic"));
    look(&mut harness, "results-synthetic");
    let mut other = driver_of(
        Window::new(Place::Results, fake_run::run()),
        [1600.0, 2400.0],
    );
    other.run_steps(4);
    assert!(!shows(&other, "seen defect") && !shows(&other, "synthetic"));
}

/// Draws the window to be looked at, into the folder named by `FLAWSCOPE_LOOK`; else does nothing.
fn look(harness: &mut super::Driver, name: &str) {
    if let Some(folder) = std::env::var_os("FLAWSCOPE_LOOK") {
        let path = std::path::PathBuf::from(folder).join(format!("{name}.png"));
        let picture = harness.render().expect("drawn");
        picture.save(path).expect("written");
    }
}
