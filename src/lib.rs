//! Flawscope finds defects in product pictures. It learns what good parts look like, draws an anomaly map over every
//! picture, and lets a quality engineer set the limit between accept and reject and defend it with numbers.
//!
//! # Architecture
//!
//! A picture travels in one direction: [`data`] lists and decodes it, [`models`] score it, [`metrics`] judge the scores,
//! [`render`] colours them, [`store`] keeps them. [`pipeline`] strings these together into three blocking workflows
//! (train, evaluate, predict) and tells a [`progress::Monitor`] what happens. Two front ends listen: the [`cli`] on the
//! main thread, and the [`worker`] thread behind the window in [`app`].
//!
//! Invariants, checked by `tests/architecture.rs`:
//!
//! - A file imports only from a lower level: `cursor`, `score_map`, `ops` < `models`, `data`, `metrics`, `render` < `config`,
//!   `progress` < `store` < `pipeline`, `report` < `worker`, `cli` < `app` < `main`.
//! - Models take tensors and return tensors: no files, no threads, no loops over epochs.
//! - Metrics take slices and return numbers: they never see a tensor.
//! - Only `app` knows egui, only `cli` knows clap and prints, only `worker` starts threads (and `data::batch`).
//! - Only `models` and `metrics` use `ops`, and `pipeline::device`, which opens the GPU.
//! - Nothing tensor-like crosses from the worker to the window: events carry plain owned data.
//!
//! Deliberately absent: an async runtime, global state, a plugin registry, macros of our own (but for the one that starts
//! GPU kernels), a second config format, and callbacks inside models.

pub mod app;
pub mod cli;
pub mod config;
pub mod cursor;
pub mod data;
pub mod metrics;
pub mod models;
pub mod ops;
pub mod pipeline;
pub mod progress;
pub mod render;
pub mod report;
pub mod score_map;
pub mod store;
pub mod worker;
