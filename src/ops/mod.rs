//! Operations candle lacks or does slowly. One file each: plain reference, quick path, and the test that they agree.

pub mod conv;
pub mod pool;
