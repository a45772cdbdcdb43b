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

/// A convolution without bias and the batch norm behind it.
#[derive(Debug, Clone)]
pub(super) struct ConvSpec {
    /// Name of the convolution, without `.weight`.
    pub(super) name: String,
    /// Name of the batch norm, without `.running_mean` and so on.
    pub(super) norm: String,
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

    /// Its tensors: the weight, then [`NORM_PARTS`].
    pub(super) fn tensors(&self) -> impl Iterator<Item = TensorSpec> + use<> {
        let weight = TensorSpec {
            name: format!("{}.weight", self.name),
            shape: self.weight_shape(),
        };
        let norm = NORM_PARTS.map(|part| TensorSpec {
            name: format!("{}.{part}", self.norm),
            shape: vec![self.out_channels],
        });
        std::iter::once(weight).chain(norm)
    }

    /// Trained numbers: the weight, and scale and shift of the batch norm.
    fn parameters(&self) -> usize {
        self.weight_shape().iter().product::<usize>() + 2 * self.out_channels
    }
}

/// What is added to the result of a block's path.
#[derive(Debug, Clone)]
pub(super) enum Shortcut<T> {
    None,
    Identity,
    Projection(T),
}

/// Convolutions one after the other, the network's activation between them, and a shortcut around them.
#[derive(Debug, Clone)]
pub(super) struct Block<T> {
    pub(super) path: Vec<T>,
    pub(super) shortcut: Shortcut<T>,
}

impl<T> Block<T> {
    pub(super) fn try_map<U, E>(
        &self,
        mut f: impl FnMut(&T) -> Result<U, E>,
    ) -> Result<Block<U>, E> {
        let path = self.path.iter().map(&mut f).collect::<Result<_, E>>()?;
        let shortcut = match &self.shortcut {
            Shortcut::None => Shortcut::None,
            Shortcut::Identity => Shortcut::Identity,
            Shortcut::Projection(conv) => Shortcut::Projection(f(conv)?),
        };
        Ok(Block { path, shortcut })
    }

    fn convs(&self) -> impl Iterator<Item = &T> {
        let projection = match &self.shortcut {
            Shortcut::Projection(conv) => Some(conv),
            Shortcut::None | Shortcut::Identity => None,
        };
        self.path.iter().chain(projection)
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
    /// Behind the stem and between the convolutions of a block.
    pub(super) activation: Activation,
    /// Behind a block's sum. Taps leave before it.
    pub(super) block_activation: Activation,
    pub(super) blocks: Vec<Block<ConvSpec>>,
    /// For each tap how many blocks lead to it.
    pub(super) depths: Vec<usize>,
    /// Added inside the square root of every batch norm.
    pub(super) epsilon: f64,
    /// How the names of tensors start that belong to the network but to none of its taps: the classifier.
    pub(super) unused: &'static [&'static str],
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
