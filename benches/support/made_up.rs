//! A large made-up run for the benchmarks: rows and numbers, without pictures on disk.

use std::path::Path;
use std::sync::Arc;

use flawscope::config::RunConfig;
use flawscope::data::image::Orientation;
use flawscope::data::{Label, Sample};
use flawscope::metrics::{
    DecisionRule, Evaluation, ImageMetrics, ImageRow, Limit, LimitOrigin, PixelMetrics, Protocol,
    RegionTable, Truth,
};
use flawscope::score_map::ScoreMap;
use flawscope::worker::message::{Detail, Limits, Preview, PreviewRequest, RunSummary};

/// The side of the maps.
pub const SIDE: usize = 256;

/// A stream of numbers between 0 and 1 (xorshift): cheap, and the same everywhere.
pub struct Noise(pub u32);

impl Noise {
    pub fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        (self.0 >> 8) as f32 / (1 << 24) as f32
    }
}

/// A picture: every fourth is defective, every twentieth unlabelled.
pub fn row(index: usize) -> ImageRow {
    let mut noise = Noise(index as u32 * 2_654_435 + 1);
    noise.next();
    let spread = noise.next();
    let (label, defect, score) = match index {
        i if i % 20 == 1 => ("unlabelled", "unlabelled", 0.2 + 0.6 * spread),
        i if i % 4 == 0 => {
            let kinds = ["crack", "dent", "scratch", "stain", "thread"];
            ("defective", kinds[i / 4 % 5], 0.35 + 0.6 * spread)
        }
        _ => ("good", "good", 0.15 + 0.4 * spread * spread),
    };
    ImageRow {
        path: format!("test/{defect}/{index:06}.png"),
        label: label.to_owned(),
        defect: defect.to_owned(),
        score,
    }
}

/// A grey picture, as large as the preview lane would send it: the whole one `side` pixels wide, with this map.
pub fn preview(request: &PreviewRequest, side: usize, map: impl Fn(usize) -> f32) -> Preview {
    let full = request.key.detail == Detail::Full;
    let side = if full { side } else { 96 };
    let scores = || ScoreMap::new(SIDE, SIDE, (0..SIDE * SIDE).map(map).collect());
    Preview {
        width: side,
        height: side,
        rgb: vec![128; side * side * 3],
        image_width: side,
        image_height: side,
        mask: None,
        map: full.then(scores).flatten().map(Arc::new),
        map_rect: [0.0, 0.0, side as f32, side as f32],
    }
}

/// A run over these rows; `regions` only where a benchmark asks for them.
pub fn run(rows: Vec<ImageRow>, regions: Option<RegionTable>) -> RunSummary {
    let root = Path::new("/pictures/lid");
    let held_out = 300;
    let limit = |value| Limit {
        value,
        origin: LimitOrigin::HeldOutMaximum { pictures: held_out },
    };
    RunSummary {
        path: "/runs/lid".into(),
        config: RunConfig::first_look(root),
        checksum: String::new(),
        limits: Limits::new(limit(0.5), limit(0.45), (0.1, 1.0)),
        proposed: DecisionRule::single(limit(0.5), limit(0.45)),
        calibration_scores: (0..held_out).map(|i| 0.15 + i as f32 / 900.0).collect(),
        samples: rows.iter().map(|row| sample(root, row)).collect(),
        regions: regions.map(Arc::new),
        evaluation: Some(Arc::new(evaluation(rows, limit(0.5), limit(0.45)))),
    }
}

fn sample(root: &Path, row: &ImageRow) -> Sample {
    let label = match row.truth() {
        Truth::Good => Label::Good,
        Truth::Defective => Label::Defective,
        Truth::Unlabelled => Label::Unlabelled,
    };
    Sample {
        id: row.path.clone(),
        image: root.join(&row.path),
        masks: Vec::new(),
        orientation: Orientation::Ignore,
        label,
        defect: row.defect.clone(),
    }
}

fn evaluation(rows: Vec<ImageRow>, image_limit: Limit, pixel_limit: Limit) -> Evaluation {
    let image = ImageMetrics::from_rows(&rows).unwrap_or_default();
    let count = |truth| rows.iter().filter(|row| row.truth() == truth).count();
    let protocol = Protocol {
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        model: "cfa".to_owned(),
        backbone: "efficientnet-lite0".to_owned(),
        backbone_sha256: String::new(),
        input: SIDE.to_string(),
        input_width: SIDE,
        input_height: SIDE,
        seed: 0,
        epochs: 30,
        training_pictures: 1000,
        calibration_pictures: 300,
        seen: None,
        test_good: count(Truth::Good),
        test_defective: count(Truth::Defective),
        unlabelled: count(Truth::Unlabelled),
        without_mask: 0,
        unreadable: 0,
        image_limit,
        pixel_limit,
        data_fingerprint: String::new(),
        device: "CPU".to_owned(),
    };
    Evaluation {
        image_auroc: image.auroc,
        pixel_auroc: None,
        aupro: None,
        image_ap: image.average_precision,
        pixel_ap: None,
        image_f1: None,
        image_f1_max: image.f1_max,
        pixel_f1_max: None,
        seconds: 1.0,
        images_per_second: 1.0,
        protocol,
        images: rows,
        image,
        pixel_at_input: PixelMetrics::default(),
        pixel_at_original: PixelMetrics::default(),
    }
}
