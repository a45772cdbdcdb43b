//! How far two models differ about the same picture, although their scores are not on one scale.

use super::{DecisionRule, Verdict};

/// One model's view of a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opinion {
    pub verdict: Verdict,
    /// See [`relative_score`].
    pub relative: f32,
}

/// A score on the scale of its model: 0 where typical good pictures' pixels lie (`low`, the dark end of the frozen colour
/// scale), 1 at T2.
pub fn relative_score(score: f32, low: f32, rule: &DecisionRule) -> f32 {
    let span = (rule.fail_from() - low).max(f32::MIN_POSITIVE);
    (score - low) / span
}

/// From 0 (the same) upwards. Verdicts come first: PASS against FAIL is 2 or more, a step between neighbours 1 or more;
/// the fraction orders equal steps by how far the relative scores lie apart.
pub fn disagreement(a: Opinion, b: Opinion) -> f32 {
    let steps = (a.verdict as u8).abs_diff(b.verdict as u8);
    let apart = (a.relative - b.relative).abs();
    // Approaches 1 without reaching it, so that no score outweighs a verdict.
    f32::from(steps)
        + if apart.is_finite() {
            apart / (apart + 1.0)
        } else {
            0.0
        }
}

#[cfg(test)]
mod tests {
    use super::{Opinion, disagreement, relative_score};
    use crate::metrics::{DecisionRule, Limit, Verdict};

    fn opinion(verdict: Verdict, relative: f32) -> Opinion {
        Opinion { verdict, relative }
    }

    #[test]
    fn verdicts_outweigh_scores() {
        let pass = opinion(Verdict::Pass, 0.9);
        let review = opinion(Verdict::Review, 0.95);
        let fail = opinion(Verdict::Fail, 1.0);
        assert_eq!(disagreement(pass, pass), 0.0);
        let (near, far) = (disagreement(pass, review), disagreement(pass, fail));
        assert!((1.0..2.0).contains(&near) && (2.0..3.0).contains(&far));
        let same = disagreement(opinion(Verdict::Fail, 1.0), opinion(Verdict::Fail, 1e6));
        assert!((0.5..1.0).contains(&same));
        assert_eq!(near, disagreement(review, pass));
    }

    #[test]
    fn each_model_is_measured_by_its_own_limit() {
        let rule = |limit| DecisionRule::single(Limit::manual(limit), Limit::manual(limit));
        assert_eq!(relative_score(0.5, 0.1, &rule(0.5)), 1.0);
        assert_eq!(relative_score(30.0, 10.0, &rule(50.0)), 0.5);
        assert!(relative_score(1.0, 1.0, &rule(1.0)).is_finite());
    }
}
