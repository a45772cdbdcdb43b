//! Settings of PRN and the presets with their sources. No tensors.

use serde::{Deserialize, Serialize};

use crate::models::backbone::BackboneKind;
use crate::models::optim::Decay;
use crate::models::taps::TapActivation;

/// How wide the trained network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Width {
    /// As wide as the backbone's taps, which is what was published for `ResNet-18`.
    Taps,
    /// 1x1 convolutions bring features and residuals of the three scales, finest first, to these channels. Each is a
    /// multiple of the one before it.
    Reduced([usize; 3]),
}

/// How far a feature is from its prototype.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResidualForm {
    /// `(F - P)^2`, element by element.
    Square,
    /// `|F - P|`.
    Absolute,
}

/// What makes queries, keys and values of the self-attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttentionForm {
    /// 1x1 convolutions over channels, shared by all patch sizes; scores are divided by the root of a token's length.
    Channels,
    /// A weight and a bias for every number of a token and patch size; scores are divided by a token's length. Needs a
    /// hundred times the parameters and belongs to one input size.
    ElementWise,
}

/// Settings of a PRN model (Zhang, Wang, Wu and Jiang, "Prototypical Residual Networks for Anomaly Detection and
/// Localization", 2023).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrnConfig {
    pub epochs: usize,
    /// Pictures that an epoch shows. `None`: twice the good pictures, as published.
    pub epoch_pictures: Option<usize>,
    /// Pictures per optimiser step.
    pub batch_size: usize,
    /// Pictures that go through the network together: bounds a step's memory. Their batch norms use the statistics of
    /// these pictures alone, and the running statistics move once a step by the mean over its micro-batches.
    pub micro_batch: usize,
    pub learning_rate: f64,
    pub weight_decay: f64,
    /// The paper says 0.01 and not which; 0.01 is customary for the decoupled form.
    pub decay: Decay,
    /// Share of the training, at its end, over which the learning rate falls to `1e-6` along a cosine; 0 keeps it.
    pub cosine_tail: f64,
    /// Decay of the running mean of the weights that scoring uses; `None` scores with the last weights, as published.
    pub weight_average: Option<f64>,
    /// Four of the backbone's taps, finest first, by name: three to compare with prototypes, and the deepest.
    pub taps: Vec<String>,
    pub activation: TapActivation,
    /// Whether each tap is divided by its standard deviation over the good pictures.
    pub is_standardised: bool,
    pub width: Width,
    /// Prototypes per good picture.
    pub prototype_share: f64,
    /// Prototypes are made of at most so many good pictures, chosen evenly: bounds their memory and the model file.
    pub prototype_pictures: usize,
    pub residual: ResidualForm,
    pub attention: AttentionForm,
    /// Self-attention modules in a row at each scale.
    pub attention_modules: usize,
    /// Weight of the focal loss beside the smooth L1 loss.
    pub focal_weight: f64,
    /// A picture's score is the mean of so many largest pixels.
    pub top_pixels: usize,
}

impl PrnConfig {
    /// The published schedule: 700 epochs of batches of 48 pictures at 256 px, Adam at 1e-4 with weight decay 0.01. It
    /// was published for `ResNet-18`; other backbones are brought to its channels. Where the paper is silent: square
    /// residuals, decoupled decay, 1x1 attention.
    pub fn paper(kind: BackboneKind) -> Self {
        let taps = match kind {
            BackboneKind::EfficientNetLite0 => ["stage2", "stage3", "stage5", "stage7"],
            BackboneKind::MobileNetV3Large => ["block3", "block6", "block12", "block15"],
            BackboneKind::ResNet18 | BackboneKind::ResNet50 | BackboneKind::WideResNet50x2 => {
                ["layer1", "layer2", "layer3", "layer4"]
            }
        };
        let is_resnet = kind.is_resnet();
        Self {
            epochs: 700,
            epoch_pictures: None,
            batch_size: 48,
            micro_batch: 48,
            learning_rate: 1e-4,
            weight_decay: 0.01,
            decay: Decay::Decoupled,
            cosine_tail: 0.0,
            weight_average: None,
            taps: taps.map(str::to_owned).to_vec(),
            activation: if is_resnet {
                TapActivation::Relu
            } else {
                TapActivation::None
            },
            is_standardised: !is_resnet,
            width: match kind {
                BackboneKind::ResNet18 => Width::Taps,
                _ => Width::Reduced([64, 128, 256]),
            },
            prototype_share: 0.1,
            prototype_pictures: 512,
            residual: ResidualForm::Square,
            attention: AttentionForm::Channels,
            attention_modules: 3,
            focal_weight: 5.0,
            top_pixels: 100,
        }
    }

    /// A narrow network and a short schedule, for a processor without GPU.
    pub fn lite(kind: BackboneKind) -> Self {
        Self {
            epochs: 8,
            epoch_pictures: Some(320),
            batch_size: 8,
            micro_batch: 8,
            learning_rate: 1e-3,
            cosine_tail: 0.5,
            weight_average: Some(0.99),
            width: Width::Reduced([16, 32, 64]),
            attention_modules: 1,
            ..Self::paper(kind)
        }
    }

    /// The first setting that makes no sense, in words.
    pub fn problem(&self) -> Option<&'static str> {
        let is_share = |value: f64| (0.0..=1.0).contains(&value);
        let widths = match self.width {
            Width::Taps => [1; 3],
            Width::Reduced(widths) => widths,
        };
        let checks = [
            (self.epochs > 0, "training needs at least one epoch"),
            (
                self.batch_size > 0 && self.micro_batch > 0 && self.epoch_pictures != Some(0),
                "a training step and an epoch need at least one picture",
            ),
            (
                self.epoch_pictures
                    .is_none_or(|pictures| pictures >= self.batch_size),
                "an epoch shows fewer pictures than a batch",
            ),
            (
                self.learning_rate > 0.0 && self.learning_rate.is_finite(),
                "the learning rate must be positive",
            ),
            (
                self.weight_decay >= 0.0 && self.weight_decay.is_finite(),
                "the weight decay must not be negative",
            ),
            (
                is_share(self.cosine_tail),
                "the falling part of the learning rate is a share, 0 to 1",
            ),
            (
                self.weight_average
                    .is_none_or(|decay| (0.0..1.0).contains(&decay)),
                "the decay of the weights' running mean lies from 0 to below 1",
            ),
            (self.taps.len() == 4, "PRN reads four taps"),
            (
                widths[0] > 0
                    && widths[1].is_multiple_of(widths[0])
                    && widths[2].is_multiple_of(widths[1])
                    && widths[2] > 0,
                "each width must be a multiple of the one before it",
            ),
            (
                is_share(self.prototype_share) && self.prototype_share > 0.0,
                "the share of prototypes lies above 0 and at most at 1",
            ),
            (
                self.prototype_pictures > 0 && self.top_pixels > 0,
                "prototypes and scores need at least one picture and pixel",
            ),
            (
                self.attention_modules > 0,
                "each scale needs at least one attention module",
            ),
            (
                self.focal_weight >= 0.0 && self.focal_weight.is_finite(),
                "the weight of the focal loss must not be negative",
            ),
        ];
        checks
            .into_iter()
            .find_map(|(holds, problem)| (!holds).then_some(problem))
    }
}

#[cfg(test)]
mod tests {
    use super::{PrnConfig, Width};
    use crate::models::backbone::BackboneKind;

    #[test]
    fn presets_make_sense_and_read_taps_that_exist() {
        for kind in BackboneKind::ALL {
            for config in [PrnConfig::paper(kind), PrnConfig::lite(kind)] {
                assert_eq!(config.problem(), None);
                let exists = |name: &String| kind.taps().iter().any(|tap| tap.name == name);
                assert!(config.taps.iter().all(exists), "{kind}");
            }
        }
    }

    #[test]
    fn settings_without_sense_are_named() {
        let broken: [fn(&mut PrnConfig); 8] = [
            |c| c.epochs = 0,
            |c| c.micro_batch = 0,
            |c| c.epoch_pictures = Some(3),
            |c| c.learning_rate = f64::NAN,
            |c| c.cosine_tail = 1.5,
            |c| c.weight_average = Some(1.0),
            |c| c.width = Width::Reduced([16, 24, 48]),
            |c| c.prototype_share = 0.0,
        ];
        for break_it in broken {
            let mut config = PrnConfig::lite(BackboneKind::EfficientNetLite0);
            break_it(&mut config);
            assert!(config.problem().is_some());
        }
    }
}
