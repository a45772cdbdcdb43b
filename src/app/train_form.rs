//! What the user chose to train, and the run settings that follow from it. No widgets.

use std::path::PathBuf;

use super::state::{OpenData, State};
use super::user_folders::UserFolders;
use crate::config::{
    BackboneChoice, BackboneKind, CalibrationConfig, CfaConfig, DeviceChoice, ModelConfig,
    RunConfig,
};
use crate::data::Category;
use crate::data::image::InputPreset;
use crate::worker::message::{WeightsInfo, WeightsOrigin};

/// Named settings of a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Preset {
    #[default]
    Paper,
    Quick,
}

impl Preset {
    pub fn name(self) -> &'static str {
        match self {
            Self::Paper => "Paper",
            Self::Quick => "Quick",
        }
    }

    fn cfa(self, backbone: BackboneKind) -> CfaConfig {
        match self {
            Self::Paper => CfaConfig::paper(backbone),
            Self::Quick => CfaConfig::quick(backbone),
        }
    }
}

/// The choices of the Train place. What is `None` is not chosen but follows from the rest.
#[derive(Debug, Clone)]
pub struct TrainForm {
    pub preset: Preset,
    pub backbone: BackboneChoice,
    pub input: InputPreset,
    pub device: DeviceChoice,
    pub seed: u64,
    /// The run folder as typed.
    pub out: Option<String>,
    pub embed_backbone: bool,
}

impl Default for TrainForm {
    /// The embedded backbone, the published settings, seed 0.
    fn default() -> Self {
        Self {
            preset: Preset::default(),
            backbone: BackboneChoice {
                kind: BackboneKind::EfficientNetLite0,
                weights: None,
            },
            input: InputPreset::default(),
            device: DeviceChoice::default(),
            seed: 0,
            out: None,
            embed_backbone: false,
        }
    }
}

impl TrainForm {
    pub fn epochs(&self) -> usize {
        self.preset.cfa(self.backbone.kind).epochs
    }

    /// The typed run folder, or a free one named after the category.
    pub fn out(&self, folders: &UserFolders, category: &str) -> PathBuf {
        match &self.out {
            Some(typed) => PathBuf::from(typed.trim()),
            None => folders.free_run(category, "cfa"),
        }
    }

    /// The settings of the run on the chosen category of `data`.
    pub fn run_config(&self, data: &OpenData) -> RunConfig {
        let several = data.dataset.categories.len() > 1;
        RunConfig {
            data: data.dataset.root.clone(),
            open: data.options.clone(),
            category: data
                .category()
                .filter(|_| several)
                .map(|category| category.name.clone()),
            model: ModelConfig::Cfa(self.preset.cfa(self.backbone.kind)),
            backbone: self.backbone.clone(),
            input: self.input,
            calibration: CalibrationConfig::default(),
            seed: self.seed,
            device: self.device,
            embed_backbone: self.embed_backbone,
        }
    }
}

/// Why training cannot start now; `None` when it can.
pub fn obstacle(state: &State) -> Option<&'static str> {
    let Some(data) = &state.data else {
        return Some("Open a folder of pictures first");
    };
    match data.category() {
        None => Some("The data set has no category"),
        Some(category) if category.train.is_empty() => {
            Some("There are no good pictures to train on")
        }
        Some(_) if state.is_busy() => Some("Another job is running"),
        Some(_) => None,
    }
}

/// How many good pictures are held out of training for the limit, as far as can be told beforehand.
pub fn held_out(category: &Category, calibration: &CalibrationConfig) -> usize {
    let good = category.train.len();
    let share = (good as f64 * calibration.fraction).round() as usize;
    share.max(calibration.at_least).min(good)
}

/// The largest share of false rejects that `pictures` good pictures below the limit leave possible at 95 % confidence:
/// the exact one-sided bound `1 - 0.05^(1/n)` for no reject among `n`.
pub fn proven_false_rejects(pictures: usize) -> f64 {
    if pictures == 0 {
        return 1.0;
    }
    1.0 - 0.05_f64.powf(1.0 / pictures as f64)
}

pub fn backbone_name(kind: BackboneKind) -> &'static str {
    match kind {
        BackboneKind::EfficientNetLite0 => "EfficientNet-Lite0",
        BackboneKind::MobileNetV3Large => "MobileNetV3-Large",
        BackboneKind::ResNet18 => "ResNet-18",
        BackboneKind::ResNet50 => "ResNet-50",
        BackboneKind::WideResNet50x2 => "Wide ResNet-50-2",
    }
}

/// How listed weights are chosen.
pub fn choice_of(weights: &WeightsInfo) -> BackboneChoice {
    BackboneChoice {
        kind: weights.kind,
        weights: match &weights.origin {
            WeightsOrigin::Embedded => None,
            WeightsOrigin::File(path) => Some(path.clone()),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use super::{Preset, TrainForm, held_out, obstacle, proven_false_rejects};
    use crate::app::state::{OpenData, State};
    use crate::app::user_folders::UserFolders;
    use crate::config::CalibrationConfig;
    use crate::data::check::CheckReport;
    use crate::data::image::Orientation;
    use crate::data::{Category, Dataset, Label, LayoutKind, OpenOptions, Sample};

    fn category(name: &str, good: usize) -> Category {
        let sample = Sample {
            id: "train/good/0.png".to_owned(),
            image: PathBuf::new(),
            masks: Vec::new(),
            label: Label::Good,
            defect: "good".to_owned(),
            orientation: Orientation::Ignore,
        };
        Category {
            name: name.to_owned(),
            train: vec![sample; good],
            test: Vec::new(),
        }
    }

    fn data(categories: Vec<Category>) -> OpenData {
        OpenData {
            dataset: Arc::new(Dataset {
                root: PathBuf::from("/data"),
                layout: LayoutKind::Mvtec,
                categories,
                folders: Vec::new(),
                findings: Vec::new(),
            }),
            report: Arc::new(CheckReport::default()),
            options: OpenOptions::default(),
            category: 0,
        }
    }

    #[test]
    fn the_category_is_named_only_where_there_are_several() {
        let form = TrainForm::default();
        let one = form.run_config(&data(vec![category("bottle", 9)]));
        assert_eq!(one.category, None);
        let two = form.run_config(&data(vec![category("bottle", 9), category("cable", 9)]));
        assert_eq!(two.category.as_deref(), Some("bottle"));
        assert_eq!(two.data, Path::new("/data"));
    }

    #[test]
    fn the_preset_decides_the_epochs() {
        let paper = TrainForm::default();
        let quick = TrainForm {
            preset: Preset::Quick,
            ..TrainForm::default()
        };
        assert!(quick.epochs() < paper.epochs());
        let config = quick.run_config(&data(vec![category("bottle", 9)]));
        assert_eq!(config.model.epochs(), quick.epochs());
    }

    #[test]
    fn the_run_folder_follows_the_category_until_it_is_typed() {
        let root = tempfile::tempdir().unwrap();
        let folders = UserFolders::new(root.path());
        let mut form = TrainForm::default();
        assert!(form.out(&folders, "bottle").ends_with("runs/bottle-cfa"));
        form.out = Some(" /runs/mine ".to_owned());
        assert_eq!(form.out(&folders, "bottle"), Path::new("/runs/mine"));
    }

    #[test]
    fn training_needs_data_with_good_pictures() {
        let mut state = State::default();
        assert_eq!(obstacle(&state), Some("Open a folder of pictures first"));
        state.data = Some(data(Vec::new()));
        assert!(obstacle(&state).is_some());
        state.data = Some(data(vec![category("bottle", 0)]));
        assert_eq!(
            obstacle(&state),
            Some("There are no good pictures to train on")
        );
        state.data = Some(data(vec![category("bottle", 9)]));
        assert_eq!(obstacle(&state), None);
    }

    #[test]
    fn a_tenth_is_held_out_but_never_fewer_than_the_minimum_or_more_than_there_are() {
        let calibration = CalibrationConfig::default();
        for (good, expected) in [(209, 21), (12, 4), (3, 3), (0, 0)] {
            assert_eq!(held_out(&category("x", good), &calibration), expected);
        }
    }

    #[test]
    fn sixty_goods_prove_five_percent_and_one_percent_needs_299() {
        assert!((proven_false_rejects(60) - 0.049).abs() < 0.001);
        assert!(proven_false_rejects(299) <= 0.01);
        assert!(proven_false_rejects(298) > 0.01);
        assert_eq!(proven_false_rejects(0), 1.0);
    }
}
