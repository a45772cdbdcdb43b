//! Scores loose pictures with a finished model: a table, the raw maps and an overlay of each.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::defect_cells::pixels_per_cell;
use super::detector::TrainedDetector;
use crate::config::DeviceChoice;
use crate::data::image::{Geometry, Orientation, PictureFormat, Size, read_picture};
use crate::data::{Label, Sample};
use crate::metrics::{DecisionRule, Limit, MapExtent, Region, RegionTable};
use crate::progress::{Monitor, Outcome, Phase, Progress};
use crate::render;
use crate::score_map::ScoreMap;
use crate::store::npy::write_npy;
use crate::store::results::{PredictionRow, write_predictions};
use crate::store::run_folder;
use crate::store::write_bytes;

/// What to score with what.
#[derive(Debug, Clone)]
pub struct PredictRequest {
    /// Model file or run folder.
    pub model: PathBuf,
    /// A picture or a folder of pictures; subfolders are searched too.
    pub input: PathBuf,
    pub out: PathBuf,
    pub weights: Option<PathBuf>,
    pub device: DeviceChoice,
}

/// One scored picture, or why it could not be scored.
#[derive(Debug, Clone, Serialize)]
pub struct PredictedPicture {
    /// Relative to the input folder.
    pub path: String,
    pub score: Option<f32>,
    /// `PASS`, `REVIEW`, `FAIL` or `ERROR`.
    pub verdict: &'static str,
    pub error: Option<String>,
}

impl PredictedPicture {
    fn row(&self) -> PredictionRow<'_> {
        PredictionRow {
            path: &self.path,
            score: self.score,
            verdict: self.verdict,
            error: self.error.as_deref(),
        }
    }
}

/// All pictures of one call, in bytewise order of their paths.
#[derive(Debug, Clone, Serialize)]
pub struct Prediction {
    pub model: PathBuf,
    /// FAIL from here on; the `rule` says the rest.
    pub limit: Limit,
    pub rule: DecisionRule,
    pub pictures: Vec<PredictedPicture>,
    pub failed: usize,
    pub seconds: f64,
}

/// Scores the pictures and writes `scores.csv`, and for each picture `NAME.npy` (raw map, f32, input space) and
/// `NAME_overlay.png`. A picture that cannot be read becomes a row with its error.
pub fn predict(request: &PredictRequest, monitor: &dyn Monitor) -> Result<Outcome<Prediction>> {
    let started = Instant::now();
    let model = model_file(&request.model);
    let trained = TrainedDetector::load(&model, request.weights.as_deref(), request.device)?;
    monitor.report(Progress::Device {
        line: trained.device_line.clone(),
    });
    let inputs = list_pictures(&request.input)?;
    let orientation = trained.meta.orientation;
    let samples: Vec<Sample> = inputs
        .iter()
        .map(|input| input.sample(orientation))
        .collect();
    fs::create_dir_all(&request.out)
        .with_context(|| format!("making the folder {}", request.out.display()))?;

    let rule = trained.meta.limits.rule();
    let detector = trained.detector.as_ref();
    let mut pictures: Vec<Option<PredictedPicture>> = vec![None; samples.len()];
    monitor.report(Progress::Phase {
        phase: Phase::Scoring,
        total: samples.len(),
    });
    let finished =
        trained
            .reader
            .score_all(detector, &samples, monitor, &mut |index, result| {
                let path = inputs[index].relative.clone();
                pictures[index] = Some(match result {
                    Ok(map) => {
                        let score = detector.image_score(map.values());
                        let (input, sample) = (&inputs[index], &samples[index]);
                        let size = write_picture(request, input, sample, &map, &trained)?;
                        let region = region(&rule, &map, size, &trained);
                        PredictedPicture {
                            path,
                            score: Some(score),
                            verdict: rule.verdict(score, region).word(),
                            error: None,
                        }
                    }
                    Err(reason) => PredictedPicture {
                        path,
                        score: None,
                        verdict: "ERROR",
                        error: Some(reason),
                    },
                });
                Ok(())
            })?;
    if !finished {
        return Ok(Outcome::Cancelled);
    }
    let pictures: Vec<PredictedPicture> = pictures.into_iter().flatten().collect();
    let rows: Vec<PredictionRow> = pictures.iter().map(PredictedPicture::row).collect();
    write_predictions(&request.out.join("scores.csv"), &rows)?;
    Ok(Outcome::Finished(Prediction {
        model,
        limit: rule.fail.clone(),
        rule,
        failed: pictures
            .iter()
            .filter(|picture| picture.error.is_some())
            .count(),
        pictures,
        seconds: started.elapsed().as_secs_f64(),
    }))
}

/// A run folder stands for the model in it.
fn model_file(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.join(run_folder::MODEL)
    } else {
        path.to_path_buf()
    }
}

struct Input {
    file: PathBuf,
    /// Below the input folder, with `/` separators; the file's name when a single file was given.
    relative: String,
}

impl Input {
    fn sample(&self, orientation: Orientation) -> Sample {
        Sample {
            id: self.relative.clone(),
            image: self.file.clone(),
            masks: Vec::new(),
            label: Label::Unlabelled,
            defect: "unlabelled".to_owned(),
            orientation,
        }
    }

    /// The start of the names of this picture's result files; unique within the call.
    fn stem(&self) -> String {
        self.relative.replace('/', "__")
    }
}

/// The picture, or all pictures in a folder and its subfolders, in bytewise order.
fn list_pictures(input: &Path) -> Result<Vec<Input>> {
    let name = |path: &Path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    if input.is_file() {
        return Ok(vec![Input {
            file: input.to_path_buf(),
            relative: name(input),
        }]);
    }
    ensure!(
        input.is_dir(),
        "{}: a picture or a folder of pictures was expected, but nothing is there",
        input.display()
    );
    let mut found = Vec::new();
    let mut folders = vec![(input.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))?;
        for entry in entries {
            let file = entry
                .with_context(|| format!("listing {}", folder.display()))?
                .path();
            let relative = format!("{prefix}{}", name(&file));
            if name(&file).starts_with('.') {
                continue;
            }
            if file.is_dir() {
                folders.push((file, format!("{relative}/")));
            } else if PictureFormat::of_name(&file).is_some() {
                found.push(Input { file, relative });
            }
        }
    }
    found.sort_by(|a, b| a.relative.cmp(&b.relative));
    ensure!(
        !found.is_empty(),
        "{}: there are no pictures in this folder (png, jpg, bmp, tif or webp)",
        input.display()
    );
    Ok(found)
}

/// What the second rule wants to know of a map, found as the table of an evaluation finds it.
fn region(rule: &DecisionRule, map: &ScoreMap, picture: Size, trained: &TrainedDetector) -> Region {
    if rule.area.is_off() {
        return Region::Unknown;
    }
    let mut table = RegionTable::default();
    let cell = pixels_per_cell(trained.reader.spec(), picture, map);
    table.push(cell, &MapExtent::of(map.values(), map.width(), &[]), &[]);
    table.region(0, rule.pixel.value, rule.area)
}

/// Writes the map and the overlay; returns the size of the picture.
fn write_picture(
    request: &PredictRequest,
    input: &Input,
    sample: &Sample,
    map: &ScoreMap,
    trained: &TrainedDetector,
) -> Result<Size> {
    let stem = input.stem();
    write_npy(&request.out.join(format!("{stem}.npy")), map)?;
    let picture = read_picture(&sample.image, sample.orientation)?;
    let geometry = Geometry::new(trained.reader.spec(), picture.size());
    let (rect, placed) = geometry.map_on_image(map);
    let limits = &trained.meta.limits;
    let png = render::export_overlay_png(
        &picture.to_rgb8(),
        (picture.width(), picture.height()),
        &placed,
        (rect.left, rect.top),
        limits.scale,
        limits.pixel.value,
    )?;
    write_bytes(&request.out.join(format!("{stem}.overlay.png")), &png)?;
    Ok(picture.size())
}
