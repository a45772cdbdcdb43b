//! The optimisers the papers use. Their state can be saved and restored; they know nothing of graphs or variables.

use std::collections::HashMap;

use candle_core::{Device, Result, Tensor, bail};
use serde::{Deserialize, Serialize};

/// How the names of saved optimiser tensors start.
pub const OPTIMIZER_PREFIX: &str = "optimizer.";

/// Which second moment divides the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondMoment {
    /// The running mean of squared gradients (Kingma and Ba 2015).
    Running,
    /// The largest running mean so far, uncorrected (`AMSGrad`, Reddi et al. 2018, as `PyTorch` computes it).
    Largest,
}

/// How parameters are drawn to zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    /// They shrink by `learning_rate * weight_decay` before each step (`AdamW`, Loshchilov and Hutter 2019).
    Decoupled,
    /// The gradient grows by `weight_decay` times the parameter, as in plain Adam: far stronger, because the step's size
    /// does not depend on the gradient's.
    Coupled,
}

/// Settings of [`Adam`].
#[derive(Debug, Clone, PartialEq)]
pub struct AdamSettings {
    pub learning_rate: f64,
    /// Decay of the running means of the gradient and of its square.
    pub betas: (f64, f64),
    pub epsilon: f64,
    pub weight_decay: f64,
    pub decay: Decay,
    pub second_moment: SecondMoment,
}

impl AdamSettings {
    /// Plain Adam with the usual constants.
    pub fn adam(learning_rate: f64) -> Self {
        Self {
            learning_rate,
            betas: (0.9, 0.999),
            epsilon: 1e-8,
            weight_decay: 0.0,
            decay: Decay::Decoupled,
            second_moment: SecondMoment::Running,
        }
    }

    /// `AdamW` with `AMSGrad`.
    pub fn amsgrad(learning_rate: f64, weight_decay: f64) -> Self {
        Self {
            weight_decay,
            second_moment: SecondMoment::Largest,
            ..Self::adam(learning_rate)
        }
    }
}

/// Adam and its relatives over a fixed list of parameters.
#[derive(Debug, Clone)]
pub struct Adam {
    settings: AdamSettings,
    step: u32,
    moments: Vec<Moments>,
}

#[derive(Debug, Clone)]
struct Moments {
    first: Tensor,
    second: Tensor,
    /// Equal to `second` where the largest is not asked for.
    largest: Tensor,
}

impl Adam {
    /// Starts with no memory of gradients.
    pub fn new(settings: AdamSettings, parameters: &[Tensor]) -> Result<Self> {
        let moments = parameters.iter().map(Tensor::zeros_like).map(|zeros| {
            let zeros = zeros?;
            Ok(Moments {
                first: zeros.clone(),
                second: zeros.clone(),
                largest: zeros,
            })
        });
        Ok(Self {
            settings,
            step: 0,
            moments: moments.collect::<Result<_>>()?,
        })
    }

    /// For the steps from now on.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.settings.learning_rate = learning_rate;
    }

    /// Replaces each parameter by its successor.
    pub fn step(&mut self, parameters: &mut [Tensor], gradients: &[Tensor]) -> Result<()> {
        if parameters.len() != self.moments.len() || gradients.len() != self.moments.len() {
            bail!(
                "the optimiser was made for {} parameters",
                self.moments.len()
            );
        }
        self.step += 1;
        let AdamSettings {
            learning_rate,
            betas: (beta1, beta2),
            epsilon,
            weight_decay,
            decay,
            second_moment,
        } = self.settings;
        let exponent = f64::from(self.step);
        let rate = learning_rate / (1.0 - beta1.powf(exponent));
        let correction = 1.0 / (1.0 - beta2.powf(exponent)).sqrt();
        for ((parameter, gradient), moments) in
            parameters.iter_mut().zip(gradients).zip(&mut self.moments)
        {
            let (gradient, decayed) = match decay {
                Decay::Decoupled => (
                    gradient.clone(),
                    (&*parameter * (1.0 - learning_rate * weight_decay))?,
                ),
                Decay::Coupled => (
                    (gradient + (&*parameter * weight_decay)?)?,
                    parameter.clone(),
                ),
            };
            moments.first = ((&moments.first * beta1)? + (&gradient * (1.0 - beta1))?)?;
            moments.second = ((&moments.second * beta2)? + (gradient.sqr()? * (1.0 - beta2))?)?;
            moments.largest = match second_moment {
                SecondMoment::Running => moments.second.clone(),
                SecondMoment::Largest => moments.largest.maximum(&moments.second)?,
            };
            let scale = moments.largest.sqrt()?.affine(correction, epsilon)?;
            *parameter = (decayed - ((&moments.first / scale)? * rate)?)?;
        }
        Ok(())
    }

    /// Everything needed to go on later, by name.
    pub fn state(&self) -> Result<Vec<(String, Tensor)>> {
        let mut state = vec![(
            "optimizer.step".to_owned(),
            Tensor::new(&[self.step], &Device::Cpu)?,
        )];
        for (i, moments) in self.moments.iter().enumerate() {
            state.push((format!("optimizer.{i}.first"), moments.first.clone()));
            state.push((format!("optimizer.{i}.second"), moments.second.clone()));
            if self.settings.second_moment == SecondMoment::Largest {
                state.push((format!("optimizer.{i}.largest"), moments.largest.clone()));
            }
        }
        Ok(state)
    }

    /// Goes on from a saved state, taking its entries out of `tensors`; a missing or misshapen entry is an error.
    pub fn restore(&mut self, tensors: &mut HashMap<String, Tensor>) -> Result<()> {
        let mut restored = self.clone();
        restored.step = match take(tensors, "optimizer.step")?
            .to_vec1::<u32>()?
            .as_slice()
        {
            [step] => *step,
            other => bail!("optimizer.step should hold one number, not {}", other.len()),
        };
        for (i, moments) in restored.moments.iter_mut().enumerate() {
            let largest = (self.settings.second_moment == SecondMoment::Largest)
                .then_some(("largest", &mut moments.largest));
            let parts = [
                ("first", &mut moments.first),
                ("second", &mut moments.second),
            ];
            for (part, slot) in parts.into_iter().chain(largest) {
                let name = format!("optimizer.{i}.{part}");
                let value = take(tensors, &name)?;
                if value.dims() != slot.dims() {
                    bail!(
                        "{name} has shape {:?} instead of {:?}",
                        value.dims(),
                        slot.dims()
                    );
                }
                *slot = value.to_device(slot.device())?.to_dtype(slot.dtype())?;
            }
        }
        *self = restored;
        Ok(())
    }
}

fn take(tensors: &mut HashMap<String, Tensor>, name: &str) -> Result<Tensor> {
    match tensors.remove(name) {
        Some(tensor) => Ok(tensor),
        None => bail!("{name} is missing"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Adam, AdamSettings, Decay};
    use candle_core::{Device, Tensor};

    fn scalar(value: f64) -> Tensor {
        Tensor::new(&[value], &Device::Cpu).unwrap()
    }

    fn follow(settings: AdamSettings) -> [f64; 4] {
        let mut parameters = [scalar(1.0)];
        let mut optimiser = Adam::new(settings, &parameters).unwrap();
        let mut step = |gradient| {
            optimiser
                .step(&mut parameters, &[scalar(gradient)])
                .unwrap();
            parameters[0].to_vec1::<f64>().unwrap()[0]
        };
        [0.5, -0.2, 0.1, 0.0].map(&mut step)
    }

    fn assert_close(found: [f64; 4], expected: [f64; 4]) {
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < 6e-10, "{found} {expected}");
        }
    }

    #[test]
    fn amsgrad_with_decoupled_decay_follows_the_reference() {
        let expected = [0.998_999_5, 0.998_653_395, 0.998_273_504, 0.997_962_385];
        assert_close(follow(AdamSettings::amsgrad(1e-3, 5e-4)), expected);
    }

    #[test]
    fn plain_adam_follows_the_reference() {
        assert_close(
            follow(AdamSettings::adam(2e-4)),
            [0.9998, 0.999_730_879, 0.999_655, 0.999_592_846],
        );
    }

    #[test]
    fn coupled_decay_follows_the_reference() {
        let settings = AdamSettings {
            weight_decay: 0.01,
            decay: Decay::Coupled,
            ..AdamSettings::adam(1e-4)
        };
        let expected = [0.9999, 0.999_863_204, 0.999_822_658, 0.999_788_404];
        assert_close(follow(settings), expected);
    }

    #[test]
    fn a_restored_optimiser_goes_on_as_if_never_stopped() {
        let settings = AdamSettings::amsgrad(1e-2, 1e-2);
        let start = [
            Tensor::new(&[[1.0_f32, -2.0], [0.5, 3.0]], &Device::Cpu).unwrap(),
            scalar(0.1),
        ];
        let gradients = |i: f64| [start[0].affine(i, 0.3).unwrap(), scalar(0.2 - i)];
        let mut parameters = start.clone();
        let mut whole = Adam::new(settings.clone(), &parameters).unwrap();
        for i in 0..3 {
            whole
                .step(&mut parameters, &gradients(f64::from(i)))
                .unwrap();
        }
        let mut resumed = Adam::new(settings, &start).unwrap();
        let mut saved = whole.state().unwrap().into_iter().collect();
        resumed.restore(&mut saved).unwrap();
        assert!(saved.is_empty());
        let mut again = parameters.clone();
        whole.step(&mut parameters, &gradients(0.7)).unwrap();
        resumed.step(&mut again, &gradients(0.7)).unwrap();
        assert_eq!(
            parameters[0].to_vec2::<f32>().unwrap(),
            again[0].to_vec2::<f32>().unwrap()
        );
        assert_eq!(
            parameters[1].to_vec1::<f64>().unwrap(),
            again[1].to_vec1::<f64>().unwrap()
        );
    }

    #[test]
    fn a_state_of_another_model_is_refused() {
        let mut optimiser = Adam::new(AdamSettings::adam(1.0), &[scalar(0.0)]).unwrap();
        let other = Adam::new(
            AdamSettings::adam(1.0),
            &[Tensor::new(&[1.0, 2.0], &Device::Cpu).unwrap()],
        )
        .unwrap();
        let error = optimiser
            .restore(&mut other.state().unwrap().into_iter().collect())
            .unwrap_err()
            .to_string();
        assert!(error.contains("optimizer.0.first"), "{error}");
        assert!(
            optimiser
                .restore(&mut std::collections::HashMap::new())
                .is_err()
        );
        assert!(optimiser.step(&mut [], &[]).is_err());
    }
}
