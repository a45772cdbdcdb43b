//! The learning rate over training: linear warm-up, then a cosine in steps (Gudovskiy et al. 2022, their configuration).

/// The learning rate falls to this power of a tenth of its base.
const FALL: i32 = 3;
/// Warm-up starts at this share of the base.
const WARM_UP_START: f64 = 0.1;

/// A training's length and base rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    pub base: f64,
    /// E: how many times the rate changes ("meta-epochs").
    pub stages: usize,
    /// How many of them the warm-up takes.
    pub warm_up: usize,
    /// Batches of pictures in a stage.
    pub batches: usize,
}

impl Schedule {
    /// The rate for batch number `batch` of a stage, both counted from zero.
    pub fn rate(&self, stage: usize, batch: usize) -> f64 {
        if stage >= self.warm_up {
            return self.cosine(stage);
        }
        let start = WARM_UP_START * self.base;
        let done = batch + stage * self.batches;
        let share = done as f64 / (self.warm_up * self.batches).max(1) as f64;
        start + share * (self.cosine(self.warm_up) - start)
    }

    fn cosine(&self, stage: usize) -> f64 {
        let least = self.base * 0.1_f64.powi(FALL);
        let angle = std::f64::consts::PI * stage as f64 / self.stages.max(1) as f64;
        least + (self.base - least) * (1.0 + angle.cos()) / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    const PUBLISHED: Schedule = Schedule {
        base: 2e-4,
        stages: 25,
        warm_up: 2,
        batches: 48,
    };

    fn assert_close(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-6, "{found} {expected}");
    }

    #[test]
    fn the_cosine_follows_the_reference() {
        for (stage, expected) in [
            (2, 1.968_615e-4),
            (5, 1.809_208e-4),
            (10, 1.309_708e-4),
            (12, 1.063_728e-4),
            (15, 6.922_920e-5),
            (20, 1.927_920e-5),
            (24, 9.877_413e-7),
        ] {
            assert_close(PUBLISHED.rate(stage, 7), expected);
        }
    }

    #[test]
    fn the_warm_up_follows_the_reference() {
        for (stage, batch, expected) in [
            (0, 0, 2.000_000e-5),
            (0, 24, 6.421_536e-5),
            (0, 47, 1.065_884e-4),
            (1, 0, 1.084_307e-4),
            (1, 47, 1.950_192e-4),
        ] {
            assert_close(PUBLISHED.rate(stage, batch), expected);
        }
    }

    #[test]
    fn a_training_without_warm_up_starts_at_its_base() {
        let schedule = Schedule {
            warm_up: 0,
            ..PUBLISHED
        };
        assert_close(schedule.rate(0, 0), 2e-4);
    }
}
