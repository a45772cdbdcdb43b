//! What a limit does to pictures or pixels whose truth is known: verdicts counted by truth, and the rates they make.

use super::limit::rejects;
use super::sweep::Cut;
use super::{ImageRow, Tally, Truth, Verdict, judged, share};

/// Pictures (or pixels) by truth and verdict at one limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Confusion {
    pub good_passed: usize,
    /// Overkill: good pictures called defective.
    pub good_failed: usize,
    /// Escapes: defective pictures called good.
    pub defective_passed: usize,
    pub defective_failed: usize,
}

impl Confusion {
    /// The verdicts on the pictures of an evaluation whose truth is known.
    pub fn at(rows: &[ImageRow], limit: f32) -> Self {
        Self::from_scores(judged(rows), limit)
    }

    /// The verdicts on scores that come with whether they belong to something defective.
    pub fn from_scores(scores: impl IntoIterator<Item = (f32, bool)>, limit: f32) -> Self {
        let mut confusion = Self::default();
        for (score, is_defective) in scores {
            let count = match (is_defective, rejects(limit, score)) {
                (false, false) => &mut confusion.good_passed,
                (false, true) => &mut confusion.good_failed,
                (true, false) => &mut confusion.defective_passed,
                (true, true) => &mut confusion.defective_failed,
            };
            *count += 1;
        }
        confusion
    }

    /// What fails against what does not; to review is not to reject.
    pub fn of_fails(tally: &Tally) -> Self {
        let failed = |truth| tally.count(truth, Verdict::Fail);
        let kept = |truth| tally.pictures(truth) - failed(truth);
        Self {
            good_passed: kept(Truth::Good),
            good_failed: failed(Truth::Good),
            defective_passed: kept(Truth::Defective),
            defective_failed: failed(Truth::Defective),
        }
    }

    pub(super) fn from_counts(failed: &Cut, good: usize, defective: usize) -> Self {
        Self {
            good_passed: good - failed.good,
            good_failed: failed.good,
            defective_passed: defective - failed.defective,
            defective_failed: failed.defective,
        }
    }

    pub fn good(&self) -> usize {
        self.good_passed + self.good_failed
    }

    pub fn defective(&self) -> usize {
        self.defective_passed + self.defective_failed
    }

    /// The share of good pictures that fail; `None` without good pictures.
    pub fn overkill_rate(&self) -> Option<f64> {
        share(self.good_failed, self.good())
    }

    /// The share of defective pictures that pass; `None` without defective pictures.
    pub fn escape_rate(&self) -> Option<f64> {
        share(self.defective_passed, self.defective())
    }

    /// The share of right verdicts; `None` without pictures.
    pub fn accuracy(&self) -> Option<f64> {
        share(
            self.good_passed + self.defective_failed,
            self.good() + self.defective(),
        )
    }

    /// The share of failed pictures that are defective; `None` when none failed.
    pub fn precision(&self) -> Option<f64> {
        share(
            self.defective_failed,
            self.good_failed + self.defective_failed,
        )
    }

    /// The share of defective pictures that fail; `None` without defective pictures.
    pub fn recall(&self) -> Option<f64> {
        share(self.defective_failed, self.defective())
    }

    /// `2 TP / (2 TP + FP + FN)`; `None` without defective pictures.
    pub fn f1(&self) -> Option<f64> {
        let whole = 2 * self.defective_failed + self.good_failed + self.defective_passed;
        share(2 * self.defective_failed, whole).filter(|_| self.defective() > 0)
    }

    /// Intersection over union, `TP / (TP + FP + FN)`; `None` without defective pixels.
    pub fn iou(&self) -> Option<f64> {
        share(self.defective_failed, self.defective() + self.good_failed)
            .filter(|_| self.defective() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::Confusion;
    use crate::metrics::ImageRow;

    #[test]
    fn verdicts_are_counted_by_truth_and_a_score_at_the_limit_fails() {
        let row = |label: &str, score| ImageRow {
            path: String::new(),
            label: label.to_owned(),
            defect: label.to_owned(),
            score,
        };
        let rows = [
            row("good", 0.1),
            row("good", 0.2),
            row("good", 0.3),
            row("good", 0.5),
            row("defective", 0.4),
            row("defective", 0.5),
            row("defective", 0.9),
            row("unlabelled", 0.1),
            row("unlabelled", 0.9),
        ];
        let confusion = Confusion::at(&rows, 0.5);
        let expected = Confusion {
            good_passed: 3,
            good_failed: 1,
            defective_passed: 1,
            defective_failed: 2,
        };
        assert_eq!(confusion, expected);
        assert_eq!(confusion.overkill_rate(), Some(0.25));
        assert_eq!(confusion.escape_rate(), Some(1.0 / 3.0));
        assert_eq!(confusion.accuracy(), Some(5.0 / 7.0));
        assert_eq!(confusion.precision(), Some(2.0 / 3.0));
        assert_eq!(confusion.recall(), Some(2.0 / 3.0));
        assert_eq!(confusion.f1(), Some(2.0 / 3.0));
        assert_eq!(confusion.iou(), Some(0.5));
    }

    #[test]
    fn rates_of_nothing_are_undefined() {
        let nothing = Confusion::from_scores([], 0.5);
        let numbers = [
            nothing.overkill_rate(),
            nothing.escape_rate(),
            nothing.accuracy(),
            nothing.precision(),
            nothing.recall(),
            nothing.f1(),
            nothing.iou(),
        ];
        assert_eq!(numbers, [None; 7]);
        let only_good = Confusion::from_scores([(0.9, false)], 0.5);
        assert_eq!(
            (only_good.f1(), only_good.iou(), only_good.escape_rate()),
            (None, None, None)
        );
        assert_eq!(only_good.overkill_rate(), Some(1.0));
        let none_failed = Confusion::from_scores([(0.1, true)], 0.5);
        assert_eq!(
            (
                none_failed.precision(),
                none_failed.recall(),
                none_failed.f1()
            ),
            (None, Some(0.0), Some(0.0))
        );
    }
}
