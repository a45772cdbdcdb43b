//! What the held-out good pictures prove about good pictures to come, in numbers and in one sentence for window, command
//! line and report alike.

use super::confidence::pictures_to_prove_at;
use super::interval::{Interval, clopper_pearson, upper_bound};
use super::limit::rejects;
use super::{Combination, DecisionRule, percent};

/// The rate that a user would like to see proven: the sentence says how many pictures that takes.
const WISHED: f64 = 0.01;

/// Rates are shares (0 to 1) of good pictures to come that fail; `None` where nothing was held out or the confidence is not
/// a share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proof {
    /// Held-out good pictures, one of each part.
    pub pictures: usize,
    /// Those at or above the limit.
    pub rejected: usize,
    /// Of everything stated here, 0 to 1.
    pub confidence: f64,
    /// Two-sided.
    pub rate: Option<Interval>,
    /// The one-sided upper bound.
    pub at_most: Option<f64>,
    /// How many held-out good pictures, none failing, would prove a rate of 1 %.
    pub needed_for_one_percent: usize,
}

/// Judges `limit` by the scores of held-out good pictures, one score per part.
///
/// It holds for parts like these, and for a limit that was chosen without them (binomial) as well as for one of their order
/// statistics, such as just above their maximum: with `k` of `n` at or above it, both have the same bound. A limit moved
/// about among them until the sentence pleases proves less.
pub fn what_it_proves(held_out: &[f32], limit: f32, confidence: f64) -> Proof {
    let pictures = held_out.len();
    let rejected = held_out
        .iter()
        .filter(|&&score| rejects(limit, score))
        .count();
    Proof {
        pictures,
        rejected,
        confidence,
        rate: clopper_pearson(rejected, pictures, confidence),
        at_most: upper_bound(rejected, pictures, confidence),
        needed_for_one_percent: pictures_to_prove_at(WISHED, confidence),
    }
}

impl Proof {
    /// Such as "None of 60 held-out good pictures fail at this limit: at 95 % confidence at most 4.9 % of good pictures to
    /// come will. Proving 1 % takes 299, none failing". Rates are rounded away from what was counted, so that no digit
    /// claims too much.
    pub fn sentence(&self) -> String {
        if self.pictures == 0 {
            return "No good pictures were held out, so nothing is proven about good pictures to come: train with a share \
                    of them held out"
                .to_owned();
        }
        let (Some(rate), Some(at_most)) = (self.rate, self.at_most) else {
            return format!(
                "Nothing can be proven at {} % confidence: name a share between 0 and 100 %",
                percent(self.confidence)
            );
        };
        format!(
            "{} at this limit: at {} % confidence {}{}",
            self.outcome(),
            percent(self.confidence),
            self.promise(rate, at_most),
            self.wish(at_most)
        )
    }

    fn outcome(&self) -> String {
        let verb = if self.rejected == 1 { "fails" } else { "fail" };
        match (self.rejected, self.pictures) {
            (0, 1) => "The only held-out good picture passes".to_owned(),
            (1, 1) => "The only held-out good picture fails".to_owned(),
            (0, pictures) => format!("None of {pictures} held-out good pictures fail"),
            (rejected, pictures) if rejected == pictures => {
                format!("All {pictures} held-out good pictures fail")
            }
            (rejected, pictures) => {
                format!("{rejected} of {pictures} held-out good pictures {verb}")
            }
        }
    }

    fn promise(&self, rate: Interval, at_most: f64) -> String {
        let (low, high) = (floored(rate.low), ceiled(rate.high));
        let at_most = ceiled(at_most);
        match self.rejected {
            0 if self.pictures == 1 => {
                format!("at most {at_most} of good pictures to come will fail")
            }
            0 => format!("at most {at_most} of good pictures to come will"),
            // No upper bound is left to state.
            rejected if rejected == self.pictures => {
                format!("{low} to {high} of good pictures to come will")
            }
            _ => format!(
                "at most {at_most} of good pictures to come will (two-sided {low} to {high})"
            ),
        }
    }

    /// What a better proof takes, unless this one is as good.
    fn wish(&self, at_most: f64) -> String {
        if at_most <= WISHED || self.needed_for_one_percent == usize::MAX {
            return String::new();
        }
        format!(
            ". Proving {} % takes {}, none failing",
            percent(WISHED),
            self.needed_for_one_percent
        )
    }
}

/// Where the sentence about T2 says less than it seems to.
pub fn caveats(rule: &DecisionRule) -> impl Iterator<Item = &'static str> {
    let area = (rule.area.combination == Combination::ScoreOrArea).then_some(
        "The sentence is about the score alone: the area rule can fail further good pictures, and nothing is proven about it",
    );
    let oracle =
        rule.fail.origin.looks_at_test_set().then_some(
            "T2 was chosen on the test pictures, so the rates measured on them flatter it",
        );
    area.into_iter().chain(oracle)
}

fn floored(share: f64) -> String {
    rounded(share, f64::floor)
}

fn ceiled(share: f64) -> String {
    rounded(share, f64::ceil)
}

/// A share in percent with one decimal, and below one percent with two digits that count: 0.00047 is "0.047 %".
fn rounded(share: f64, round: fn(f64) -> f64) -> String {
    let value = share * 100.0;
    let above_one = value.log10().floor().min(0.0);
    let steps = 10_f64.powf(1.0 - above_one);
    let whole = value * steps;
    // A whole number that came out beside itself by rounding stays itself: 5 % is 5 %.
    let near = whole.round();
    let kept = if (whole - near).abs() <= 1e-9 * near {
        near
    } else {
        round(whole)
    };
    let rounded = if value > 0.0 {
        kept / steps / 100.0
    } else {
        0.0
    };
    format!("{} %", percent(rounded))
}

#[cfg(test)]
mod tests {
    use super::super::{AreaRule, Combination, DecisionRule, Limit, LimitOrigin};
    use super::{caveats, ceiled, floored, what_it_proves};

    fn sentence(pictures: u16, limit: f32) -> String {
        let held_out: Vec<f32> = (0..pictures).map(f32::from).collect();
        what_it_proves(&held_out, limit, 0.95).sentence()
    }

    #[test]
    fn one_sentence_says_what_the_held_out_pictures_prove_and_what_more_would_take() {
        assert_eq!(
            sentence(60, 59.5),
            "None of 60 held-out good pictures fail at this limit: at 95 % confidence at most 4.9 % of good pictures to come \
             will. Proving 1 % takes 299, none failing"
        );
        assert_eq!(
            sentence(21, 19.0),
            "2 of 21 held-out good pictures fail at this limit: at 95 % confidence at most 27.1 % of good pictures to come \
             will (two-sided 1.1 % to 30.4 %). Proving 1 % takes 299, none failing"
        );
        assert_eq!(
            sentence(299, 299.0),
            "None of 299 held-out good pictures fail at this limit: at 95 % confidence at most 1 % of good pictures to come \
             will"
        );
    }

    #[test]
    fn the_sentence_reads_well_for_one_for_all_and_for_no_pictures() {
        let told = |pictures, limit| {
            let sentence = sentence(pictures, limit);
            let end = sentence.find(". Proving 1 %").unwrap_or(sentence.len());
            sentence[..end].to_owned()
        };
        assert_eq!(
            told(1, 1.0),
            "The only held-out good picture passes at this limit: at 95 % confidence at most 95 % of good pictures to come \
             will fail"
        );
        assert_eq!(
            told(1, 0.0),
            "The only held-out good picture fails at this limit: at 95 % confidence 2.5 % to 100 % of good pictures to come \
             will"
        );
        assert_eq!(
            told(21, 0.0),
            "All 21 held-out good pictures fail at this limit: at 95 % confidence 83.8 % to 100 % of good pictures to come \
             will"
        );
        assert!(told(21, 20.0).starts_with("1 of 21 held-out good pictures fails at"));
        assert_eq!(
            told(0, 1.0),
            "No good pictures were held out, so nothing is proven about good pictures to come: train with a share of them \
             held out"
        );
    }

    #[test]
    fn the_numbers_stand_beside_the_sentence() {
        let proof = what_it_proves(&[1.0, 2.0, 3.0], 3.0, 0.9);
        assert_eq!((proof.pictures, proof.rejected), (3, 1));
        assert_eq!(proof.needed_for_one_percent, 230);
        let (rate, at_most) = (proof.rate.unwrap(), proof.at_most.unwrap());
        assert!(rate.low < 1.0 / 3.0 && at_most > 1.0 / 3.0 && rate.high > at_most);
        assert!(proof.sentence().contains("at 90 % confidence"));
        let nothing = what_it_proves(&[], 3.0, 0.9);
        assert_eq!((nothing.rate, nothing.at_most), (None, None));
    }

    #[test]
    fn a_confidence_that_is_none_or_certainty_is_answered_in_words() {
        let told = |confidence| what_it_proves(&[1.0, 2.0], 3.0, confidence).sentence();
        assert_eq!(
            told(1.5),
            "Nothing can be proven at 150 % confidence: name a share between 0 and 100 %"
        );
        assert!(told(f64::NAN).starts_with("Nothing can be proven"));
        assert!(
            told(1.0).ends_with("at 100 % confidence at most 100 % of good pictures to come will")
        );
    }

    #[test]
    fn rates_are_rounded_so_that_none_claims_too_much() {
        for (share, down, up) in [
            (0.0, "0 %", "0 %"),
            (1.0, "100 %", "100 %"),
            (0.9999, "99.9 %", "100 %"),
            (0.048_41, "4.8 %", "4.9 %"),
            (0.05, "5 %", "5 %"),
            (0.07, "7 %", "7 %"),
            (0.009_97, "0.99 %", "1 %"),
            (0.0031, "0.31 %", "0.31 %"),
            (0.000_474, "0.047 %", "0.048 %"),
            (2.5e-7, "0.000025 %", "0.000025 %"),
        ] {
            assert_eq!(
                (floored(share).as_str(), ceiled(share).as_str()),
                (down, up)
            );
        }
    }

    #[test]
    fn only_what_the_sentence_does_not_cover_is_warned_of() {
        let rule = DecisionRule::single(Limit::manual(1.0), Limit::manual(0.5));
        let with = |combination| AreaRule {
            combination,
            pixels: 20.0,
        };
        assert_eq!(caveats(&rule).count(), 0);
        let forgiving = rule.clone().with_area(with(Combination::ScoreAndArea));
        assert_eq!(caveats(&forgiving).count(), 0, "it only rejects less");
        let strict = rule.clone().with_area(with(Combination::ScoreOrArea));
        assert_eq!(caveats(&strict).count(), 1);
        let oracle = Limit {
            value: 1.0,
            origin: LimitOrigin::Oracle,
        };
        assert_eq!(caveats(&strict.with_fail(oracle)).count(), 2);
    }
}
