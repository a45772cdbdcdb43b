//! Weights the program knows by their SHA-256: where they can be fetched, and what a file is when it is found.

use anyhow::{Context, Result};

use crate::models::backbone::BackboneKind;

/// Published weights of one network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownWeights {
    /// What `flawscope weights fetch` calls them.
    pub name: &'static str,
    pub kind: BackboneKind,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: &'static str,
    /// Public home and the name it is saved under; `None` for weights that cannot be fetched.
    pub source: Option<Source>,
    pub note: &'static str,
}

/// Where a file can be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    pub url: &'static str,
    pub file_name: &'static str,
}

/// SHA-256 of the file compiled into the program.
pub const EMBEDDED_SHA256: &str =
    "029e16251b39bcaa7de8502dbd3c63837f59f017ec008771e0db9802d69bf8f2";

/// torchvision prints the first eight digits of each hash in the file's name; Hugging Face shows the whole hash on the
/// file's page. All are the `ImageNet` V1 weights, which the papers used. The first of a network is what its plain name
/// fetches.
pub const KNOWN: [KnownWeights; 11] = [
    KnownWeights {
        name: "efficientnet-lite0",
        kind: BackboneKind::EfficientNetLite0,
        sha256: EMBEDDED_SHA256,
        source: None,
        note: "compiled into the program",
    },
    KnownWeights {
        name: "efficientnet-lite0-original",
        kind: BackboneKind::EfficientNetLite0,
        sha256: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        source: None,
        note: "efficientnet-lite0-57934424.pth by ML Illustrated, which the embedded weights were converted from",
    },
    KnownWeights {
        name: "efficientnet-lite0-safetensors",
        kind: BackboneKind::EfficientNetLite0,
        sha256: "ca5fb617d04d70405364ee6a5935bf12b6f51ff9f21f7f00ff056d6a21c3e036",
        source: None,
        note: "the same weights as safetensors, f32",
    },
    KnownWeights {
        name: "mobilenet-v3-large",
        kind: BackboneKind::MobileNetV3Large,
        sha256: "8738ca797c879b547d18bbd15da5736ff2557b2036a9af72225393ca61759a04",
        source: Some(Source {
            url: "https://download.pytorch.org/models/mobilenet_v3_large-8738ca79.pth",
            file_name: "mobilenet_v3_large-8738ca79.pth",
        }),
        note: "torchvision ImageNet V1",
    },
    KnownWeights {
        name: "resnet18",
        kind: BackboneKind::ResNet18,
        sha256: "694f673df6520a3158624e8a89af086f59923ee4cd7436fe5bc3bc71d295ad81",
        source: Some(Source {
            url: "https://huggingface.co/timm/resnet18.tv_in1k/resolve/main/model.safetensors",
            file_name: "resnet18.tv_in1k.safetensors",
        }),
        note: "torchvision ImageNet V1, as safetensors by timm",
    },
    KnownWeights {
        name: "resnet18-torchvision",
        kind: BackboneKind::ResNet18,
        sha256: "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
        source: Some(Source {
            url: "https://download.pytorch.org/models/resnet18-f37072fd.pth",
            file_name: "resnet18-f37072fd.pth",
        }),
        note: "torchvision ImageNet V1",
    },
    KnownWeights {
        name: "resnet18-stages1to3",
        kind: BackboneKind::ResNet18,
        sha256: "a630072ebebdc7ef39805c60928193fa67959e1f5a4a5b18d9f6f176534cc9f8",
        source: None,
        note: "torchvision ImageNet V1 without its last stage, batch norm folded",
    },
    KnownWeights {
        name: "resnet50",
        kind: BackboneKind::ResNet50,
        sha256: "5d061a3c593d795bfe682d9b152bafbcf550579873492def3515b46db1189888",
        source: Some(Source {
            url: "https://huggingface.co/timm/resnet50.tv_in1k/resolve/main/model.safetensors",
            file_name: "resnet50.tv_in1k.safetensors",
        }),
        note: "torchvision ImageNet V1, as safetensors by timm",
    },
    KnownWeights {
        name: "resnet50-torchvision",
        kind: BackboneKind::ResNet50,
        sha256: "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
        source: Some(Source {
            url: "https://download.pytorch.org/models/resnet50-0676ba61.pth",
            file_name: "resnet50-0676ba61.pth",
        }),
        note: "torchvision ImageNet V1",
    },
    KnownWeights {
        name: "wide-resnet50-2",
        kind: BackboneKind::WideResNet50x2,
        sha256: "df6fb6c4824769769de18e14088475fd6ee94236849aa4e5d8022ba9d9a9a16c",
        source: Some(Source {
            url: "https://huggingface.co/timm/wide_resnet50_2.tv_in1k/resolve/main/model.safetensors",
            file_name: "wide_resnet50_2.tv_in1k.safetensors",
        }),
        note: "torchvision ImageNet V1, as safetensors by timm",
    },
    KnownWeights {
        name: "wide-resnet50-2-torchvision",
        kind: BackboneKind::WideResNet50x2,
        sha256: "95faca4d11227dddf8633dbb5ff6c8a9003c1aa5b8945c73834b8007b10950b8",
        source: Some(Source {
            url: "https://download.pytorch.org/models/wide_resnet50_2-95faca4d.pth",
            file_name: "wide_resnet50_2-95faca4d.pth",
        }),
        note: "torchvision ImageNet V1",
    },
];

/// All weights that can be fetched.
pub fn fetchable() -> impl Iterator<Item = &'static KnownWeights> {
    KNOWN.iter().filter(|known| known.source.is_some())
}

/// Fetchable weights by name.
pub fn by_name(name: &str) -> Result<&'static KnownWeights> {
    fetchable()
        .find(|known| known.name == name)
        .with_context(|| {
            let names: Vec<&str> = fetchable().map(|known| known.name).collect();
            format!(
                "`{name}` is not among the weights that can be fetched: {}",
                names.join(", ")
            )
        })
}

/// Whether these bytes are known weights of this network.
pub fn is_known(kind: BackboneKind, sha256: &str) -> bool {
    KNOWN
        .iter()
        .any(|known| known.kind == kind && known.sha256 == sha256)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{KNOWN, by_name, fetchable};
    use crate::models::backbone::BackboneKind;

    #[test]
    fn names_and_hashes_are_well_formed_and_unique() {
        let names: BTreeSet<&str> = KNOWN.iter().map(|known| known.name).collect();
        let hashes: BTreeSet<&str> = KNOWN.iter().map(|known| known.sha256).collect();
        assert_eq!((names.len(), hashes.len()), (KNOWN.len(), KNOWN.len()));
        let is_hash = |text: &str| {
            text.len() == 64 && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
        };
        assert!(hashes.into_iter().all(is_hash));
    }

    #[test]
    fn hashes_agree_with_what_torchvision_prints_in_the_name() {
        let mut seen = 0;
        for (known, source) in
            fetchable().filter_map(|known| known.source.map(|source| (known, source)))
        {
            if let Some(stem) = source.file_name.strip_suffix(".pth") {
                let printed = stem.rsplit('-').next().unwrap();
                assert!(known.sha256.starts_with(printed), "{}", known.name);
                assert!(source.url.ends_with(source.file_name));
                seen += 1;
            }
            assert!(source.url.starts_with("https://"));
        }
        assert_eq!(seen, 4);
    }

    #[test]
    fn unknown_names_list_the_known_ones() {
        assert_eq!(by_name("resnet18").unwrap().name, "resnet18");
        let error = by_name("resnet19").unwrap_err().to_string();
        assert!(
            error.contains("resnet19") && error.contains("wide-resnet50-2"),
            "{error}"
        );
        assert!(by_name("efficientnet-lite0").is_err(), "it is embedded");
    }

    #[test]
    fn the_plain_name_of_every_network_but_the_embedded_one_can_be_fetched() {
        for kind in BackboneKind::ALL {
            let fetched = by_name(kind.name()).map(|known| known.kind).ok();
            let embedded = kind == BackboneKind::EfficientNetLite0;
            assert_eq!(fetched, (!embedded).then_some(kind));
        }
    }
}
