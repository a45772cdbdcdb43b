//! Which networks there are: names, taps, tensors and preprocessing. Builds nothing.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::plan::{Border, ConvSpec, Plan, Tap, TensorSpec};
use super::{efficientnet_lite, resnet};

/// The networks that can be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BackboneKind {
    #[serde(rename = "efficientnet-lite0")]
    EfficientNetLite0,
    #[serde(rename = "resnet18")]
    ResNet18,
    #[serde(rename = "resnet50")]
    ResNet50,
    #[serde(rename = "wide-resnet50-2")]
    WideResNet50x2,
}

impl BackboneKind {
    pub const ALL: [Self; 4] = [
        Self::EfficientNetLite0,
        Self::ResNet18,
        Self::ResNet50,
        Self::WideResNet50x2,
    ];

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::EfficientNetLite0 => "efficientnet-lite0",
            Self::ResNet18 => "resnet18",
            Self::ResNet50 => "resnet50",
            Self::WideResNet50x2 => "wide-resnet50-2",
        }
    }

    /// Where features can leave the network, the shallowest first.
    pub fn taps(self) -> &'static [Tap] {
        match self {
            Self::EfficientNetLite0 => &efficientnet_lite::TAPS,
            Self::ResNet18 => &resnet::RESNET18.taps,
            Self::ResNet50 => &resnet::RESNET50.taps,
            Self::WideResNet50x2 => &resnet::WIDE_RESNET50_2.taps,
        }
    }

    /// Whether its spatial convolutions can see the picture mirrored at its edge, see [`Border::Reflect`].
    pub fn can_reflect(self) -> bool {
        matches!(self, Self::ResNet18 | Self::ResNet50 | Self::WideResNet50x2)
    }

    /// Mean of red, green and blue to subtract, on the scale 0 to 1.
    pub fn mean(self) -> [f32; 3] {
        match self {
            Self::EfficientNetLite0 => [127.0 / 255.0; 3],
            Self::ResNet18 | Self::ResNet50 | Self::WideResNet50x2 => [0.485, 0.456, 0.406],
        }
    }

    /// Spread of red, green and blue to divide by, on the scale 0 to 1.
    pub fn std(self) -> [f32; 3] {
        match self {
            Self::EfficientNetLite0 => [128.0 / 255.0; 3],
            Self::ResNet18 | Self::ResNet50 | Self::WideResNet50x2 => [0.229, 0.224, 0.225],
        }
    }

    /// The tensors needed to compute a tap: for each convolution its weight and its batch norm. Empty where the network
    /// has no such tap.
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

    /// Which network tensors of these names and shapes belong to: it has the stages up to the first tap at least, and
    /// there is nothing foreign.
    pub fn detect<'a>(tensors: impl IntoIterator<Item = (&'a str, &'a [usize])>) -> Option<Self> {
        let tensors: Vec<_> = tensors.into_iter().collect();
        Self::ALL.into_iter().find(|kind| {
            let inventory = Inventory::new(*kind);
            tensors
                .iter()
                .all(|(name, shape)| inventory.fits(name, shape))
                && inventory
                    .first_stage()
                    .all(|needed| tensors.iter().any(|(name, _)| *name == needed.name))
        })
    }

    pub(super) fn plan(self, border: Border) -> Plan {
        match self {
            Self::EfficientNetLite0 => efficientnet_lite::plan(),
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
    tensors: Vec<TensorSpec>,
    first_stage: usize,
    unused: &'static [&'static str],
}

impl Inventory {
    pub(super) fn new(kind: BackboneKind) -> Self {
        let plan = kind.plan(Border::Zeros);
        let count = |tap| plan.convs_up_to(tap).flat_map(ConvSpec::tensors).count();
        let deepest = kind.taps().len() - 1;
        Self {
            tensors: plan
                .convs_up_to(deepest)
                .flat_map(ConvSpec::tensors)
                .collect(),
            first_stage: count(0),
            unused: plan.unused,
        }
    }

    fn first_stage(&self) -> impl Iterator<Item = &TensorSpec> {
        self.tensors.iter().take(self.first_stage)
    }

    /// Whether the network has a tensor of this name.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.is_unused(name) || self.tensors.iter().any(|tensor| tensor.name == name)
    }

    /// Whether the network has a tensor of this name and shape.
    fn fits(&self, name: &str, shape: &[usize]) -> bool {
        self.is_unused(name)
            || self
                .tensors
                .iter()
                .any(|tensor| tensor.name == name && tensor.shape == shape)
    }

    /// The classifier, and how many batches each batch norm saw.
    fn is_unused(&self, name: &str) -> bool {
        name.ends_with(".num_batches_tracked")
            || self.unused.iter().any(|prefix| name.starts_with(prefix))
    }
}
