//! Training: encode once, prepare, step, freeze, calibrate, save. One model file appears at the end. Until then the run
//! folder keeps where the training stands, so that it can go on after a pause.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use candle_core::Device;
use serde::Serialize;

use super::calibrate::{calibrate, freeze};
use super::detector::{PictureReader, UsedBackbone, new_detector, resumed_detector};
use super::device::open_device;
use super::encode::{Encoded, encode};
use super::epochs::{Plan, run_epochs};
use super::feature_cache::FeatureCache;
use super::keeper::Keeper;
use super::training_pictures::TrainingPictures;
use crate::config::RunConfig;
use crate::cursor::Cursor;
use crate::data;
use crate::metrics::Limit;
use crate::models::Detector;
use crate::progress::{Monitor, Outcome, Phase, Progress};
use crate::store::RunFolder;
use crate::store::checkpoint;
use crate::store::model_file::{ModelMeta, Provenance};
use crate::store::training_state::{self, EpochAccount, TrainingState};

/// What a finished training gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trained {
    pub model: PathBuf,
    pub epochs: usize,
    pub training_pictures: usize,
    pub calibration_pictures: usize,
    pub image_limit: Limit,
    pub pixel_limit: Limit,
    pub last_loss: f32,
    /// The whole training: reading, encoding, all epochs, calibration and saving.
    pub seconds: f64,
    pub seconds_per_epoch: f64,
}

/// Trains the configured model and writes it into the run folder `out`. A training that was interrupted there is forgotten.
pub fn train(config: &RunConfig, out: &Path, monitor: &dyn Monitor) -> Result<Outcome<Trained>> {
    let started = Instant::now();
    let config = with_whole_paths(config)?;
    if let Some(problem) = config.model.problem() {
        bail!(
            "the settings of {} make no sense: {problem}",
            config.model.name()
        );
    }
    let pictures = TrainingPictures::choose(&config)?;
    batch_size(&config, pictures.train.len())?;
    let folder = RunFolder::create(out)?;
    let _unless_empty = RemoveIfEmpty(out);
    let device = open_device(config.device)?;
    let (mut detector, reader, backbone) = new_detector(&config, pictures.spec, &device)?;

    let Some(Encoded { mut cache, used }) = encode(
        detector.as_ref(),
        &reader,
        &pictures.train,
        &config,
        monitor,
    )?
    else {
        return Ok(Outcome::Cancelled);
    };
    prepare(detector.as_mut(), &mut cache, &device, monitor)?;
    folder.finish_training()?;
    let state = TrainingState {
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        config,
        cursor: Cursor::default(),
        history: Vec::new(),
        account: EpochAccount::default(),
        data_fingerprint: data::fingerprint(&used)?,
        backbone: backbone.identity.clone(),
        tensors: std::collections::HashMap::new(),
    };
    let keeper = Keeper::new(state, folder.training_path());
    let training = Training {
        started,
        folder,
        device,
        detector,
        reader,
        backbone,
        pictures,
        keeper,
    };
    training.finish(cache, used.len(), monitor)
}

/// Goes on with the training that was interrupted in the run folder `run`. It ends with the same bytes as one that was not.
pub fn resume(run: &Path, monitor: &dyn Monitor) -> Result<Outcome<Trained>> {
    let started = Instant::now();
    let folder = RunFolder::open_interrupted(run)?;
    let mut state = training_state::load(&folder.training_path())?;
    let device = open_device(state.config.device)?;
    let pictures = TrainingPictures::choose(&state.config)?;
    let tensors = std::mem::take(&mut state.tensors);
    let (detector, reader, backbone) = resumed_detector(
        &state.config,
        pictures.spec,
        &state.backbone,
        tensors,
        &device,
    )
    .with_context(|| format!("resuming {}", run.display()))?;
    let Some(Encoded { cache, used }) = encode(
        detector.as_ref(),
        &reader,
        &pictures.train,
        &state.config,
        monitor,
    )?
    else {
        return Ok(Outcome::Cancelled);
    };
    ensure!(
        data::fingerprint(&used)? == state.data_fingerprint,
        "the good pictures in {} are not those the training in {} began with; start again with `flawscope train`",
        state.config.data.display(),
        run.display()
    );
    let keeper = Keeper::new(state, folder.training_path());
    let training = Training {
        started,
        folder,
        device,
        detector,
        reader,
        backbone,
        pictures,
        keeper,
    };
    training.finish(cache, used.len(), monitor)
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
    /// From where the training stands to the model file. `used`: how many pictures are in the cache.
    fn finish(
        mut self,
        mut cache: FeatureCache,
        used: usize,
        monitor: &dyn Monitor,
    ) -> Result<Outcome<Trained>> {
        let config = self.keeper.state.config.clone();
        let plan = Plan {
            epochs: config.model.epochs(),
            batch: batch_size(&config, used)?,
            draws: config.model.rotation().map_or(1, |rotation| rotation.draws),
            seed: config.seed,
        };
        let before = self.keeper.state.cursor.epoch;
        let epochs_started = Instant::now();
        let detector = self.detector.as_mut();
        let keeper = &mut self.keeper;
        if !run_epochs(detector, &mut cache, &self.device, plan, keeper, monitor)? {
            return Ok(Outcome::Cancelled);
        }
        let epochs = (plan.epochs - before).max(1) as f64;
        let seconds_per_epoch = epochs_started.elapsed().as_secs_f64() / epochs;
        drop(cache);

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
            image_limit: calibration.limits.image,
            pixel_limit: calibration.limits.pixel,
            last_loss: last.unwrap_or(f32::NAN),
            seconds: self.started.elapsed().as_secs_f64(),
            seconds_per_epoch,
        }))
    }
}

/// Pictures in a batch, when there are so many to train on.
fn batch_size(config: &RunConfig, pictures: usize) -> Result<usize> {
    config
        .model
        .batch_for(pictures)
        .map_err(anyhow::Error::msg)
        .with_context(|| format!("{}", config.data.display()))
}

/// What a run remembers must be found again from any folder.
fn with_whole_paths(config: &RunConfig) -> Result<RunConfig> {
    let whole = |path: &Path| {
        std::path::absolute(path).with_context(|| format!("{}: where is that?", path.display()))
    };
    let mut config = config.clone();
    config.data = whole(&config.data)?;
    config.backbone.weights = config.backbone.weights.as_deref().map(whole).transpose()?;
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
