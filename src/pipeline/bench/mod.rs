//! What this machine can do: the parts of training and scoring one by one, and the whole. Measures on pictures it draws
//! itself, in a folder that is gone afterwards.

mod made_up;
mod memory;
mod model;
mod replay;
mod sheet;
mod timer;
mod whole;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use serde::Serialize;

pub use self::sheet::Part;
pub use self::timer::Timing;

use self::made_up::{MAPS, Map, SIDE, pixel_metrics};
use self::sheet::{Sheet, Work};
use self::timer::Timer;
use super::detector::PictureReader;
use super::device::{Opened, PRN_ON_CPU, open_device};
use super::training_pictures::TrainingPictures;
use crate::config::{BackboneChoice, DeviceChoice, ModelName, RunConfig};
use crate::data::image::InputPreset;
use crate::data::synthetic::{CATEGORY, SampleSettings, generate};
use crate::progress::{Monitor, Outcome, Phase, Progress};

/// Rows and columns of the matrices whose product tells what is possible.
const PRODUCT: usize = 2048;
/// Product, decoding, metrics, training and scoring a folder.
const OTHERS: usize = 5;

/// How many parts a model has: its network twice, its training steps, its head, and scoring twice.
fn of_a_model(name: ModelName) -> usize {
    match name {
        ModelName::Cfa | ModelName::Prn => 6,
        ModelName::Cflow => 8,
    }
}

/// What is measured.
#[derive(Debug, Clone)]
pub struct BenchRequest {
    pub models: Vec<ModelName>,
    pub backbone: BackboneChoice,
    pub input: InputPreset,
    pub device: DeviceChoice,
    /// Seconds for each part.
    pub seconds: f64,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bench {
    pub program_version: &'static str,
    /// Which one, and why.
    pub device: String,
    /// How many processor cores work at once.
    pub threads: usize,
    pub backbone: &'static str,
    /// Width and height of the network's input.
    pub input: [usize; 2],
    /// Billions of additions and multiplications a second of a plain product of two large matrices: the limit to measure
    /// against.
    pub product_gflops: f64,
    pub parts: Vec<Part>,
}

/// Measures. A few minutes at the usual second for each part.
pub fn bench(request: &BenchRequest, monitor: &dyn Monitor) -> Result<Outcome<Bench>> {
    let Opened { device, line } = open_device(request.device)?;
    let models = models_for(&device, &request.models, monitor)?;
    let folder = tempfile::tempdir().context("making a temporary folder to measure in")?;
    let sample = folder.path().join("sample");
    monitor.report(Progress::Phase {
        phase: Phase::Measuring,
        total: OTHERS + models.iter().copied().map(of_a_model).sum::<usize>(),
    });
    let settings = SampleSettings {
        train: 24,
        test_good: 4,
        per_defect: 2,
        ..SampleSettings::default()
    };
    if generate(&sample, &settings, &|_| !monitor.should_stop())?.is_none() {
        return Ok(Outcome::Cancelled);
    }
    let config = RunConfig {
        backbone: request.backbone.clone(),
        input: request.input,
        device: request.device,
        ..RunConfig::first_look(&sample.join(CATEGORY))
    };
    let mut sheet = Sheet {
        timer: Timer {
            time: Duration::from_secs_f64(request.seconds),
            monitor,
        },
        device,
        product: 0.0,
        parts: Vec::new(),
    };
    let pictures = TrainingPictures::choose(&config)?;
    let Some(()) = parts(&mut sheet, &models, &config, &pictures, folder.path())? else {
        return Ok(Outcome::Cancelled);
    };
    let size = pictures.spec.size();
    Ok(Outcome::Finished(Bench {
        program_version: env!("CARGO_PKG_VERSION"),
        device: line,
        threads: rayon::current_num_threads(),
        backbone: request.backbone.kind.name(),
        input: [size.width, size.height],
        product_gflops: sheet.product / 1e9,
        parts: sheet.parts,
    }))
}

/// Those of the models that run on the device.
fn models_for(
    device: &Device,
    models: &[ModelName],
    monitor: &dyn Monitor,
) -> Result<Vec<ModelName>> {
    let runs = |name: &ModelName| device.is_cpu() || *name != ModelName::Prn;
    let running: Vec<ModelName> = models.iter().copied().filter(runs).collect();
    if running.len() < models.len() {
        ensure!(!running.is_empty(), "{PRN_ON_CPU}; use `--device cpu`");
        let text = format!("{PRN_ON_CPU} and is left out");
        monitor.report(Progress::Warning { text });
    }
    Ok(running)
}

fn parts(
    sheet: &mut Sheet<'_>,
    models: &[ModelName],
    config: &RunConfig,
    pictures: &TrainingPictures,
    folder: &std::path::Path,
) -> Result<Option<()>> {
    let Some(()) = product(sheet)? else {
        return Ok(None);
    };
    let Some(()) = decoding(sheet, config, pictures)? else {
        return Ok(None);
    };
    for &name in models {
        let Some(()) = model::measure(sheet, name, config)? else {
            return Ok(None);
        };
    }
    let first = models.first().copied().unwrap_or(ModelName::Cfa);
    let Some(()) = whole::measure(sheet, first, config, folder)? else {
        return Ok(None);
    };
    metrics(sheet)
}

/// The limit: nothing here can be faster than a large matrix product, unless it saves arithmetic.
fn product(sheet: &mut Sheet<'_>) -> Result<Option<()>> {
    let square = |device: &Device| -> Result<Tensor> {
        let values = (0..PRODUCT * PRODUCT).map(|i| (i as f32 * 0.618).sin());
        Ok(Tensor::from_iter(values, device)?.reshape((PRODUCT, PRODUCT))?)
    };
    let (a, b) = (square(&sheet.device)?, square(&sheet.device)?);
    let operations = 2.0 * (PRODUCT as f64).powi(3);
    let name = format!("matrix product, {PRODUCT} x {PRODUCT}");
    let measured = sheet.measure(Work::new(name, "product").costing(operations), || {
        a.matmul(&b)?;
        Ok(())
    })?;
    sheet.product = sheet
        .parts
        .last()
        .and_then(|part| part.gflops)
        .unwrap_or(0.0)
        * 1e9;
    Ok(measured)
}

/// From files to network input, on all cores.
fn decoding(
    sheet: &mut Sheet<'_>,
    config: &RunConfig,
    pictures: &TrainingPictures,
) -> Result<Option<()>> {
    let device = sheet.device.clone();
    let reader = PictureReader::new(config.backbone.kind, pictures.spec, &device);
    let work = Work::new("decode and resize, PNG of 320 x 320", "picture").of(pictures.train.len());
    sheet.measure(work, || {
        for batch in reader.batches(&pictures.train)? {
            batch?;
        }
        Ok(())
    })
}

fn metrics(sheet: &mut Sheet<'_>) -> Result<Option<()>> {
    let maps: Vec<Map> = (0..MAPS).map(|number| Map::draw(SIDE, number)).collect();
    let name = format!("pixel AUROC, AP and AUPRO, {MAPS} maps of {SIDE} x {SIDE}");
    sheet.measure(Work::new(name, "set"), || {
        pixel_metrics(&maps, SIDE)?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::{BenchRequest, bench, of_a_model};
    use crate::config::{DeviceChoice, ModelName, RunConfig};
    use crate::data::image::InputPreset;
    use crate::progress::{Impatient, Outcome, Silent};

    fn request(models: &[ModelName]) -> BenchRequest {
        BenchRequest {
            models: models.to_vec(),
            backbone: RunConfig::first_look("".as_ref()).backbone,
            input: InputPreset::Resize128,
            device: DeviceChoice::Cpu,
            seconds: 0.0,
        }
    }

    #[test]
    fn a_cancelled_bench_ends_at_once() {
        let ended = bench(&request(&ModelName::ALL), &Impatient).unwrap();
        assert!(matches!(ended, Outcome::Cancelled));
    }

    #[test]
    fn every_model_has_its_parts_measured() {
        let outcome = bench(&request(&ModelName::ALL), &Silent).unwrap();
        let bench = outcome.finished().unwrap();
        assert_eq!(bench.input, [128, 128]);
        assert!(bench.product_gflops > 0.0);
        for name in ModelName::ALL {
            let start = format!("{}: ", name.title());
            let of_model = bench
                .parts
                .iter()
                .filter(|part| part.name.starts_with(&start));
            let whole = if name == ModelName::Cfa { 2 } else { 0 };
            assert_eq!(of_model.count(), of_a_model(name) + whole, "{start}");
        }
        assert_eq!(
            bench.parts.len(),
            super::OTHERS + ModelName::ALL.map(of_a_model).iter().sum::<usize>()
        );
        for part in &bench.parts {
            let seconds = part.seconds;
            assert!(
                seconds.median > 0.0 && seconds.low <= seconds.high,
                "{part:?}"
            );
            let share = part.share_of_product.unwrap_or(0.5);
            assert!(share > 0.0 && share < 3.0, "{part:?}");
        }
    }
}
