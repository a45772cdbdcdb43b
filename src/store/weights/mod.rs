//! Backbone weights: compiled in, found in folders, imported, fetched, converted.

mod convert;
mod fetch;
mod folders;
mod known;
mod load;
mod pth;

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use candle_core::Tensor;

pub use self::convert::{Conversion, Precision, convert};
pub use self::fetch::fetch;
pub use self::folders::{search_folders, user_folder};
pub use self::known::{EMBEDDED_SHA256, KnownWeights, Source, fetchable};
pub use self::load::load_weights;
use super::atomic::{unwritable, write_atomically};
use super::hash::sha256_of_file;
use super::{WeightsInfo, WeightsOrigin};
use crate::models::backbone::BackboneKind;

/// EfficientNet-Lite0 without its classifier; see `weights/SOURCES.md`.
const EMBEDDED: &[u8] = include_bytes!("../../../weights/efficientnet_lite0_f16.safetensors");

const EXTENSIONS: [&str; 3] = ["safetensors", "pth", "pt"];

/// The weights compiled into the program.
pub fn embedded() -> WeightsInfo {
    WeightsInfo {
        kind: BackboneKind::EfficientNetLite0,
        origin: WeightsOrigin::Embedded,
        sha256: EMBEDDED_SHA256.to_owned(),
        verified: true,
    }
}

/// Reads weights from where they are, as f32 tensors by their published names.
pub fn load(origin: &WeightsOrigin) -> Result<HashMap<String, Tensor>> {
    match origin {
        WeightsOrigin::Embedded => {
            load::load_safetensors_bytes(EMBEDDED).context("reading the embedded weights")
        }
        WeightsOrigin::File(path) => load_weights(path),
    }
}

/// The network whose weights a file holds, by their names and shapes.
fn network_of(path: &Path) -> Result<BackboneKind> {
    let shapes = load::weight_shapes(path)?;
    let tensors = shapes
        .iter()
        .map(|(name, shape)| (name.as_str(), shape.as_slice()));
    BackboneKind::detect(tensors).with_context(|| {
        let names = BackboneKind::ALL.map(BackboneKind::name).join(", ");
        let file = path.display();
        format!("{file} holds weights of a network this program does not have, or not all of them; it has {names}")
    })
}

/// Which network a file is for and whether it is a known one. Reads the whole file for its hash.
pub fn describe(path: &Path) -> Result<WeightsInfo> {
    let kind = network_of(path)?;
    let sha256 = sha256_of_file(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(WeightsInfo {
        kind,
        verified: known::is_known(kind, &sha256),
        origin: WeightsOrigin::File(path.to_path_buf()),
        sha256,
    })
}

/// The embedded weights and every usable file in these folders, in their order and by name. The same bytes are listed
/// once; folders that do not exist and files that are something else are passed over.
pub fn find_weights(folders: &[PathBuf]) -> Vec<WeightsInfo> {
    let mut found = vec![embedded()];
    let mut seen = BTreeSet::from([EMBEDDED_SHA256.to_owned()]);
    for file in folders.iter().flat_map(|folder| weight_files(folder)) {
        match describe(&file) {
            Ok(info) if seen.insert(info.sha256.clone()) => found.push(info),
            Ok(_) => {}
            Err(error) => tracing::warn!("passed over: {error:#}"),
        }
    }
    found
}

fn weight_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let is_weights = |path: &PathBuf| {
        let extension = path
            .extension()
            .and_then(|e| e.to_str())
            .map(str::to_lowercase);
        path.is_file() && extension.is_some_and(|e| EXTENSIONS.contains(&e.as_str()))
    };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(is_weights)
        .collect();
    files.sort();
    files
}

/// The weights to train a network with: known ones before others.
pub fn weights_for(kind: BackboneKind, folders: &[PathBuf]) -> Result<WeightsInfo> {
    let mut of_kind: Vec<WeightsInfo> = find_weights(folders)
        .into_iter()
        .filter(|info| info.kind == kind)
        .collect();
    of_kind.sort_by_key(|info| !info.verified);
    of_kind.into_iter().next().with_context(|| {
        let name = kind.name();
        format!(
            "no weights for {name} were found in {}; get them with `flawscope weights fetch {name}` or import a file",
            listed(folders)
        )
    })
}

/// Exactly the weights a model was trained with.
pub fn weights_by_hash(
    kind: BackboneKind,
    sha256: &str,
    folders: &[PathBuf],
) -> Result<WeightsInfo> {
    let found = find_weights(folders)
        .into_iter()
        .find(|info| info.kind == kind && info.sha256 == sha256);
    found.with_context(|| {
        let known = fetchable().find(|known| known.sha256 == sha256);
        let fetch = known.map(|known| format!("`flawscope weights fetch {}` or ", known.name));
        format!(
            "the model needs the {} weights with SHA-256 {sha256}, which are not in {}; get them with {}\
             `flawscope weights import FILE`",
            kind.name(),
            listed(folders),
            fetch.unwrap_or_default()
        )
    })
}

/// Copies a weights file into `folder` after checking that it can be used.
pub fn import(file: &Path, folder: &Path) -> Result<WeightsInfo> {
    let info = describe(file)?;
    load_weights(file)?;
    let name = file.file_name().context("the file has no name")?;
    let target = folder.join(name);
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, error))?;
    if target.exists() {
        ensure!(
            sha256_of_file(&target)? == info.sha256,
            "{} exists with other content; rename the file to import or remove that one",
            target.display()
        );
    } else {
        write_atomically(&target, |out| {
            std::io::copy(&mut fs::File::open(file)?, out)?;
            Ok(())
        })?;
    }
    Ok(WeightsInfo {
        origin: WeightsOrigin::File(target),
        ..info
    })
}

fn listed(folders: &[PathBuf]) -> String {
    let names: Vec<String> = folders
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::fs;
    use std::path::{Path, PathBuf};

    use candle_core::{DType, Device, Tensor};

    use super::{
        EMBEDDED, EMBEDDED_SHA256, describe, embedded, find_weights, import, load, weights_by_hash,
        weights_for,
    };
    use crate::models::backbone::BackboneKind;
    use crate::store::WeightsOrigin;
    use crate::store::hash::sha256_of_reader;

    /// Real weights and pictures for the tests that need them.
    #[expect(clippy::print_stdout, reason = "a skipped test must say so")]
    pub fn test_data() -> Option<PathBuf> {
        let root = std::env::var_os("FLAWSCOPE_TEST_DATA").map(PathBuf::from);
        if root.is_none() {
            println!("skipped: FLAWSCOPE_TEST_DATA is not set");
        }
        root
    }

    /// The least that is recognised as this network, filled with `value`.
    pub fn least_weights(kind: BackboneKind, value: f32) -> HashMap<String, Tensor> {
        let specs = kind.tensors_up_to(&kind.taps()[0]);
        let filled = |shape: Vec<usize>| Tensor::full(value, shape, &Device::Cpu).unwrap();
        specs
            .into_iter()
            .map(|spec| (spec.name, filled(spec.shape)))
            .collect()
    }

    fn save(kind: BackboneKind, path: &Path, value: f32) {
        candle_core::safetensors::save(&least_weights(kind, value), path).unwrap();
    }

    fn resnet18(path: &Path, value: f32) {
        save(BackboneKind::ResNet18, path, value);
    }

    #[test]
    fn the_embedded_weights_are_what_they_are_said_to_be() {
        assert_eq!(sha256_of_reader(EMBEDDED).unwrap(), EMBEDDED_SHA256);
        let weights = load(&WeightsOrigin::Embedded).unwrap();
        assert_eq!(weights.len(), 240);
        assert!(weights.values().all(|w| w.dtype() == DType::F32));
        assert_eq!(
            weights["_blocks.15._project_conv.weight"].dims(),
            [320, 1152, 1, 1]
        );
        assert!(!weights.contains_key("_fc.weight"));
    }

    #[test]
    fn folders_are_searched_in_order_and_other_files_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("first"), folder.path().join("second"));
        for path in [&first, &second] {
            fs::create_dir(path).unwrap();
        }
        resnet18(&second.join("a.safetensors"), 0.1);
        resnet18(&first.join("z.SAFETENSORS"), 0.2);
        fs::copy(
            second.join("a.safetensors"),
            second.join("copy.safetensors"),
        )
        .unwrap();
        fs::write(first.join("broken.pth"), "PK\x03\x04").unwrap();
        fs::write(first.join("notes.txt"), "").unwrap();
        fs::write(first.join("embedded.safetensors"), EMBEDDED).unwrap();
        let folders = [first.clone(), folder.path().join("absent"), second.clone()];
        let found: Vec<WeightsOrigin> = find_weights(&folders)
            .into_iter()
            .map(|info| info.origin)
            .collect();
        let file = |path: PathBuf| WeightsOrigin::File(path);
        let expected = [
            WeightsOrigin::Embedded,
            file(first.join("z.SAFETENSORS")),
            file(second.join("a.safetensors")),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_network_without_weights_names_the_way_to_them() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [folder.path().to_path_buf()];
        assert_eq!(
            weights_for(BackboneKind::EfficientNetLite0, &folders).unwrap(),
            embedded()
        );
        let text = weights_for(BackboneKind::WideResNet50x2, &folders)
            .unwrap_err()
            .to_string();
        assert!(text.contains("weights fetch wide-resnet50-2"), "{text}");
    }

    #[test]
    fn a_model_gets_exactly_the_weights_it_was_trained_with() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [folder.path().to_path_buf()];
        resnet18(&folder.path().join("a.safetensors"), 0.1);
        resnet18(&folder.path().join("b.safetensors"), 0.2);
        let wanted = describe(&folder.path().join("b.safetensors")).unwrap();
        assert!(!wanted.verified);
        assert_eq!(
            weights_by_hash(BackboneKind::ResNet18, &wanted.sha256, &folders).unwrap(),
            wanted
        );
        let published = "694f673df6520a3158624e8a89af086f59923ee4cd7436fe5bc3bc71d295ad81";
        let error = weights_by_hash(BackboneKind::ResNet18, published, &folders).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("`flawscope weights fetch resnet18`"),
            "{error}"
        );
        assert!(weights_by_hash(BackboneKind::ResNet50, &wanted.sha256, &folders).is_err());
    }

    #[test]
    fn importing_copies_usable_files_only() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("net.safetensors");
        let own = folder.path().join("own").join("weights");
        resnet18(&source, 0.1);
        let info = import(&source, &own).unwrap();
        assert_eq!(
            info.origin,
            WeightsOrigin::File(own.join("net.safetensors"))
        );
        assert_eq!(
            fs::read(own.join("net.safetensors")).unwrap(),
            fs::read(&source).unwrap()
        );
        assert_eq!(
            import(&source, &own).unwrap(),
            info,
            "twice the same is fine"
        );

        resnet18(&source, 0.2);
        assert!(
            import(&source, &own)
                .unwrap_err()
                .to_string()
                .contains("other content")
        );

        let bytes = fs::read(&source).unwrap();
        let broken = folder.path().join("broken.safetensors");
        fs::write(&broken, &bytes[..bytes.len() / 2]).unwrap();
        assert!(format!("{:#}", import(&broken, &own).unwrap_err()).contains("cut short"));
        assert_eq!(fs::read_dir(&own).unwrap().count(), 1);
    }

    #[test]
    fn each_network_is_recognised_by_its_file_and_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.safetensors");
        for kind in BackboneKind::ALL {
            save(kind, &path, 0.1);
            let info = describe(&path).unwrap();
            assert_eq!((info.kind, info.verified), (kind, false));
        }
        let mut weights = least_weights(BackboneKind::ResNet18, 0.1);
        weights.insert(
            "layer1.2.conv1.weight".into(),
            weights["layer1.1.conv1.weight"].clone(),
        );
        candle_core::safetensors::save(&weights, &path).unwrap();
        let text = describe(&path).unwrap_err().to_string();
        assert!(
            text.contains("net.safetensors") && text.contains("mobilenet-v3-large"),
            "{text}"
        );
    }

    #[test]
    fn published_files_are_recognised() {
        let Some(root) = test_data() else { return };
        let weights = root.join("weights");
        let resnet18 = describe(&weights.join("resnet18_stages1to3.safetensors")).unwrap();
        assert_eq!(
            (resnet18.kind, resnet18.verified),
            (BackboneKind::ResNet18, true)
        );
        let lite = describe(&weights.join("efficientnet_lite0.safetensors")).unwrap();
        assert_eq!(
            (lite.kind, lite.verified),
            (BackboneKind::EfficientNetLite0, true)
        );
    }
}
