//! How well scores rank defects above good ones: AUROC, average precision, the best F1, and their curves.

use super::confusion::Confusion;
use super::curve::{Curve, Point, Tracer};
use super::sweep::{Defect, Rank, sweep};

/// What holds alike for pictures and for pixels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ranking {
    /// The share of (defect, good) pairs that are ordered rightly, ties counting half (Mann and Whitney): the
    /// trapezoid area under the ROC curve.
    pub(super) auroc: Option<f64>,
    /// Sum over all limits of precision times the gain of recall: a step rule, without interpolation.
    pub(super) average_precision: Option<f64>,
    pub(super) best: Option<Best>,
    pub(super) roc: Curve,
    pub(super) precision_recall: Curve,
}

/// The limit with the best F1 and, of several, the lowest. The best intersection over union lies there too, since
/// `IoU = F1 / (2 - F1)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Best {
    pub(super) limit: f32,
    pub(super) confusion: Confusion,
}

impl Ranking {
    /// Both slices must be sorted.
    pub(super) fn new(good: &[Rank], defects: &[Defect]) -> Self {
        let (goods, defectives) = (good.len() as f64, defects.len() as f64);
        let (mut false_positives, mut true_positives) = (0, 0);
        let mut twice_area: u128 = 0;
        let mut precision_sum = 0.0;
        let mut best: Option<Best> = None;
        let mut roc = Tracer::from(0.0, 0.0);
        let mut precision_recall = Tracer::from(0.0, 1.0);
        for cut in sweep(good, defects) {
            let precision = cut.defective as f64 / (cut.defective + cut.good) as f64;
            let recall = cut.defective as f64 / defectives;
            twice_area +=
                (cut.good - false_positives) as u128 * (cut.defective + true_positives) as u128;
            precision_sum += (cut.defective - true_positives) as f64 * precision;
            (false_positives, true_positives) = (cut.good, cut.defective);

            let confusion = Confusion::from_counts(&cut, good.len(), defects.len());
            if best.is_none_or(|best| reaches(&confusion, &best.confusion)) {
                best = Some(Best {
                    limit: cut.limit,
                    confusion,
                });
            }
            roc.push(Point::at(cut.good as f64 / goods, recall, cut.limit));
            precision_recall.push(Point::at(recall, precision, cut.limit));
        }
        let has_defects = !defects.is_empty();
        let has_both = has_defects && !good.is_empty();
        Self {
            auroc: has_both.then(|| twice_area as f64 / (2.0 * goods * defectives)),
            average_precision: has_defects.then(|| precision_sum / defectives),
            best: best.filter(|_| has_defects),
            roc: if has_both {
                roc.finish()
            } else {
                Curve::default()
            },
            precision_recall: if has_defects {
                precision_recall.finish()
            } else {
                Curve::default()
            },
        }
    }
}

/// Whether F1 is at least the other's. Compared as fractions, so that ties are exact.
fn reaches(one: &Confusion, other: &Confusion) -> bool {
    let fraction = |confusion: &Confusion| {
        let hits = 2 * confusion.defective_failed as u128;
        (
            hits,
            hits + (confusion.good_failed + confusion.defective_passed) as u128,
        )
    };
    let ((hits, whole), (other_hits, other_whole)) = (fraction(one), fraction(other));
    hits * other_whole >= other_hits * whole
}
