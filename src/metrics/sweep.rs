//! Lowers the limit over sorted scores and counts what lies at or above it. All metrics are read off this one walk.

/// A score as an integer that sorts from the highest score to the lowest; equal scores (also 0 and -0) are equal ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank(u32);

const SIGN: u32 = 1 << 31;

impl Rank {
    /// `score` must not be NaN.
    pub(super) fn of(score: f32) -> Self {
        let bits = (score + 0.0).to_bits(); // -0 + 0 = 0
        Self(if bits & SIGN == 0 {
            !(bits | SIGN)
        } else {
            bits
        })
    }

    pub(super) fn score(self) -> f32 {
        f32::from_bits(if self.0 & SIGN == 0 {
            !(self.0 | SIGN)
        } else {
            self.0
        })
    }
}

/// A defective pixel (or picture) and the ground-truth region it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Defect {
    pub(super) rank: Rank,
    pub(super) region: u32,
}

/// Scores that come with whether they are of something defective, sorted for [`sweep`]. None may be NaN.
pub(super) fn ranked(scores: impl IntoIterator<Item = (f32, bool)>) -> (Vec<Rank>, Vec<Defect>) {
    let (mut good, mut defects) = (Vec::new(), Vec::new());
    for (score, is_defective) in scores {
        let rank = Rank::of(score);
        if is_defective {
            defects.push(Defect { rank, region: 0 });
        } else {
            good.push(rank);
        }
    }
    good.sort_unstable();
    defects.sort_unstable();
    (good, defects)
}

/// How many scores of each kind lie at or above `limit`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cut {
    pub(super) limit: f32,
    pub(super) good: usize,
    pub(super) defective: usize,
}

/// In a stretch without defects only every so many good scores make a cut: 4096 of them span all good scores.
/// Areas and the best F1 do not change by this, since all curves run straight there; 67 million pixels sweep faster.
const CUTS_OF_GOOD: usize = 4096;

/// Walks from the highest score to the lowest; equal scores are always passed together. Both slices must be sorted.
pub(super) fn sweep<'a>(good: &'a [Rank], defects: &'a [Defect]) -> impl Iterator<Item = Cut> + 'a {
    let stride = (good.len() / CUTS_OF_GOOD).max(1);
    let (mut goods_passed, mut defects_passed) = (0, 0);
    std::iter::from_fn(move || {
        let goods_left = &good[goods_passed..];
        let defects_left = &defects[defects_passed..];
        let next_defect = defects_left.first().map(|defect| defect.rank);
        let goods_before = next_defect.map_or(goods_left.len(), |next| {
            gallop(goods_left, |&rank| rank < next)
        });
        let rank = match goods_before {
            0 => next_defect?,
            many => goods_left[many.min(stride) - 1],
        };
        goods_passed += gallop(goods_left, |&other| other <= rank);
        defects_passed += gallop(defects_left, |defect| defect.rank <= rank);
        Some(Cut {
            limit: rank.score(),
            good: goods_passed,
            defective: defects_passed,
        })
    })
}

/// `partition_point` that looks near the front first: the answer is usually a few elements away.
fn gallop<T>(sorted: &[T], before: impl Fn(&T) -> bool) -> usize {
    let mut probe = 1;
    while sorted.get(probe).is_some_and(&before) {
        probe *= 2;
    }
    let from = (probe / 2).min(sorted.len());
    let to = probe.min(sorted.len());
    from + sorted[from..to].partition_point(before)
}

#[cfg(test)]
mod tests {
    use super::{Cut, Defect, Rank, gallop, sweep};

    #[test]
    fn ranks_fall_as_scores_rise_and_lead_back_to_the_score() {
        let falling = [
            f32::INFINITY,
            f32::MAX,
            1.5,
            1.0,
            f32::MIN_POSITIVE,
            1e-45,
            0.0,
            -1e-45,
            -2.0,
            f32::MIN,
            f32::NEG_INFINITY,
        ];
        assert!(
            falling
                .windows(2)
                .all(|pair| Rank::of(pair[0]) < Rank::of(pair[1]))
        );
        assert!(
            falling
                .iter()
                .all(|&score| Rank::of(score).score() == score)
        );
    }

    #[test]
    fn both_zeros_tie() {
        assert_eq!(Rank::of(0.0), Rank::of(-0.0));
    }

    #[test]
    fn galloping_finds_every_boundary() {
        for length in 0..40 {
            let sorted: Vec<usize> = (0..length).collect();
            for boundary in 0..=length {
                assert_eq!(gallop(&sorted, |&value| value < boundary), boundary);
            }
        }
    }

    fn sorted(scores: &[f32]) -> Vec<Rank> {
        let mut ranks: Vec<Rank> = scores.iter().copied().map(Rank::of).collect();
        ranks.sort_unstable();
        ranks
    }

    fn defects(scores: &[f32]) -> Vec<Defect> {
        sorted(scores)
            .into_iter()
            .map(|rank| Defect { rank, region: 0 })
            .collect()
    }

    #[test]
    fn each_distinct_score_makes_one_cut() {
        let (good, defects) = (sorted(&[0.1, 0.4, 0.4, 0.8]), defects(&[0.4, 0.8, 0.35]));
        let cuts: Vec<_> = sweep(&good, &defects)
            .map(|cut| (cut.limit, cut.good, cut.defective))
            .collect();
        assert_eq!(cuts, [(0.8, 1, 1), (0.4, 3, 2), (0.35, 3, 3), (0.1, 4, 3)]);
    }

    #[test]
    fn one_class_alone_is_swept_to_its_end_and_nothing_makes_no_cut() {
        let cuts =
            |good: &[f32], defective: &[f32]| sweep(&sorted(good), &defects(defective)).count();
        assert_eq!(cuts(&[1.0, 2.0, 2.0], &[]), 2);
        assert_eq!(cuts(&[], &[1.0, 2.0, 2.0]), 2);
        assert_eq!(cuts(&[], &[]), 0);
    }

    #[test]
    fn long_stretches_of_good_scores_make_few_cuts_and_lose_no_count() {
        let good = sorted(&(0..100_000).map(|i| (i / 3) as f32).collect::<Vec<_>>());
        let defects = defects(&[-1.0, 20_000.0]);
        let cuts: Vec<Cut> = sweep(&good, &defects).collect();
        assert!(cuts.len() < 4200, "{} cuts", cuts.len());
        let at_defect = cuts.iter().find(|cut| cut.defective == 1).unwrap();
        assert_eq!(
            (at_defect.limit, at_defect.good),
            (20_000.0, 100_000 - 3 * 20_000)
        );
        assert_eq!(
            cuts.last().unwrap(),
            &Cut {
                limit: -1.0,
                good: 100_000,
                defective: 2
            }
        );
    }
}
