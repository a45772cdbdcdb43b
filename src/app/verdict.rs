//! What the limit says about a picture, held against what is known about it. Plain data, no widgets.

use crate::metrics::{ImageRow, Limit, Truth};

/// What the limit says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Fail,
}

impl Verdict {
    /// A score at or above the limit fails.
    pub fn of(score: f32, limit: f32) -> Self {
        if Limit::manual(limit).rejects(score) {
            Self::Fail
        } else {
            Self::Pass
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
        }
    }
}

/// Verdict against truth: the four cells of the confusion matrix, and the pictures that are in none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    GoodPassed,
    /// A good picture called defective: a false reject.
    Overkill,
    /// A defective picture called good: a missed defect.
    Escape,
    Caught,
    /// Whatever the verdict: nobody knows whether it is right.
    Unlabelled,
}

impl Outcome {
    /// The cells of the confusion matrix.
    pub const ALL: [Self; 4] = [Self::GoodPassed, Self::Overkill, Self::Escape, Self::Caught];

    pub fn of(row: &ImageRow, limit: f32) -> Self {
        match (row.truth(), Verdict::of(row.score, limit)) {
            (Truth::Good, Verdict::Pass) => Self::GoodPassed,
            (Truth::Good, Verdict::Fail) => Self::Overkill,
            (Truth::Defective, Verdict::Pass) => Self::Escape,
            (Truth::Defective, Verdict::Fail) => Self::Caught,
            (Truth::Unlabelled, _) => Self::Unlabelled,
        }
    }

    pub fn is_error(self) -> bool {
        matches!(self, Self::Overkill | Self::Escape)
    }

    /// What went wrong with one picture; `None` when nothing did.
    pub fn error_word(self) -> Option<&'static str> {
        match self {
            Self::Overkill => Some("overkill"),
            Self::Escape => Some("escape"),
            Self::GoodPassed | Self::Caught | Self::Unlabelled => None,
        }
    }

    /// As it stands on buttons and beside pictures.
    pub fn name(self) -> &'static str {
        match self {
            Self::GoodPassed => "Good passed",
            Self::Overkill => "Overkill",
            Self::Escape => "Escapes",
            Self::Caught => "Caught",
            Self::Unlabelled => "Unlabelled",
        }
    }

    /// What the name means, for whoever hovers it.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::GoodPassed => "Good pictures below the limit: passed, as they should be",
            Self::Overkill => {
                "Good pictures at or above the limit: rejected although they are good"
            }
            Self::Escape => {
                "Defective pictures below the limit: passed although they are defective"
            }
            Self::Caught => "Defective pictures at or above the limit: rejected, as they should be",
            Self::Unlabelled => "Pictures that nobody has judged: scored, and counted in no number",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Verdict};
    use crate::metrics::ImageRow;

    fn row(label: &str, score: f32) -> ImageRow {
        ImageRow {
            path: "test/a.png".to_owned(),
            label: label.to_owned(),
            defect: label.to_owned(),
            score,
        }
    }

    #[test]
    fn a_score_exactly_at_the_limit_fails() {
        assert_eq!(Verdict::of(0.5, 0.5), Verdict::Fail);
        assert_eq!(Verdict::of(0.499, 0.5), Verdict::Pass);
    }

    #[test]
    fn each_cell_is_reached() {
        assert_eq!(Outcome::of(&row("good", 0.1), 0.5), Outcome::GoodPassed);
        assert_eq!(Outcome::of(&row("good", 0.9), 0.5), Outcome::Overkill);
        assert_eq!(Outcome::of(&row("defective", 0.1), 0.5), Outcome::Escape);
        assert_eq!(Outcome::of(&row("defective", 0.9), 0.5), Outcome::Caught);
        for score in [0.1, 0.9] {
            let outcome = Outcome::of(&row("unlabelled", score), 0.5);
            assert_eq!(outcome, Outcome::Unlabelled);
            assert!(!outcome.is_error() && outcome.error_word().is_none());
        }
    }
}
