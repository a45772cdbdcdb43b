//! Everything a run depends on, checked once and saved with its results.

use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::data::OpenOptions;
use crate::data::augment::{AugmentSettings, ForegroundRule};
use crate::data::image::InputPreset;
pub use crate::models::backbone::BackboneKind;
use crate::models::backbone::Border;
pub use crate::models::cfa::CfaConfig;
pub use crate::models::cflow::{AdamSharing, CflowConfig, Clamp, Gradient, ShortBatch};
pub use crate::models::prn::{AttentionForm, Decay, PrnConfig, Width};

/// Which detector, with its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "kebab-case")]
pub enum ModelConfig {
    Cfa(CfaConfig),
    Cflow(CflowConfig),
    Prn(PrnConfig),
}

/// How training pictures are turned before the frozen network sees them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rotation {
    /// At most so far either way.
    pub degrees: f64,
    /// Turns of each picture, drawn once.
    pub draws: usize,
}

impl ModelConfig {
    /// Which model they are for.
    pub fn model(&self) -> ModelName {
        match self {
            Self::Cfa(_) => ModelName::Cfa,
            Self::Cflow(_) => ModelName::Cflow,
            Self::Prn(_) => ModelName::Prn,
        }
    }

    /// The name used on the command line and in files.
    pub fn name(&self) -> &'static str {
        self.model().name()
    }

    /// The name people know the model by.
    pub fn title(&self) -> &'static str {
        self.model().title()
    }

    /// The first setting that makes no sense, in words.
    pub fn problem(&self) -> Option<&'static str> {
        match self {
            Self::Cfa(config) => config.problem(),
            Self::Cflow(config) => config.problem(),
            Self::Prn(config) => config.problem(),
        }
    }

    /// How many pictures one training step sees.
    pub fn batch_size(&self) -> usize {
        match self {
            Self::Cfa(config) => config.batch_size,
            Self::Cflow(config) => config.batch_size,
            Self::Prn(config) => config.batch_size,
        }
    }

    /// How many pictures a batch holds when there are so many to train on; the error says what to do.
    pub fn batch_for(&self, pictures: usize) -> Result<usize, String> {
        let wanted = self.batch_size();
        match self {
            Self::Cfa(_) => Ok(wanted.min(pictures)),
            // Its batches are made of as many examples as it likes.
            Self::Prn(_) => Ok(wanted),
            Self::Cflow(config)
                if wanted <= pictures || config.short_batch == ShortBatch::Shrink =>
            {
                Ok(wanted.min(pictures))
            }
            Self::Cflow(_) => Err(format!(
                "a batch of {wanted} pictures cannot be filled: there are {pictures} to train on; choose a smaller batch \
                 (`--batch {pictures}`)"
            )),
        }
    }

    /// The backbone's taps the model reads, by name.
    pub fn taps(&self) -> &[String] {
        match self {
            Self::Cfa(config) => &config.taps,
            Self::Cflow(config) => &config.taps,
            Self::Prn(config) => &config.taps,
        }
    }

    /// How often training goes through all pictures.
    pub fn epochs(&self) -> usize {
        match self {
            Self::Cfa(config) => config.epochs,
            Self::Cflow(config) => config.epochs,
            Self::Prn(config) => config.epochs,
        }
    }

    /// Changes how often training goes through all pictures.
    pub fn set_epochs(&mut self, epochs: usize) {
        match self {
            Self::Cfa(config) => config.epochs = epochs,
            Self::Cflow(config) => config.set_epochs(epochs),
            Self::Prn(config) => config.epochs = epochs,
        }
    }

    /// Changes how many pictures one batch holds. Who names a number means it: fewer pictures are refused then.
    pub fn set_batch_size(&mut self, pictures: usize) {
        match self {
            Self::Cfa(config) => config.batch_size = pictures,
            Self::Cflow(config) => {
                config.batch_size = pictures;
                config.short_batch = ShortBatch::Refuse;
            }
            Self::Prn(config) => {
                config.batch_size = pictures;
                config.micro_batch = config.micro_batch.min(pictures);
            }
        }
    }

    /// `None`: pictures are trained on as they are.
    pub fn rotation(&self) -> Option<Rotation> {
        match self {
            Self::Cflow(config) if config.rotation_degrees > 0.0 => Some(Rotation {
                degrees: config.rotation_degrees,
                draws: config.rotation_draws,
            }),
            Self::Cfa(_) | Self::Cflow(_) | Self::Prn(_) => None,
        }
    }

    /// What surrounds the picture inside the frozen network: CFLOW's authors mirror it in their `ResNet`s.
    pub fn border(&self, backbone: BackboneKind) -> Border {
        match self {
            Self::Cflow(_) if backbone.is_resnet() => Border::Reflect,
            Self::Cfa(_) | Self::Cflow(_) | Self::Prn(_) => Border::Zeros,
        }
    }
}

/// The detectors there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ModelName {
    #[default]
    Cfa,
    Cflow,
    Prn,
}

impl ModelName {
    pub const ALL: [Self; 3] = [Self::Cfa, Self::Cflow, Self::Prn];

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cfa => "cfa",
            Self::Cflow => "cflow",
            Self::Prn => "prn",
        }
    }

    /// The name people know it by.
    pub fn title(self) -> &'static str {
        match self {
            Self::Cfa => "CFA",
            Self::Cflow => "CFLOW-AD",
            Self::Prn => "PRN",
        }
    }

    /// The presets that differ for this model.
    pub fn presets(self) -> &'static [Preset] {
        match self {
            Self::Cfa => &[Preset::Paper, Preset::Quick],
            Self::Cflow => &[Preset::Paper, Preset::Paper256, Preset::Quick],
            Self::Prn => &[Preset::Paper, Preset::Lite],
        }
    }

    /// Whether it is shown defects, seen and simulated ones, besides good pictures.
    pub fn learns_from_defects(self) -> bool {
        self == Self::Prn
    }
}

/// Named settings of a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Preset {
    /// The published schedule; for CFLOW-AD also the published input size of each MVTec AD category.
    #[default]
    Paper,
    /// The published schedule at one input size for everything.
    Paper256,
    /// A short schedule, for a first look.
    Quick,
    /// A narrow network and a short schedule, for a computer without GPU.
    Lite,
}

impl Preset {
    pub const ALL: [Self; 4] = [Self::Paper, Self::Paper256, Self::Quick, Self::Lite];

    /// The name used on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Paper256 => "paper-256",
            Self::Quick => "quick",
            Self::Lite => "lite",
        }
    }

    /// A model's settings on a backbone.
    pub fn model(self, name: ModelName, backbone: BackboneKind) -> ModelConfig {
        match (name, self) {
            (ModelName::Cfa, Self::Quick) => ModelConfig::Cfa(CfaConfig::quick(backbone)),
            (ModelName::Cfa, _) => ModelConfig::Cfa(CfaConfig::paper(backbone)),
            (ModelName::Cflow, Self::Quick) => ModelConfig::Cflow(CflowConfig::quick(backbone)),
            (ModelName::Cflow, _) => ModelConfig::Cflow(CflowConfig::paper(backbone)),
            (ModelName::Prn, Self::Lite) => ModelConfig::Prn(PrnConfig::lite(backbone)),
            (ModelName::Prn, _) => ModelConfig::Prn(PrnConfig::paper(backbone)),
        }
    }

    /// How defects are drawn, unless the user says otherwise.
    pub fn recipe(self) -> Recipe {
        match self {
            Self::Paper | Self::Paper256 => Recipe::Published,
            Self::Quick | Self::Lite => Recipe::Refined,
        }
    }

    /// The input that goes with it, unless the user names one.
    pub fn input(self, name: ModelName, category: Option<&str>) -> InputPreset {
        match (name, self) {
            (ModelName::Cflow, Self::Paper) => category
                .and_then(published_cflow_input)
                .unwrap_or(InputPreset::Resize256),
            _ => InputPreset::Resize256,
        }
    }
}

/// CFLOW-AD's input for a category of MVTec AD (Gudovskiy et al. 2022, their table of results). The sizes were chosen by
/// results on the test set, so the same size for everything is the honest comparison.
pub fn published_cflow_input(category: &str) -> Option<InputPreset> {
    match category {
        "bottle" | "carpet" | "grid" | "leather" | "screw" | "tile" | "toothbrush" | "wood"
        | "zipper" => Some(InputPreset::Resize512),
        "cable" | "capsule" | "hazelnut" | "metal_nut" | "pill" => Some(InputPreset::Resize256),
        "transistor" => Some(InputPreset::Resize128),
        _ => None,
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

/// Which pictures of real defects a model is shown in training. They are never among those it is judged by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeenChoice {
    /// None: training is purely synthetic.
    #[default]
    None,
    /// So many of those with a mask, drawn by the run's seed and spread over the defect types.
    Draw(usize),
    /// These, by id.
    Listed(Vec<String>),
}

/// What a model that learns from defects is shown besides good pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DefectsConfig {
    pub seen: SeenChoice,
    /// A folder of masks painted in the window; they replace the data set's own.
    pub annotations: Option<PathBuf>,
    /// A folder of pictures whose textures simulated defects are made of, besides the sources that need none.
    pub textures: Option<PathBuf>,
    /// Where the product is in a picture: defects are simulated on it, not beside it.
    pub foreground: ForegroundRule,
    pub augment: AugmentSettings,
}

/// How simulated and extended defects are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recipe {
    /// As the paper and those it builds on have it.
    Published,
    /// With marks and edges that look more like defects of the product at hand.
    #[default]
    Refined,
}

impl Recipe {
    pub fn settings(self) -> AugmentSettings {
        match self {
            Self::Published => AugmentSettings::published(),
            Self::Refined => AugmentSettings::refined(),
        }
    }
}

impl DefectsConfig {
    /// Purely synthetic, with whatever foreground the pictures show.
    pub fn synthetic(recipe: Recipe) -> Self {
        Self {
            seen: SeenChoice::default(),
            annotations: None,
            textures: None,
            foreground: ForegroundRule::default(),
            augment: recipe.settings(),
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
    /// For models that learn from defects, and only for these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defects: Option<DefectsConfig>,
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
            defects: None,
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
    use super::{BackboneKind, Border, DeviceChoice, InputPreset, ModelName, Preset};

    #[test]
    fn every_preset_of_every_model_makes_sense_on_every_backbone() {
        for name in ModelName::ALL {
            for &preset in name.presets() {
                for kind in BackboneKind::ALL {
                    let mut model = preset.model(name, kind);
                    assert_eq!(model.name(), name.name());
                    for epochs in [1, 2, 3, 7, 500] {
                        model.set_epochs(epochs);
                        assert_eq!(model.epochs(), epochs);
                        assert_eq!(model.problem(), None, "{preset:?} {kind} {epochs}");
                    }
                }
            }
        }
    }

    #[test]
    fn only_cflow_s_paper_preset_follows_the_category() {
        let input = |preset: Preset, name, category| preset.input(name, Some(category));
        let cflow = ModelName::Cflow;
        assert_eq!(
            input(Preset::Paper, cflow, "bottle"),
            InputPreset::Resize512
        );
        assert_eq!(
            input(Preset::Paper, cflow, "transistor"),
            InputPreset::Resize128
        );
        assert_eq!(input(Preset::Paper, cflow, "mug"), InputPreset::Resize256);
        assert_eq!(
            input(Preset::Paper256, cflow, "bottle"),
            InputPreset::Resize256
        );
        assert_eq!(
            input(Preset::Quick, cflow, "bottle"),
            InputPreset::Resize256
        );
        assert_eq!(
            input(Preset::Paper, ModelName::Cfa, "bottle"),
            InputPreset::Resize256
        );
        assert_eq!(Preset::Paper.input(cflow, None), InputPreset::Resize256);
    }

    #[test]
    fn only_cflow_turns_pictures_and_mirrors_resnets() {
        let model = |name| Preset::Paper.model(name, BackboneKind::ResNet18);
        let (cfa, cflow) = (model(ModelName::Cfa), model(ModelName::Cflow));
        assert_eq!(cfa.rotation(), None);
        assert_eq!(cflow.rotation().map(|rotation| rotation.draws), Some(4));
        assert_eq!(cfa.border(BackboneKind::ResNet18), Border::Zeros);
        assert_eq!(cflow.border(BackboneKind::ResNet18), Border::Reflect);
        assert_eq!(cflow.border(BackboneKind::EfficientNetLite0), Border::Zeros);
    }

    #[test]
    fn a_batch_that_cannot_be_filled_shrinks_or_is_refused_with_the_remedy() {
        let model = |name| Preset::Paper.model(name, BackboneKind::ResNet18);
        assert_eq!(model(ModelName::Cfa).batch_for(3), Ok(3));
        assert_eq!(model(ModelName::Cflow).batch_for(32), Ok(32));
        let said = model(ModelName::Cflow).batch_for(31).unwrap_err();
        assert!(said.contains("--batch 31"), "{said}");
        let mut quick = Preset::Quick.model(ModelName::Cflow, BackboneKind::ResNet18);
        assert_eq!(quick.batch_for(31), Ok(31));
        quick.set_batch_size(16);
        assert!(quick.batch_for(15).is_err());
    }

    #[test]
    fn devices_are_read_as_they_are_typed() {
        assert_eq!("auto".parse(), Ok(DeviceChoice::Auto));
        assert_eq!("cuda:3".parse(), Ok(DeviceChoice::Cuda(3)));
        for wrong in ["gpu", "cuda:", "cuda:x", "CPU", ""] {
            assert!(wrong.parse::<DeviceChoice>().is_err(), "{wrong}");
        }
    }
}
