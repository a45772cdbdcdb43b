//! From folders to pictures: which files there are, what they show, and how their pixels reach a network and back.

mod layout;
mod sample;
mod split;

pub mod batch;
pub mod check;
pub mod folder;
pub mod image;
pub mod mvtec;
pub mod synthetic;

pub use layout::{Layout, LayoutKind, OpenOptions, Role};
pub use sample::{Category, Dataset, Finding, FolderRole, Label, Sample, Severity};
pub use split::TrainSplit;
