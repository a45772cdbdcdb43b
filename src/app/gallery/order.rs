//! The orders of the gallery. Those that follow the limits are merged from the order of scores in linear time. Plain data.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::super::state::State;
use super::index::{Index, ordered};
use crate::metrics::DecisionRule;

/// The order of the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sort {
    #[default]
    HighestScore,
    LowestScore,
    Name,
    /// Closest to T2, or to T1 where there is a REVIEW band: the pictures a moved limit changes next.
    ClosestToLimit,
    /// Where the compared models contradict the open one most. Only with a run to compare with.
    Disagreement,
}

impl Sort {
    pub const ALL: [Self; 5] = [
        Self::HighestScore,
        Self::LowestScore,
        Self::Name,
        Self::ClosestToLimit,
        Self::Disagreement,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::HighestScore => "Highest first",
            Self::LowestScore => "Lowest first",
            Self::Name => "By name",
            Self::ClosestToLimit => "Near the limit",
            Self::Disagreement => "Models disagree",
        }
    }

    /// What the name leaves out.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::HighestScore => "The most anomalous pictures first",
            Self::LowestScore => "The least anomalous pictures first",
            Self::Name => "By folder and file name",
            Self::ClosestToLimit => "The pictures that a moved T1 or T2 changes next",
            Self::Disagreement => {
                "Where the compared models and this one judge most differently, each at its own limits"
            }
        }
    }
}

/// All pictures of the open run in this order.
pub fn of<'a>(sort: Sort, index: &'a Index, state: &State) -> Cow<'a, [usize]> {
    match sort {
        Sort::HighestScore => Cow::Borrowed(&index.falling),
        Sort::LowestScore => Cow::Borrowed(&index.rising),
        Sort::Name => Cow::Borrowed(&index.by_name),
        Sort::ClosestToLimit => Cow::Owned(closest_to_limit(index, state.limits.rule())),
        Sort::Disagreement => Cow::Owned(most_disputed(&disagreements(index.len(), state))),
    }
}

/// For each picture how far the compared run that differs most is away; 0 where no other run knows it.
fn disagreements(pictures: usize, state: &State) -> Vec<f32> {
    let Some(run) = &state.run else {
        return vec![0.0; pictures];
    };
    let greatest = |picture| {
        let others = state.comparisons.iter();
        let others = others.filter_map(|other| other.disagreement(run, &state.limits, picture));
        others.fold(0.0, f32::max)
    };
    (0..pictures).map(greatest).collect()
}

/// All pictures by how near their score is to the nearer limit; ties by name.
fn closest_to_limit(index: &Index, rule: &DecisionRule) -> Vec<usize> {
    let (low, high) = (rule.pass_below(), rule.fail_from());
    let score = |picture: usize| index.scores[picture];
    let distance = |picture: usize| {
        let score = score(picture);
        (score - low).abs().min((score - high).abs())
    };
    let mut order = runs_around(index, low, high);
    // The order consists of up to four sorted runs, which this sort finds and merges.
    order.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)).then(a.cmp(&b)));
    order
}

/// Four runs, each going away from a limit: down from T1, up from it to the middle, down from T2 to the middle, up from T2.
fn runs_around(index: &Index, low: f32, high: f32) -> Vec<usize> {
    let (rising, falling) = (&index.rising, &index.falling);
    let middle = f32::midpoint(low, high);
    let below = |limit: f32| {
        rising.partition_point(|&picture| index.scores[picture].total_cmp(&limit).is_lt())
    };
    let (to_low, to_middle, to_high) = (below(low), below(middle), below(high));
    let count = rising.len();
    let mut order = Vec::with_capacity(count);
    order.extend_from_slice(falling.get(count - to_low..).unwrap_or_default());
    order.extend_from_slice(rising.get(to_low..to_middle).unwrap_or_default());
    let inner = falling.get(count - to_high..count - to_middle);
    order.extend_from_slice(inner.unwrap_or_default());
    order.extend_from_slice(rising.get(to_high..).unwrap_or_default());
    order
}

/// All pictures by these disagreements, greatest first; ties by name.
fn most_disputed(disagreements: &[f32]) -> Vec<usize> {
    let of = |picture: usize| disagreements[picture];
    ordered(disagreements.len(), |a, b| of(b).total_cmp(&of(a)))
}

#[cfg(test)]
mod tests {
    use super::super::index::made_up::{many, row, rows};
    use super::{Index, closest_to_limit, most_disputed};
    use crate::metrics::{DecisionRule, ImageRow, Limit};

    fn rule(low: f32, high: f32) -> DecisionRule {
        let limit = Limit::manual;
        DecisionRule::single(limit(high), limit(0.5)).with_review(Some(limit(low)))
    }

    fn naive(rows: &[ImageRow], low: f32, high: f32) -> Vec<usize> {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        let distance = |&i: &usize| {
            let score: f32 = rows[i].score;
            (score - low).abs().min((score - high).abs())
        };
        order.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
        order
    }

    #[test]
    fn the_nearest_limit_counts() {
        let index = Index::of(&rows());
        assert_eq!(closest_to_limit(&index, &rule(0.5, 0.5)), [3, 1, 4, 0, 2]);
        assert_eq!(closest_to_limit(&index, &rule(0.1, 0.9)), [0, 2, 4, 1, 3]);
    }

    #[test]
    fn merging_orders_as_sorting_does() {
        let rows = many(2000);
        let index = Index::of(&rows);
        let infinite = f32::INFINITY;
        for (low, high) in [(0.3, 1.7), (1.0, 1.0), (-1.0, 0.5), (0.2, 9.0), (3.0, 4.0)] {
            let merged = closest_to_limit(&index, &rule(low, high));
            assert_eq!(merged, naive(&rows, low, high), "{low} {high}");
        }
        assert_eq!(
            closest_to_limit(&index, &rule(infinite, infinite)).len(),
            2000
        );
    }

    #[test]
    fn scores_that_are_no_numbers_come_last() {
        let rows = [row("good", "000", f32::NAN), row("good", "001", 7.0)];
        assert_eq!(closest_to_limit(&Index::of(&rows), &rule(0.5, 1.0)), [1, 0]);
        assert!(closest_to_limit(&Index::of(&[]), &rule(0.5, 1.0)).is_empty());
    }

    #[test]
    fn the_most_disputed_come_first_and_ties_by_name() {
        assert_eq!(most_disputed(&[0.1, 2.5, 0.0, 2.5]), [1, 3, 0, 2]);
        assert!(most_disputed(&[]).is_empty());
    }
}
