//! MobileNetV3-Large (Howard et al. 2019, table 1), named as in torchvision, up to its last block. Taps are what CFLOW
//! (Gudovskiy et al. 2022) takes: the bare 1x1 projections of blocks, before batch norm and shortcut.

use super::plan::{Block, ConvSpec, Excitation, Offset, Plan, Shortcut, StemPool, Tap};
use crate::ops::conv::{Activation, Channels, Padding};

/// An inverted residual block.
struct Inverted {
    kernel: usize,
    /// Channels of the depthwise convolution.
    inner: usize,
    out_channels: usize,
    /// Channels in the middle of squeeze-and-excitation, in blocks that have it.
    squeezed: Option<usize>,
    activation: Activation,
    stride: usize,
}

const fn inverted(
    kernel: usize,
    inner: usize,
    out_channels: usize,
    squeezed: Option<usize>,
    activation: Activation,
    stride: usize,
) -> Inverted {
    Inverted {
        kernel,
        inner,
        out_channels,
        squeezed,
        activation,
        stride,
    }
}

static BLOCKS: [Inverted; 15] = [
    inverted(3, 16, 16, None, Activation::Relu, 1),
    inverted(3, 64, 24, None, Activation::Relu, 2),
    inverted(3, 72, 24, None, Activation::Relu, 1),
    inverted(5, 72, 40, Some(24), Activation::Relu, 2),
    inverted(5, 120, 40, Some(32), Activation::Relu, 1),
    inverted(5, 120, 40, Some(32), Activation::Relu, 1),
    inverted(3, 240, 80, None, Activation::HardSwish, 2),
    inverted(3, 200, 80, None, Activation::HardSwish, 1),
    inverted(3, 184, 80, None, Activation::HardSwish, 1),
    inverted(3, 184, 80, None, Activation::HardSwish, 1),
    inverted(3, 480, 112, Some(120), Activation::HardSwish, 1),
    inverted(3, 672, 112, Some(168), Activation::HardSwish, 1),
    inverted(5, 672, 160, Some(168), Activation::HardSwish, 2),
    inverted(5, 960, 160, Some(240), Activation::HardSwish, 1),
    inverted(5, 960, 160, Some(240), Activation::HardSwish, 1),
];

/// The last block of each stride. CFLOW takes the last three.
pub(super) static TAPS: [Tap; 4] = [
    Tap {
        name: "block3",
        channels: 24,
        stride: 4,
    },
    Tap {
        name: "block6",
        channels: 40,
        stride: 8,
    },
    Tap {
        name: "block12",
        channels: 112,
        stride: 16,
    },
    Tap {
        name: "block15",
        channels: 160,
        stride: 32,
    },
];

/// For each tap how many blocks lead to it.
const DEPTHS: [usize; 4] = [3, 6, 12, 15];

/// How the names of the classifier's tensors start, its 1x1 convolution included.
pub(super) const CLASSIFIER: [&str; 2] = ["features.16.", "classifier."];

/// Output channels of the stem.
const STEM: usize = 16;

pub(super) fn plan() -> Plan {
    let mut blocks = Vec::with_capacity(BLOCKS.len());
    let mut from = STEM;
    for (number, inverted) in (1..).zip(&BLOCKS) {
        blocks.push(block(number, from, inverted));
        from = inverted.out_channels;
    }
    Plan {
        stem: conv("features.0", [3, STEM], Channels::All, 3, 2),
        stem_pool: StemPool::None,
        stem_activation: Activation::HardSwish,
        block_activation: Activation::None,
        blocks,
        depths: DEPTHS.to_vec(),
        epsilon: 1e-3,
    }
}

fn block(number: usize, from: usize, inverted: &Inverted) -> Block<ConvSpec> {
    let (inner, to) = (inverted.inner, inverted.out_channels);
    let part = |index: usize| format!("features.{number}.block.{index}");
    let mut path = Vec::new();
    if inner != from {
        path.push(conv(&part(0), [from, inner], Channels::All, 1, 1));
    }
    path.push(conv(
        &part(path.len()),
        [inner, inner],
        Channels::Own,
        inverted.kernel,
        inverted.stride,
    ));
    let excitation = inverted
        .squeezed
        .map(|squeezed| excitation(&part(path.len()), inner, squeezed));
    let last = path.len() + usize::from(excitation.is_some());
    let last = conv(&part(last), [inner, to], Channels::All, 1, 1);
    let (last, norm) = if DEPTHS.contains(&number) {
        last.split_norm()
    } else {
        (last, None)
    };
    let shortcut = if inverted.stride == 1 && from == to {
        Shortcut::Identity
    } else {
        Shortcut::None
    };
    Block {
        path,
        activation: inverted.activation,
        excitation,
        last,
        norm,
        shortcut,
    }
}

fn conv(
    prefix: &str,
    [in_channels, out_channels]: [usize; 2],
    channels: Channels,
    kernel: usize,
    stride: usize,
) -> ConvSpec {
    ConvSpec {
        name: Some(format!("{prefix}.0")),
        offset: Offset::Norm(format!("{prefix}.1")),
        in_channels,
        out_channels,
        channels,
        kernel,
        stride,
        padding: Padding::Zeros(kernel / 2),
    }
}

fn excitation(prefix: &str, inner: usize, squeezed: usize) -> Excitation<ConvSpec> {
    let fully_connected = |name: &str, channels| ConvSpec {
        name: Some(format!("{prefix}.{name}")),
        offset: Offset::Bias,
        ..conv("", channels, Channels::All, 1, 1)
    };
    Excitation {
        squeeze: fully_connected("fc1", [inner, squeezed]),
        excite: fully_connected("fc2", [squeezed, inner]),
    }
}
