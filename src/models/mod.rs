//! Tensors in, tensors out: the detectors and the frozen networks under them. No files, no threads, no training loops.

pub mod backbone;
pub mod cfa;
pub mod cflow;
pub mod optim;
pub mod prn;
pub mod taps;

use candle_core::{Device, Result, Tensor};

use crate::cursor::Cursor;

/// A frozen network under a detector, seen as nothing but its taps.
pub trait FeatureExtractor: Send + Sync {
    /// `(B, 3, H, W)` normalised input to one tensor `(B, C, h, w)` per tap, finest first, not rectified.
    fn forward(&self, pixels: &Tensor) -> Result<Vec<Tensor>>;

    /// The channels of each tap.
    fn channels(&self) -> Vec<usize>;

    /// Input pixels for each feature of a tap, along either side.
    fn strides(&self) -> Vec<usize>;

    /// Where the network's weights live and its input is expected.
    fn device(&self) -> Device;
}

impl FeatureExtractor for backbone::Backbone {
    fn forward(&self, pixels: &Tensor) -> Result<Vec<Tensor>> {
        Self::forward(self, pixels)
    }

    fn channels(&self) -> Vec<usize> {
        self.taps().iter().map(|tap| tap.channels).collect()
    }

    fn strides(&self) -> Vec<usize> {
        self.taps().iter().map(|tap| tap.stride).collect()
    }

    fn device(&self) -> Device {
        Self::device(self).clone()
    }
}

/// What one training step reports.
#[derive(Debug, Clone, PartialEq)]
pub struct StepReport {
    pub loss: f32,
    /// The part of the model that took the step, where its parts take turns.
    pub part: Option<&'static str>,
    /// Named model quantities worth watching, such as CFA's radius.
    pub quantities: Vec<(&'static str, f32)>,
    /// Where the step's time went, in seconds; empty where nobody looked. Nothing a result depends on.
    pub seconds: Vec<(&'static str, f64)>,
}

/// Which step of training is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Its step counts to [`Detector::steps`].
    pub at: Cursor,
    /// How many batches an epoch has.
    pub batches: usize,
}

/// A model that learns from good pictures and scores any picture.
///
/// Training is split so that the frozen network runs once per picture: [`Detector::encode`] turns network input into
/// features the pipeline may cache, [`Detector::prepare`] sees them all once, [`Detector::train_step`] many times.
pub trait Detector: Send {
    /// `(B, 3, H, W)` normalised input to the features training needs, one tensor `(B, C, h, w)` per tap, detached.
    fn encode(&self, pixels: &Tensor) -> Result<Vec<Tensor>>;

    /// One pass over the encoded training set before the first step, in batches as [`Detector::encode`] returns them.
    fn prepare(&mut self, batches: &mut dyn Iterator<Item = Result<Vec<Tensor>>>) -> Result<()>;

    /// How many optimiser steps an encoded batch of so many pictures is good for.
    fn steps(&self, _pictures: usize) -> usize {
        1
    }

    /// One optimiser step on one batch: encoded features, or what else the model says it trains on. What it does depends on the model's state, the batch and the turn alone, so
    /// that a training taken up again goes on as if it had never stopped. With a loss that is not a number nothing changes.
    fn train_step(&mut self, batch: &[Tensor], turn: Turn) -> Result<StepReport>;

    /// Fixes what scoring needs to know of good pictures the model was not trained on: `(B, 3, H, W)` normalised input in
    /// batches, asked for only by models that need them.
    fn freeze(&mut self, _held_out: &mut dyn Iterator<Item = Result<Tensor>>) -> Result<()> {
        Ok(())
    }

    /// Raw anomaly maps `(B, H, W)` in input space for `(B, 3, H, W)` normalised input. A picture's map never depends on
    /// the others in its batch: on a CPU to the bit, on a GPU to rounding.
    fn score(&self, pixels: &Tensor) -> Result<Tensor>;

    /// The picture's own score from its raw map's values: their maximum, unless a model defines it otherwise.
    fn image_score(&self, map: &[f32]) -> f32 {
        map.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    }

    /// Everything training needs to go on later, by name, without the backbone. Fails before [`Detector::prepare`].
    fn training_state(&self) -> Result<Vec<(String, Tensor)>>;

    /// Everything the trained detector consists of, by name, without the backbone. Fails before [`Detector::prepare`] and
    /// [`Detector::freeze`].
    fn tensors(&self) -> Result<Vec<(String, Tensor)>>;
}
