//! What a model file says about itself. The tensors' side is in [`super::checkpoint`], the checks that refuse a file that
//! is not, or no longer, what was saved are in `signed`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::container::Entry;
use super::signed::{self, Checked, Kind, Pairs};
use crate::config::RunConfig;
use crate::data::image::{InputSpec, Orientation};
use crate::metrics::{AreaRule, DecisionRule, Limit};
use crate::models::backbone::BackboneKind;

const FIRST_CHECKSUM: &str = "first_checksum";

/// The frozen network under a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackboneIdentity {
    pub kind: BackboneKind,
    /// SHA-256 of the weights file the model was trained with, hexadecimal.
    pub sha256: String,
    /// Whether the model file carries the weights itself, under [`super::checkpoint::BACKBONE_PREFIX`].
    pub embedded: bool,
}

/// Where accept ends and reject begins, how scores are coloured, and how large things are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// T2: pictures that score this much or more fail.
    pub image: Limit,
    /// T1: pictures that score less pass. Without it there is no REVIEW band.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Limit>,
    pub pixel: Limit,
    #[serde(default, skip_serializing_if = "is_plain")]
    pub area: AreaRule,
    /// Raw pixel scores at the two ends of the frozen colour scale.
    pub scale: (f32, f32),
    /// Pixels of a picture on one millimetre of the product, once somebody has measured it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixels_per_mm: Option<f64>,
}

fn is_plain(area: &AreaRule) -> bool {
    *area == AreaRule::default()
}

impl Limits {
    /// One limit for the score, one for the pixels, and nothing else.
    pub fn new(image: Limit, pixel: Limit, scale: (f32, f32)) -> Self {
        Self {
            image,
            review: None,
            pixel,
            area: AreaRule::default(),
            scale,
            pixels_per_mm: None,
        }
    }

    /// The rule these limits make.
    pub fn rule(&self) -> DecisionRule {
        DecisionRule {
            review: self.review.clone(),
            fail: self.image.clone(),
            pixel: self.pixel.clone(),
            area: self.area,
        }
    }

    /// The same colours with another rule and measure.
    #[must_use]
    pub fn with_rule(&self, rule: DecisionRule, pixels_per_mm: Option<f64>) -> Self {
        Self {
            image: rule.fail,
            review: rule.review,
            pixel: rule.pixel,
            area: rule.area,
            scale: self.scale,
            pixels_per_mm,
        }
    }

    /// JSON has no infinities, and limits that cross make no sense.
    fn check(&self) -> Result<()> {
        let review = self.review.as_ref().map(|limit| limit.value);
        let scores = [
            self.image.value,
            self.pixel.value,
            self.scale.0,
            self.scale.1,
        ];
        let finite = scores.into_iter().chain(review).all(f32::is_finite);
        ensure!(finite, "a limit is not a number");
        ensure!(
            review.is_none_or(|review| review <= self.image.value),
            "T1 ({}) lies above T2 ({})",
            review.unwrap_or_default(),
            self.image.value
        );
        let sizes = [Some(self.area.pixels), self.pixels_per_mm];
        ensure!(
            self.pixels_per_mm.is_none_or(|scale| scale > 0.0)
                && sizes
                    .into_iter()
                    .flatten()
                    .all(|size| size.is_finite() && size >= 0.0),
            "the smallest area or the scale is not a size"
        );
        Ok(())
    }
}

/// What a model was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// SHA-256 over the names and contents of the training pictures, hexadecimal.
    pub data_fingerprint: String,
    pub training_pictures: usize,
    pub calibration_pictures: usize,
    pub seed: u64,
    /// Left out unless given, so that the same training gives the same bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
}

/// A real defect a model was trained on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenDefect {
    /// The picture's id in the data set.
    pub id: String,
    /// The defect type.
    pub defect: String,
    /// Of the picture's file, hexadecimal: it is known again wherever it lies.
    pub sha256: String,
    /// Of its mask at the network's input size, one byte a pixel.
    pub mask_sha256: String,
}

/// One line of the training history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from one.
    pub epoch: usize,
    /// Mean over the epoch's steps; `None` when it was not a number.
    pub loss: Option<f32>,
    /// Named model quantities, such as CFA's radius.
    pub quantities: BTreeMap<String, f32>,
}

/// Everything a model file holds besides tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelMeta {
    /// The program that trained the model.
    pub program_version: String,
    pub config: RunConfig,
    pub backbone: BackboneIdentity,
    /// How a picture becomes network input, as the data layer describes it.
    pub input: InputSpec,
    /// Whether the training pictures were turned as their camera noted; what is scored is treated alike.
    pub orientation: Orientation,
    pub limits: Limits,
    /// Image scores of the held-out good pictures, ascending.
    pub calibration_scores: Vec<f32>,
    pub provenance: Provenance,
    /// Real defects it was trained on, by id. They must never be among the pictures it is judged by.
    pub seen: Vec<SeenDefect>,
    pub history: Vec<EpochRecord>,
    /// The checksum the model had before its limits were changed. Scores do not depend on limits, so evaluations name
    /// this one. `None`: they are those it was trained with.
    pub first_checksum: Option<String>,
}

impl ModelMeta {
    /// The file's key-value pairs, all but the checksum.
    pub(super) fn to_pairs(&self) -> Result<Pairs> {
        self.check_numbers()?;
        let mut pairs = Pairs::new(Kind::Model, &self.program_version);
        pairs.add("settings", &self.config)?;
        pairs.add("backbone", &self.backbone)?;
        pairs.add("input", &self.input)?;
        pairs.add("orientation", &self.orientation)?;
        pairs.add("limits", &self.limits)?;
        pairs.add("calibration_scores", &self.calibration_scores)?;
        pairs.add("provenance", &self.provenance)?;
        if !self.seen.is_empty() {
            pairs.add("seen", &self.seen)?;
        }
        pairs.add("history", &self.history)?;
        if let Some(checksum) = &self.first_checksum {
            pairs.add_text(FIRST_CHECKSUM, checksum);
        }
        Ok(pairs)
    }

    fn from_pairs(pairs: &Pairs) -> Result<Self> {
        Ok(Self {
            program_version: pairs.text("program_version")?.to_owned(),
            config: pairs.get("settings")?,
            backbone: pairs.get("backbone")?,
            input: pairs.get("input")?,
            orientation: pairs.get("orientation")?,
            limits: pairs.get("limits")?,
            calibration_scores: pairs.get("calibration_scores")?,
            provenance: pairs.get("provenance")?,
            seen: pairs.get_or_default("seen")?,
            history: pairs.get("history")?,
            first_checksum: pairs.text(FIRST_CHECKSUM).ok().map(ToOwned::to_owned),
        })
    }

    /// JSON has no infinities: a model whose numbers are broken is stopped here, not when somebody loads it.
    fn check_numbers(&self) -> Result<()> {
        self.limits
            .check()
            .context("the model's limits cannot be saved")?;
        ensure!(
            self.calibration_scores
                .iter()
                .all(|score| score.is_finite()),
            "the model's calibration scores are not numbers: its training went wrong"
        );
        check_history(&self.history)
    }
}

/// The same for the numbers of a training, finished or not.
pub(super) fn check_history(history: &[EpochRecord]) -> Result<()> {
    let quantities = history.iter().flat_map(|record| record.quantities.values());
    let losses = history.iter().filter_map(|record| record.loss.as_ref());
    ensure!(
        quantities.chain(losses).all(|value| value.is_finite()),
        "the training history holds values that are not numbers"
    );
    Ok(())
}

/// A model file's account of itself, and the checksum over the whole file.
pub type CheckedModel = Checked<ModelMeta>;

impl CheckedModel {
    /// Identifies what gives the scores: the same whatever limits are set. Evaluations name it.
    pub fn identity(&self) -> &str {
        self.meta.first_checksum.as_ref().unwrap_or(&self.checksum)
    }
}

/// Reads and checks a model file without keeping its tensors.
pub fn inspect(path: &Path) -> Result<CheckedModel> {
    read(path, |_, _| Ok(()))
}

/// Reads and checks a model file, handing each tensor's data to `visit` in file order.
pub(super) fn read(
    path: &Path,
    visit: impl FnMut(Entry, Vec<u8>) -> Result<()>,
) -> Result<CheckedModel> {
    signed::read(path, Kind::Model, visit, ModelMeta::from_pairs)
}

#[cfg(test)]
pub(super) mod samples {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::{BackboneIdentity, EpochRecord, Limits, ModelMeta, Provenance, SeenDefect};
    use crate::config::{BackboneChoice, CalibrationConfig, DeviceChoice, ModelConfig, RunConfig};
    use crate::data::OpenOptions;
    use crate::data::image::{InputPreset, InputSpec, Orientation, Size};
    use crate::metrics::{Limit, LimitOrigin};
    use crate::models::backbone::BackboneKind;
    use crate::models::cfa::CfaConfig;

    /// Settings as a user's first run has them.
    fn config() -> RunConfig {
        RunConfig {
            data: PathBuf::from("/data/Schräubchen"),
            open: OpenOptions::default(),
            category: Some("screw".to_owned()),
            model: ModelConfig::Cfa(CfaConfig::paper(BackboneKind::EfficientNetLite0)),
            backbone: BackboneChoice {
                kind: BackboneKind::EfficientNetLite0,
                weights: None,
            },
            input: InputPreset::Resize256,
            defects: None,
            calibration: CalibrationConfig::default(),
            seed: u64::MAX,
            device: DeviceChoice::Cuda(1),
            embed_backbone: false,
        }
    }

    pub fn meta() -> ModelMeta {
        let limit = |value| Limit {
            value,
            origin: LimitOrigin::HeldOutMaximum { pictures: 3 },
        };
        ModelMeta {
            program_version: "0.1.0".to_owned(),
            config: config(),
            backbone: BackboneIdentity {
                kind: BackboneKind::EfficientNetLite0,
                sha256: "ab".repeat(32),
                embedded: false,
            },
            input: InputSpec::for_pictures(
                InputPreset::Resize256,
                Size {
                    width: 900,
                    height: 900,
                },
            )
            .unwrap(),
            orientation: Orientation::Ignore,
            limits: Limits::new(limit(0.1 + 0.2), limit(1.0 / 3.0), (0.0, 2.0 / 3.0)),
            calibration_scores: vec![0.1, 0.2, 0.3],
            provenance: Provenance {
                data_fingerprint: "cd".repeat(32),
                training_pictures: 27,
                calibration_pictures: 3,
                seed: u64::MAX,
                created_at: None,
            },
            seen: vec![SeenDefect {
                id: "test/crack/003.png".to_owned(),
                defect: "crack".to_owned(),
                sha256: "ef".repeat(32),
                mask_sha256: "01".repeat(32),
            }],
            history: vec![EpochRecord {
                epoch: 1,
                loss: Some(290.5),
                quantities: BTreeMap::from([("radius".to_owned(), 0.063)]),
            }],
            first_checksum: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ModelMeta;
    use super::samples::meta;

    #[test]
    fn what_is_saved_comes_back_exactly() {
        let meta = meta();
        assert_eq!(
            ModelMeta::from_pairs(&meta.to_pairs().unwrap()).unwrap(),
            meta
        );
    }

    #[test]
    fn a_model_that_saw_no_defects_says_nothing_of_them() {
        let mut meta = meta();
        meta.seen.clear();
        let pairs = meta.to_pairs().unwrap();
        assert!(!pairs.as_map().contains_key("seen"));
        assert_eq!(ModelMeta::from_pairs(&pairs).unwrap(), meta);
    }

    #[test]
    fn floats_survive_the_text_form() {
        let mut meta = meta();
        meta.calibration_scores = (0..2000_u32)
            .map(|i| f32::from_bits(0x3e00_0000 + i * 7919))
            .collect();
        let back = ModelMeta::from_pairs(&meta.to_pairs().unwrap()).unwrap();
        assert_eq!(back.calibration_scores, meta.calibration_scores);
    }

    #[test]
    fn a_model_without_finite_limits_is_not_saved() {
        for break_it in [
            (|m: &mut ModelMeta| m.limits.image.value = f32::NAN) as fn(&mut ModelMeta),
            |m| m.calibration_scores.push(f32::INFINITY),
            |m| m.limits.scale.1 = f32::NEG_INFINITY,
            |m| m.history[0].loss = Some(f32::NAN),
        ] {
            let mut meta = meta();
            break_it(&mut meta);
            assert!(meta.to_pairs().is_err());
        }
    }
}
