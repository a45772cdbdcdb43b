//! Which real defects a model may learn from. A seeded draw that comes out the same on every machine.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::sample::{Label, Sample};
use super::split::shuffle;

/// Draws `count` defective pictures that have a mask, spread over the defect types as in PRN (Zhang et al. 2023): the same
/// whole number from each type, as far as it has that many, the rest from all others. Returns ids in bytewise order; all
/// of them when there are no more than `count`. Does not depend on the order of `test`.
pub fn draw_seen(test: &[Sample], count: usize, seed: u64) -> Vec<String> {
    let mut types: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for sample in test.iter().filter(|sample| can_teach(sample)) {
        types.entry(&sample.defect).or_default().push(&sample.id);
    }
    let each = count.checked_div(types.len()).unwrap_or(0);
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let (mut drawn, mut others) = (Vec::new(), Vec::new());
    for ids in types.values_mut() {
        ids.sort_unstable();
        shuffle(ids, &mut generator);
        let (first, rest) = ids.split_at(each.min(ids.len()));
        drawn.extend_from_slice(first);
        others.extend_from_slice(rest);
    }
    shuffle(&mut others, &mut generator);
    let missing = count - drawn.len();
    drawn.extend(others.into_iter().take(missing));
    drawn.sort_unstable();
    drawn.into_iter().map(str::to_owned).collect()
}

fn can_teach(sample: &Sample) -> bool {
    sample.label == Label::Defective && !sample.masks.is_empty()
}

#[cfg(test)]
mod tests {
    use super::draw_seen;
    use crate::data::image::Orientation;
    use crate::data::{Label, Sample};

    fn sample(defect: &str, number: usize) -> Sample {
        let label = if defect == "good" {
            Label::Good
        } else {
            Label::Defective
        };
        Sample {
            id: format!("test/{defect}/{number:03}.png"),
            image: "x.png".into(),
            masks: vec!["mask.png".into()],
            label,
            defect: defect.to_owned(),
            orientation: Orientation::Ignore,
        }
    }

    fn test_set(types: &[(&str, usize)]) -> Vec<Sample> {
        let samples = |(defect, count): &(&str, usize)| {
            let defect = (*defect).to_owned();
            (0..*count)
                .map(move |number| sample(&defect, number))
                .collect::<Vec<_>>()
        };
        types.iter().flat_map(samples).collect()
    }

    fn of_type(ids: &[String], defect: &str) -> usize {
        let folder = format!("test/{defect}/");
        ids.iter().filter(|id| id.starts_with(&folder)).count()
    }

    #[test]
    fn the_types_share_evenly_and_chance_gives_the_rest() {
        let test = test_set(&[("good", 20), ("crack", 20), ("dent", 22), ("stain", 21)]);
        let drawn = draw_seen(&test, 10, 0);
        assert_eq!(drawn.len(), 10);
        assert!(drawn.is_sorted());
        assert_eq!(of_type(&drawn, "good"), 0);
        for defect in ["crack", "dent", "stain"] {
            assert!((3..=4).contains(&of_type(&drawn, defect)), "{drawn:?}");
        }
    }

    #[test]
    fn the_draw_depends_on_the_seed_and_not_on_the_order() {
        let test = test_set(&[("crack", 20), ("dent", 22)]);
        let backward: Vec<Sample> = test.iter().rev().cloned().collect();
        assert_eq!(draw_seen(&test, 10, 3), draw_seen(&backward, 10, 3));
        assert_ne!(draw_seen(&test, 10, 3), draw_seen(&test, 10, 4));
    }

    #[test]
    fn small_types_give_all_they_have_and_others_make_up_for_it() {
        let test = test_set(&[("crack", 1), ("dent", 30)]);
        let drawn = draw_seen(&test, 10, 1);
        assert_eq!((of_type(&drawn, "crack"), of_type(&drawn, "dent")), (1, 9));
    }

    #[test]
    fn more_types_than_pictures_wanted_is_a_plain_draw() {
        let test = test_set(&[("a", 5), ("b", 5), ("c", 5)]);
        assert_eq!(draw_seen(&test, 2, 0).len(), 2);
    }

    #[test]
    fn too_few_pictures_are_all_drawn_and_those_without_a_mask_never() {
        let mut test = test_set(&[("good", 3), ("crack", 3)]);
        test[4].masks.clear();
        assert_eq!(
            draw_seen(&test, 10, 0),
            ["test/crack/000.png", "test/crack/002.png"]
        );
        assert!(draw_seen(&test, 0, 0).is_empty());
        assert!(draw_seen(&[], 10, 0).is_empty());
        assert!(draw_seen(&test_set(&[("good", 3)]), 10, 0).is_empty());
    }

    #[test]
    fn the_draw_never_changes_between_releases() {
        let test = test_set(&[("crack", 9), ("dent", 9)]);
        let drawn = draw_seen(&test, 5, 42);
        let names: Vec<&str> = drawn.iter().map(|id| &id[5..]).collect();
        let expected = [
            "crack/004.png",
            "crack/008.png",
            "dent/000.png",
            "dent/007.png",
            "dent/008.png",
        ];
        assert_eq!(names, expected);
    }
}
