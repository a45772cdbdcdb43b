//! Inspect, Results and Compare on the hand-made run against the committed pictures, dark and light.

use std::sync::Arc;

use eframe::egui::{Theme, vec2};
use flawscope::app::state::{Comparison, Place};
use flawscope::app::viewer::Pane;

use super::compare::other;
use super::{Driver, driver, settle};

const THEMES: [(Theme, &str); 2] = [(Theme::Dark, "dark"), (Theme::Light, "light")];

/// Paths are written another way on Windows.
fn snapshot(mut harness: Driver, height: f32, place: &str, (theme, name): (Theme, &str)) {
    if cfg!(not(windows)) {
        harness.ctx.set_theme(theme);
        harness.set_size(vec2(1000.0, height));
        harness.remove_cursor();
        settle(&mut harness);
        harness.snapshot(format!("{place}_{name}"));
    }
}

#[test]
fn inspect_with_map_regions_and_limits() {
    for theme in THEMES {
        let mut harness = driver(Place::Inspect);
        let viewer = &mut harness.state_mut().inspect.viewer;
        viewer.toggle_pane(Pane::Original);
        viewer.toggle_pane(Pane::Map);
        viewer.region_list = true;
        snapshot(harness, 680.0, "inspect", theme);
    }
}

#[test]
fn results_with_both_limits_set_apart() {
    for theme in THEMES {
        let mut harness = driver(Place::Results);
        super::limits::set(&mut harness, "T1, pass below", 0.5);
        super::limits::set(&mut harness, "T2, fail from", 0.75);
        snapshot(harness, 1000.0, "results", theme);
    }
}

#[test]
fn compare_with_a_run_beside() {
    for theme in THEMES {
        let mut harness = driver(Place::Compare);
        let state = &mut harness.state_mut().state;
        let open = state.run.clone().expect("a run is open");
        let beside: Arc<_> = Arc::new(other("lid-cfa-7", 7));
        state.comparisons.push(Comparison::with(&open, beside));
        snapshot(harness, 1000.0, "compare", theme);
    }
}
