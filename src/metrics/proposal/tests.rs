//! Tests of the ways to a limit: known tables, brute force, and evidence that is missing or damaged.

use super::{Way, propose};
use crate::metrics::{Limit, LimitOrigin, MetricsError, what_it_proves};

const AT_MOST_5: Way = bound(0.05, 0.95);
const AT_MOST_1: Way = bound(0.01, 0.95);

const fn bound(false_rejects: f64, confidence: f64) -> Way {
    Way::FalseRejectBound {
        false_rejects,
        confidence,
    }
}

const fn cost(overkill: f64, escape: f64) -> Way {
    Way::Cost { overkill, escape }
}

/// Scores 0, 1, ..., in no order.
fn held_out(pictures: usize) -> Vec<f32> {
    let mut scores: Vec<f32> = (0..pictures).map(|score| score as f32).collect();
    scores.rotate_left(pictures / 3);
    scores
}

fn failing(limit: &Limit, scores: &[f32]) -> usize {
    scores.iter().filter(|&&score| limit.rejects(score)).count()
}

#[test]
fn the_maximum_and_quantiles_are_those_of_the_held_out_pictures() {
    let scores = held_out(20);
    assert_eq!(
        propose(Way::HeldOutMaximum, &scores, &[]),
        Limit::from_held_out(&scores, None)
    );
    assert_eq!(
        propose(Way::HeldOutQuantile { quantile: 0.9 }, &scores, &[]),
        Limit::from_held_out(&scores, Some(0.9))
    );
    assert_eq!(
        propose(Way::HeldOutMaximum, &[], &[(1.0, true)]),
        Err(MetricsError::NothingHeldOut)
    );
}

#[test]
fn the_bound_spares_as_many_pictures_as_the_tables_of_wilks() {
    // The smallest samples whose highest, second highest, ... score bounds a share at 95 % confidence (Wilks 1941).
    for (way, samples) in [
        (AT_MOST_5, [59, 93, 124, 153, 181]),
        (AT_MOST_1, [299, 473, 628, 773, 913]),
    ] {
        for (spared, pictures) in samples.into_iter().enumerate() {
            let scores = held_out(pictures);
            let limit = propose(way, &scores, &[]).unwrap();
            assert_eq!(failing(&limit, &scores), spared);
            if spared > 0 {
                let fewer = held_out(pictures - 1);
                let limit = propose(way, &fewer, &[]).unwrap();
                assert_eq!(failing(&limit, &fewer), spared - 1);
            }
        }
    }
}

#[test]
fn too_few_held_out_pictures_are_told_how_many_it_takes() {
    for (way, false_rejects, needed) in [(AT_MOST_5, 0.05, 59), (AT_MOST_1, 0.01, 299)] {
        for pictures in [0, 1, needed - 1] {
            let error = propose(way, &held_out(pictures), &[]).unwrap_err();
            assert_eq!(
                error,
                MetricsError::TooFewHeldOut {
                    false_rejects,
                    confidence: 0.95,
                    needed,
                    pictures
                }
            );
        }
    }
    assert_eq!(
        propose(AT_MOST_1, &[1.0], &[]).unwrap_err().to_string(),
        "proving 1 % at 95 % confidence takes 299 held-out good pictures; there is 1"
    );
}

#[test]
fn the_bound_and_what_the_limit_proves_are_one_statement() {
    for pictures in [59, 60, 100, 153, 400] {
        for (false_rejects, confidence) in [(0.05, 0.95), (0.1, 0.9), (0.3, 0.99), (0.04, 0.5)] {
            let scores = held_out(pictures);
            let limit = propose(bound(false_rejects, confidence), &scores, &[]).unwrap();
            let proven = |limit: f32| what_it_proves(&scores, limit, confidence).at_most.unwrap();
            assert!(proven(limit.value) <= false_rejects);
            // One held-out score lower and the promise is broken.
            assert!(proven(limit.value - 1.0) > false_rejects);
        }
    }
}

#[test]
fn tied_held_out_scores_all_pass_together() {
    let limit = propose(AT_MOST_5, &[2.0; 200], &[]).unwrap();
    assert_eq!(limit.value, 2.0_f32.next_up());
    assert_eq!(
        limit.origin,
        LimitOrigin::FalseRejectBound {
            false_rejects: 0.05,
            confidence: 0.95,
            pictures: 200
        }
    );
}

#[test]
fn a_bound_met_exactly_counts_as_met_and_a_loose_one_takes_one_picture() {
    assert!(propose(bound(0.2, 0.36), &held_out(2), &[]).is_ok());
    let limit = propose(bound(0.9, 0.01), &held_out(1), &[]).unwrap();
    assert_eq!(limit.value, 0.0_f32.next_up());
}

#[test]
fn bounds_that_nothing_can_prove_and_damaged_scores_are_refused() {
    for (false_rejects, confidence) in [(0.0, 0.95), (1.0, 0.95), (0.1, 0.0), (0.1, 1.0)] {
        let error = propose(bound(false_rejects, confidence), &held_out(99), &[]).unwrap_err();
        let expected = MetricsError::NotProvable {
            false_rejects,
            confidence,
        };
        assert_eq!(error, expected);
    }
    let error = propose(bound(f64::NAN, 0.95), &held_out(99), &[]).unwrap_err();
    assert!(matches!(error, MetricsError::NotProvable { .. }));

    let mut scores = held_out(99);
    scores[7] = f32::NAN;
    let error = propose(AT_MOST_5, &scores, &[]).unwrap_err();
    assert_eq!(error, MetricsError::NotANumber { index: 7 });
    let error = propose(AT_MOST_5, &[f32::INFINITY; 99], &[]).unwrap_err();
    let score = f32::INFINITY;
    assert_eq!(error, MetricsError::NoFiniteLimit { score });
    // A rate so small that no number of pictures proves it is an error like any other.
    let error = propose(bound(1e-300, 0.95), &scores[8..], &[]).unwrap_err();
    assert!(matches!(error, MetricsError::TooFewHeldOut { .. }));
}

/// Good 1, 2, 3, 5; defective 2.5, 4, 6.
const MIXED: [(f32, bool); 7] = [
    (4.0, true),
    (1.0, false),
    (5.0, false),
    (2.5, true),
    (6.0, true),
    (2.0, false),
    (3.0, false),
];

fn value(way: Way, test: &[(f32, bool)]) -> f32 {
    propose(way, &[], test).unwrap().value
}

#[test]
fn dear_escapes_lower_the_limit_and_dear_overkill_raises_it() {
    assert_eq!(value(cost(1.0, 10.0), &MIXED), 2.25);
    assert_eq!(value(cost(1.0, 0.9), &MIXED), 5.5);
    let limit = propose(cost(1.0, 10.0), &[], &MIXED).unwrap();
    assert_eq!(
        limit.origin,
        LimitOrigin::Cost {
            overkill: 1.0,
            escape: 10.0
        }
    );
}

#[test]
fn of_limits_that_cost_the_same_the_one_with_fewest_escapes_is_taken() {
    // At 5.5 two escapes, at 3.5 one of each, at 2.25 two overkills.
    assert_eq!(value(cost(1.0, 1.0), &MIXED), 2.25);
    // Three times 0.1 is more than 0.3 in binary.
    let three_for_one = [(1.0, true), (2.0, false), (3.0, false), (4.0, false)];
    assert_eq!(value(cost(0.1, 0.3), &three_for_one), 1.0);
}

#[test]
fn free_overkill_still_rejects_no_good_picture_in_vain() {
    assert_eq!(value(cost(0.0, 1.0), &MIXED), 2.25);
    assert_eq!(value(cost(1.0, 0.0), &MIXED), 5.5);
}

#[test]
fn when_nothing_is_worth_rejecting_the_limit_lies_above_all_test_pictures() {
    let upside_down = [(1.0, true), (2.0, false)];
    assert_eq!(value(cost(2.0, 1.0), &upside_down), 2.0_f32.next_up());
    assert_eq!(
        value(cost(2.0, 1.0), &[(3.0, true), (3.0, false)]),
        3.0_f32.next_up()
    );
    assert_eq!(value(cost(1.0, 1.0), &[(3.0, true), (3.0, false)]), 3.0);
}

#[test]
fn no_other_limit_is_cheaper() {
    // Scores that repeat, from a linear congruence.
    let mut state = 7_u32;
    let mut draw = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % below
    };
    for _ in 0..300 {
        let mut test = vec![(draw(12) as f32, true), (draw(12) as f32, false)];
        for _ in 0..draw(15) {
            test.push((draw(12) as f32, draw(2) == 0));
        }
        let (overkill, escape) = (f64::from(draw(4)), f64::from(1 + draw(4)));
        let spent = |limit: f32| -> f64 {
            let wrong = |&(score, defective): &(f32, bool)| match (score >= limit, defective) {
                (true, false) => overkill,
                (false, true) => escape,
                _ => 0.0,
            };
            test.iter().map(wrong).sum()
        };
        let proposed = spent(value(cost(overkill, escape), &test));
        let cheapest = (0..=24).map(|half| spent(half as f32 / 2.0));
        assert_eq!(proposed, cheapest.fold(f64::INFINITY, f64::min));
    }
}

#[test]
fn the_best_f1_is_the_oracle() {
    let limit = propose(Way::BestF1, &[], &MIXED).unwrap();
    assert_eq!((limit.value, limit.origin), (2.25, LimitOrigin::Oracle));
}

#[test]
fn limits_from_test_pictures_need_both_kinds_and_sound_numbers() {
    for way in [cost(1.0, 1.0), Way::BestF1] {
        for (test, good, defective) in [
            (&[][..], 0, 0),
            (&[(1.0, false)], 1, 0),
            (&[(1.0, true), (2.0, true)], 0, 2),
        ] {
            let error = propose(way, &[1.0], test).unwrap_err();
            assert_eq!(error, MetricsError::NothingToWeigh { good, defective });
        }
        let error = propose(way, &[], &[(1.0, false), (f32::NAN, true)]).unwrap_err();
        assert_eq!(error, MetricsError::NotANumber { index: 1 });
        let error = propose(way, &[], &[(1.0, false), (f32::INFINITY, true)]).unwrap_err();
        assert!(matches!(error, MetricsError::NoFiniteLimit { .. }));
    }
    for (overkill, escape) in [
        (0.0, 0.0),
        (-1.0, 2.0),
        (1.0, f64::INFINITY),
        (f64::NAN, 1.0),
    ] {
        let error = propose(cost(overkill, escape), &[], &MIXED).unwrap_err();
        assert!(matches!(error, MetricsError::NotACost { .. }));
    }
}

#[test]
fn ways_are_saved_under_their_own_names() {
    for (way, saved) in [
        (Way::HeldOutMaximum, r#"{"kind":"held-out-maximum"}"#),
        (
            Way::HeldOutQuantile { quantile: 0.995 },
            r#"{"kind":"held-out-quantile","quantile":0.995}"#,
        ),
        (
            AT_MOST_1,
            r#"{"kind":"false-reject-bound","false_rejects":0.01,"confidence":0.95}"#,
        ),
        (
            cost(1.0, 12.5),
            r#"{"kind":"cost","overkill":1.0,"escape":12.5}"#,
        ),
        (Way::BestF1, r#"{"kind":"best-f1"}"#),
    ] {
        assert_eq!(serde_json::to_string(&way).unwrap(), saved);
        assert_eq!(serde_json::from_str::<Way>(saved).unwrap(), way);
    }
}
