//! Draws 10,000 samples and counts how often what was promised about the true rate holds. Compiled for tests only.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Way, clopper_pearson, propose, upper_bound};

const DRAWS: usize = 10_000;

/// Three standard deviations of a share that is counted over all draws.
fn simulation_error(share: f64) -> f64 {
    3.0 * (share * (1.0 - share) / DRAWS as f64).sqrt()
}

/// How often each count of events came up among `trials`, over all draws.
fn counts(trials: usize, rate: f64, seed: u64) -> Vec<usize> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut counts = vec![0; trials + 1];
    for _ in 0..DRAWS {
        let events = (0..trials)
            .filter(|_| generator.random::<f64>() < rate)
            .count();
        counts[events] += 1;
    }
    counts
}

/// The share of draws whose statement, a function of the events counted, is true.
fn share_true(counts: &[usize], statement: impl Fn(usize) -> bool) -> f64 {
    let held = |(events, &draws): (usize, &usize)| if statement(events) { draws } else { 0 };
    counts.iter().enumerate().map(held).sum::<usize>() as f64 / DRAWS as f64
}

#[test]
fn intervals_hold_the_true_rate_at_least_as_often_as_they_state() {
    for (seed, (trials, rate)) in [(20, 0.05), (60, 0.01), (40, 0.2), (25, 0.5), (30, 0.93)]
        .into_iter()
        .enumerate()
    {
        let counts = counts(trials, rate, seed as u64);
        for confidence in [0.8, 0.95, 0.99] {
            let two_sided = share_true(&counts, |events| {
                let interval = clopper_pearson(events, trials, confidence).unwrap();
                interval.low <= rate && rate <= interval.high
            });
            let one_sided = share_true(&counts, |events| {
                rate <= upper_bound(events, trials, confidence).unwrap()
            });
            let stated = confidence - simulation_error(confidence);
            let case = format!("{trials} at {rate}, {confidence}: {two_sided}, {one_sided}");
            assert!(two_sided >= stated && one_sided >= stated, "{case}");
        }
    }
}

#[test]
fn the_one_sided_bound_holds_no_more_often_than_it_must() {
    // Just above the bound of a certain count, that count's statement and all below are wrong: coverage is exact there.
    for (seed, (events, trials)) in [(0, 20), (1, 30), (3, 40)].into_iter().enumerate() {
        let bound = upper_bound(events, trials, 0.95).unwrap();
        let rate = bound + 1e-9;
        let counts = counts(trials, rate, 10 + seed as u64);
        let covered = share_true(&counts, |counted| {
            rate <= upper_bound(counted, trials, 0.95).unwrap()
        });
        assert!(
            (covered - 0.95).abs() <= simulation_error(0.95),
            "{covered}"
        );
    }
}

/// The shares of draws in which the true false reject rate exceeds `false_rejects`: at the proposed limit, and at the next
/// lower held-out score. Scores are exponentially distributed, so a limit's true rate is known.
fn shares_broken(pictures: usize, false_rejects: f64, confidence: f64, seed: u64) -> (f64, f64) {
    let way = Way::FalseRejectBound {
        false_rejects,
        confidence,
    };
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let (mut broken, mut broken_below) = (0, 0);
    for _ in 0..DRAWS {
        let held_out: Vec<f32> = (0..pictures)
            .map(|_| -(-generator.random::<f64>()).ln_1p() as f32)
            .collect();
        let limit = propose(way, &held_out, &[]).unwrap().value;
        let passing = |below: f32| held_out.iter().copied().filter(move |&score| score < below);
        let highest = passing(limit).fold(0.0, f32::max);
        let next_lower = passing(highest).fold(0.0, f32::max);
        let breaks = |limit: f32| usize::from((-f64::from(limit)).exp() > false_rejects);
        broken += breaks(limit);
        broken_below += breaks(next_lower);
    }
    let share = |draws: usize| draws as f64 / DRAWS as f64;
    (share(broken), share(broken_below))
}

#[test]
fn the_limit_with_a_false_reject_bound_keeps_its_promise_and_no_lower_one_does() {
    for (seed, (pictures, false_rejects, confidence)) in [
        (59, 0.05, 0.95), // only the maximum will do
        (30, 0.2, 0.9),
        (40, 0.1, 0.75),
        (60, 0.3, 0.99),
    ]
    .into_iter()
    .enumerate()
    {
        let (broken, broken_below) =
            shares_broken(pictures, false_rejects, confidence, 20 + seed as u64);
        let doubt = 1.0 - confidence;
        let case = format!("{pictures} pictures: {broken}, one lower {broken_below}");
        assert!(broken <= doubt + simulation_error(doubt), "{case}");
        assert!(broken_below > doubt + simulation_error(doubt), "{case}");
    }
}
