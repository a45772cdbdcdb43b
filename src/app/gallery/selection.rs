//! Several pictures chosen at once, beside the one that is looked at, and what can be copied of them. Plain data.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::listing::Listing;
use crate::metrics::{ImageRow, Judgement};

/// The chosen pictures, by their place in the evaluation's rows. Empty unless the user chose several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    chosen: BTreeSet<usize>,
}

impl Selection {
    pub fn len(&self) -> usize {
        self.chosen.len()
    }

    pub fn is_empty(&self) -> bool {
        self.chosen.is_empty()
    }

    pub fn contains(&self, picture: usize) -> bool {
        self.chosen.contains(&picture)
    }

    pub fn clear(&mut self) {
        self.chosen.clear();
    }

    /// Adds or removes one picture. The first addition joins the picture that is looked at (`anchor`).
    pub fn toggle(&mut self, picture: usize, anchor: usize) {
        if self.chosen.is_empty() {
            self.chosen.extend([anchor, picture]);
        } else if !self.chosen.remove(&picture) {
            self.chosen.insert(picture);
        }
    }

    /// Chooses what the list has from the picture that is looked at to this one, and nothing else.
    pub fn extend(&mut self, picture: usize, anchor: usize, listing: &Listing) {
        self.chosen = listing.between(anchor, picture).iter().copied().collect();
        self.chosen.insert(picture);
    }

    pub fn choose_all(&mut self, listing: &Listing) {
        self.chosen = listing.rows.iter().copied().collect();
    }

    /// One name a line.
    pub fn names(&self, rows: &[ImageRow]) -> String {
        let names = self.chosen.iter().filter_map(|&index| rows.get(index));
        let names: Vec<&str> = names.map(|row| row.path.as_str()).collect();
        names.join("\n")
    }

    /// A table with a header, for spreadsheets.
    pub fn csv(&self, rows: &[ImageRow], judgement: &Judgement) -> String {
        let mut table = "path,truth,defect,score,verdict\n".to_owned();
        for &index in &self.chosen {
            let (Some(row), Some(verdict)) = (rows.get(index), judgement.verdicts.get(index))
            else {
                continue;
            };
            let (path, defect) = (quoted(&row.path), quoted(&row.defect));
            let truth = row.truth().name();
            let (score, verdict) = (row.score, verdict.word());
            // Writing to a text cannot fail.
            let _ = writeln!(table, "{path},{truth},{defect},{score},{verdict}");
        }
        table
    }
}

/// In quotes where the plain text would break the row.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::Filter;
    use super::super::index::Index;
    use super::super::index::made_up::{row, rows};
    use super::{Judgement, Listing, Selection};
    use crate::metrics::{DecisionRule, Limit};

    fn judgement() -> Judgement {
        let rule = DecisionRule::single(Limit::manual(0.5), Limit::manual(0.5));
        Judgement::of(&rows(), None, &rule)
    }

    fn listing() -> Listing {
        let index = Index::of(&rows());
        Listing::of(
            &index,
            &index.falling,
            &judgement(),
            &Filter::default(),
            None,
        )
    }

    fn chosen(selection: &Selection) -> Vec<usize> {
        selection.chosen.iter().copied().collect()
    }

    #[test]
    fn pictures_join_the_one_looked_at_and_leave_one_by_one() {
        let mut selection = Selection::default();
        selection.toggle(3, 0);
        assert_eq!(chosen(&selection), [0, 3]);
        selection.toggle(4, 0);
        selection.toggle(0, 0);
        assert_eq!(chosen(&selection), [3, 4]);
        selection.clear();
        selection.toggle(2, 2);
        assert_eq!(chosen(&selection), [2]);
    }

    #[test]
    fn a_stretch_follows_the_order_of_the_list() {
        let mut selection = Selection::default();
        selection.extend(3, 0, &listing());
        assert_eq!(chosen(&selection), [0, 3, 4]);
        selection.extend(2, 99, &listing());
        assert_eq!(chosen(&selection), [2], "the anchor is hidden");
        selection.choose_all(&listing());
        assert_eq!(selection.len(), 5);
        selection.choose_all(&Listing::default());
        assert!(selection.is_empty());
    }

    #[test]
    fn copies_hold_names_and_the_verdicts_in_force() {
        let mut selection = Selection::default();
        selection.toggle(3, 1);
        assert_eq!(
            selection.names(&rows()),
            "test/crack/001.png\ntest/good/001.png"
        );
        assert_eq!(
            selection.csv(&rows(), &judgement()),
            "path,truth,defect,score,verdict\n\
             test/crack/001.png,defective,crack,0.3,PASS\n\
             test/good/001.png,good,good,0.6,FAIL\n"
        );
        let rows = [row("a, \"b\"", "000", 0.6)];
        selection = Selection::default();
        selection.toggle(0, 0);
        let table = selection.csv(&rows, &judgement());
        assert!(
            table.contains("\"test/a, \"\"b\"\"/000.png\",defective,\"a, \"\"b\"\"\",0.6,FAIL")
        );
    }
}
