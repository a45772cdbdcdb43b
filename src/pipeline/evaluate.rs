//! Judges a trained run on a test set: scores every picture, keeps the raw maps, then computes the numbers from them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::defect_cells::{defect_cells, pixels_per_cell};
use super::detector::TrainedDetector;
use super::device::device_name;
use crate::config::DeviceChoice;
use crate::data::image::{Geometry, InputSpec, Mask, Size, read_size};
use crate::data::{self, Label, OpenOptions, Sample};
use crate::metrics::{
    Confusion, Evaluation, ImageMetrics, ImageRow, Judgement, MapExtent, PixelAccumulator,
    PixelMetrics, Protocol, RegionTable, Truth,
};
use crate::progress::{Monitor, Outcome, Phase, Progress};
use crate::score_map::ScoreMap;
use crate::store::maps::MapReader;
use crate::store::model_file::SeenDefect;
use crate::store::regions;
use crate::store::run_folder::Measured;
use crate::store::{RunFolder, sha256_of_file};

/// What to judge.
#[derive(Debug, Clone)]
pub struct EvaluateRequest {
    /// The run folder.
    pub run: PathBuf,
    /// Another data set than the one the run was trained on.
    pub data: Option<PathBuf>,
    pub category: Option<String>,
    /// Backbone weights, when they are not found by themselves.
    pub weights: Option<PathBuf>,
    pub device: DeviceChoice,
    pub seen: SeenPolicy,
}

/// What happens to test pictures the model was trained on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SeenPolicy {
    /// A test set that holds any is refused.
    #[default]
    Refuse,
    /// They are not judged by, and named with the numbers.
    LeaveOut,
}

/// Scores the test pictures and writes the evaluation into the run folder. Unlabelled pictures get a score, a map and a row
/// like all others and count in no number.
pub fn evaluate(request: &EvaluateRequest, monitor: &dyn Monitor) -> Result<Outcome<Evaluation>> {
    let folder = RunFolder::open(&request.run)?;
    let trained = TrainedDetector::load(
        &folder.model_path(),
        request.weights.as_deref(),
        request.device,
    )?;
    monitor.report(Progress::Device {
        line: trained.device_line.clone(),
    });
    let samples = test_samples(request, &trained)?;

    monitor.report(Progress::Phase {
        phase: Phase::Scoring,
        total: samples.len(),
    });
    let mut maps = folder.map_writer(samples.iter().map(|sample| sample.id.as_str()))?;
    let mut scored = Vec::with_capacity(samples.len());
    let mut unreadable = 0;
    let started = Instant::now();
    let detector = trained.detector.as_ref();
    let finished =
        trained
            .reader
            .score_all(detector, &samples, monitor, &mut |index, result| {
                let sample = &samples[index];
                match result {
                    Ok(map) => {
                        maps.push(&sample.id, &map)?;
                        let score = detector.image_score(map.values());
                        monitor.report(Progress::Scored {
                            id: sample.id.clone(),
                            score,
                            map: Arc::new(map),
                        });
                        scored.push((index, score));
                    }
                    Err(reason) => {
                        unreadable += 1;
                        monitor.report(Progress::Warning {
                            text: format!("left out of the test set: {reason}"),
                        });
                    }
                }
                Ok(())
            })?;
    let seconds = started.elapsed().as_secs_f64();
    if !finished {
        return Ok(Outcome::Cancelled);
    }
    ensure!(
        !scored.is_empty(),
        "none of the {} test pictures could be read",
        samples.len()
    );
    let maps = maps.seal()?;

    scored.sort_by_key(|&(index, _)| index);
    let (samples, rows): (Vec<Sample>, Vec<ImageRow>) = scored
        .iter()
        .map(|&(index, score)| (samples[index].clone(), row(&samples[index], score)))
        .unzip();
    let Some(pixels) = measure(&trained, &samples, &maps.reader()?, monitor)? else {
        return Ok(Outcome::Cancelled);
    };
    let regions = regions::seal(folder.path(), &pixels.regions)?;
    let image = ImageMetrics::from_rows(&rows)?;
    let mut evaluation = Evaluation::new(
        protocol(&trained, &samples, unreadable),
        rows,
        image,
        pixels.at_input,
        pixels.at_original,
        seconds,
    );
    let rule = trained.meta.limits.rule();
    let judgement = Judgement::of(&evaluation.images, Some(&pixels.regions), &rule);
    // Of the whole rule: regions may have a say beside the image limit.
    evaluation.image_f1 = Confusion::of_fails(&judgement.tally).f1();
    let measured = Measured {
        maps,
        regions,
        verdicts: judgement.verdicts,
    };
    folder.commit_evaluation(evaluation.clone(), samples, &trained.identity, measured)?;
    Ok(Outcome::Finished(evaluation))
}

/// The test pictures of the run's own data set, or of the one asked for.
fn test_samples(request: &EvaluateRequest, trained: &TrainedDetector) -> Result<Vec<Sample>> {
    let config = &trained.meta.config;
    let dataset = match &request.data {
        Some(root) => data::open(root, &OpenOptions::default())?,
        None => data::open(&config.data, &config.open).with_context(|| {
            "opening the data set the run was trained on; if it moved, name its folder with --data"
        })?,
    };
    let category = match (&request.data, &request.category) {
        (Some(_), None) if dataset.categories.len() == 1 => None,
        (_, Some(category)) => Some(category),
        (_, None) => config.category.as_ref(),
    };
    let category = dataset.category(category.map(String::as_str))?;
    ensure!(
        !category.test.is_empty(),
        "{}: there are no test pictures to evaluate on; add a folder of defective, of further good or of unlabelled pictures",
        dataset.root.display()
    );
    let test = without_seen(&category.test, &trained.meta.seen, request)?;
    ensure!(
        !test.is_empty(),
        "{}: the model was trained on all test pictures; add others to evaluate on",
        dataset.root.display()
    );
    Ok(test)
}

/// The test pictures the model was not trained on. They are known by their content, and in the run's own data set by
/// their names, too. Unlabelled ones stay, seen or not: they enter no number that could be flattered.
fn without_seen(
    test: &[Sample],
    seen: &[SeenDefect],
    request: &EvaluateRequest,
) -> Result<Vec<Sample>> {
    if seen.is_empty() {
        return Ok(test.to_vec());
    }
    let is_seen = |sample: &Sample| {
        if sample.label == Label::Unlabelled {
            return false;
        }
        let is_named = request.data.is_none() && seen.iter().any(|seen| seen.id == sample.id);
        // What cannot be read is no test picture either, and is named where it is scored.
        let hash = sha256_of_file(&sample.image).ok();
        is_named || seen.iter().any(|seen| Some(&seen.sha256) == hash.as_ref())
    };
    let (held, unseen): (Vec<&Sample>, Vec<&Sample>) = test.iter().partition(|s| is_seen(s));
    ensure!(
        held.is_empty() || request.seen == SeenPolicy::LeaveOut,
        "{} of the {} test pictures are seen defects that the model was trained on ({}); numbers with them would flatter it. \
         Leave them out with --leave-out-seen",
        held.len(),
        test.len(),
        held.iter()
            .map(|sample| sample.id.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    );
    Ok(unseen.into_iter().cloned().collect())
}

fn row(sample: &Sample, score: f32) -> ImageRow {
    ImageRow {
        path: sample.id.clone(),
        label: truth(sample.label).name().to_owned(),
        defect: sample.defect.clone(),
        score,
    }
}

fn truth(label: Label) -> Truth {
    match label {
        Label::Good => Truth::Good,
        Label::Defective => Truth::Defective,
        Label::Unlabelled => Truth::Unlabelled,
    }
}

/// What the maps say, pixel by pixel and region by region.
struct Pixels {
    /// At input size, and at each picture's own size.
    at_input: PixelMetrics,
    at_original: PixelMetrics,
    regions: RegionTable,
}

/// Looks at every map on disk. `None`: cancelled.
fn measure(
    trained: &TrainedDetector,
    samples: &[Sample],
    maps: &MapReader,
    monitor: &dyn Monitor,
) -> Result<Option<Pixels>> {
    monitor.report(Progress::Phase {
        phase: Phase::ComputingMetrics,
        total: samples.len() + 1,
    });
    let spec = trained.reader.spec();
    let mut at_input = PixelAccumulator::new();
    let mut at_original = PixelAccumulator::new();
    let mut regions = RegionTable::default();
    for (done, sample) in samples.iter().enumerate() {
        if monitor.should_stop() {
            return Ok(None);
        }
        let map = maps.read(&sample.id)?;
        let size = read_size(&sample.image, sample.orientation)?;
        // Of an unlabelled picture the regions are told, but nothing is known to hold them against.
        let mask = sample.mask(size)?;
        measure_regions(&mut regions, spec, &map, size, mask.as_ref());
        // Without a mask it is unknown which pixels of a defective picture are defective.
        let Some(mask) = mask else {
            continue;
        };
        add(&mut at_input, &map, mask.to_input(spec).values(), sample)?;
        let (rect, placed) = Geometry::new(spec, size).map_on_image(&map);
        add(
            &mut at_original,
            &placed,
            mask.cropped(rect).values(),
            sample,
        )?;
        monitor.report(Progress::Step { done });
    }
    let limit = trained.meta.limits.pixel.value;
    Ok(Some(Pixels {
        at_input: at_input.finish(limit),
        at_original: at_original.finish(limit),
        regions,
    }))
}

fn measure_regions(
    regions: &mut RegionTable,
    spec: &InputSpec,
    map: &ScoreMap,
    picture: Size,
    mask: Option<&Mask>,
) {
    let defects = mask.map(|mask| defect_cells(mask, spec, map));
    let defects = defects.unwrap_or_default();
    let extent = MapExtent::of(map.values(), map.width(), &defects);
    regions.push(pixels_per_cell(spec, picture, map), &extent, &defects);
}

fn add(
    accumulator: &mut PixelAccumulator,
    map: &ScoreMap,
    mask: &[bool],
    sample: &Sample,
) -> Result<()> {
    let mask = (sample.label == Label::Defective).then_some(mask);
    accumulator
        .add(map.values(), mask, map.width(), map.height())
        .with_context(|| format!("the score map of {}", sample.id))
}

fn protocol(trained: &TrainedDetector, samples: &[Sample], unreadable: usize) -> Protocol {
    let meta = &trained.meta;
    let size = meta.input.size();
    let count = |label: Label| {
        samples
            .iter()
            .filter(|sample| sample.label == label)
            .count()
    };
    let masked = |sample: &&Sample| sample.label == Label::Defective && sample.masks.is_empty();
    let learns = meta.config.model.model().learns_from_defects();
    Protocol {
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        model: meta.config.model.name().to_owned(),
        backbone: meta.backbone.kind.name().to_owned(),
        backbone_sha256: meta.backbone.sha256.clone(),
        input: meta.input.preset().name().to_owned(),
        input_width: size.width,
        input_height: size.height,
        seed: meta.config.seed,
        epochs: meta.config.model.epochs(),
        training_pictures: meta.provenance.training_pictures,
        calibration_pictures: meta.provenance.calibration_pictures,
        seen: learns.then(|| meta.seen.iter().map(|seen| seen.id.clone()).collect()),
        test_good: count(Label::Good),
        test_defective: count(Label::Defective),
        unlabelled: count(Label::Unlabelled),
        without_mask: samples.iter().filter(masked).count(),
        unreadable,
        image_limit: meta.limits.image.clone(),
        pixel_limit: meta.limits.pixel.clone(),
        data_fingerprint: meta.provenance.data_fingerprint.clone(),
        device: device_name(&trained.device).to_owned(),
    }
}
