//! The workflows: draw the sample, train, evaluate, predict. Blocking; knows no front end.

mod bench;
mod calibrate;
mod defect_cells;
mod defects;
mod detector;
mod device;
mod encode;
mod epochs;
mod evaluate;
mod feature_cache;
mod judge;
mod keeper;
mod lessons;
mod predict;
mod preview;
mod sample;
#[cfg(test)]
mod tests;
mod train;
mod training_pictures;

pub use bench::{Bench, BenchRequest, Part, Timing, bench};
pub use detector::backbone_of;
pub use device::{Gpu, gpus};
pub use epochs::StepTimes;
pub use evaluate::{EvaluateRequest, SeenPolicy, evaluate};
pub use judge::{Judged, judge};
pub use predict::{PredictRequest, PredictedPicture, Prediction, predict};
pub use preview::{Augmentation, preview_augmentation};
pub use sample::draw_sample;
pub use train::{Trained, resume, train};
