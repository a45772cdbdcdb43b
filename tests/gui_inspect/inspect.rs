//! Browsing, filtering, judging and looking.

use std::sync::Arc;
use std::time::Instant;

use eframe::egui::{Event, Key, Modifiers, PointerButton, Role, pos2};
use egui_kittest::kittest::Queryable;
use flawscope::app::state::{Action, Place};
use flawscope::app::viewer::Heatmap;
use flawscope::metrics::{Evaluation, ImageRow};
use flawscope::worker::message::Detail;

use super::{Driver, Window, driver, driver_of, fake_run, listed, settle, shows};

fn press(harness: &mut Driver, key: Key) {
    harness.key_press(key);
    harness.run_steps(2);
}

fn click(harness: &mut Driver, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(2);
}

/// Opens a combo box and chooses from it.
fn choose(harness: &mut Driver, combo: &str, choice: &str) {
    harness.get_by_role_and_label(Role::ComboBox, combo).click();
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::Button, choice).click();
    harness.run_steps(3);
}

#[test]
fn a_run_opens_at_the_first_picture_of_the_list_with_its_facts() {
    let harness = driver(Place::Inspect);
    assert_eq!(harness.state().selected_name(), "test/scratch/006.png");
    for text in ["FAIL", "defective, scratch", "1.570", "2.62", "1 of 40"] {
        assert!(shows(&harness, text), "{text}");
    }
}

#[test]
fn arrows_page_and_end_keys_walk_through_the_list_and_keep_the_row_in_view() {
    let mut harness = driver(Place::Inspect);
    let names = listed(&harness);
    press(&mut harness, Key::ArrowRight);
    assert_eq!(harness.state().selected_name(), names[1]);
    press(&mut harness, Key::ArrowDown);
    press(&mut harness, Key::ArrowLeft);
    press(&mut harness, Key::ArrowUp);
    assert_eq!(harness.state().selected_name(), names[0]);
    for key in [Key::End, Key::PageUp, Key::Home, Key::PageDown] {
        press(&mut harness, key);
        settle(&mut harness);
        let name = harness.state().selected_name().to_owned();
        assert!(
            listed(&harness).contains(&name),
            "{key:?}: {name} is in view"
        );
    }
    press(&mut harness, Key::End);
    assert_eq!(harness.state().selected_name(), "test/good/000.png");
    press(&mut harness, Key::ArrowRight);
    assert_eq!(
        harness.state().selected_name(),
        "test/good/000.png",
        "the list ends here"
    );
}

#[test]
fn a_click_selects_and_asks_for_the_picture() {
    let mut harness = driver(Place::Inspect);
    harness.get_by_label_contains("test/dent/006.png").click();
    harness.run_steps(2);
    assert_eq!(harness.state().selected_name(), "test/dent/006.png");
    let state = harness.state();
    let asked = |name: &str| {
        let mut requests = state.requests.iter();
        requests.any(|r| r.key.sample == name && r.key.detail == Detail::Full)
    };
    assert!(shows(&harness, "Overlay view") || asked("test/dent/006.png"));
}

#[test]
fn the_list_can_be_sorted_and_filtered_with_counts() {
    let mut harness = driver(Place::Inspect);
    choose(&mut harness, "Order of the list", "Lowest first");
    assert_eq!(listed(&harness)[0], "test/good/000.png");
    choose(&mut harness, "Order of the list", "Near the limit");
    assert_eq!(
        listed(&harness)[0],
        "test/good/010.png",
        "exactly at the limit"
    );
    choose(&mut harness, "Order of the list", "By name");
    assert_eq!(listed(&harness)[0], "test/contamination/000.png");
    click(&mut harness, "Escapes 2");
    assert_eq!(
        listed(&harness),
        ["test/contamination/000.png", "test/dent/000.png"]
    );
    assert!(shows(&harness, "2 of 40 pictures"));
    click(&mut harness, "Overkill 2");
    assert_eq!(listed(&harness).len(), 4);
    choose(&mut harness, "Defect type", "dent (1)");
    assert_eq!(listed(&harness), ["test/dent/000.png"]);
}

#[test]
fn a_search_without_result_says_so_and_offers_the_way_back() {
    let mut harness = driver(Place::Inspect);
    harness.get_by_role(Role::TextInput).focus();
    harness.run_steps(2);
    harness.get_by_role(Role::TextInput).type_text("SCRATCH/00");
    harness.run_steps(2);
    assert_eq!(listed(&harness).len(), 7);
    harness.get_by_role(Role::TextInput).type_text("x");
    harness.run_steps(2);
    assert!(listed(&harness).is_empty());
    click(&mut harness, "Show all");
    assert!(listed(&harness).len() > 7);
}

#[test]
fn typing_moves_neither_the_selection_nor_the_view() {
    let mut harness = driver(Place::Inspect);
    harness.get_by_role(Role::TextInput).focus();
    harness.run_steps(2);
    let before = harness.state().state.selected;
    for key in [Key::ArrowDown, Key::Space, Key::Num1] {
        press(&mut harness, key);
    }
    assert_eq!(harness.state().state.selected, before);
    assert_eq!(harness.state().inspect.viewer.heatmap, Heatmap::Shown);
    assert!(harness.state().inspect.viewport.is_fitting());
}

#[test]
fn verdicts_and_counts_follow_the_limit_in_the_same_frame() {
    let mut harness = driver(Place::Inspect);
    let slider = harness.get_by_role_and_label(Role::Slider, "T2, fail from");
    slider.set_value_accesskit(0.53);
    harness.run_steps(2);
    for text in [
        "Good passed 8",
        "Overkill 4",
        "Escapes 1",
        "Caught 27",
        "set by hand",
    ] {
        assert!(shows(&harness, text), "{text}");
    }
    click(&mut harness, "Reset to calibration");
    assert!(shows(&harness, "Overkill 2") && !shows(&harness, "set by hand"));
}

#[test]
fn keys_toggle_the_heatmap_opacity_and_zoom() {
    let mut harness = driver(Place::Inspect);
    press(&mut harness, Key::Space);
    assert_eq!(harness.state().inspect.viewer.heatmap, Heatmap::Hidden);
    press(&mut harness, Key::Space);
    press(&mut harness, Key::CloseBracket);
    assert_eq!(harness.state().inspect.viewer.opacity, 0.6);
    press(&mut harness, Key::OpenBracket);
    press(&mut harness, Key::OpenBracket);
    assert_eq!(harness.state().inspect.viewer.opacity, 0.4);
    press(&mut harness, Key::Plus);
    assert!(!harness.state().inspect.viewport.is_fitting());
    press(&mut harness, Key::F);
    assert!(harness.state().inspect.viewport.is_fitting());
    press(&mut harness, Key::Num1);
    assert!(!harness.state().inspect.viewport.is_fitting());
}

#[test]
fn views_are_switched_by_their_buttons() {
    let mut harness = driver(Place::Inspect);
    assert!(shows(&harness, "Original view") && !shows(&harness, "Map view"));
    click(&mut harness, "Map");
    click(&mut harness, "Original");
    assert!(!shows(&harness, "Original view") && shows(&harness, "Map view"));
}

#[test]
fn the_pixel_under_the_pointer_is_read_out_in_original_pixels() {
    let mut harness = driver(Place::Inspect);
    let view = harness.get_by_label("Original view").rect();
    harness.hover_at(view.center());
    harness.run_steps(2);
    let readout = harness
        .state()
        .inspect
        .readout
        .clone()
        .expect("the pointer is on the picture");
    assert_eq!((readout.x, readout.y), (128, 128));
    assert!(readout.score.is_some_and(|score| score > 0.1));
    assert!(readout.to_string().starts_with("x 128  y 128  RGB "));
    harness.hover_at(pos2(40.0, 40.0));
    harness.run_steps(2);
    assert_eq!(harness.state().inspect.readout, None);
}

#[test]
fn double_click_goes_to_one_to_one_and_back() {
    let mut harness = driver(Place::Inspect);
    for fitting in [false, true] {
        let at = harness.get_by_label("Overlay view").rect().center();
        harness.hover_at(at);
        harness.step();
        let button = |pressed| Event::PointerButton {
            pos: at,
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        };
        // Both clicks in one frame: the harness gives each queued event a quarter of a second.
        let clicks = [true, false, true, false].map(button);
        harness.input_mut().events.extend(clicks);
        harness.step();
        assert_eq!(harness.state().inspect.viewport.is_fitting(), fitting);
        harness.run_steps(8);
    }
}

#[test]
fn the_pixel_limit_is_dragged_on_the_colour_bar_and_reset() {
    let mut harness = driver(Place::Inspect);
    let mark = harness.get_by_label("Pixel limit on the colour bar").rect();
    let from = pos2(mark.left() + 10.0, mark.center().y);
    harness.drag_at(from);
    harness.run_steps(2);
    harness.hover_at(from - eframe::egui::vec2(0.0, 60.0));
    harness.run_steps(2);
    harness.drop_at(from - eframe::egui::vec2(0.0, 60.0));
    harness.run_steps(2);
    assert!(
        harness.state().state.pixel_limit() > 0.57,
        "{}",
        harness.state().state.pixel_limit()
    );
    click(&mut harness, "Reset the pixel limit");
    assert_eq!(harness.state().state.pixel_limit(), fake_run::PIXEL_LIMIT);
}

#[test]
fn only_what_is_in_view_is_asked_for_and_only_once() {
    let mut harness = driver_of(
        Window::new(Place::Inspect, fake_run::run()),
        [1200.0, 800.0],
    );
    harness.run_steps(6);
    let requests = &harness.state().requests;
    let thumbnails = requests
        .iter()
        .filter(|r| r.key.detail == Detail::Thumbnail)
        .count();
    // Far fewer than there are rows, and at least what fits on the screen.
    assert!((5..30).contains(&thumbnails), "{thumbnails}");
    let mut keys: Vec<_> = requests.iter().map(|r| format!("{:?}", r.key)).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), requests.len());
}

#[test]
fn a_picture_on_its_way_and_a_broken_one_say_so() {
    let mut harness = driver_of(
        Window::new(Place::Inspect, fake_run::run()),
        [1200.0, 800.0],
    );
    harness.run_steps(4);
    assert!(shows(&harness, "Loading the picture"));
    let window = harness.state_mut();
    for request in std::mem::take(&mut window.requests) {
        let story = format!("{} is not a picture", request.sample.id);
        window.textures.insert(request.key, Err(story));
    }
    harness.run_steps(2);
    assert!(shows(&harness, "test/scratch/006.png is not a picture"));
    click(&mut harness, "Copy details");
    assert_eq!(
        harness.state().copied.as_deref(),
        Some("test/scratch/006.png is not a picture")
    );
}

#[test]
fn a_request_that_gave_way_is_asked_for_again() {
    let mut harness = driver_of(
        Window::new(Place::Inspect, fake_run::run()),
        [1200.0, 800.0],
    );
    harness.run_steps(4);
    let window = harness.state_mut();
    let dropped = window.requests.pop().expect("pictures are wanted");
    window.requests.clear();
    window.textures.give_up(&dropped.key);
    harness.run_steps(2);
    let again: Vec<_> = harness
        .state()
        .requests
        .iter()
        .map(|r| r.key.clone())
        .collect();
    assert_eq!(again, [dropped.key]);
}

#[test]
fn an_idle_window_stays_still() {
    let mut harness = driver(Place::Inspect);
    assert!(harness.try_run().is_ok(), "no endless repaints");
    harness.state_mut().carry_out(Action::Go(Place::Results));
    harness.run_steps(8);
    assert!(harness.try_run().is_ok(), "no endless repaints");
}

#[test]
fn a_hundred_thousand_rows_scroll_and_answer_keys() {
    let mut run = fake_run::run();
    let evaluation = run.evaluation.clone().expect("it is evaluated");
    let rows: Vec<ImageRow> = (0..100_000)
        .map(|i| fake_run::row("good", i, (i % 977) as f32 / 977.0))
        .collect();
    run.samples = rows
        .iter()
        .map(|row| fake_run::sample(&run.config.data, row))
        .collect();
    run.evaluation = Some(Arc::new(Evaluation {
        images: rows,
        ..(*evaluation).clone()
    }));
    let mut harness = driver_of(Window::new(Place::Inspect, run), [1200.0, 800.0]);
    harness.run_steps(3);
    press(&mut harness, Key::End);
    harness.run_steps(2);
    let name = harness.state().selected_name().to_owned();
    assert!(listed(&harness).contains(&name) && listed(&harness).len() < 20);
    let started = Instant::now();
    harness.run_steps(20);
    let frame = started.elapsed() / 20;
    assert!(frame.as_millis() < 100, "{frame:?} a frame");
}

#[test]
fn a_model_without_scored_pictures_leads_on() {
    let mut run = fake_run::run();
    run.evaluation = None;
    for place in [Place::Inspect, Place::Results] {
        let mut harness = driver_of(Window::new(place, run.clone()), [1000.0, 650.0]);
        harness.run_steps(2);
        assert!(shows(&harness, "have not been scored"));
    }
}
