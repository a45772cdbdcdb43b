//! The exponential and its relatives as plain arithmetic without branches, so that loops over them use vector registers.

#![expect(
    clippy::inline_always,
    reason = "only inlined code is compiled for the instruction set that was chosen"
)]

use super::simd::multiply_add;

/// `e^x` to 2 units in the last place; 0 far below and infinity far above what `f32` can hold.
#[inline(always)]
pub fn exp<const FUSED: bool>(x: f32) -> f32 {
    // Adding this number rounds to an integer and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let inside = x.clamp(-87.3, 88.7);
    let shifted = multiply_add::<FUSED>(inside, std::f32::consts::LOG2_E, ROUND);
    let whole = shifted - ROUND;
    let rest = multiply_add::<FUSED>(whole, -LN2_HIGH, inside);
    let rest = multiply_add::<FUSED>(whole, -LN2_LOW, rest);
    // Minimax polynomial of (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2 (Moshier, Cephes).
    let mut sum = 1.987_569_1e-4;
    for factor in [
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        0.166_666_65,
        0.5,
    ] {
        sum = multiply_add::<FUSED>(sum, rest, factor);
    }
    let fraction = multiply_add::<FUSED>(sum * rest, rest, rest + 1.0);
    // 2^127 times two is reached in two factors: the exponent of one alone would overflow.
    let exponent = shifted.to_bits() as i32 - ROUND.to_bits() as i32;
    let half = exponent >> 1;
    let power = |exponent: i32| f32::from_bits(((exponent + 127) << 23) as u32);
    let value = fraction * power(half) * power(exponent - half);
    let value = if x < -103.9 { 0.0 } else { value };
    let value = if x > 88.722_84 { f32::INFINITY } else { value };
    if x.is_nan() { x } else { value }
}

/// The hyperbolic tangent, exact to a few units in the last place around zero too.
#[inline(always)]
pub fn tanh<const FUSED: bool>(x: f32) -> f32 {
    let size = x.abs();
    // Odd polynomial below 0.625 (Moshier, Cephes), where 1 - 2 / (e^2x + 1) would cancel.
    let square = x * x;
    let mut sum = -5.704_988_7e-3;
    for factor in [2.063_909e-2, -5.373_971_5e-2, 0.133_314_42, -0.333_332_8] {
        sum = multiply_add::<FUSED>(sum, square, factor);
    }
    let small = multiply_add::<FUSED>(sum * square, x, x);
    let large = (1.0 - 2.0 / (exp::<FUSED>(2.0 * size) + 1.0)).copysign(x);
    if size < 0.625 { small } else { large }
}

#[cfg(test)]
mod tests {
    use super::{exp, tanh};

    fn assert_close(found: f32, expected: f64, allowed: f64) {
        let difference = (f64::from(found) - expected).abs();
        assert!(
            difference <= allowed * expected.abs() + 1e-44,
            "{found} instead of {expected}"
        );
    }

    #[test]
    fn both_follow_the_exact_functions() {
        for i in -174_000..=177_000 {
            let x = i as f32 * 5e-4;
            assert_close(exp::<true>(x), f64::from(x).exp(), 2.5e-7);
            assert_close(exp::<false>(x), f64::from(x).exp(), 2.5e-7);
            let x = x * 0.1;
            assert_close(tanh::<true>(x), f64::from(x).tanh(), 3e-7);
            assert_close(tanh::<false>(x), f64::from(x).tanh(), 3e-7);
        }
    }

    #[test]
    fn ends_of_the_range_and_not_a_number() {
        assert_eq!(exp::<true>(0.0), 1.0);
        assert_eq!(exp::<true>(-1e9), 0.0);
        assert_eq!(exp::<true>(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp::<true>(1e9), f32::INFINITY);
        assert!(exp::<true>(f32::NAN).is_nan());
        assert_eq!(tanh::<true>(1e9), 1.0);
        assert_eq!(tanh::<true>(-1e9), -1.0);
        assert_eq!(tanh::<true>(1e-30), 1e-30);
        assert!(tanh::<true>(f32::NAN).is_nan());
    }
}
