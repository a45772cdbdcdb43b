//! The ways to come to a limit for pictures, each from its own evidence. Does not know what a limit proves once it is set.

use serde::{Deserialize, Serialize};

use super::confidence::pictures_to_prove_at;
use super::interval::chance_of_at_most;
use super::limit::{above, half_way_down};
use super::sweep::{Cut, ranked, sweep};
use super::{ImageMetrics, Limit, LimitOrigin, MetricsError, refuse_nan};

/// How a limit is chosen. Shares and confidences lie between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Way {
    /// Every held-out good picture just passes.
    HeldOutMaximum,
    /// At least this share of the held-out good pictures passes.
    HeldOutQuantile { quantile: f64 },
    /// The lowest limit that promises, with this confidence, at most the share `false_rejects` of good pictures to come
    /// to fail.
    FalseRejectBound { false_rejects: f64, confidence: f64 },
    /// The cheapest limit on the test pictures, with these costs of one good picture that fails (`overkill`) and of one
    /// defective picture that passes (`escape`). Never a limit to deploy unseen: it was chosen on what it is judged by.
    Cost { overkill: f64, escape: f64 },
    /// The best F1 on the test pictures: the oracle.
    BestF1,
}

/// The limit that `way` gives, from the scores of held-out good pictures or of test pictures with whether each is
/// defective. What a way does not need may be empty.
pub fn propose(way: Way, held_out: &[f32], test: &[(f32, bool)]) -> Result<Limit, MetricsError> {
    match way {
        Way::HeldOutMaximum => Limit::from_held_out(held_out, None),
        Way::HeldOutQuantile { quantile } => Limit::from_held_out(held_out, Some(quantile)),
        Way::FalseRejectBound {
            false_rejects,
            confidence,
        } => with_false_reject_bound(held_out, false_rejects, confidence),
        Way::Cost { overkill, escape } => Costs::new(overkill, escape)?.cheapest_limit(test),
        Way::BestF1 => best_f1(test),
    }
}

/// Just above the smallest held-out score that keeps the promise. Whatever the distribution of the scores, with the limit
/// above all but `spared` of `n` of them the true share of false rejects exceeds `false_rejects` with the probability that
/// at most `spared` of `n` draws at that rate are false rejects; ties only lower it.
fn with_false_reject_bound(
    held_out: &[f32],
    false_rejects: f64,
    confidence: f64,
) -> Result<Limit, MetricsError> {
    refuse_nan(held_out)?;
    let pictures = held_out.len();
    let spared = most_spared(pictures, false_rejects, confidence)?;
    let mut scores = held_out.to_vec();
    let (_, &mut score, _) = scores.select_nth_unstable_by(pictures - 1 - spared, f32::total_cmp);
    Ok(Limit {
        value: above(score)?,
        origin: LimitOrigin::FalseRejectBound {
            false_rejects,
            confidence,
            pictures,
        },
    })
}

/// How many of the highest held-out scores may lie above the limit. Less than `pictures`.
fn most_spared(
    pictures: usize,
    false_rejects: f64,
    confidence: f64,
) -> Result<usize, MetricsError> {
    let provable = |share: f64| 0.0 < share && share < 1.0;
    if !provable(false_rejects) || !provable(confidence) {
        return Err(MetricsError::NotProvable {
            false_rejects,
            confidence,
        });
    }
    let needed = pictures_to_prove_at(false_rejects, confidence).max(1);
    if pictures < needed {
        return Err(MetricsError::TooFewHeldOut {
            false_rejects,
            confidence,
            needed,
            pictures,
        });
    }
    let doubt = 1.0 - confidence;
    let (mut keeps, mut breaks) = (0, pictures);
    while breaks - keeps > 1 {
        let spared = usize::midpoint(keeps, breaks);
        if chance_of_at_most(spared, pictures, false_rejects) <= doubt {
            keeps = spared;
        } else {
            breaks = spared;
        }
    }
    Ok(keeps)
}

/// Costs of one overkill and of one escape, checked.
#[derive(Debug, Clone, Copy)]
struct Costs {
    overkill: f64,
    escape: f64,
}

impl Costs {
    fn new(overkill: f64, escape: f64) -> Result<Self, MetricsError> {
        let weighs = |cost: f64| cost.is_finite() && cost >= 0.0;
        if weighs(overkill) && weighs(escape) && overkill.max(escape) > 0.0 {
            Ok(Self { overkill, escape })
        } else {
            Err(MetricsError::NotACost { overkill, escape })
        }
    }

    /// Of limits that cost the same, the one with the fewest escapes, since only overkill can be looked at again. It lies
    /// half-way between the scores it parts, as the oracle does, or just above them all when nothing is worth rejecting.
    fn cheapest_limit(self, test: &[(f32, bool)]) -> Result<Limit, MetricsError> {
        let (scores, _) = parted(test)?;
        let (good, defects) = ranked(test.iter().copied());
        let mut best: Option<Cut> = None;
        for cut in sweep(&good, &defects) {
            let rival = best.unwrap_or(Cut {
                limit: f32::INFINITY,
                good: 0,
                defective: 0,
            });
            if self.prefers(cut, rival) {
                best = Some(cut);
            }
        }
        let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let value = match best {
            None => above(highest)?,
            Some(cut) => half_way_down(cut.limit, &scores),
        };
        finite(Limit {
            value,
            origin: LimitOrigin::Cost {
                overkill: self.overkill,
                escape: self.escape,
            },
        })
    }

    /// Whether `lower`, which rejects all that `higher` does and more, is worth it. Costs that differ by rounding only
    /// count as the same.
    fn prefers(self, lower: Cut, higher: Cut) -> bool {
        let spent = self.overkill * (lower.good - higher.good) as f64;
        let caught = lower.defective - higher.defective;
        let saved = self.escape * caught as f64;
        saved > spent * (1.0 + 1e-12) || (caught > 0 && saved >= spent * (1.0 - 1e-12))
    }
}

fn best_f1(test: &[(f32, bool)]) -> Result<Limit, MetricsError> {
    let (scores, defective) = parted(test)?;
    let best = ImageMetrics::from_scores(&scores, &defective)?.f1_max_limit;
    let best = best.ok_or(nothing_to_weigh(&defective))?;
    finite(Limit::oracle(best, &scores))
}

/// Scores and truths; fails when a score is not a number or one of the classes is missing.
fn parted(test: &[(f32, bool)]) -> Result<(Vec<f32>, Vec<bool>), MetricsError> {
    let (scores, defective): (Vec<f32>, Vec<bool>) = test.iter().copied().unzip();
    refuse_nan(&scores)?;
    if defective.contains(&true) && defective.contains(&false) {
        Ok((scores, defective))
    } else {
        Err(nothing_to_weigh(&defective))
    }
}

fn nothing_to_weigh(truths: &[bool]) -> MetricsError {
    let defective = truths.iter().filter(|&&truth| truth).count();
    MetricsError::NothingToWeigh {
        good: truths.len() - defective,
        defective,
    }
}

fn finite(limit: Limit) -> Result<Limit, MetricsError> {
    if limit.value.is_finite() {
        Ok(limit)
    } else {
        Err(MetricsError::NoFiniteLimit { score: limit.value })
    }
}

#[cfg(test)]
mod tests;
