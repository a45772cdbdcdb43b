//! Which test pictures the gallery lists, and how many each filter would leave: one pass over the pictures in their order.
//! Plain data, no widgets.

use super::super::verdict::Outcome;
use super::filter::Filter;
use super::index::Index;
use crate::metrics::Judgement;

/// The list, and what each choice of a filter would leave with the other filters as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Indices into the evaluation's rows.
    pub rows: Vec<usize>,
    /// In the order of [`Outcome::ALL`].
    pub per_outcome: [usize; 9],
    /// Every defect type of the test set, `good` first and `unlabelled` last.
    pub per_defect: Vec<(String, usize)>,
    /// For each of the evaluation's rows its place in `rows`; `HIDDEN` where it has none.
    places: Vec<u32>,
}

const HIDDEN: u32 = u32::MAX;

impl Listing {
    /// The pictures of `order` that the filter lets through; `found`: see [`super::filter::found`].
    pub fn of(
        index: &Index,
        order: &[usize],
        judgement: &Judgement,
        filter: &Filter,
        found: Option<&[bool]>,
    ) -> Self {
        let listed = filter.listed_outcomes();
        let only = filter.defect.as_ref();
        let only = only.map(|name| index.defects.iter().position(|defect| defect == name));
        let mut rows = Vec::with_capacity(order.len());
        let mut places = vec![HIDDEN; index.len()];
        let mut per_outcome = [0; 9];
        let mut per_defect = vec![0; index.defects.len()];
        for &picture in order {
            if found.is_some_and(|found| !found[picture]) {
                continue;
            }
            let outcome = Outcome::of(index.truths[picture], judgement, picture).index();
            let defect = index.defect_of[picture];
            per_defect[defect] += usize::from(listed[outcome]);
            if only.is_some_and(|only| only != Some(defect)) {
                continue;
            }
            per_outcome[outcome] += 1;
            if listed[outcome] {
                places[picture] = rows.len() as u32;
                rows.push(picture);
            }
        }
        Self {
            rows,
            per_outcome,
            per_defect: index.defects.iter().cloned().zip(per_defect).collect(),
            places,
        }
    }

    /// Where in the list a picture stands.
    pub fn position(&self, index: usize) -> Option<usize> {
        let place = self.places.get(index).copied();
        place.filter(|&place| place != HIDDEN).map(|at| at as usize)
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

    /// The pictures between two of the list, both included and in either direction; none where one is hidden.
    pub fn between(&self, one: usize, other: usize) -> &[usize] {
        let (Some(one), Some(other)) = (self.position(one), self.position(other)) else {
            return &[];
        };
        let range = one.min(other)..=one.max(other);
        self.rows.get(range).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::found;
    use super::super::index::made_up::{many, row, rows};
    use super::{Filter, Index, Listing, Outcome};
    use crate::metrics::{DecisionRule, ImageRow, Judgement, Limit};

    fn judged(rows: &[ImageRow]) -> Judgement {
        let rule = DecisionRule::single(Limit::manual(0.5), Limit::manual(0.5));
        Judgement::of(rows, None, &rule)
    }

    /// By name.
    fn listing(rows: &[ImageRow], filter: &Filter) -> Listing {
        let index = Index::of(rows);
        let found = found(rows, &filter.search);
        let judgement = judged(rows);
        Listing::of(&index, &index.by_name, &judgement, filter, found.as_deref())
    }

    fn falling() -> Listing {
        let index = Index::of(&rows());
        Listing::of(
            &index,
            &index.falling,
            &judged(&rows()),
            &Filter::default(),
            None,
        )
    }

    #[test]
    fn filters_combine_and_count_what_the_others_leave() {
        let filter = Filter {
            outcomes: vec![Outcome::ESCAPE, Outcome::OVERKILL],
            defect: None,
            search: " 001".to_owned(),
        };
        let listing = listing(&rows(), &filter);
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
        rows.push(row("unlabelled", "000", 0.95));
        let all = listing(&rows, &Filter::default());
        assert_eq!(all.rows, [0, 1, 2, 3, 4, 5]);
        assert_eq!(all.per_outcome, [1, 0, 1, 1, 0, 2, 0, 0, 1]);
        assert_eq!(all.per_defect.last(), Some(&("unlabelled".to_owned(), 1)));
        let only = Filter {
            defect: Some("unlabelled".to_owned()),
            ..Filter::default()
        };
        assert_eq!(listing(&rows, &only).rows, [5]);
    }

    #[test]
    fn a_defect_type_hides_the_others_and_an_unknown_one_hides_all() {
        let mut filter = Filter {
            defect: Some("crack".to_owned()),
            search: "CRACK/000".to_owned(),
            ..Filter::default()
        };
        assert_eq!(listing(&rows(), &filter).rows, [0]);
        filter.defect = Some("of another run".to_owned());
        assert!(listing(&rows(), &filter).rows.is_empty());
    }

    #[test]
    fn a_list_says_what_filtering_row_by_row_says() {
        let rows = many(3000);
        let filter = Filter {
            outcomes: vec![Outcome::ALL[8], Outcome::ESCAPE, Outcome::ALL[5]],
            defect: None,
            search: "9".to_owned(),
        };
        let judgement = judged(&rows);
        let naive = |(index, row): (usize, &ImageRow)| {
            let outcome = Outcome::of(row.truth(), &judgement, index);
            (filter.outcomes.contains(&outcome) && row.path.contains('9')).then_some(index)
        };
        let expected: Vec<usize> = rows.iter().enumerate().filter_map(naive).collect();
        let listing = listing(&rows, &filter);
        assert!(expected.len() > 100);
        assert_eq!(listing.rows, expected);
        for (place, &picture) in expected.iter().enumerate() {
            assert_eq!(listing.position(picture), Some(place));
        }
    }

    #[test]
    fn steps_stop_at_the_ends_of_the_list() {
        let listing = falling();
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

    #[test]
    fn a_stretch_of_the_list_has_both_its_ends() {
        let listing = falling();
        assert_eq!(listing.between(4, 1), [4, 3, 1]);
        assert_eq!(listing.between(1, 4), [4, 3, 1]);
        assert_eq!(listing.between(2, 2), [2]);
        assert!(listing.between(2, 99).is_empty());
    }
}
