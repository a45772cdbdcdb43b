//! Operations candle lacks or does slowly. One file each: plain reference, quick path, and the test that they agree.

mod principal;
mod pruned;

pub mod adam;
pub mod conv;
#[cfg(feature = "cuda")]
pub mod cuda;
pub mod elementary;
pub mod gaussian;
pub mod kmeans;
mod lanes;
pub mod matmul;
pub mod nearest;
pub mod pool;
pub mod resample;
pub(crate) mod simd;
mod tile;
pub mod trained;
pub(crate) mod values;
