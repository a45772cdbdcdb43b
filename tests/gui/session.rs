//! One window closes and the next one at the same home goes on where it was.

use std::path::PathBuf;

use eframe::egui::{Key, Modifiers};
use flawscope::app::UserFolders;
use flawscope::app::state::Place;
use flawscope::worker::message::Command;
use tempfile::TempDir;

use super::support::made_up;
use super::support::window::Window;

const CTRL: Modifiers = Modifiers::COMMAND;

/// Lets the window keep its session, and closes it.
fn close(mut window: Window) -> TempDir {
    window.clock.set(window.clock.get() + 60.0);
    window.settle();
    window.home
}

/// A window with a data set, a run, another run beside it and limits that are not saved.
fn left_behind() -> TempDir {
    let mut window = Window::open_again(tempfile::tempdir().unwrap());
    window.drop_path("/home/anna/pictures/line 3");
    window.script.command();
    window.script.close(made_up::line3);
    window.until("data opened", |state| state.data.is_some());
    window.click("cable");
    window.open_run("/runs/lid-cfa-0");
    window.press(CTRL, Key::Num4);
    window.press(Modifiers::NONE, Key::ArrowRight);
    window.press(CTRL, Key::Num3);
    window.press(Modifiers::NONE, Key::N);
    window.press(Modifiers::NONE, Key::Num1);
    window.press(CTRL, Key::Plus);
    window.press(CTRL.plus(Modifiers::SHIFT), Key::L);
    close(window)
}

/// What part of the picture is looked at; `None`: all of it.
fn zoom(home: &TempDir) -> Option<f64> {
    let session: serde_json::Value = serde_json::from_str(&kept(home)).unwrap();
    session["viewport"]["zoom"].as_f64()
}

fn answer(window: &mut Window) -> Command {
    window.next_command()
}

#[test]
fn the_next_window_goes_on_where_the_last_one_was() {
    let home = left_behind();
    let kept = std::fs::read_to_string(UserFolders::new(home.path()).session()).unwrap();
    assert!(
        kept.contains("\"theme\": \"Light\""),
        "the harness would set its own: {kept}"
    );
    let mut window = Window::open_again(home);
    let Command::OpenData { root, .. } = answer(&mut window) else {
        panic!("another command")
    };
    assert_eq!(root, PathBuf::from("/home/anna/pictures/line 3"));
    window.script.close(made_up::line3);
    window.until("data opened", |state| state.data.is_some());
    let Command::OpenRun { path } = answer(&mut window) else {
        panic!("another command")
    };
    assert_eq!(path, PathBuf::from("/runs/lid-cfa-0"));
    window
        .script
        .close(|job| made_up::scored_run(job, "/runs/lid-cfa-0"));
    window.until("run opened", |state| state.run.is_some());
    window.settle();
    let state = window.state();
    let data = state.data.as_ref().unwrap();
    assert_eq!(data.category().unwrap().name, "cable");
    assert_eq!(state.place, Place::Inspect);
    let run = state.run.as_ref().unwrap();
    assert!(!state.limits.are_saved(run), "unsaved limits are in force");
    assert!(state.limits.can_undo(), "and can be undone");
    assert_eq!(run.samples[state.selected].id, made_up::FIRST_ERROR);
    assert!((window.harness.ctx.zoom_factor() - 1.1).abs() < 1e-6);
    let home = close(window);
    assert_eq!(zoom(&home), Some(1.0));
}

#[test]
fn another_run_is_looked_at_as_a_whole() {
    let mut window = Window::open_again(tempfile::tempdir().unwrap());
    window.open_run("/runs/a");
    window.press(Modifiers::NONE, Key::Num1);
    window.open_run("/runs/b");
    assert_eq!(zoom(&close(window)), None);
}

#[test]
fn a_folder_that_is_gone_is_told_and_the_rest_comes_back() {
    let mut window = Window::open_again(left_behind());
    answer(&mut window);
    window
        .script
        .fail("/home/anna/pictures/line 3: there is no such folder");
    let Command::OpenRun { .. } = answer(&mut window) else {
        panic!("another command")
    };
    window
        .script
        .close(|job| made_up::scored_run(job, "/runs/lid-cfa-0"));
    window.until("run opened", |state| state.run.is_some());
    assert!(window.shows("Opening line 3 failed"));
    assert!(window.shows("/home/anna/pictures/line 3"));
    assert_eq!(window.state().place, Place::Inspect);
}

/// A window in which neither the data set nor the run of the last session can be opened.
fn nothing_opens() -> Window {
    let mut window = Window::open_again(left_behind());
    for _ in 0..2 {
        answer(&mut window);
        window.script.fail("there is no such folder");
    }
    window.until("both failed", |state| state.messages.len() == 2);
    window
}

/// The session that is kept at the home of a window.
fn kept(home: &TempDir) -> String {
    std::fs::read_to_string(UserFolders::new(home.path()).session()).unwrap()
}

#[test]
fn a_drive_that_is_missing_today_costs_nothing_tomorrow() {
    let home = close(nothing_opens());
    let session = kept(&home);
    assert!(session.contains("/home/anna/pictures/line 3"), "{session}");
    assert!(session.contains("cable"), "{session}");

    let mut window = Window::open_again(home);
    answer(&mut window);
    window.script.close(made_up::line3);
    window.until("data opened", |state| state.data.is_some());
    answer(&mut window);
    window
        .script
        .close(|job| made_up::scored_run(job, "/runs/lid-cfa-0"));
    window.until("run opened", |state| state.run.is_some());
    window.settle();
    let state = window.state();
    let run = state.run.as_ref().unwrap();
    assert!(!state.limits.are_saved(run), "the unsaved limits are there");
    assert_eq!(run.samples[state.selected].id, made_up::FIRST_ERROR);
}

#[test]
fn what_is_opened_in_place_of_the_missing_is_found_next_time() {
    let mut window = nothing_opens();
    window.open_run("/runs/other");
    let session = kept(&close(window));
    assert!(session.contains("\"path\": \"/runs/other\""), "{session}");
    assert!(
        !session.contains("\"path\": \"/runs/lid-cfa-0\""),
        "{session}"
    );
}

#[test]
fn a_session_that_is_cancelled_leaves_the_window_to_the_user_and_is_not_forgotten() {
    let mut window = Window::open_again(left_behind());
    answer(&mut window);
    window.press(CTRL, Key::K);
    window.type_text("Find a command", "cancel the running");
    window.press(Modifiers::NONE, Key::Enter);
    window.until("cancelled", |state| state.job.is_none());
    window.settle();
    assert!(
        window.script.commands.try_recv().is_err(),
        "nothing else opens"
    );
    window.press(CTRL, Key::Num2);
    window.open_run("/runs/other");
    assert_eq!(
        window.state().place,
        Place::Inspect,
        "not where the session was"
    );
    let state = window.state();
    let picture = &state.run.as_ref().unwrap().samples[state.selected];
    assert_ne!(picture.id, made_up::FIRST_ERROR);
    let session = kept(&close(window));
    assert!(session.contains("/home/anna/pictures/line 3"), "{session}");
}

#[test]
fn limits_of_another_model_are_not_put_in_force() {
    let mut window = Window::open_again(left_behind());
    answer(&mut window);
    window.script.close(made_up::line3);
    window.until("data opened", |state| state.data.is_some());
    answer(&mut window);
    window
        .script
        .close(|job| made_up::retrained_run(job, "/runs/lid-cfa-0"));
    window.until("run opened", |state| state.run.is_some());
    let state = window.state();
    assert!(state.limits.are_saved(state.run.as_ref().unwrap()));
    assert!(window.shows("The limits you had not saved are not in force"));
}

#[test]
fn compared_runs_come_back_after_the_run() {
    let mut window = Window::open_again(tempfile::tempdir().unwrap());
    let paths = ["a", "b"].map(|name| {
        let run = window.home.path().join(name);
        std::fs::create_dir(&run).unwrap();
        std::fs::write(run.join("model.safetensors"), b"").unwrap();
        run
    });
    window.drop_paths(&paths);
    window.script.command();
    window
        .script
        .close(|job| made_up::scored_run(job, "/runs/a"));
    window.next_command();
    window
        .script
        .close(|job| made_up::compared_run(job, "/runs/b"));
    window.until("compared", |state| state.comparisons.len() == 1);
    let mut window = Window::open_again(close(window));
    answer(&mut window);
    window
        .script
        .close(|job| made_up::scored_run(job, "/runs/a"));
    window.until("run opened", |state| state.run.is_some());
    let Command::OpenComparison { path } = answer(&mut window) else {
        panic!("another command")
    };
    assert_eq!(path, PathBuf::from("/runs/b"));
    window
        .script
        .close(|job| made_up::compared_run(job, "/runs/b"));
    window.until("compared", |state| state.comparisons.len() == 1);
    assert_eq!(window.state().place, Place::Compare);
}

#[test]
fn where_the_user_goes_meanwhile_he_stays() {
    let mut window = Window::open_again(left_behind());
    answer(&mut window);
    window.press(CTRL, Key::Num2);
    window.script.close(made_up::line3);
    window.until("data opened", |state| state.data.is_some());
    answer(&mut window);
    window
        .script
        .close(|job| made_up::scored_run(job, "/runs/lid-cfa-0"));
    window.until("run opened", |state| state.run.is_some());
    window.settle();
    assert_eq!(window.state().place, Place::Train);
}

#[test]
fn a_damaged_session_is_told_and_the_window_begins_anew() {
    let home = tempfile::tempdir().unwrap();
    let (path, half) = (
        UserFolders::new(home.path()).session(),
        "{\"version\": 1, \"pla",
    );
    std::fs::write(&path, half).unwrap();
    let mut window = Window::open_again(home);
    window.settle();
    assert!(window.shows("The last session cannot be restored"));
    assert!(window.shows("the file is damaged"));
    assert!(window.shows("session.json.bad"));
    let home = close(window);
    let aside = std::fs::read_to_string(path.with_extension("json.bad")).unwrap();
    assert_eq!(aside, half, "nothing is lost");
    let window = Window::open_again(home);
    assert!(window.state().messages.is_empty(), "it was written anew");
}

#[test]
fn a_session_that_was_kept_lets_the_window_rest() {
    let mut window = Window::open_again(tempfile::tempdir().unwrap());
    window.press(CTRL, Key::Num2);
    window.clock.set(60.0);
    window.settle();
    window.harness.run();
    let output = window.harness.output();
    let delays = output
        .viewport_output
        .values()
        .map(|viewport| viewport.repaint_delay);
    assert!(delays.min().unwrap() > std::time::Duration::from_hours(1));
}
