//! Frozen ImageNet networks with feature taps. Loaded from tensors by their published names; batch norm folded.

mod efficientnet_lite;
mod resnet;

use serde::{Deserialize, Serialize};

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
}

/// One place where features leave the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tap {
    pub name: &'static str,
    pub channels: usize,
    pub stride: usize,
}
