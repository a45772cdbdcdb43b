//! The gallery: strip and grid, orders, filters, several pictures chosen at once; driven and read by labels.

use std::path::Path;
use std::sync::Arc;

use eframe::egui::{Key, Modifiers, Role};
use egui_kittest::kittest::Queryable;
use flawscope::app::state::{Comparison, Place};

use super::compare::other;
use super::{Driver, Window, driver, driver_of, fake_run, listed, settle, shows};

fn click(harness: &mut Driver, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(3);
}

/// Clicks a picture with these keys held.
fn click_picture(harness: &mut Driver, name: &str, modifiers: Modifiers) {
    let label = format!("{name},");
    harness
        .get_by_label_contains(&label)
        .click_modifiers(modifiers);
    harness.run_steps(3);
}

fn press(harness: &mut Driver, modifiers: Modifiers, key: Key) {
    harness.key_press_modifiers(modifiers, key);
    harness.run_steps(3);
}

/// Opens a combo box and returns whether it has this choice; takes it where it does.
fn take(harness: &mut Driver, combo: &str, choice: &str) -> bool {
    harness.get_by_role_and_label(Role::ComboBox, combo).click();
    harness.run_steps(2);
    let found = harness.query_by_role_and_label(Role::Button, choice);
    let there = found.is_some();
    if let Some(found) = found {
        found.click();
    }
    harness.run_steps(3);
    there
}

/// How many pictures stand side by side in the first row.
fn columns(harness: &Driver) -> usize {
    let tops: Vec<f32> = harness
        .query_all_by_role(Role::ListBoxOption)
        .map(|tile| tile.rect().top())
        .collect();
    tops.iter().filter(|&&top| top == tops[0]).count()
}

#[test]
fn strip_and_grid_list_the_same_pictures_and_down_moves_by_a_row() {
    let mut harness = driver(Place::Inspect);
    assert_eq!(columns(&harness), 1);
    let in_strip = listed(&harness);
    click(&mut harness, "Grid");
    let side_by_side = columns(&harness);
    assert!(side_by_side > 1, "{side_by_side}");
    let in_grid = listed(&harness);
    assert_eq!(in_grid[..4], in_strip[..4]);
    press(&mut harness, Modifiers::NONE, Key::ArrowDown);
    assert_eq!(harness.state().selected_name(), in_grid[side_by_side]);
    press(&mut harness, Modifiers::NONE, Key::ArrowUp);
    press(&mut harness, Modifiers::NONE, Key::ArrowRight);
    assert_eq!(harness.state().selected_name(), in_grid[1]);
    press(&mut harness, Modifiers::NONE, Key::End);
    let last = harness.state().selected_name().to_owned();
    assert!(listed(&harness).contains(&last), "{last} is in view");
    click(&mut harness, "Strip");
    assert_eq!(columns(&harness), 1);
    assert!(listed(&harness).contains(&last), "{last} is still in view");
}

#[test]
fn every_picture_says_its_verdict_score_and_error() {
    let mut harness = driver(Place::Inspect);
    for arrangement in ["Strip", "Grid"] {
        click(&mut harness, arrangement);
        assert!(shows(
            &harness,
            "test/scratch/006.png, FAIL, score 1.570, caught"
        ));
        click(&mut harness, "Escapes 2");
        assert!(shows(
            &harness,
            "test/dent/000.png, PASS, score 0.5400, escape"
        ));
        click(&mut harness, "Clear filters");
    }
    assert!(shows(&harness, "40 pictures"));
}

#[test]
fn cells_add_up_and_nothing_left_leads_back() {
    let mut harness = driver(Place::Inspect);
    click(&mut harness, "Escapes 2");
    click(&mut harness, "Overkill 2");
    assert_eq!(listed(&harness).len(), 4);
    harness.get_by_label("Search by name").focus();
    harness.run_steps(2);
    harness.get_by_label("Search by name").type_text("nowhere");
    harness.run_steps(3);
    assert!(shows(&harness, "No picture matches; clear the filters"));
    click(&mut harness, "Clear filters");
    assert!(shows(&harness, "40 pictures") && !shows(&harness, "Clear filters"));
}

#[test]
fn several_pictures_are_chosen_and_copied() {
    let mut harness = driver(Place::Inspect);
    let names = listed(&harness);
    click_picture(&mut harness, &names[2], Modifiers::COMMAND);
    assert!(shows(&harness, "2 selected"));
    assert_eq!(harness.state().selected_name(), names[0], "still looked at");
    click_picture(&mut harness, &names[3], Modifiers::SHIFT);
    assert!(shows(&harness, "4 selected"));
    click_picture(&mut harness, &names[1], Modifiers::COMMAND);
    assert!(shows(&harness, "3 selected"));
    click(&mut harness, "Copy names");
    let copied = harness.state().copied.clone().expect("names");
    assert_eq!(copied.lines().count(), 3);
    assert!(copied.contains(&names[0]) && !copied.contains(&names[1]));
    click(&mut harness, "Copy as CSV");
    let copied = harness.state().copied.clone().expect("a table");
    assert!(copied.starts_with("path,truth,defect,score,verdict\n"));
    let row = copied
        .lines()
        .find(|line| line.starts_with("test/scratch/006.png,"));
    let row = row.expect("the best scored picture");
    assert!(
        row.contains(",defective,scratch,1.5") && row.ends_with(",FAIL"),
        "{row}"
    );
    click_picture(&mut harness, &names[1], Modifiers::NONE);
    assert!(!shows(&harness, "selected") && !shows(&harness, "Copy names"));
    assert_eq!(harness.state().selected_name(), names[1]);
}

#[test]
fn control_a_chooses_what_is_listed_and_escape_nothing() {
    let mut harness = driver(Place::Inspect);
    press(&mut harness, Modifiers::COMMAND, Key::A);
    assert!(shows(&harness, "40 selected"));
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(!shows(&harness, "selected"));
    click(&mut harness, "Escapes 2");
    press(&mut harness, Modifiers::COMMAND, Key::A);
    assert!(shows(&harness, "2 selected"));
    click(&mut harness, "Clear the selection");
    assert!(!shows(&harness, "selected"));
}

#[test]
fn models_can_only_disagree_with_a_run_beside() {
    let mut harness = driver(Place::Inspect);
    assert!(!take(&mut harness, "Order of the list", "Models disagree"));
    let mut window = Window::new(Place::Inspect, fake_run::run());
    let open = window.state.run.clone().expect("a run is open");
    let beside = Comparison::with(&open, Arc::new(other("lid-cfa-7", 7)));
    window.state.comparisons.push(beside);
    let mut harness = driver_of(window, [1200.0, 800.0]);
    settle(&mut harness);
    assert!(take(&mut harness, "Order of the list", "Models disagree"));
    let mut first: Vec<String> = listed(&harness).into_iter().take(3).collect();
    first.sort();
    let contested = [
        "test/dent/003.png",
        "test/good/002.png",
        "test/good/005.png",
    ];
    assert_eq!(first, contested);
    harness.state_mut().state.comparisons.clear();
    harness.run_steps(3);
    assert_eq!(listed(&harness)[0], "test/scratch/006.png", "highest first");
}

#[test]
fn a_hundred_thousand_pictures_lay_out_only_what_is_in_view() {
    let rows = (0..100_000).map(|i| fake_run::row("good", i, (i % 977) as f32 / 977.0));
    let run = fake_run::run();
    let root = Path::new("/pictures/lid");
    let mut large = run.clone();
    let rows: Vec<_> = rows.collect();
    large.samples = rows.iter().map(|row| fake_run::sample(root, row)).collect();
    if let Some(evaluation) = large.evaluation.as_mut().map(Arc::make_mut) {
        evaluation.images = rows;
    }
    let mut harness = driver_of(Window::new(Place::Inspect, large), [1200.0, 800.0]);
    harness.run_steps(3);
    for arrangement in ["Strip", "Grid"] {
        click(&mut harness, arrangement);
        for key in [Key::End, Key::Home] {
            press(&mut harness, Modifiers::NONE, key);
            let name = harness.state().selected_name().to_owned();
            assert!(listed(&harness).contains(&name), "{arrangement} {key:?}");
            assert!(listed(&harness).len() < 40, "{arrangement} {key:?}");
        }
    }
    let requests = harness.state().requests.len();
    assert!(requests < 200, "{requests} thumbnails asked for");
    press(&mut harness, Modifiers::COMMAND, Key::A);
    assert!(shows(&harness, "100,000 selected"));
}
