//! Reads weight files, whatever their format, into f32 tensors by their published names.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use candle_core::{DType, Tensor};

use super::pth::{self, LEGACY_MAGIC, ZIP_MAGIC};
use crate::store::checkpoint::tensor_from;
use crate::store::container::Container;

/// What a file is, by its first bytes; names may lie.
enum Format {
    Safetensors,
    PthZip,
    PthLegacy,
}

impl Format {
    fn of(path: &Path) -> Result<Self> {
        let mut file = File::open(path).context("cannot open it")?;
        ensure!(file.metadata()?.is_file(), "it is not a file");
        let mut start = Vec::new();
        file.by_ref()
            .take(16)
            .read_to_end(&mut start)
            .context("cannot read it")?;
        ensure!(!start.is_empty(), "the file is empty; download it again");
        if start.starts_with(&ZIP_MAGIC) {
            return Ok(Self::PthZip);
        }
        if start.starts_with(&LEGACY_MAGIC) {
            return Ok(Self::PthLegacy);
        }
        match start.get(8) {
            Some(b'{') => Ok(Self::Safetensors),
            _ => bail!(
                "it is neither a safetensors file nor one of PyTorch's (.pth); download it again"
            ),
        }
    }
}

/// All weights of a file as f32 on the CPU. Counters of training steps (`num_batches_tracked`) are left out. Errors name
/// the file, what is wrong with it and what to do.
pub fn load_weights(path: &Path) -> Result<HashMap<String, Tensor>> {
    let read = || match Format::of(path)? {
        Format::Safetensors => load_safetensors(path),
        Format::PthZip => pth::load_zip(path),
        Format::PthLegacy => pth::load_legacy(path),
    };
    let tensors = read().and_then(into_f32);
    tensors.with_context(|| format!("cannot use the weights {}", path.display()))
}

/// Names and shapes of a file's tensors, without their data.
pub fn weight_shapes(path: &Path) -> Result<BTreeMap<String, Vec<usize>>> {
    let read = || match Format::of(path)? {
        Format::Safetensors => {
            let entries = Container::open(path)?.entries().into_iter();
            Ok(entries.map(|entry| (entry.name, entry.shape)).collect())
        }
        Format::PthZip => pth::zip_shapes(path),
        Format::PthLegacy => pth::legacy_shapes(path),
    };
    read().with_context(|| format!("cannot use the weights {}", path.display()))
}

fn load_safetensors(path: &Path) -> Result<HashMap<String, Tensor>> {
    let container = Container::open(path)?;
    let mut tensors = HashMap::new();
    for entry in container.entries() {
        let tensor = tensor_from(&entry, &container.read(&entry.name)?)?;
        tensors.insert(entry.name, tensor);
    }
    Ok(tensors)
}

/// Weights compiled into the program.
pub(super) fn load_safetensors_bytes(bytes: &[u8]) -> Result<HashMap<String, Tensor>> {
    let tensors = candle_core::safetensors::load_buffer(bytes, &candle_core::Device::Cpu)?;
    into_f32(tensors)
}

fn into_f32(tensors: HashMap<String, Tensor>) -> Result<HashMap<String, Tensor>> {
    let mut weights = HashMap::new();
    for (name, tensor) in tensors {
        if name.ends_with("num_batches_tracked") {
            continue;
        }
        ensure!(
            matches!(
                tensor.dtype(),
                DType::F32 | DType::F16 | DType::BF16 | DType::F64
            ),
            "`{name}` holds whole numbers ({}), not weights",
            tensor.dtype().as_str()
        );
        weights.insert(name, tensor.to_dtype(DType::F32)?.contiguous()?);
    }
    ensure!(!weights.is_empty(), "it holds no weights");
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use candle_core::DType;

    use super::{load_weights, weight_shapes};

    /// Made by `tests/fixtures/weights/make_pth.py`.
    fn fixture(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures/weights")
            .join(name)
    }

    fn said(path: &Path) -> String {
        format!("{:#}", load_weights(path).unwrap_err())
    }

    #[test]
    fn every_format_of_pytorch_gives_the_same_weights() {
        let counted =
            |range: std::ops::Range<u8>| range.map(|i| f32::from(i) * 0.25).collect::<Vec<_>>();
        for name in ["zip.pth", "nested.pth", "legacy.pth", "legacy_strided.pth"] {
            let weights = load_weights(&fixture(name)).unwrap();
            assert_eq!(weights.len(), 3, "{name}: the step counter is left out");
            let flat = |key: &str| {
                weights[key]
                    .flatten_all()
                    .unwrap()
                    .to_vec1::<f32>()
                    .unwrap()
            };
            assert_eq!(weights["conv1.weight"].dims(), [2, 3, 2, 2], "{name}");
            assert_eq!(flat("conv1.weight"), counted(0..24), "{name}");
            assert_eq!(
                flat("bn1.weight"),
                counted(2..5),
                "{name}: f16, a view with an offset"
            );
            assert_eq!(flat("bn1.bias"), counted(0..3), "{name}: bf16");
            assert!(
                weights
                    .values()
                    .all(|w| w.dtype() == DType::F32 && w.is_contiguous())
            );
            assert_eq!(
                weight_shapes(&fixture(name)).unwrap()["conv1.weight"],
                [2, 3, 2, 2]
            );
        }
    }

    #[test]
    fn strided_zip_files_are_refused_with_the_remedy() {
        let text = said(&fixture("zip_strided.pth"));
        assert!(
            text.contains("`conv1.weight` is not stored contiguously"),
            "{text}"
        );
        assert!(
            text.contains("zip_strided.pth") && text.contains("save_file"),
            "{text}"
        );
    }

    #[test]
    fn a_pickle_without_weights_is_refused_with_the_remedy() {
        let text = said(&fixture("list.pth"));
        assert!(
            text.contains("no dictionary of weights") && text.contains("save_file"),
            "{text}"
        );
    }

    #[test]
    fn every_truncation_is_an_error_naming_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.pth");
        for name in ["zip.pth", "legacy.pth", "legacy_strided.pth"] {
            let bytes = fs::read(fixture(name)).unwrap();
            for length in (0..bytes.len()).step_by(5) {
                fs::write(&path, &bytes[..length]).unwrap();
                assert!(said(&path).contains("cut.pth"), "{name} {length}");
                assert!(
                    weight_shapes(&path).is_err() || name.starts_with("legacy"),
                    "{name} {length}"
                );
            }
        }
    }

    #[test]
    fn empty_files_and_web_pages_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.pth");
        fs::write(&path, "").unwrap();
        assert!(said(&path).contains("is empty"));
        fs::write(&path, "<!DOCTYPE html><html>404").unwrap();
        assert!(said(&path).contains("neither a safetensors file nor"));
        assert!(said(folder.path()).contains("cannot use the weights"));
        assert!(said(&folder.path().join("absent")).contains("absent"));
    }
}
