//! The soft clamp that keeps a coupling block's log-scales within bounds, and its derivative.

#![expect(
    clippy::inline_always,
    reason = "only inlined code is compiled for the instruction set that was chosen"
)]

use serde::{Deserialize, Serialize};

use crate::ops::elementary::tanh;

/// The bound of the log-scales.
pub(super) const ALPHA: f32 = 1.9;

/// How a raw log-scale `p` becomes `s`, with `|s|` below 1.9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clamp {
    /// `1.9 tanh(p)`: what the published numbers were made with.
    Tanh,
    /// `1.9 tanh(p / 1.9)`: later releases of the flow library; gentler.
    ScaledTanh,
    /// `(3.8 / pi) arctan(p / 1.9)`: the formula in the paper.
    Arctan,
}

impl Clamp {
    pub const ALL: [Self; 3] = [Self::Tanh, Self::ScaledTanh, Self::Arctan];

    #[inline(always)]
    pub(super) fn value<const FUSED: bool>(self, raw: f32) -> f32 {
        match self {
            Self::Tanh => ALPHA * tanh::<FUSED>(raw),
            Self::ScaledTanh => ALPHA * tanh::<FUSED>(raw / ALPHA),
            Self::Arctan => ALPHA * std::f32::consts::FRAC_2_PI * (raw / ALPHA).atan(),
        }
    }

    /// The derivative at `raw`, whose clamped value is `clamped`.
    #[inline(always)]
    pub(super) fn derivative(self, raw: f32, clamped: f32) -> f32 {
        let share = clamped / ALPHA;
        match self {
            Self::Tanh => ALPHA * (1.0 - share * share),
            Self::ScaledTanh => 1.0 - share * share,
            Self::Arctan => {
                let ratio = raw / ALPHA;
                std::f32::consts::FRAC_2_PI / (1.0 + ratio * ratio)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ALPHA, Clamp};

    #[test]
    fn values_stay_within_bounds_and_follow_the_formulas() {
        for clamp in Clamp::ALL {
            for raw in [-1e6, -3.0, -0.2, 0.0, 1e-4, 0.7, 5.0, 1e6] {
                let value = clamp.value::<true>(raw);
                assert!(value.abs() <= ALPHA && value.signum() == raw.signum() || raw == 0.0);
            }
        }
        assert!((Clamp::Tanh.value::<true>(0.5) - 0.878_022_6).abs() < 1e-6);
        assert!((Clamp::ScaledTanh.value::<true>(0.5) - 0.488_769).abs() < 1e-6);
        assert!((Clamp::Arctan.value::<true>(0.5) - 0.311_253).abs() < 1e-6);
    }

    #[test]
    fn derivatives_are_the_slopes() {
        for clamp in Clamp::ALL {
            for raw in [-2.0_f32, -0.3, 0.0, 0.4, 1.7] {
                let step = 1e-2;
                let slope =
                    f64::from(clamp.value::<false>(raw + step) - clamp.value::<false>(raw - step))
                        / f64::from(2.0 * step);
                let found = clamp.derivative(raw, clamp.value::<false>(raw));
                assert!((slope - f64::from(found)).abs() < 1e-3, "{clamp:?} {raw}");
            }
        }
    }
}
