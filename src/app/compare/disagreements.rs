//! On which pictures the runs disagree, and how often each pair of verdicts occurs. Plain data, no widgets.

use super::column::Column;
use crate::metrics::{Opinion, Verdict, disagreement, relative_score};

/// One picture, as all runs see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Index into the open run's rows.
    pub index: usize,
    /// Of each run; `None` where it does not know the picture.
    pub opinions: Vec<Option<Opinion>>,
    /// The largest disagreement between any two runs; see [`disagreement`].
    pub apart: f32,
}

impl Seen {
    /// Whether any two runs give different verdicts.
    pub fn is_contested(&self) -> bool {
        self.apart >= 1.0
    }
}

/// What the runs say about the pictures of the open one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Disagreements {
    /// Pictures that at least two runs know; the most contested first, ties in the order of the rows.
    pub pictures: Vec<Seen>,
    /// How many of them get different verdicts.
    pub contested: usize,
    /// For each run after the first: pictures by the first run's verdict and this one's.
    pub against_first: Vec<[[usize; 3]; 3]>,
}

impl Disagreements {
    pub fn of(columns: &[Column<'_>]) -> Self {
        let pictures = columns.first().map_or(0, |c| c.evaluation.images.len());
        let mut found = Self {
            against_first: vec![[[0; 3]; 3]; columns.len().saturating_sub(1)],
            ..Self::default()
        };
        for index in 0..pictures {
            found.add(index, columns.iter().map(|c| opinion(c, index)).collect());
        }
        found.pictures.sort_by(|a, b| b.apart.total_cmp(&a.apart));
        found
    }

    fn add(&mut self, index: usize, opinions: Vec<Option<Opinion>>) {
        if let Some((Some(first), others)) = opinions.split_first() {
            for (counts, other) in self.against_first.iter_mut().zip(others) {
                if let Some(other) = other {
                    counts[first.verdict as usize][other.verdict as usize] += 1;
                }
            }
        }
        let Some(apart) = largest(&opinions) else {
            return;
        };
        let seen = Seen {
            index,
            opinions,
            apart,
        };
        self.contested += usize::from(seen.is_contested());
        self.pictures.push(seen);
    }
}

fn opinion(column: &Column<'_>, index: usize) -> Option<Opinion> {
    let row = column.row(index)?;
    let score = column.evaluation.images.get(row)?.score;
    let verdict: Verdict = *column.judgement.verdicts.get(row)?;
    let low = column.run.limits.scale.0;
    Some(Opinion {
        verdict,
        relative: relative_score(score, low, &column.rule),
    })
}

/// Between the two that are furthest apart; `None` when fewer than two know the picture.
fn largest(opinions: &[Option<Opinion>]) -> Option<f32> {
    let known: Vec<Opinion> = opinions.iter().flatten().copied().collect();
    let pairs = known.iter().enumerate().flat_map(|(at, a)| {
        let later = known.iter().skip(at + 1);
        later.map(|b| disagreement(*a, *b))
    });
    pairs.max_by(f32::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::{Disagreements, largest};
    use crate::metrics::{Opinion, Verdict};

    fn says(verdict: Verdict, relative: f32) -> Opinion {
        Opinion { verdict, relative }
    }

    #[test]
    fn a_picture_only_one_run_knows_is_no_disagreement() {
        assert_eq!(largest(&[Some(says(Verdict::Pass, 0.2)), None]), None);
        let both = [says(Verdict::Pass, 0.2), says(Verdict::Fail, 1.2)].map(Some);
        assert!(largest(&both).is_some_and(|apart| apart >= 2.0));
    }

    #[test]
    fn pairs_of_verdicts_are_counted_against_the_first_run() {
        let mut found = Disagreements {
            against_first: vec![[[0; 3]; 3]; 2],
            ..Disagreements::default()
        };
        let [pass, fail] = [says(Verdict::Pass, 0.2), says(Verdict::Fail, 1.2)].map(Some);
        found.add(0, vec![pass, fail, None]);
        found.add(1, vec![pass, pass, pass]);
        found.add(2, vec![None, fail, pass]);
        assert_eq!(found.against_first[0], [[1, 0, 1], [0; 3], [0; 3]]);
        assert_eq!(found.against_first[1], [[1, 0, 0], [0; 3], [0; 3]]);
        assert_eq!((found.pictures.len(), found.contested), (3, 2));
    }
}
