//! Both limits, the second rule and the ways to T2, driven by their labels in Results and in the drawer of Inspect.

use std::sync::Arc;

use eframe::egui::{Event, Key, Modifiers, PointerButton, Rect, Role, Theme, vec2};
use egui_kittest::kittest::Queryable;
use flawscope::app::state::Place;
use flawscope::metrics::{
    Combination, DecisionRule, DefectCells, ImageRow, LimitOrigin, MapExtent, RegionTable,
};
use flawscope::worker::message::RunSummary;

use super::{Driver, Window, driver, driver_of, fake_run, listed, shows};

fn results_of(run: RunSummary) -> Driver {
    let mut harness = driver_of(Window::new(Place::Results, run), [1300.0, 1500.0]);
    harness.run_steps(4);
    harness
}

fn results() -> Driver {
    results_of(fake_run::run())
}

fn rule(harness: &Driver) -> DecisionRule {
    harness.state().state.limits.rule().clone()
}

fn click(harness: &mut Driver, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(3);
}

fn grip(harness: &Driver, name: &str) -> Rect {
    harness.get_by_label(name).rect()
}

/// Drags a grip by so many points to the right.
fn drag(harness: &mut Driver, name: &str, points: f32) {
    let from = grip(harness, name).center();
    harness.hover_at(from);
    harness.run_steps(1);
    harness.drag_at(from);
    harness.run_steps(1);
    for part in [0.5, 1.0] {
        harness.hover_at(from + vec2(part * points, 6.0));
        harness.run_steps(1);
    }
    harness.drop_at(from + vec2(points, 6.0));
    harness.run_steps(3);
}

/// Puts a number into the field as a screen reader would.
pub fn set(harness: &mut Driver, field: &str, value: f64) {
    harness
        .get_by_role_and_label(Role::SpinButton, field)
        .set_value_accesskit(value);
    harness.run_steps(3);
}

/// One map for each picture, 8 x 8: good ones show a speck at their score, defective ones a region of 12 pixels, on a
/// defect of 10.
fn regions(rows: &[ImageRow]) -> RegionTable {
    let mut table = RegionTable::default();
    for row in rows {
        let mut map = [0.1; 64];
        let large = if row.is_defective() { 12 } else { 1 };
        map.iter_mut()
            .take(large)
            .for_each(|value| *value = row.score);
        let defect = DefectCells {
            area: 10.0,
            cells: (0..10).collect(),
        };
        let defects: &[DefectCells] = if row.is_defective() { &[defect] } else { &[] };
        table.push(1.0, &MapExtent::of(&map, 8, defects), defects);
    }
    table
}

fn run_with_regions() -> RunSummary {
    RunSummary {
        regions: Some(Arc::new(regions(&fake_run::rows()))),
        ..fake_run::run()
    }
}

#[test]
fn t2_is_dragged_at_the_top_and_everything_follows() {
    let mut harness = results();
    drag(&mut harness, "T2 in the histogram", 60.0);
    let moved = rule(&harness);
    assert!(moved.fail_from() > fake_run::IMAGE_LIMIT + 0.05);
    assert_eq!(moved.fail.origin, LimitOrigin::Manual);
    assert_eq!(moved.review, None, "no band was opened");
    for text in [
        "Overkill 0",
        "set by hand",
        "Limits differ from the model file",
    ] {
        assert!(shows(&harness, text), "{text}");
    }
}

#[test]
fn t1_is_dragged_down_to_open_the_review_band_and_a_double_click_closes_it() {
    let mut harness = results();
    assert!(shows(&harness, "no REVIEW band"));
    let (t1, t2) = (
        grip(&harness, "T1 in the histogram"),
        grip(&harness, "T2 in the histogram"),
    );
    assert!(
        !t1.intersects(t2),
        "both can be reached where they coincide"
    );
    drag(&mut harness, "T1 in the histogram", -60.0);
    let opened = rule(&harness);
    assert!(opened.pass_below() < fake_run::IMAGE_LIMIT - 0.05);
    assert_eq!(opened.fail_from(), fake_run::IMAGE_LIMIT);
    let reviewed = harness.state().state.limits.judgement().tally.review();
    assert!(reviewed.events > 0);
    let said = format!("{} of 40 pictures need a person", reviewed.events);
    assert!(shows(&harness, &said), "{said}");
    let pos = grip(&harness, "T1 in the histogram").center();
    harness.hover_at(pos);
    harness.run_steps(8);
    let button = |pressed| Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    // Both clicks in one frame: the harness gives each queued event a quarter of a second.
    let clicks = [true, false, true, false].map(button);
    harness.input_mut().events.extend(clicks);
    harness.run_steps(3);
    assert_eq!(rule(&harness).review, None);
}

#[test]
fn t1_pushes_t2_and_t2_pushes_t1() {
    let mut harness = results();
    set(&mut harness, "T1, pass below", 0.4);
    set(&mut harness, "T2, fail from", 0.3);
    let rule_now = rule(&harness);
    assert_eq!((rule_now.pass_below(), rule_now.fail_from()), (0.3, 0.3));
    set(&mut harness, "T1, pass below", 0.9);
    let rule_now = rule(&harness);
    assert_eq!((rule_now.pass_below(), rule_now.fail_from()), (0.9, 0.9));
    click(&mut harness, "Close the REVIEW band");
    assert_eq!(rule(&harness).review, None);
}

#[test]
fn limits_are_typed_and_take_effect_with_enter() {
    let mut harness = results();
    let field = harness.get_by_role_and_label(Role::SpinButton, "T2, fail from");
    field.click();
    harness.run_steps(2);
    for key in ["0", ".", "5", "3"] {
        harness.event(Event::Text(key.to_owned()));
        harness.run_steps(1);
    }
    assert_eq!(rule(&harness).fail_from(), fake_run::IMAGE_LIMIT, "not yet");
    harness.key_press(Key::Enter);
    harness.run_steps(3);
    assert_eq!(rule(&harness).fail_from(), 0.53);
    assert!(shows(&harness, "Overkill 4"));
}

#[test]
fn arrow_keys_nudge_t2_or_the_grip_that_has_the_keyboard_and_shift_is_ten_steps() {
    let mut harness = results();
    harness.key_press(Key::ArrowRight);
    harness.run_steps(2);
    let step = rule(&harness).fail_from() - fake_run::IMAGE_LIMIT;
    assert!(step > 0.0);
    harness.key_press_modifiers(Modifiers::SHIFT, Key::ArrowRight);
    harness.run_steps(2);
    let ten = rule(&harness).fail_from() - fake_run::IMAGE_LIMIT - step;
    assert!((ten - 10.0 * step).abs() < 0.1 * step, "{ten} of {step}");
    click(&mut harness, "T1 in the histogram");
    for _ in 0..3 {
        harness.key_press_modifiers(Modifiers::SHIFT, Key::ArrowLeft);
        harness.run_steps(2);
    }
    let nudged = rule(&harness);
    assert!(nudged.pass_below() < nudged.fail_from() - 25.0 * step);
}

#[test]
fn changes_are_undone_redone_reset_and_saved() {
    let mut harness = results();
    set(&mut harness, "T2, fail from", 0.7);
    set(&mut harness, "T1, pass below", 0.5);
    click(&mut harness, "Undo the last change of the limits");
    assert_eq!(rule(&harness).review, None);
    click(&mut harness, "Redo the change of the limits");
    assert_eq!(rule(&harness).pass_below(), 0.5);
    click(&mut harness, "Save the limits in the model");
    assert_eq!(harness.state().saved, 1);
    click(&mut harness, "Reset to calibration");
    let proposed = harness.state().state.run.as_ref().unwrap().proposed.clone();
    assert_eq!(rule(&harness), proposed);
    assert!(!shows(&harness, "Limits differ from the model file"));
    click(&mut harness, "Undo the last change of the limits");
    assert_eq!(rule(&harness).fail_from(), 0.7);
}

#[test]
fn a_way_to_t2_says_what_it_would_give_or_why_it_cannot() {
    let mut harness = results();
    click(&mut harness, "Set T2 by…");
    for text in [
        "Proving 1 % at 95 % confidence takes 299 held-out good pictures; there are 21",
        "oracle",
        "looks at the test set",
        "T2 would be 0.595",
    ] {
        assert!(shows(&harness, text), "{text}");
    }
    set(&mut harness, "False rejects at most", 20.0);
    click(&mut harness, "Set T2 by a proven bound on false rejects");
    let origin = rule(&harness).fail.origin;
    assert!(
        matches!(origin, LimitOrigin::FalseRejectBound { pictures: 21, .. }),
        "{origin:?}"
    );
    assert!(shows(
        &harness,
        "at most 20 % false rejects at 95 % confidence"
    ));
    click(&mut harness, "Set T2 by…");
    click(&mut harness, "Set T2 by best F1");
    assert!(rule(&harness).fail.origin.looks_at_test_set());
    assert!(shows(&harness, "T2 was chosen on the test pictures"));
}

#[test]
fn the_area_rule_forgives_and_condemns_and_says_so() {
    let mut harness = results_of(run_with_regions());
    let before = harness.state().state.limits.judgement().tally;
    assert_eq!(before.overkill().events, 2);
    click(&mut harness, "Score and area");
    set(&mut harness, "Smallest area", 5.0);
    let tally = harness.state().state.limits.judgement().tally;
    assert_eq!(tally.overkill().events, 0, "specks are forgiven");
    for text in [
        "FAIL when the score reaches T2 and a region of at least 5 px lies above the pixel limit",
        "2 pictures pass only because their regions are too small",
        "Overkill 0",
        "28 defects",
    ] {
        assert!(shows(&harness, text), "{text}");
    }
    click(&mut harness, "Score or area");
    set(&mut harness, "Pixel limit", 0.2);
    assert_eq!(rule(&harness).area.combination, Combination::ScoreOrArea);
    let tally = harness.state().state.limits.judgement().tally;
    assert_eq!(tally.escapes().events, 0, "large regions are condemned");
    assert!(shows(&harness, "The sentence is about the score alone"));
}

#[test]
fn without_measured_regions_the_area_rule_says_what_to_do() {
    let harness = results();
    assert!(shows(&harness, "Score the run again to use the area rule"));
    assert!(shows(
        &harness,
        "Score the run again to measure its regions"
    ));
}

#[test]
fn the_smallest_defect_found_follows_the_pixel_limit() {
    let mut harness = results_of(run_with_regions());
    assert!(shows(&harness, "10 px"));
    set(&mut harness, "Pixel limit", 9.0);
    assert!(shows(&harness, "0 of 28 defects"));
}

#[test]
fn a_cell_of_the_matrix_lists_its_pictures_in_inspect() {
    let mut harness = results();
    assert!(shows(&harness, "Defective to review 0"));
    assert!(!shows(&harness, "Unlabelled"), "there are none");
    click(&mut harness, "Escapes 2");
    assert_eq!(harness.state().state.place, Place::Inspect);
    assert_eq!(
        listed(&harness),
        ["test/dent/000.png", "test/contamination/000.png"]
    );
    assert_eq!(harness.state().selected_name(), "test/dent/000.png");
}

#[test]
fn recall_has_an_exact_interval_for_each_defect_type() {
    let harness = results();
    // 6 of 7 and 7 of 7, by scipy's beta quantiles.
    assert!(shows(&harness, "42.1\u{a0}% to 99.6\u{a0}%"));
    assert!(shows(&harness, "59.0\u{a0}% to 100.0\u{a0}%"));
}

#[test]
fn the_histogram_can_be_drawn_with_log_heights() {
    let mut harness = results();
    click(&mut harness, "Log");
    click(&mut harness, "Counts");
    assert!(shows(&harness, "good, upwards: 12"));
}

#[test]
fn the_drawer_of_inspect_moves_all_three_limits_and_can_be_closed() {
    let mut harness = driver(Place::Inspect);
    let slide = |harness: &mut Driver, name: &str, value| {
        harness
            .get_by_role_and_label(Role::Slider, name)
            .set_value_accesskit(value);
        harness.run_steps(3);
    };
    slide(&mut harness, "T1, pass below", 0.4);
    assert!(shows(&harness, "Good to review"));
    slide(&mut harness, "T2, fail from", 0.8);
    slide(&mut harness, "Pixels from", 0.7);
    let moved = rule(&harness);
    let close = |a: f32, b: f32| (a - b).abs() < 0.01;
    assert!(close(moved.pass_below(), 0.4) && close(moved.fail_from(), 0.8));
    assert!(close(moved.pixel.value, 0.7));
    click(&mut harness, "Undo the last change of the limits");
    assert_eq!(rule(&harness).pixel.value, fake_run::PIXEL_LIMIT);
    click(&mut harness, "Save the limits in the model");
    assert_eq!(harness.state().saved, 1);
    click(&mut harness, "Limits");
    assert!(
        harness
            .query_by_role_and_label(Role::Slider, "T2, fail from")
            .is_none()
    );
    assert!(shows(&harness, "Overkill"), "the tally stays");
}

/// Draws both places to be looked at, into the folder named by `FLAWSCOPE_LOOK`; else does nothing.
#[test]
fn pictures_of_the_limits_to_look_at() {
    let Some(folder) = std::env::var_os("FLAWSCOPE_LOOK").map(std::path::PathBuf::from) else {
        return;
    };
    let save = |harness: &mut Driver, name: &str| {
        let picture = harness.render().expect("drawn");
        picture.save(folder.join(name)).expect("written");
    };
    for (theme, name) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        let mut harness = results_of(run_with_regions());
        harness.ctx.set_theme(theme);
        harness.set_size(if name == "dark" {
            vec2(1600.0, 1240.0)
        } else {
            vec2(1000.0, 1500.0)
        });
        set(&mut harness, "T1, pass below", 0.5);
        set(&mut harness, "T2, fail from", 0.75);
        click(&mut harness, "Score and area");
        set(&mut harness, "Smallest area", 5.0);
        click(&mut harness, "Log");
        harness.run_steps(4);
        if name == "light" {
            click(&mut harness, "Set T2 by…");
            harness.run_steps(4);
        }
        save(&mut harness, &format!("limits-{name}.png"));
    }
}
