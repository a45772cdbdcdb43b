//! Everything a run depends on, checked once and saved with its results.

use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::data::OpenOptions;
use crate::data::image::InputPreset;
pub use crate::models::backbone::BackboneKind;
pub use crate::models::cfa::CfaConfig;

/// Which detector, with its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "kebab-case")]
pub enum ModelConfig {
    Cfa(CfaConfig),
}

impl ModelConfig {
    /// The name used on the command line and in files.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cfa(_) => "cfa",
        }
    }

    /// How many pictures one training step sees.
    pub fn batch_size(&self) -> usize {
        match self {
            Self::Cfa(config) => config.batch_size,
        }
    }

    /// The backbone's taps the model reads, by name.
    pub fn taps(&self) -> &[String] {
        match self {
            Self::Cfa(config) => &config.taps,
        }
    }

    /// How often training goes through all pictures.
    pub fn epochs(&self) -> usize {
        match self {
            Self::Cfa(config) => config.epochs,
        }
    }
}

/// Where the numbers are crunched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceChoice {
    /// The first GPU when this build and this machine have one, else the CPU.
    #[default]
    Auto,
    Cpu,
    Cuda(usize),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "auto" => Ok(Self::Auto),
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "cuda" => Ok(Self::Cuda(0)),
            Some(("cuda", ordinal)) => ordinal.parse().map(Self::Cuda).map_err(|_| {
                format!("`{ordinal}` is not the number of a GPU; use cuda:0 for the first")
            }),
            _ => Err(format!(
                "`{text}` is not a device; use auto, cpu, cuda or cuda:N"
            )),
        }
    }
}

/// A network and, unless it is found by itself, the file with its weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackboneChoice {
    pub kind: BackboneKind,
    /// `None`: the embedded weights, or the first file found for this network.
    pub weights: Option<PathBuf>,
}

/// Which share of the good training pictures is kept back for calibration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CalibrationConfig {
    /// Share of the good training pictures, 0 to 1.
    pub fraction: f64,
    /// Never fewer pictures than this.
    pub at_least: usize,
    /// `None`: the limit is the largest held-out score; else this quantile (0 to 1) of the scores.
    pub quantile: Option<f64>,
}

impl Default for CalibrationConfig {
    fn default() -> Self {
        Self {
            fraction: 0.1,
            at_least: 4,
            quantile: None,
        }
    }
}

/// A training run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// The data set's folder.
    pub data: PathBuf,
    pub open: OpenOptions,
    /// `None`: the data set has a single category.
    pub category: Option<String>,
    pub model: ModelConfig,
    pub backbone: BackboneChoice,
    pub input: InputPreset,
    pub calibration: CalibrationConfig,
    /// Drives the split, the initial weights and the order of pictures.
    pub seed: u64,
    pub device: DeviceChoice,
    /// Whether the model file carries the backbone's weights too.
    pub embed_backbone: bool,
}

impl RunConfig {
    /// The shortest way to a first result: CFA's quick preset on the embedded backbone, seed 0.
    pub fn first_look(data: &std::path::Path) -> Self {
        let kind = BackboneKind::EfficientNetLite0;
        Self {
            data: data.to_path_buf(),
            open: OpenOptions::default(),
            category: None,
            model: ModelConfig::Cfa(CfaConfig::quick(kind)),
            backbone: BackboneChoice {
                kind,
                weights: None,
            },
            input: InputPreset::Resize256,
            calibration: CalibrationConfig::default(),
            seed: 0,
            device: DeviceChoice::Auto,
            embed_backbone: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DeviceChoice;

    #[test]
    fn devices_are_read_as_they_are_typed() {
        assert_eq!("auto".parse(), Ok(DeviceChoice::Auto));
        assert_eq!("cuda:3".parse(), Ok(DeviceChoice::Cuda(3)));
        for wrong in ["gpu", "cuda:", "cuda:x", "CPU", ""] {
            assert!(wrong.parse::<DeviceChoice>().is_err(), "{wrong}");
        }
    }
}
