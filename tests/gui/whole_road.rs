//! The whole program behind the window, nothing stood in for: the sample is opened, a model trained, pictures browsed,
//! the limit dragged and the numbers read.

use std::time::{Duration, Instant};

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use flawscope::app::state::{Place, State};
use flawscope::app::{App, Services, UserFolders};
use flawscope::data::synthetic::{SampleSettings, generate};
use flawscope::metrics::Confusion;
use flawscope::progress::Phase;
use flawscope::worker::{DiskPreviews, PipelineJobs};

use super::support::soft_renderer::SoftRenderer;

fn open(folders: UserFolders) -> Harness<'static, App> {
    let started = Instant::now();
    let services = Services {
        jobs: Box::new(PipelineJobs),
        previews: Box::new(DiskPreviews::default()),
        dialog: |_| None,
        clock: Box::new(move || started.elapsed().as_secs_f64()),
        folders,
        session: None,
    };
    Harness::builder()
        .with_size([1280.0, 800.0])
        .renderer(SoftRenderer::default())
        .build_eframe(|cc| App::new(&cc.egui_ctx, cc.storage, services).unwrap())
}

fn until(window: &mut Harness<'static, App>, what: &str, wanted: impl Fn(&State) -> bool) {
    let patience = Instant::now() + Duration::from_mins(4);
    while Instant::now() < patience {
        window.run_steps(1);
        if wanted(window.state().state()) {
            window.run_steps(3);
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("not reached: {what}\n{:#?}", window.state().state());
}

fn confusion(state: &State) -> Confusion {
    let run = state.run.as_ref().unwrap();
    Confusion::at(
        &run.evaluation.as_ref().unwrap().images,
        state.image_limit(),
    )
}

#[test]
fn from_the_sample_to_a_verdict_whose_limit_follows_the_hand() {
    let home = tempfile::tempdir().unwrap();
    let folders = UserFolders::new(home.path());
    // A small one of the same kind lies there already, so that the test is quick.
    generate(&folders.sample(), &SampleSettings::with_count(16), &|_| {
        true
    })
    .unwrap();
    let mut window = open(folders);
    until(&mut window, "weights listed", |state| {
        state.weights.is_some()
    });

    window.get_by_label("Try the sample data set").click();
    until(&mut window, "sample opened", |state| state.data.is_some());
    window.get_by_label("Train a model").click();
    window.run_steps(3);
    window.get_by_label("Quick").click();
    window.run_steps(3);
    window.get_by_label("Train on bearing_cover").click();
    until(&mut window, "trained and scored", |state| {
        state.place == Place::Inspect && state.run.is_some()
    });
    let run = window.state().state().run.clone().unwrap();
    assert!(run.path.join("model.safetensors").is_file());
    assert_eq!(run.samples.len(), 3 + 5 * 3);

    let first = window.state().state().selected;
    window.key_press(Key::ArrowDown);
    until(&mut window, "the next picture", |state| {
        state.selected != first
    });

    window.key_press_modifiers(Modifiers::COMMAND, Key::Num4);
    until(&mut window, "results", |state| {
        state.place == Place::Results
    });
    let lowest = run
        .evaluation
        .as_ref()
        .unwrap()
        .images
        .iter()
        .map(|row| row.score)
        .fold(f32::MAX, f32::min);
    let field = window.get_by_role_and_label(Role::SpinButton, "T2, fail from");
    field.set_value_accesskit(f64::from(lowest) * 0.9);
    until(&mut window, "a limit below every score", |state| {
        state.image_limit() < lowest
    });
    let all_fail = confusion(window.state().state());
    assert_eq!((all_fail.good_failed, all_fail.defective_failed), (3, 15));
    assert!(
        window
            .query_all_by_label_contains("overkill")
            .next()
            .is_some()
    );
    assert!(window.query_all_by_label("100.0 %").next().is_some());

    window.get_by_label("Reset to calibration").click();
    until(&mut window, "the run's own limit", |state| {
        state.image_limit() == run.limits.image.value
    });
}

#[test]
fn a_training_whose_window_was_closed_goes_on_in_the_next() {
    let home = tempfile::tempdir().unwrap();
    let folders = UserFolders::new(home.path());
    let sample = SampleSettings::with_count(16);
    generate(&folders.sample(), &sample, &|_| true).unwrap();
    let mut window = open(folders.clone());
    until(&mut window, "weights listed", |state| {
        state.weights.is_some()
    });
    window.get_by_label("Try the sample data set").click();
    until(&mut window, "sample opened", |state| state.data.is_some());
    window.get_by_label("Train a model").click();
    window.run_steps(3);
    window.get_by_label("Train on bearing_cover").click();
    until(&mut window, "training", |state| {
        let job = state.training();
        job.is_some_and(|job| job.progress.phase() == Some(Phase::Training))
    });
    let closed = Instant::now();
    drop(window);
    assert!(closed.elapsed() < Duration::from_secs(10));

    let run = folders
        .free_run("bearing_cover", "cfa")
        .with_file_name("bearing_cover-cfa");
    assert!(run.join("training.safetensors").is_file());
    assert!(!run.join("model.safetensors").exists());
    let mut window = open(folders);
    until(&mut window, "weights listed", |state| {
        state.weights.is_some()
    });
    let field = window.get_by_label("Folder path");
    field.focus();
    field.type_text(run.to_str().unwrap());
    window.run_steps(3);
    window.key_press(Key::Enter);
    until(&mut window, "found", |state| state.unfinished.is_some());
    window.get_by_label("Go on").click();
    until(&mut window, "trained and scored", |state| {
        state.place == Place::Inspect && state.run.is_some()
    });
    assert!(run.join("model.safetensors").is_file());
    assert!(!run.join("training.safetensors").exists());
}
