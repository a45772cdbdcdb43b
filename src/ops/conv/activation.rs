//! What follows a convolution, for tensors and for registers.
#![expect(
    unsafe_code,
    reason = "register operations need the caller's word for the processor"
)]
#![expect(
    clippy::inline_always,
    reason = "vector instructions must be compiled inside the function that enables them"
)]

use candle_core::{Result, Tensor};

use super::lanes::Lanes;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    None,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
}

impl Activation {
    pub fn apply(self, values: &Tensor) -> Result<Tensor> {
        match self {
            Self::None => Ok(values.clone()),
            Self::Relu => values.relu(),
            Self::Relu6 => values.clamp(0.0_f32, 6.0_f32),
        }
    }

    /// Not-a-number stays what it is, so that a broken picture cannot pass for a good one.
    ///
    /// # Safety
    /// As for [`Lanes`].
    #[inline(always)]
    pub(super) unsafe fn apply_lanes<V: Lanes>(self, values: V) -> V {
        // SAFETY: the caller vouches for the instructions of `V`.
        unsafe {
            match self {
                Self::None => values,
                Self::Relu => V::splat(0.0).max(values),
                Self::Relu6 => V::splat(6.0).min(V::splat(0.0).max(values)),
            }
        }
    }
}
