//! Everything a report says about a run at the limits in force, worked out once with the functions the window uses. Plain
//! data without words.

use std::cmp::Ordering;
use std::path::Path;

use super::source::Source;
use crate::metrics::{
    DecisionRule, DefectTypes, Evaluation, ImageRow, Judgement, Outcome, Protocol, SizeCurve,
    Tally, TypeRecall,
};
use crate::store::Limits;

/// How many of the worst pictures are shown.
const SHOWN: usize = 6;

#[derive(Debug)]
pub struct Facts {
    pub source: Source,
    pub rule: DecisionRule,
    pub judgement: Judgement,
    pub types: DefectTypes,
    /// `None` where the regions were never measured.
    pub sizes: Option<SizeCurve>,
    pub overkill: Worst,
    pub escapes: Worst,
}

/// The pictures of one kind of error, the worst first, as indices of rows.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Worst {
    pub rows: Vec<usize>,
}

impl Worst {
    /// Good pictures that fail: the higher the score, the worse. Defective ones that pass: the lower, the worse.
    fn of(outcome: Outcome, rows: &[ImageRow], judgement: &Judgement) -> Self {
        let is_alike = |index: &usize| {
            rows.get(*index)
                .is_some_and(|row| Outcome::of(row.truth(), judgement, *index) == outcome)
        };
        let mut found: Vec<usize> = (0..rows.len()).filter(is_alike).collect();
        // Rows come in the order of their names, which the stable sort keeps among equals.
        found.sort_by(|&a, &b| match (rows.get(a), rows.get(b)) {
            (Some(a), Some(b)) if outcome == Outcome::ESCAPE => a.score.total_cmp(&b.score),
            (Some(a), Some(b)) => b.score.total_cmp(&a.score),
            _ => Ordering::Equal,
        });
        Self { rows: found }
    }

    /// Those that are shown with pictures.
    pub fn shown(&self) -> &[usize] {
        self.rows.get(..SHOWN).unwrap_or(&self.rows)
    }
}

impl Facts {
    pub fn of(source: Source) -> Self {
        let rule = source.model.meta.limits.rule();
        let rows = &source.record.evaluation.images;
        let regions = source.regions.as_ref();
        let judgement = Judgement::of(rows, regions, &rule);
        Self {
            types: DefectTypes::of(rows),
            sizes: regions.map(|regions| SizeCurve::at(regions, rule.pixel.value, rule.area)),
            overkill: Worst::of(Outcome::OVERKILL, rows, &judgement),
            escapes: Worst::of(Outcome::ESCAPE, rows, &judgement),
            judgement,
            rule,
            source,
        }
    }

    pub fn evaluation(&self) -> &Evaluation {
        &self.source.record.evaluation
    }

    pub fn protocol(&self) -> &Protocol {
        &self.evaluation().protocol
    }

    pub fn rows(&self) -> &[ImageRow] {
        &self.evaluation().images
    }

    pub fn tally(&self) -> &Tally {
        &self.judgement.tally
    }

    pub fn limits(&self) -> &Limits {
        &self.source.model.meta.limits
    }

    pub fn pixels_per_mm(&self) -> Option<f64> {
        self.limits().pixels_per_mm
    }

    /// Image scores of the held-out good pictures.
    pub fn held_out(&self) -> &[f32] {
        &self.source.model.meta.calibration_scores
    }

    /// Every defect type, the worst caught first.
    pub fn recall(&self) -> Vec<TypeRecall<'_>> {
        self.types.recall(&self.judgement)
    }

    /// The verdict on a picture held against what is known about it.
    pub fn outcome(&self, index: usize) -> Option<Outcome> {
        let row = self.rows().get(index)?;
        Some(Outcome::of(row.truth(), &self.judgement, index))
    }

    /// What was inspected: the category, or the folder of the only one there is.
    pub fn product(&self) -> String {
        let config = &self.source.model.meta.config;
        match (&config.category, self.test_folder()) {
            (Some(category), _) => category.clone(),
            (None, Some(folder)) if folder.starts_with(&config.data) => last_name(folder),
            (None, _) => last_name(&config.data),
        }
    }

    /// Where the test pictures lie: the folder their ids start from.
    pub fn test_folder(&self) -> Option<&Path> {
        let first = self.source.record.samples.first()?;
        first.image.ancestors().nth(first.id.split('/').count())
    }

    /// Whether a limit in force was chosen by looking at the pictures it is judged on.
    pub fn flatters_itself(&self) -> bool {
        let limits = [Some(&self.rule.fail), self.rule.review.as_ref()];
        let mut limits = limits.into_iter().flatten();
        limits.any(|limit| limit.origin.looks_at_test_set())
    }
}

fn last_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::Worst;
    use crate::metrics::{DecisionRule, ImageRow, Judgement, Limit, Outcome};

    fn row(label: &str, score: f32) -> ImageRow {
        ImageRow {
            path: format!("test/{label}/{score}.png"),
            label: label.to_owned(),
            defect: label.to_owned(),
            score,
        }
    }

    #[test]
    fn the_worst_come_first_and_pictures_to_review_are_no_errors() {
        let rows = [
            row("good", 0.7),
            row("good", 0.9),
            row("good", 0.55),
            row("defective", 0.4),
            row("defective", 0.2),
            row("defective", 0.55),
            row("unlabelled", 0.9),
        ];
        let rule = DecisionRule::single(Limit::manual(0.6), Limit::manual(0.5))
            .with_review(Some(Limit::manual(0.5)));
        let judgement = Judgement::of(&rows, None, &rule);
        let worst = |outcome| Worst::of(outcome, &rows, &judgement).rows;
        assert_eq!(worst(Outcome::OVERKILL), [1, 0]);
        assert_eq!(worst(Outcome::ESCAPE), [4, 3]);
    }

    #[test]
    fn only_a_few_are_shown() {
        let many = Worst {
            rows: (0..20).collect(),
        };
        assert_eq!(many.shown(), [0, 1, 2, 3, 4, 5]);
        assert!(Worst::default().shown().is_empty());
    }
}
