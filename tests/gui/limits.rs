//! Limits that are saved: what the whole window sends to its worker, and what it shows once that is done.

use std::sync::Arc;

use eframe::egui::accesskit::Role as Widget;
use eframe::egui::{Key, Modifiers, Theme};
use egui_kittest::kittest::Queryable;
use flawscope::worker::message::{Command, Event, RunSummary};

use super::support::window::Window;
use super::support::{fake_run, made_up};

#[test]
fn saving_sends_the_limits_in_force_and_the_mark_goes_when_the_model_has_them() {
    let mut window = Window::training(Theme::Dark);
    window.script.close(|job| Event::RunOpened {
        job,
        run: Arc::new(fake_run::run()),
    });
    window.until("run opened", |state| state.run.is_some());
    window.press(Modifiers::COMMAND, Key::Num4);
    let mark = "Limits differ from the model file";
    assert!(!window.shows(mark));
    window
        .harness
        .get_by_role_and_label(Widget::SpinButton, "T2, fail from")
        .set_value_accesskit(0.7);
    window.settle();
    assert!(window.shows(mark));
    window.click("Save the limits in the model");
    let Command::SaveLimits { run, limits } = window.script.command() else {
        panic!("another command")
    };
    assert_eq!(run, fake_run::run().path);
    assert_eq!(limits.image.value, 0.7);
    window.script.tell(move |job| Event::LimitsChanged {
        job,
        run: Arc::new(RunSummary {
            limits: *limits,
            ..fake_run::run()
        }),
    });
    window.script.close(|job| Event::LimitsSaved { job });
    window.until("saved", |state| state.job.is_none());
    assert!(!window.shows(mark));
    assert!(
        window.state().limits.can_undo(),
        "saving keeps the way back"
    );
}

#[test]
fn without_a_file_dialog_the_report_lies_beside_its_model() {
    let mut window = Window::with_run(Theme::Light);
    window.press(Modifiers::COMMAND, Key::E);
    let Command::WriteReport { run, limits, out } = window.next_command() else {
        panic!("another command")
    };
    assert_eq!(out, run.join("report.html"));
    assert!(limits.is_none(), "they are saved");
}

#[test]
fn a_report_without_a_file_dialog_takes_no_other_s_place() {
    let mut window = Window::with_data(Theme::Light);
    let run = window.home.path().join("scored");
    std::fs::create_dir(&run).unwrap();
    std::fs::write(run.join("report.html"), "defended").unwrap();
    window.drop_path("/pictures");
    let path = run.to_str().unwrap().to_owned();
    window.script.command();
    window
        .script
        .close(move |job| made_up::scored_run(job, &path));
    window.until("run opened", |state| state.run.is_some());
    window.press(Modifiers::COMMAND, Key::E);
    let Command::WriteReport { out, .. } = window.next_command() else {
        panic!("another command")
    };
    assert_eq!(out, run.join("report-2.html"));
}

#[test]
fn limits_saved_for_a_report_stay_saved_when_it_is_cancelled() {
    let mut window = Window::with_run(Theme::Dark);
    window.press(Modifiers::COMMAND, Key::Num4);
    window.press(Modifiers::NONE, Key::ArrowRight);
    window.press(Modifiers::COMMAND, Key::E);
    let Command::WriteReport { limits, .. } = window.next_command() else {
        panic!("another command")
    };
    let run = Arc::clone(window.state().run.as_ref().unwrap());
    window.script.tell(move |job| Event::LimitsChanged {
        job,
        run: Arc::new(RunSummary {
            limits: *limits.unwrap(),
            checksum: "b9".repeat(32),
            ..(*run).clone()
        }),
    });
    window.script.close(|job| Event::Cancelled { job });
    window.until("cancelled", |state| state.job.is_none());
    let state = window.state();
    assert!(state.limits.are_saved(state.run.as_ref().unwrap()));
    assert!(window.shows("The limits are saved in the model"));
    assert!(window.shows("was cancelled"));
    assert!(!window.shows("Limits differ from the model file"));
}

#[test]
fn limits_that_are_not_saved_survive_another_run_and_another_scoring() {
    let mut window = Window::with_run(Theme::Dark);
    let first = window.state().run.as_ref().unwrap().path.clone();
    let first = first.to_str().unwrap().to_owned();
    let saved = window.state().image_limit();
    window.press(Modifiers::COMMAND, Key::Num4);
    window.press(Modifiers::NONE, Key::ArrowRight);
    let moved = window.state().image_limit();
    assert!(moved > saved);

    window.press(Modifiers::COMMAND, Key::K);
    window.type_text("Find a command", "score the test pictures");
    window.press(Modifiers::NONE, Key::Enter);
    assert!(matches!(window.next_command(), Command::Evaluate { .. }));
    let again = first.clone();
    window
        .script
        .close(move |job| made_up::scored_run(job, &again));
    window.until("scored", |state| state.job.is_none());
    assert_eq!(window.state().image_limit(), moved);

    window.open_run("/runs/other");
    assert_eq!(window.state().image_limit(), saved);
    assert!(window.shows("are not saved"));
    let first: &'static str = first.leak();
    window.open_run(first);
    assert_eq!(window.state().image_limit(), moved);
    window.press(Modifiers::COMMAND, Key::Num4);
    window.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(window.state().image_limit(), saved, "and can be undone");
}
