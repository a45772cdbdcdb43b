//! The limit between accept and reject: the one rule for verdicts, and limits taken from held-out good pictures. Does not
//! know what they prove.

use serde::{Deserialize, Serialize};

use super::{LimitOrigin, MetricsError, refuse_nan};

/// A picture or pixel with a score at or above `value` is called anomalous.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    pub value: f32,
    pub origin: LimitOrigin,
}

impl Limit {
    /// The limit that the held-out good pictures just pass: the smallest number above their largest score.
    ///
    /// With a quantile (0 to 1), the smallest number above the smallest score that has at least this share of all scores
    /// at or below it: at least this share of the held-out pictures pass. One score per picture; fails without scores and
    /// when one is not a number.
    pub fn from_held_out(scores: &[f32], quantile: Option<f64>) -> Result<Self, MetricsError> {
        Ok(Self {
            value: just_above(scores.to_vec(), quantile)?,
            origin: LimitOrigin::from_held_out(quantile, scores.len()),
        })
    }

    /// [`Self::from_held_out`] over the pixels of held-out good pictures, one map each: by default every pixel of every
    /// picture passes, with a quantile at least this share of all their pixels.
    pub fn from_held_out_maps<'a>(
        maps: impl IntoIterator<Item = &'a [f32]>,
        quantile: Option<f64>,
    ) -> Result<Self, MetricsError> {
        let mut pictures = 0;
        let mut scores = Vec::new();
        for map in maps {
            pictures += 1;
            refuse_nan(map)?;
            match quantile {
                None => scores.extend(map.iter().copied().reduce(f32::max)),
                Some(_) => scores.extend_from_slice(map),
            }
        }
        Ok(Self {
            value: just_above(scores, quantile)?,
            origin: LimitOrigin::from_held_out(quantile, pictures),
        })
    }

    pub fn manual(value: f32) -> Self {
        Self {
            value,
            origin: LimitOrigin::Manual,
        }
    }

    /// The limit with the best F1 on the test set, `best`, moved half-way down to the next lower of the test `scores`:
    /// the verdicts on the test set stay, and a score that comes out a little lower next time keeps its verdict too.
    pub fn oracle(best: f32, scores: &[f32]) -> Self {
        Self {
            value: half_way_down(best, scores),
            origin: LimitOrigin::Oracle,
        }
    }

    /// Whether something with this score is called anomalous.
    pub fn rejects(&self, score: f32) -> bool {
        rejects(self.value, score)
    }
}

/// The one rule for all verdicts.
pub(super) fn rejects(limit: f32, score: f32) -> bool {
    score >= limit
}

/// `best`, moved half-way down to the next lower of `scores` where that keeps all their verdicts.
pub(super) fn half_way_down(best: f32, scores: &[f32]) -> f32 {
    let next_lower = scores
        .iter()
        .copied()
        .filter(|&score| score < best)
        .reduce(f32::max);
    let half_way = next_lower.map_or(best, |lower| f32::midpoint(lower, best));
    if half_way.is_finite() && next_lower.is_none_or(|lower| lower < half_way) {
        half_way
    } else {
        best
    }
}

/// The smallest number above the quantile of `scores`, or above their largest.
fn just_above(mut scores: Vec<f32>, quantile: Option<f64>) -> Result<f32, MetricsError> {
    refuse_nan(&scores)?;
    let last = scores
        .len()
        .checked_sub(1)
        .ok_or(MetricsError::NothingHeldOut)?;
    let index = match quantile {
        None => last,
        Some(quantile) => quantile_index(scores.len(), quantile)?,
    };
    let (_, &mut score, _) = scores.select_nth_unstable_by(index, f32::total_cmp);
    above(score)
}

/// The smallest limit that this score still passes.
pub(super) fn above(score: f32) -> Result<f32, MetricsError> {
    let limit = score.next_up();
    if limit.is_finite() && !rejects(limit, score) {
        Ok(limit)
    } else {
        Err(MetricsError::NoFiniteLimit { score })
    }
}

/// The smallest index of `count` sorted scores with at least the share `quantile` of them at or before it.
fn quantile_index(count: usize, quantile: f64) -> Result<usize, MetricsError> {
    if !(0.0..=1.0).contains(&quantile) {
        return Err(MetricsError::NotAQuantile { quantile });
    }
    // Dividing rounds 11 of 20 to the same number as the literal 0.55; multiplying 0.55 by 20 gives more than 11.
    let reaches = |index: usize| (index + 1) as f64 / count as f64 >= quantile;
    let near = (quantile * count as f64) as usize;
    let found = (near.saturating_sub(2)..count).find(|&index| reaches(index));
    Ok(found.unwrap_or(count - 1))
}

#[cfg(test)]
mod tests {
    use super::Limit;
    use crate::metrics::{LimitOrigin, MetricsError};

    fn passing(limit: &Limit, scores: &[f32]) -> usize {
        scores
            .iter()
            .filter(|&&score| !limit.rejects(score))
            .count()
    }

    #[test]
    fn every_held_out_picture_just_passes_by_default() {
        let scores = [0.3, 0.9, 0.1, 0.9];
        let limit = Limit::from_held_out(&scores, None).unwrap();
        assert_eq!(limit.value, 0.9_f32.next_up());
        assert_eq!(limit.origin, LimitOrigin::HeldOutMaximum { pictures: 4 });
        assert_eq!(passing(&limit, &scores), 4);
    }

    #[test]
    fn at_least_the_named_share_passes_and_no_smaller_limit_would_do() {
        let scores: Vec<f32> = (1..=20).rev().map(|score| score as f32).collect();
        // 0.55 * 20 is a little more than 11 in floating point; the share is meant, not the rounding.
        for (quantile, passes) in [
            (0.0, 1),
            (0.05, 1),
            (0.051, 2),
            (0.5, 10),
            (0.55, 11),
            (0.95, 19),
            (0.951, 20),
            (1.0, 20),
        ] {
            let limit = Limit::from_held_out(&scores, Some(quantile)).unwrap();
            assert_eq!(passing(&limit, &scores), passes, "quantile {quantile}");
            assert_eq!(limit.value, (passes as f32).next_up());
            assert_eq!(
                limit.origin,
                LimitOrigin::HeldOutQuantile {
                    quantile,
                    pictures: 20
                }
            );
        }
    }

    #[test]
    fn the_quantile_rule_holds_for_every_share_of_every_count() {
        for count in 1..200_u16 {
            let scores: Vec<f32> = (0..count).map(f32::from).collect();
            for passes in 1..=count {
                let quantile = f64::from(passes) / f64::from(count);
                let limit = Limit::from_held_out(&scores, Some(quantile)).unwrap();
                assert_eq!(
                    passing(&limit, &scores),
                    usize::from(passes),
                    "{passes} of {count}"
                );
            }
        }
    }

    #[test]
    fn tied_scores_pass_together() {
        let limit = Limit::from_held_out(&[1.0, 1.0, 1.0, 2.0], Some(0.5)).unwrap();
        assert_eq!(limit.value, 1.0_f32.next_up());
    }

    #[test]
    fn nothing_to_take_a_limit_from_is_an_error() {
        let refused =
            |scores: &[f32], quantile| Limit::from_held_out(scores, quantile).unwrap_err();
        assert_eq!(refused(&[], None), MetricsError::NothingHeldOut);
        assert_eq!(
            refused(&[0.0, f32::NAN], None),
            MetricsError::NotANumber { index: 1 }
        );
        assert_eq!(
            refused(&[0.0], Some(1.5)),
            MetricsError::NotAQuantile { quantile: 1.5 }
        );
        assert!(matches!(
            refused(&[0.0], Some(f64::NAN)),
            MetricsError::NotAQuantile { .. }
        ));
        let endless = MetricsError::NoFiniteLimit {
            score: f32::INFINITY,
        };
        assert_eq!(refused(&[0.0, f32::INFINITY], None), endless);
        assert_eq!(
            refused(&[f32::MAX], None),
            MetricsError::NoFiniteLimit { score: f32::MAX }
        );
    }

    #[test]
    fn one_picture_zeros_and_negative_scores_make_a_limit_too() {
        for scores in [
            [0.0].as_slice(),
            &[-0.0, 0.0],
            &[0.0, -0.0],
            &[-2.0],
            &[f32::NEG_INFINITY],
        ] {
            let limit = Limit::from_held_out(scores, None).unwrap();
            assert!(limit.value.is_finite());
            assert_eq!(passing(&limit, scores), scores.len(), "{scores:?}");
        }
    }

    #[test]
    fn a_pixel_limit_looks_at_all_pixels_and_counts_pictures() {
        let maps: [&[f32]; 2] = [&[0.1, 0.2, 0.3, 0.4], &[0.5, 0.6, 0.7, 0.8]];
        let maximum = Limit::from_held_out_maps(maps, None).unwrap();
        assert_eq!(maximum.value, 0.8_f32.next_up());
        assert_eq!(maximum.origin, LimitOrigin::HeldOutMaximum { pictures: 2 });
        let quantile = Limit::from_held_out_maps(maps, Some(0.75)).unwrap();
        assert_eq!(quantile.value, 0.6_f32.next_up());
        assert_eq!(
            quantile.origin,
            LimitOrigin::HeldOutQuantile {
                quantile: 0.75,
                pictures: 2
            }
        );
        assert_eq!(
            Limit::from_held_out_maps([], None),
            Err(MetricsError::NothingHeldOut)
        );
        let hidden: [&[f32]; 1] = [&[f32::NAN, 1.0]];
        assert_eq!(
            Limit::from_held_out_maps(hidden, None),
            Err(MetricsError::NotANumber { index: 0 })
        );
    }

    #[test]
    fn the_oracle_limit_lies_half_way_to_the_next_lower_score() {
        assert_eq!(Limit::oracle(0.5, &[0.9, 0.5, 0.25, 0.1]).value, 0.375);
        assert_eq!(Limit::oracle(0.5, &[0.9, 0.5]).value, 0.5);
        assert_eq!(Limit::oracle(0.5, &[0.5, f32::NEG_INFINITY]).value, 0.5);
        assert_eq!(
            Limit::oracle(f32::INFINITY, &[f32::INFINITY, 1.0]).value,
            f32::INFINITY
        );
        let neighbours = [1.0_f32.next_down(), 1.0];
        assert!(!Limit::oracle(1.0, &neighbours).rejects(neighbours[0]));
        assert_eq!(Limit::oracle(0.5, &[]).origin, LimitOrigin::Oracle);
    }

    #[test]
    fn a_limit_survives_being_saved_bit_for_bit() {
        let mut score = 0.1_f32;
        for _ in 0..1000 {
            score = score.next_up() * 1.037;
            let limit = Limit::from_held_out(&[score], Some(0.995)).unwrap();
            let saved = serde_json::to_string(&limit).unwrap();
            assert_eq!(serde_json::from_str::<Limit>(&saved).unwrap(), limit);
        }
    }
}
