//! ResNet-18, ResNet-50 and Wide-ResNet-50-2 (He et al. 2016; Zagoruyko and Komodakis 2016), named as in torchvision.

use super::plan::{Block, Border, ConvSpec, Offset, Plan, Shortcut, StemPool, Tap};
use crate::ops::conv::{Activation, Channels, Padding};

/// The two kinds of block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BlockKind {
    /// 3x3, 3x3.
    Basic,
    /// 1x1, 3x3 this many times as wide as in ResNet-50, 1x1 to four times the width.
    Bottleneck { widening: usize },
}

/// A member of the family.
pub(super) struct Variant {
    block: BlockKind,
    /// Blocks in each stage.
    stages: [usize; 4],
    pub(super) taps: [Tap; 4],
}

pub(super) static RESNET18: Variant = Variant {
    block: BlockKind::Basic,
    stages: [2, 2, 2, 2],
    taps: taps([64, 128, 256, 512]),
};

pub(super) static RESNET50: Variant = Variant {
    block: BlockKind::Bottleneck { widening: 1 },
    stages: [3, 4, 6, 3],
    taps: taps([256, 512, 1024, 2048]),
};

pub(super) static WIDE_RESNET50_2: Variant = Variant {
    block: BlockKind::Bottleneck { widening: 2 },
    stages: [3, 4, 6, 3],
    taps: taps([256, 512, 1024, 2048]),
};

const fn taps(channels: [usize; 4]) -> [Tap; 4] {
    [
        Tap {
            name: "layer1",
            channels: channels[0],
            stride: 4,
        },
        Tap {
            name: "layer2",
            channels: channels[1],
            stride: 8,
        },
        Tap {
            name: "layer3",
            channels: channels[2],
            stride: 16,
        },
        Tap {
            name: "layer4",
            channels: channels[3],
            stride: 32,
        },
    ]
}

/// How the names of the classifier's tensors start.
pub(super) const CLASSIFIER: [&str; 1] = ["fc."];

/// Output channels of the stem.
const STEM: usize = 64;

impl Variant {
    pub(super) fn plan(&self, border: Border) -> Plan {
        let mut blocks = Vec::new();
        let mut depths = Vec::new();
        let mut in_channels = STEM;
        for (stage, (&count, tap)) in self.stages.iter().zip(&self.taps).enumerate() {
            for index in 0..count {
                let stride = if stage > 0 && index == 0 { 2 } else { 1 };
                let namer = Namer {
                    prefix: format!("layer{}.{index}.", stage + 1),
                    border,
                };
                blocks.push(self.block(&namer, in_channels, tap.channels, STEM << stage, stride));
                in_channels = tap.channels;
            }
            depths.push(blocks.len());
        }
        Plan {
            stem: Namer {
                prefix: String::new(),
                border,
            }
            .conv(1, [3, STEM], 7, 2),
            stem_pool: StemPool::Max,
            stem_activation: Activation::Relu,
            block_activation: Activation::Relu,
            blocks,
            depths,
            epsilon: 1e-5,
        }
    }

    fn block(
        &self,
        namer: &Namer,
        from: usize,
        to: usize,
        width: usize,
        stride: usize,
    ) -> Block<ConvSpec> {
        let (path, last) = match self.block {
            BlockKind::Basic => (
                vec![namer.conv(1, [from, to], 3, stride)],
                namer.conv(2, [to, to], 3, 1),
            ),
            BlockKind::Bottleneck { widening } => {
                let inner = width * widening;
                let path = vec![
                    namer.conv(1, [from, inner], 1, 1),
                    namer.conv(2, [inner, inner], 3, stride),
                ];
                (path, namer.conv(3, [inner, to], 1, 1))
            }
        };
        let shortcut = if from == to && stride == 1 {
            Shortcut::Identity
        } else {
            Shortcut::Projection(namer.projection([from, to], stride))
        };
        Block {
            path,
            activation: Activation::Relu,
            excitation: None,
            last,
            norm: None,
            shortcut,
        }
    }
}

/// Makes the convolutions of one block.
struct Namer {
    prefix: String,
    border: Border,
}

impl Namer {
    fn conv(&self, number: usize, channels: [usize; 2], kernel: usize, stride: usize) -> ConvSpec {
        let name = format!("{}conv{number}", self.prefix);
        self.spec(
            name,
            format!("{}bn{number}", self.prefix),
            channels,
            kernel,
            stride,
        )
    }

    fn projection(&self, channels: [usize; 2], stride: usize) -> ConvSpec {
        let name = format!("{}downsample.0", self.prefix);
        self.spec(
            name,
            format!("{}downsample.1", self.prefix),
            channels,
            1,
            stride,
        )
    }

    fn spec(
        &self,
        name: String,
        norm: String,
        channels: [usize; 2],
        kernel: usize,
        stride: usize,
    ) -> ConvSpec {
        let padding = match self.border {
            Border::Zeros => Padding::Zeros(kernel / 2),
            Border::Reflect => Padding::Reflect(kernel / 2),
        };
        let [in_channels, out_channels] = channels;
        ConvSpec {
            name: Some(name),
            offset: Offset::Norm(norm),
            in_channels,
            out_channels,
            channels: Channels::All,
            kernel,
            stride,
            padding,
        }
    }
}
