//! What an interrupted training needs to go on: its settings, where it stands, and the tensors of model and optimiser.
//! When to write it is the pipeline's business.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::atomic::folder_of;
use super::checkpoint::{save_signed, tensor_from};
use super::model_file::{BackboneIdentity, EpochRecord, SeenDefect, check_history};
use super::signed::{self, Checked, Kind, Pairs};
use crate::config::RunConfig;
use crate::cursor::Cursor;

/// Losses added up. The sum comes back exactly, so that the mean does not depend on pauses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct LossSum {
    pub sum: f64,
    pub steps: usize,
}

impl LossSum {
    pub fn add(&mut self, loss: f32) {
        self.sum += f64::from(loss);
        self.steps += 1;
    }

    pub fn mean(self) -> f32 {
        (self.sum / self.steps.max(1) as f64) as f32
    }
}

/// The account of an epoch that is not finished.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochAccount {
    pub loss: LossSum,
    /// The losses of the model's parts, where they take turns.
    pub parts: BTreeMap<String, LossSum>,
    /// What the model's quantities were after the last step.
    pub quantities: BTreeMap<String, f32>,
}

/// A training between two steps.
#[derive(Debug, Clone)]
pub struct TrainingState {
    /// The program that wrote it.
    pub program_version: String,
    pub config: RunConfig,
    /// The next step to take.
    pub cursor: Cursor,
    /// The finished epochs.
    pub history: Vec<EpochRecord>,
    /// Of the epoch that is not finished.
    pub account: EpochAccount,
    /// SHA-256 over the names and contents of the training pictures, hexadecimal.
    pub data_fingerprint: String,
    /// Real defects it learns from.
    pub seen: Vec<SeenDefect>,
    pub backbone: BackboneIdentity,
    /// Of model and optimiser, by name; on the CPU when they were loaded.
    pub tensors: HashMap<String, Tensor>,
}

/// Writes the state in place of an earlier one: afterwards the file holds the new state or, with an error, the old one.
/// The same state gives the same bytes.
pub fn save(path: &Path, state: &TrainingState) -> Result<()> {
    let tensors: BTreeMap<&str, &Tensor> = state
        .tensors
        .iter()
        .map(|(name, tensor)| (name.as_str(), tensor))
        .collect();
    save_signed(path, state.to_pairs()?, &tensors)?;
    Ok(())
}

/// Reads a state. Errors name the file, what is wrong with it and what to do.
pub fn load(path: &Path) -> Result<TrainingState> {
    ensure!(
        path.exists(),
        "nothing to resume in {}: {} is not there",
        folder_of(path).display(),
        path.display()
    );
    let mut tensors = HashMap::new();
    let keep = |entry, bytes: Vec<u8>| {
        let tensor =
            tensor_from(&entry, &bytes).with_context(|| format!("reading {}", path.display()))?;
        tensors.insert(entry.name, tensor);
        Ok(())
    };
    let Checked { meta: state, .. } =
        signed::read(path, Kind::Training, keep, TrainingState::from_pairs)?;
    Ok(TrainingState { tensors, ..state })
}

/// What a state says about itself, without its tensors and unchecked: enough to show it.
pub(super) fn peek(path: &Path) -> Result<TrainingState> {
    signed::peek(path, Kind::Training, TrainingState::from_pairs)
}

impl TrainingState {
    fn to_pairs(&self) -> Result<Pairs> {
        check_history(&self.history)?;
        ensure!(
            self.account.loss.sum.is_finite(),
            "the sum of losses is {}: the training went wrong",
            self.account.loss.sum
        );
        let mut pairs = Pairs::new(Kind::Training, &self.program_version);
        pairs.add("settings", &self.config)?;
        pairs.add("cursor", &self.cursor)?;
        pairs.add("history", &self.history)?;
        pairs.add("account", &self.account)?;
        pairs.add_text("data_fingerprint", &self.data_fingerprint);
        if !self.seen.is_empty() {
            pairs.add("seen", &self.seen)?;
        }
        pairs.add("backbone", &self.backbone)?;
        Ok(pairs)
    }

    /// All but the tensors.
    fn from_pairs(pairs: &Pairs) -> Result<Self> {
        Ok(Self {
            program_version: pairs.text("program_version")?.to_owned(),
            config: pairs.get("settings")?,
            cursor: pairs.get("cursor")?,
            history: pairs.get("history")?,
            account: pairs.get("account")?,
            data_fingerprint: pairs.text("data_fingerprint")?.to_owned(),
            seen: pairs.get_or_default("seen")?,
            backbone: pairs.get("backbone")?,
            tensors: HashMap::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};
    use std::fs;
    use std::path::{Path, PathBuf};

    use candle_core::{DType, Device, Tensor};
    use tempfile::TempDir;

    use super::{Cursor, EpochAccount, LossSum, TrainingState, load, save};
    use crate::store::checkpoint;
    use crate::store::model_file::{inspect, samples::meta};

    fn tensors() -> HashMap<String, Tensor> {
        let range = |n: usize| Tensor::arange(0.0_f32, n as f32, &Device::Cpu).unwrap();
        // A transposed view: its bytes do not lie in order.
        let view = range(6).reshape((2, 3)).unwrap().t().unwrap();
        let named = |name: &str, tensor| (name.to_owned(), tensor);
        HashMap::from([
            named("decoder.0.weight", range(4)),
            named("adam.m.decoder.0.weight", view),
            named("adam.lost", (range(2) * 1e-40).unwrap()),
            named(
                "adam.v.sum",
                Tensor::new(1.0_f64 / 3.0, &Device::Cpu).unwrap(),
            ),
            named("adam.t", Tensor::new(u32::MAX, &Device::Cpu).unwrap()),
            named(
                "empty",
                Tensor::zeros((0, 3), DType::F32, &Device::Cpu).unwrap(),
            ),
        ])
    }

    fn state() -> TrainingState {
        let meta = meta();
        TrainingState {
            program_version: meta.program_version,
            config: meta.config,
            cursor: Cursor {
                epoch: 3,
                batch: 17,
                step: usize::MAX,
            },
            history: meta.history,
            seen: meta.seen,
            account: EpochAccount {
                loss: LossSum {
                    sum: 0.1 + 0.2,
                    steps: 170,
                },
                parts: BTreeMap::from([(
                    "scale 1".to_owned(),
                    LossSum {
                        sum: 1.0 / 3.0,
                        steps: 3,
                    },
                )]),
                quantities: BTreeMap::from([("radius".to_owned(), 0.1)]),
            },
            data_fingerprint: meta.provenance.data_fingerprint,
            backbone: meta.backbone,
            tensors: tensors(),
        }
    }

    fn saved() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("training.safetensors");
        save(&path, &state()).unwrap();
        (folder, path)
    }

    fn said(path: &Path) -> String {
        format!("{:#}", load(path).unwrap_err())
    }

    /// Bits of a tensor's values.
    fn bits(tensor: &Tensor) -> Vec<u8> {
        let mut bytes = Vec::new();
        tensor.write_bytes(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_training_comes_back_as_it_was_saved() {
        let (_folder, path) = saved();
        let (found, wanted) = (load(&path).unwrap(), state());
        assert_eq!(found.program_version, wanted.program_version);
        assert_eq!(found.config, wanted.config);
        assert_eq!(found.cursor, wanted.cursor);
        assert_eq!(found.history, wanted.history);
        assert_eq!(found.account, wanted.account);
        assert_eq!(found.data_fingerprint, wanted.data_fingerprint);
        assert_eq!(found.backbone, wanted.backbone);
        assert_eq!(found.tensors.len(), wanted.tensors.len());
        for (name, tensor) in &wanted.tensors {
            let found = &found.tensors[name];
            assert_eq!(found.dims(), tensor.dims(), "{name}");
            assert_eq!(found.dtype(), tensor.dtype(), "{name}");
            assert_eq!(bits(found), bits(tensor), "{name}");
        }
    }

    #[test]
    fn a_state_can_be_shown_without_reading_its_tensors() {
        let (_folder, path) = saved();
        let found = super::peek(&path).unwrap();
        assert_eq!(
            (found.config, found.cursor),
            (state().config, state().cursor)
        );
        assert!(found.tensors.is_empty());
    }

    #[test]
    fn sums_of_losses_come_back_to_the_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("training");
        let mut state = state();
        state.tensors.clear();
        let mut sum = 0.0;
        for step in 0..40_u32 {
            sum += 1.0 / f64::from(step * 7919 + 3);
            state.account.loss.sum = sum;
            save(&path, &state).unwrap();
            let found = load(&path).unwrap().account.loss.sum;
            assert_eq!(found.to_bits(), sum.to_bits());
        }
        for extreme in [f64::MIN_POSITIVE, 5e-324, f64::MAX, -0.0] {
            state.account.loss.sum = extreme;
            save(&path, &state).unwrap();
            let found = load(&path).unwrap().account.loss.sum;
            assert_eq!(found.to_bits(), extreme.to_bits());
        }
    }

    #[test]
    fn the_same_state_is_the_same_bytes_and_saving_again_replaces_it() {
        let (folder, path) = saved();
        let bytes = fs::read(&path).unwrap();
        save(&path, &load(&path).unwrap()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes);
        let mut later = state();
        later.cursor.epoch += 1;
        save(&path, &later).unwrap();
        assert_eq!(load(&path).unwrap().cursor, later.cursor);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_training_that_went_wrong_leaves_the_last_good_state() {
        let (folder, path) = saved();
        for break_it in [
            (|s: &mut TrainingState| s.account.loss.sum = f64::NAN) as fn(&mut TrainingState),
            |s| s.account.loss.sum = f64::INFINITY,
            |s| s.history[0].loss = Some(f32::NAN),
        ] {
            let mut state = state();
            break_it(&mut state);
            assert!(save(&path, &state).is_err());
        }
        assert_eq!(load(&path).unwrap().cursor, state().cursor);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_an_interrupted_write_leaves_does_no_harm() {
        let (folder, path) = saved();
        let bytes = fs::read(&path).unwrap();
        fs::write(folder.path().join(".flawscope-killed.tmp"), &bytes[..99]).unwrap();
        assert_eq!(load(&path).unwrap().cursor, state().cursor);
        save(&path, &state()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }

    #[test]
    fn a_state_cut_short_at_any_byte_is_refused_by_name() {
        let (_folder, path) = saved();
        let bytes = fs::read(&path).unwrap();
        for length in 0..bytes.len() {
            fs::write(&path, &bytes[..length]).unwrap();
            let error = said(&path);
            assert!(error.contains("training.safetensors"), "{length}: {error}");
        }
    }

    #[test]
    fn any_changed_byte_is_refused() {
        let (_folder, path) = saved();
        let bytes = fs::read(&path).unwrap();
        for position in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[position] ^= 1;
            fs::write(&path, altered).unwrap();
            assert!(load(&path).is_err(), "byte {position} of {}", bytes.len());
        }
        let mut altered = bytes.clone();
        altered[bytes.len() - 1] ^= 1;
        fs::write(&path, altered).unwrap();
        let error = said(&path);
        assert!(
            error.contains("altered after it was saved") && error.contains("training anew"),
            "{error}"
        );
    }

    #[test]
    fn where_there_is_no_state_there_is_nothing_to_resume() {
        let folder = tempfile::tempdir().unwrap();
        let error = said(&folder.path().join("training.safetensors"));
        let start = format!("nothing to resume in {}: ", folder.path().display());
        assert!(error.starts_with(&start), "{error}");
    }

    #[test]
    fn a_newer_programs_state_is_said_to_be() {
        let (_folder, path) = saved();
        let text = b"\"format_version\":\"";
        let mut bytes = fs::read(&path).unwrap();
        let start = bytes.windows(text.len()).position(|w| w == text).unwrap();
        bytes[start + text.len()] = b'7';
        fs::write(&path, bytes).unwrap();
        let error = said(&path);
        assert!(
            error.contains("newer Flawscope") && error.contains("update"),
            "{error}"
        );
    }

    #[test]
    fn models_and_trainings_are_not_taken_for_each_other() {
        let (folder, training) = saved();
        let model = folder.path().join("model.safetensors");
        checkpoint::save(&model, &meta(), &[]).unwrap();
        let error = said(&model);
        assert!(
            error.contains("model.safetensors cannot be used")
                && error.contains("it is a Flawscope model, not the state of an interrupted"),
            "{error}"
        );
        for error in [
            inspect(&training).unwrap_err(),
            checkpoint::load(&training).unwrap_err(),
        ] {
            let error = format!("{error:#}");
            assert!(
                error.contains("training.safetensors cannot be used")
                    && error.contains("interrupted Flawscope training, not a Flawscope model"),
                "{error}"
            );
        }
        fs::write(&training, "notes about the training").unwrap();
        let error = said(&training);
        assert!(error.contains("is not a safetensors file"), "{error}");
    }
}
