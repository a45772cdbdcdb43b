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

use crate::ops::lanes::Lanes;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    None,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `min(max(x / 6 + 1/2, 0), 1)`, a number between 0 and 1 (Howard et al. 2019, section 5.2).
    HardSigmoid,
    /// `x` times its hard sigmoid.
    HardSwish,
}

impl Activation {
    pub fn apply(self, values: &Tensor) -> Result<Tensor> {
        match self {
            Self::None => Ok(values.clone()),
            Self::Relu => values.relu(),
            Self::Relu6 => values.clamp(0.0_f32, 6.0_f32),
            Self::HardSigmoid => values.affine(1.0 / 6.0, 0.5)?.clamp(0.0_f32, 1.0_f32),
            Self::HardSwish => values * Self::HardSigmoid.apply(values)?,
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
                Self::HardSigmoid => hard_sigmoid(values),
                Self::HardSwish => values.mul(hard_sigmoid(values)),
            }
        }
    }
}

/// # Safety
/// As for [`Lanes`].
#[inline(always)]
unsafe fn hard_sigmoid<V: Lanes>(values: V) -> V {
    // SAFETY: the caller vouches for the instructions of `V`.
    unsafe {
        let line = values.mul_add(V::splat(1.0 / 6.0), V::splat(0.5));
        V::splat(1.0).min(V::splat(0.0).max(line))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Result, Tensor};

    use super::Activation;
    use crate::ops::conv::{Channels, Conv2d, Padding};
    use crate::ops::lanes::Isa;

    type Formula = fn(f32) -> f32;

    const CASES: [(Activation, Formula); 5] = [
        (Activation::None, |x| x),
        (Activation::Relu, |x| x.max(0.0)),
        (Activation::Relu6, |x| x.clamp(0.0, 6.0)),
        (Activation::HardSigmoid, |x| (x + 3.0).clamp(0.0, 6.0) / 6.0),
        (Activation::HardSwish, |x| {
            x * (x + 3.0).clamp(0.0, 6.0) / 6.0
        }),
    ];

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn registers_and_tensors_agree_with_the_formulas() -> Result<()> {
        let inputs: Vec<f32> = (-40..=40).map(|i| i as f32 * 0.2).collect();
        let input = Tensor::new(inputs.as_slice(), &Device::Cpu)?.reshape((1, 1, 1, 81))?;
        for (activation, formula) in CASES {
            let check = |found: &Tensor| {
                for (&x, found) in inputs.iter().zip(values(found)) {
                    let expected = formula(x);
                    let message = format!("{activation:?} of {x}: {found}, not {expected}");
                    assert!((found - expected).abs() < 1e-6, "{message}");
                }
            };
            check(&activation.apply(&input)?);
            for conv in identities()? {
                check(&conv.forward(&input, activation)?);
            }
        }
        Ok(())
    }

    #[test]
    fn not_a_number_leaves_a_convolution_as_what_it_is() -> Result<()> {
        let input = Tensor::new(&[f32::NAN], &Device::Cpu)?.reshape((1, 1, 1, 1))?;
        for (activation, _) in CASES {
            for conv in identities()? {
                assert!(
                    values(&conv.forward(&input, activation)?)[0].is_nan(),
                    "{activation:?}"
                );
            }
        }
        Ok(())
    }

    /// Convolutions of both kinds that change nothing, for every instruction set.
    fn identities() -> Result<Vec<Conv2d>> {
        let weight = Tensor::new(&[1_f32], &Device::Cpu)?.reshape((1, 1, 1, 1))?;
        let bias = Tensor::new(&[0_f32], &Device::Cpu)?;
        let new =
            |channels, isa| Conv2d::with_isa(&weight, &bias, channels, 1, Padding::Zeros(0), isa);
        Isa::available()
            .into_iter()
            .flat_map(|isa| [new(Channels::All, isa), new(Channels::Own, isa)])
            .collect()
    }
}
