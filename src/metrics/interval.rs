//! Exact intervals for a rate that was counted: Clopper and Pearson 1934. Knows counts only, not what they count.

use serde::{Deserialize, Serialize};
use special::Beta;

/// Rates (0 to 1), both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// The rates that `events` in `trials` independent trials leave open at this confidence (0 to 1), two-sided: half of the
/// doubt lies below the interval, half above it. `None` without trials, or when the confidence is not a share.
pub fn clopper_pearson(events: usize, trials: usize, confidence: f64) -> Option<Interval> {
    let doubt = doubt(trials, confidence)? / 2.0;
    let (events, trials) = (events.min(trials) as f64, trials as f64);
    let low = if events == 0.0 {
        0.0
    } else {
        beta_quantile(doubt, events, trials - events + 1.0)
    };
    let high = high_end(events, trials, 1.0 - doubt);
    Some(Interval { low, high })
}

/// The largest rate that `events` in `trials` independent trials leave open at this confidence (0 to 1), one-sided: all of
/// the doubt lies above it. `None` as in [`clopper_pearson`].
pub fn upper_bound(events: usize, trials: usize, confidence: f64) -> Option<f64> {
    doubt(trials, confidence)?;
    Some(high_end(
        events.min(trials) as f64,
        trials as f64,
        confidence,
    ))
}

/// The probability of at most `events` in `trials` independent trials at this rate (0 to 1).
pub(super) fn chance_of_at_most(events: usize, trials: usize, rate: f64) -> f64 {
    if events >= trials {
        return 1.0;
    }
    let (a, b) = ((trials - events) as f64, events as f64 + 1.0);
    (1.0 - rate).inc_beta(a, b, a.ln_beta(b))
}

fn doubt(trials: usize, confidence: f64) -> Option<f64> {
    (trials > 0 && (0.0..=1.0).contains(&confidence)).then_some(1.0 - confidence)
}

fn high_end(events: f64, trials: f64, confidence: f64) -> f64 {
    if events >= trials {
        1.0
    } else {
        beta_quantile(confidence, events + 1.0, trials - events)
    }
}

/// Newton needs about ten steps; halving alone would need about sixty.
const MOST_STEPS: usize = 100;

/// Where the distribution function of Beta(`a`, `b`) reaches `probability`. Both parameters are at least 1.
///
/// Newton's method within a bracket, on the crate's incomplete beta function. The crate's own inverse (algorithm AS 109)
/// stops at an absolute error: of a rate of one in a million it misses a thousandth, and among ten million trials its
/// search need not end.
fn beta_quantile(probability: f64, a: f64, b: f64) -> f64 {
    if probability <= 0.0 || probability >= 1.0 {
        return probability.clamp(0.0, 1.0);
    }
    let ln_beta = a.ln_beta(b);
    let (mut low, mut high) = (0.0, 1.0);
    let mut x = a / (a + b);
    for _ in 0..MOST_STEPS {
        let excess = x.inc_beta(a, b, ln_beta) - probability;
        *(if excess > 0.0 { &mut high } else { &mut low }) = x;
        let density = ((a - 1.0) * x.ln() + (b - 1.0) * (-x).ln_1p() - ln_beta).exp();
        let newton = x - excess / density;
        let next = if low < newton && newton < high {
            newton
        } else {
            f64::midpoint(low, high)
        };
        let step = (next - x).abs();
        x = next;
        if step <= 1e-15 * x {
            break;
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::{Interval, beta_quantile, chance_of_at_most, clopper_pearson, upper_bound};

    fn close(value: f64, expected: f64) -> bool {
        (value - expected).abs() <= 1e-12 + 1e-9 * expected
    }

    /// Events, trials, confidence; low and high end, one-sided upper bound. Made by scipy 1.17.1:
    ///
    /// ```text
    /// from scipy.stats import beta
    /// half = (1 - c) / 2
    /// low, high, upper = beta.ppf(half, k, n - k + 1), beta.isf(half, k + 1, n - k), beta.isf(1 - c, k + 1, n - k)
    /// ```
    #[rustfmt::skip]
    const SCIPY: [(usize, usize, f64, f64, f64, f64); 13] = [
        (0, 21, 0.95, 0.0, 0.161_097_615_219_079_56, 0.132_945_911_026_523_37),
        (2, 21, 0.95, 0.011_749_317_884_445_809, 0.303_774_406_913_924_2, 0.270_551_699_304_531_3),
        (21, 21, 0.95, 0.838_902_384_780_920_4, 1.0, 1.0),
        (0, 1, 0.95, 0.0, 0.975, 0.95),
        (1, 1, 0.95, 0.025, 1.0, 1.0),
        (1, 2, 0.99, 0.002_503_132_836_999_835_7, 0.997_496_867_163_000_1, 0.994_987_437_106_62),
        (5, 60, 0.9, 0.033_410_632_369_750_89, 0.167_263_076_425_089_7, 0.149_103_145_568_641_35),
        (37, 299, 0.95, 0.088_644_953_086_632_26, 0.166_514_066_927_856_78, 0.159_560_362_818_822_9),
        (50, 100, 0.5, 0.461_431_190_628_540_77, 0.538_568_809_371_459_2, 0.504_983_300_615_447_6),
        (1, 100_000, 0.95, 2.531_780_477_933_316e-7, 5.571_516_034_774_275e-5, 4.743_775_717_386_053e-5),
        (1234, 100_000, 0.99, 0.011_458_977_106_522_956, 0.013_267_770_462_982_095, 0.013_176_647_734_037_431),
        (50_000, 100_000, 0.95, 0.496_896_062_491_800_4, 0.503_103_937_508_199_6, 0.502_605_717_739_716_5),
        (99_999, 100_000, 0.95, 0.999_944_284_839_652_3, 0.999_999_746_821_952_3, 0.999_999_487_067_187_7),
    ];

    #[test]
    fn the_ends_are_those_of_scipy() {
        for (events, trials, confidence, low, high, upper) in SCIPY {
            let case = format!("{events} of {trials} at {confidence}");
            let interval = clopper_pearson(events, trials, confidence).unwrap();
            assert!(close(interval.low, low), "{case}: {interval:?}");
            assert!(close(interval.high, high), "{case}: {interval:?}");
            let bound = upper_bound(events, trials, confidence).unwrap();
            assert!(close(bound, upper), "{case}: {bound}");
        }
    }

    #[test]
    fn without_events_the_bound_is_the_root_of_the_doubt() {
        for trials in [1, 2, 21, 60, 299, 5000, 100_000, 10_000_000] {
            let root = -(0.05_f64.ln() / trials as f64).exp_m1();
            let bound = upper_bound(0, trials, 0.95).unwrap();
            assert!((bound / root - 1.0).abs() < 1e-6, "{trials}: {bound}");
            // All events are no events seen from the other side.
            let mirrored = clopper_pearson(trials, trials, 0.9).unwrap();
            assert!((mirrored.low - (1.0 - root)).abs() < 1e-12);
            assert_eq!(mirrored.high, 1.0);
        }
    }

    #[test]
    fn the_chance_of_few_events_is_the_sum_of_its_binomial_terms() {
        for (trials, rate) in [(1, 0.5), (7, 0.3), (60, 0.05), (299, 0.01), (40, 0.9)] {
            let mut term = (1.0_f64 - rate).powi(trials);
            let mut sum = term;
            for events in 0..trials {
                let chance = chance_of_at_most(events as usize, trials as usize, rate);
                assert!(
                    close(chance, sum),
                    "{events} of {trials} at {rate}: {chance}"
                );
                term *= f64::from(trials - events) / f64::from(events + 1) * rate / (1.0 - rate);
                sum += term;
            }
            assert_eq!(
                chance_of_at_most(trials as usize, trials as usize, rate),
                1.0
            );
        }
    }

    #[test]
    fn nothing_tried_proves_nothing() {
        assert_eq!(clopper_pearson(0, 0, 0.95), None);
        assert_eq!(upper_bound(0, 0, 0.95), None);
        for not_a_share in [f64::NAN, -0.1, 1.1, f64::INFINITY] {
            assert_eq!(clopper_pearson(1, 3, not_a_share), None);
            assert_eq!(upper_bound(1, 3, not_a_share), None);
        }
    }

    #[test]
    fn certainty_leaves_everything_open_and_no_confidence_nothing() {
        let everything = Interval {
            low: 0.0,
            high: 1.0,
        };
        assert_eq!(clopper_pearson(3, 9, 1.0), Some(everything));
        assert_eq!(upper_bound(3, 9, 1.0), Some(1.0));
        assert_eq!(upper_bound(3, 9, 0.0), Some(0.0));
        // More events than trials cannot be; they count as all.
        assert_eq!(upper_bound(4, 3, 0.95), Some(1.0));
        assert_eq!(clopper_pearson(4, 3, 0.95), clopper_pearson(3, 3, 0.95));
    }

    #[test]
    fn each_interval_holds_its_rate_and_rises_with_the_events() {
        for trials in [1, 2, 3, 7, 40, 333] {
            let mut before = Interval {
                low: -1.0,
                high: -1.0,
            };
            for events in 0..=trials {
                let interval = clopper_pearson(events, trials, 0.95).unwrap();
                let rate = events as f64 / trials as f64;
                assert!(interval.low <= rate && rate <= interval.high);
                assert!(interval.low > before.low && interval.high > before.high);
                let bound = upper_bound(events, trials, 0.95).unwrap();
                assert!(bound <= interval.high && bound >= rate);
                before = interval;
            }
        }
    }

    #[test]
    fn a_quantile_solves_its_equation_however_lopsided() {
        use special::Beta;
        for (a, b) in [(1.0, 1.0), (1.0, 1e7), (1e7, 1.0), (3.0, 1e9), (5e5, 5e5)] {
            for probability in [1e-12, 1e-6, 0.025, 0.5, 0.975, 1.0 - 1e-9] {
                let x = beta_quantile(probability, a, b);
                let back = x.inc_beta(a, b, a.ln_beta(b));
                assert!(
                    (back - probability).abs() < 1e-8,
                    "{a} {b} {probability}: {x} gives {back}"
                );
            }
        }
    }
}
