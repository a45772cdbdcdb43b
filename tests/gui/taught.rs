//! PRN in the Train place: the choices about its defects, and the view of what it will be taught.

use eframe::egui::accesskit::Role as Widget;
use eframe::egui::{Key, Modifiers, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use flawscope::app::{App, Services, UserFolders};
use flawscope::config::{DefectsConfig, ModelName, Preset, Recipe, RunConfig, SeenChoice};
use flawscope::data::augment::ForegroundRule;
use flawscope::data::synthetic::{SampleSettings, generate};
use flawscope::progress::{Phase, Progress};
use flawscope::worker::message::Command;
use flawscope::worker::{DiskPreviews, PipelineJobs};

use super::support::made_up;
use super::support::soft_renderer::SoftRenderer;
use super::support::window::Window;

const SYNTHETIC: &str = "Purely synthetic: the published numbers of PRN do not apply";

impl Window {
    fn until_notes_are_read(&mut self) {
        self.until("notes read", |state| {
            state
                .data
                .as_ref()
                .is_some_and(|data| data.notes().is_some())
        });
    }

    /// PRN is chosen on `line 3`.
    fn on_prn(theme: Theme) -> Self {
        let mut window = Self::with_data(theme);
        window.until_notes_are_read();
        // All rows of the form are in view.
        window.harness.set_size([1280.0, 1300.0].into());
        window.click("Train a model");
        window.click("PRN");
        window
    }

    /// The same with the same paths on every machine.
    fn on_prn_for_snapshot(theme: Theme) -> Self {
        let mut window = Self::on_train(theme);
        window.until_notes_are_read();
        window.click("PRN");
        window
    }

    fn preview_command(&mut self) -> RunConfig {
        match self.script.command() {
            Command::PreviewAugmentation { config } => *config,
            other => panic!("another command: {other:?}"),
        }
    }

    fn draw_examples(&mut self, seen: usize) -> RunConfig {
        self.click("Show what it is taught");
        let config = self.preview_command();
        self.script
            .close(move |job| made_up::augmentation(job, seen));
        self.until_shown("Simulated defects");
        config
    }

    fn type_into(&mut self, field: &str, text: &str) {
        let field = self.harness.get_by_role_and_label(Widget::TextInput, field);
        field.focus();
        field.type_text(text);
        self.settle();
    }
}

#[test]
fn prn_shows_rows_of_its_own_and_they_make_the_run() {
    let mut window = Window::on_prn(Theme::Dark);
    for text in [
        "None ticked",
        SYNTHETIC,
        "Product",
        "Textures",
        "Recipe",
        "Defects are simulated on them",
    ] {
        assert!(window.shows(text), "{text}");
    }
    window.click("Train on bottle");
    let (config, out) = window.train_command();
    assert_eq!(
        config.model,
        Preset::Lite.model(ModelName::Prn, config.backbone.kind)
    );
    let defects = config.defects.unwrap();
    let folder = defects.annotations.clone();
    assert!(folder.is_some(), "masks painted later belong to it");
    let expected = DefectsConfig {
        annotations: folder,
        ..DefectsConfig::synthetic(Recipe::Refined)
    };
    assert_eq!(defects, expected);
    assert!(out.ends_with("bottle-prn"));
    window.click("Cancel");
    window.until("cancelled", |state| state.unfinished.is_some());

    window.click("Bright");
    window.click("Published");
    window.type_into("Folder of textures", " /pictures/dtd ");
    assert!(window.shows("Chosen by hand; Lite takes Refined"));
    assert_eq!(window.harness.query_all_by_label(SYNTHETIC).count(), 2);
    window.picture_at([1280.0, 1300.0], "train-prn-chosen-dark");
    window.harness.set_size([1280.0, 1300.0].into());
    window.settle();
    window.click("Train on bottle");
    let defects = window.train_command().0.defects.unwrap();
    assert_eq!(defects.foreground, ForegroundRule::Bright);
    assert_eq!(defects.textures.unwrap().to_str(), Some("/pictures/dtd"));
    assert_eq!(defects.augment, Recipe::Published.settings());
}

#[test]
fn other_models_know_nothing_of_defects() {
    let mut window = Window::on_prn(Theme::Light);
    window.click("CFA");
    for text in ["None ticked", "Textures", "Show what it is taught"] {
        assert!(!window.shows(text), "{text}");
    }
    window.click("Train on bottle");
    assert_eq!(window.train_command().0.defects, None);
}

#[test]
fn seen_defects_are_counted_by_type_and_left_out_of_the_test() {
    let mut window = Window::on_prn(Theme::Dark);
    window.click("Tick and paint in Data");
    window.harness.set_size([1280.0, 1600.0].into());
    window.settle();
    window.click("Draw 10");
    window.harness.set_size([1280.0, 1300.0].into());
    window.click("Train");
    for text in [
        "10 ticked",
        " broken_large, ",
        " contamination",
        "10 seen defects and simulated ones are learned from",
        "73 test pictures are scored with it",
    ] {
        assert!(window.shows(text), "{text}");
    }
    assert!(!window.shows(SYNTHETIC));
    window.picture_at([1280.0, 1300.0], "train-prn-seen-dark");
    window.harness.set_size([1280.0, 1300.0].into());
    window.settle();
    window.click("Train on bottle");
    let seen = window.train_command().0.defects.unwrap().seen;
    assert!(matches!(seen, SeenChoice::Listed(ids) if ids.len() == 10));
    assert!(window.shows("Learns from 10 seen defects"));
    window.picture("train-prn-running-dark");
}

#[test]
fn textures_come_from_the_desktops_dialog_and_can_be_cleared() {
    let mut window = Window::on_prn(Theme::Light);
    window.click("Choose…");
    window.until_shown("Clear");
    assert!(window.shows("Simulated defects are made of these pictures as well"));
    window.click("Clear");
    assert!(!window.shows("Clear"));
    window.click("Train on bottle");
    assert_eq!(window.train_command().0.defects.unwrap().textures, None);
}

#[test]
fn what_is_said_about_one_product_is_not_applied_to_another() {
    let mut window = Window::on_prn(Theme::Light);
    window.click("Dark");
    window
        .harness
        .get_by_role_and_label(Widget::ComboBox, "Category")
        .click();
    window.settle();
    window.click("cable");
    window.until_notes_are_read();
    window.click("Train on cable");
    let defects = window.train_command().0.defects.unwrap();
    assert_eq!(defects.foreground, ForegroundRule::Automatic);
}

#[test]
fn examples_are_drawn_shown_enlarged_and_closed() {
    let mut window = Window::on_prn(Theme::Dark);
    window.click("Show what it is taught");
    let config = window.preview_command();
    assert_eq!(config.seed, 0);
    assert!(config.defects.is_some());
    let (phase, total) = (Phase::ReadingPictures, 32);
    window.script.report(Progress::Phase { phase, total });
    window.script.report(Progress::Step { done: 12 });
    window.script.report(Progress::Warning {
        text: "left out: 017.png is cut short".to_owned(),
    });
    window.until_shown("12 of 32 pictures");
    assert!(window.shows("Drawing examples for bottle"));
    window.picture("taught-drawing-dark");
    window.press(Modifiers::COMMAND, Key::Num1);
    assert!(window.shows("Pictures in bottle"), "Data stays in use");
    window.press(Modifiers::COMMAND, Key::Num2);
    window.script.close(|job| made_up::augmentation(job, 3));
    window.until_shown("Simulated defects");
    for text in [
        "What PRN is taught on bottle",
        "A bright product on a dark background; it covers 42 % of the picture",
        "left out: 017.png is cut short",
        "Good pictures 1: good",
        "Seen defects 1: contamination",
        "Extended defects 2: broken_small",
        "Simulated defects 5: other good picture",
        "3 seen defects",
        "drawn from seed 0",
    ] {
        assert!(window.shows(text), "{text}");
    }
    window.harness.set_size([1280.0, 1700.0].into());
    window.settle();
    window.click("Simulated defects 1: shuffled self");
    window.harness.set_size([1280.0, 800.0].into());
    window.settle();
    assert!(window.shows("shuffled self") && !window.shows("Good pictures"));
    window.click("Next");
    window.press(Modifiers::NONE, Key::ArrowRight);
    assert!(window.shows("drawn marks and textures"));
    window.picture("taught-large-dark");
    window.click("Previous");
    assert!(window.shows("shuffled self"));
    window.press(Modifiers::NONE, Key::Escape);
    assert!(window.shows("Good pictures 1: good"));
    window.click("Outlines");
    window.picture_at([1280.0, 1500.0], "taught-plain-dark");
    window.click("Close");
    assert!(window.shows("Train on bottle"));
    assert!(
        window.shows("A bright product on a dark background; it covers 42 %"),
        "the form tells what was found"
    );
    window.click("Show what it is taught");
    assert!(
        window.script.commands.try_recv().is_err(),
        "nothing changed, nothing is drawn again"
    );
    assert!(window.shows("Good pictures 1: good"));
}

#[test]
fn other_examples_come_from_another_seed_and_the_training_keeps_its_own() {
    let mut window = Window::on_prn(Theme::Dark);
    window.draw_examples(0);
    window.click("Draw others");
    assert_eq!(window.preview_command().seed, 1);
    window.script.close(|job| made_up::augmentation(job, 0));
    window.until_shown("Simulated defects");
    assert!(window.shows("drawn from seed 1"));
    assert!(!window.shows("earlier settings"), "only the seed differs");
    window.press(Modifiers::NONE, Key::Escape);
    window.click("Train on bottle");
    assert_eq!(window.train_command().0.seed, 0);
}

#[test]
fn examples_of_earlier_settings_are_said_to_be_so() {
    let mut window = Window::on_prn(Theme::Light);
    window.draw_examples(0);
    assert!(window.shows(SYNTHETIC));
    assert!(!window.shows("earlier settings"));
    window.click("Whole picture");
    assert!(window.shows("These examples are of earlier settings"));
    window.picture("taught-outdated-light");
    window.click("Draw again");
    let defects = window.preview_command().defects.unwrap();
    assert_eq!(defects.foreground, ForegroundRule::Everything);
    window.click("Cancel");
    window.until("cancelled", |state| state.job.is_none());
    window.settle();
    assert!(
        window.shows("These examples are of earlier settings"),
        "what was there is kept"
    );
}

#[test]
fn a_drawing_that_fails_says_why_in_place_and_is_tried_again() {
    let mut window = Window::on_prn(Theme::Light);
    window.click("Show what it is taught");
    window.preview_command();
    window
        .script
        .fail("/pictures/dtd: no picture in this folder can be read");
    window.until_shown("The examples could not be drawn");
    assert!(window.shows("no picture in this folder can be read"));
    assert!(!window.shows("Drawing examples for bottle failed"), "once");
    assert!(!window.shows("Draw others"), "there are none yet");
    window.picture("taught-failed-light");
    window.click("Close");
    assert!(window.shows("The drawing failed"));
    window.click("Show what it is taught");
    window.preview_command();
    window.click("Cancel");
    window.until("cancelled", |state| state.job.is_none());
    window.settle();
    window.click("Try again");
    window.preview_command();
}

#[test]
fn a_first_drawing_that_is_cancelled_leaves_the_way_to_draw() {
    let mut window = Window::on_prn(Theme::Dark);
    window.click("Show what it is taught");
    window.preview_command();
    window.click("Cancel");
    window.until_shown("No examples are drawn");
    window.picture("taught-empty-dark");
    window.click("Draw examples");
    window.preview_command();
}

/// `seen`: how many seen defects the examples show.
fn look_at_prn(theme: Theme, name: &str, seen: usize) {
    let mut window = Window::on_prn_for_snapshot(theme);
    window.picture(&format!("train-prn-{name}"));
    window.picture_at([1440.0, 1100.0], &format!("train-prn-1440-{name}"));
    window.picture_at([720.0, 1700.0], &format!("train-prn-720-{name}"));
    window.snapshot_at([960.0, 1180.0], &format!("train_prn_{name}"));
    window.draw_examples(seen);
    window.snapshot_at([960.0, 1180.0], &format!("taught_{name}"));
    window.picture(&format!("taught-{name}"));
    window.picture_at([1280.0, 1700.0], &format!("taught-tall-{name}"));
    window.picture_at([720.0, 900.0], &format!("taught-720-{name}"));
}

#[test]
fn prn_is_explained_in_the_dark() {
    look_at_prn(Theme::Dark, "dark", 3);
}

#[test]
fn prn_is_explained_in_the_light() {
    look_at_prn(Theme::Light, "light", 0);
}

#[test]
fn the_real_worker_draws_examples_of_real_pictures() {
    let home = tempfile::tempdir().unwrap();
    let folders = UserFolders::new(home.path());
    generate(&folders.sample(), &SampleSettings::with_count(16), &|_| {
        true
    })
    .unwrap();
    let services = Services {
        jobs: Box::new(PipelineJobs),
        previews: Box::new(DiskPreviews::default()),
        dialog: |_| None,
        clock: Box::new(|| 0.0),
        folders,
        session: None,
    };
    let mut harness = Harness::builder()
        .with_size([1280.0, 1900.0])
        .renderer(SoftRenderer::default())
        .build_eframe(|cc| App::new(&cc.egui_ctx, cc.storage, services).unwrap());
    let mut press = |label: &str, then: &str| {
        harness.get_by_label(label).click();
        for _ in 0..6000 {
            harness.run_steps(1);
            if harness.query_all_by_label_contains(then).next().is_some() {
                return harness.run_steps(3);
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("{then} never came after {label}");
    };
    press("Try the sample data set", "Draw 10");
    press("Draw 10", "10 of");
    press("Train", "Train a model");
    press("PRN", "10 ticked");
    press("Show what it is taught", "Simulated defects 12");
    if let Some(folder) = std::env::var_os("FLAWSCOPE_SCREENSHOTS") {
        let path = std::path::PathBuf::from(folder).join("taught-real.png");
        harness.render().unwrap().save(path).unwrap();
    }
    let state = harness.state().state();
    let drawn = state.taught.as_ref().unwrap().drawn.as_ref().unwrap();
    assert!(drawn.seen > 0 && !drawn.products.is_empty());
}
