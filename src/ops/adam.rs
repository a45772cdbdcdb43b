//! Adam's update of plain slices in one pass (Kingma and Ba 2015), and many steps without a gradient at once.

#![expect(
    clippy::inline_always,
    reason = "only inlined code is compiled for the instruction set that was chosen"
)]

use super::simd::{Kernel, dispatch, multiply_add};

/// Decay of the running means of the gradient and of its square.
const BETAS: (f64, f64) = (0.9, 0.999);
const EPSILON: f32 = 1e-8;

/// Parameters and their running moments.
#[derive(Debug)]
pub struct Slices<'a> {
    pub values: &'a mut [f32],
    pub first: &'a mut [f32],
    pub second: &'a mut [f32],
}

/// The factors of one step.
#[derive(Debug, Clone, Copy)]
pub struct AdamStep {
    /// The learning rate over the bias correction of the first moment.
    rate: f32,
    /// One over the root of the bias correction of the second moment.
    correction: f32,
}

impl AdamStep {
    /// Step number `step`, counted from one.
    pub fn new(learning_rate: f64, step: u64) -> Self {
        let (first, second) = corrections(step as f64);
        Self {
            rate: (learning_rate / first) as f32,
            correction: (1.0 / second.sqrt()) as f32,
        }
    }

    /// The learning rate over the bias correction of the first moment, and one over the root of the second's: for kernels
    /// elsewhere.
    #[cfg(feature = "cuda")]
    pub fn factors(self) -> (f32, f32) {
        (self.rate, self.correction)
    }

    /// Moves the parameters against the gradient.
    pub fn apply(self, parameters: Slices, gradient: &[f32]) {
        dispatch(Update {
            step: self,
            parameters,
            gradient,
        });
    }
}

/// What Adam does in steps whose gradient is zero: the first moment goes on pushing while both fade.
#[derive(Debug, Clone, Copy)]
pub struct IdleSteps {
    /// What the parameters move by, in units of `first / sqrt(second)`.
    push: f32,
    first: f32,
    second: f32,
}

impl IdleSteps {
    /// `count` steps after step number `step`:
    /// `sum over k = 1..count of rate (0.9 / sqrt 0.999)^k sqrt(1 - 0.999^(step+k)) / (1 - 0.9^(step+k))`.
    pub fn new(learning_rate: f64, step: u64, count: u64) -> Self {
        let ratio = BETAS.0 / BETAS.1.sqrt();
        // Behind 400 steps the factor is below 1e-18.
        let push: f64 = (1..=count.min(400))
            .map(|k| {
                let (first, second) = corrections((step + k) as f64);
                ratio.powf(k as f64) * second.sqrt() / first
            })
            .sum();
        Self {
            push: (learning_rate * push) as f32,
            first: BETAS.0.powf(count as f64) as f32,
            second: BETAS.1.powf(count as f64) as f32,
        }
    }

    /// What the parameters move by, in units of `first / sqrt(second)`, and what the moments fade by: for kernels elsewhere.
    #[cfg(feature = "cuda")]
    pub fn factors(self) -> (f32, [f32; 2]) {
        (self.push, [self.first, self.second])
    }

    pub fn apply(self, parameters: Slices) {
        dispatch(Drift {
            idle: self,
            parameters,
        });
    }
}

struct Drift<'a> {
    idle: IdleSteps,
    parameters: Slices<'a>,
}

impl Kernel for Drift<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Slices {
            values,
            first,
            second,
        } = self.parameters;
        for ((value, first), second) in values.iter_mut().zip(first).zip(second) {
            // Where there never was a gradient both moments are zero, and nothing moves.
            let root = second.sqrt();
            let share = if root > 0.0 { *first / root } else { 0.0 };
            *value -= self.idle.push * share;
            *first *= self.idle.first;
            *second *= self.idle.second;
        }
    }
}

/// `1 - beta^step` for both betas.
fn corrections(step: f64) -> (f64, f64) {
    (1.0 - BETAS.0.powf(step), 1.0 - BETAS.1.powf(step))
}

struct Update<'a> {
    step: AdamStep,
    parameters: Slices<'a>,
    gradient: &'a [f32],
}

impl Kernel for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let AdamStep { rate, correction } = self.step;
        let (keep1, take1) = (BETAS.0 as f32, (1.0 - BETAS.0) as f32);
        let (keep2, take2) = (BETAS.1 as f32, (1.0 - BETAS.1) as f32);
        let Slices {
            values,
            first,
            second,
        } = self.parameters;
        for (((value, first), second), &gradient) in
            values.iter_mut().zip(first).zip(second).zip(self.gradient)
        {
            *first = multiply_add::<FUSED>(*first, keep1, gradient * take1);
            *second = multiply_add::<FUSED>(*second, keep2, gradient * gradient * take2);
            let scale = multiply_add::<FUSED>(second.sqrt(), correction, EPSILON);
            *value -= rate * (*first / scale);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AdamStep, IdleSteps, Slices};

    #[derive(Clone)]
    struct Parameter {
        value: f32,
        first: f32,
        second: f32,
        step: u64,
    }

    impl Parameter {
        fn new() -> Self {
            Self {
                value: 1.0,
                first: 0.0,
                second: 0.0,
                step: 0,
            }
        }

        fn slices(&mut self) -> Slices<'_> {
            Slices {
                values: std::slice::from_mut(&mut self.value),
                first: std::slice::from_mut(&mut self.first),
                second: std::slice::from_mut(&mut self.second),
            }
        }

        fn step(&mut self, gradient: f32) -> f32 {
            self.step += 1;
            let step = AdamStep::new(2e-4, self.step);
            step.apply(self.slices(), &[gradient]);
            self.value
        }

        fn idle(&mut self, count: u64) {
            IdleSteps::new(2e-4, self.step, count).apply(self.slices());
            self.step += count;
        }
    }

    #[test]
    fn steps_follow_the_reference() {
        let mut parameter = Parameter::new();
        let found = [0.5, -0.2, 0.1, 0.0].map(|gradient| parameter.step(gradient));
        for (found, expected) in found
            .iter()
            .zip([0.9998, 0.999_730_9, 0.999_655, 0.999_592_85])
        {
            assert!((found - expected).abs() < 2e-7, "{found} {expected}");
        }
    }

    #[test]
    fn idle_steps_at_once_are_zero_gradients_one_by_one() {
        let start = {
            let mut parameter = Parameter::new();
            for gradient in [0.3, -0.1, 0.25] {
                parameter.step(gradient);
            }
            parameter
        };
        let (mut one_by_one, mut at_once, mut skipped) = (start.clone(), start.clone(), start);
        for _ in 0..20 {
            one_by_one.step(0.0);
        }
        at_once.idle(20);
        assert!((one_by_one.step(0.2) - 0.998_723_05).abs() < 3e-7);
        assert!((at_once.step(0.2) - 0.998_723_05).abs() < 3e-7);
        assert!((skipped.step(0.2) - 0.999_446_7).abs() < 3e-7);
    }

    #[test]
    fn a_parameter_that_never_had_a_gradient_stays() {
        let mut parameter = Parameter::new();
        parameter.idle(1000);
        assert_eq!(
            (parameter.value, parameter.first, parameter.second),
            (1.0, 0.0, 0.0)
        );
    }

    #[test]
    fn every_length_is_treated_alike() {
        for length in [0, 1, 7, 16, 33] {
            let (mut values, mut first, mut second) =
                (vec![1.0; length], vec![0.0; length], vec![0.0; length]);
            let slices = Slices {
                values: &mut values,
                first: &mut first,
                second: &mut second,
            };
            AdamStep::new(2e-4, 1).apply(slices, &vec![0.5; length]);
            assert!(values.iter().all(|value| (value - 0.9998).abs() < 1e-7));
        }
    }
}
