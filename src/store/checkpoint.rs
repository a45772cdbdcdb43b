//! The tensors of a model file: saved with its account of itself, handed out strictly by name and shape.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use candle_core::{DType, Device, Tensor};
use safetensors::tensor::Dtype;

use super::atomic::write_atomically;
use super::container::{self, Entry};
use super::model_file::{self, CheckedModel, Limits, ModelMeta};
use super::signed::{Checksum, Pairs};

/// Before the names of the backbone's tensors, where a model carries its backbone.
pub const BACKBONE_PREFIX: &str = "backbone.";

/// A loaded model: its account of itself and its tensors, on the CPU.
#[derive(Debug)]
pub struct ModelFile {
    pub meta: ModelMeta,
    /// Identifies the model: evaluations name it.
    pub checksum: String,
    pub tensors: ModelTensors,
}

/// Writes a model file and returns its checksum. The same content gives the same bytes, whatever the tensors' order.
pub fn save(path: &Path, meta: &ModelMeta, tensors: &[(String, Tensor)]) -> Result<String> {
    let by_name: BTreeMap<&str, &Tensor> = tensors
        .iter()
        .map(|(name, tensor)| (name.as_str(), tensor))
        .collect();
    ensure!(
        by_name.len() == tensors.len(),
        "two tensors of the model have the same name"
    );
    save_signed(path, meta.to_pairs()?, &by_name)
}

/// Gives a saved model other limits. Its tensors, and with them all scores, stay as they are, and so does the evaluation
/// that names it.
pub fn change_limits(path: &Path, limits: &Limits) -> Result<()> {
    let model = load(path)?;
    if model.meta.limits == *limits {
        return Ok(());
    }
    let first_checksum = model.meta.first_checksum.clone().unwrap_or(model.checksum);
    let meta = ModelMeta {
        limits: limits.clone(),
        first_checksum: Some(first_checksum),
        ..model.meta
    };
    let tensors: Vec<(String, Tensor)> = model.tensors.tensors.into_iter().collect();
    save(path, &meta, &tensors).map(drop)
}

/// Writes one of our own files: pairs, tensors and the checksum over both, which is returned.
pub(super) fn save_signed(
    path: &Path,
    mut pairs: Pairs,
    tensors: &BTreeMap<&str, &Tensor>,
) -> Result<String> {
    let entries = sorted_entries(tensors);
    let mut sum = Checksum::new(&pairs);
    for entry in &entries {
        sum.tensor(entry);
        // Candle hands over one value at a time; the hash is far quicker by the block.
        let mut out = BufWriter::with_capacity(1 << 16, &mut sum);
        tensors[entry.name.as_str()].write_bytes(&mut out)?;
        out.flush()?;
    }
    let checksum = pairs.sign(sum);
    write_tensors(path, pairs.as_map(), &entries, tensors)?;
    Ok(checksum)
}

/// Reads a model file. Errors name the file, what is wrong with it and what to do.
pub fn load(path: &Path) -> Result<ModelFile> {
    let mut tensors = BTreeMap::new();
    let CheckedModel { meta, checksum } = model_file::read(path, |entry, bytes| {
        let tensor =
            tensor_from(&entry, &bytes).with_context(|| format!("reading {}", path.display()))?;
        tensors.insert(entry.name, tensor);
        Ok(())
    })?;
    Ok(ModelFile {
        meta,
        checksum,
        tensors: ModelTensors {
            file: path.to_path_buf(),
            tensors,
        },
    })
}

/// Writes any tensors as a safetensors file in fixed order, atomically.
pub(super) fn save_tensors(
    path: &Path,
    pairs: &BTreeMap<String, String>,
    tensors: &BTreeMap<&str, &Tensor>,
) -> Result<()> {
    write_tensors(path, pairs, &sorted_entries(tensors), tensors)
}

fn sorted_entries(tensors: &BTreeMap<&str, &Tensor>) -> Vec<Entry> {
    let entry = |(name, tensor): (&&str, &&Tensor)| Entry {
        name: (*name).to_owned(),
        dtype: tensor.dtype().into(),
        shape: tensor.dims().to_vec(),
    };
    let mut entries: Vec<Entry> = tensors.iter().map(entry).collect();
    container::sort(&mut entries);
    entries
}

fn write_tensors(
    path: &Path,
    pairs: &BTreeMap<String, String>,
    entries: &[Entry],
    tensors: &BTreeMap<&str, &Tensor>,
) -> Result<()> {
    let header = container::header(pairs, entries, 0)?;
    write_atomically(path, |out| {
        out.write_all(&header)?;
        for entry in entries {
            tensors[entry.name.as_str()]
                .write_bytes(out)
                .map_err(unwrap_io)?;
        }
        Ok(())
    })
}

/// Candle wraps what the disk said; the remedy depends on it.
fn unwrap_io(error: candle_core::Error) -> anyhow::Error {
    match error {
        candle_core::Error::Io(error) => error.into(),
        other => other.into(),
    }
}

/// A tensor on the CPU from little-endian bytes as they lie in a file.
pub(super) fn tensor_from(entry: &Entry, bytes: &[u8]) -> Result<Tensor> {
    let supported = [
        Dtype::F32,
        Dtype::F16,
        Dtype::BF16,
        Dtype::F64,
        Dtype::U8,
        Dtype::U32,
        Dtype::I64,
    ];
    let Entry { name, dtype, shape } = entry;
    ensure!(
        supported.contains(dtype),
        "`{name}` holds values of type {dtype}, which is not supported"
    );
    Ok(Tensor::from_raw_buffer(
        bytes,
        DType::try_from(*dtype)?,
        shape,
        &Device::Cpu,
    )?)
}

/// Tensors to be taken out one by one. Whoever builds a model takes what it needs and then calls
/// [`ModelTensors::finish`]: a missing, misshapen or extra tensor is an error that names it.
#[derive(Debug)]
pub struct ModelTensors {
    file: PathBuf,
    tensors: BTreeMap<String, Tensor>,
}

impl ModelTensors {
    /// The shape of a tensor that is still here.
    pub fn dims(&self, name: &str) -> Result<&[usize]> {
        let tensor = self.tensors.get(name);
        tensor.map(Tensor::dims).with_context(|| self.missing(name))
    }

    /// Takes a tensor of exactly this shape out.
    pub fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let found = self.dims(name)?;
        if found != shape {
            bail!(
                "{}: tensor `{name}` has the shape {found:?} where {shape:?} is needed; \
                 the file does not fit its own settings, train again",
                self.file.display()
            );
        }
        self.tensors
            .remove(name)
            .with_context(|| self.missing(name))
    }

    /// Takes out all tensors whose names begin with `prefix`, under their names without it.
    pub fn take_group(&mut self, prefix: &str) -> HashMap<String, Tensor> {
        let (group, rest) = std::mem::take(&mut self.tensors)
            .into_iter()
            .partition::<BTreeMap<_, _>, _>(|(name, _)| name.starts_with(prefix));
        self.tensors = rest;
        let strip = |(name, tensor): (String, Tensor)| (name[prefix.len()..].to_owned(), tensor);
        group.into_iter().map(strip).collect()
    }

    /// Ends the taking: nothing may be left over.
    pub fn finish(self) -> Result<()> {
        if self.tensors.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = self.tensors.keys().map(String::as_str).collect();
        bail!(
            "{} holds tensors this model does not have: {}; it may be from another version, train again",
            self.file.display(),
            names.join(", ")
        )
    }

    fn missing(&self, name: &str) -> String {
        let file = self.file.display();
        format!("{file} lacks the tensor `{name}`; it does not fit its own settings, train again")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::fs;
    use std::path::PathBuf;

    use candle_core::{DType, Device, Tensor};
    use safetensors::SafeTensors;
    use safetensors::tensor::{Dtype, TensorView};
    use tempfile::TempDir;

    use super::{BACKBONE_PREFIX, load, save};
    use crate::store::model_file::inspect;
    use crate::store::model_file::samples::meta;

    fn tensors() -> Vec<(String, Tensor)> {
        let range = |n: usize| Tensor::arange(0.0_f32, n as f32, &Device::Cpu).unwrap();
        let half = range(3).to_dtype(DType::F16).unwrap();
        // A transposed view: its bytes do not lie in order.
        let view = range(6).reshape((2, 3)).unwrap().t().unwrap();
        let named = |name: &str, tensor| (name.to_owned(), tensor);
        vec![
            named("bank", range(6).reshape((2, 3)).unwrap()),
            named("backbone.conv1.weight", half),
            named("phi.weight", view),
            named("radius", Tensor::new(0.5_f32, &Device::Cpu).unwrap()),
        ]
    }

    fn saved() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        save(&path, &meta(), &tensors()).unwrap();
        (folder, path)
    }

    #[test]
    fn a_model_comes_back_as_it_was_saved() {
        let (_folder, path) = saved();
        let mut file = load(&path).unwrap();
        assert_eq!(file.meta, meta());
        let view = file.tensors.take("phi.weight", &[3, 2]).unwrap();
        assert_eq!(
            view.to_vec2::<f32>().unwrap(),
            [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
        );
        let radius = file.tensors.take("radius", &[]).unwrap();
        assert_eq!(radius.to_scalar::<f32>().unwrap(), 0.5);
        let backbone = file.tensors.take_group(BACKBONE_PREFIX);
        assert_eq!(backbone["conv1.weight"].dtype(), DType::F16);
        assert_eq!(file.tensors.dims("bank").unwrap(), [2, 3]);
        file.tensors.take("bank", &[2, 3]).unwrap();
        file.tensors.finish().unwrap();
    }

    #[test]
    fn the_same_content_is_the_same_bytes() {
        let (_folder, path) = saved();
        let other = path.with_file_name("other.safetensors");
        let reversed: Vec<_> = tensors().into_iter().rev().collect();
        let checksum = save(&other, &meta(), &reversed).unwrap();
        assert_eq!(fs::read(&path).unwrap(), fs::read(&other).unwrap());
        assert_eq!(inspect(&path).unwrap().checksum, checksum);
    }

    #[test]
    fn missing_misshapen_and_extra_tensors_are_named() {
        let (_folder, path) = saved();
        let mut tensors = load(&path).unwrap().tensors;
        let error = tensors.take("bank", &[3, 2]).unwrap_err().to_string();
        assert!(
            error.contains("`bank`") && error.contains("[2, 3]") && error.contains("[3, 2]"),
            "{error}"
        );
        let error = tensors.take("bang", &[1]).unwrap_err().to_string();
        assert!(
            error.contains("`bang`") && error.contains("model.safetensors"),
            "{error}"
        );
        tensors.take("bank", &[2, 3]).unwrap();
        assert!(tensors.take("bank", &[2, 3]).is_err(), "taken twice");
        let error = tensors.finish().unwrap_err().to_string();
        assert!(
            error.contains("phi.weight") && error.contains("radius"),
            "{error}"
        );
    }

    #[test]
    fn two_tensors_of_one_name_are_not_saved() {
        let folder = tempfile::tempdir().unwrap();
        let mut tensors = tensors();
        tensors.push(tensors[0].clone());
        assert!(save(&folder.path().join("model"), &meta(), &tensors).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn any_changed_byte_is_refused() {
        let (_folder, path) = saved();
        let bytes = fs::read(&path).unwrap();
        for position in (0..bytes.len())
            .step_by(7)
            .chain(bytes.len() - 8..bytes.len())
        {
            let mut altered = bytes.clone();
            altered[position] ^= 1;
            fs::write(&path, altered).unwrap();
            assert!(load(&path).is_err(), "byte {position} of {}", bytes.len());
        }
    }

    #[test]
    fn a_value_altered_by_hand_is_said_to_be() {
        let (_folder, path) = saved();
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let error = format!("{:#}", load(&path).unwrap_err());
        assert!(error.contains("altered after it was saved"), "{error}");
    }

    #[test]
    fn truncated_models_and_other_files_are_refused_by_name() {
        let (_folder, path) = saved();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        let error = format!("{:#}", load(&path).unwrap_err());
        assert!(error.contains("model.safetensors is cut short"), "{error}");

        let view = TensorView::new(Dtype::F32, vec![1], &[0; 4]).unwrap();
        fs::write(&path, safetensors::serialize([("w", view)], None).unwrap()).unwrap();
        let error = format!("{:#}", load(&path).unwrap_err());
        assert!(error.contains("not a Flawscope model"), "{error}");

        fs::write(&path, b"notes about the model").unwrap();
        let error = format!("{:#}", load(&path).unwrap_err());
        assert!(error.contains("is not a safetensors file"), "{error}");
        assert!(load(&path.with_file_name("absent")).is_err());
    }

    #[test]
    fn a_newer_model_is_said_to_be() {
        let (_folder, path) = saved();
        let bytes = fs::read(&path).unwrap();
        let newer = String::from_utf8_lossy(&bytes[8..])
            .find("\"format_version\":\"1\"")
            .unwrap();
        let mut altered = bytes.clone();
        altered[8 + newer + "\"format_version\":\"".len()] = b'7';
        fs::write(&path, altered).unwrap();
        let error = format!("{:#}", load(&path).unwrap_err());
        assert!(
            error.contains("newer Flawscope") && error.contains("update"),
            "{error}"
        );
    }

    #[test]
    fn other_tools_can_read_the_file() {
        let (_folder, path) = saved();
        let bytes = fs::read(&path).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let pairs: HashMap<String, String> = header.metadata().clone().unwrap();
        assert!(pairs["settings"].contains("\"seed\":18446744073709551615"));
        assert_eq!(
            SafeTensors::deserialize(&bytes)
                .unwrap()
                .tensor("radius")
                .unwrap()
                .data(),
            0.5_f32.to_le_bytes()
        );
    }
}
