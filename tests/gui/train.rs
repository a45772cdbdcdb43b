//! The Train place: choices that become a run, a running training, and what can be done with one that stopped.

use eframe::egui::accesskit::Role as Widget;
use eframe::egui::{Key, Modifiers, Theme};
use egui_kittest::kittest::Queryable;
use flawscope::app::state::Place;
use flawscope::config::{ModelConfig, ModelName};
use flawscope::data::image::InputPreset;
use flawscope::progress::{Phase, Progress};
use flawscope::worker::message::Command;

use super::support::made_up;
use super::support::window::Window;

impl Window {
    /// A training in its last third.
    pub fn training(theme: Theme) -> Self {
        let mut window = Self::with_data(theme);
        window.click("Train a model");
        window.click("Train on bottle");
        let script = &window.script;
        script.command();
        for (phase, total) in [
            (Phase::ReadingPictures, 188),
            (Phase::Encoding, 188),
            (Phase::BuildingBank, 188),
        ] {
            script.report(Progress::Phase { phase, total });
        }
        let (phase, total) = (Phase::Training, 1410);
        script.report(Progress::Phase { phase, total });
        window.until("training", |state| {
            state
                .training()
                .is_some_and(|job| job.progress.phase() == Some(Phase::Training))
        });
        for step in 0..940 {
            window.clock.set(step as f64 * 0.05);
            let falling = 290.0 * (-(step as f32) / 90.0).exp() + 0.7;
            let loss = falling * (1.0 + 0.15 * ((step * 7919 % 100) as f32 / 50.0 - 1.0));
            window.script.report(Progress::Loss { step, loss });
            if step % 47 == 46 {
                let (epoch, epochs) = (step / 47 + 1, 30);
                let quantities = vec![("radius".to_owned(), 0.632)];
                window.script.report(Progress::Epoch {
                    epoch,
                    epochs,
                    loss,
                    quantities,
                });
                window.script.report(Progress::Step { done: step + 1 });
                window.until("epoch", |state| {
                    state
                        .training()
                        .is_some_and(|job| job.progress.epochs().len() == epoch)
                });
            }
        }
        window
    }

    /// The Train place on `line 3`, with the same paths on every machine.
    pub fn on_train(theme: Theme) -> Self {
        let mut window = Self::open_for_snapshot(theme);
        window.drop_path("/home/anna/pictures/line 3");
        window.script.command();
        window.script.close(made_up::line3);
        window.until("data opened", |state| state.data.is_some());
        window.click("Train a model");
        window
    }

    /// A CFLOW-AD training after 74 of 200 epochs.
    fn training_cflow(theme: Theme) -> Self {
        let mut window = Self::on_train(theme);
        window.click("CFLOW-AD");
        window.click("Paper 256");
        window.click("Train on bottle");
        window.script.command();
        let (phase, total) = (Phase::Encoding, 752);
        window.script.report(Progress::Phase { phase, total });
        let (phase, total) = (Phase::Training, 168_000);
        window.script.report(Progress::Phase { phase, total });
        for batch in 0..370 {
            window.clock.set(batch as f64 * 2.1);
            let (done, epoch) = ((batch + 1) * 168, batch / 5 + 1);
            let falling = |start: f32, speed: f32| {
                let wave = 1.0 + 0.04 * ((batch * 7919 % 100) as f32 / 50.0 - 1.0);
                (0.35 + start * (-(batch as f32) * speed).exp()) * wave
            };
            let loss = falling(0.9, 0.012);
            window.script.report(Progress::Loss { step: done, loss });
            window.script.report(Progress::Step { done });
            if batch % 5 == 4 {
                let scale = |number, loss| (format!("scale {number}"), loss);
                window.script.report(Progress::Epoch {
                    epoch,
                    epochs: 200,
                    loss,
                    quantities: vec![
                        scale(1, falling(0.95, 0.013)),
                        scale(2, falling(0.8, 0.009)),
                        scale(3, falling(0.7, 0.006)),
                    ],
                });
                window.until("epoch", |state| {
                    let job = state.training();
                    job.is_some_and(|job| job.progress.epochs().len() == epoch)
                });
            }
        }
        window
    }

    pub fn train_command(&mut self) -> (flawscope::config::RunConfig, std::path::PathBuf) {
        match self.script.command() {
            Command::Train { config, out } => (*config, out),
            other => panic!("another command: {other:?}"),
        }
    }

    /// Opens a run folder that holds nothing but an interrupted training.
    fn with_interrupted(theme: Theme) -> Self {
        let mut window = Self::open(theme);
        let run = window.home.path().join("bottle-cflow");
        std::fs::create_dir(&run).unwrap();
        std::fs::write(run.join("training.safetensors"), b"").unwrap();
        window.drop_path(run.to_str().unwrap());
        let Command::OpenRun { path } = window.script.command() else {
            panic!("another command")
        };
        assert_eq!(path, run);
        window.script.close(|job| made_up::interrupted(job, None));
        window.until("found", |state| state.unfinished.is_some());
        window
    }
}

#[test]
fn training_is_set_up_started_cancelled_and_started_again() {
    let mut window = Window::with_data(Theme::Dark);
    window.press(Modifiers::COMMAND, Key::Num2);
    assert_eq!(window.state().place, Place::Train);
    window.picture("train-form-dark");
    window.click("Quick");
    window.click("224 crop");
    window.click("Train on bottle");
    let Command::Train { config, out } = window.script.command() else {
        panic!("another command")
    };
    assert_eq!(config.category.as_deref(), Some("bottle"));
    assert!(config.model.epochs() < 30);
    assert_eq!(out, window.home.path().join("runs").join("bottle-cfa"));
    window.click("Cancel");
    window.until("cancelled", |state| state.unfinished.is_some());
    assert!(window.shows("The training was cancelled"));
    window.click("Start again");
    let Command::Train {
        config: again,
        out: same,
    } = window.script.command()
    else {
        panic!("another command")
    };
    assert_eq!((again, same), (config, out));
}

#[test]
fn a_running_training_shows_phase_rate_time_left_and_loss() {
    let mut window = Window::training(Theme::Dark);
    for text in [
        "Training on bottle",
        "940 of 1,410 steps",
        "20.0 steps/s",
        "left",
        "20 of 30",
        "Radius",
    ] {
        assert!(window.shows(text), "{text}");
    }
    let text = "bottle/train/good/017.png is cut short; left out".to_owned();
    window.script.report(Progress::Warning { text });
    window.until("warned", |state| {
        state
            .training()
            .is_some_and(|job| !job.progress.warnings().is_empty())
    });
    window.picture("train-running-dark");
    window.press(Modifiers::COMMAND, Key::Num1);
    assert!(
        window.shows("Training on bottle"),
        "the status bar says what runs"
    );
    window.picture("data-while-training-dark");
    let mut light = Window::training(Theme::Light);
    light.picture("train-running-light");
}

#[test]
fn a_failed_training_says_why_and_can_be_copied() {
    let mut window = Window::training(Theme::Light);
    window
        .script
        .fail("writing /runs/bottle-cfa: no space left on device");
    window.until("failed", |state| state.unfinished.is_some());
    assert!(window.shows("The training failed"));
    assert!(!window.shows("Training on bottle failed"), "told once");
    window.picture("train-failed-light");
    window
        .harness
        .get_all_by_label("Copy details")
        .next()
        .unwrap()
        .click();
    window.settle();
}

#[test]
fn training_without_data_leads_back_to_data() {
    let mut window = Window::open(Theme::Light);
    window.click("Train");
    window.picture("train-empty-light");
    window.click("Go to Data");
    assert_eq!(window.state().place, Place::Data);
}

#[test]
fn the_chosen_model_preset_input_and_extras_make_the_run() {
    let mut window = Window::with_data(Theme::Dark);
    window.click("Train a model");
    window.click("CFLOW-AD");
    assert!(
        window.shows("20 epochs"),
        "a laptop finishes the first preset"
    );
    window.click("Paper");
    for text in [
        "Paper 256",
        "200 epochs",
        "As published for bottle",
        "turned by up to 5 degrees",
    ] {
        assert!(window.shows(text), "{text}");
    }
    window.click("Paper 256");
    assert!(window.shows("168,000 steps"));
    window.click("128");
    assert!(window.shows("Chosen by hand; the preset takes 256"));
    window.click("Carry the backbone inside");
    window.click("Train on bottle");
    let (config, out) = window.train_command();
    assert!(matches!(config.model, ModelConfig::Cflow(_)));
    assert_eq!(
        (config.model.epochs(), config.model.batch_size()),
        (200, 32)
    );
    assert_eq!(config.input, InputPreset::Resize128);
    assert!(config.embed_backbone);
    assert_eq!(out, window.home.path().join("runs").join("bottle-cflow"));
}

#[test]
fn the_published_input_follows_the_category() {
    let mut window = Window::with_data(Theme::Light);
    window.click("Train a model");
    window.click("CFLOW-AD");
    window.click("Paper");
    window
        .harness
        .get_by_role_and_label(Widget::ComboBox, "Category")
        .click();
    window.settle();
    window.click("cable");
    assert!(window.shows("As published for cable"));
    window.click("Train on cable");
    let (config, _) = window.train_command();
    assert_eq!(config.category.as_deref(), Some("cable"));
    assert_eq!(config.input, InputPreset::Resize256);
}

#[test]
fn a_batch_that_cannot_be_filled_is_said_before_training_and_made_smaller() {
    let mut window = Window::open(Theme::Dark);
    window.drop_path("/home/anna/pictures/line 3");
    window.script.command();
    window.script.close(made_up::few_parts);
    window.until("data opened", |state| state.data.is_some());
    window.click("Train a model");
    assert!(!window.shows("Batches of"), "CFA's batches are small");
    window.click("CFLOW-AD");
    window.click("Paper");
    assert!(window.shows("Batches of 26 pictures instead of 32"));
    window.picture_at([1000.0, 1000.0], "train-few-dark");
    window.click("Train on bottle");
    assert_eq!(window.train_command().0.model.batch_size(), 26);
}

/// The form with CFLOW-AD chosen, in the committed sizes and in those to be looked at.
fn look_at_form(theme: Theme, name: &str) {
    let mut window = Window::on_train(theme);
    window.picture_at([1000.0, 800.0], &format!("train-cfa-{name}"));
    window.click("CFLOW-AD");
    window.snapshot(&format!("train_cflow_{name}"));
    window.picture(&format!("train-cflow-{name}"));
    window.picture_at([1000.0, 1000.0], &format!("train-cflow-1000-{name}"));
    window.picture_at([720.0, 1500.0], &format!("train-cflow-720-{name}"));
}

#[test]
fn cflow_is_explained_in_the_dark() {
    look_at_form(Theme::Dark, "dark");
}

#[test]
fn cflow_is_explained_in_the_light() {
    look_at_form(Theme::Light, "light");
}

#[test]
fn each_scales_loss_is_shown_while_cflow_trains() {
    for (theme, name) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        let mut window = Window::training_cflow(theme);
        for text in [
            "CFLOW-AD on EfficientNet-Lite0",
            "62,160 of 168,000 steps",
            "80.0 steps/s",
            "about 22 min left",
            "74 of 200",
            "Scale 1 (finest)",
            "Scale 3 (coarsest)",
            "All scales",
        ] {
            assert!(window.shows(text), "{text}");
        }
        window.picture(&format!("train-cflow-running-{name}"));
        window.picture_at([1000.0, 700.0], &format!("train-cflow-running-1000-{name}"));
    }
}

#[test]
fn a_long_training_stays_quick_to_draw() {
    let mut window = Window::on_train(Theme::Dark);
    window.click("CFLOW-AD");
    window.click("Train on bottle");
    let (phase, total) = (Phase::Training, 3_360_000);
    window.script.report(Progress::Phase { phase, total });
    for batch in 0..20_000 {
        let loss = 0.3 + 1.0 / (1 + batch) as f32;
        let step = (batch + 1) * 168;
        window.script.report(Progress::Loss { step, loss });
        if batch % 100 == 99 {
            window.script.report(Progress::Epoch {
                epoch: batch / 100 + 1,
                epochs: 200,
                loss,
                quantities: (1..=3).map(|n| (format!("scale {n}"), loss)).collect(),
            });
        }
    }
    window.until("all epochs", |state| {
        let job = state.training();
        job.is_some_and(|job| job.progress.epochs().len() == 200)
    });
    assert!(window.state().training().unwrap().progress.losses().len() <= 4096);
    let started = std::time::Instant::now();
    window.harness.run_steps(20);
    let frame = started.elapsed() / 20;
    assert!(frame.as_millis() < 100, "{frame:?} a frame");
}

#[test]
fn a_cancelled_training_goes_on_from_its_note() {
    let mut window = Window::training_cflow(Theme::Dark);
    window.script.on_stop(|job| made_up::interrupted(job, None));
    window.script.report(Progress::Warning {
        text: "heard".to_owned(),
    });
    window.until("heard", |state| {
        let job = state.training();
        job.is_some_and(|job| !job.progress.warnings().is_empty())
    });
    window.click("Cancel");
    window.until("kept", |state| state.unfinished.is_some());
    for text in [
        "The training was cancelled",
        "37 of 200 epochs are done",
        "/runs/bottle-cflow",
    ] {
        assert!(window.shows(text), "{text}");
    }
    window.picture("train-cancelled-dark");
    window.click("Go on");
    let Command::Resume { training } = window.script.command() else {
        panic!("another command")
    };
    assert_eq!(training.epochs, 37);
    window.settle();
    assert!(window.shows("Training on bottle"));
    window.script.close(made_up::run);
    window.until("run opened", |state| state.run.is_some());
    assert!(window.state().unfinished.is_none());
}

#[test]
fn an_interrupted_training_is_found_again_and_discarded_only_when_confirmed() {
    let mut window = Window::with_interrupted(Theme::Light);
    assert_eq!(window.state().place, Place::Train);
    assert!(window.shows("This training is not finished"));
    assert!(window.shows("Nothing to train on yet"));
    window.picture("train-found-light");
    window.click("Discard…");
    window.picture("train-discard-light");
    window.click("Keep it");
    assert!(window.script.commands.try_recv().is_err());
    window.click("Discard…");
    window.click("Discard");
    let Command::DiscardTraining { run } = window.script.command() else {
        panic!("another command")
    };
    assert!(window.state().unfinished.is_some(), "until it is done");
    let is_gone = true;
    window
        .script
        .close(move |job| flawscope::worker::message::Event::Discarded { job, run, is_gone });
    window.until("discarded", |state| state.unfinished.is_none());
    assert!(window.state().recent.runs().is_empty());
}

#[test]
fn starting_again_asks_first_when_work_is_kept() {
    let mut window = Window::with_interrupted(Theme::Dark);
    window.click("Start again…");
    assert!(window.shows("Start again from the beginning?"));
    window.click("Start again");
    let (config, out) = window.train_command();
    assert_eq!(config.model.name(), ModelName::Cflow.name());
    assert!(out.ends_with("bottle-cflow"));
}

#[test]
fn a_failed_training_with_kept_work_says_why_and_goes_on() {
    let mut window = Window::training_cflow(Theme::Light);
    window.script.close(|job| {
        let story = "the loss of scale 3 became NaN in step 62,161 (epoch 75)";
        made_up::interrupted(job, Some(story))
    });
    window.until("failed", |state| state.unfinished.is_some());
    assert!(window.shows("The training failed"));
    assert!(window.shows("the loss of scale 3 became NaN"));
    window.picture("train-failed-kept-light");
    window.click("Go on");
    assert!(matches!(window.script.command(), Command::Resume { .. }));
}

#[test]
fn a_model_without_scores_can_be_scored_from_the_window() {
    let mut window = Window::training(Theme::Dark);
    window.script.close(made_up::run);
    window.until("run opened", |state| state.run.is_some());
    window.picture("inspect-unscored-dark");
    window.click("Score them now");
    let Command::Evaluate { run, data } = window.script.command() else {
        panic!("another command")
    };
    assert!(run.ends_with("bottle-cfa") && data.is_none());
}

#[test]
fn closing_during_a_training_says_what_is_kept() {
    let mut window = Window::training(Theme::Dark);
    let input = window.harness.input_mut();
    let viewport = input.viewports.entry(input.viewport_id).or_default();
    viewport.events.push(eframe::egui::ViewportEvent::Close);
    window.settle();
    assert!(window.shows("What it has learned so far is kept"));
    window.picture("closing-dark");
    window.click("Keep training");
    assert!(!window.shows("A training is running"));
}
