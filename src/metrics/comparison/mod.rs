//! Two or three runs side by side, each judged at its own limits: their numbers, their protocols, and the pictures they
//! judge differently. The window and the command line both read it here.

mod disagreements;
mod numbers;
mod pixel_grid;
mod protocols;
mod test_sets;

use std::collections::HashMap;

pub use self::disagreements::{Agreement, Apart, Disagreements, Seen};
pub use self::numbers::{Better, Cell, Line, lines};
pub use self::pixel_grid::PixelGrid;
pub use self::protocols::{Fact, differences_sentence, facts};
pub use self::test_sets::TestSets;
use super::{DecisionRule, Evaluation, ImageRow, Judgement, Opinion, Verdict, relative_score};

/// What the runs are called, in their order. More cannot be read side by side.
pub const LETTERS: [char; 3] = ['A', 'B', 'C'];

/// One of the runs.
#[derive(Debug, Clone, Copy)]
pub struct Compared<'a> {
    pub evaluation: &'a Evaluation,
    pub judgement: &'a Judgement,
    /// By which it was judged.
    pub rule: &'a DecisionRule,
    /// The dark end of its frozen colour scale: where typical good pixels lie.
    pub low: f32,
    pub category: Option<&'a str>,
    /// For each picture of the first run its row here; `None` for the first run itself.
    pub counterparts: Option<&'a [Option<usize>]>,
}

impl<'a> Compared<'a> {
    pub fn rows(&self) -> &'a [ImageRow] {
        &self.evaluation.images
    }

    /// What it says about the first run's picture `index`; `None` when it does not know the picture.
    pub fn opinion(&self, index: usize) -> Option<Opinion> {
        let index = match self.counterparts {
            None => index,
            Some(counterparts) => (*counterparts.get(index)?)?,
        };
        let score = self.rows().get(index)?.score;
        let verdict: Verdict = *self.judgement.verdicts.get(index)?;
        Some(Opinion {
            verdict,
            relative: relative_score(score, self.low, self.rule),
        })
    }
}

/// For each row of `first` the row of `other` with the same picture, by its path.
pub fn counterparts(first: &[ImageRow], other: &[ImageRow]) -> Vec<Option<usize>> {
    let by_path: HashMap<&str, usize> = other
        .iter()
        .enumerate()
        .map(|(index, row)| (row.path.as_str(), index))
        .collect();
    first
        .iter()
        .map(|row| by_path.get(row.path.as_str()).copied())
        .collect()
}
