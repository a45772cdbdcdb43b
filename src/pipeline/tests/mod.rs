//! Whole trainings on a few drawn pictures: cancelled anywhere and resumed, and refused where they cannot work.

mod seen;
mod unlabelled;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use super::{draw_sample, resume, train};
use crate::config::{
    BackboneKind, CfaConfig, CflowConfig, DefectsConfig, ModelConfig, PrnConfig, Recipe, RunConfig,
    SeenChoice, Width,
};
use crate::data::image::InputPreset;
use crate::data::synthetic::SampleSettings;
use crate::progress::{Monitor, Outcome, Phase, Progress, Silent};

/// Stops a workflow once it has asked so many times.
struct StopAt {
    asked: AtomicUsize,
    limit: usize,
    /// Counting begins with this phase.
    phase: Phase,
    is_counting: AtomicUsize,
}

impl StopAt {
    fn new(phase: Phase, limit: usize) -> Self {
        Self {
            asked: AtomicUsize::new(0),
            limit,
            phase,
            is_counting: AtomicUsize::new(0),
        }
    }
}

impl Monitor for StopAt {
    fn report(&self, progress: Progress) {
        if matches!(progress, Progress::Phase { phase, .. } if phase == self.phase) {
            self.is_counting.store(1, Ordering::Relaxed);
        }
    }

    fn should_stop(&self) -> bool {
        let counted = self.is_counting.load(Ordering::Relaxed);
        self.asked.fetch_add(counted, Ordering::Relaxed) >= self.limit && counted == 1
    }
}

struct Setting {
    _folder: TempDir,
    root: PathBuf,
    config: RunConfig,
}

/// Twelve good pictures, of which eight are trained on.
fn setting(model: ModelConfig) -> Setting {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_path_buf();
    let data = root.join("sample");
    let settings = SampleSettings {
        train: 12,
        size: 256,
        ..SampleSettings::default()
    };
    draw_sample(&data, settings, &Silent).unwrap();
    let defects = model.model().learns_from_defects().then(|| DefectsConfig {
        seen: SeenChoice::Draw(3),
        ..DefectsConfig::synthetic(Recipe::Refined)
    });
    let config = RunConfig {
        model,
        defects,
        input: InputPreset::Resize128,
        ..RunConfig::first_look(&data)
    };
    Setting {
        _folder: folder,
        root,
        config,
    }
}

fn cflow() -> ModelConfig {
    ModelConfig::Cflow(CflowConfig {
        epochs: 4,
        sub_epochs: 2,
        warm_up: 1,
        batch_size: 3,
        blocks: 2,
        rotation_draws: 2,
        ..CflowConfig::quick(BackboneKind::EfficientNetLite0)
    })
}

fn prn() -> ModelConfig {
    ModelConfig::Prn(PrnConfig {
        epochs: 3,
        epoch_pictures: Some(4),
        batch_size: 2,
        micro_batch: 2,
        width: Width::Reduced([2, 4, 8]),
        ..PrnConfig::lite(BackboneKind::EfficientNetLite0)
    })
}

fn cfa() -> ModelConfig {
    ModelConfig::Cfa(CfaConfig {
        epochs: 3,
        ..CfaConfig::quick(BackboneKind::EfficientNetLite0)
    })
}

fn model_bytes(run: &Path) -> Vec<u8> {
    fs::read(run.join("model.safetensors")).unwrap()
}

#[test]
fn a_training_cancelled_anywhere_and_resumed_ends_with_the_same_bytes() {
    for model in [cflow(), cfa(), prn()] {
        let setting = setting(model);
        let whole = setting.root.join("whole");
        train(&setting.config, &whole, &Silent).unwrap();
        let expected = model_bytes(&whole);
        let run = setting.root.join("run");
        // Before the first step, within a batch, between batches, in the second epoch, and while constants are fixed.
        let stops = [
            (Phase::Training, 0),
            (Phase::Training, 2),
            (Phase::Training, 3),
            (Phase::Training, 4),
            (Phase::Calibrating, 1),
        ];
        let stop = |(phase, limit)| StopAt::new(phase, limit);
        let cancelled = train(&setting.config, &run, &stop(stops[0])).unwrap();
        assert_eq!(cancelled, Outcome::Cancelled);
        for stops in &stops[1..] {
            assert_eq!(resume(&run, &stop(*stops)).unwrap(), Outcome::Cancelled);
            assert!(run.join("training.safetensors").is_file());
            assert!(!run.join("model.safetensors").exists());
        }
        assert!(resume(&run, &Silent).unwrap().finished().is_some());
        assert!(model_bytes(&run) == expected, "the bytes differ");
        assert!(!run.join("training.safetensors").exists());
        let error = resume(&run, &Silent).unwrap_err().to_string();
        assert!(error.contains("nothing to resume"), "{error}");
    }
}

#[test]
fn a_training_does_not_go_on_with_other_pictures() {
    let setting = setting(cfa());
    let run = setting.root.join("run");
    train(&setting.config, &run, &StopAt::new(Phase::Training, 1)).unwrap();
    let state = fs::read(run.join("training.safetensors")).unwrap();
    let pictures = super::training_pictures::TrainingPictures::choose(&setting.config).unwrap();
    fs::copy(&pictures.train[0].image, &pictures.train[1].image).unwrap();
    let error = format!("{:#}", resume(&run, &Silent).unwrap_err());
    assert!(error.contains("are not those"), "{error}");
    assert_eq!(fs::read(run.join("training.safetensors")).unwrap(), state);
}

#[test]
fn a_training_cancelled_before_its_first_step_leaves_nothing() {
    let setting = setting(cfa());
    let run = setting.root.join("run");
    let stop = StopAt::new(Phase::Encoding, 1);
    assert_eq!(
        train(&setting.config, &run, &stop).unwrap(),
        Outcome::Cancelled
    );
    assert!(!run.exists());
}

#[test]
fn fewer_pictures_than_a_batch_are_refused_before_anything_is_written() {
    let mut setting = setting(cflow());
    setting.config.model.set_batch_size(32);
    let run = setting.root.join("run");
    let error = format!("{:#}", train(&setting.config, &run, &Silent).unwrap_err());
    assert!(
        error.contains("a batch of 32") && error.contains("--batch 8"),
        "{error}"
    );
    assert!(!run.exists());
}

#[test]
fn a_loss_that_is_no_number_names_the_step_the_scale_and_the_last_good_state() {
    let mut setting = setting(cflow());
    let run = setting.root.join("run");
    if let ModelConfig::Cflow(config) = &mut setting.config.model {
        config.learning_rate = 1e30;
        config.warm_up = 0;
    }
    train(&setting.config, &run, &StopAt::new(Phase::Training, 1)).unwrap();
    let kept = fs::read(run.join("training.safetensors")).unwrap();
    let error = format!("{:#}", resume(&run, &Silent).unwrap_err());
    for part in [
        "step",
        "scale",
        "epoch",
        "training.safetensors",
        "learning rate",
    ] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(fs::read(run.join("training.safetensors")).unwrap(), kept);
    assert!(!run.join("model.safetensors").exists());
}
