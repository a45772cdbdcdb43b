//! Which arrangement of folders a data set has. Each layout lives in a file of its own behind [`Layout`].

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::Dataset;

/// The arrangements the program understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayoutKind {
    /// `CATEGORY/{train/good,test/DEFECT,ground_truth/DEFECT}`, or one such category folder.
    Mvtec,
    /// The user's own folders: one of good pictures, optional ones of bad pictures.
    Folder,
}

/// What the pictures of one folder are used for in the plain folder layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Good,
    GoodTest,
    Defective,
    Masks,
    Ignored,
}

/// Corrections of what was detected. The default corrects nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOptions {
    /// `None`: detect it.
    pub layout: Option<LayoutKind>,
    /// Folder layout: role by folder path relative to the root (`.` is the root itself).
    pub roles: BTreeMap<String, Role>,
}

/// One arrangement of folders.
pub trait Layout {
    fn kind(&self) -> LayoutKind;
    /// Whether the folder looks like this layout; cheap, reads names only.
    fn recognises(&self, root: &Path) -> bool;
    /// Lists the data set. Errors name the path, what was expected and what was found.
    fn read(&self, root: &Path, options: &OpenOptions) -> Result<Dataset>;
}
