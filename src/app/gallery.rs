//! Which test pictures the gallery lists, in which order, and how many each filter would leave. Plain data, no widgets.

use std::collections::BTreeMap;

use super::verdict::Outcome;
use crate::metrics::{ImageRow, Judgement};

/// The order of the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    HighestScore,
    LowestScore,
    Name,
    /// Closest to the limit first: the pictures a moved limit changes next.
    ClosestToLimit,
}

impl Sort {
    pub const ALL: [Self; 4] = [
        Self::HighestScore,
        Self::LowestScore,
        Self::Name,
        Self::ClosestToLimit,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::HighestScore => "Highest first",
            Self::LowestScore => "Lowest first",
            Self::Name => "By name",
            Self::ClosestToLimit => "Near the limit",
        }
    }
}

/// What the list leaves out. The default leaves out nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only these cells of verdict and truth; empty: all.
    pub outcomes: Vec<Outcome>,
    /// Only this defect type (`good` is one, and so is `unlabelled`).
    pub defect: Option<String>,
    /// Only names that contain this text, in any case.
    pub search: String,
}

impl Filter {
    /// Adds or removes one cell of verdict and truth.
    pub fn toggle(&mut self, outcome: Outcome) {
        match self.outcomes.iter().position(|&o| o == outcome) {
            Some(at) => {
                self.outcomes.remove(at);
            }
            None => self.outcomes.push(outcome),
        }
    }
}

/// The list, and what each choice of a filter would leave with the other filters as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Indices into the evaluation's rows.
    pub rows: Vec<usize>,
    /// In the order of [`Outcome::ALL`].
    pub per_outcome: [usize; 9],
    /// Every defect type of the test set, `good` first and `unlabelled` last.
    pub per_defect: Vec<(String, usize)>,
}

impl Listing {
    pub fn of(
        rows: &[ImageRow],
        judgement: &Judgement,
        limit: f32,
        sort: Sort,
        filter: &Filter,
    ) -> Self {
        let search = filter.search.trim().to_lowercase();
        let mut listing = Self::default();
        let mut per_defect: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, row) in rows.iter().enumerate() {
            let outcome = Outcome::of(row.truth(), judgement, index);
            let of_outcome = filter.outcomes.is_empty() || filter.outcomes.contains(&outcome);
            let of_defect = filter.defect.as_ref().is_none_or(|d| *d == row.defect);
            let named = search.is_empty() || row.path.to_lowercase().contains(&search);
            *per_defect.entry(&row.defect).or_default() += usize::from(named && of_outcome);
            if named && of_defect {
                listing.per_outcome[outcome.index()] += 1;
            }
            if named && of_defect && of_outcome {
                listing.rows.push(index);
            }
        }
        listing.per_defect = good_first(per_defect);
        sort_rows(&mut listing.rows, rows, limit, sort);
        listing
    }

    /// Where in the list a picture stands.
    pub fn position(&self, index: usize) -> Option<usize> {
        self.rows.iter().position(|&row| row == index)
    }

    /// The picture `steps` further down the list from `selected`, stopping at the ends. Where the filter hides
    /// `selected`, the first of the list.
    pub fn step(&self, selected: usize, steps: isize) -> Option<usize> {
        let last = self.rows.len().checked_sub(1)?;
        let to = match self.position(selected) {
            Some(from) => from.saturating_add_signed(steps).min(last),
            None => 0,
        };
        self.rows.get(to).copied()
    }
}

fn good_first(per_defect: BTreeMap<&str, usize>) -> Vec<(String, usize)> {
    let mut list: Vec<_> = per_defect
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    list.sort_by_key(|(name, _)| (name != "good", name == "unlabelled"));
    list
}

/// Ties keep the order of names, which is the order of the rows.
fn sort_rows(order: &mut [usize], rows: &[ImageRow], limit: f32, sort: Sort) {
    let score = |&index: &usize| rows[index].score;
    match sort {
        Sort::HighestScore => order.sort_by(|a, b| score(b).total_cmp(&score(a))),
        Sort::LowestScore => order.sort_by(|a, b| score(a).total_cmp(&score(b))),
        Sort::Name => order.sort_by(|&a, &b| rows[a].path.cmp(&rows[b].path)),
        Sort::ClosestToLimit => {
            let distance = |index: &usize| (score(index) - limit).abs();
            order.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Filter, Listing, Outcome, Sort};
    use crate::metrics::{DecisionRule, ImageRow, Judgement, Limit};

    fn rows() -> Vec<ImageRow> {
        let row = |defect: &str, name: &str, score| ImageRow {
            path: format!("test/{defect}/{name}.png"),
            label: if defect == "good" {
                "good"
            } else {
                "defective"
            }
            .to_owned(),
            defect: defect.to_owned(),
            score,
        };
        vec![
            row("crack", "000", 0.9),
            row("crack", "001", 0.3),
            row("good", "000", 0.1),
            row("good", "001", 0.6),
            row("stain", "000", 0.75),
        ]
    }

    fn listing_of(sort: Sort, filter: &Filter) -> Listing {
        listing(&rows(), sort, filter)
    }

    fn listing(rows: &[ImageRow], sort: Sort, filter: &Filter) -> Listing {
        let rule = DecisionRule::single(Limit::manual(0.5), Limit::manual(0.5));
        let judgement = Judgement::of(rows, None, &rule);
        Listing::of(rows, &judgement, 0.5, sort, filter)
    }

    #[test]
    fn each_sort_orders_as_it_says() {
        let order = |sort| listing_of(sort, &Filter::default()).rows;
        assert_eq!(order(Sort::HighestScore), [0, 4, 3, 1, 2]);
        assert_eq!(order(Sort::LowestScore), [2, 1, 3, 4, 0]);
        assert_eq!(order(Sort::Name), [0, 1, 2, 3, 4]);
        assert_eq!(order(Sort::ClosestToLimit), [3, 1, 4, 0, 2]);
    }

    #[test]
    fn filters_combine_and_count_what_the_others_leave() {
        let filter = Filter {
            outcomes: vec![Outcome::ESCAPE, Outcome::OVERKILL],
            defect: None,
            search: " 001".to_owned(),
        };
        let listing = listing_of(Sort::Name, &filter);
        assert_eq!(listing.rows, [1, 3]);
        assert_eq!(listing.per_outcome, [0, 0, 1, 1, 0, 0, 0, 0, 0]);
        let expected = [("good", 1), ("crack", 1), ("stain", 0)];
        assert_eq!(
            listing.per_defect,
            expected.map(|(name, count)| (name.to_owned(), count))
        );
    }

    #[test]
    fn unlabelled_pictures_are_listed_apart_and_in_their_own_cells() {
        let mut rows = rows();
        rows.push(ImageRow {
            path: "test/unlabelled/000.png".to_owned(),
            label: "unlabelled".to_owned(),
            defect: "unlabelled".to_owned(),
            score: 0.95,
        });
        let all = listing(&rows, Sort::HighestScore, &Filter::default());
        assert_eq!(all.rows, [5, 0, 4, 3, 1, 2]);
        assert_eq!(all.per_outcome, [1, 0, 1, 1, 0, 2, 0, 0, 1]);
        assert_eq!(all.per_defect.last(), Some(&("unlabelled".to_owned(), 1)));
        let only = Filter {
            defect: Some("unlabelled".to_owned()),
            ..Filter::default()
        };
        assert_eq!(listing(&rows, Sort::Name, &only).rows, [5]);
    }

    #[test]
    fn a_defect_type_hides_the_others_and_search_ignores_case() {
        let filter = Filter {
            defect: Some("crack".to_owned()),
            search: "CRACK/000".to_owned(),
            ..Filter::default()
        };
        assert_eq!(listing_of(Sort::Name, &filter).rows, [0]);
    }

    #[test]
    fn toggling_a_cell_twice_changes_nothing() {
        let mut filter = Filter::default();
        filter.toggle(Outcome::ESCAPE);
        assert_eq!(filter.outcomes, [Outcome::ESCAPE]);
        filter.toggle(Outcome::ESCAPE);
        assert_eq!(filter, Filter::default());
    }

    #[test]
    fn steps_stop_at_the_ends_of_the_list() {
        let listing = listing_of(Sort::HighestScore, &Filter::default());
        assert_eq!(listing.step(0, 1), Some(4));
        assert_eq!(listing.step(0, -1), Some(0));
        assert_eq!(listing.step(4, isize::MAX), Some(2));
        assert_eq!(
            listing.step(99, 1),
            Some(0),
            "hidden: the first of the list"
        );
        assert_eq!(Listing::default().step(0, 1), None);
    }
}
