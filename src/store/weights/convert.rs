//! Rewrites weight files as safetensors without the classifier: how the embedded weights were made.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use candle_core::{DType, Tensor};

use super::load::load_weights;
use super::network_of;
use crate::models::backbone::BackboneKind;
use crate::store::checkpoint::save_tensors;
use crate::store::hash::sha256_of_file;

/// Convolutions of at least this many weights are halved; smaller ones are few bytes and, being early and depthwise,
/// carry most of the error. For EfficientNet-Lite0 the features up to stride 16 stay exact.
const LARGE: usize = 100_000;

/// How weights are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Precision {
    /// As they came.
    #[default]
    Full,
    /// Large convolutions as f16, everything else f32.
    Half,
}

/// What a conversion did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    pub kind: BackboneKind,
    /// SHA-256 of the source and of the result, hexadecimal.
    pub source_sha256: String,
    pub sha256: String,
    pub tensors: usize,
    pub dropped: usize,
    pub bytes: u64,
}

/// Reads `input` (safetensors or PyTorch), drops the classifier and writes safetensors to `output`. The same weights
/// give the same bytes, on every machine and from every format.
pub fn convert(input: &Path, output: &Path, precision: Precision) -> Result<Conversion> {
    let name = input.display();
    let kind = network_of(input)?;
    let source_sha256 = sha256_of_file(input).with_context(|| format!("reading {name}"))?;
    let weights = load_weights(input)?;
    let all = weights.len();
    let kept = reduce(weights, kind, precision)?;
    let pairs = BTreeMap::from([("network".to_owned(), kind.name().to_owned())]);
    let borrowed = kept
        .iter()
        .map(|(name, tensor)| (name.as_str(), tensor))
        .collect();
    save_tensors(output, &pairs, &borrowed)?;
    Ok(Conversion {
        kind,
        source_sha256,
        sha256: sha256_of_file(output)?,
        tensors: kept.len(),
        dropped: all - kept.len(),
        bytes: output.metadata()?.len(),
    })
}

fn reduce(
    weights: HashMap<String, Tensor>,
    kind: BackboneKind,
    precision: Precision,
) -> Result<BTreeMap<String, Tensor>> {
    let mut kept = BTreeMap::new();
    for (name, tensor) in weights {
        if kind.is_classifier(&name) {
            continue;
        }
        let large = tensor.rank() == 4 && tensor.elem_count() >= LARGE;
        let tensor = match precision {
            Precision::Half if large => halve(&name, &tensor)?,
            Precision::Half | Precision::Full => tensor,
        };
        kept.insert(name, tensor);
    }
    Ok(kept)
}

fn halve(name: &str, tensor: &Tensor) -> Result<Tensor> {
    let half = tensor.to_dtype(DType::F16)?;
    let largest = tensor.abs()?.max_all()?.to_scalar::<f32>()?;
    ensure!(
        largest <= half::f16::MAX.to_f32(),
        "`{name}` holds values up to {largest}, too large for f16; convert to f32"
    );
    Ok(half)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use candle_core::{DType, Device, Tensor};

    use super::{LARGE, Precision, convert, halve};
    use crate::models::backbone::BackboneKind;
    use crate::store::container::Container;
    use crate::store::weights::load_weights;
    use crate::store::weights::tests::{least_weights, test_data};

    /// ResNet-18 with its first stage, one large convolution and a classifier.
    fn resnet18(path: &Path) {
        let filled = |shape: &[usize]| Tensor::full(0.1_f32, shape, &Device::Cpu).unwrap();
        let mut tensors = least_weights(BackboneKind::ResNet18, 0.1);
        tensors.insert(LARGE_ONE.into(), filled(&[256, 256, 3, 3]));
        tensors.insert("fc.weight".into(), filled(&[1000, 512]));
        candle_core::safetensors::save(&tensors, path).unwrap();
    }

    const LARGE_ONE: &str = "layer3.1.conv2.weight";

    #[test]
    fn conversion_drops_the_classifier_and_halves_large_convolutions() {
        let folder = tempfile::tempdir().unwrap();
        let (input, output) = (
            folder.path().join("in"),
            folder.path().join("out.safetensors"),
        );
        resnet18(&input);
        let done = convert(&input, &output, Precision::Half).unwrap();
        let kept = least_weights(BackboneKind::ResNet18, 0.1).len() + 1;
        assert_eq!(
            (done.kind, done.tensors, done.dropped),
            (BackboneKind::ResNet18, kept, 1)
        );
        let entries = Container::open(&output).unwrap().entries();
        assert_eq!(entries.len(), kept);
        for entry in entries {
            let dtype = if entry.name == LARGE_ONE {
                "F16"
            } else {
                "F32"
            };
            assert_eq!(entry.dtype.to_string(), dtype, "{}", entry.name);
        }
        assert_eq!(
            Container::open(&output).unwrap().metadata()["network"],
            "resnet18"
        );
        assert_eq!(
            load_weights(&output).unwrap()["conv1.weight"].dtype(),
            DType::F32
        );
    }

    #[test]
    fn conversion_is_deterministic() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        resnet18(&path("in"));
        convert(&path("in"), &path("a"), Precision::Full).unwrap();
        convert(&path("in"), &path("b"), Precision::Full).unwrap();
        assert_eq!(fs::read(path("a")).unwrap(), fs::read(path("b")).unwrap());
    }

    #[test]
    fn other_networks_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/weights/zip.pth");
        let error = convert(&fixture, &folder.path().join("out"), Precision::Full).unwrap_err();
        assert!(error.to_string().contains("zip.pth"), "{error:#}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn values_beyond_f16_are_refused() {
        let tensor = Tensor::new(&[[[[70_000.0_f32]]]], &Device::Cpu).unwrap();
        assert!(
            halve("conv", &tensor)
                .unwrap_err()
                .to_string()
                .contains("`conv`")
        );
    }

    #[test]
    fn the_embedded_file_is_this_conversion_of_its_source() {
        let Some(root) = test_data() else { return };
        let source = root.join("weights/efficientnet_lite0.safetensors");
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("out.safetensors");
        let done = convert(&source, &output, Precision::Half).unwrap();
        assert_eq!(done.kind, BackboneKind::EfficientNetLite0);
        assert!(done.bytes < 8_000_000, "{} bytes", done.bytes);
        assert!(
            fs::read(&output).unwrap() == crate::store::weights::EMBEDDED,
            "run the conversion in weights/SOURCES.md"
        );
        let original = load_weights(&source).unwrap();
        for (name, weight) in load_weights(&output).unwrap() {
            let difference = (&weight - &original[&name])
                .unwrap()
                .abs()
                .unwrap()
                .max_all()
                .unwrap();
            let largest = weight
                .abs()
                .unwrap()
                .max_all()
                .unwrap()
                .to_scalar::<f32>()
                .unwrap();
            let bound = if weight.elem_count() < LARGE || weight.rank() < 4 {
                0.0
            } else {
                largest * 5e-4
            };
            assert!(difference.to_scalar::<f32>().unwrap() <= bound, "{name}");
        }
    }
}
