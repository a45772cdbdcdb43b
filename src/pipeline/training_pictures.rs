//! Which pictures a training learns from and which it holds out, and the input size that follows from them.

use anyhow::{Context, Result};

use super::defects::choose_seen;
use crate::config::{CalibrationConfig, RunConfig};
use crate::data::check::common_size;
use crate::data::image::{InputSpec, Orientation};
use crate::data::{self, Sample, split_calibration};

/// The good pictures of the chosen category, parted, and the input size that follows from them.
pub struct TrainingPictures {
    pub train: Vec<Sample>,
    pub calibration: Vec<Sample>,
    /// Real defects the model may learn from.
    pub seen: Vec<Sample>,
    pub spec: InputSpec,
    pub orientation: Orientation,
}

impl TrainingPictures {
    pub fn choose(config: &RunConfig) -> Result<Self> {
        let dataset = data::open(&config.data, &config.open)?;
        let category = dataset.category(config.category.as_deref())?;
        let CalibrationConfig {
            fraction, at_least, ..
        } = config.calibration;
        let split = split_calibration(&category.train, fraction, at_least, config.seed)
            .with_context(|| format!("{}", config.data.display()))?;
        let reference = common_size(&split.train).with_context(|| {
            format!(
                "{}: none of the good pictures can be read",
                config.data.display()
            )
        })?;
        Ok(Self {
            spec: InputSpec::for_pictures(config.input, reference)?,
            orientation: split
                .train
                .first()
                .map_or(Orientation::Ignore, |sample| sample.orientation),
            train: split.train,
            calibration: split.calibration,
            seen: choose_seen(config, category)
                .with_context(|| format!("{}", config.data.display()))?,
        })
    }
}
