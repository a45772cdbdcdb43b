//! What a model file says about itself, and the checks that refuse a file that is not, or no longer, what was saved.
//! The tensors' side is in [`super::checkpoint`].

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::container::{Container, Entry};
use super::hash::hex;
use crate::config::RunConfig;
use crate::data::image::{InputSpec, Orientation};
use crate::metrics::Limit;
use crate::models::backbone::BackboneKind;

/// Marks a safetensors file as one of ours.
const FORMAT: &str = "flawscope-model";
/// Raised when a file can no longer be read by older programs.
const FORMAT_VERSION: u32 = 1;
const CHECKSUM: &str = "checksum";

/// The frozen network under a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackboneIdentity {
    pub kind: BackboneKind,
    /// SHA-256 of the weights file the model was trained with, hexadecimal.
    pub sha256: String,
    /// Whether the model file carries the weights itself, under [`super::checkpoint::BACKBONE_PREFIX`].
    pub embedded: bool,
}

/// Where accept ends and reject begins, and how scores are coloured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    pub image: Limit,
    pub pixel: Limit,
    /// Raw pixel scores at the two ends of the frozen colour scale.
    pub scale: (f32, f32),
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
    pub history: Vec<EpochRecord>,
}

impl ModelMeta {
    /// The file's key-value pairs, all but the checksum.
    pub(super) fn to_pairs(&self) -> Result<BTreeMap<String, String>> {
        self.check_numbers()?;
        let mut pairs = BTreeMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("format_version".to_owned(), FORMAT_VERSION.to_string()),
            ("program_version".to_owned(), self.program_version.clone()),
        ]);
        let mut add = |key: &str, json: serde_json::Result<String>| -> Result<()> {
            let json = json.with_context(|| format!("the model's {key} cannot be saved"))?;
            pairs.insert(key.to_owned(), json);
            Ok(())
        };
        add("settings", serde_json::to_string(&self.config))?;
        add("backbone", serde_json::to_string(&self.backbone))?;
        add("input", serde_json::to_string(&self.input))?;
        add("orientation", serde_json::to_string(&self.orientation))?;
        add("limits", serde_json::to_string(&self.limits))?;
        add(
            "calibration_scores",
            serde_json::to_string(&self.calibration_scores),
        )?;
        add("provenance", serde_json::to_string(&self.provenance))?;
        add("history", serde_json::to_string(&self.history))?;
        Ok(pairs)
    }

    fn from_pairs(pairs: &BTreeMap<String, String>) -> Result<Self> {
        Ok(Self {
            program_version: text(pairs, "program_version")?.to_owned(),
            config: json(pairs, "settings")?,
            backbone: json(pairs, "backbone")?,
            input: json(pairs, "input")?,
            orientation: json(pairs, "orientation")?,
            limits: json(pairs, "limits")?,
            calibration_scores: json(pairs, "calibration_scores")?,
            provenance: json(pairs, "provenance")?,
            history: json(pairs, "history")?,
        })
    }

    /// JSON has no infinities: a model whose numbers are broken is stopped here, not when somebody loads it.
    fn check_numbers(&self) -> Result<()> {
        let Limits {
            image,
            pixel,
            scale,
        } = &self.limits;
        let finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
        ensure!(
            finite(&[image.value, pixel.value, scale.0, scale.1])
                && finite(&self.calibration_scores),
            "the model's limits or calibration scores are not numbers: its training went wrong"
        );
        let quantities = self
            .history
            .iter()
            .flat_map(|record| record.quantities.values());
        let losses = self
            .history
            .iter()
            .filter_map(|record| record.loss.as_ref());
        ensure!(
            quantities.chain(losses).all(|value| value.is_finite()),
            "the model's training history holds values that are not numbers"
        );
        Ok(())
    }
}

fn text<'a>(pairs: &'a BTreeMap<String, String>, key: &str) -> Result<&'a str> {
    let value = pairs.get(key).map(String::as_str);
    value.with_context(|| format!("its `{key}` is missing"))
}

fn json<T: DeserializeOwned>(pairs: &BTreeMap<String, String>, key: &str) -> Result<T> {
    serde_json::from_str(text(pairs, key)?)
        .with_context(|| format!("its `{key}` is not understood"))
}

/// SHA-256 over all key-value pairs but itself, then each tensor's name, type, shape and data in file order. Every part
/// is preceded by its length, so that no two contents run together into the same hash.
pub(super) struct Checksum(Sha256);

impl Checksum {
    pub fn new(pairs: &BTreeMap<String, String>) -> Self {
        let mut sum = Self(Sha256::new());
        for (key, value) in pairs.iter().filter(|(key, _)| *key != CHECKSUM) {
            sum.part(key.as_bytes());
            sum.part(value.as_bytes());
        }
        sum
    }

    /// Announces a tensor; its data follow through [`Write`].
    pub fn tensor(&mut self, entry: &Entry) {
        self.part(entry.name.as_bytes());
        self.part(entry.dtype.to_string().as_bytes());
        self.part(format!("{:?}", entry.shape).as_bytes());
    }

    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }

    /// Adds the checksum to the pairs that it covers.
    pub fn sign(self, pairs: &mut BTreeMap<String, String>) -> String {
        let sum = self.finish();
        pairs.insert(CHECKSUM.to_owned(), sum.clone());
        sum
    }

    fn part(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }
}

impl Write for Checksum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A model file's account of itself, after its checksum was found right.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedModel {
    pub meta: ModelMeta,
    /// Identifies the model: evaluations name it.
    pub checksum: String,
}

/// Reads and checks a model file without keeping its tensors.
pub fn inspect(path: &Path) -> Result<CheckedModel> {
    read(path, |_, _| Ok(()))
}

/// Reads and checks a model file, handing each tensor's data to `visit` in file order.
pub(super) fn read(
    path: &Path,
    mut visit: impl FnMut(Entry, Vec<u8>) -> Result<()>,
) -> Result<CheckedModel> {
    let container = Container::open(path).context("expected a Flawscope model file")?;
    let pairs = container.metadata();
    let name = path.display();
    check_format(&pairs).with_context(|| format!("{name} cannot be used"))?;
    let mut sum = Checksum::new(&pairs);
    for entry in container.entries() {
        let bytes = container.read(&entry.name)?;
        sum.tensor(&entry);
        sum.write_all(&bytes)?;
        visit(entry, bytes)?;
    }
    let checksum = sum.finish();
    if pairs.get(CHECKSUM) != Some(&checksum) {
        bail!(
            "{name} was altered after it was saved: its checksum does not fit; use an intact copy or train again"
        );
    }
    let meta = ModelMeta::from_pairs(&pairs).with_context(|| {
        let maker = pairs.get("program_version").map_or("?", String::as_str);
        let this = env!("CARGO_PKG_VERSION");
        format!(
            "{name} was made by Flawscope {maker} and this is {this}, which does not understand it; update Flawscope"
        )
    })?;
    Ok(CheckedModel { meta, checksum })
}

fn check_format(pairs: &BTreeMap<String, String>) -> Result<()> {
    ensure!(
        pairs.get("format").map(String::as_str) == Some(FORMAT),
        "it is a safetensors file but not a Flawscope model; choose the model.safetensors of a run folder"
    );
    let version = text(pairs, "format_version")?;
    match version.parse::<u32>() {
        Ok(1..=FORMAT_VERSION) => Ok(()),
        Ok(newer) if newer > FORMAT_VERSION => bail!(
            "it was made by a newer Flawscope ({}, file format {newer}; this one reads up to {FORMAT_VERSION}); \
             update Flawscope",
            pairs
                .get("program_version")
                .map_or("version unknown", String::as_str)
        ),
        _ => bail!("its file format `{version}` does not exist; use an intact copy"),
    }
}

#[cfg(test)]
pub(super) mod samples {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::{BackboneIdentity, EpochRecord, Limits, ModelMeta, Provenance};
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
            limits: Limits {
                image: limit(0.1 + 0.2),
                pixel: limit(1.0 / 3.0),
                scale: (0.0, 2.0 / 3.0),
            },
            calibration_scores: vec![0.1, 0.2, 0.3],
            provenance: Provenance {
                data_fingerprint: "cd".repeat(32),
                training_pictures: 27,
                calibration_pictures: 3,
                seed: u64::MAX,
                created_at: None,
            },
            history: vec![EpochRecord {
                epoch: 1,
                loss: Some(290.5),
                quantities: BTreeMap::from([("radius".to_owned(), 0.063)]),
            }],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::samples::meta;
    use super::{Checksum, ModelMeta, check_format};
    use crate::store::container::Entry;
    use safetensors::tensor::Dtype;
    use std::io::Write;

    #[test]
    fn what_is_saved_comes_back_exactly() {
        let meta = meta();
        assert_eq!(
            ModelMeta::from_pairs(&meta.to_pairs().unwrap()).unwrap(),
            meta
        );
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

    #[test]
    fn other_formats_and_newer_versions_are_named() {
        let mut pairs = meta().to_pairs().unwrap();
        check_format(&pairs).unwrap();
        pairs.insert("format_version".to_owned(), "2".to_owned());
        pairs.insert("program_version".to_owned(), "9.1.0".to_owned());
        let error = check_format(&pairs).unwrap_err().to_string();
        assert!(error.contains("newer Flawscope (9.1.0"), "{error}");
        pairs.insert("format_version".to_owned(), "zero".to_owned());
        assert!(
            check_format(&pairs)
                .unwrap_err()
                .to_string()
                .contains("`zero`")
        );
        pairs.remove("format");
        assert!(
            check_format(&pairs)
                .unwrap_err()
                .to_string()
                .contains("not a Flawscope model")
        );
    }

    #[test]
    fn the_checksum_covers_names_types_shapes_and_values() {
        let sum = |name: &str, dtype, shape: &[usize], bytes: &[u8], seed: &str| {
            let mut pairs = meta().to_pairs().unwrap();
            pairs.insert("seed".to_owned(), seed.to_owned());
            pairs.insert("checksum".to_owned(), "ignored".to_owned());
            let mut sum = Checksum::new(&pairs);
            sum.tensor(&Entry {
                name: name.to_owned(),
                dtype,
                shape: shape.to_vec(),
            });
            sum.write_all(bytes).unwrap();
            sum.finish()
        };
        let sums = [
            sum("a", Dtype::F32, &[1, 2], &[0; 8], "1"),
            sum("b", Dtype::F32, &[1, 2], &[0; 8], "1"),
            sum("a", Dtype::I32, &[1, 2], &[0; 8], "1"),
            sum("a", Dtype::F32, &[2, 1], &[0; 8], "1"),
            sum("a", Dtype::F32, &[1, 2], &[1; 8], "1"),
            sum("a", Dtype::F32, &[1, 2], &[0; 8], "2"),
        ];
        let distinct: std::collections::BTreeSet<&String> = sums.iter().collect();
        assert_eq!(distinct.len(), sums.len());
    }
}
