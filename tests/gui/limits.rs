//! Limits that are saved: what the whole window sends to its worker, and what it shows once that is done.

use std::sync::Arc;

use eframe::egui::accesskit::Role as Widget;
use eframe::egui::{Key, Modifiers, Theme};
use egui_kittest::kittest::Queryable;
use flawscope::worker::message::{Command, Event, RunSummary};

use super::support::fake_run;
use super::support::window::Window;

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
    window.script.close(move |job| Event::LimitsSaved {
        job,
        run: Arc::new(RunSummary {
            limits: *limits,
            ..fake_run::run()
        }),
    });
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
