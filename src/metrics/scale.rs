//! One scale for the scores of a whole data set, on which the limit lies at one half. For showing scores of one model
//! side by side; verdicts and metrics use raw scores.

use serde::{Deserialize, Serialize};

/// Extremes of a calibration set's scores and the limit. Fixed at calibration, never recomputed per picture: a scale of
/// its own would make every good picture look defective.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScoreScale {
    pub min: f32,
    pub max: f32,
    /// `None`: half-way between the extremes.
    pub limit: Option<f32>,
}

impl ScoreScale {
    /// `(score - limit) / (max - min) + 1/2`, clipped to 0..=1. A scale without width tells only the sides of the limit.
    pub fn normalised(&self, score: f32) -> f32 {
        let limit = self
            .limit
            .unwrap_or_else(|| f32::midpoint(self.min, self.max));
        let width = self.max - self.min;
        let above = score - limit;
        if above == 0.0 {
            return 0.5;
        }
        if width > 0.0 {
            (above / width + 0.5).clamp(0.0, 1.0)
        } else {
            f32::from(u8::from(above > 0.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ScoreScale;

    #[test]
    fn the_limit_lies_at_one_half_and_the_ends_are_clipped() {
        let scale = ScoreScale {
            min: 0.2,
            max: 1.4,
            limit: Some(0.6),
        };
        for (score, expected) in [(0.2, 0.166_667), (0.5, 0.416_667), (0.9, 0.75), (1.4, 1.0)] {
            assert!((scale.normalised(score) - expected).abs() < 1e-6);
        }
        assert_eq!(scale.normalised(0.6), 0.5);
        assert_eq!(scale.normalised(-9.0), 0.0);
    }

    #[test]
    fn without_a_limit_the_middle_of_the_extremes_is_one_half() {
        let scale = ScoreScale {
            min: 1.0,
            max: 3.0,
            limit: None,
        };
        assert_eq!(
            [1.0, 2.0, 3.0].map(|score| scale.normalised(score)),
            [0.0, 0.5, 1.0]
        );
    }

    #[test]
    fn a_scale_without_width_tells_only_the_sides_of_the_limit() {
        let scale = ScoreScale {
            min: 1.0,
            max: 1.0,
            limit: None,
        };
        assert_eq!(
            [0.9, 1.0, 1.1].map(|score| scale.normalised(score)),
            [0.0, 0.5, 1.0]
        );
    }
}
