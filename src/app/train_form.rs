//! What the user chose to train, and the run settings that follow from it. No widgets.

use std::path::{Path, PathBuf};

use super::data_start::typed_path;
use super::state::OpenData;
use super::train_plan::smaller_batch;
use super::user_folders::UserFolders;
use crate::config::{
    BackboneChoice, BackboneKind, CalibrationConfig, DefectsConfig, DeviceChoice, ModelConfig,
    ModelName, Preset, Recipe, RunConfig, SeenChoice,
};
use crate::data::augment::ForegroundRule;
use crate::data::image::InputPreset;
use crate::worker::message::{WeightsInfo, WeightsOrigin};

/// The choices of the Train place. What is `None` is not chosen but follows from the rest.
#[derive(Debug, Clone)]
pub struct TrainForm {
    pub model: ModelName,
    pub preset: Preset,
    pub backbone: BackboneChoice,
    pub input: Option<InputPreset>,
    pub device: DeviceChoice,
    pub seed: u64,
    /// Where the product is in the pictures of the chosen category.
    pub foreground: ForegroundRule,
    /// The folder of textures as typed; empty for none.
    pub textures: String,
    pub recipe: Option<Recipe>,
    /// The run folder as typed.
    pub out: Option<String>,
    pub embed_backbone: bool,
}

impl Default for TrainForm {
    /// The embedded backbone, the published settings, seed 0.
    fn default() -> Self {
        Self {
            model: ModelName::default(),
            preset: Preset::default(),
            backbone: BackboneChoice {
                kind: BackboneKind::EfficientNetLite0,
                weights: None,
            },
            input: None,
            device: DeviceChoice::default(),
            seed: 0,
            foreground: ForegroundRule::default(),
            textures: String::new(),
            recipe: None,
            out: None,
            embed_backbone: false,
        }
    }
}

impl TrainForm {
    /// Takes another model with the preset to begin with: CFLOW-AD's published schedule is long, CFA's is not.
    pub fn choose_model(&mut self, model: ModelName) {
        self.model = model;
        self.preset = match model {
            ModelName::Cfa => Preset::Paper,
            ModelName::Cflow => Preset::Quick,
            ModelName::Prn => Preset::Lite,
        };
    }

    /// The input that goes with the preset on this category.
    pub fn preset_input(&self, category: &str) -> InputPreset {
        self.preset.input(self.model, Some(category))
    }

    pub fn input(&self, category: &str) -> InputPreset {
        self.input.unwrap_or_else(|| self.preset_input(category))
    }

    /// Takes this input; choosing what goes with the preset lets it follow the preset again.
    pub fn choose_input(&mut self, input: InputPreset, category: &str) {
        self.input = (input != self.preset_input(category)).then_some(input);
    }

    /// How defects are made: as chosen, or as it goes with the preset.
    pub fn recipe(&self) -> Recipe {
        self.recipe.unwrap_or_else(|| self.preset.recipe())
    }

    /// Takes this recipe; choosing what goes with the preset lets it follow the preset again.
    pub fn choose_recipe(&mut self, recipe: Recipe) {
        self.recipe = (recipe != self.preset.recipe()).then_some(recipe);
    }

    /// Another product is to be learned: what was said about the last one does not hold for it.
    pub fn forget_product(&mut self) {
        self.out = None;
        self.foreground = ForegroundRule::default();
    }

    /// The typed run folder, or a free one named after category and model.
    pub fn out(&self, folders: &UserFolders, category: &str) -> PathBuf {
        match &self.out {
            Some(typed) => PathBuf::from(typed.trim()),
            None => folders.free_run(category, self.model.name()),
        }
    }

    /// The preset's settings.
    pub fn model_config(&self) -> ModelConfig {
        self.preset.model(self.model, self.backbone.kind)
    }

    /// What a model that learns from defects is shown: the pictures ticked as seen, with the masks painted for them.
    fn defects(&self, data: &OpenData) -> Option<DefectsConfig> {
        let seen = data.seen();
        self.model.learns_from_defects().then(|| DefectsConfig {
            seen: if seen.is_empty() {
                SeenChoice::None
            } else {
                SeenChoice::Listed(seen)
            },
            annotations: data.annotations().map(Path::to_path_buf),
            textures: typed_path(&self.textures),
            foreground: self.foreground,
            ..DefectsConfig::synthetic(self.recipe())
        })
    }

    /// The settings of the run on the chosen category of `data`.
    pub fn run_config(&self, data: &OpenData) -> RunConfig {
        let several = data.dataset.categories.len() > 1;
        let name = data.category().map(|category| category.name.as_str());
        let mut model = self.model_config();
        if let Some(batch) = smaller_batch(self, data) {
            model.set_batch_size(batch.pictures);
        }
        RunConfig {
            data: data.dataset.root.clone(),
            open: data.options.clone(),
            category: name.filter(|_| several).map(str::to_owned),
            defects: self.defects(data),
            model,
            backbone: self.backbone.clone(),
            input: self.input(name.unwrap_or_default()),
            calibration: CalibrationConfig::default(),
            seed: self.seed,
            device: self.device,
            embed_backbone: self.embed_backbone,
        }
    }
}

/// Whether a backbone has all that a model reads of it.
pub fn works_with(model: ModelName, backbone: BackboneKind) -> bool {
    let has = |name: &String| backbone.taps().iter().any(|tap| tap.name == name);
    let mut presets = model.presets().iter();
    presets.all(|preset| preset.model(model, backbone).taps().iter().all(has))
}

pub fn preset_name(preset: Preset) -> &'static str {
    match preset {
        Preset::Paper => "Paper",
        Preset::Paper256 => "Paper 256",
        Preset::Quick => "Quick",
        Preset::Lite => "Lite",
    }
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
pub(super) mod samples {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::TrainForm;
    use crate::app::state::OpenData;
    use crate::config::{ModelName, Preset};
    use crate::data::check::CheckReport;
    use crate::data::image::{Orientation, Size};
    use crate::data::{Category, Dataset, Label, LayoutKind, OpenOptions, Sample};

    pub fn category(name: &str, good: usize) -> Category {
        let sample = |number| Sample {
            id: format!("train/good/{number}.png"),
            image: PathBuf::from(format!("{number}.png")),
            masks: Vec::new(),
            label: Label::Good,
            defect: "good".to_owned(),
            orientation: Orientation::Ignore,
        };
        Category {
            name: name.to_owned(),
            train: (0..good).map(sample).collect(),
            test: Vec::new(),
        }
    }

    pub fn data(categories: Vec<Category>) -> OpenData {
        let size = Size {
            width: 900,
            height: 900,
        };
        OpenData {
            dataset: Arc::new(Dataset {
                root: PathBuf::from("/data"),
                layout: LayoutKind::Mvtec,
                categories,
                folders: Vec::new(),
                findings: Vec::new(),
            }),
            report: Arc::new(CheckReport {
                sizes: vec![(size, 9)],
                ..CheckReport::default()
            }),
            options: OpenOptions::default(),
            category: 0,
            annotated: std::collections::BTreeMap::new(),
        }
    }

    pub fn bottle(good: usize) -> OpenData {
        data(vec![category("bottle", good)])
    }

    pub fn form(model: ModelName, preset: Preset) -> TrainForm {
        TrainForm {
            model,
            preset,
            ..TrainForm::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::samples::{bottle, category, data, form};
    use super::{TrainForm, works_with};
    use crate::app::user_folders::UserFolders;
    use crate::config::{BackboneKind, ModelConfig, ModelName, Preset, Recipe, SeenChoice};
    use crate::data::augment::ForegroundRule;
    use crate::data::image::InputPreset;

    #[test]
    fn the_category_is_named_only_where_there_are_several() {
        let form = TrainForm::default();
        let one = form.run_config(&bottle(9));
        assert_eq!(one.category, None);
        let two = form.run_config(&data(vec![category("bottle", 9), category("cable", 9)]));
        assert_eq!(two.category.as_deref(), Some("bottle"));
        assert_eq!(two.data, Path::new("/data"));
    }

    #[test]
    fn model_preset_and_choices_make_the_run() {
        let data = bottle(209);
        for model in ModelName::ALL {
            for &preset in model.presets() {
                let form = form(model, preset);
                let config = form.run_config(&data);
                assert_eq!(config.model.name(), model.name());
                assert_eq!(config.model, preset.model(model, form.backbone.kind));
                assert_eq!(config.input, preset.input(model, Some("bottle")));
            }
        }
        let mut form = form(ModelName::Cflow, Preset::Quick);
        form.embed_backbone = true;
        form.backbone.kind = BackboneKind::ResNet18;
        let config = form.run_config(&data);
        assert!(config.embed_backbone);
        assert!(matches!(config.model, ModelConfig::Cflow(cflow) if cflow.taps[0] == "layer2"));
    }

    #[test]
    fn another_model_begins_with_a_schedule_a_laptop_finishes() {
        let mut form = form(ModelName::Cflow, Preset::Paper256);
        form.choose_model(ModelName::Cfa);
        assert_eq!((form.model, form.preset), (ModelName::Cfa, Preset::Paper));
        form.choose_model(ModelName::Cflow);
        assert_eq!((form.model, form.preset), (ModelName::Cflow, Preset::Quick));
    }

    #[test]
    fn the_input_follows_preset_and_category_until_it_is_chosen() {
        let mut form = form(ModelName::Cflow, Preset::Paper);
        assert_eq!(form.input("bottle"), InputPreset::Resize512);
        assert_eq!(form.input("transistor"), InputPreset::Resize128);
        assert_eq!(form.input("line 3"), InputPreset::Resize256);
        form.choose_input(InputPreset::Resize256, "bottle");
        assert_eq!(form.input("transistor"), InputPreset::Resize256);
        form.choose_input(InputPreset::Resize512, "bottle");
        assert_eq!(form.input, None, "what the preset says is no choice");
        form.preset = Preset::Paper256;
        assert_eq!(form.input("bottle"), InputPreset::Resize256);
    }

    #[test]
    fn every_backbone_that_is_offered_works_with_every_model() {
        for model in ModelName::ALL {
            for kind in BackboneKind::ALL {
                assert!(works_with(model, kind), "{model:?} on {kind}");
            }
        }
    }

    #[test]
    fn the_run_folder_follows_category_and_model_until_it_is_typed() {
        let root = tempfile::tempdir().unwrap();
        let folders = UserFolders::new(root.path());
        let mut form = TrainForm::default();
        assert!(form.out(&folders, "bottle").ends_with("runs/bottle-cfa"));
        form.choose_model(ModelName::Cflow);
        assert!(form.out(&folders, "bottle").ends_with("runs/bottle-cflow"));
        form.out = Some(" /runs/mine ".to_owned());
        assert_eq!(form.out(&folders, "bottle"), Path::new("/runs/mine"));
    }

    #[test]
    fn what_is_chosen_about_defects_makes_the_run_of_a_model_that_learns_from_them() {
        let data = bottle(209);
        let mut form = TrainForm {
            textures: "/dtd".to_owned(),
            ..TrainForm::default()
        };
        assert_eq!(
            form.run_config(&data).defects,
            None,
            "CFA has no use for them"
        );
        form.choose_model(ModelName::Prn);
        assert_eq!(form.preset, Preset::Lite);
        form.foreground = ForegroundRule::Dark;
        let defects = form.run_config(&data).defects.unwrap();
        assert_eq!(defects.seen, SeenChoice::None);
        assert_eq!(defects.textures.as_deref(), Some(Path::new("/dtd")));
        assert_eq!(defects.foreground, ForegroundRule::Dark);
        assert_eq!(defects.augment, Recipe::Refined.settings());
        form.textures = "  ".to_owned();
        assert_eq!(form.run_config(&data).defects.unwrap().textures, None);
    }

    #[test]
    fn the_recipe_follows_the_preset_until_it_is_chosen() {
        let mut form = form(ModelName::Prn, Preset::Paper);
        assert_eq!(form.recipe(), Recipe::Published);
        form.choose_recipe(Recipe::Refined);
        assert_eq!(form.recipe, Some(Recipe::Refined));
        form.preset = Preset::Lite;
        form.choose_recipe(Recipe::Refined);
        assert_eq!(form.recipe, None, "what the preset says is no choice");
    }

    #[test]
    fn another_product_is_met_without_what_was_said_about_the_last() {
        let mut form = form(ModelName::Prn, Preset::Lite);
        form.foreground = ForegroundRule::Bright;
        form.out = Some("/runs/mine".to_owned());
        form.textures = "/dtd".to_owned();
        form.forget_product();
        assert_eq!(
            (form.foreground, form.out),
            (ForegroundRule::Automatic, None)
        );
        assert_eq!(form.textures, "/dtd");
    }
}
