//! What changes the weights: the optimiser with its learning rate, and the running mean of the weights.

use std::collections::HashMap;

use candle_core::{Result, Tensor};

use super::config::PrnConfig;
use super::layers::{Running, taken};
use super::network::Network;
use crate::models::Turn;
use crate::models::optim::{Adam, AdamSettings};

/// Where a falling learning rate ends.
const LEAST_RATE: f64 = 1e-6;
/// How the names of the averaged weights start.
pub const AVERAGE_PREFIX: &str = "average.";

/// The learning rate of a turn.
pub fn learning_rate(config: &PrnConfig, turn: Turn) -> f64 {
    let total = (config.epochs * turn.batches).max(1) as f64;
    let done = step(turn) as f64 / total;
    let start = 1.0 - config.cosine_tail;
    if done <= start {
        return config.learning_rate;
    }
    let fallen = (done - start) / config.cosine_tail;
    let least = LEAST_RATE.min(config.learning_rate);
    least + (config.learning_rate - least) * 0.5 * (1.0 + (std::f64::consts::PI * fallen).cos())
}

/// How many steps were taken before this one.
fn step(turn: Turn) -> usize {
    turn.at.epoch * turn.batches + turn.at.batch
}

/// The optimiser and the averaged weights of one network.
pub struct Learner {
    optimiser: Adam,
    average: Option<Average>,
}

/// A running mean of all weights and of the running statistics.
struct Average {
    decay: f64,
    weights: Vec<Tensor>,
    running: Vec<Running>,
}

impl Learner {
    /// For the weights as they are now.
    pub fn new(config: &PrnConfig, network: &Network) -> Result<Self> {
        let settings = AdamSettings {
            weight_decay: config.weight_decay,
            decay: config.decay,
            ..AdamSettings::adam(config.learning_rate)
        };
        let weights = weights(network);
        let average = match config.weight_average {
            None => None,
            Some(decay) => Some(Average {
                decay,
                weights: weights.iter().map(Tensor::copy).collect::<Result<_>>()?,
                running: network.running.iter().map(|(_, r)| r.clone()).collect(),
            }),
        };
        Ok(Self {
            optimiser: Adam::new(settings, &weights)?,
            average,
        })
    }

    /// Moves the weights against `gradients`, one for each parameter in order.
    pub fn step(&mut self, network: &Network, gradients: &[Tensor], rate: f64) -> Result<()> {
        let mut weights = weights(network);
        self.optimiser.set_learning_rate(rate);
        self.optimiser.step(&mut weights, gradients)?;
        for ((_, var), weight) in network.parameters.iter().zip(&weights) {
            var.set(weight)?;
        }
        Ok(())
    }

    /// Takes the network as it is behind a step into the average. Early steps, far from the end, are soon forgotten.
    pub fn average(&mut self, network: &Network, turn: Turn) -> Result<()> {
        let Some(average) = &mut self.average else {
            return Ok(());
        };
        let taken = step(turn) as f64;
        let decay = average.decay.min((1.0 + taken) / (10.0 + taken));
        let mix = |old: &Tensor, new: &Tensor| (old * decay)? + (new * (1.0 - decay))?;
        for (old, (_, new)) in average.weights.iter_mut().zip(&network.parameters) {
            *old = mix(old, &new.as_detached_tensor())?;
        }
        for (old, (_, new)) in average.running.iter_mut().zip(&network.running) {
            *old = Running {
                mean: mix(&old.mean, &new.mean)?,
                variance: mix(&old.variance, &new.variance)?,
            };
        }
        Ok(())
    }

    /// Puts the average in the place of the last weights.
    pub fn settle(&self, network: &mut Network) -> Result<()> {
        let Some(average) = &self.average else {
            return Ok(());
        };
        for (weight, (_, var)) in average.weights.iter().zip(&network.parameters) {
            var.set(weight)?;
        }
        for (averaged, (_, running)) in average.running.iter().zip(&mut network.running) {
            running.clone_from(averaged);
        }
        Ok(())
    }

    /// Everything needed to go on later, by name.
    pub fn state(&self, network: &Network) -> Result<Vec<(String, Tensor)>> {
        let mut state = self.optimiser.state()?;
        if let Some(average) = &self.average {
            let weights = network.parameters.iter().zip(&average.weights);
            state.extend(weights.map(|((name, _), weight)| (averaged(name), weight.clone())));
            for ((name, _), running) in network.running.iter().zip(&average.running) {
                state.push((
                    averaged(&format!("{name}.running_mean")),
                    running.mean.clone(),
                ));
                state.push((
                    averaged(&format!("{name}.running_var")),
                    running.variance.clone(),
                ));
            }
        }
        Ok(state)
    }

    /// Goes on from a saved state, taking its entries out of `saved`.
    pub fn restore(
        &mut self,
        network: &Network,
        saved: &mut HashMap<String, Tensor>,
    ) -> Result<()> {
        self.optimiser.restore(saved)?;
        if let Some(average) = &mut self.average {
            let device = match average.weights.first() {
                Some(weight) => weight.device().clone(),
                None => return Ok(()),
            };
            let mut take =
                |name: &str, like: &Tensor| taken(saved, &averaged(name), like.dims(), &device);
            for (weight, (name, _)) in average.weights.iter_mut().zip(&network.parameters) {
                *weight = take(name, weight)?;
            }
            for (running, (name, _)) in average.running.iter_mut().zip(&network.running) {
                running.mean = take(&format!("{name}.running_mean"), &running.mean)?;
                running.variance = take(&format!("{name}.running_var"), &running.variance)?;
            }
        }
        Ok(())
    }
}

fn averaged(name: &str) -> String {
    format!("{AVERAGE_PREFIX}{name}")
}

/// Sharing the variables' memory: they change when those are set.
fn weights(network: &Network) -> Vec<Tensor> {
    let weights = network.parameters.iter();
    weights.map(|(_, var)| var.as_detached_tensor()).collect()
}
