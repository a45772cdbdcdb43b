//! The rule that turns a picture's score and its regions into PASS, REVIEW or FAIL: two limits on the score, and a smallest
//! area of what lies at or above the pixel limit.

use serde::{Deserialize, Serialize};

use super::{Limit, Verdict};

/// Everything a verdict depends on besides the picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionRule {
    /// T1: image scores below it pass. `None`: there is no REVIEW band, T1 is T2. Never above `fail`.
    pub review: Option<Limit>,
    /// T2: image scores at or above it fail.
    pub fail: Limit,
    /// Map pixels at or above it belong to a region.
    pub pixel: Limit,
    pub area: AreaRule,
}

/// The smallest region that counts, and what it counts for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct AreaRule {
    pub combination: Combination,
    /// Pixels of the picture as it is in its file. Regions are made of map pixels, so the area is rounded up to whole ones.
    pub pixels: f64,
}

impl AreaRule {
    /// Whether verdicts do not depend on it.
    pub fn is_off(&self) -> bool {
        self.combination == Combination::ScoreOnly
    }
}

/// How the score and the regions make one verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Combination {
    /// The regions are only shown.
    #[default]
    ScoreOnly,
    /// A picture without a large enough region passes, whatever its score: specks are forgiven.
    ScoreAndArea,
    /// A picture with a large enough region fails, whatever its score.
    ScoreOrArea,
}

impl Combination {
    pub const ALL: [Self; 3] = [Self::ScoreOnly, Self::ScoreAndArea, Self::ScoreOrArea];

    pub fn name(self) -> &'static str {
        match self {
            Self::ScoreOnly => "Score only",
            Self::ScoreAndArea => "Score and area",
            Self::ScoreOrArea => "Score or area",
        }
    }

    /// What it does, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::ScoreOnly => "The image score alone decides; regions are only shown",
            Self::ScoreAndArea => {
                "A picture without a region of the smallest area passes, whatever its score"
            }
            Self::ScoreOrArea => {
                "A picture with a region of the smallest area fails, whatever its score"
            }
        }
    }
}

/// Whether a picture shows a region that is large enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    LargeEnough,
    TooSmall,
    /// Nobody has measured this picture's regions.
    Unknown,
}

impl DecisionRule {
    /// One limit for the score and no say for the regions.
    pub fn single(fail: Limit, pixel: Limit) -> Self {
        Self {
            review: None,
            fail,
            pixel,
            area: AreaRule::default(),
        }
    }

    /// T1: scores below it pass.
    pub fn pass_below(&self) -> f32 {
        self.review.as_ref().unwrap_or(&self.fail).value
    }

    /// T2: scores at or above it fail.
    pub fn fail_from(&self) -> f32 {
        self.fail.value
    }

    /// The verdict of the two score limits alone.
    pub fn of_score(&self, score: f32) -> Verdict {
        if self.fail.rejects(score) {
            Verdict::Fail
        } else if self.review.as_ref().is_some_and(|t1| t1.rejects(score)) {
            Verdict::Review
        } else {
            Verdict::Pass
        }
    }

    /// The verdict of both rules. A picture whose regions are unknown is judged by its score.
    pub fn verdict(&self, score: f32, region: Region) -> Verdict {
        let by_score = self.of_score(score);
        match (self.area.combination, region) {
            (Combination::ScoreAndArea, Region::TooSmall) => Verdict::Pass,
            (Combination::ScoreOrArea, Region::LargeEnough) => Verdict::Fail,
            _ => by_score,
        }
    }

    /// With another T2. T1 gives way downwards.
    #[must_use]
    pub fn with_fail(mut self, fail: Limit) -> Self {
        if let Some(review) = &mut self.review
            && review.value > fail.value
        {
            *review = fail.clone();
        }
        self.fail = fail;
        self
    }

    /// With another T1, or without a REVIEW band. T2 gives way upwards.
    #[must_use]
    pub fn with_review(mut self, review: Option<Limit>) -> Self {
        if let Some(review) = &review
            && review.value > self.fail.value
        {
            self.fail = review.clone();
        }
        self.review = review;
        self
    }

    #[must_use]
    pub fn with_pixel(self, pixel: Limit) -> Self {
        Self { pixel, ..self }
    }

    #[must_use]
    pub fn with_area(self, area: AreaRule) -> Self {
        Self { area, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::{AreaRule, Combination, DecisionRule, Region};
    use crate::metrics::{Limit, Verdict};
    use Verdict::{Fail, Pass, Review};

    fn rule(combination: Combination) -> DecisionRule {
        DecisionRule::single(Limit::manual(2.0), Limit::manual(1.0))
            .with_review(Some(Limit::manual(1.0)))
            .with_area(AreaRule {
                combination,
                pixels: 10.0,
            })
    }

    #[test]
    fn a_score_at_a_limit_belongs_to_the_stricter_side() {
        let rule = rule(Combination::ScoreOnly);
        let verdicts = [0.99, 1.0, 1.99, 2.0].map(|score| rule.of_score(score));
        assert_eq!(verdicts, [Pass, Review, Review, Fail]);
        assert_eq!((rule.pass_below(), rule.fail_from()), (1.0, 2.0));
    }

    #[test]
    fn without_a_band_nothing_is_left_to_review() {
        let rule = rule(Combination::ScoreOnly).with_review(None);
        assert_eq!(rule.of_score(1.5), Pass);
        assert_eq!(rule.pass_below(), 2.0);
    }

    #[test]
    fn regions_forgive_or_condemn_as_the_combination_says() {
        let judged = |combination, score| {
            [Region::LargeEnough, Region::TooSmall, Region::Unknown]
                .map(|region| rule(combination).verdict(score, region))
        };
        assert_eq!(judged(Combination::ScoreOnly, 1.5), [Review; 3]);
        assert_eq!(
            judged(Combination::ScoreAndArea, 3.0),
            [Fail, Pass, Fail],
            "a speck is forgiven"
        );
        assert_eq!(judged(Combination::ScoreAndArea, 0.5), [Pass; 3]);
        assert_eq!(
            judged(Combination::ScoreOrArea, 0.5),
            [Fail, Pass, Pass],
            "a large region condemns"
        );
        assert_eq!(
            judged(Combination::ScoreOrArea, 1.5),
            [Fail, Review, Review]
        );
    }

    #[test]
    fn the_limits_never_cross() {
        let rule = rule(Combination::ScoreOnly);
        let lowered = rule.clone().with_fail(Limit::manual(0.5));
        assert_eq!((lowered.pass_below(), lowered.fail_from()), (0.5, 0.5));
        let raised = rule.with_review(Some(Limit::manual(3.0)));
        assert_eq!((raised.pass_below(), raised.fail_from()), (3.0, 3.0));
    }
}
