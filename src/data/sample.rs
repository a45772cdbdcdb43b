//! What a data set is made of: paths and labels. No pixels are held here.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What is known about a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    Good,
    Defective,
}

/// One picture of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Path relative to the category's folder with `/` separators, unique within the category, e.g. `test/crack/003.png`.
    pub id: String,
    pub image: PathBuf,
    /// Mask files whose union marks the defect; empty for good pictures and where no mask exists.
    pub masks: Vec<PathBuf>,
    pub label: Label,
    /// `good`, or the name of the defect type (its folder).
    pub defect: String,
}

/// One product: the pictures a model is trained on and those it is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    pub name: String,
    /// Good pictures only, sorted bytewise by id.
    pub train: Vec<Sample>,
    /// Good and defective pictures, sorted bytewise by id.
    pub test: Vec<Sample>,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Note,
    Warning,
    Error,
}

/// Something the user should know about one file or folder of the data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    pub path: PathBuf,
    /// One sentence without a final full stop: what is wrong and what is done about it.
    pub text: String,
}

/// A folder that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    pub root: PathBuf,
    pub layout: super::LayoutKind,
    /// Sorted bytewise by name; never empty.
    pub categories: Vec<Category>,
    /// What the pictures of each folder are used for; empty unless the layout leaves that to the user.
    pub folders: Vec<FolderRole>,
    pub findings: Vec<Finding>,
}

/// One folder of the plain folder layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderRole {
    /// Relative to the root with `/` separators; `.` is the root itself.
    pub path: String,
    pub role: super::Role,
    /// How many pictures lie in it.
    pub pictures: usize,
}
