//! Commands by palette, menu and keys; the sheet of keys; the size of everything; a name on every control.

use std::path::{Path, PathBuf};

use eframe::egui;
use eframe::egui::accesskit::Role as Widget;
use eframe::egui::{Key, Modifiers, Theme};
use egui_kittest::kittest::{NodeT, Queryable};
use flawscope::app::state::{Place, State};
use flawscope::worker::message::Command;

use super::support::made_up;
use super::support::window::Window;

const CTRL: Modifiers = Modifiers::COMMAND;

impl Window {
    /// A window with a scored run, in Inspect.
    pub fn with_run(theme: Theme) -> Self {
        let mut window = Self::open(theme);
        window.open_run("/runs/lid-cfa-0");
        window
    }

    pub fn open_run(&mut self, path: &'static str) {
        let run = self.home.path().join("dropped");
        std::fs::create_dir_all(&run).unwrap();
        std::fs::write(run.join("model.safetensors"), b"").unwrap();
        self.drop_path(run.to_str().unwrap());
        self.script.command();
        self.script.close(|job| made_up::scored_run(job, path));
        let is_open = |state: &State| {
            state
                .run
                .as_ref()
                .is_some_and(|run| run.path == Path::new(path))
        };
        self.until("run opened", is_open);
    }

    pub fn type_text(&mut self, field: &str, text: &str) {
        self.harness.get_by_label(field).type_text(text);
        self.settle();
    }
}

#[test]
fn the_palette_finds_a_place_by_a_few_letters_and_goes_there() {
    let mut window = Window::with_run(Theme::Dark);
    window.press(CTRL, Key::K);
    assert!(window.shows("Open data folder…, File, Ctrl+O"));
    window.picture("palette-dark");
    window.snapshot("palette_dark");
    window.type_text("Find a command", "results");
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.state().place, Place::Results);
    assert!(!window.shows("Find a command"), "it is closed");
}

#[test]
fn the_palette_follows_the_arrows_and_a_click_and_leaves_with_escape() {
    let mut window = Window::with_run(Theme::Light);
    window.press(CTRL.plus(Modifiers::SHIFT), Key::P);
    window.type_text("Find a command", "go to");
    window.picture("palette-light");
    window.snapshot("palette_light");
    window.press(Modifiers::NONE, Key::ArrowDown);
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.state().place, Place::Train, "the second of them");
    window.press(CTRL, Key::K);
    window.type_text("Find a command", "data");
    window.click("Go to Data, Go, Ctrl+1");
    assert_eq!(window.state().place, Place::Data);
    window.press(CTRL, Key::K);
    window.press(Modifiers::NONE, Key::Escape);
    assert!(!window.shows("Find a command"));
    window.press(CTRL, Key::K);
    window.press(CTRL, Key::K);
    assert!(!window.shows("Find a command"), "its own key closes it");
    window.press(CTRL.plus(Modifiers::SHIFT), Key::P);
    window.press(CTRL.plus(Modifiers::SHIFT), Key::P);
    assert!(!window.shows("Find a command"), "and so does the other");
}

#[test]
fn letters_and_enter_in_one_frame_choose_what_the_letters_find() {
    let mut window = Window::with_run(Theme::Dark);
    window.press(CTRL, Key::K);
    window
        .harness
        .event(egui::Event::Text("results".to_owned()));
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(window.state().place, Place::Results);
}

#[test]
fn what_is_not_possible_says_why_and_does_nothing() {
    let mut window = Window::open(Theme::Dark);
    window.press(CTRL, Key::K);
    window.type_text("Find a command", "go to results");
    assert!(window.shows("Go to Results, Go, not possible: train a model or open a run first"));
    window.press(Modifiers::NONE, Key::Enter);
    assert!(window.shows("Find a command"), "it stays");
    window.press(Modifiers::NONE, Key::Escape);
    window.press(CTRL, Key::Num4);
    assert_eq!(window.state().place, Place::Data);
    assert!(window.shows("Not possible now: Go to Results"));
    let told = window.state().messages.len();
    window.press(CTRL, Key::Num4);
    assert_eq!(window.state().messages.len(), told, "once is enough");
}

#[test]
fn the_palette_opens_what_was_opened_lately() {
    let mut window = Window::with_data(Theme::Dark);
    window.press(CTRL, Key::K);
    window.type_text("Find a command", "line");
    window.press(Modifiers::NONE, Key::Enter);
    let Command::OpenData { root, .. } = window.script.command() else {
        panic!("another command")
    };
    assert_eq!(root, PathBuf::from("/home/anna/pictures/line 3"));
}

#[test]
fn the_sheet_of_keys_opens_and_closes_with_its_key() {
    let mut window = Window::with_run(Theme::Dark);
    window.press(Modifiers::SHIFT, Key::Questionmark);
    for text in [
        "Ctrl+Shift+O",
        "List of pictures",
        "Painting a mask",
        "Next overkill or escape",
        "Draw a measuring line, and stop",
    ] {
        assert!(window.shows(text), "{text}");
    }
    window.picture("keys-dark");
    window.picture_at([720.0, 480.0], "keys-small-dark");
    window.press(Modifiers::SHIFT, Key::Questionmark);
    assert!(!window.shows("Painting a mask"));
    window.press(Modifiers::NONE, Key::F1);
    window.harness.ctx.set_theme(Theme::Light);
    window.settle();
    window.picture("keys-light");
    window.click("Close the sheet of keys");
    assert!(!window.shows("Painting a mask"));
}

#[test]
fn the_menu_has_every_group_and_carries_out_what_is_chosen() {
    let mut window = Window::with_run(Theme::Dark);
    window.click("Menu");
    window.picture("menu-dark");
    for group in ["File", "View", "Limits", "Go", "Help"] {
        assert!(window.shows(group), "{group}");
    }
    window.click("Go");
    window.picture("menu-go-dark");
    window.click("Go to Train");
    assert_eq!(window.state().place, Place::Train);
    window.harness.ctx.set_theme(Theme::Light);
    window.click("Menu");
    window.click("Limits");
    window.picture("menu-limits-light");
}

#[test]
fn limits_are_undone_and_redone_by_keys() {
    let mut window = Window::with_run(Theme::Dark);
    let before = window.state().image_limit();
    window.press(CTRL, Key::Num4);
    window.press(Modifiers::NONE, Key::ArrowRight);
    let moved = window.state().image_limit();
    assert!(moved > before, "nudged");
    window.press(CTRL, Key::Z);
    assert_eq!(window.state().image_limit(), before);
    window.press(CTRL.plus(Modifiers::SHIFT), Key::Z);
    assert_eq!(window.state().image_limit(), moved);
    window.press(CTRL, Key::Z);
    window.press(CTRL, Key::Y);
    assert_eq!(window.state().image_limit(), moved);
    window.press(CTRL, Key::S);
    let Command::SaveLimits { limits, .. } = window.script.command() else {
        panic!("another command")
    };
    assert_eq!(limits.rule().fail_from(), moved);
}

#[test]
fn wrong_verdicts_are_a_key_apart() {
    let mut window = Window::with_run(Theme::Dark);
    let name = |window: &Window| {
        let state = window.state();
        state.run.as_ref().unwrap().samples[state.selected]
            .id
            .clone()
    };
    window.press(Modifiers::NONE, Key::N);
    let first = name(&window);
    window.press(Modifiers::NONE, Key::N);
    let second = name(&window);
    assert_ne!(first, second);
    window.press(Modifiers::SHIFT, Key::N);
    assert_eq!(name(&window), first);
    for _ in 0..5 {
        window.press(Modifiers::NONE, Key::N);
    }
    assert!(window.shows("The list has no such picture there"));
}

#[test]
fn everything_can_be_made_larger_smaller_and_natural() {
    let mut window = Window::open(Theme::Dark);
    let size = |window: &Window| window.harness.ctx.zoom_factor();
    window.press(CTRL, Key::Plus);
    window.press(CTRL, Key::Equals);
    assert!((size(&window) - 1.2).abs() < 1e-6);
    window.press(CTRL, Key::Minus);
    assert!((size(&window) - 1.1).abs() < 1e-6);
    window.press(CTRL, Key::Num0);
    assert_eq!(size(&window), 1.0);
    window.press(CTRL.plus(Modifiers::SHIFT), Key::L);
    assert_eq!(window.harness.ctx.theme(), Theme::Light);
    window.press(CTRL.plus(Modifiers::SHIFT), Key::L);
    assert_eq!(window.harness.ctx.theme(), Theme::Dark);
}

#[test]
fn several_dropped_runs_open_one_after_the_other() {
    let mut window = Window::open(Theme::Dark);
    let paths = ["a", "b", "c", "d"].map(|name| {
        let run = window.home.path().join(name);
        std::fs::create_dir(&run).unwrap();
        std::fs::write(run.join("model.safetensors"), b"").unwrap();
        run
    });
    window.drop_paths(&paths);
    assert!(matches!(window.script.command(), Command::OpenRun { path } if path == paths[0]));
    window
        .script
        .close(|job| made_up::scored_run(job, "/runs/a"));
    for (path, name) in paths[1..3].iter().zip(["/runs/b", "/runs/c"]) {
        let command = window.next_command();
        assert!(matches!(command, Command::OpenComparison { path: asked } if asked == *path));
        window
            .script
            .close(move |job| made_up::compared_run(job, name));
        window.until("compared", |state| {
            !state.is_busy() || state.comparisons.len() == 1
        });
    }
    window.until("both compared", |state| state.comparisons.len() == 2);
    assert_eq!(window.state().place, Place::Compare);
    assert!(window.shows("c is compared with a"));
    assert!(
        window.script.commands.try_recv().is_err(),
        "three are enough"
    );
    assert!(window.shows("Of what was dropped, 1 more did not open"));
}

#[test]
fn nothing_is_compared_with_a_run_that_does_not_open() {
    let mut window = Window::open(Theme::Dark);
    let paths = ["a", "b"].map(|name| {
        let run = window.home.path().join(name);
        std::fs::create_dir(&run).unwrap();
        std::fs::write(run.join("model.safetensors"), b"").unwrap();
        run
    });
    window.drop_paths(&paths);
    window.script.command();
    window.script.fail("a: the file is damaged");
    window.until("failed", |state| !state.is_busy());
    window.settle();
    assert!(window.script.commands.try_recv().is_err());
}

/// The controls in view that a screen reader could not name.
fn nameless(window: &Window) -> Vec<String> {
    let roles = [
        Widget::Button,
        Widget::CheckBox,
        Widget::RadioButton,
        Widget::Slider,
        Widget::SpinButton,
        Widget::TextInput,
        Widget::MultilineTextInput,
        Widget::ComboBox,
        Widget::Link,
    ];
    let mut found = Vec::new();
    for role in roles {
        for node in window.harness.query_all_by_role(role) {
            let node = node.accesskit_node();
            let name = node.label().unwrap_or_default();
            if name.trim().is_empty() {
                let bounds = node.bounding_box();
                found.push(format!("{role:?} {:?} at {bounds:?}", node.value()));
            }
        }
    }
    found
}

#[test]
fn every_control_of_every_place_has_a_name() {
    let mut window = Window::with_data(Theme::Dark);
    window.open_run("/runs/lid-cfa-0");
    for place in Place::ALL {
        let number = [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5];
        window.press(CTRL, number[place as usize]);
        assert_eq!(window.state().place, place);
        window.harness.run_steps(6);
        assert_eq!(nameless(&window), Vec::<String>::new(), "{place:?}");
    }
    for key in [Key::K, Key::F1] {
        let held = if key == Key::K { CTRL } else { Modifiers::NONE };
        window.press(held, key);
        assert_eq!(nameless(&window), Vec::<String>::new(), "{key:?}");
        window.press(Modifiers::NONE, Key::Escape);
    }
}
