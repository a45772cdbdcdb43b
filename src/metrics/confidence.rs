//! What a count of failures among a few pictures proves about all pictures to come, at 95 % confidence.

use super::false_reject_bound;

/// The largest true rate that `failures` in `pictures` independent pictures leave open at 95 % confidence: the exact
/// one-sided bound of Clopper and Pearson 1934. Without failures it is `1 - 0.05^(1/pictures)`.
pub fn rate_bound(failures: usize, pictures: usize) -> Option<f64> {
    if pictures == 0 {
        return None;
    }
    if failures >= pictures {
        return Some(1.0);
    }
    if failures == 0 {
        return Some(false_reject_bound(pictures, 0.95));
    }
    let (mut low, mut high) = (failures as f64 / pictures as f64, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if chance_of_at_most(failures, pictures, middle) > 0.05 {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high)
}

/// How many good pictures without a false reject prove a rate of at most `rate` at 95 % confidence.
pub fn pictures_to_prove(rate: f64) -> usize {
    (0.05_f64.ln() / (1.0 - rate).ln()).ceil() as usize
}

/// Binomial distribution function; in logarithms because `(1 - rate)^pictures` underflows.
fn chance_of_at_most(failures: usize, pictures: usize, rate: f64) -> f64 {
    let mut term = pictures as f64 * (1.0 - rate).ln();
    let mut sum = term.exp();
    for k in 1..=failures {
        term += ((pictures - k + 1) as f64 / k as f64).ln() + (rate / (1.0 - rate)).ln();
        sum += term.exp();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::{pictures_to_prove, rate_bound};

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
}
