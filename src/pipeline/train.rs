//! The training loop: encode once, prepare, step, calibrate, save. One model file appears at the end, or nothing does.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use candle_core::Device;
use serde::Serialize;

use super::calibrate::calibrate;
use super::detector::{PictureReader, new_detector};
use super::device::open_device;
use super::epochs::{Plan, run_epochs};
use super::feature_cache::{DEFAULT_BUDGET_BYTES, FeatureCache};
use super::keeper::Keeper;
use crate::config::{CalibrationConfig, RunConfig};
use crate::data::check::common_size;
use crate::data::image::{InputSpec, Orientation};
use crate::data::{self, Sample, split_calibration};
use crate::metrics::Limit;
use crate::models::Detector;
use crate::progress::{Monitor, Outcome, Phase, Progress};
use crate::store::RunFolder;
use crate::store::checkpoint;
use crate::store::model_file::{ModelMeta, Provenance};

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

/// Trains the configured model and writes it into the run folder `out`.
pub fn train(config: &RunConfig, out: &Path, monitor: &dyn Monitor) -> Result<Outcome<Trained>> {
    let started = Instant::now();
    let config = &with_whole_paths(config)?;
    let pictures = TrainingPictures::choose(config)?;
    let folder = RunFolder::create(out)?;
    let _unless_empty = RemoveIfEmpty(out);
    let device = open_device(config.device)?;
    let (mut detector, reader, identity) = new_detector(config, pictures.spec, &device)?;

    let Some(encoded) = encode(detector.as_ref(), &reader, &pictures.train, config, monitor)?
    else {
        return Ok(Outcome::Cancelled);
    };
    let Encoded { mut cache, used } = encoded;
    prepare(detector.as_mut(), &mut cache, &device, monitor)?;

    let epochs_started = Instant::now();
    let plan = Plan {
        epochs: config.model.epochs(),
        batch: config.model.batch_size().min(used.len()),
        draws: config.model.rotation().map_or(1, |r| r.draws),
        seed: config.seed,
    };
    let mut keeper = Keeper {
        standing: Default::default(),
        last: Instant::now(),
    };
    if !run_epochs(
        detector.as_mut(),
        &mut cache,
        &device,
        plan,
        &mut keeper,
        monitor,
    )? {
        return Ok(Outcome::Cancelled);
    }
    let history = keeper.standing.history.clone();
    let seconds_per_epoch = epochs_started.elapsed().as_secs_f64() / history.len().max(1) as f64;
    drop(cache);

    let mut held = std::iter::once_with(|| reader.batches(&pictures.calibration))
        .flatten()
        .flatten()
        .filter_map(|b| {
            b.map(|b| b.pixels)
                .map_err(candle_core::Error::wrap)
                .transpose()
        });
    detector.freeze(&mut held)?;
    drop(held);
    let Some(calibration) = calibrate(
        detector.as_ref(),
        &reader,
        &pictures.calibration,
        config,
        monitor,
    )?
    else {
        return Ok(Outcome::Cancelled);
    };
    monitor.report(Progress::Phase {
        phase: Phase::Saving,
        total: 1,
    });
    let last_loss = history
        .last()
        .and_then(|epoch| epoch.loss)
        .unwrap_or(f32::NAN);
    let meta = ModelMeta {
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        config: config.clone(),
        backbone: identity.identity,
        input: pictures.spec,
        orientation: pictures.orientation,
        limits: calibration.limits.clone(),
        calibration_scores: calibration.scores,
        provenance: Provenance {
            data_fingerprint: data::fingerprint(&used)?,
            training_pictures: used.len(),
            calibration_pictures: calibration.pictures,
            seed: config.seed,
            created_at: None,
        },
        history,
    };
    let mut tensors = detector.tensors()?;
    tensors.extend(identity.embedded);
    checkpoint::save(&folder.model_path(), &meta, &tensors)?;
    Ok(Outcome::Finished(Trained {
        model: folder.model_path(),
        epochs: config.model.epochs(),
        training_pictures: used.len(),
        calibration_pictures: meta.provenance.calibration_pictures,
        image_limit: calibration.limits.image,
        pixel_limit: calibration.limits.pixel,
        last_loss,
        seconds: started.elapsed().as_secs_f64(),
        seconds_per_epoch,
    }))
}

/// Goes on with the training that was interrupted in the run folder `run`.
pub fn resume(run: &Path, _monitor: &dyn Monitor) -> Result<Outcome<Trained>> {
    anyhow::bail!("nothing to resume in {}", run.display())
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

/// The good pictures of the chosen category, parted, and the input size that follows from them.
struct TrainingPictures {
    train: Vec<Sample>,
    calibration: Vec<Sample>,
    spec: InputSpec,
    orientation: Orientation,
}

impl TrainingPictures {
    fn choose(config: &RunConfig) -> Result<Self> {
        let dataset = data::open(&config.data, &config.open)?;
        let category = dataset.category(config.category.as_deref())?;
        let CalibrationConfig {
            fraction, at_least, ..
        } = config.calibration;
        let split = split_calibration(&category.train, fraction, at_least, config.seed)
            .with_context(|| format!("{}", config.data.display()))?;
        let reference = common_size(&split.train).with_context(|| {
            format!(
                "{}: none of the good pictures can be read",
                config.data.display()
            )
        })?;
        Ok(Self {
            spec: InputSpec::for_pictures(config.input, reference)?,
            orientation: split
                .train
                .first()
                .map_or(Orientation::Ignore, |sample| sample.orientation),
            train: split.train,
            calibration: split.calibration,
        })
    }
}

struct Encoded {
    cache: FeatureCache,
    /// The pictures in the cache, in its order.
    used: Vec<Sample>,
}

/// Runs the frozen network once over every training picture. `None`: cancelled.
fn encode(
    detector: &dyn Detector,
    reader: &PictureReader,
    samples: &[Sample],
    config: &RunConfig,
    monitor: &dyn Monitor,
) -> Result<Option<Encoded>> {
    monitor.report(Progress::Phase {
        phase: Phase::Encoding,
        total: samples.len(),
    });
    let mut cache = FeatureCache::new(DEFAULT_BUDGET_BYTES);
    let mut used = Vec::with_capacity(samples.len());
    let mut done = 0;
    let batches = match config.model.rotation() {
        None => reader.batches(samples)?,
        Some(r) => reader.rotated_batches(samples, config.seed, r.draws, r.degrees)?,
    };
    for batch in batches {
        if monitor.should_stop() {
            return Ok(None);
        }
        let batch = batch?;
        done += batch.indices.len() + batch.failed.len();
        for (_, reason) in &batch.failed {
            monitor.report(Progress::Warning {
                text: format!("left out of training: {reason}"),
            });
        }
        if let Some(pixels) = &batch.pixels {
            cache.push(&detector.encode(pixels)?)?;
            used.extend(batch.indices.iter().map(|&index| samples[index].clone()));
        }
        monitor.report(Progress::Step { done });
    }
    ensure!(
        used.len() >= data::MIN_TRAIN,
        "training needs at least {} readable good pictures, but only {} of {} could be read",
        data::MIN_TRAIN,
        used.len(),
        samples.len()
    );
    if cache.spilled() > 0 {
        monitor.report(Progress::Warning {
            text: format!(
                "the features of {} of {} pictures did not fit into memory and are kept on disk; training is slower",
                cache.spilled(),
                cache.len()
            ),
        });
    }
    Ok(Some(Encoded { cache, used }))
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
