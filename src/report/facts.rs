//! Everything a report says, worked out once: page, table and JSON all read it here. Draws nothing.

use std::collections::BTreeMap;

use super::source::Source;
use super::words;
use crate::metrics::{
    AreaRule, DecisionRule, Evaluation, Interval, Judgement, Rate, SizeCurve, SizedDefect, Truth,
    Verdict, clopper_pearson, what_it_proves,
};
use crate::store::model_file::ModelMeta;

/// Of every interval.
pub const CONFIDENCE: f64 = 0.95;

/// What is known about a run.
pub struct Facts<'a> {
    /// The run folder's name.
    pub name: String,
    /// The product: the category, or the data set's folder.
    pub product: String,
    /// When the pictures were scored.
    pub scored: Option<String>,
    pub meta: &'a ModelMeta,
    /// SHA-256 of the model file.
    pub checksum: &'a str,
    pub evaluation: &'a Evaluation,
    pub rule: DecisionRule,
    pub judgement: Judgement,
    pub types: Vec<TypeRecall>,
    /// `None` where an earlier program evaluated, or no mask marks a defect.
    pub sizes: Option<SizeCurve>,
    /// What the held-out pictures prove at T2.
    pub proof: String,
}

/// One defect type at the limits in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeRecall {
    pub name: String,
    /// In the order of [`Verdict::ALL`].
    pub counts: [usize; 3],
}

impl TypeRecall {
    pub fn count(&self, verdict: Verdict) -> usize {
        self.counts[verdict as usize]
    }

    /// Those that fail, of all.
    pub fn caught(&self) -> Rate {
        Rate {
            events: self.count(Verdict::Fail),
            of: self.counts.iter().sum(),
        }
    }
}

/// The exact interval of a rate; `None` of nothing.
pub fn interval(rate: Rate) -> Option<Interval> {
    clopper_pearson(rate.events, rate.of, CONFIDENCE)
}

impl<'a> Facts<'a> {
    pub fn of(source: &'a Source) -> Self {
        let meta = &source.model.meta;
        let evaluation = &source.record.evaluation;
        let rule = meta.limits.rule();
        let judgement = Judgement::of(&evaluation.images, source.regions.as_ref(), &rule);
        let proof = what_it_proves(&meta.calibration_scores, rule.fail_from(), CONFIDENCE);
        let area = if rule.area.is_off() {
            AreaRule::default()
        } else {
            rule.area
        };
        let sizes = source.regions.as_ref().map(|regions| {
            let defects = regions.defects(rule.pixel.value, area);
            let defects = defects.map(|defect| SizedDefect {
                area: defect.area.round().max(1.0) as usize,
                found: defect.found,
            });
            SizeCurve::of(&defects.collect::<Vec<_>>())
        });
        Self {
            name: source.name(),
            product: product(meta),
            scored: source.scored.and_then(words::date),
            meta,
            checksum: &source.model.checksum,
            types: types(evaluation, &judgement),
            sizes: sizes.filter(|curve| !curve.bins.is_empty()),
            proof: proof.sentence(),
            evaluation,
            rule,
            judgement,
        }
    }

    pub fn verdict(&self, index: usize) -> Verdict {
        let verdict = self.judgement.verdicts.get(index).copied();
        verdict.unwrap_or(Verdict::Pass)
    }

    /// Rows of one truth and verdict, in the order of the evaluation.
    pub fn rows(&self, truth: Truth, verdict: Verdict) -> Vec<usize> {
        let rows = self.evaluation.images.iter().enumerate();
        rows.filter(|(index, row)| row.truth() == truth && self.verdict(*index) == verdict)
            .map(|(index, _)| index)
            .collect()
    }
}

fn product(meta: &ModelMeta) -> String {
    let name = || {
        let name = meta.config.data.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    meta.config.category.clone().unwrap_or_else(name)
}

/// The worst caught first.
fn types(evaluation: &Evaluation, judgement: &Judgement) -> Vec<TypeRecall> {
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for (row, verdict) in evaluation.images.iter().zip(&judgement.verdicts) {
        if row.is_defective() {
            counts.entry(&row.defect).or_default()[*verdict as usize] += 1;
        }
    }
    let mut types: Vec<TypeRecall> = counts
        .into_iter()
        .map(|(name, counts)| TypeRecall {
            name: name.to_owned(),
            counts,
        })
        .collect();
    let share = |recall: &TypeRecall| recall.caught().share().unwrap_or_default();
    types.sort_by(|a, b| share(a).total_cmp(&share(b)));
    types
}
