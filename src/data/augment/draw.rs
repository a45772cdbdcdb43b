//! Random choices written out, so that no library release can change what a saved seed means.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::data::split::shuffle;

/// A generator with the few kinds of choices that are needed here.
pub(super) struct Draw(ChaCha8Rng);

impl Draw {
    /// One of the independent streams of a seed.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    /// 0 to 1 without 1.
    pub(super) fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / 16_777_216.0
    }

    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Uniform in `-reach..=reach`.
    pub(super) fn around_zero(&mut self, reach: f32) -> f32 {
        self.between(-reach, reach)
    }

    pub(super) fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// Uniform in `0..count`; 0 when there is nothing to choose from.
    pub(super) fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.0.next_u64()) * count as u128) >> 64) as usize
    }

    /// Uniform in `low..=high`.
    pub(super) fn whole(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high.saturating_sub(low) + 1)
    }

    pub(super) fn seed(&mut self) -> u32 {
        self.0.next_u32()
    }

    pub(super) fn sign(&mut self) -> f32 {
        if self.chance(0.5) { 1.0 } else { -1.0 }
    }

    /// Roughly normal with deviation 1: the sum of four bytes.
    pub(super) fn normal(&mut self) -> f32 {
        // The sum of four bytes has mean 510 and deviation 147.8.
        let sum: u32 = self
            .0
            .next_u32()
            .to_le_bytes()
            .iter()
            .map(|&byte| u32::from(byte))
            .sum();
        (sum as f32 - 510.0) / 147.8
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        shuffle(items, &mut self.0);
    }

    /// `0..count` in random order.
    pub(super) fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        self.shuffle(&mut order);
        order
    }

    /// Several different ones out of `all`, in random order.
    pub(super) fn distinct<T: Copy>(&mut self, all: &[T], count: usize) -> Vec<T> {
        let order = self.order(all.len());
        order.into_iter().take(count).map(|i| all[i]).collect()
    }

    /// An index with a probability in proportion to its weight; `None` when no weight is above zero.
    pub(super) fn weighted(&mut self, weights: &[f32]) -> Option<usize> {
        let total: f32 = weights.iter().filter(|&&w| w > 0.0).sum();
        let mut rest = self.unit() * total;
        let mut last = None;
        for (i, &weight) in weights.iter().enumerate().filter(|&(_, &w)| w > 0.0) {
            last = Some(i);
            if rest < weight {
                break;
            }
            rest -= weight;
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::Draw;

    #[test]
    fn streams_of_a_seed_differ_and_repeat() {
        let first = |seed, stream| Draw::new(seed, stream).seed();
        assert_eq!(first(1, 2), first(1, 2));
        assert_ne!(first(1, 2), first(1, 3));
        assert_ne!(first(1, 2), first(2, 2));
    }

    #[test]
    fn orders_never_change_between_releases() {
        assert_eq!(Draw::new(42, 3).order(8), [1, 3, 5, 0, 7, 6, 4, 2]);
    }

    #[test]
    fn choices_stay_in_their_ranges() {
        let mut draw = Draw::new(0, 0);
        for _ in 0..2000 {
            assert!((0.0..1.0).contains(&draw.unit()));
            assert!((2..=4).contains(&draw.whole(2, 4)));
            assert!(draw.below(3) < 3 && draw.below(0) == 0 && draw.whole(5, 4) == 5);
            assert!(draw.normal().abs() < 3.5);
            assert!(!draw.chance(0.0));
        }
        let mean: f32 = (0..4000).map(|_| draw.normal()).sum::<f32>() / 4000.0;
        assert!(mean.abs() < 0.06, "{mean}");
    }

    #[test]
    fn weights_are_respected_and_nothing_is_drawn_from_nothing() {
        let mut draw = Draw::new(0, 0);
        assert_eq!(draw.weighted(&[]), None);
        assert_eq!(draw.weighted(&[0.0, 0.0]), None);
        assert_eq!(draw.weighted(&[0.0, 0.1, 0.0]), Some(1));
        let second = (0..4000).filter(|_| draw.weighted(&[3.0, 1.0]) == Some(1));
        let share = second.count() as f32 / 4000.0;
        assert!((share - 0.25).abs() < 0.03, "{share}");
    }

    #[test]
    fn distinct_choices_are_distinct() {
        let mut draw = Draw::new(0, 0);
        for _ in 0..100 {
            let mut chosen = draw.distinct(&[1, 2, 3, 4], 3);
            chosen.sort_unstable();
            chosen.dedup();
            assert_eq!(chosen.len(), 3);
        }
        assert_eq!(draw.distinct(&[7], 3), [7]);
    }
}
