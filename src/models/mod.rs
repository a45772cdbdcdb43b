//! Tensors in, tensors out: the detectors and the frozen networks under them. No files, no threads, no training loops.

pub mod backbone;
pub mod cfa;
pub mod optim;

use candle_core::{Device, Result, Tensor};

/// A frozen network under a detector, seen as nothing but its taps.
pub trait FeatureExtractor: Send + Sync {
    /// `(B, 3, H, W)` normalised input to one tensor `(B, C, h, w)` per tap, finest first, not rectified.
    fn forward(&self, pixels: &Tensor) -> Result<Vec<Tensor>>;

    /// The channels of each tap.
    fn channels(&self) -> Vec<usize>;

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

    fn device(&self) -> Device {
        Self::device(self).clone()
    }
}

/// What one training step reports.
#[derive(Debug, Clone, PartialEq)]
pub struct StepReport {
    pub loss: f32,
    /// Named model quantities worth watching, such as CFA's radius.
    pub quantities: Vec<(&'static str, f32)>,
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

    /// One optimiser step on one encoded batch.
    fn train_step(&mut self, batch: &[Tensor]) -> Result<StepReport>;

    /// Raw anomaly maps `(B, H, W)` in input space for `(B, 3, H, W)` normalised input. A picture's map never depends on
    /// the others in its batch.
    fn score(&self, pixels: &Tensor) -> Result<Tensor>;

    /// The picture's own score from its raw map's values: their maximum, unless a model defines it otherwise.
    fn image_score(&self, map: &[f32]) -> f32 {
        map.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    }

    /// Everything the trained detector consists of, by name, without the backbone. Fails before [`Detector::prepare`].
    fn tensors(&self) -> Result<Vec<(String, Tensor)>>;
}
