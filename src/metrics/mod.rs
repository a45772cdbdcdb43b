//! Slices in, numbers out: every number a run reports and how it is computed. Knows no tensors, files or windows.

pub mod comparison;
pub mod confidence;
pub mod confusion;
pub mod curve;
pub mod decision;
pub mod defect_size;
pub mod disagreement;
pub mod evaluation;
pub mod extent;
pub mod histogram;
pub mod interval;
pub mod judgement;
pub mod limit;
pub mod origin;
pub mod outcome;
pub mod pixel;
pub mod proof;
pub mod proposal;
pub mod protocol_facts;
pub mod region;
pub mod region_table;
pub mod scale;
pub mod truth;
pub mod type_recall;
pub mod verdict;
pub mod wording;

#[cfg(test)]
mod coverage;
mod overlap;
mod ranking;
#[cfg(test)]
mod reference;
mod sweep;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use confidence::{false_reject_bound, pictures_to_prove, rate_bound};
pub use confusion::Confusion;
pub use curve::{Curve, Point};
pub use decision::{AreaRule, Combination, DecisionRule, Region};
pub use defect_size::{SizeBin, SizeCurve, SizedDefect};
pub use disagreement::{Opinion, disagreement, relative_score};
pub use evaluation::{Evaluation, Protocol};
pub use extent::{DefectCells, MapExtent};
pub use histogram::{ScoreHistogram, score_histogram};
pub use interval::{Interval, clopper_pearson, upper_bound};
pub use judgement::{Judgement, Rate, Tally};
pub use limit::Limit;
pub use origin::LimitOrigin;
pub use outcome::Outcome;
pub use pixel::PixelAccumulator;
pub use proof::{Proof, what_it_proves};
pub use proposal::{Way, propose};
pub use protocol_facts::protocol_facts;
pub use region_table::{DefectFound, RegionTable};
pub use scale::ScoreScale;
pub use truth::Truth;
pub use type_recall::{DefectTypes, TypeRecall};
pub use verdict::Verdict;

use origin::percent;
use ranking::Ranking;
use sweep::ranked;

/// Why scores cannot be judged. An undefined metric is not an error but `None`.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum MetricsError {
    #[error("score number {index} is not a number; the model or its input is damaged")]
    NotANumber { index: usize },
    #[error("{scores} scores came with {truths} labels; each score needs its own")]
    Labels { scores: usize, truths: usize },
    #[error("a map of {width} x {height} pixels came with {scores} scores")]
    MapSize {
        width: usize,
        height: usize,
        scores: usize,
    },
    #[error(
        "a map of {scores} scores came with a mask of {mask} pixels; bring them to one size first"
    )]
    MaskSize { scores: usize, mask: usize },
    #[error(
        "no held-out good picture to take a limit from; hold out at least one, or set the limit by hand"
    )]
    NothingHeldOut,
    #[error("{quantile} is not a quantile; name a share between 0 and 1, such as 0.995")]
    NotAQuantile { quantile: f64 },
    #[error("a score of {score} leaves no finite limit; the model or its input is damaged")]
    NoFiniteLimit { score: f32 },
    #[error(
        "a bound of {} % at {} % confidence cannot be proven; name two shares above 0 and below 100 %, such as 1 % at 95 %",
        percent(*.false_rejects),
        percent(*.confidence)
    )]
    NotProvable { false_rejects: f64, confidence: f64 },
    #[error(
        "proving {} % at {} % confidence takes {needed} held-out good pictures; there {} {pictures}",
        percent(*.false_rejects),
        percent(*.confidence),
        if *.pictures == 1 { "is" } else { "are" }
    )]
    TooFewHeldOut {
        false_rejects: f64,
        confidence: f64,
        needed: usize,
        pictures: usize,
    },
    #[error(
        "costs of {overkill} and {escape} cannot be weighed; name two numbers from 0 up, at least one of them above 0"
    )]
    NotACost { overkill: f64, escape: f64 },
    #[error(
        "a limit from the test pictures needs good and defective ones, not {good} good and {defective} defective; \
         add what is missing, or take the limit from held-out good pictures"
    )]
    NothingToWeigh { good: usize, defective: usize },
}

/// One test picture's row in the evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageRow {
    /// Path relative to the category's folder; [`crate::data`]'s sample id.
    pub path: String,
    /// `good`, `defective` or `unlabelled`: a name of [`Truth`].
    pub label: String,
    /// `good`, `unlabelled`, or the defect type.
    pub defect: String,
    /// Raw image score.
    pub score: f32,
}

impl ImageRow {
    pub fn truth(&self) -> Truth {
        Truth::of_label(&self.label)
    }

    /// Known to be good; not the opposite of [`Self::is_defective`].
    pub fn is_good(&self) -> bool {
        self.truth() == Truth::Good
    }

    /// Known to be defective; not the opposite of [`Self::is_good`].
    pub fn is_defective(&self) -> bool {
        self.truth() == Truth::Defective
    }
}

/// Image-level numbers and curves. `None` is "n/a": the metric is undefined for this test set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageMetrics {
    pub auroc: Option<f64>,
    pub average_precision: Option<f64>,
    /// Oracle: the best F1 any limit reaches on the test set.
    pub f1_max: Option<f64>,
    /// Oracle: the lowest limit that reaches it.
    pub f1_max_limit: Option<f32>,
    pub roc: Curve,
    pub precision_recall: Curve,
}

impl ImageMetrics {
    /// Judges one score and one truth per picture. Fails when their numbers differ or a score is not a number;
    /// infinite scores are ordered like any other.
    pub fn from_scores(scores: &[f32], defective: &[bool]) -> Result<Self, MetricsError> {
        if scores.len() != defective.len() {
            return Err(MetricsError::Labels {
                scores: scores.len(),
                truths: defective.len(),
            });
        }
        refuse_nan(scores)?;
        let (good, defects) = ranked(scores.iter().copied().zip(defective.iter().copied()));
        Ok(Ranking::new(&good, &defects).into())
    }

    /// [`Self::from_scores`] for rows of an evaluation. Unlabelled ones are left out, but a score that is not a number
    /// fails wherever it stands: the model or its input is damaged.
    pub fn from_rows(rows: &[ImageRow]) -> Result<Self, MetricsError> {
        let scores: Vec<f32> = rows.iter().map(|row| row.score).collect();
        refuse_nan(&scores)?;
        let (scores, defective): (Vec<f32>, Vec<bool>) = judged(rows).unzip();
        Self::from_scores(&scores, &defective)
    }
}

impl From<Ranking> for ImageMetrics {
    fn from(ranking: Ranking) -> Self {
        Self {
            auroc: ranking.auroc,
            average_precision: ranking.average_precision,
            f1_max: ranking.best.and_then(|best| best.confusion.f1()),
            f1_max_limit: ranking.best.map(|best| best.limit),
            roc: ranking.roc,
            precision_recall: ranking.precision_recall,
        }
    }
}

/// Pixel-level numbers and curves on one evaluation grid.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PixelMetrics {
    pub auroc: Option<f64>,
    pub average_precision: Option<f64>,
    /// Oracle, as for pictures.
    pub f1_max: Option<f64>,
    pub f1_max_limit: Option<f32>,
    /// Intersection over union at the same oracle limit.
    pub iou_max: Option<f64>,
    /// Intersection over union at the model's own pixel limit.
    pub iou_at_limit: Option<f64>,
    /// Area under the per-region overlap curve up to a false-positive rate of 0.3.
    pub aupro: Option<f64>,
    /// Ground-truth regions (8-connected) and defective pictures whose mask vanished on this grid.
    pub regions: usize,
    pub vanished_masks: usize,
    pub pixels: u64,
    pub roc: Curve,
    pub precision_recall: Curve,
    pub per_region_overlap: Curve,
}

/// Score and truth of the rows that count: whether each is defective. Unlabelled rows are left out.
fn judged(rows: &[ImageRow]) -> impl Iterator<Item = (f32, bool)> {
    rows.iter().filter_map(|row| match row.truth() {
        Truth::Good => Some((row.score, false)),
        Truth::Defective => Some((row.score, true)),
        Truth::Unlabelled => None,
    })
}

/// `part / whole`, or "n/a" of nothing.
fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn refuse_nan(scores: &[f32]) -> Result<(), MetricsError> {
    match scores.iter().position(|score| score.is_nan()) {
        Some(index) => Err(MetricsError::NotANumber { index }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{ImageMetrics, ImageRow, MetricsError, Point, Truth};

    fn close(value: Option<f64>, expected: f64) -> bool {
        value.is_some_and(|value| (value - expected).abs() < 1e-6)
    }

    fn mixed() -> ImageMetrics {
        let defective = [false, false, false, true, true, true, false];
        ImageMetrics::from_scores(&[0.1, 0.4, 0.4, 0.4, 0.8, 0.35, 0.8], &defective).unwrap()
    }

    #[test]
    fn tied_scores_count_half_and_precision_is_not_interpolated() {
        let metrics = mixed();
        assert!(close(metrics.auroc, 0.541_667));
        assert!(close(metrics.average_precision, 0.466_667));
        assert!(close(metrics.f1_max, 0.666_667));
        assert_eq!(metrics.f1_max_limit, Some(0.35));
    }

    #[test]
    fn curves_start_where_nothing_is_anomalous_and_end_where_everything_is() {
        let metrics = mixed();
        let limits: Vec<_> = metrics.roc.points.iter().map(|point| point.limit).collect();
        assert_eq!(limits, [None, Some(0.8), Some(0.4), Some(0.35), Some(0.1)]);
        let start = |y| Point {
            x: 0.0,
            y,
            limit: None,
        };
        assert_eq!(metrics.roc.points[0], start(0.0));
        assert_eq!(metrics.roc.points[4], Point::at(1.0, 1.0, 0.1));
        assert_eq!(metrics.precision_recall.points[0], start(1.0));
        assert_eq!(
            metrics.precision_recall.points[4],
            Point::at(1.0, 3.0 / 7.0, 0.1)
        );
    }

    #[test]
    fn of_equally_good_limits_the_lowest_is_taken() {
        // F1 is 2/3 at 0.9 (one hit, no false alarm) and at 0.1 (two hits, two false alarms).
        let metrics =
            ImageMetrics::from_scores(&[0.9, 0.5, 0.4, 0.1], &[true, false, false, true]).unwrap();
        assert!(close(metrics.f1_max, 2.0 / 3.0));
        assert_eq!(metrics.f1_max_limit, Some(0.1));
    }

    #[test]
    fn scores_that_are_all_the_same_rank_nothing() {
        let metrics = ImageMetrics::from_scores(&[3.0; 4], &[true, false, false, false]).unwrap();
        assert_eq!(
            (metrics.auroc, metrics.average_precision),
            (Some(0.5), Some(0.25))
        );
        assert_eq!(
            (metrics.f1_max, metrics.f1_max_limit),
            (Some(0.4), Some(3.0))
        );
    }

    #[test]
    fn one_class_alone_leaves_what_is_undefined_undefined() {
        let good = ImageMetrics::from_scores(&[0.1, 0.2], &[false, false]).unwrap();
        assert_eq!(good, ImageMetrics::default());

        let defective = ImageMetrics::from_scores(&[0.1, 0.2], &[true, true]).unwrap();
        assert_eq!(defective.auroc, None);
        assert!(defective.roc.points.is_empty());
        assert_eq!(
            (defective.average_precision, defective.f1_max),
            (Some(1.0), Some(1.0))
        );
        assert_eq!(defective.f1_max_limit, Some(0.1));

        assert_eq!(
            ImageMetrics::from_scores(&[], &[]).unwrap(),
            ImageMetrics::default()
        );
    }

    #[test]
    fn infinite_scores_are_ordered_and_nan_is_refused() {
        let scores = [f32::INFINITY, f32::NEG_INFINITY, 0.0];
        let metrics = ImageMetrics::from_scores(&scores, &[true, false, false]).unwrap();
        assert_eq!(metrics.auroc, Some(1.0));
        let error = ImageMetrics::from_scores(&[0.0, f32::NAN], &[true, false]).unwrap_err();
        assert_eq!(error, MetricsError::NotANumber { index: 1 });
    }

    #[test]
    fn each_score_needs_its_own_label() {
        let error = ImageMetrics::from_scores(&[0.0], &[]).unwrap_err();
        assert_eq!(
            error,
            MetricsError::Labels {
                scores: 1,
                truths: 0
            }
        );
    }

    fn row(label: &str, score: f32) -> ImageRow {
        ImageRow {
            path: String::new(),
            label: label.to_owned(),
            defect: "scratch".to_owned(),
            score,
        }
    }

    #[test]
    fn rows_are_judged_by_their_label() {
        let rows = [row("good", 0.1), row("defective", 0.9)];
        assert_eq!(ImageMetrics::from_rows(&rows).unwrap().auroc, Some(1.0));
    }

    #[test]
    fn unlabelled_rows_change_no_number() {
        let labelled = [row("good", 0.1), row("defective", 0.9), row("good", 0.5)];
        let mut rows = labelled.to_vec();
        for score in [0.0, 0.5, f32::INFINITY] {
            rows.insert(1, row("unlabelled", score));
        }
        let metrics = ImageMetrics::from_rows(&rows).unwrap();
        assert_eq!(metrics, ImageMetrics::from_rows(&labelled).unwrap());
        let alone = ImageMetrics::from_rows(&[row("unlabelled", 0.5)]).unwrap();
        assert_eq!(alone, ImageMetrics::default());
    }

    #[test]
    fn a_score_that_is_no_number_is_refused_on_unlabelled_rows_too() {
        let rows = [row("good", 0.1), row("unlabelled", f32::NAN)];
        let error = ImageMetrics::from_rows(&rows).unwrap_err();
        assert_eq!(error, MetricsError::NotANumber { index: 1 });
    }

    #[test]
    fn a_label_says_exactly_one_thing_and_an_unknown_one_nothing() {
        let truths = ["good", "defective", "unlabelled", "", "Good"].map(|l| row(l, 0.0).truth());
        let [good, defective, rest @ ..] = truths;
        assert_eq!((good, defective), (Truth::Good, Truth::Defective));
        assert_eq!(rest, [Truth::Unlabelled; 3]);
        let unlabelled = row("unlabelled", 0.0);
        assert!(!unlabelled.is_good() && !unlabelled.is_defective());
        for truth in Truth::ALL {
            assert_eq!(Truth::of_label(truth.name()), truth);
            let saved = serde_json::to_string(&truth).unwrap();
            assert_eq!(saved, format!("\"{}\"", truth.name()));
        }
    }
}
