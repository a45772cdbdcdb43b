//! From folders to pictures: which files there are, what they show, and how their pixels reach a network and back.

mod fingerprint;
mod layout;
mod listing;
mod masks;
mod names;
mod rotations;
mod sample;
mod seen;
mod split;

pub mod augment;
pub mod batch;
pub mod check;
pub mod folder;
pub mod image;
pub mod mvtec;
pub mod prefetch;
pub mod synthetic;

pub use fingerprint::fingerprint;
pub use folder::folder_roles;
pub use layout::{FolderRole, Layout, LayoutKind, OpenOptions, Role, detect, open};
pub use rotations::Rotations;
pub use sample::{Category, Dataset, Finding, Label, Sample, Severity};
pub use seen::draw_seen;
pub use split::{MIN_CALIBRATION, MIN_TRAIN, TrainSplit, split_calibration};
