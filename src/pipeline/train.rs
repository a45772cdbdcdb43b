//! Training: encode once, prepare, step, freeze, calibrate, save. One model file appears at the end. Until then the run
//! folder keeps where the training stands, so that it can go on after a pause.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use candle_core::Device;
use serde::Serialize;

use super::calibrate::{calibrate, freeze};
use super::defects::{self, SeenDefects, read_seen};
use super::detector::{PictureReader, UsedBackbone, new_detector, resumed_detector};
use super::device::{Opened, open_device_for};
use super::encode::{Encoded, encode};
use super::epochs::{Plan, StepTimes, run_epochs};
use super::feature_cache::FeatureCache;
use super::keeper::Keeper;
use super::lessons::{CachedLessons, DrawnLessons, Lessons};
use super::training_pictures::TrainingPictures;
use crate::config::{DefectsConfig, ModelConfig, Recipe, RunConfig};
use crate::cursor::Cursor;
use crate::data;
use crate::metrics::Limit;
use crate::models::Detector;
use crate::progress::{Monitor, Outcome, Phase, Progress};
use crate::store::RunFolder;
use crate::store::checkpoint;
use crate::store::model_file::{ModelMeta, Provenance, SeenDefect};
use crate::store::training_state::{self, EpochAccount, TrainingState};

/// What a finished training gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trained {
    pub model: PathBuf,
    pub epochs: usize,
    pub training_pictures: usize,
    pub calibration_pictures: usize,
    /// Real defects that were learnt from; `None` for models that learn from good pictures alone.
    pub seen: Option<Vec<SeenDefect>>,
    pub image_limit: Limit,
    pub pixel_limit: Limit,
    pub last_loss: f32,
    /// The whole training: reading, encoding, all epochs, calibration and saving.
    pub seconds: f64,
    pub seconds_per_epoch: f64,
    /// Seconds of an optimiser step.
    pub step: StepTimes,
}

/// Trains the configured model and writes it into the run folder `out`. A training that was interrupted there is forgotten.
pub fn train(config: &RunConfig, out: &Path, monitor: &dyn Monitor) -> Result<Outcome<Trained>> {
    let started = Instant::now();
    let config = checked(config)?;
    let pictures = TrainingPictures::choose(&config)?;
    batch_size(&config, pictures.train.len())?;
    let seen = seen_defects(&config, &pictures, monitor)?;
    let folder = RunFolder::create(out)?;
    let _unless_empty = RemoveIfEmpty(out);
    let Opened { device, line } = open_device_for(config.model.model(), config.device)?;
    monitor.report(Progress::Device { line });
    let (mut detector, reader, backbone) = new_detector(&config, pictures.spec, &device)?;
    let Some(mut encoded) = encode(
        detector.as_ref(),
        &reader,
        &pictures.train,
        &config,
        monitor,
    )?
    else {
        return Ok(Outcome::Cancelled);
    };
    prepare(detector.as_mut(), &mut encoded.cache, &device, monitor)?;
    folder.finish_training()?;
    let state = TrainingState {
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        config,
        cursor: Cursor::default(),
        history: Vec::new(),
        account: EpochAccount::default(),
        data_fingerprint: data::fingerprint(&encoded.used)?,
        seen: seen.known.clone(),
        backbone: backbone.identity.clone(),
        tensors: std::collections::HashMap::new(),
    };
    let training = Training {
        started,
        keeper: Keeper::new(state, folder.training_path()),
        folder,
        device,
        detector,
        reader,
        backbone,
        pictures,
    };
    training.finish(encoded, seen, monitor)
}

/// Goes on with the training that was interrupted in the run folder `run`. It ends with the same bytes as one that was not.
pub fn resume(run: &Path, monitor: &dyn Monitor) -> Result<Outcome<Trained>> {
    let started = Instant::now();
    let folder = RunFolder::open_interrupted(run)?;
    let mut state = training_state::load(&folder.training_path())?;
    let Opened { device, line } = open_device_for(state.config.model.model(), state.config.device)?;
    monitor.report(Progress::Device { line });
    let pictures = TrainingPictures::choose(&state.config)?;
    let seen = seen_defects(&state.config, &pictures, monitor)?;
    let changed = |what: &str| {
        format!(
            "the {what} in {} are not those the training in {} began with; start again with `flawscope train`",
            state.config.data.display(),
            run.display()
        )
    };
    ensure!(seen.known == state.seen, changed("seen defects"));
    let tensors = std::mem::take(&mut state.tensors);
    let (detector, reader, backbone) = resumed_detector(
        &state.config,
        pictures.spec,
        &state.backbone,
        tensors,
        &device,
    )
    .with_context(|| format!("resuming {}", run.display()))?;
    let good = &pictures.train;
    let Some(encoded) = encode(detector.as_ref(), &reader, good, &state.config, monitor)? else {
        return Ok(Outcome::Cancelled);
    };
    ensure!(
        data::fingerprint(&encoded.used)? == state.data_fingerprint,
        changed("good pictures")
    );
    let training = Training {
        started,
        keeper: Keeper::new(state, folder.training_path()),
        folder,
        device,
        detector,
        reader,
        backbone,
        pictures,
    };
    training.finish(encoded, seen, monitor)
}

/// A training whose pictures are encoded.
struct Training {
    started: Instant,
    folder: RunFolder,
    device: Device,
    detector: Box<dyn Detector>,
    reader: PictureReader,
    backbone: UsedBackbone,
    pictures: TrainingPictures,
    keeper: Keeper,
}

impl Training {
    /// From where the training stands to the model file.
    fn finish(
        mut self,
        encoded: Encoded,
        seen: SeenDefects,
        monitor: &dyn Monitor,
    ) -> Result<Outcome<Trained>> {
        let config = self.keeper.state.config.clone();
        let used = encoded.used.len();
        let batch = batch_size(&config, used)?;
        let plan = Plan {
            epochs: config.model.epochs(),
            steps: self.detector.steps(batch),
        };
        let mut lessons = self.lessons(&config, batch, encoded, seen, monitor)?;
        let before = self.keeper.state.cursor.epoch;
        let epochs_started = Instant::now();
        let detector = self.detector.as_mut();
        let keeper = &mut self.keeper;
        let Some(step) = run_epochs(detector, lessons.as_mut(), plan, keeper, monitor)? else {
            return Ok(Outcome::Cancelled);
        };
        let epochs = (plan.epochs - before).max(1) as f64;
        let seconds_per_epoch = epochs_started.elapsed().as_secs_f64() / epochs;
        drop(lessons);

        let held_out = &self.pictures.calibration;
        let calibration = if freeze(detector, &self.reader, held_out, monitor)? {
            calibrate(detector, &self.reader, held_out, &config, monitor)?
        } else {
            None
        };
        let Some(calibration) = calibration else {
            self.keeper.save(self.detector.as_ref())?;
            return Ok(Outcome::Cancelled);
        };
        monitor.report(Progress::Phase {
            phase: Phase::Saving,
            total: 1,
        });
        let state = self.keeper.state;
        let last = state.history.last().and_then(|epoch| epoch.loss);
        let meta = ModelMeta {
            first_checksum: None,
            program_version: state.program_version,
            config: state.config,
            backbone: self.backbone.identity,
            input: self.pictures.spec,
            orientation: self.pictures.orientation,
            limits: calibration.limits.clone(),
            calibration_scores: calibration.scores,
            provenance: Provenance {
                data_fingerprint: state.data_fingerprint,
                training_pictures: used,
                calibration_pictures: calibration.pictures,
                seed: config.seed,
                created_at: None,
            },
            seen: state.seen,
            history: state.history,
        };
        let mut tensors = self.detector.tensors()?;
        tensors.extend(self.backbone.embedded);
        checkpoint::save(&self.folder.model_path(), &meta, &tensors)?;
        self.folder.finish_training()?;
        Ok(Outcome::Finished(Trained {
            model: self.folder.model_path(),
            epochs: plan.epochs,
            training_pictures: used,
            calibration_pictures: calibration.pictures,
            seen: config.defects.map(|_| meta.seen),
            image_limit: calibration.limits.image,
            pixel_limit: calibration.limits.pixel,
            last_loss: last.unwrap_or(f32::NAN),
            seconds: self.started.elapsed().as_secs_f64(),
            seconds_per_epoch,
            step,
        }))
    }

    /// What the steps learn from.
    fn lessons(
        &self,
        config: &RunConfig,
        batch: usize,
        encoded: Encoded,
        seen: SeenDefects,
        monitor: &dyn Monitor,
    ) -> Result<Box<dyn Lessons>> {
        let seed = config.seed;
        let (ModelConfig::Prn(prn), Some(defects)) = (&config.model, &config.defects) else {
            let draws = config.model.rotation().map_or(1, |rotation| rotation.draws);
            let cached = CachedLessons::new(encoded.cache, batch, draws, seed, &self.device);
            return Ok(Box::new(cached));
        };
        let spec = self.reader.spec();
        let augmenter = defects::augmenter(encoded.frames, seen.frames, defects, spec, monitor)?;
        Ok(Box::new(DrawnLessons::new(
            Arc::new(augmenter),
            self.reader.normalization(),
            batch,
            prn.epoch_pictures,
            seed,
            &self.device,
        )))
    }
}

/// The real defects the configured model is shown.
fn seen_defects(
    config: &RunConfig,
    pictures: &TrainingPictures,
    monitor: &dyn Monitor,
) -> Result<SeenDefects> {
    let Some(defects) = &config.defects else {
        return Ok(SeenDefects::default());
    };
    let seen = read_seen(&pictures.seen, defects, &pictures.spec, monitor)?;
    if seen.known.is_empty() {
        monitor.report(Progress::Warning {
            text: "no seen defects: training is purely synthetic, and the published numbers of this model do not apply"
                .to_owned(),
        });
    }
    Ok(seen)
}

/// Pictures in a batch, when there are so many to train on.
fn batch_size(config: &RunConfig, pictures: usize) -> Result<usize> {
    config
        .model
        .batch_for(pictures)
        .map_err(anyhow::Error::msg)
        .with_context(|| format!("{}", config.data.display()))
}

/// Settings that make sense, complete, with paths that are found again from any folder.
fn checked(config: &RunConfig) -> Result<RunConfig> {
    let name = config.model.name();
    if let Some(problem) = config.model.problem() {
        bail!("the settings of {name} make no sense: {problem}");
    }
    let mut config = with_whole_paths(config)?;
    match (config.model.model().learns_from_defects(), &config.defects) {
        (true, None) => config.defects = Some(DefectsConfig::synthetic(Recipe::default())),
        (false, Some(_)) => bail!(
            "{name} learns from good pictures alone; seen defects, textures and the like are for --model prn"
        ),
        _ => {}
    }
    Ok(config)
}

fn with_whole_paths(config: &RunConfig) -> Result<RunConfig> {
    let whole = |path: &Path| {
        std::path::absolute(path).with_context(|| format!("{}: where is that?", path.display()))
    };
    let mut config = config.clone();
    config.data = whole(&config.data)?;
    config.backbone.weights = config.backbone.weights.as_deref().map(whole).transpose()?;
    if let Some(defects) = &mut config.defects {
        defects.annotations = defects.annotations.as_deref().map(whole).transpose()?;
        defects.textures = defects.textures.as_deref().map(whole).transpose()?;
    }
    Ok(config)
}

/// A run that did not come to a model leaves no folder behind. The system refuses to remove one that holds anything.
struct RemoveIfEmpty<'a>(&'a Path);

impl Drop for RemoveIfEmpty<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(self.0);
    }
}

fn prepare(
    detector: &mut dyn Detector,
    cache: &mut FeatureCache,
    device: &Device,
    monitor: &dyn Monitor,
) -> Result<()> {
    let total = cache.len();
    monitor.report(Progress::Phase {
        phase: Phase::BuildingBank,
        total,
    });
    let mut batches = (0..total).map(|index| {
        monitor.report(Progress::Step { done: index });
        cache
            .batch(&[index], device)
            .map_err(candle_core::Error::wrap)
    });
    detector.prepare(&mut batches)?;
    Ok(())
}
