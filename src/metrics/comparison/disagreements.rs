//! On which pictures the runs disagree, and how often each pair of verdicts occurs.

use serde::Serialize;

use super::{Compared, LETTERS};
use crate::metrics::{ImageRow, Opinion, Verdict, disagreement, wording};

/// One picture, as all runs see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Index into the open run's rows.
    pub index: usize,
    /// Of each run; `None` where it does not know the picture.
    pub opinions: Vec<Option<Opinion>>,
    /// The largest disagreement between any two runs; see [`disagreement()`].
    pub apart: f32,
}

impl Seen {
    /// Whether any two runs give different verdicts.
    pub fn is_contested(&self) -> bool {
        self.apart >= 1.0
    }

    /// The picture, what it is, and what each run says: `test/dent/003.png, dent: A FAIL, B PASS`.
    pub fn sentence(&self, row: &ImageRow) -> String {
        let said = LETTERS.iter().zip(&self.opinions).map(|(letter, opinion)| {
            let word = opinion.map_or("not scored", |opinion| opinion.verdict.word());
            format!("{letter} {word}")
        });
        let said: Vec<String> = said.collect();
        format!("{}, {}: {}", row.path, row.defect, said.join(", "))
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

/// How two runs judge the pictures that both know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Agreement {
    pub same: usize,
    pub of: usize,
    pub different: Vec<Apart>,
}

/// Pictures that two runs judge differently in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Apart {
    pub first: Verdict,
    pub other: Verdict,
    pub pictures: usize,
}

impl Apart {
    /// `A FAIL, B PASS: 3`, where `letter` is the other run's.
    pub fn sentence(self, letter: char) -> String {
        let (first, other) = (self.first.word(), self.other.word());
        format!(
            "{} {first}, {letter} {other}: {}",
            LETTERS[0], self.pictures
        )
    }
}

impl Agreement {
    fn of(counts: &[[usize; 3]; 3]) -> Self {
        let pairs = Verdict::ALL.into_iter().flat_map(|first| {
            Verdict::ALL.map(|other| Apart {
                first,
                other,
                pictures: counts[first as usize][other as usize],
            })
        });
        let different = pairs.filter(|pair| pair.first != pair.other && pair.pictures > 0);
        Self {
            same: (0..3).map(|i| counts[i][i]).sum(),
            of: counts.iter().flatten().sum(),
            different: different.collect(),
        }
    }
}

impl Disagreements {
    /// For each run after the first: how it agrees with the first.
    pub fn agreements(&self) -> impl Iterator<Item = Agreement> {
        self.against_first.iter().map(Agreement::of)
    }

    /// How many pictures get different verdicts, in a sentence.
    pub fn sentence(&self) -> String {
        format!(
            "{} of {} get different verdicts",
            wording::grouped(self.contested),
            wording::count(self.pictures.len(), "picture")
        )
    }

    pub fn of(runs: &[Compared<'_>]) -> Self {
        let pictures = runs.first().map_or(0, |run| run.rows().len());
        let mut found = Self {
            against_first: vec![[[0; 3]; 3]; runs.len().saturating_sub(1)],
            ..Self::default()
        };
        for index in 0..pictures {
            found.add(index, runs.iter().map(|run| run.opinion(index)).collect());
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
        let with_second = found.agreements().next().unwrap();
        assert_eq!((with_second.same, with_second.of), (1, 2));
        let different = with_second.different.iter().map(|pair| pair.sentence('B'));
        assert_eq!(different.collect::<Vec<_>>(), ["A PASS, B FAIL: 1"]);
        assert_eq!(found.sentence(), "2 of 3 pictures get different verdicts");
    }
}
