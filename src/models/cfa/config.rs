//! Settings of CFA and the presets with their sources. No tensors.

use serde::{Deserialize, Serialize};

use crate::models::backbone::BackboneKind;
use crate::models::taps::TapActivation;

/// How pooled features are brought to a common size before they are joined.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TapScaling {
    None,
    /// Each tap is divided by its number of channels: what the authors' code does for `EfficientNet`.
    ChannelCount,
    /// Each tap is scaled so that its standard deviation over the training set, all channels and positions together,
    /// becomes `target`.
    StandardDeviation {
        target: f32,
    },
}

/// Settings of a CFA model (Lee, Lee and Song, "CFA: Coupled-Hypersphere-Based Feature Adaptation", 2022).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CfaConfig {
    pub epochs: usize,
    /// Pictures per training step.
    pub batch_size: usize,
    pub learning_rate: f64,
    pub weight_decay: f64,
    /// The backbone's taps, finest first, by name.
    pub taps: Vec<String>,
    pub activation: TapActivation,
    pub scaling: TapScaling,
    /// The descriptor's width is the taps' channels times this, divided by `gamma_d`.
    pub width_factor: usize,
    /// The memory bank keeps one in so many centres, by k-means; 1 keeps one per position.
    pub gamma_c: usize,
    /// Makes the descriptor so many times narrower.
    pub gamma_d: usize,
    /// K: patches are pulled to this many nearest centres, and scored by them.
    pub neighbours: usize,
    /// J: patches are pushed away from this many centres beyond those.
    pub hard_negatives: usize,
    /// Margin of the repulsion, a squared distance.
    pub alpha: f32,
    /// Softness of the boundary: the loss is divided by it.
    pub nu: f32,
    /// The hyperspheres' radius before training.
    pub initial_radius: f32,
    /// Standard deviation of the smoothing of score maps, in input pixels.
    pub smoothing: f64,
}

impl CfaConfig {
    /// The authors' released code: 30 epochs, batch 4, `AdamW` with `AMSGrad` at 1e-3 and decay 5e-4, K = J = 3,
    /// alpha = 0.1, nu = 1e-3.
    ///
    /// `EfficientNet-Lite0` is not theirs. Its taps and scaling were chosen on held-out data, never on a test set: image
    /// AUROC, pixel AUROC and AUPRO after 5 epochs, seed 0, of (a) 100 good training pictures of MVTec AD's bottle
    /// against 40 further ones and 69 with pasted patches, and (b) the sample data set drawn with seed 77.
    ///
    /// | taps | scaling | width | (a) | (b) |
    /// |---|---|---|---|---|
    /// | **stage2, 3, 5** | **spread 0.5** | **2** | 0.9667 0.9884 0.9567 | 1.0000 0.9942 0.9836 |
    /// | stage2, 3, 5 | spread 0.1 | 2 | 0.9681 0.9885 0.9559 | 0.9988 0.9927 0.9806 |
    /// | stage2, 3, 5 | spread 0.25 | 2 | 0.9663 0.9885 0.9567 | 1.0000 0.9935 0.9823 |
    /// | stage2, 3, 5 | spread 1 | 2 | 0.9656 0.9878 0.9560 | 1.0000 0.9943 0.9831 |
    /// | stage2, 3, 5 | by channel count | 2 | 0.9409 0.9829 0.9582 | 1.0000 0.9951 0.9865 |
    /// | stage2, 3, 5 | spread 0.5 | 1 | 0.9634 0.9887 0.9582 | 1.0000 0.9936 0.9824 |
    /// | stage2, 3, 5 | spread 0.25 | 1 | 0.9623 0.9887 0.9580 | 1.0000 0.9929 0.9811 |
    /// | stage2, 3, 4 | spread 0.5 | 2 | 0.9543 0.9885 0.9598 | 1.0000 0.9956 0.9863 |
    /// | stage3, 5 | spread 0.5 | 2 | 0.9638 0.9885 0.9428 | 0.9425 0.9813 0.9519 |
    /// | stage2, 3, 4, 5 | spread 0.5 | 2 | 0.9605 0.9881 0.9536 | 1.0000 0.9943 0.9826 |
    /// | stage2, 3, 5, 7 | spread 0.5 | 2 | 0.9594 0.9617 0.8687 | 0.9988 0.9812 0.9440 |
    ///
    /// `MobileNetV3-Large` is not theirs either; it gets the same choices at the same strides and was not measured.
    pub fn paper(kind: BackboneKind) -> Self {
        let is_resnet = kind.is_resnet();
        let taps = match kind {
            BackboneKind::EfficientNetLite0 => ["stage2", "stage3", "stage5"],
            BackboneKind::MobileNetV3Large => ["block3", "block6", "block12"],
            BackboneKind::ResNet18 | BackboneKind::ResNet50 | BackboneKind::WideResNet50x2 => {
                ["layer1", "layer2", "layer3"]
            }
        };
        Self {
            epochs: 30,
            batch_size: 4,
            learning_rate: 1e-3,
            weight_decay: 5e-4,
            taps: taps.map(str::to_owned).to_vec(),
            activation: if is_resnet {
                TapActivation::LeakyRelu
            } else {
                TapActivation::None
            },
            // Lite0's taps spread by about 13, 12 and 7, a ResNet's by less than one.
            scaling: if is_resnet {
                TapScaling::None
            } else {
                TapScaling::StandardDeviation { target: 0.5 }
            },
            // The authors double the width for EfficientNet, whose taps are narrow.
            width_factor: if is_resnet { 1 } else { 2 },
            gamma_c: 1,
            gamma_d: 1,
            neighbours: 3,
            hard_negatives: 3,
            alpha: 0.1,
            nu: 1e-3,
            initial_radius: 1e-5,
            smoothing: 4.0,
        }
    }

    /// [`CfaConfig::paper`] cut to 5 epochs: most of the accuracy is there after the first few.
    pub fn quick(kind: BackboneKind) -> Self {
        Self {
            epochs: 5,
            ..Self::paper(kind)
        }
    }

    /// The first setting that makes no sense, in words.
    pub fn problem(&self) -> Option<&'static str> {
        let positive = |value: f64| value > 0.0 && value.is_finite();
        let checks = [
            (
                self.batch_size > 0,
                "a training step needs at least one picture",
            ),
            (
                positive(self.learning_rate),
                "the learning rate must be positive",
            ),
            (
                self.weight_decay >= 0.0 && self.weight_decay.is_finite(),
                "the weight decay must not be negative",
            ),
            (
                !self.taps.is_empty(),
                "at least one tap of the backbone is needed",
            ),
            (self.width_factor > 0, "the width factor must be at least 1"),
            (
                self.gamma_c > 0 && self.gamma_d > 0,
                "gamma_c and gamma_d must be at least 1",
            ),
            (self.neighbours > 0, "at least one neighbour is needed"),
            (
                self.alpha >= 0.0 && self.alpha.is_finite(),
                "alpha must not be negative",
            ),
            (positive(self.nu.into()), "nu must be positive"),
            (
                self.initial_radius.is_finite(),
                "the initial radius must be a number",
            ),
            (positive(self.smoothing), "the smoothing must be positive"),
            (
                !matches!(self.scaling, TapScaling::StandardDeviation { target } if !positive(target.into())),
                "the target standard deviation must be positive",
            ),
        ];
        checks
            .into_iter()
            .find_map(|(fine, problem)| (!fine).then_some(problem))
    }

    /// The descriptor's output width for taps with `channels` in all; `None` when `gamma_d` leaves nothing.
    pub(super) fn width(&self, channels: usize) -> Option<usize> {
        Some(channels * self.width_factor / self.gamma_d).filter(|&width| width > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::{CfaConfig, TapScaling};
    use crate::models::backbone::BackboneKind;

    #[test]
    fn presets_make_sense_and_quick_is_shorter() {
        for kind in BackboneKind::ALL {
            let (paper, quick) = (CfaConfig::paper(kind), CfaConfig::quick(kind));
            assert_eq!((paper.problem(), quick.problem()), (None, None));
            assert!(quick.epochs < paper.epochs);
        }
    }

    #[test]
    fn senseless_settings_are_named() {
        let mut config = CfaConfig::paper(BackboneKind::ResNet18);
        config.scaling = TapScaling::StandardDeviation { target: 0.0 };
        assert!(
            config
                .problem()
                .is_some_and(|problem| problem.contains("standard deviation"))
        );
        config.gamma_c = 0;
        assert!(
            config
                .problem()
                .is_some_and(|problem| problem.contains("gamma_c"))
        );
    }

    #[test]
    fn the_descriptor_is_as_wide_as_the_published_ones() {
        let wide = CfaConfig::paper(BackboneKind::WideResNet50x2);
        assert_eq!(wide.width(1792), Some(1792));
        assert_eq!(
            CfaConfig {
                gamma_d: 4,
                ..wide.clone()
            }
            .width(1792),
            Some(448)
        );
        assert_eq!(
            CfaConfig {
                gamma_d: 4000,
                ..wide
            }
            .width(1792),
            None
        );
    }

    #[test]
    fn settings_survive_being_saved() {
        for kind in BackboneKind::ALL {
            let config = CfaConfig::paper(kind);
            let text = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<CfaConfig>(&text).unwrap(), config);
        }
    }
}
