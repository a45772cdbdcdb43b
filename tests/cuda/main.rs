//! Everything that runs on a GPU against the same on the CPU. Needs no files: inputs and weights are made by formulas.
//!
//! Skipped with a line where there is no GPU; with `FLAWSCOPE_REQUIRE_CUDA=1` that is a failure.
#![cfg(feature = "cuda")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(
    clippy::print_stderr,
    reason = "what was skipped or measured is told there"
)]

mod models;
mod operations;
mod speed;
mod support;
mod trained;
