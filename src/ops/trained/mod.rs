//! Operations of networks that are trained from scratch, with their gradients: convolution, batch norm, upsampling.
//!
//! On the CPU in `f32` own kernels run; elsewhere compositions of candle's differentiable operations, which are also the
//! plain reference the kernels are tested against. Results do not depend on the number of threads.

mod conv;
mod norm;
mod per_channel;
mod upsample;
mod weight_gradient;

#[cfg(test)]
mod compare;
#[cfg(test)]
mod speed;

use candle_core::{DType, Tensor};

pub use conv::{Window, conv2d};
pub use norm::{AfterNorm, BatchStatistics, batch_norm};
pub use upsample::upsample;

/// Whether the kernels can take this tensor.
fn has_kernels(tensor: &Tensor) -> bool {
    tensor.device().is_cpu() && tensor.dtype() == DType::F32
}
