//! The views of Inspect: which are shown, their colours, regions, the measuring line and the scale.

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui::{Key, Role, Theme, vec2};
use egui_kittest::kittest::Queryable;
use flawscope::app::state::{Action, Comparison, LimitEdit, Place};
use flawscope::app::viewer::{ColourScale, Pane};
use flawscope::render::Palette;

use super::{Driver, Window, driver, driver_of, fake_run, settle, shows};

fn press(harness: &mut Driver, key: Key) {
    harness.key_press(key);
    harness.run_steps(2);
}

fn click(harness: &mut Driver, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(3);
}

/// Draws a line from the middle of the original view, so many picture pixels to the right.
fn measure(harness: &mut Driver, pixels: f32) {
    let view = harness.get_by_label("Original view").rect();
    let zoom = view.size().min_elem() / 256.0;
    let from = view.center() - vec2(20.0, 0.0);
    harness.drag_at(from);
    harness.run_steps(2);
    for share in [0.5, 1.0] {
        harness.hover_at(from + vec2(share * pixels * zoom, 0.0));
        harness.run_steps(2);
    }
    harness.drop_at(from + vec2(pixels * zoom, 0.0));
    harness.run_steps(2);
}

fn length(harness: &Driver) -> f64 {
    harness.state().inspect.measure.length().expect("a line")
}

#[test]
fn any_choice_of_views_is_shown_by_buttons_and_keys() {
    let mut harness = driver(Place::Inspect);
    click(&mut harness, "Ground truth");
    click(&mut harness, "Map");
    for pane in ["Original", "Overlay", "Map", "Ground truth"] {
        assert!(shows(&harness, &format!("{pane} view")), "{pane}");
    }
    press(&mut harness, Key::O);
    press(&mut harness, Key::G);
    assert_eq!(
        harness.state().inspect.viewer.panes,
        [Pane::Overlay, Pane::Map]
    );
    press(&mut harness, Key::H);
    press(&mut harness, Key::Num2);
    let panes = &harness.state().inspect.viewer.panes;
    assert_eq!(panes, &[Pane::Overlay], "nothing is compared yet");
    let mut window = Window::new(Place::Inspect, fake_run::run());
    with_second_model(&mut window);
    let mut harness = driver_of(window, [1200.0, 800.0]);
    settle(&mut harness);
    let shown = |harness: &Driver| harness.state().inspect.viewer.shows(Pane::Compared(0));
    let before = shown(&harness);
    press(&mut harness, Key::Num2);
    assert_ne!(shown(&harness), before);
}

#[test]
fn palettes_are_chosen_and_stretched_colours_carry_a_warning() {
    let mut harness = driver(Place::Inspect);
    harness
        .get_by_role_and_label(Role::ComboBox, "Palette")
        .click();
    harness.run_steps(2);
    harness
        .get_by_role_and_label(Role::Button, "Cividis")
        .click();
    harness.run_steps(3);
    assert_eq!(harness.state().inspect.viewer.palette, Palette::Cividis);
    assert!(!shows(&harness, "not comparable"));
    click(&mut harness, "Stretch to this picture");
    assert_eq!(
        harness.state().inspect.viewer.colours,
        ColourScale::Stretched
    );
    assert!(shows(
        &harness,
        "colours are not comparable between pictures"
    ));
    click(&mut harness, "Stretch to this picture");
    assert!(!shows(&harness, "not comparable"));
}

#[test]
fn a_region_in_the_list_is_looked_at_and_follows_the_pixel_limit() {
    let mut harness = driver(Place::Inspect);
    assert!(shows(&harness, "1 region, "));
    click(&mut harness, "Regions");
    let name = {
        let region = harness.get_by_label_contains("Region 1, ");
        region.click();
        "Region 1, "
    };
    harness.run_steps(3);
    assert!(shows(&harness, name));
    assert!(!harness.state().inspect.viewport.is_fitting());
    let edit = |edit| Action::EditLimits(edit);
    harness.state_mut().carry_out(edit(LimitEdit::Pixel(9.0)));
    harness.run_steps(2);
    assert!(shows(&harness, "Nothing reaches the pixel limit"));
    harness.state_mut().carry_out(Action::UndoLimits);
    let area = flawscope::metrics::AreaRule {
        combination: flawscope::metrics::Combination::ScoreAndArea,
        pixels: 60_000.0,
    };
    harness.state_mut().carry_out(edit(LimitEdit::Area(area)));
    harness.run_steps(2);
    assert!(shows(&harness, "too small"));
}

#[test]
fn a_line_is_measured_and_its_true_length_sets_the_scale() {
    let mut harness = driver(Place::Inspect);
    press(&mut harness, Key::M);
    measure(&mut harness, 40.0);
    let pixels = length(&harness);
    assert!((pixels - 40.0).abs() < 1.0, "{pixels}");
    assert!(shows(&harness, &format!("{pixels:.1} px")));
    harness.state_mut().inspect.measure.true_length = 5.0;
    harness.run_steps(2);
    click(&mut harness, "Set scale");
    let scale = harness
        .state()
        .state
        .limits
        .pixels_per_mm()
        .expect("a scale");
    assert!((scale - pixels / 5.0).abs() < 1e-9);
    assert!(shows(&harness, "5.00 mm"));
    let view = harness.get_by_label("Overlay view").rect();
    harness.hover_at(view.center());
    harness.run_steps(2);
    assert!(shows(&harness, " mm)"), "the readout too");
    harness.state_mut().carry_out(Action::UndoLimits);
    harness.run_steps(2);
    assert_eq!(harness.state().state.limits.pixels_per_mm(), None);
    assert!(!shows(&harness, " mm)"));
    press(&mut harness, Key::Escape);
    assert_eq!(harness.state().inspect.measure.length(), None);
}

#[test]
fn the_scale_can_be_removed() {
    let mut harness = driver(Place::Inspect);
    let scale = Action::EditLimits(LimitEdit::Scale(Some(8.0)));
    harness.state_mut().carry_out(scale);
    harness.run_steps(2);
    click(&mut harness, "Remove the scale");
    assert_eq!(harness.state().state.limits.pixels_per_mm(), None);
}

#[test]
fn the_rule_that_decided_is_told() {
    let mut harness = driver(Place::Inspect);
    assert!(shows(&harness, "score 1.570 ≥ T2 0.6000: FAIL"));
    harness
        .state_mut()
        .carry_out(Action::EditLimits(LimitEdit::Fail(2.0)));
    harness.run_steps(2);
    assert!(shows(&harness, "score 1.570 < T2 2.000: PASS"));
}

fn with_second_model(window: &mut Window) {
    let mut other = fake_run::run();
    other.path = PathBuf::from("/runs/lid-prn-0");
    let open = window.state.run.clone().expect("a run is open");
    let comparison = Comparison::with(&open, Arc::new(other));
    window.state.comparisons = vec![comparison];
}

#[test]
fn a_compared_run_has_a_view_of_its_own() {
    let mut harness = driver(Place::Inspect);
    assert!(!shows(&harness, "Second model"));
    with_second_model(harness.state_mut());
    harness.run_steps(2);
    click(&mut harness, "Second model");
    let state = harness.state();
    let asked = |r: &flawscope::worker::message::PreviewRequest| {
        r.key.run.as_deref() == Some("/runs/lid-prn-0".as_ref())
    };
    assert!(state.requests.iter().any(asked));
    settle(&mut harness);
    assert!(shows(&harness, "Second model view"));
    let view = harness.get_by_label("Second model view").rect();
    harness.hover_at(view.center());
    harness.run_steps(2);
    assert!(harness.state().inspect.readout.is_some());
}

/// Draws the views to be looked at, into the folder named by `FLAWSCOPE_SCREENSHOTS`; else does nothing.
#[test]
fn views_to_be_looked_at() {
    let Some(folder) = std::env::var_os("FLAWSCOPE_SCREENSHOTS") else {
        return;
    };
    for (theme, name) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let mut window = Window::new(Place::Inspect, fake_run::run());
        with_second_model(&mut window);
        let viewer = &mut window.inspect.viewer;
        viewer.panes = vec![
            Pane::Original,
            Pane::Overlay,
            Pane::GroundTruth,
            Pane::Compared(0),
        ];
        viewer.region_list = true;
        viewer.colours = ColourScale::Stretched;
        let mut harness = driver_of(window, [1500.0, 950.0]);
        harness.ctx.set_theme(theme);
        settle(&mut harness);
        press(&mut harness, Key::M);
        measure(&mut harness, 60.0);
        let chosen = harness.state().selected_name().to_owned();
        harness.state_mut().inspect.focus.chosen = Some((chosen, 0));
        harness.hover_at(harness.get_by_label("Overlay view").rect().center() + vec2(20.0, 30.0));
        harness.run_steps(3);
        let path = PathBuf::from(&folder).join(format!("viewer-{name}.png"));
        harness
            .render()
            .expect("a picture")
            .save(path)
            .expect("it is saved");
    }
}
