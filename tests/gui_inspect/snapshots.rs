//! Inspect, Results and Compare on the hand-made run against the committed pictures, dark and light.

use std::sync::Arc;

use eframe::egui::{Theme, vec2};
use egui_kittest::SnapshotResults;
use flawscope::app::state::{Comparison, Place};
use flawscope::app::viewer::Pane;

use super::compare::other;
use super::{Driver, driver, limits, settle};

/// Compares a place, prepared anew for each theme. On Windows, where paths are written another way, it is only drawn up.
fn snapshots(name: &str, height: f32, prepared: impl Fn() -> Driver) {
    let mut results = SnapshotResults::new();
    for (theme, suffix) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        let mut harness = prepared();
        harness.ctx.set_theme(theme);
        harness.set_size(vec2(1000.0, height));
        harness.remove_cursor();
        settle(&mut harness);
        if cfg!(not(windows)) {
            harness.snapshot(format!("{name}_{suffix}"));
        }
        results.extend(harness.take_snapshot_results());
    }
}

#[test]
fn inspect_with_map_regions_and_limits() {
    snapshots("inspect", 680.0, || {
        let mut harness = driver(Place::Inspect);
        let viewer = &mut harness.state_mut().inspect.viewer;
        viewer.toggle_pane(Pane::Original);
        viewer.toggle_pane(Pane::Map);
        viewer.region_list = true;
        harness
    });
}

#[test]
fn results_with_both_limits_set_apart() {
    snapshots("results", 1000.0, || {
        let mut harness = driver(Place::Results);
        limits::set(&mut harness, "T1, pass below", 0.5);
        limits::set(&mut harness, "T2, fail from", 0.75);
        harness
    });
}

#[test]
fn compare_with_a_run_beside() {
    snapshots("compare", 1000.0, || {
        let mut harness = driver(Place::Compare);
        let state = &mut harness.state_mut().state;
        let open = state.run.clone().expect("a run is open");
        let beside = Arc::new(other("lid-cfa-7", 7));
        state.comparisons.push(Comparison::with(&open, beside));
        harness
    });
}
