//! Which networks there are: names, taps, tensors and preprocessing. Builds nothing.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::plan::{Border, ConvSpec, Plan, Tap, TensorSpec};
use super::{efficientnet_lite, mobilenet, resnet};

/// The networks that can be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BackboneKind {
    #[serde(rename = "efficientnet-lite0")]
    EfficientNetLite0,
    #[serde(rename = "mobilenet-v3-large")]
    MobileNetV3Large,
    #[serde(rename = "resnet18")]
    ResNet18,
    #[serde(rename = "resnet50")]
    ResNet50,
    #[serde(rename = "wide-resnet50-2")]
    WideResNet50x2,
}

impl BackboneKind {
    pub const ALL: [Self; 5] = [
        Self::EfficientNetLite0,
        Self::MobileNetV3Large,
        Self::ResNet18,
        Self::ResNet50,
        Self::WideResNet50x2,
    ];

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::EfficientNetLite0 => "efficientnet-lite0",
            Self::MobileNetV3Large => "mobilenet-v3-large",
            Self::ResNet18 => "resnet18",
            Self::ResNet50 => "resnet50",
            Self::WideResNet50x2 => "wide-resnet50-2",
        }
    }

    /// Where features can leave the network, the shallowest first.
    pub fn taps(self) -> &'static [Tap] {
        match self {
            Self::EfficientNetLite0 => &efficientnet_lite::TAPS,
            Self::MobileNetV3Large => &mobilenet::TAPS,
            Self::ResNet18 => &resnet::RESNET18.taps,
            Self::ResNet50 => &resnet::RESNET50.taps,
            Self::WideResNet50x2 => &resnet::WIDE_RESNET50_2.taps,
        }
    }

    /// Whether it is of the `ResNet` family: only these can mirror pictures at their edge.
    pub fn is_resnet(self) -> bool {
        match self {
            Self::EfficientNetLite0 | Self::MobileNetV3Large => false,
            Self::ResNet18 | Self::ResNet50 | Self::WideResNet50x2 => true,
        }
    }

    /// Mean of red, green and blue to subtract, on the scale 0 to 1.
    pub fn mean(self) -> [f32; 3] {
        match self {
            Self::EfficientNetLite0 => [127.0 / 255.0; 3],
            Self::MobileNetV3Large | Self::ResNet18 | Self::ResNet50 | Self::WideResNet50x2 => {
                [0.485, 0.456, 0.406]
            }
        }
    }

    /// Spread of red, green and blue to divide by, on the scale 0 to 1.
    pub fn std(self) -> [f32; 3] {
        match self {
            Self::EfficientNetLite0 => [128.0 / 255.0; 3],
            Self::MobileNetV3Large | Self::ResNet18 | Self::ResNet50 | Self::WideResNet50x2 => {
                [0.229, 0.224, 0.225]
            }
        }
    }

    /// The tensors of everything that leads to a tap, its own block included: for each convolution its weight and its
    /// batch norm or bias. Empty where the network has no such tap.
    pub fn tensors_up_to(self, tap: &Tap) -> Vec<TensorSpec> {
        let Some(number) = self.tap_number(tap) else {
            return Vec::new();
        };
        self.plan(Border::Zeros)
            .convs_up_to(number)
            .flat_map(ConvSpec::tensors)
            .collect()
    }

    /// The names of [`BackboneKind::tensors_up_to`].
    pub fn tensor_names_up_to(self, tap: &Tap) -> Vec<String> {
        self.tensors_up_to(tap)
            .into_iter()
            .map(|tensor| tensor.name)
            .collect()
    }

    /// How many trained numbers lead to a tap, the classifier not counted; 0 where the network has no such tap.
    pub fn parameters_up_to(self, tap: &Tap) -> usize {
        self.tap_number(tap).map_or(0, |number| {
            self.plan(Border::Zeros).parameters_up_to(number)
        })
    }

    /// How many trained numbers all stages have, the classifier not counted.
    pub fn parameters(self) -> usize {
        self.taps()
            .last()
            .map_or(0, |deepest| self.parameters_up_to(deepest))
    }

    /// Which network tensors of these names and shapes belong to: all of the first tap's are there, a missing classifier
    /// or missing deeper blocks do not matter, and nothing is foreign. So relatives with the same beginning, such as
    /// ResNet-34, ResNet-101 or EfficientNet-B0, are none of these networks.
    pub fn detect<'a>(tensors: impl IntoIterator<Item = (&'a str, &'a [usize])>) -> Option<Self> {
        let tensors: HashMap<&str, &[usize]> = tensors.into_iter().collect();
        Self::ALL
            .into_iter()
            .find(|kind| Inventory::new(*kind).matches(&tensors))
    }

    /// Whether a tensor of this name is needed for classification only: no tap lies behind it.
    pub fn is_classifier(self, name: &str) -> bool {
        let prefixes: &[&str] = match self {
            Self::EfficientNetLite0 => &efficientnet_lite::CLASSIFIER,
            Self::MobileNetV3Large => &mobilenet::CLASSIFIER,
            Self::ResNet18 | Self::ResNet50 | Self::WideResNet50x2 => &resnet::CLASSIFIER,
        };
        prefixes.iter().any(|prefix| name.starts_with(prefix))
    }

    pub(super) fn plan(self, border: Border) -> Plan {
        match self {
            Self::EfficientNetLite0 => efficientnet_lite::plan(),
            Self::MobileNetV3Large => mobilenet::plan(),
            Self::ResNet18 => resnet::RESNET18.plan(border),
            Self::ResNet50 => resnet::RESNET50.plan(border),
            Self::WideResNet50x2 => resnet::WIDE_RESNET50_2.plan(border),
        }
    }

    pub(super) fn tap_number(self, tap: &Tap) -> Option<usize> {
        self.taps().iter().position(|own| own == tap)
    }
}

impl fmt::Display for BackboneKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for BackboneKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::name).join(", ");
                format!("`{text}` is not a backbone; there are {names}")
            })
    }
}

/// Everything a weights file of a network may hold.
pub(super) struct Inventory {
    kind: BackboneKind,
    shapes: HashMap<String, Vec<usize>>,
    /// Names of what leads to the first tap.
    first: Vec<String>,
}

impl Inventory {
    pub(super) fn new(kind: BackboneKind) -> Self {
        let deepest = kind.taps().last();
        let all = deepest.map_or_else(Vec::new, |tap| kind.tensors_up_to(tap));
        let first = kind.taps().first();
        Self {
            kind,
            shapes: all
                .into_iter()
                .map(|tensor| (tensor.name, tensor.shape))
                .collect(),
            first: first.map_or_else(Vec::new, |tap| kind.tensor_names_up_to(tap)),
        }
    }

    /// Whether the network has a tensor of this name.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.is_unused(name) || self.shapes.contains_key(name)
    }

    /// Whether these are tensors of the network, those that lead to the first tap among them.
    fn matches(&self, tensors: &HashMap<&str, &[usize]>) -> bool {
        let fits = |(name, shape): (&&str, &&[usize])| {
            self.is_unused(name) || self.shapes.get(*name).is_some_and(|own| own == shape)
        };
        let mut needed = self.first.iter();
        needed.all(|name| tensors.contains_key(name.as_str())) && tensors.iter().all(fits)
    }

    /// The classifier, and how many batches each batch norm saw.
    fn is_unused(&self, name: &str) -> bool {
        name.ends_with(".num_batches_tracked") || self.kind.is_classifier(name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::BackboneKind::{
        self, EfficientNetLite0, MobileNetV3Large, ResNet18, ResNet50, WideResNet50x2,
    };
    use super::Tap;

    /// Names and shapes of a file that ends with a tap.
    fn shapes(kind: BackboneKind, tap: &Tap) -> HashMap<String, Vec<usize>> {
        let specs = kind.tensors_up_to(tap).into_iter();
        specs.map(|spec| (spec.name, spec.shape)).collect()
    }

    fn detect(shapes: &HashMap<String, Vec<usize>>) -> Option<BackboneKind> {
        let tensors = shapes.iter();
        BackboneKind::detect(tensors.map(|(name, shape)| (name.as_str(), shape.as_slice())))
    }

    #[test]
    fn every_network_is_detected_from_its_first_stage_on() {
        for kind in BackboneKind::ALL {
            let classifier: &[(&str, &[usize])] = match kind {
                EfficientNetLite0 => &[
                    ("_conv_head.weight", &[1280, 320, 1, 1]),
                    ("_bn1.bias", &[1280]),
                ],
                MobileNetV3Large => &[
                    ("features.16.1.running_mean", &[960]),
                    ("classifier.0.weight", &[1280, 960]),
                ],
                _ => &[("fc.bias", &[1000])],
            };
            for tap in kind.taps() {
                let mut shapes = shapes(kind, tap);
                assert_eq!(detect(&shapes), Some(kind), "{kind} up to {}", tap.name);
                for (name, shape) in classifier {
                    assert!(kind.is_classifier(name));
                    shapes.insert((*name).into(), shape.to_vec());
                }
                assert_eq!(detect(&shapes), Some(kind), "{kind} with its classifier");
            }
        }
        assert_eq!(BackboneKind::detect([]), None);
        assert_eq!(
            BackboneKind::detect([("conv1.weight", [64, 3, 7, 7].as_slice())]),
            None
        );
    }

    #[test]
    fn relatives_are_not_mistaken_for_the_networks_known_here() {
        let cases: [(&str, BackboneKind, &str, &[usize]); 7] = [
            (
                "ResNet-34",
                ResNet18,
                "layer1.2.conv1.weight",
                &[64, 64, 3, 3],
            ),
            (
                "ResNet-101",
                ResNet50,
                "layer3.6.conv1.weight",
                &[256, 1024, 1, 1],
            ),
            (
                "ResNeXt-50",
                ResNet50,
                "layer1.0.conv2.weight",
                &[128, 4, 3, 3],
            ),
            (
                "Wide-ResNet-101-2",
                WideResNet50x2,
                "layer3.22.bn1.bias",
                &[512],
            ),
            (
                "B0",
                EfficientNetLite0,
                "_blocks.0._se_reduce.weight",
                &[8, 32, 1, 1],
            ),
            ("Lite1", EfficientNetLite0, "_blocks.16._bn2.bias", &[192]),
            // With a narrower end, as torchvision builds it for detection.
            (
                "V3-Large, reduced",
                MobileNetV3Large,
                "features.13.block.3.1.bias",
                &[80],
            ),
        ];
        for (name, kind, tensor, shape) in cases {
            let mut shapes = shapes(kind, kind.taps().last().unwrap());
            shapes.insert(tensor.to_owned(), shape.to_vec());
            assert_eq!(detect(&shapes), None, "{name}");
        }
    }

    #[test]
    fn block_norms_are_not_the_head_norm() {
        assert!(EfficientNetLite0.is_classifier("_bn1.weight"));
        assert!(!EfficientNetLite0.is_classifier("_blocks.0._bn1.weight"));
        assert!(!MobileNetV3Large.is_classifier("features.1.block.0.1.weight"));
    }

    #[test]
    fn other_mobilenets_are_not_mistaken_for_the_large_third_one() {
        // The first tensors of torchvision's MobileNetV3-Small and MobileNetV2.
        let small: &[(&str, &[usize])] = &[
            ("features.0.0.weight", &[16, 3, 3, 3]),
            ("features.1.block.0.0.weight", &[16, 1, 3, 3]),
            ("features.1.block.1.fc1.weight", &[8, 16, 1, 1]),
            ("features.1.block.2.0.weight", &[16, 16, 1, 1]),
            ("classifier.0.weight", &[1024, 576]),
        ];
        let second: &[(&str, &[usize])] = &[
            ("features.0.0.weight", &[32, 3, 3, 3]),
            ("features.1.conv.0.0.weight", &[32, 1, 3, 3]),
            ("classifier.1.weight", &[1000, 1280]),
        ];
        for tensors in [small, second] {
            assert_eq!(BackboneKind::detect(tensors.iter().copied()), None);
            // Not even where everything else fits.
            let mut shapes = shapes(MobileNetV3Large, &MobileNetV3Large.taps()[0]);
            shapes.extend(
                tensors
                    .iter()
                    .map(|(name, shape)| ((*name).to_owned(), shape.to_vec())),
            );
            assert_eq!(detect(&shapes), None);
        }
    }
}
