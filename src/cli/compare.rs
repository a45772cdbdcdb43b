//! `flawscope compare`. Reads what the runs keep and scores nothing.

use anyhow::Result;
use serde::Serialize;

use super::arguments::CompareArguments;
use super::{compare_text, output};
use crate::metrics::comparison::{
    Agreement, Compared, Disagreements, Fact, LETTERS, Line, PixelGrid, Seen, TestSets,
    counterparts, facts, lines,
};
use crate::metrics::{DecisionRule, ImageRow, Protocol, Verdict};
use crate::pipeline::{Judged, judge};

/// Everything that is told about runs side by side.
pub struct Found<'a> {
    pub runs: Vec<(char, &'a Judged)>,
    pub sets: TestSets,
    pub pixels: PixelGrid,
    pub lines: Vec<Line>,
    pub facts: Vec<Fact>,
    pub disagreements: Disagreements,
    /// The rows of the first run.
    pub rows: &'a [ImageRow],
    /// How many contested pictures are to be named.
    pub named: usize,
}

impl Found<'_> {
    /// The contested pictures that are to be named, the worst first.
    pub fn named(&self) -> impl Iterator<Item = (&Seen, &ImageRow)> {
        let contested = self.disagreements.pictures.iter();
        let contested = contested.take(self.disagreements.contested.min(self.named));
        contested.filter_map(|seen| Some((seen, self.rows.get(seen.index)?)))
    }
}

pub fn run(arguments: &CompareArguments) -> Result<()> {
    let judged = arguments.runs.iter().map(|run| judge(run));
    let judged: Vec<Judged> = judged.collect::<Result<_>>()?;
    let Some(first) = judged.first() else {
        return Ok(());
    };
    let rows = &first.evaluation.images;
    let beside: Vec<_> = judged
        .iter()
        .map(|other| counterparts(rows, &other.evaluation.images))
        .collect();
    let compared: Vec<Compared<'_>> = judged
        .iter()
        .zip(&beside)
        .filter_map(|(of, rows)| of.run.compared(&of.rule, &of.judgement, Some(rows)))
        .collect();
    let sets = TestSets::of(&compared);
    let found = Found {
        runs: LETTERS.into_iter().zip(&judged).collect(),
        sets,
        pixels: PixelGrid::of(&compared),
        lines: lines(&compared, sets),
        facts: facts(&compared),
        disagreements: Disagreements::of(&compared),
        rows,
        named: arguments.pictures,
    };
    if arguments.json {
        return output::json(&File::of(&found));
    }
    compare_text::print(&found);
    Ok(())
}

#[derive(Serialize)]
struct File<'a> {
    runs: Vec<Run<'a>>,
    test_pictures: TestSets,
    /// Why the numbers are not ranked; `null` when they are.
    warning: Option<String>,
    /// Which pixels the pixel numbers are of.
    pixels: PixelGrid,
    numbers: &'a [Line],
    facts: &'a [Fact],
    pictures: Pictures<'a>,
}

#[derive(Serialize)]
struct Run<'a> {
    letter: char,
    name: String,
    path: String,
    checksum: &'a str,
    rule: &'a DecisionRule,
    protocol: &'a Protocol,
}

#[derive(Serialize)]
struct Pictures<'a> {
    /// Known to at least two runs.
    compared: usize,
    /// With different verdicts.
    contested: usize,
    /// Of each run after the first with the first.
    agreement: Vec<Agreement>,
    named: Vec<Picture<'a>>,
}

#[derive(Serialize)]
struct Picture<'a> {
    path: &'a str,
    label: &'a str,
    defect: &'a str,
    /// 1 or more: a step between neighbouring verdicts; 2 or more: PASS against FAIL.
    disagreement: f32,
    /// Of each run; `null` where it was not scored.
    opinions: Vec<Option<Said>>,
}

#[derive(Serialize)]
struct Said {
    verdict: Verdict,
    /// The score on the scale of its run: 0 is a typical good pixel, 1 is T2.
    relative: f32,
}

impl<'a> File<'a> {
    fn of(found: &'a Found<'a>) -> Self {
        let runs = found.runs.iter().map(|&(letter, judged)| Run {
            letter,
            name: judged.run.name(),
            path: judged.run.path.display().to_string(),
            checksum: &judged.run.checksum,
            rule: &judged.rule,
            protocol: &judged.evaluation.protocol,
        });
        let disagreements = &found.disagreements;
        Self {
            runs: runs.collect(),
            test_pictures: found.sets,
            warning: found.sets.warning().map(|(_, why)| why),
            pixels: found.pixels,
            numbers: &found.lines,
            facts: &found.facts,
            pictures: Pictures {
                compared: disagreements.pictures.len(),
                contested: disagreements.contested,
                agreement: disagreements.agreements().collect(),
                named: found.named().map(Picture::of).collect(),
            },
        }
    }
}

impl<'a> Picture<'a> {
    fn of((seen, row): (&Seen, &'a ImageRow)) -> Self {
        let opinions = seen.opinions.iter().map(|opinion| {
            opinion.map(|opinion| Said {
                verdict: opinion.verdict,
                relative: opinion.relative,
            })
        });
        Self {
            path: &row.path,
            label: &row.label,
            defect: &row.defect,
            disagreement: seen.apart,
            opinions: opinions.collect(),
        }
    }
}
