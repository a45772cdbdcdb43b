//! Runs one block of a network on features. Knows no names and no weights files.

use candle_core::{Result, Tensor};

use super::plan::{Block, Excitation, Shortcut};
use crate::ops::conv::{Activation, Conv2d, channel_means, scale_channels};

impl Block<Conv2d> {
    /// What goes on to the next block: the sum with the shortcut, activated.
    pub(super) fn forward(&self, input: &Tensor, activation: Activation) -> Result<Tensor> {
        if self.norm.is_some() {
            return Ok(self.tapped(input, activation)?.1);
        }
        self.add_shortcut(&self.last, &self.inner(input)?, input, activation)
    }

    /// The features that leave here, and what goes on to the next block. The latter is that of [`Block::forward`], to the
    /// bit.
    pub(super) fn tapped(
        &self,
        input: &Tensor,
        activation: Activation,
    ) -> Result<(Tensor, Tensor)> {
        let inner = self.inner(input)?;
        if let Some(norm) = &self.norm {
            let bare = self.last.forward(&inner, Activation::None)?;
            let sum = self.add_shortcut(norm, &bare, input, activation)?;
            return Ok((bare, sum));
        }
        let sum = self.add_shortcut(&self.last, &inner, input, Activation::None)?;
        let rest = activation.apply(&sum)?;
        Ok((sum, rest))
    }

    /// What the last convolution gets.
    fn inner(&self, input: &Tensor) -> Result<Tensor> {
        let inner = self.path.iter().try_fold(input.clone(), |inner, conv| {
            conv.forward(&inner, self.activation)
        })?;
        match &self.excitation {
            Some(excitation) => excitation.forward(&inner),
            None => Ok(inner),
        }
    }

    fn add_shortcut(
        &self,
        last: &Conv2d,
        inner: &Tensor,
        input: &Tensor,
        activation: Activation,
    ) -> Result<Tensor> {
        match &self.shortcut {
            Shortcut::None => last.forward(inner, activation),
            Shortcut::Identity => last.forward_add(inner, input, activation),
            Shortcut::Projection(conv) => {
                let projected = conv.forward(input, Activation::None)?;
                last.forward_add(inner, &projected, activation)
            }
        }
    }
}

impl Excitation<Conv2d> {
    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        let means = channel_means(input)?; // (B, C, 1, 1)
        let squeezed = self.squeeze.forward(&means, Activation::Relu)?;
        let factors = self.excite.forward(&squeezed, Activation::HardSigmoid)?;
        scale_channels(input, &factors)
    }
}
