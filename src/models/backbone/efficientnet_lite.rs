//! EfficientNet-Lite0 (Liu 2020, after Tan and Le 2019): no squeeze-excitation, `ReLU6`, `TensorFlow`'s "same" padding.

use super::plan::{Block, ConvSpec, Offset, Plan, Shortcut, StemPool, Tap};
use crate::ops::conv::{Activation, Channels, Padding};

/// Blocks of one stage; only the first has the stride.
struct Stage {
    blocks: usize,
    kernel: usize,
    stride: usize,
    /// How many times wider the depthwise convolution is than the block's input.
    expansion: usize,
    out_channels: usize,
}

const fn stage(
    blocks: usize,
    kernel: usize,
    stride: usize,
    expansion: usize,
    out_channels: usize,
) -> Stage {
    Stage {
        blocks,
        kernel,
        stride,
        expansion,
        out_channels,
    }
}

static STAGES: [Stage; 7] = [
    stage(1, 3, 1, 1, 16),
    stage(2, 3, 2, 6, 24),
    stage(2, 5, 2, 6, 40),
    stage(3, 3, 2, 6, 80),
    stage(3, 5, 1, 6, 112),
    stage(4, 5, 2, 6, 192),
    stage(1, 3, 1, 6, 320),
];

/// The outputs of stages 2 to 7.
pub(super) static TAPS: [Tap; 6] = [
    Tap {
        name: "stage2",
        channels: 24,
        stride: 4,
    },
    Tap {
        name: "stage3",
        channels: 40,
        stride: 8,
    },
    Tap {
        name: "stage4",
        channels: 80,
        stride: 16,
    },
    Tap {
        name: "stage5",
        channels: 112,
        stride: 16,
    },
    Tap {
        name: "stage6",
        channels: 192,
        stride: 32,
    },
    Tap {
        name: "stage7",
        channels: 320,
        stride: 32,
    },
];

/// How the names of the classifier's tensors start.
pub(super) const CLASSIFIER: [&str; 3] = ["_conv_head.", "_bn1.", "_fc."];

/// Output channels of the stem.
const STEM: usize = 32;

pub(super) fn plan() -> Plan {
    let mut blocks = Vec::new();
    let mut depths = Vec::new();
    let mut in_channels = STEM;
    for stage in &STAGES {
        for index in 0..stage.blocks {
            let stride = if index == 0 { stage.stride } else { 1 };
            blocks.push(block(blocks.len(), in_channels, stage, stride));
            in_channels = stage.out_channels;
        }
        depths.push(blocks.len());
    }
    depths.remove(0); // No tap at stage 1.
    Plan {
        stem: dense("_conv_stem".into(), "_bn0".into(), [3, STEM], 3, 2),
        stem_pool: StemPool::None,
        stem_activation: Activation::Relu6,
        block_activation: Activation::None,
        blocks,
        depths,
        epsilon: 1e-3,
    }
}

fn block(number: usize, from: usize, stage: &Stage, stride: usize) -> Block<ConvSpec> {
    let part = |name: &str| format!("_blocks.{number}.{name}");
    let inner = from * stage.expansion;
    let mut path = Vec::new();
    if stage.expansion > 1 {
        path.push(dense(
            part("_expand_conv"),
            part("_bn0"),
            [from, inner],
            1,
            1,
        ));
    }
    path.push(ConvSpec {
        channels: Channels::Own,
        ..dense(
            part("_depthwise_conv"),
            part("_bn1"),
            [inner, inner],
            stage.kernel,
            stride,
        )
    });
    let last = dense(
        part("_project_conv"),
        part("_bn2"),
        [inner, stage.out_channels],
        1,
        1,
    );
    let shortcut = if stride == 1 && from == stage.out_channels {
        Shortcut::Identity
    } else {
        Shortcut::None
    };
    Block {
        path,
        activation: Activation::Relu6,
        excitation: None,
        last,
        norm: None,
        shortcut,
    }
}

fn dense(
    name: String,
    norm: String,
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
) -> ConvSpec {
    let [in_channels, out_channels] = channels;
    ConvSpec {
        name: Some(name),
        offset: Offset::Norm(norm),
        in_channels,
        out_channels,
        channels: Channels::All,
        kernel,
        stride,
        padding: Padding::Same,
    }
}
