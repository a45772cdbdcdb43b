//! The verdicts of one rule on a whole test set, counted by truth. The window, the command line and the report all read
//! their counts and rates here.

use serde::Serialize;

use super::{
    DecisionRule, ImageRow, Interval, RegionTable, Truth, Verdict, clopper_pearson, share,
};

/// Of the interval beside each counted rate.
const CONFIDENCE: f64 = 0.95;

/// What a rule says about every picture.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judgement {
    /// In the order of the rows.
    pub verdicts: Vec<Verdict>,
    pub tally: Tally,
}

impl Judgement {
    /// Judges the rows of an evaluation. Without a table of regions the score alone decides.
    pub fn of(rows: &[ImageRow], regions: Option<&RegionTable>, rule: &DecisionRule) -> Self {
        let regions = regions.filter(|_| !rule.area.is_off());
        let mut judgement = Self {
            verdicts: Vec::with_capacity(rows.len()),
            tally: Tally::default(),
        };
        for (index, row) in rows.iter().enumerate() {
            let verdict = match regions {
                None => rule.of_score(row.score),
                Some(table) => {
                    let region = table.region(index, rule.pixel.value, rule.area);
                    rule.verdict(row.score, region)
                }
            };
            judgement.verdicts.push(verdict);
            judgement.tally.add(row.truth(), verdict);
        }
        judgement
    }
}

/// Pictures by truth and verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// `[truth][verdict]`, in the orders of [`Truth::ALL`] and [`Verdict::ALL`].
    counts: [[usize; 3]; 3],
}

impl Tally {
    pub fn add(&mut self, truth: Truth, verdict: Verdict) {
        self.counts[truth as usize][verdict as usize] += 1;
    }

    pub fn count(&self, truth: Truth, verdict: Verdict) -> usize {
        self.counts[truth as usize][verdict as usize]
    }

    pub fn pictures(&self, truth: Truth) -> usize {
        self.counts[truth as usize].iter().sum()
    }

    /// Pictures with this verdict, whatever their truth.
    pub fn judged(&self, verdict: Verdict) -> usize {
        self.counts.iter().map(|row| row[verdict as usize]).sum()
    }

    /// Good pictures that fail.
    pub fn overkill(&self) -> Rate {
        self.rate(Truth::Good, Verdict::Fail)
    }

    /// Defective pictures that pass.
    pub fn escapes(&self) -> Rate {
        self.rate(Truth::Defective, Verdict::Pass)
    }

    /// The share of all pictures of this truth that get this verdict.
    pub fn rate(&self, truth: Truth, verdict: Verdict) -> Rate {
        Rate {
            events: self.count(truth, verdict),
            of: self.pictures(truth),
        }
    }

    /// Pictures, labelled or not, that a person has to look at.
    pub fn review(&self) -> Rate {
        Rate {
            events: self.judged(Verdict::Review),
            of: self.counts.iter().flatten().sum(),
        }
    }
}

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Rate {
    pub events: usize,
    pub of: usize,
}

impl Rate {
    /// The exact two-sided interval at 95 % confidence; `None` of nothing.
    pub fn interval(self) -> Option<Interval> {
        clopper_pearson(self.events, self.of, CONFIDENCE)
    }

    /// `None` of nothing.
    pub fn share(self) -> Option<f64> {
        share(self.events, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::{Judgement, Rate};
    use crate::metrics::extent::MapExtent;
    use crate::metrics::{
        AreaRule, Combination, DecisionRule, ImageRow, Limit, RegionTable, Truth, Verdict,
    };
    use Verdict::{Fail, Pass, Review};

    fn rows() -> Vec<ImageRow> {
        let row = |label: &str, score| ImageRow {
            path: format!("{label}/{score}.png"),
            label: label.to_owned(),
            defect: label.to_owned(),
            score,
        };
        vec![
            row("good", 0.2),
            row("good", 0.6),
            row("good", 0.9),
            row("defective", 0.3),
            row("defective", 0.8),
            row("unlabelled", 0.7),
        ]
    }

    fn rule() -> DecisionRule {
        DecisionRule::single(Limit::manual(0.8), Limit::manual(0.5))
            .with_review(Some(Limit::manual(0.5)))
    }

    #[test]
    fn pictures_are_counted_by_truth_and_verdict() {
        let judgement = Judgement::of(&rows(), None, &rule());
        assert_eq!(judgement.verdicts, [Pass, Review, Fail, Pass, Fail, Review]);
        let tally = judgement.tally;
        assert_eq!(tally.overkill(), Rate { events: 1, of: 3 });
        assert_eq!(tally.escapes(), Rate { events: 1, of: 2 });
        assert_eq!(tally.review(), Rate { events: 2, of: 6 });
        assert_eq!(tally.count(Truth::Unlabelled, Review), 1);
        assert_eq!(tally.judged(Fail), 2);
        assert_eq!(tally.overkill().share(), Some(1.0 / 3.0));
    }

    #[test]
    fn regions_have_a_say_only_where_the_rule_asks_them() {
        let mut regions = RegionTable::default();
        for _ in rows() {
            regions.push(1.0, &MapExtent::of(&[0.9, 0.1], 2, &[]), &[]);
        }
        let judged = |combination, pixels| {
            let area = AreaRule {
                combination,
                pixels,
            };
            Judgement::of(&rows(), Some(&regions), &rule().with_area(area)).tally
        };
        let plain = Judgement::of(&rows(), None, &rule()).tally;
        assert_eq!(judged(Combination::ScoreOnly, 2.0), plain);
        assert_eq!(judged(Combination::ScoreAndArea, 1.0), plain);
        assert_eq!(judged(Combination::ScoreAndArea, 2.0).judged(Pass), 6);
        assert_eq!(judged(Combination::ScoreOrArea, 1.0).judged(Fail), 6);
    }

    #[test]
    fn rates_of_nothing_are_undefined() {
        let tally = Judgement::of(&[], None, &rule()).tally;
        assert_eq!(tally.overkill().share(), None);
        assert_eq!(tally.review().share(), None);
    }
}
