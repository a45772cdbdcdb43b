//! Operations candle lacks or does slowly. One file each: plain reference, quick path, and the test that they agree.

mod principal;
mod pruned;
mod simd;
mod values;

pub mod conv;
pub mod gaussian;
pub mod kmeans;
pub mod nearest;
pub mod pool;
pub mod resample;
