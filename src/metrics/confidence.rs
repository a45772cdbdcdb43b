//! What a count of failures among a few pictures proves about all pictures to come.

use super::interval::upper_bound;

/// The largest true rate that `failures` in `pictures` independent pictures leave open at 95 % confidence, one-sided.
/// Without failures it is `1 - 0.05^(1/pictures)`. `None` without pictures.
pub fn rate_bound(failures: usize, pictures: usize) -> Option<f64> {
    upper_bound(failures, pictures, 0.95)
}

/// With the limit at the maximum of this many held-out good pictures, and pictures to come like those, they prove with
/// this confidence (0 to 1) that at most the returned share of good pictures will fail: `1 - (1 - confidence)^(1/n)`.
/// 60 pictures prove 4.9 % at a confidence of 0.95. None prove nothing: 1.
pub fn false_reject_bound(held_out: usize, confidence: f64) -> f64 {
    upper_bound(0, held_out, confidence.clamp(0.0, 1.0)).unwrap_or(1.0)
}

/// How many good pictures without a false reject prove a rate of at most `rate` at 95 % confidence.
pub fn pictures_to_prove(rate: f64) -> usize {
    pictures_to_prove_at(rate, 0.95)
}

/// [`pictures_to_prove`] at another confidence. Both are shares between 0 and 1.
pub(super) fn pictures_to_prove_at(rate: f64, confidence: f64) -> usize {
    let pictures = (-confidence).ln_1p() / (-rate).ln_1p();
    // A whole number that came out a little high by rounding stays itself: two pictures prove 20 % at 36 %.
    (pictures * (1.0 - 1e-12)).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::{false_reject_bound, pictures_to_prove, pictures_to_prove_at, rate_bound};

    #[test]
    fn held_out_pictures_prove_what_the_formula_says() {
        let bound = |k, n| rate_bound(k, n).expect("there are pictures");
        assert!((bound(0, 21) - 0.1329).abs() < 1e-4);
        assert!((bound(0, 60) - 0.0487).abs() < 1e-4);
        // Solved from the binomial sum by hand: 2 of 21, one-sided.
        assert!((bound(2, 21) - 0.2706).abs() < 1e-3);
        assert_eq!(bound(3, 3), 1.0);
        assert_eq!(rate_bound(0, 0), None);
        assert_eq!(pictures_to_prove(0.01), 299);
        assert!((bound(1, 100_000) - 4.744e-5).abs() < 1e-7);
    }

    #[test]
    fn sixty_good_pictures_prove_less_than_five_percent_false_rejects() {
        assert!((false_reject_bound(60, 0.95) - 0.0487).abs() < 5e-5);
        assert!(false_reject_bound(299, 0.95) <= 0.01);
        assert!(false_reject_bound(298, 0.95) > 0.01);
        assert!((false_reject_bound(1, 0.95) - 0.95).abs() < 1e-12);
        assert_eq!(false_reject_bound(0, 0.95), 1.0);
        assert_eq!(false_reject_bound(10, 0.0), 0.0);
        assert_eq!(false_reject_bound(10, 1.0), 1.0);
    }

    #[test]
    fn as_many_pictures_prove_a_rate_as_the_bound_says_and_one_less_does_not() {
        for rate in [0.001, 0.01, 0.05, 0.3] {
            for confidence in [0.5, 0.9, 0.95, 0.99, 0.999] {
                let needed = pictures_to_prove_at(rate, confidence);
                assert!(false_reject_bound(needed, confidence) <= rate);
                assert!(false_reject_bound(needed - 1, confidence) > rate);
            }
        }
        assert_eq!(pictures_to_prove_at(0.2, 0.36), 2);
        assert_eq!(pictures_to_prove(0.0), usize::MAX);
    }
}
