//! Counts of image scores by class, for drawing.

use super::{ImageRow, Truth};

/// How many good, defective and unlabelled pictures score in each bin. All three share the bins.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScoreHistogram {
    /// Ascending and evenly spaced; one more than there are bins. A bin holds its lower edge, the last bin both.
    pub edges: Vec<f64>,
    pub good: Vec<usize>,
    pub defective: Vec<usize>,
    pub unlabelled: Vec<usize>,
}

/// Spreads `bins` bins over all finite scores; infinite scores count in the outermost bins, and scores that are not
/// numbers are left out. Empty without bins or without finite scores.
pub fn score_histogram(rows: &[ImageRow], bins: usize) -> ScoreHistogram {
    let Some((low, high)) = range(rows).filter(|_| bins > 0) else {
        return ScoreHistogram::default();
    };
    let width = (high - low) / bins as f64;
    let mut histogram = ScoreHistogram {
        edges: (0..bins)
            .map(|i| low + width * i as f64)
            .chain([high])
            .collect(),
        good: vec![0; bins],
        defective: vec![0; bins],
        unlabelled: vec![0; bins],
    };
    for row in rows.iter().filter(|row| !row.score.is_nan()) {
        let bin = (((f64::from(row.score) - low) / width) as usize).min(bins - 1);
        let counts = match row.truth() {
            Truth::Good => &mut histogram.good,
            Truth::Defective => &mut histogram.defective,
            Truth::Unlabelled => &mut histogram.unlabelled,
        };
        counts[bin] += 1;
    }
    histogram
}

/// Smallest and largest finite score; widened when they are the same.
fn range(rows: &[ImageRow]) -> Option<(f64, f64)> {
    let finite = || {
        rows.iter()
            .map(|row| f64::from(row.score))
            .filter(|score| score.is_finite())
    };
    let (low, high) = (finite().reduce(f64::min)?, finite().reduce(f64::max)?);
    if low < high {
        return Some((low, high));
    }
    let margin = if low == 0.0 { 0.5 } else { low.abs() / 2.0 };
    Some((low - margin, high + margin))
}

#[cfg(test)]
mod tests {
    use super::{ScoreHistogram, score_histogram};
    use crate::metrics::ImageRow;

    fn of_label(label: &str, scores: &[f32]) -> Vec<ImageRow> {
        let row = |&score: &f32| ImageRow {
            path: String::new(),
            label: label.to_owned(),
            defect: label.to_owned(),
            score,
        };
        scores.iter().map(row).collect()
    }

    fn rows(good: &[f32], defective: &[f32]) -> Vec<ImageRow> {
        [of_label("good", good), of_label("defective", defective)].concat()
    }

    #[test]
    fn both_classes_share_the_edges_and_every_picture_is_counted_once() {
        let histogram = score_histogram(&rows(&[0.0, 0.9, 1.0], &[3.0, 4.0]), 4);
        assert_eq!(histogram.edges, [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(histogram.good, [2, 1, 0, 0]);
        assert_eq!(histogram.defective, [0, 0, 0, 2]);
    }

    #[test]
    fn unlabelled_pictures_are_counted_apart_in_the_same_bins() {
        let unlabelled = of_label("unlabelled", &[8.0, -1.0, 3.5, f32::NAN]);
        let all = [rows(&[0.0], &[4.0]), unlabelled.clone()].concat();
        let histogram = score_histogram(&all, 3);
        assert_eq!(histogram.edges, [-1.0, 2.0, 5.0, 8.0]);
        assert_eq!(histogram.good, [1, 0, 0]);
        assert_eq!(histogram.defective, [0, 1, 0]);
        assert_eq!(histogram.unlabelled, [1, 1, 1]);
        let alone = score_histogram(&unlabelled, 1);
        assert_eq!((alone.good, alone.unlabelled), (vec![0], vec![3]));
    }

    #[test]
    fn equal_scores_get_a_range_around_them() {
        let histogram = score_histogram(&rows(&[2.0], &[2.0, 2.0]), 3);
        assert_eq!((histogram.edges[0], histogram.edges[3]), (1.0, 3.0));
        assert_eq!(
            (histogram.good, histogram.defective),
            (vec![0, 1, 0], vec![0, 2, 0])
        );
        assert_eq!(
            score_histogram(&rows(&[0.0], &[]), 2).edges,
            [-0.5, 0.0, 0.5]
        );
    }

    #[test]
    fn infinite_scores_count_in_the_outermost_bins() {
        let histogram = score_histogram(
            &rows(&[f32::NEG_INFINITY, 1.0], &[2.0, f32::INFINITY, f32::NAN]),
            2,
        );
        assert_eq!(
            (histogram.good, histogram.defective),
            (vec![2, 0], vec![0, 2])
        );
    }

    #[test]
    fn without_bins_or_scores_the_histogram_is_empty() {
        assert_eq!(
            score_histogram(&rows(&[1.0], &[]), 0),
            ScoreHistogram::default()
        );
        assert_eq!(score_histogram(&[], 8), ScoreHistogram::default());
        assert_eq!(
            score_histogram(&rows(&[f32::INFINITY], &[]), 8),
            ScoreHistogram::default()
        );
    }

    #[test]
    fn the_widest_range_of_scores_still_has_finite_edges() {
        let histogram = score_histogram(&rows(&[f32::MIN], &[f32::MAX]), 10);
        assert!(histogram.edges.iter().all(|edge| edge.is_finite()));
        assert_eq!((histogram.good[0], histogram.defective[9]), (1, 1));
    }
}
