//! A network as data: its convolutions by name and size, in order, and where features leave it. Knows no tensors.

use crate::ops::conv::{Activation, Channels, Padding};

/// One place where features leave the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tap {
    pub name: &'static str,
    pub channels: usize,
    /// Input pixels for each feature, along either side.
    pub stride: usize,
}

/// What surrounds the picture in front of the spatial convolutions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Border {
    /// What the network was trained with: zeros.
    #[default]
    Zeros,
    /// The picture mirrored at its edge, as in CFLOW's encoders (Gudovskiy et al. 2022); `ResNet`s only.
    Reflect,
}

/// A tensor in a weights file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    pub name: String,
    pub shape: Vec<usize>,
}

/// What is added to a convolution's sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Offset {
    None,
    /// Its own `.bias`.
    Bias,
    /// What the batch norm of this name, without `.running_mean` and so on, makes of them; folded into the weights.
    Norm(String),
}

/// A convolution as it runs: weights and offsets.
#[derive(Debug, Clone)]
pub(super) struct ConvSpec {
    /// Name of the convolution, without `.weight`; `None` for a batch norm alone, whose weights are ones.
    pub(super) name: Option<String>,
    pub(super) offset: Offset,
    pub(super) in_channels: usize,
    pub(super) out_channels: usize,
    pub(super) channels: Channels,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) padding: Padding,
}

/// The four tensors of a batch norm.
pub(super) const NORM_PARTS: [&str; 4] = ["weight", "bias", "running_mean", "running_var"];

impl ConvSpec {
    pub(super) fn weight_shape(&self) -> Vec<usize> {
        let seen = match self.channels {
            Channels::All => self.in_channels,
            Channels::Own => 1,
        };
        vec![self.out_channels, seen, self.kernel, self.kernel]
    }

    /// The convolution without its batch norm, and the batch norm on its own.
    pub(super) fn split_norm(self) -> (Self, Option<Self>) {
        let Offset::Norm(_) = self.offset else {
            return (self, None);
        };
        let norm = Self {
            name: None,
            offset: self.offset.clone(),
            in_channels: self.out_channels,
            out_channels: self.out_channels,
            channels: Channels::Own,
            kernel: 1,
            stride: 1,
            padding: Padding::Zeros(0),
        };
        let bare = Self {
            offset: Offset::None,
            ..self
        };
        (bare, Some(norm))
    }

    /// What it is called in errors.
    pub(super) fn in_words(&self) -> String {
        let norm = match &self.offset {
            Offset::Norm(norm) => Some(format!("batch norm `{norm}`")),
            Offset::None | Offset::Bias => None,
        };
        let name = self.name.as_ref().map(|name| format!("`{name}`"));
        let parts: Vec<String> = name.into_iter().chain(norm).collect();
        parts.join(" or its ")
    }

    /// Its tensors: the weight, then the bias or [`NORM_PARTS`].
    pub(super) fn tensors(&self) -> Vec<TensorSpec> {
        let channel_wise = |owner: &str, part: &str| TensorSpec {
            name: format!("{owner}.{part}"),
            shape: vec![self.out_channels],
        };
        let weight = self.name.iter().map(|name| TensorSpec {
            name: format!("{name}.weight"),
            shape: self.weight_shape(),
        });
        let mut tensors: Vec<TensorSpec> = weight.collect();
        match (&self.offset, &self.name) {
            (Offset::Norm(norm), _) => {
                tensors.extend(NORM_PARTS.map(|part| channel_wise(norm, part)));
            }
            (Offset::Bias, Some(name)) => tensors.push(channel_wise(name, "bias")),
            (Offset::Bias, None) | (Offset::None, _) => {}
        }
        tensors
    }

    /// Trained numbers: all tensors but the statistics of the batch norm.
    fn parameters(&self) -> usize {
        let trained = |tensor: &TensorSpec| !tensor.name.contains(".running_");
        let tensors = self.tensors();
        let sizes = tensors.iter().filter(|tensor| trained(tensor));
        sizes
            .map(|tensor| tensor.shape.iter().product::<usize>())
            .sum()
    }
}

/// What is added to the result of a block's path.
#[derive(Debug, Clone)]
pub(super) enum Shortcut<T> {
    None,
    Identity,
    Projection(T),
}

/// Squeeze-and-excitation (Hu et al. 2018): two 1x1 convolutions of the channels' means give a factor for each channel.
#[derive(Debug, Clone)]
pub(super) struct Excitation<T> {
    pub(super) squeeze: T,
    pub(super) excite: T,
}

/// Convolutions one after the other and a shortcut around them.
#[derive(Debug, Clone)]
pub(super) struct Block<T> {
    /// All but the last.
    pub(super) path: Vec<T>,
    /// Behind each convolution of the path.
    pub(super) activation: Activation,
    /// Between the path and the last convolution.
    pub(super) excitation: Option<Excitation<T>>,
    pub(super) last: T,
    /// The last convolution's batch norm where features leave in front of it; elsewhere it is folded.
    pub(super) norm: Option<T>,
    pub(super) shortcut: Shortcut<T>,
}

impl<T> Block<T> {
    pub(super) fn try_map<U, E>(
        &self,
        mut f: impl FnMut(&T) -> Result<U, E>,
    ) -> Result<Block<U>, E> {
        let excitation = self
            .excitation
            .as_ref()
            .map(|Excitation { squeeze, excite }| {
                Ok(Excitation {
                    squeeze: f(squeeze)?,
                    excite: f(excite)?,
                })
            });
        Ok(Block {
            path: self.path.iter().map(&mut f).collect::<Result<_, E>>()?,
            activation: self.activation,
            excitation: excitation.transpose()?,
            last: f(&self.last)?,
            norm: self.norm.as_ref().map(&mut f).transpose()?,
            shortcut: match &self.shortcut {
                Shortcut::None => Shortcut::None,
                Shortcut::Identity => Shortcut::Identity,
                Shortcut::Projection(conv) => Shortcut::Projection(f(conv)?),
            },
        })
    }

    fn convs(&self) -> impl Iterator<Item = &T> {
        let excitation = self.excitation.iter();
        let excitation = excitation.flat_map(|both| [&both.squeeze, &both.excite]);
        let projection = match &self.shortcut {
            Shortcut::Projection(conv) => Some(conv),
            Shortcut::None | Shortcut::Identity => None,
        };
        let path = self.path.iter().chain(excitation);
        path.chain([&self.last]).chain(&self.norm).chain(projection)
    }
}

/// What comes between the stem and the first block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StemPool {
    None,
    /// 3x3, stride 2.
    Max,
}

/// A whole network up to its last tap.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) stem: ConvSpec,
    pub(super) stem_pool: StemPool,
    pub(super) stem_activation: Activation,
    /// Behind a block's sum. Taps leave before it, or where the block has its norm apart before that.
    pub(super) block_activation: Activation,
    pub(super) blocks: Vec<Block<ConvSpec>>,
    /// For each tap how many blocks lead to it.
    pub(super) depths: Vec<usize>,
    /// Added inside the square root of every batch norm.
    pub(super) epsilon: f64,
}

impl Plan {
    /// The convolutions that lead to a tap, by the tap's number.
    pub(super) fn convs_up_to(&self, tap: usize) -> impl Iterator<Item = &ConvSpec> {
        let depth = self.depths.get(tap).copied().unwrap_or(self.blocks.len());
        std::iter::once(&self.stem).chain(self.blocks.iter().take(depth).flat_map(Block::convs))
    }

    pub(super) fn parameters_up_to(&self, tap: usize) -> usize {
        self.convs_up_to(tap).map(ConvSpec::parameters).sum()
    }
}
