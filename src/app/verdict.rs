//! A verdict held against what is known about the picture, under the name the window knows it by.

pub use crate::metrics::Outcome;
