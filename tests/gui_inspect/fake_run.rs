//! A hand-made run: 40 test pictures drawn by formula, with maps, masks, scores and curves that fit together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use flawscope::config::RunConfig;
use flawscope::data::image::Orientation;
use flawscope::data::{Label, Sample};
use flawscope::metrics::{
    Curve, DecisionRule, Evaluation, ImageMetrics, ImageRow, Limit, LimitOrigin, PixelMetrics,
    Point, Protocol, Truth,
};
use flawscope::score_map::ScoreMap;
use flawscope::worker::message::{Detail, Limits, Preview, PreviewRequest, RunSummary};

pub const IMAGE_LIMIT: f32 = 0.6;
pub const PIXEL_LIMIT: f32 = 0.55;
const DEFECTS: [&str; 4] = ["contamination", "dent", "print_shift", "scratch"];
const SIDE: usize = 256;

/// 12 good pictures scoring 0.30 to 0.63 (one overkill), 28 defective ones scoring 0.52 to 1.60 (two escapes).
pub fn rows() -> Vec<ImageRow> {
    let mut rows = Vec::new();
    for (kind, defect) in DEFECTS.iter().enumerate() {
        for i in 0..7 {
            let score = 0.70 + 0.12 * i as f32 + 0.05 * kind as f32;
            let score = if i == 0 && kind < 2 {
                0.52 + 0.02 * kind as f32
            } else {
                score
            };
            rows.push(row(defect, i, score));
        }
    }
    for i in 0..12 {
        rows.push(row("good", i, 0.30 + 0.03 * i as f32));
    }
    rows.sort_by(|a, b| a.path.cmp(&b.path));
    rows
}

pub fn row(defect: &str, index: usize, score: f32) -> ImageRow {
    ImageRow {
        path: format!("test/{defect}/{index:03}.png"),
        label: if defect == "good" {
            "good"
        } else {
            "defective"
        }
        .to_owned(),
        defect: defect.to_owned(),
        score,
    }
}

pub fn run() -> RunSummary {
    run_of(Path::new("/pictures/lid"), rows())
}

/// A run over these rows, with curves computed from them.
pub fn run_of(root: &Path, rows: Vec<ImageRow>) -> RunSummary {
    let samples = rows.iter().map(|row| sample(root, row)).collect();
    let held_out = 21;
    let calibration_scores = (0..held_out).map(|i| 0.29 + 0.305 * (i as f32 / 20.0).powi(2));
    let image_limit = Limit {
        value: IMAGE_LIMIT,
        origin: LimitOrigin::HeldOutMaximum { pictures: held_out },
    };
    let pixel_limit = Limit {
        value: PIXEL_LIMIT,
        origin: LimitOrigin::HeldOutQuantile {
            quantile: 0.999,
            pictures: held_out,
        },
    };
    let evaluation = evaluation(rows, &image_limit, &pixel_limit);
    RunSummary {
        path: PathBuf::from("/runs/lid-cfa-0"),
        config: RunConfig::first_look(root),
        checksum: "5c".repeat(32),
        proposed: DecisionRule::single(image_limit.clone(), pixel_limit.clone()),
        limits: Limits::new(image_limit, pixel_limit, (0.1, 1.0)),
        calibration_scores: calibration_scores.collect(),
        evaluation: Some(Arc::new(evaluation)),
        regions: None,
        samples,
    }
}

pub fn sample(root: &Path, row: &ImageRow) -> Sample {
    Sample {
        id: row.path.clone(),
        image: root.join(&row.path),
        masks: Vec::new(),
        orientation: Orientation::Ignore,
        label: if row.is_defective() {
            Label::Defective
        } else {
            Label::Good
        },
        defect: row.defect.clone(),
    }
}

fn evaluation(rows: Vec<ImageRow>, image_limit: &Limit, pixel_limit: &Limit) -> Evaluation {
    let image = image_metrics(&rows);
    let pixel = pixel_metrics(0.9803, 65536 * 40);
    Evaluation {
        image_auroc: image.auroc,
        pixel_auroc: pixel.auroc,
        aupro: pixel.aupro,
        image_ap: image.average_precision,
        pixel_ap: pixel.average_precision,
        image_f1: None,
        image_f1_max: image.f1_max,
        pixel_f1_max: pixel.f1_max,
        seconds: 7.4,
        images_per_second: 5.4,
        protocol: Protocol {
            program_version: "0.1.0".to_owned(),
            model: "cfa".to_owned(),
            backbone: "efficientnet-lite0".to_owned(),
            backbone_sha256: "3f1c9a0b7de24c51".repeat(4),
            input: "256".to_owned(),
            input_width: 256,
            input_height: 256,
            seed: 0,
            epochs: 30,
            training_pictures: 188,
            calibration_pictures: 21,
            seen: None,
            test_good: rows.iter().filter(|row| row.is_good()).count(),
            test_defective: rows.iter().filter(|row| row.is_defective()).count(),
            unlabelled: rows
                .iter()
                .filter(|row| row.truth() == Truth::Unlabelled)
                .count(),
            without_mask: 1,
            unreadable: 0,
            image_limit: image_limit.clone(),
            pixel_limit: pixel_limit.clone(),
            data_fingerprint: "9b04e7d2c6a1f358".repeat(4),
            device: "CPU, 2 threads".to_owned(),
        },
        images: rows,
        image,
        pixel_at_input: pixel,
        pixel_at_original: pixel_metrics(0.9788, 810_000 * 40),
    }
}

fn image_metrics(rows: &[ImageRow]) -> ImageMetrics {
    let mut scores: Vec<f32> = rows.iter().map(|row| row.score).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    scores.dedup();
    let good = rows.iter().filter(|row| !row.is_defective()).count() as f64;
    let defective = rows.len() as f64 - good;
    let mut roc = vec![Point {
        x: 0.0,
        y: 0.0,
        limit: None,
    }];
    let mut precision_recall = vec![Point {
        x: 0.0,
        y: 1.0,
        limit: None,
    }];
    for limit in scores {
        let at_least = |defect: bool| {
            rows.iter()
                .filter(|row| row.is_defective() == defect && row.score >= limit)
                .count() as f64
        };
        let (hits, alarms) = (at_least(true), at_least(false));
        roc.push(Point {
            x: alarms / good,
            y: hits / defective,
            limit: Some(limit),
        });
        precision_recall.push(Point {
            x: hits / defective,
            y: hits / (hits + alarms),
            limit: Some(limit),
        });
    }
    let area = roc
        .windows(2)
        .map(|w| (w[1].x - w[0].x) * (w[1].y + w[0].y) / 2.0)
        .sum();
    ImageMetrics {
        auroc: Some(area),
        average_precision: Some(0.9941),
        f1_max: Some(0.9643),
        f1_max_limit: Some(0.54),
        roc: Curve { points: roc },
        precision_recall: Curve {
            points: precision_recall,
        },
    }
}

/// Smooth curves whose limits fall from 1.6 to 0.05.
fn pixel_metrics(auroc: f64, pixels: u64) -> PixelMetrics {
    let curve = |y: &dyn Fn(f64) -> f64, x: &dyn Fn(f64) -> f64| {
        let points = (0..=200).map(|i| {
            let t = f64::from(i) / 200.0;
            let limit = (i > 0).then_some((1.6 * (0.03_f64).powf(t)) as f32);
            Point {
                x: x(t),
                y: y(t),
                limit,
            }
        });
        Curve {
            points: points.collect(),
        }
    };
    let false_rate = |t: f64| t.powi(8);
    let hit_rate = move |t: f64| (1.0 - (1.0 - t).powf(3.0)).powf(0.9 + 50.0 * (1.0 - auroc));
    PixelMetrics {
        auroc: Some(auroc),
        average_precision: Some(0.7312),
        f1_max: Some(0.7050),
        f1_max_limit: Some(0.61),
        iou_max: Some(0.5444),
        iou_at_limit: Some(0.5187),
        aupro: Some(0.9312),
        regions: 31,
        vanished_masks: 0,
        pixels,
        roc: curve(&hit_rate, &false_rate),
        precision_recall: curve(&|t| 1.0 - 0.95 * t.powi(6), &hit_rate),
        per_region_overlap: curve(&|t| hit_rate(t).powf(1.4), &false_rate),
    }
}

/// Answers a request as the preview lane would, by formula.
pub fn preview(request: &PreviewRequest, score: f32) -> Preview {
    let side = match request.key.detail {
        Detail::Thumbnail => 96,
        Detail::Full => SIDE,
    };
    let defective = request.sample.label == Label::Defective;
    let seed = request
        .sample
        .id
        .bytes()
        .fold(7_u32, |h, b| h.wrapping_mul(31).wrapping_add(u32::from(b)));
    let centre = (
        0.3 + 0.4 * f32::from(seed as u8) / 255.0,
        0.35 + 0.3 * f32::from((seed >> 8) as u8) / 255.0,
    );
    let distance = |x: usize, y: usize| {
        let (x, y) = (
            (x as f32 + 0.5) / side as f32 - centre.0,
            (y as f32 + 0.5) / side as f32 - centre.1,
        );
        (x * x + 2.5 * y * y).sqrt()
    };
    let pixels = || (0..side).flat_map(|y| (0..side).map(move |x| (x, y)));
    let rgb = pixels().flat_map(|(x, y)| part(x, y, side, defective && distance(x, y) < 0.05));
    let full = request.key.detail == Detail::Full;
    let noise =
        |x: usize, y: usize| 0.04 * ((x as f32 * 0.13).sin() * (y as f32 * 0.17).cos() + 1.0);
    let peak = |x, y| score * (-distance(x, y).powi(2) / 0.006).exp();
    let values = pixels().map(|(x, y)| (0.15 + noise(x, y)).max(peak(x, y)));
    Preview {
        width: side,
        height: side,
        rgb: rgb.collect(),
        image_width: SIDE,
        image_height: SIDE,
        mask: (full && defective).then(|| pixels().map(|(x, y)| distance(x, y) < 0.05).collect()),
        map: full
            .then(|| ScoreMap::new(side, side, values.collect()).map(Arc::new))
            .flatten(),
        map_rect: [0.0, 0.0, side as f32, side as f32],
    }
}

/// A round lid on a dark belt.
fn part(x: usize, y: usize, side: usize, marked: bool) -> [u8; 3] {
    let (u, v) = (x as f32 / side as f32 - 0.5, y as f32 / side as f32 - 0.5);
    let radius = (u * u + v * v).sqrt();
    let grain = 6.0 * ((x * 7 + y * 13) % 5) as f32 / 5.0;
    let light = 40.0 * (0.5 - v);
    let [r, g, b] = match radius {
        _ if marked => [70.0, 50.0, 40.0],
        r if r < 0.12 => [150.0, 156.0, 160.0],
        r if r < 0.38 => [176.0, 182.0, 190.0],
        r if r < 0.42 => [120.0, 124.0, 130.0],
        _ => [36.0, 40.0, 46.0],
    };
    [r, g, b].map(|c: f32| (c + grain + light * c / 200.0).clamp(0.0, 255.0) as u8)
}
