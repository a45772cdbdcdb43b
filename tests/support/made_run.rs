//! A made-up run in a folder: small pictures drawn by formula, with masks, maps, scores, curves and a model without tensors,
//! written as the program writes them.

use std::fs;
use std::path::{Path, PathBuf};

use flawscope::config::{BackboneKind, RunConfig};
use flawscope::data::image::{InputPreset, InputSpec, Orientation, Size};
use flawscope::data::{Label, Sample};
use flawscope::metrics::{
    AreaRule, Combination, DefectCells, Evaluation, ImageMetrics, ImageRow, Judgement, Limit,
    LimitOrigin, MapExtent, PixelAccumulator, Protocol, RegionTable,
};
use flawscope::score_map::ScoreMap;
use flawscope::store::checkpoint;
use flawscope::store::model_file::{BackboneIdentity, Limits, ModelMeta, Provenance};
use flawscope::store::run_folder::Measured;
use flawscope::store::{RunFolder, regions};
use image::{GrayImage, Luma, Rgb, RgbImage};

/// Of the pictures.
const WIDTH: usize = 320;
const HEIGHT: usize = 240;
/// Pixels of a picture along one map pixel.
const CELL: usize = 5;
const PIXEL_LIMIT: f32 = 0.55;

/// Which pictures a run was tested on, and what is missing from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tested {
    Everything,
    /// Neither defects nor masks.
    OnlyGood,
    /// Scored by a program that measured no regions.
    WithoutRegions,
}

/// One picture before it is drawn.
struct Part {
    id: String,
    label: Label,
    defect: String,
    score: f32,
    /// Centre and radius of its defect, in pixels.
    spot: Option<(f32, f32, f32)>,
}

impl Part {
    fn new(label: Label, defect: &str, index: usize, score: f32) -> Self {
        let seed = index as f32 + defect.len() as f32;
        let spot = (label == Label::Defective).then_some((
            90.0 + (seed * 37.0) % 140.0,
            80.0 + (seed * 23.0) % 80.0,
            4.0 + 2.5 * index as f32,
        ));
        Self {
            id: format!("test/{defect}/{index:03}.png"),
            label,
            defect: defect.to_owned(),
            score,
            spot,
        }
    }

    fn distance(&self, x: f32, y: f32) -> f32 {
        let (left, top, _) = self.spot.unwrap_or((130.0, 130.0, 0.0));
        (x - left).hypot(y - top)
    }

    fn is_marked(&self, x: usize, y: usize) -> bool {
        let radius = self.spot.map_or(-1.0, |(_, _, radius)| radius);
        self.distance(x as f32 + 0.5, y as f32 + 0.5) <= radius
    }

    fn map(&self) -> ScoreMap {
        let (columns, rows) = (WIDTH / CELL, HEIGHT / CELL);
        let value = |i: usize| {
            let (x, y) = ((i % columns * CELL) as f32, (i / columns * CELL) as f32);
            let wave = 0.12 + 0.06 * ((x * 0.05).sin() * (y * 0.07).cos());
            let wide = 22.0 + self.spot.map_or(0.0, |(_, _, radius)| radius);
            wave.max(self.score * (-self.distance(x, y).powi(2) / (wide * wide)).exp())
        };
        let values = (0..columns * rows).map(value).collect();
        ScoreMap::new(columns, rows, values).unwrap()
    }

    fn draw(&self, picture: &Path, mask: &Path) {
        let drawn = RgbImage::from_fn(WIDTH as u32, HEIGHT as u32, |x, y| {
            let (x, y) = (x as usize, y as usize);
            let grain = ((x * 7 + y * 13) % 11) as u8;
            let inside = (30..WIDTH - 30).contains(&x) && (25..HEIGHT - 25).contains(&y);
            Rgb(match (inside, self.is_marked(x, y)) {
                (true, true) => [96, 70, 58],
                (true, false) => [168 + grain, 174 + grain, 180 + grain],
                (false, _) => [44 + grain, 48 + grain, 54 + grain],
            })
        });
        fs::create_dir_all(picture.parent().unwrap()).unwrap();
        drawn.save(picture).unwrap();
        if self.label == Label::Defective {
            let drawn = GrayImage::from_fn(WIDTH as u32, HEIGHT as u32, |x, y| {
                let marked = self.is_marked(x as usize, y as usize);
                Luma([255 * u8::from(marked)])
            });
            fs::create_dir_all(mask.parent().unwrap()).unwrap();
            drawn.save(mask).unwrap();
        }
    }

    fn row(&self) -> ImageRow {
        ImageRow {
            path: self.id.clone(),
            label: match self.label {
                Label::Good => "good",
                Label::Defective => "defective",
                Label::Unlabelled => "unlabelled",
            }
            .to_owned(),
            defect: self.defect.clone(),
            score: self.map().max(),
        }
    }
}

/// Overkill, escapes and REVIEW all occur; one defect type has a name that would be markup.
fn parts(tested: Tested) -> Vec<Part> {
    let mut parts: Vec<Part> = (0..24)
        .map(|i| Part::new(Label::Good, "good", i, 0.30 + 0.0155 * i as f32))
        .collect();
    if tested != Tested::OnlyGood {
        for (kind, defect) in ["dent", "print <b>&\"shift\"", "scratch"]
            .iter()
            .enumerate()
        {
            for i in 0..7 {
                let score = 0.40 + 0.15 * i as f32 + 0.07 * kind as f32;
                parts.push(Part::new(Label::Defective, defect, i, score));
            }
        }
        for i in 0..3 {
            let score = 0.35 + 0.2 * i as f32;
            parts.push(Part::new(Label::Unlabelled, "unlabelled", i, score));
        }
    }
    parts.sort_by(|a, b| a.id.cmp(&b.id));
    parts
}

/// Writes pictures and run below `home` and gives the run's folder. Another seed scores the same pictures a little otherwise.
pub fn make_named(home: &Path, name: &str, seed: u64, tested: Tested) -> PathBuf {
    let data = home.join("data");
    let run = RunFolder::create(&home.join(name)).unwrap();
    let meta = meta(&data, seed);
    let rule = meta.limits.rule();
    let identity = checkpoint::save(&run.model_path(), &meta, &[]).unwrap();
    let parts = seen_by(seed, parts(tested));
    let samples: Vec<Sample> = parts
        .iter()
        .enumerate()
        .map(|(index, part)| {
            // The file's own name is harmless on every system.
            let image = data.join("test").join(format!("{index:03}.png"));
            let mask = data.join("masks").join(format!("{index:03}.png"));
            part.draw(&image, &mask);
            Sample {
                id: part.id.clone(),
                image,
                masks: Vec::from_iter((part.label == Label::Defective).then_some(mask)),
                label: part.label,
                defect: part.defect.clone(),
                orientation: Orientation::Ignore,
            }
        })
        .collect();
    let mut writer = run
        .map_writer(samples.iter().map(|sample| sample.id.as_str()))
        .unwrap();
    let mut table = RegionTable::default();
    for part in &parts {
        let map = part.map();
        writer.push(&part.id, &map).unwrap();
        let cells = cells(part);
        let extent = MapExtent::of(map.values(), map.width(), &cells);
        table.push((CELL * CELL) as f64, &extent, &cells);
    }
    let evaluation = evaluation(&parts, seed);
    let measured = Measured {
        maps: writer.seal().unwrap(),
        regions: regions::seal(run.path(), &table).unwrap(),
        verdicts: Judgement::of(&evaluation.images, Some(&table), &rule).verdicts,
    };
    run.commit_evaluation(evaluation, samples, &identity, measured)
        .unwrap();
    if tested == Tested::WithoutRegions {
        edit_record(&run, |record| {
            record.remove("regions");
            record.remove("scored_at");
        });
    } else {
        // The same moment in every test: 2026-11-25 14:03 UTC.
        edit_record(&run, |record| {
            record.insert("scored_at".to_owned(), 1_795_615_380_u64.into());
        });
    }
    run.path().to_path_buf()
}

/// Scores of another seed: the same pictures, a little higher or lower.
fn seen_by(seed: u64, mut parts: Vec<Part>) -> Vec<Part> {
    for (index, part) in parts.iter_mut().enumerate() {
        part.score *= 1.0 + 0.25 * (seed as f32 * (index as f32 + 1.0)).sin();
    }
    parts
}

fn edit_record(run: &RunFolder, edit: impl Fn(&mut serde_json::Map<String, serde_json::Value>)) {
    let text = fs::read_to_string(run.evaluation_path()).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
    edit(record.as_object_mut().unwrap());
    fs::write(run.evaluation_path(), record.to_string()).unwrap();
}

fn cells(part: &Part) -> Vec<DefectCells> {
    let columns = WIDTH / CELL;
    let marked = (0..WIDTH * HEIGHT).filter(|i| part.is_marked(i % WIDTH, i / WIDTH));
    let marked: Vec<usize> = marked.collect();
    let mut cells: Vec<u32> = marked
        .iter()
        .map(|i| (i / WIDTH / CELL * columns + i % WIDTH / CELL) as u32)
        .collect();
    cells.sort_unstable();
    cells.dedup();
    let area = marked.len() as f64;
    Vec::from_iter((area > 0.0).then_some(DefectCells { area, cells }))
}

fn held_out(value: f32) -> Limit {
    Limit {
        value,
        origin: LimitOrigin::HeldOutMaximum { pictures: 21 },
    }
}

fn meta(data: &Path, seed: u64) -> ModelMeta {
    let config = RunConfig::first_look(&data.join("bearing cover"));
    let limits = Limits {
        review: Some(Limit::manual(0.52)),
        area: AreaRule {
            combination: Combination::ScoreAndArea,
            pixels: 50.0,
        },
        pixels_per_mm: Some(12.5),
        ..Limits::new(held_out(0.6), held_out(PIXEL_LIMIT), (0.1, 1.0))
    };
    let size = Size {
        width: WIDTH,
        height: HEIGHT,
    };
    ModelMeta {
        program_version: "0.1.0".to_owned(),
        backbone: BackboneIdentity {
            kind: BackboneKind::EfficientNetLite0,
            sha256: "3f1c9a0b7de24c51".repeat(4),
            embedded: false,
        },
        input: InputSpec::for_pictures(InputPreset::Resize256, size).unwrap(),
        orientation: Orientation::Ignore,
        limits,
        calibration_scores: (0..21)
            .map(|i| 0.29 + 0.305 * (i as f32 / 20.0).powi(2))
            .collect(),
        provenance: Provenance {
            data_fingerprint: "9b04e7d2c6a1f358".repeat(4),
            training_pictures: 188,
            calibration_pictures: 21,
            seed,
            created_at: None,
        },
        seen: Vec::new(),
        history: Vec::new(),
        first_checksum: None,
        config,
    }
}

fn evaluation(parts: &[Part], seed: u64) -> Evaluation {
    let rows: Vec<ImageRow> = parts.iter().map(Part::row).collect();
    let image = ImageMetrics::from_rows(&rows).unwrap();
    let mut pixels = PixelAccumulator::new();
    for part in parts.iter().filter(|part| part.label != Label::Unlabelled) {
        let map = part.map();
        let columns = map.width();
        let centre = |cell: usize| cell * CELL + CELL / 2;
        let mask: Vec<bool> = (0..map.values().len())
            .map(|i| part.is_marked(centre(i % columns), centre(i / columns)))
            .collect();
        let mask = part.spot.map(|_| mask);
        let (scores, height) = (map.values(), map.height());
        pixels
            .add(scores, mask.as_deref(), columns, height)
            .unwrap();
    }
    let pixels = pixels.finish(PIXEL_LIMIT);
    let count = |label| parts.iter().filter(|part| part.label == label).count();
    let protocol = Protocol {
        program_version: "0.1.0".to_owned(),
        model: "cfa".to_owned(),
        backbone: "efficientnet-lite0".to_owned(),
        backbone_sha256: "3f1c9a0b7de24c51".repeat(4),
        input: "256".to_owned(),
        input_width: 341,
        input_height: 256,
        seed,
        epochs: 30,
        training_pictures: 188,
        calibration_pictures: 21,
        seen: None,
        test_good: count(Label::Good),
        test_defective: count(Label::Defective),
        unlabelled: count(Label::Unlabelled),
        without_mask: 0,
        unreadable: 1,
        image_limit: held_out(0.6),
        pixel_limit: held_out(PIXEL_LIMIT),
        data_fingerprint: "9b04e7d2c6a1f358".repeat(4),
        device: "CPU, 2 threads".to_owned(),
    };
    Evaluation::new(protocol, rows, image, pixels.clone(), pixels, 7.4)
}
