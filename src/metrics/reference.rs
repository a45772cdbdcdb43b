//! Every metric once more, straight from its definition and as slow as that is, and the proof that the quick ones agree.

use proptest::prelude::{Just, Strategy, any};
use proptest::{collection, option, prop_assert, prop_assert_eq, proptest, sample};

use super::region::Regions;
use super::{ImageMetrics, PixelAccumulator, PixelMetrics};

/// One picture: row-major scores, and the mask of a defective one.
#[derive(Debug, Clone)]
struct Picture {
    width: usize,
    scores: Vec<f32>,
    mask: Option<Vec<bool>>,
}

impl Picture {
    fn mask(&self) -> Vec<bool> {
        self.mask
            .clone()
            .unwrap_or_else(|| vec![false; self.scores.len()])
    }

    /// Indices of the pixels of each region.
    fn regions(&self) -> Vec<Vec<usize>> {
        let regions = Regions::of(&self.mask(), self.width); // compared with flooding where it lives
        let mut pixels = vec![Vec::new(); regions.sizes.len()];
        for run in regions.runs {
            pixels[run.region]
                .extend(run.row * self.width + run.from..run.row * self.width + run.to);
        }
        pixels
    }
}

fn pooled(pictures: &[Picture]) -> (Vec<f32>, Vec<bool>) {
    let scores = pictures
        .iter()
        .flat_map(|picture| picture.scores.clone())
        .collect();
    let truths = pictures.iter().flat_map(Picture::mask).collect();
    (scores, truths)
}

/// Distinct scores, from high to low.
fn limits(scores: &[f32]) -> Vec<f32> {
    let mut limits = scores.to_vec();
    limits.sort_by(|a, b| b.total_cmp(a));
    limits.dedup();
    limits
}

/// True positives and false positives at a limit, counted anew.
fn hits(scores: &[f32], truths: &[bool], limit: f32) -> (f64, f64) {
    let count = |truth| {
        scores
            .iter()
            .zip(truths)
            .filter(|&(&s, &t)| s >= limit && t == truth)
            .count() as f64
    };
    (count(true), count(false))
}

/// Counts all pairs.
fn auroc(scores: &[f32], truths: &[bool]) -> Option<f64> {
    let side = |truth| {
        scores
            .iter()
            .zip(truths)
            .filter(move |&(_, &t)| t == truth)
            .map(|(&score, _)| score)
    };
    let pairs = || side(true).flat_map(|defect| side(false).map(move |good| (defect, good)));
    let won: f64 = pairs()
        .map(|(defect, good)| {
            if defect > good {
                1.0
            } else if defect == good {
                0.5
            } else {
                0.0
            }
        })
        .sum();
    let count = pairs().count();
    (count > 0).then(|| won / count as f64)
}

fn average_precision(scores: &[f32], truths: &[bool]) -> Option<f64> {
    let defects = truths.iter().filter(|&&truth| truth).count() as f64;
    let mut sum = 0.0;
    let mut last_recall = 0.0;
    for limit in limits(scores) {
        let (tp, fp) = hits(scores, truths, limit);
        sum += (tp / defects - last_recall) * tp / (tp + fp);
        last_recall = tp / defects;
    }
    (defects > 0.0).then_some(sum)
}

/// Best F1 and the lowest limit that reaches it.
fn best_f1(scores: &[f32], truths: &[bool]) -> Option<(f64, f32)> {
    let defects = truths.iter().filter(|&&truth| truth).count() as f64;
    let f1 = |limit| {
        let (tp, fp) = hits(scores, truths, limit);
        2.0 * tp / (tp + fp + defects)
    };
    let all: Vec<_> = limits(scores)
        .into_iter()
        .map(|limit| (f1(limit), limit))
        .collect();
    let best = all.iter().map(|&(f1, _)| f1).reduce(f64::max)?;
    // Equal fractions of small whole numbers divide to equal floats.
    all.into_iter()
        .rfind(|&(f1, _)| f1 == best)
        .filter(|_| defects > 0.0)
}

/// Builds all vertices, cuts the curve, and adds trapezoids.
fn aupro(pictures: &[Picture], up_to: f64) -> Option<f64> {
    let (scores, truths) = pooled(pictures);
    let goods = truths.iter().filter(|&&truth| !truth).count() as f64;
    let regions: usize = pictures.iter().map(|picture| picture.regions().len()).sum();
    if regions == 0 || goods == 0.0 {
        return None;
    }
    let overlap = |limit: f32| {
        let shares = pictures.iter().flat_map(|picture| {
            picture.regions().into_iter().map(|pixels| {
                pixels
                    .iter()
                    .filter(|&&pixel| picture.scores[pixel] >= limit)
                    .count() as f64
                    / pixels.len() as f64
            })
        });
        shares.sum::<f64>() / regions as f64
    };
    let mut vertices = vec![(0.0, 0.0)];
    vertices.extend(
        limits(&scores)
            .into_iter()
            .map(|limit| (hits(&scores, &truths, limit).1 / goods, overlap(limit))),
    );
    let inside = vertices.partition_point(|&(x, _)| x <= up_to);
    if let Some(&(x1, y1)) = vertices.get(inside) {
        let (x0, y0) = vertices[inside - 1];
        vertices[inside] = (up_to, y0 + (y1 - y0) * (up_to - x0) / (x1 - x0));
        vertices.truncate(inside + 1);
    }
    let trapezoids = vertices
        .windows(2)
        .map(|pair| (pair[1].0 - pair[0].0) * (pair[1].1 + pair[0].1) / 2.0);
    Some(trapezoids.sum::<f64>() / up_to)
}

fn iou(scores: &[f32], truths: &[bool], limit: f32) -> Option<f64> {
    let defects = truths.iter().filter(|&&truth| truth).count() as f64;
    let (tp, fp) = hits(scores, truths, limit);
    (defects > 0.0).then(|| tp / (defects + fp))
}

fn accumulated(pictures: &[Picture]) -> PixelAccumulator {
    let mut accumulator = PixelAccumulator::new();
    for Picture {
        width,
        scores,
        mask,
    } in pictures
    {
        accumulator
            .add(scores, mask.as_deref(), *width, scores.len() / width)
            .unwrap();
    }
    accumulator
}

fn close(one: Option<f64>, other: Option<f64>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() < 1e-12,
        (one, other) => one == other,
    }
}

/// Few different values, so that ties are common.
fn score() -> impl Strategy<Value = f32> {
    sample::select(vec![
        f32::NEG_INFINITY,
        -1.5,
        -0.0,
        0.0,
        0.1,
        0.2,
        0.3,
        0.4,
        0.5,
        0.6,
        7.0,
        f32::INFINITY,
    ])
}

fn picture() -> impl Strategy<Value = Picture> {
    (1usize..7, 1usize..6).prop_flat_map(|(width, height)| {
        let pixels = width * height;
        let scores = collection::vec(score(), pixels);
        let mask = option::of(collection::vec(any::<bool>(), pixels));
        (Just(width), scores, mask).prop_map(|(width, scores, mask)| Picture {
            width,
            scores,
            mask,
        })
    })
}

/// Enough distinct good scores for the sweep to take strides between defects.
#[test]
fn strides_over_many_good_pixels_change_no_number() {
    let (width, height) = (100, 92);
    let scattered: Vec<usize> = (0..width * height)
        .map(|i| i * 4_801 % (width * height))
        .collect();
    let picture = Picture {
        width,
        scores: scattered.iter().map(|&i| i as f32).collect(),
        mask: Some(
            scattered
                .iter()
                .map(|&i| i % 400 == 7 && i > 3000)
                .collect(),
        ),
    };
    let (scores, truths) = pooled(std::slice::from_ref(&picture));
    let quick = accumulated(std::slice::from_ref(&picture)).finish(0.0);
    assert!(close(quick.auroc, auroc(&scores, &truths)));
    assert!(close(
        quick.average_precision,
        average_precision(&scores, &truths)
    ));
    assert_eq!(
        quick.f1_max_limit,
        best_f1(&scores, &truths).map(|(_, limit)| limit)
    );
    assert!(close(quick.aupro, aupro(&[picture], 0.3)));
}

proptest! {
    #[test]
    fn image_numbers_agree_with_their_definitions(pictures in collection::vec((score(), any::<bool>()), 0..30)) {
        let (scores, truths): (Vec<f32>, Vec<bool>) = pictures.into_iter().unzip();
        let quick = ImageMetrics::from_scores(&scores, &truths).unwrap();
        let best = best_f1(&scores, &truths);
        prop_assert!(close(quick.auroc, auroc(&scores, &truths)));
        prop_assert!(close(quick.average_precision, average_precision(&scores, &truths)));
        prop_assert!(close(quick.f1_max, best.map(|(f1, _)| f1)));
        prop_assert_eq!(quick.f1_max_limit, best.map(|(_, limit)| limit));
    }

    #[test]
    fn curves_have_one_vertex_per_distinct_score(pictures in collection::vec((score(), any::<bool>()), 2..30)) {
        let (scores, truths): (Vec<f32>, Vec<bool>) = pictures.into_iter().unzip();
        let quick = ImageMetrics::from_scores(&scores, &truths).unwrap();
        let defects = truths.iter().filter(|&&truth| truth).count() as f64;
        let goods = truths.len() as f64 - defects;
        for point in quick.roc.points.iter().skip(1) {
            let (tp, fp) = hits(&scores, &truths, point.limit.unwrap());
            prop_assert_eq!((point.x, point.y), (fp / goods, tp / defects));
        }
        if quick.auroc.is_some() {
            prop_assert_eq!(quick.roc.points.len(), limits(&scores).len() + 1);
        }
    }

    #[test]
    fn pixel_numbers_agree_with_their_definitions(
        pictures in collection::vec(picture(), 0..5),
        limit in score(),
    ) {
        let (scores, truths) = pooled(&pictures);
        let quick: PixelMetrics = accumulated(&pictures).finish(limit);
        let best = best_f1(&scores, &truths);
        prop_assert!(close(quick.auroc, auroc(&scores, &truths)));
        prop_assert!(close(quick.average_precision, average_precision(&scores, &truths)));
        prop_assert!(close(quick.f1_max, best.map(|(f1, _)| f1)));
        prop_assert_eq!(quick.f1_max_limit, best.map(|(_, limit)| limit));
        prop_assert!(close(quick.iou_max, best.and_then(|(_, limit)| iou(&scores, &truths, limit))));
        prop_assert!(close(quick.iou_at_limit, iou(&scores, &truths, limit)));
        prop_assert!(close(quick.aupro, aupro(&pictures, 0.3)), "{:?} {:?}", quick.aupro, aupro(&pictures, 0.3));
        prop_assert_eq!(quick.pixels, scores.len() as u64);
    }

    #[test]
    fn the_whole_overlap_area_agrees_with_its_definition(pictures in collection::vec(picture(), 0..5)) {
        let quick = accumulated(&pictures).area_of_overlap(1.0);
        prop_assert!(close(quick, aupro(&pictures, 1.0)), "{:?} {:?}", quick, aupro(&pictures, 1.0));
    }
}
