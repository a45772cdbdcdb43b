//! The window fed with hand-made events: clicks by label, keys, drops, and a few pictures.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall stop")]

#[path = "gui/limits.rs"]
mod limits;
#[path = "gui/paint.rs"]
mod paint;
mod support;
#[path = "gui/taught.rs"]
mod taught;
#[path = "gui/train.rs"]
mod train;
#[path = "gui/whole_road.rs"]
mod whole_road;

use std::path::{Path, PathBuf};

use eframe::egui::accesskit::Role as Widget;
use eframe::egui::{Key, Modifiers, Theme};
use egui_kittest::kittest::Queryable;
use flawscope::app::state::Place;
use flawscope::data::{LayoutKind, Role};
use flawscope::progress::{Phase, Progress};
use flawscope::worker::message::Command;
use support::made_up;
use support::window::Window;

impl Window {
    fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.settle();
    }

    fn shows(&self, text: &str) -> bool {
        self.harness
            .query_all_by_label_contains(text)
            .next()
            .is_some()
    }

    fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.settle();
    }

    fn with_data(theme: Theme) -> Self {
        let mut window = Self::open(theme);
        window.drop_path("/home/anna/pictures/line 3");
        window.script.command();
        window.script.close(made_up::line3);
        window.until("data opened", |state| state.data.is_some());
        window
    }
}

#[test]
fn the_first_screen_offers_a_dialog_a_path_and_the_sample() {
    let mut window = Window::open(Theme::Dark);
    for label in ["Choose a folder…", "Folder path", "Try the sample data set"] {
        assert!(window.shows(label), "{label}");
    }
    window.click("Inspect");
    window.click("Results");
    assert_eq!(window.state().place, Place::Data, "nothing to inspect yet");
    window.snapshot("data_start_dark");
    window.picture("data-start-dark");
    let mut light = Window::open(Theme::Light);
    light.picture("data-start-light");
}

#[test]
fn the_sample_is_drawn_into_the_users_folder_and_shown() {
    let mut window = Window::open(Theme::Dark);
    window.click("Try the sample data set");
    let Command::MakeSample { out, .. } = window.script.command() else {
        panic!("another command")
    };
    assert_eq!(out, window.home.path().join("sample"));
    let (phase, total) = (Phase::Drawing, 120);
    window.script.report(Progress::Phase { phase, total });
    window.clock.set(2.0);
    window.script.report(Progress::Step { done: 30 });
    window.until("drawing", |state| {
        state
            .job
            .as_ref()
            .and_then(|job| job.progress.current())
            .is_some_and(|phase| phase.done == 30)
    });
    assert!(window.shows("Drawing the sample data set"));
    window.picture("data-waiting-dark");
    window.script.close(made_up::sample_set);
    window.until("sample opened", |state| state.data.is_some());
    assert!(window.shows("Pictures in part"));
    assert!(window.shows("Defective: dent"));
    window.picture("data-sample-dark");
}

#[test]
fn a_typed_path_opens_with_enter() {
    let mut window = Window::open(Theme::Light);
    let field = window.harness.get_by_label("Folder path");
    field.focus();
    field.type_text("/data/bottle");
    window.settle();
    window.harness.key_press(Key::Enter);
    window.settle();
    let Command::OpenData { root, .. } = window.script.command() else {
        panic!("another command")
    };
    assert_eq!(root, Path::new("/data/bottle"));
}

#[test]
fn ctrl_o_asks_the_desktop_and_opens_what_was_chosen() {
    let mut window = Window::open(Theme::Light);
    window.press(Modifiers::COMMAND, Key::O);
    window.until("opening", |state| state.job.is_some());
    let Command::OpenData { root, .. } = window.script.command() else {
        panic!("another command")
    };
    assert_eq!(root, Path::new("/chosen/folder"));
}

#[test]
fn a_desktop_without_dialogs_points_to_the_path_field() {
    let mut window = Window::open(Theme::Light);
    window.click("Run folder…");
    window.until("told", |state| !state.messages.is_empty());
    assert!(window.shows("This desktop has no file dialog"));
}

#[test]
fn what_was_found_is_shown_with_its_problems() {
    let mut window = Window::with_data(Theme::Dark);
    for text in [
        "bottle",
        "cable",
        "screw",
        "Defective: contamination",
        "21 of 22 with masks",
        "1 error, 1 warning, 1 note",
        "900 × 900",
    ] {
        assert!(window.shows(text), "{text}");
    }
    window.picture("data-found-dark");
    window
        .harness
        .get_by_role_and_label(Widget::Row, "screw")
        .click();
    window.settle();
    assert!(window.shows("Pictures in screw"));
    let mut light = Window::with_data(Theme::Light);
    light.snapshot("data_found_light");
    light.picture("data-found-light");
}

#[test]
fn the_layout_can_be_corrected() {
    let mut window = Window::with_data(Theme::Light);
    window
        .harness
        .get_by_role_and_label(Widget::ComboBox, "Layout, as detected")
        .click();
    window.settle();
    window.click("Plain folders");
    let Command::OpenData { root, options } = window.script.command() else {
        panic!("another command")
    };
    assert_eq!(root, Path::new("/home/anna/pictures/line 3"));
    assert_eq!(options.layout, Some(LayoutKind::Folder));
}

#[test]
fn roles_of_plain_folders_can_be_corrected() {
    let mut window = Window::open(Theme::Light);
    window.drop_path("/home/anna/pictures/line 3");
    window.script.command();
    window.script.close(made_up::plain_folders);
    window.until("data opened", |state| state.data.is_some());
    window.picture("data-folders-light");
    window
        .harness
        .get_by_role_and_label(Widget::ComboBox, "old")
        .click();
    window.settle();
    let role = window
        .harness
        .get_by_role_and_label(Widget::Button, "Good, for testing");
    role.click();
    window.settle();
    let Command::OpenData { options, .. } = window.script.command() else {
        panic!("another command")
    };
    let expected = [
        ("ok", Role::Good),
        ("old", Role::GoodTest),
        ("scratched", Role::Defective),
    ];
    let expected = expected.map(|(path, role)| (path.to_owned(), role));
    assert_eq!(options.roles.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn an_error_stays_until_it_is_dismissed_and_is_kept_in_the_list() {
    let mut window = Window::open(Theme::Dark);
    window.drop_path("/no/such/folder");
    window.script.command();
    window
        .script
        .fail("/no/such/folder: expected a folder of pictures, found nothing");
    window.until("failed", |state| state.job.is_none());
    window.clock.set(1000.0);
    window.settle();
    assert!(window.shows("Opening folder failed"));
    window.picture("error-dark");
    window.click("Dismiss");
    assert!(!window.shows("Opening folder failed"));
    window.click("Messages");
    assert!(window.shows("Opening folder failed"));
    window.picture("messages-dark");
}

#[test]
fn a_finished_training_opens_inspect_and_unlocks_results() {
    let mut window = Window::training(Theme::Dark);
    window.script.close(made_up::run);
    window.until("run opened", |state| state.run.is_some());
    assert_eq!(window.state().place, Place::Inspect);
    assert_eq!(window.state().image_limit(), 0.5);
    window.press(Modifiers::COMMAND, Key::Num4);
    assert_eq!(window.state().place, Place::Results);
    window.press(Modifiers::COMMAND, Key::Num1);
    assert_eq!(window.state().place, Place::Data);
}

#[test]
fn a_dropped_run_folder_is_opened_as_a_run() {
    let mut window = Window::open(Theme::Dark);
    let run = window.home.path().join("run");
    std::fs::create_dir(&run).unwrap();
    std::fs::write(run.join("model.safetensors"), b"").unwrap();
    window.drop_path(run.to_str().unwrap());
    let Command::OpenRun { path } = window.script.command() else {
        panic!("another command")
    };
    assert_eq!(path, run);
}

#[test]
fn a_second_job_is_refused_with_a_reason() {
    let mut window = Window::training(Theme::Dark);
    window.drop_path("/data/other");
    assert!(window.shows("Another job is running"));
    assert!(window.script.commands.try_recv().is_err());
}

#[test]
fn opened_folders_are_offered_again_and_can_be_forgotten() {
    let mut window = Window::with_data(Theme::Light);
    window.click("Open another…");
    assert_eq!(
        window.state().recent.data(),
        [PathBuf::from("/home/anna/pictures/line 3")]
    );
    window.picture("data-recent-light");
    window.click("Forget line 3");
    assert!(window.state().recent.data().is_empty());
    window.click("Back to line 3");
    assert!(window.shows("Pictures in bottle"));
}

#[test]
fn an_idle_window_asks_for_no_frames() {
    let mut window = Window::with_data(Theme::Dark);
    window.harness.run();
    let output = window.harness.output();
    let delays = output
        .viewport_output
        .values()
        .map(|viewport| viewport.repaint_delay);
    assert!(delays.min().unwrap() > std::time::Duration::from_hours(1));
}

#[test]
fn the_theme_can_be_chosen() {
    let mut window = Window::open(Theme::Dark);
    window.click("Theme");
    window.click("Light");
    assert_eq!(window.harness.ctx.theme(), Theme::Light);
}
