//! Which arrangement of folders a data set has. Each layout lives in a file of its own behind [`Layout`].

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::folder::Folder;
use super::listing::{self, Listing};
use super::mvtec::Mvtec;
use super::sample::Dataset;

/// The arrangements the program understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayoutKind {
    /// `CATEGORY/{train/good,test/DEFECT,ground_truth/DEFECT}`, or one such category folder.
    Mvtec,
    /// The user's own folders: one of good pictures, optional ones of bad pictures.
    Folder,
}

impl LayoutKind {
    /// In the order they are tried: the most particular first.
    pub const ALL: [Self; 2] = [Self::Mvtec, Self::Folder];

    /// As it is shown to people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mvtec => "MVTec AD",
            Self::Folder => "Plain folders",
        }
    }

    fn reader(self) -> &'static dyn Layout {
        match self {
            Self::Mvtec => &Mvtec,
            Self::Folder => &Folder,
        }
    }
}

/// What the pictures of one folder are used for in the plain folder layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Good,
    GoodTest,
    Defective,
    /// Scored and shown, never trained on nor counted.
    Unlabelled,
    Masks,
    Ignored,
}

impl Role {
    pub const ALL: [Self; 6] = [
        Self::Good,
        Self::GoodTest,
        Self::Defective,
        Self::Unlabelled,
        Self::Masks,
        Self::Ignored,
    ];

    /// As it is shown to people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "Good, for training",
            Self::GoodTest => "Good, for testing",
            Self::Defective => "Defective",
            Self::Unlabelled => "Unlabelled, only scored",
            Self::Masks => "Masks",
            Self::Ignored => "Not used",
        }
    }
}

/// A folder with pictures directly in it and what they are used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderRole {
    /// Relative to the root with `/` separators (`.` is the root itself): the key in [`OpenOptions::roles`].
    pub path: String,
    pub role: Role,
    pub pictures: usize,
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

/// Finds out which layout a folder has. The error says what was expected and what was found.
pub fn detect(root: &Path) -> Result<LayoutKind> {
    let listing = Listing::of(root)?;
    let found = LayoutKind::ALL
        .into_iter()
        .find(|kind| kind.reader().recognises(root));
    found.with_context(|| {
        let inside = match (listing.folders.len(), listing.others.len()) {
            (0, 0) => "an empty folder".to_owned(),
            (folders, files) => format!(
                "{} and {} without any",
                listing::counted(folders, "folder", "folders"),
                listing::counted(files, "file", "files")
            ),
        };
        format!(
            "{}: expected pictures (PNG, JPEG, BMP, TIFF or WebP), found {inside}",
            root.display()
        )
    })
}

/// Lists the data set in a folder, with the layout detected unless the options name one.
pub fn open(root: &Path, options: &OpenOptions) -> Result<Dataset> {
    let detected = detect(root)?;
    let kind = options.layout.unwrap_or(detected);
    kind.reader().read(root, options)
}

#[cfg(test)]
mod tests {
    use super::{LayoutKind, OpenOptions, Role, detect, open};
    use crate::data::image::testing::write;

    #[test]
    fn a_folder_without_pictures_is_refused_with_what_was_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = |path: &std::path::Path| detect(path).expect_err("no pictures").to_string();
        assert!(text(folder.path()).ends_with("found an empty folder"));
        write(&folder.path().join("notes/readme.txt"), b"");
        assert!(text(folder.path()).ends_with("found 1 folder and 0 files without any"));
        let missing = folder.path().join("none");
        assert!(
            open(&missing, &OpenOptions::default())
                .expect_err("missing")
                .to_string()
                .contains("found nothing there")
        );
    }

    #[test]
    fn layouts_are_told_apart_and_the_user_may_overrule() {
        let folder = tempfile::tempdir().expect("a folder");
        for file in ["train/good/0.png", "test/good/0.png", "test/bent/0.png"] {
            write(&folder.path().join(file), b"");
        }
        assert_eq!(detect(folder.path()).expect("a layout"), LayoutKind::Mvtec);
        assert_eq!(
            detect(&folder.path().join("test")).expect("a layout"),
            LayoutKind::Folder
        );
        let options = OpenOptions {
            layout: Some(LayoutKind::Folder),
            ..OpenOptions::default()
        };
        let dataset = open(folder.path(), &options).expect("a data set");
        assert_eq!(
            (dataset.layout, dataset.folders.len()),
            (LayoutKind::Folder, 3)
        );
    }

    #[test]
    fn layouts_and_corrections_are_saved_by_name() {
        let options: OpenOptions = serde_json::from_str(
            r#"{"layout":"mvtec","roles":{"a":"good-test","b":"unlabelled"}}"#,
        )
        .expect("options");
        assert_eq!(options.layout, Some(LayoutKind::Mvtec));
        assert_eq!(options.roles["b"], Role::Unlabelled);
    }
}
