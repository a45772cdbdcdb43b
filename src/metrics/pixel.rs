//! Pixel-level numbers of a whole test set, fed picture by picture. Exact: no binning, no sampling of limits.
//! Keeps 4 bytes per good pixel and 8 per defective pixel; the maps themselves can go.

use rayon::slice::ParallelSliceMut;

use super::confusion::Confusion;
use super::overlap::RegionOverlap;
use super::ranking::Ranking;
use super::region::Regions;
use super::sweep::{Cut, Defect, Rank};
use super::{MetricsError, PixelMetrics, refuse_nan};

/// The per-region overlap is integrated up to this false-positive rate.
pub const OVERLAP_UP_TO: f64 = 0.3;

/// Gathers the scores of all pixels of all test pictures, the good pictures included.
#[derive(Debug, Default)]
pub struct PixelAccumulator {
    good: Vec<Rank>,
    defects: Vec<Defect>,
    /// Pixels of each region of all pictures.
    sizes: Vec<usize>,
    vanished_masks: usize,
}

impl PixelAccumulator {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one picture, scores and mask row-major. `None` is a good picture; a mask without any defective pixel counts
    /// as one that vanished when it was made smaller, and its pixels as good. On failure nothing is added.
    pub fn add(
        &mut self,
        scores: &[f32],
        mask: Option<&[bool]>,
        width: usize,
        height: usize,
    ) -> Result<(), MetricsError> {
        check(scores, mask, width, height)?;
        let Some(mask) = mask else {
            self.add_good(scores);
            return Ok(());
        };
        let regions = Regions::of(mask, width);
        self.vanished_masks += usize::from(regions.sizes.is_empty());
        let mut good_from = 0;
        for run in &regions.runs {
            let (start, end) = (run.row * width + run.from, run.row * width + run.to);
            let region = (self.sizes.len() + run.region) as u32;
            let defect = |&score| Defect {
                rank: Rank::of(score),
                region,
            };
            self.add_good(&scores[good_from..start]);
            self.defects.extend(scores[start..end].iter().map(defect));
            good_from = end;
        }
        self.add_good(&scores[good_from..]);
        self.sizes.extend(regions.sizes);
        Ok(())
    }

    fn add_good(&mut self, scores: &[f32]) {
        self.good.extend(scores.iter().copied().map(Rank::of));
    }

    /// Sorts and judges what was added. `pixel_limit` is the model's own limit, for [`PixelMetrics::iou_at_limit`].
    pub fn finish(mut self, pixel_limit: f32) -> PixelMetrics {
        self.good.par_sort_unstable();
        self.defects.par_sort_unstable();
        let (ranking, overlap) = rayon::join(
            || Ranking::new(&self.good, &self.defects),
            || self.overlap(OVERLAP_UP_TO),
        );
        PixelMetrics {
            auroc: ranking.auroc,
            average_precision: ranking.average_precision,
            f1_max: ranking.best.and_then(|best| best.confusion.f1()),
            f1_max_limit: ranking.best.map(|best| best.limit),
            iou_max: ranking.best.and_then(|best| best.confusion.iou()),
            iou_at_limit: self
                .confusion_at(pixel_limit)
                .and_then(|confusion| confusion.iou()),
            aupro: overlap.as_ref().map(|overlap| overlap.area),
            regions: self.sizes.len(),
            vanished_masks: self.vanished_masks,
            pixels: (self.good.len() + self.defects.len()) as u64,
            roc: ranking.roc,
            precision_recall: ranking.precision_recall,
            per_region_overlap: overlap.map(|overlap| overlap.curve).unwrap_or_default(),
        }
    }

    fn overlap(&self, up_to: f64) -> Option<RegionOverlap> {
        RegionOverlap::new(&self.good, &self.defects, &self.sizes, up_to)
    }

    /// `None` for a limit that is not a number.
    fn confusion_at(&self, limit: f32) -> Option<Confusion> {
        if limit.is_nan() {
            return None;
        }
        let rank = Rank::of(limit);
        let cut = Cut {
            limit,
            good: self.good.partition_point(|&other| other <= rank),
            defective: self.defects.partition_point(|defect| defect.rank <= rank),
        };
        Some(Confusion::from_counts(
            &cut,
            self.good.len(),
            self.defects.len(),
        ))
    }
}

fn check(
    scores: &[f32],
    mask: Option<&[bool]>,
    width: usize,
    height: usize,
) -> Result<(), MetricsError> {
    if width.checked_mul(height) != Some(scores.len()) {
        return Err(MetricsError::MapSize {
            width,
            height,
            scores: scores.len(),
        });
    }
    if let Some(mask) = mask
        && mask.len() != scores.len()
    {
        return Err(MetricsError::MaskSize {
            scores: scores.len(),
            mask: mask.len(),
        });
    }
    refuse_nan(scores)
}

#[cfg(test)]
impl PixelAccumulator {
    /// The overlap's area up to another rate than usual.
    pub(super) fn area_of_overlap(mut self, up_to: f64) -> Option<f64> {
        self.good.sort_unstable();
        self.defects.sort_unstable();
        self.overlap(up_to).map(|overlap| overlap.area)
    }
}

#[cfg(test)]
mod tests {
    use super::PixelAccumulator;
    use crate::metrics::curve::MOST_POINTS;
    use crate::metrics::{MetricsError, PixelMetrics};

    const FIRST: [f32; 16] = [
        0.9, 0.8, 0.1, 0.2, 0.7, 0.3, 0.2, 0.1, 0.1, 0.2, 0.85, 0.4, 0.05, 0.3, 0.6, 0.95,
    ];
    const SECOND: [f32; 16] = [
        0.1, 0.5, 0.2, 0.1, 0.2, 0.3, 0.1, 0.15, 0.25, 0.2, 0.1, 0.1, 0.05, 0.1, 0.2, 0.1,
    ];

    fn mask(pixels: &[(usize, usize)]) -> Vec<bool> {
        (0..16).map(|i| pixels.contains(&(i / 4, i % 4))).collect()
    }

    fn first_mask() -> Vec<bool> {
        mask(&[(0, 0), (0, 1), (1, 0), (2, 2), (3, 3)])
    }

    fn two_pictures(second_mask: Option<&[bool]>) -> PixelAccumulator {
        let mut accumulator = PixelAccumulator::new();
        accumulator.add(&FIRST, Some(&first_mask()), 4, 4).unwrap();
        accumulator.add(&SECOND, second_mask, 4, 4).unwrap();
        accumulator
    }

    fn four_regions() -> PixelAccumulator {
        two_pictures(Some(&mask(&[(1, 1), (2, 0), (3, 2)])))
    }

    fn close(value: Option<f64>, expected: f64) -> bool {
        value.is_some_and(|value| (value - expected).abs() < 1e-6)
    }

    #[test]
    fn two_pictures_with_four_regions_give_the_known_numbers() {
        let metrics = four_regions().finish(0.2);
        assert!(close(metrics.aupro, 0.607_755));
        assert!(close(four_regions().area_of_overlap(1.0), 0.869_792));
        assert!(close(metrics.auroc, 0.911_458));
        assert!(close(metrics.average_precision, 0.818_730));
        assert!(close(metrics.f1_max, 0.769_231));
        assert_eq!(metrics.f1_max_limit, Some(0.7));
        assert!(close(metrics.iou_max, 0.625));
        // At 0.2 all 8 defective pixels are found, with 11 false alarms.
        assert!(close(metrics.iou_at_limit, 8.0 / 19.0));
        assert_eq!(
            (metrics.regions, metrics.vanished_masks, metrics.pixels),
            (4, 0, 32)
        );
    }

    #[test]
    fn split_diagonals_give_the_known_numbers_of_four_neighbours() {
        let mut accumulator = four_regions();
        // What four-connected labelling would do: each pixel after its like gets a region of its own.
        accumulator.sizes = vec![3, 1, 1, 1, 1, 1];
        for (i, score) in [0.9, 0.8, 0.7, 0.85, 0.95, 0.3, 0.25, 0.2]
            .into_iter()
            .enumerate()
        {
            let region = (i as u32).saturating_sub(2);
            let pixel = accumulator
                .defects
                .iter_mut()
                .find(|defect| defect.rank.score() == score)
                .unwrap();
            pixel.region = region;
        }
        let metrics = accumulator.finish(0.5);
        assert!(close(metrics.aupro, 0.634_336));
    }

    #[test]
    fn the_overlap_curve_has_the_known_vertices() {
        let metrics = four_regions().finish(0.5);
        let vertices: Vec<_> = metrics
            .per_region_overlap
            .points
            .iter()
            .map(|point| (point.x, point.y))
            .collect();
        let expected = [
            (0.0, 0.0),
            (0.0, 0.125),
            (0.0, 0.208_333),
            (0.0, 0.333_333),
            (0.0, 0.416_667),
            (0.0, 0.5),
            (0.041_667, 0.5),
            (0.083_333, 0.5),
            (0.125, 0.5),
            (0.208_333, 0.625),
            (0.208_333, 0.75),
            (0.458_333, 1.0),
            (0.5, 1.0),
            (0.916_667, 1.0),
            (1.0, 1.0),
        ];
        assert_eq!(vertices.len(), expected.len());
        for ((x, y), (expected_x, expected_y)) in vertices.into_iter().zip(expected) {
            assert!(
                (x - expected_x).abs() < 1e-6 && (y - expected_y).abs() < 1e-6,
                "{x} {y}"
            );
        }
        assert_eq!(metrics.per_region_overlap.points[0].limit, None);
        assert_eq!(metrics.per_region_overlap.points[1].limit, Some(0.95));
    }

    #[test]
    fn a_picture_ranked_perfectly_has_full_overlap_however_far_it_is_integrated() {
        for up_to in [0.001, 0.05, 0.3, 1.0] {
            let area = two_pictures(Some(&[false; 16])).area_of_overlap(up_to);
            assert!(close(area, 1.0), "{area:?} up to {up_to}");
        }
    }

    #[test]
    fn a_vanished_mask_is_counted_and_its_pixels_are_good() {
        let vanished = two_pictures(Some(&[false; 16])).finish(0.5);
        let good = two_pictures(None).finish(0.5);
        assert_eq!((vanished.vanished_masks, good.vanished_masks), (1, 0));
        assert_eq!(vanished.regions, 2);
        assert_eq!(
            PixelMetrics {
                vanished_masks: 0,
                ..vanished
            },
            good
        );
    }

    #[test]
    fn without_defects_only_the_counts_are_defined() {
        let mut accumulator = PixelAccumulator::new();
        accumulator.add(&FIRST, None, 4, 4).unwrap();
        let expected = PixelMetrics {
            pixels: 16,
            ..PixelMetrics::default()
        };
        assert_eq!(accumulator.finish(0.5), expected);
        assert_eq!(PixelAccumulator::new().finish(0.5), PixelMetrics::default());
    }

    #[test]
    fn without_good_pixels_there_is_no_false_positive_rate() {
        let mut accumulator = PixelAccumulator::new();
        accumulator.add(&FIRST, Some(&[true; 16]), 4, 4).unwrap();
        let metrics = accumulator.finish(0.5);
        assert_eq!((metrics.auroc, metrics.aupro), (None, None));
        assert_eq!(
            (metrics.average_precision, metrics.f1_max),
            (Some(1.0), Some(1.0))
        );
        assert!(metrics.roc.points.is_empty() && metrics.per_region_overlap.points.is_empty());
    }

    #[test]
    fn a_map_of_equal_scores_is_no_better_than_chance() {
        let mut accumulator = PixelAccumulator::new();
        accumulator
            .add(&[1.0; 16], Some(&first_mask()), 4, 4)
            .unwrap();
        let metrics = accumulator.finish(1.0);
        assert_eq!(metrics.auroc, Some(0.5));
        assert!(close(metrics.aupro, 0.15));
    }

    #[test]
    fn the_order_of_pictures_does_not_matter() {
        let mut turned = PixelAccumulator::new();
        turned.add(&SECOND, None, 4, 4).unwrap();
        turned.add(&FIRST, Some(&first_mask()), 4, 4).unwrap();
        assert_eq!(turned.finish(0.5), two_pictures(None).finish(0.5));
    }

    #[test]
    fn a_bad_picture_is_refused_and_leaves_no_trace() {
        let mut accumulator = two_pictures(None);
        let mut add =
            |scores: &[f32], mask: Option<&[bool]>, width| accumulator.add(scores, mask, width, 2);
        let refused = |result: Result<(), MetricsError>| result.unwrap_err();
        assert_eq!(
            refused(add(&[0.0, f32::NAN], None, 1)),
            MetricsError::NotANumber { index: 1 }
        );
        assert_eq!(
            refused(add(&[0.0; 2], None, 2)),
            MetricsError::MapSize {
                width: 2,
                height: 2,
                scores: 2
            }
        );
        assert_eq!(
            refused(add(&[0.0; 2], Some(&[true]), 1)),
            MetricsError::MaskSize { scores: 2, mask: 1 }
        );
        assert_eq!(add(&[], Some(&[]), 0), Ok(()));
        assert_eq!(accumulator.finish(0.5).pixels, 32);
    }

    #[test]
    fn infinite_scores_and_limits_are_ordered_and_a_limit_of_nan_is_undefined() {
        let add = |limit| {
            let mut accumulator = PixelAccumulator::new();
            let scores = [f32::INFINITY, 0.0, f32::NEG_INFINITY, 1.0];
            accumulator
                .add(&scores, Some(&[true, false, false, false]), 2, 2)
                .unwrap();
            accumulator.finish(limit)
        };
        assert_eq!(
            (add(f32::INFINITY).auroc, add(f32::INFINITY).iou_at_limit),
            (Some(1.0), Some(1.0))
        );
        assert_eq!(add(f32::NEG_INFINITY).iou_at_limit, Some(0.25));
        assert_eq!(add(f32::NAN).iou_at_limit, None);
    }

    #[test]
    fn many_pixels_give_short_curves_with_their_ends() {
        let side = 300;
        let noise = |i: usize| (i.wrapping_mul(2_654_435_761) >> 7) % 10_007;
        let scores: Vec<f32> = (0..side * side)
            .map(|i| noise(i) as f32 + if i % 50 == 0 { 3000.0 } else { 0.0 })
            .collect();
        let mask: Vec<bool> = (0..side * side).map(|i| i % 50 == 0).collect();
        let mut accumulator = PixelAccumulator::new();
        accumulator.add(&scores, Some(&mask), side, side).unwrap();
        let metrics = accumulator.finish(5000.0);
        for curve in [
            &metrics.roc,
            &metrics.precision_recall,
            &metrics.per_region_overlap,
        ] {
            assert!(
                (100..=MOST_POINTS).contains(&curve.points.len()),
                "{} points",
                curve.points.len()
            );
            assert_eq!(curve.points[0].limit, None);
            assert!(
                curve.points[1..]
                    .windows(2)
                    .all(|pair| pair[0].limit > pair[1].limit)
            );
        }
        let last = metrics.roc.points.last().unwrap();
        assert_eq!((last.x, last.y), (1.0, 1.0));
    }
}
