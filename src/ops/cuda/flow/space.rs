//! Room on the GPU for fibres on their way through a flow.

use candle_core::Result;
use candle_core::cuda_backend::CudaDevice;
use candle_core::cuda_backend::cudarc::driver::CudaSlice;

use super::FlowSizes;
use crate::ops::cuda::room;

/// Which fibres of a tap.
pub(super) enum Fibres<'a> {
    Chosen(&'a CudaSlice<u32>),
    /// Those from this one on.
    From(u32),
}

/// What fibres go through a flow for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The way back needs what every block made.
    Training,
    Scoring,
}

/// Room for `count` fibres on their way. What has a first dimension of blocks has one of 1 where only likelihoods are
/// wanted.
pub(super) struct Space {
    pub(super) count: usize,
    pub(super) purpose: Purpose,
    /// `(N, C)`: what goes into the next block.
    pub(super) latent: CudaSlice<f32>,
    pub(super) unrotated: CudaSlice<f32>,
    /// `(N, C)`: the gradient by it.
    pub(super) travelling: CudaSlice<f32>,
    /// `(N, 2 half)`.
    pub(super) codes: CudaSlice<f32>,
    /// `(blocks, N, C)`.
    pub(super) input: CudaSlice<f32>,
    /// `(blocks, N, C)`: gradients behind the global affine.
    pub(super) behind: CudaSlice<f32>,
    /// `(blocks, N, hidden)`.
    pub(super) hidden: CudaSlice<f32>,
    pub(super) hidden_gradient: CudaSlice<f32>,
    /// `(blocks, N, outputs)`: the subnet's result, then the gradient by it.
    pub(super) output: CudaSlice<f32>,
    /// `(blocks, N, changed)`.
    pub(super) log_scales: CudaSlice<f32>,
    pub(super) stretches: CudaSlice<f32>,
    pub(super) coupled: CudaSlice<f32>,
    /// `(all blocks, C)`.
    pub(super) gains: CudaSlice<f32>,
    pub(super) log_gain: CudaSlice<f64>,
    /// `(N,)`.
    pub(super) log_det: CudaSlice<f64>,
    pub(super) likelihoods: CudaSlice<f64>,
    pub(super) slopes: CudaSlice<f32>,
    pub(super) loss: CudaSlice<f64>,
    pub(super) slope_sum: CudaSlice<f32>,
}

impl Space {
    pub(super) fn new(
        sizes: FlowSizes,
        purpose: Purpose,
        count: usize,
        device: &CudaDevice,
    ) -> Result<Self> {
        let (kept, back) = match purpose {
            Purpose::Training => (sizes.blocks * count, sizes.blocks * count),
            Purpose::Scoring => (count, 1),
        };
        let floats = |size: usize| room::<f32>(device, size);
        Ok(Self {
            count,
            purpose,
            latent: floats(count * sizes.channels)?,
            unrotated: floats(count * sizes.channels)?,
            travelling: floats(count * sizes.channels)?,
            codes: floats(count * 2 * sizes.half)?,
            input: floats(kept * sizes.channels)?,
            behind: floats(back * sizes.channels)?,
            hidden: floats(kept * sizes.hidden())?,
            hidden_gradient: floats(back * sizes.hidden())?,
            output: floats(kept * sizes.outputs())?,
            log_scales: floats(kept * sizes.changed())?,
            stretches: floats(kept * sizes.changed())?,
            coupled: floats(kept * sizes.changed())?,
            gains: floats(sizes.blocks * sizes.channels)?,
            log_gain: room(device, 1)?,
            log_det: room(device, count)?,
            likelihoods: room(device, count)?,
            slopes: floats(count)?,
            loss: room(device, 1)?,
            slope_sum: floats(1)?,
        })
    }
}
