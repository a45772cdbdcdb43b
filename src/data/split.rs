//! Which good pictures train and which are held out. Seeded draws that come out the same on every machine.

use std::path::Path;

use anyhow::{Result, ensure};
use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::sample::{Finding, Sample, Severity};

/// Fewest good pictures a model is trained on, and fewest that calibrate it.
pub const MIN_TRAIN: usize = 4;
pub const MIN_CALIBRATION: usize = 4;

/// Good training pictures, parted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainSplit {
    pub train: Vec<Sample>,
    /// Never trained on; the limits come from their scores.
    pub calibration: Vec<Sample>,
}

/// Holds out `fraction` (0 to 1) of the training pictures, never fewer than `at_least`, by a seeded draw that does not
/// depend on the order they come in. Both parts are sorted by id. The error says how many are needed.
pub fn split_calibration(
    train: &[Sample],
    fraction: f64,
    at_least: usize,
    seed: u64,
) -> Result<TrainSplit> {
    ensure!(
        (0.0..1.0).contains(&fraction),
        "the share of pictures held out for calibration must be from 0 to below 1, not {fraction}"
    );
    let held_out = ((fraction * train.len() as f64).round() as usize).max(at_least);
    ensure!(
        train.len() >= held_out + MIN_TRAIN,
        "training needs {} good pictures, {MIN_TRAIN} to learn from and {held_out} held out for calibration, but there are {}",
        held_out + MIN_TRAIN,
        train.len()
    );
    let (train, calibration) = part(train.to_vec(), held_out, seed);
    Ok(TrainSplit { train, calibration })
}

/// Draws `count` samples; returns the others and the drawn ones, both sorted by id.
pub(super) fn part(
    mut samples: Vec<Sample>,
    count: usize,
    seed: u64,
) -> (Vec<Sample>, Vec<Sample>) {
    samples.sort_by(|a, b| a.id.cmp(&b.id));
    let mut order: Vec<usize> = (0..samples.len()).collect();
    shuffle(&mut order, &mut ChaCha8Rng::seed_from_u64(seed));
    let drawn = order.get(..count).unwrap_or(&order);
    let mut is_drawn = vec![false; samples.len()];
    for &i in drawn {
        is_drawn[i] = true;
    }
    let (drawn, kept): (Vec<_>, Vec<_>) = samples
        .into_iter()
        .zip(is_drawn)
        .partition(|(_, drawn)| *drawn);
    let plain = |pairs: Vec<(Sample, bool)>| pairs.into_iter().map(|(sample, _)| sample).collect();
    (plain(kept), plain(drawn))
}

/// Fisher and Yates' shuffle, written out so that no library release can change the order behind a saved seed.
pub(super) fn shuffle<T>(items: &mut [T], generator: &mut impl Rng) {
    for i in (1..items.len()).rev() {
        // Multiply and shift maps 64 random bits to 0..=i; the bias is below 2^-40 for any list that fits in memory.
        let j = (u128::from(generator.next_u64()) * (i as u128 + 1)) >> 64;
        items.swap(i, j as usize);
    }
}

/// The finding about a folder with fewer good pictures than training and calibration need.
pub(super) fn too_few(folder: &Path, good: usize) -> Option<Finding> {
    let needed = MIN_TRAIN + MIN_CALIBRATION;
    let text = format!(
        "training needs {needed} good pictures, {MIN_TRAIN} to learn from and {MIN_CALIBRATION} held out for calibration, but there are {good}"
    );
    (good < needed).then(|| Finding::new(Severity::Error, folder, text))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::split_calibration;
    use crate::data::image::Orientation;
    use crate::data::{Label, Sample};

    fn samples(count: usize) -> Vec<Sample> {
        let sample = |i: usize| Sample {
            id: format!("train/good/{i:03}.png"),
            image: format!("/d/{i:03}.png").into(),
            masks: vec![],
            label: Label::Good,
            defect: "good".into(),
            orientation: Orientation::Ignore,
        };
        (0..count).map(sample).collect()
    }

    fn ids(samples: &[Sample]) -> Vec<&str> {
        samples.iter().map(|sample| sample.id.as_str()).collect()
    }

    #[test]
    fn the_parts_are_disjoint_complete_and_sorted() {
        let split = split_calibration(&samples(209), 0.1, 4, 0).expect("a split");
        assert_eq!((split.train.len(), split.calibration.len()), (188, 21));
        assert!(
            split.train.is_sorted_by(|a, b| a.id < b.id)
                && split.calibration.is_sorted_by(|a, b| a.id < b.id)
        );
        let all: BTreeSet<&str> = ids(&split.train)
            .into_iter()
            .chain(ids(&split.calibration))
            .collect();
        assert_eq!(all.len(), 209);
    }

    #[test]
    fn the_draw_depends_on_the_seed_and_not_on_the_order() {
        let forward = split_calibration(&samples(30), 0.2, 4, 7).expect("a split");
        let backward: Vec<Sample> = samples(30).into_iter().rev().collect();
        assert_eq!(
            split_calibration(&backward, 0.2, 4, 7).expect("a split"),
            forward
        );
        assert_ne!(
            split_calibration(&samples(30), 0.2, 4, 8).expect("a split"),
            forward
        );
    }

    #[test]
    fn the_draw_never_changes_between_releases() {
        let split = split_calibration(&samples(12), 0.1, 4, 42).expect("a split");
        let numbers: Vec<&str> = ids(&split.calibration)
            .iter()
            .map(|id| &id[11..14])
            .collect();
        assert_eq!(numbers, ["000", "003", "007", "011"]);
    }

    #[test]
    fn eight_pictures_are_enough_and_seven_say_what_is_missing() {
        let split = split_calibration(&samples(8), 0.1, 4, 0).expect("a split");
        assert_eq!((split.train.len(), split.calibration.len()), (4, 4));
        let text = split_calibration(&samples(7), 0.1, 4, 0)
            .expect_err("too few")
            .to_string();
        assert_eq!(
            text,
            "training needs 8 good pictures, 4 to learn from and 4 held out for calibration, but there are 7"
        );
        assert!(split_calibration(&[], 0.1, 4, 0).is_err());
        assert!(split_calibration(&samples(20), 0.9, 4, 0).is_err());
        assert!(split_calibration(&samples(20), f64::NAN, 4, 0).is_err());
    }
}
