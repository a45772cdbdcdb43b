//! How many pictures of each defect type fail, go to review or escape, the worst first.

use std::collections::BTreeMap;

use super::{ImageRow, Judgement, Rate, Verdict};

/// Which picture is of which defect type; worked out once, since names are slow to compare.
#[derive(Debug, Default)]
pub struct DefectTypes {
    names: Vec<String>,
    /// The lowest score of each: a limit at or below it catches all.
    weakest: Vec<f32>,
    /// Row and type of each defective picture.
    of_row: Vec<(u32, u32)>,
}

impl DefectTypes {
    pub fn of(rows: &[ImageRow]) -> Self {
        let mut known: BTreeMap<&str, u32> = BTreeMap::new();
        let mut types = Self::default();
        for (index, row) in rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.is_defective())
        {
            let kind = *known.entry(&row.defect).or_insert_with(|| {
                types.names.push(row.defect.clone());
                types.weakest.push(f32::INFINITY);
                types.names.len() as u32 - 1
            });
            if let Some(weakest) = types.weakest.get_mut(kind as usize) {
                *weakest = weakest.min(row.score);
            }
            types.of_row.push((index as u32, kind));
        }
        types
    }

    /// Every defect type, the worst caught first.
    pub fn recall(&self, judgement: &Judgement) -> Vec<TypeRecall<'_>> {
        let types = self.names.iter().zip(&self.weakest);
        let mut list: Vec<TypeRecall<'_>> = types
            .map(|(name, &weakest)| TypeRecall {
                name,
                weakest,
                counts: [0; 3],
            })
            .collect();
        for &(row, kind) in &self.of_row {
            let verdict = judgement.verdicts.get(row as usize);
            if let (Some(recall), Some(&verdict)) = (list.get_mut(kind as usize), verdict) {
                recall.counts[verdict as usize] += 1;
            }
        }
        list.sort_by(|a, b| a.share().total_cmp(&b.share()).then(a.name.cmp(b.name)));
        list
    }
}

/// One defect type at the limits in force.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeRecall<'a> {
    pub name: &'a str,
    /// The lowest score among them: a limit at or below it catches all.
    pub weakest: f32,
    /// In the order of [`Verdict::ALL`].
    pub counts: [usize; 3],
}

impl TypeRecall<'_> {
    pub fn count(&self, verdict: Verdict) -> usize {
        self.counts[verdict as usize]
    }

    /// Pictures that fail.
    pub fn caught(&self) -> Rate {
        Rate {
            events: self.count(Verdict::Fail),
            of: self.counts.iter().sum(),
        }
    }

    fn share(&self) -> f64 {
        self.caught().share().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DecisionRule, ImageRow, Judgement, Limit};
    use super::DefectTypes;

    fn row(label: &str, defect: &str, score: f32) -> ImageRow {
        ImageRow {
            path: format!("test/{defect}/{score}.png"),
            label: label.to_owned(),
            defect: defect.to_owned(),
            score,
        }
    }

    fn rule() -> DecisionRule {
        DecisionRule::single(Limit::manual(0.6), Limit::manual(0.5))
            .with_review(Some(Limit::manual(0.3)))
    }

    #[test]
    fn the_worst_caught_type_comes_first_and_good_and_unlabelled_pictures_do_not_count() {
        let rows = [
            row("defective", "dent", 0.9),
            row("defective", "dent", 0.7),
            row("defective", "scratch", 0.4),
            row("defective", "scratch", 0.8),
            row("defective", "scratch", 0.2),
            row("good", "good", 0.9),
            row("unlabelled", "unlabelled", 0.9),
        ];
        let types = DefectTypes::of(&rows);
        let recall = types.recall(&Judgement::of(&rows, None, &rule()));
        let seen: Vec<_> = recall
            .iter()
            .map(|r| (r.name, r.counts, r.weakest))
            .collect();
        assert_eq!(
            seen,
            [("scratch", [1, 1, 1], 0.2), ("dent", [0, 0, 2], 0.7)]
        );
        assert_eq!((recall[0].caught().events, recall[0].caught().of), (1, 3));
    }

    #[test]
    fn without_defects_there_is_nothing_to_catch() {
        let types = DefectTypes::of(&[row("good", "good", 0.1)]);
        assert!(types.recall(&Judgement::default()).is_empty());
    }
}
