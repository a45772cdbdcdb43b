//! By how much training pictures are turned: several draws per picture, from a seed. Turns nothing itself.

use anyhow::{Result, ensure};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Keeps these draws apart from the others of the same seed, which are from the streams below.
const STREAMS: u64 = 1 << 63;

/// Each picture is turned by several angles, uniform in a range around zero. An angle depends on the seed, the
/// picture's number and the draw's number and on nothing else, on every machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rotations {
    seed: u64,
    draws: usize,
    max_degrees: f64,
}

impl Rotations {
    /// `draws` angles per picture in `-max_degrees..=max_degrees`; CFLOW-AD's augmentation draws within 5 degrees.
    pub fn new(seed: u64, draws: usize, max_degrees: f64) -> Result<Self> {
        ensure!(
            draws > 0,
            "each picture must be turned at least once; one turn by 0 degrees leaves it as it is"
        );
        ensure!(
            (0.0..=180.0).contains(&max_degrees),
            "pictures cannot be turned by up to {max_degrees} degrees; use 0 to 180"
        );
        Ok(Self {
            seed,
            draws,
            max_degrees,
        })
    }

    /// How many angles each picture has.
    pub fn draws(&self) -> usize {
        self.draws
    }

    /// All angles of one picture, in degrees counterclockwise. With more draws the first ones stay the same.
    pub fn angles(&self, picture: usize) -> Vec<f64> {
        let mut generator = ChaCha8Rng::seed_from_u64(self.seed);
        generator.set_stream(STREAMS | picture as u64);
        let mut angle = || {
            // The upper 53 of 64 random bits: 0 to 1 without 1. Written out so that no library release can change it.
            let share = (generator.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
            (2.0 * share - 1.0) * self.max_degrees
        };
        (0..self.draws).map(|_| angle()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Rotations;

    fn angles(seed: u64, picture: usize, draws: usize) -> Vec<f64> {
        Rotations::new(seed, draws, 5.0)
            .expect("an ordinary range")
            .angles(picture)
    }

    #[test]
    fn an_angle_depends_on_seed_picture_and_draw_only() {
        let some = angles(1, 2, 3);
        assert_eq!(some, angles(1, 2, 3));
        assert_eq!(some, angles(1, 2, 8)[..3]);
        for other in [angles(2, 2, 3), angles(1, 3, 3)] {
            assert!(some.iter().all(|angle| !other.contains(angle)));
        }
    }

    #[test]
    fn angles_are_the_same_on_every_machine() {
        let expected = [
            -0.648_833_456_434_573_2,
            4.614_288_932_635_669,
            -1.372_717_907_955_919_3,
        ];
        assert_eq!(angles(42, 7, 3), expected);
    }

    #[test]
    fn angles_are_spread_evenly_over_their_range() {
        let mut all: Vec<f64> = (0..500).flat_map(|picture| angles(0, picture, 4)).collect();
        all.sort_by(f64::total_cmp);
        // Kolmogorov and Smirnov's distance from the uniform distribution: 2,000 draws exceed 0.04 once in 300 trials.
        for (i, angle) in all.iter().enumerate() {
            let share = (angle + 5.0) / 10.0;
            assert!((0.0..=1.0).contains(&share));
            assert!((share - i as f64 / 2000.0).abs() < 0.04, "{i}: {angle}");
        }
    }

    #[test]
    fn a_range_of_nothing_gives_zeros_and_nonsense_is_refused() {
        let still = Rotations::new(0, 2, 0.0).expect("no turn").angles(0);
        assert!(still.iter().all(|angle| angle.abs() == 0.0));
        for (draws, max_degrees) in [(0, 5.0), (1, -1.0), (1, f64::NAN), (1, 181.0)] {
            assert!(Rotations::new(0, draws, max_degrees).is_err());
        }
    }
}
