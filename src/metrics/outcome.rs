//! A verdict held against what is known about the picture: the cells of the confusion matrix. Chooses no colours and no pictures.

use serde::{Deserialize, Serialize};

use super::{Judgement, Truth, Verdict};

/// One cell of the confusion matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub truth: Truth,
    pub verdict: Verdict,
}

impl Outcome {
    /// A good picture called defective: a false reject.
    pub const OVERKILL: Self = Self::new(Truth::Good, Verdict::Fail);
    /// A defective picture called good: a missed defect.
    pub const ESCAPE: Self = Self::new(Truth::Defective, Verdict::Pass);

    /// Row by row: truths in their order, and within each the verdicts in theirs.
    pub const ALL: [Self; 9] = [
        Self::new(Truth::Good, Verdict::Pass),
        Self::new(Truth::Good, Verdict::Review),
        Self::OVERKILL,
        Self::ESCAPE,
        Self::new(Truth::Defective, Verdict::Review),
        Self::new(Truth::Defective, Verdict::Fail),
        Self::new(Truth::Unlabelled, Verdict::Pass),
        Self::new(Truth::Unlabelled, Verdict::Review),
        Self::new(Truth::Unlabelled, Verdict::Fail),
    ];

    pub const fn new(truth: Truth, verdict: Verdict) -> Self {
        Self { truth, verdict }
    }

    /// Of the picture at `index`; what was not judged passes.
    pub fn of(truth: Truth, judgement: &Judgement, index: usize) -> Self {
        let verdict = judgement.verdicts.get(index).copied();
        Self::new(truth, verdict.unwrap_or(Verdict::Pass))
    }

    /// Its place in [`Outcome::ALL`].
    pub fn index(self) -> usize {
        3 * self.truth as usize + self.verdict as usize
    }

    pub fn is_error(self) -> bool {
        self == Self::OVERKILL || self == Self::ESCAPE
    }

    /// What went wrong with one picture; `None` when nothing did.
    pub fn error_word(self) -> Option<&'static str> {
        match self {
            Self::OVERKILL => Some("overkill"),
            Self::ESCAPE => Some("escape"),
            _ => None,
        }
    }

    /// What happened to one picture, in lower case.
    pub fn of_one(self) -> &'static str {
        match (self.truth, self.verdict) {
            (Truth::Good, Verdict::Pass) => "good passed",
            (Truth::Good, Verdict::Review) => "good to review",
            (Truth::Good, Verdict::Fail) => "overkill",
            (Truth::Defective, Verdict::Pass) => "escape",
            (Truth::Defective, Verdict::Review) => "defective to review",
            (Truth::Defective, Verdict::Fail) => "caught",
            (Truth::Unlabelled, _) => "unlabelled",
        }
    }

    /// As it stands on buttons and beside pictures.
    pub fn name(self) -> &'static str {
        match (self.truth, self.verdict) {
            (Truth::Good, Verdict::Pass) => "Good passed",
            (Truth::Good, Verdict::Review) => "Good to review",
            (Truth::Good, Verdict::Fail) => "Overkill",
            (Truth::Defective, Verdict::Pass) => "Escapes",
            (Truth::Defective, Verdict::Review) => "Defective to review",
            (Truth::Defective, Verdict::Fail) => "Caught",
            (Truth::Unlabelled, Verdict::Pass) => "Unlabelled passed",
            (Truth::Unlabelled, Verdict::Review) => "Unlabelled to review",
            (Truth::Unlabelled, Verdict::Fail) => "Unlabelled failed",
        }
    }

    /// What the name means, for whoever hovers it.
    pub fn explanation(self) -> &'static str {
        match (self.truth, self.verdict) {
            (Truth::Good, Verdict::Pass) => "Good pictures that pass, as they should",
            (Truth::Good, Verdict::Review) => "Good pictures between T1 and T2: a person decides",
            (Truth::Good, Verdict::Fail) => {
                "Good pictures that are rejected although they are good"
            }
            (Truth::Defective, Verdict::Pass) => {
                "Defective pictures that pass although they are defective"
            }
            (Truth::Defective, Verdict::Review) => {
                "Defective pictures between T1 and T2: a person decides"
            }
            (Truth::Defective, Verdict::Fail) => {
                "Defective pictures that are rejected, as they should be"
            }
            (Truth::Unlabelled, _) => "Pictures nobody has labelled; they count in no rate",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Judgement, Tally, Truth, Verdict};
    use super::Outcome;

    #[test]
    fn every_cell_stands_at_its_place() {
        for (place, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome.index(), place);
        }
        assert_eq!(Outcome::ALL.iter().filter(|o| o.is_error()).count(), 2);
    }

    #[test]
    fn what_was_not_judged_passes() {
        let judgement = Judgement {
            verdicts: vec![Verdict::Fail],
            tally: Tally::default(),
        };
        assert_eq!(Outcome::of(Truth::Good, &judgement, 0), Outcome::OVERKILL);
        assert_eq!(
            Outcome::of(Truth::Defective, &judgement, 1),
            Outcome::ESCAPE
        );
    }
}
