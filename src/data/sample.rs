//! What a data set is made of: paths and labels. No pixels are held here.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::image::{Mask, Orientation, Size, load_mask};
use super::layout::{FolderRole, LayoutKind};

/// What is known about a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    Good,
    Defective,
    /// Nobody has judged it yet: it is scored and shown, and never trained on nor counted.
    Unlabelled,
}

/// One picture of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Path relative to the category's folder with `/` separators, unique within the category, e.g. `test/crack/003.png`.
    pub id: String,
    pub image: PathBuf,
    /// Mask files whose union marks the defect; empty for good and unlabelled pictures and where no mask exists.
    pub masks: Vec<PathBuf>,
    pub label: Label,
    /// `good`, `unlabelled`, or the name of the defect type (its folder).
    pub defect: String,
    /// Whether the camera's note about how it was held turns the picture. Whoever decodes the picture asks here, so that
    /// training, scoring and display agree.
    pub orientation: Orientation,
}

impl Sample {
    /// The truth about each pixel of this picture of size `picture`: nothing is marked on a good one; `None` when it is
    /// unlabelled, or defective and nobody drew where.
    pub fn mask(&self, picture: Size) -> Result<Option<Mask>> {
        match self.label {
            Label::Good => Ok(Some(Mask::unmarked(picture))),
            Label::Defective if self.masks.is_empty() => Ok(None),
            Label::Defective => load_mask(&self.masks, picture).map(Some),
            Label::Unlabelled => Ok(None),
        }
    }
}

/// One product: the pictures a model is trained on and those it is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    pub name: String,
    /// Good pictures only, sorted bytewise by id.
    pub train: Vec<Sample>,
    /// Good, defective and unlabelled pictures, sorted bytewise by id.
    pub test: Vec<Sample>,
}

impl Category {
    /// All pictures, training pictures first.
    pub fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.train.iter().chain(&self.test)
    }

    /// The test pictures that measure a model: those known to be good or defective.
    pub fn judged(&self) -> impl Iterator<Item = &Sample> {
        self.test.iter().filter(|s| s.label != Label::Unlabelled)
    }

    /// The test pictures that are only scored.
    pub fn unlabelled(&self) -> impl Iterator<Item = &Sample> {
        self.test.iter().filter(|s| s.label == Label::Unlabelled)
    }

    pub(super) fn sort(&mut self) {
        for samples in [&mut self.train, &mut self.test] {
            samples.sort_by(|a, b| a.id.cmp(&b.id));
        }
    }
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

impl Finding {
    pub(super) fn new(severity: Severity, path: &Path, text: impl Into<String>) -> Self {
        Self {
            severity,
            path: path.to_owned(),
            text: text.into(),
        }
    }
}

/// A folder that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    pub root: PathBuf,
    pub layout: LayoutKind,
    /// Sorted bytewise by name; never empty.
    pub categories: Vec<Category>,
    /// What each folder of pictures is used for, to be shown and corrected; empty where the layout leaves no choice.
    pub folders: Vec<FolderRole>,
    pub findings: Vec<Finding>,
}

impl Dataset {
    /// The category of this name, or the only one. The error lists the names there are.
    pub fn category(&self, name: Option<&str>) -> Result<&Category> {
        let names = || {
            self.categories
                .iter()
                .map(|c| c.name.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        match (name, self.categories.as_slice()) {
            (None, [only]) => Ok(only),
            (None, _) => bail!(
                "{}: which category is meant? There are {}",
                self.root.display(),
                names()
            ),
            (Some(name), all) => all
                .iter()
                .find(|category| category.name == name)
                .with_context(|| {
                    format!(
                        "{}: no category is called `{name}`; there are {}",
                        self.root.display(),
                        names()
                    )
                }),
        }
    }

    /// How many pictures there are in all categories.
    pub fn pictures(&self) -> usize {
        self.categories
            .iter()
            .map(|category| category.samples().count())
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{Category, Dataset, Label, Sample, Size};
    use crate::data::LayoutKind;
    use crate::data::image::{Orientation, testing};

    fn dataset(names: &[&str]) -> Dataset {
        let category = |name: &&str| Category {
            name: (*name).to_owned(),
            train: vec![],
            test: vec![],
        };
        Dataset {
            root: "/parts".into(),
            layout: LayoutKind::Mvtec,
            categories: names.iter().map(category).collect(),
            folders: vec![],
            findings: vec![],
        }
    }

    #[test]
    fn a_category_is_found_by_name_and_a_wrong_name_lists_the_right_ones() {
        let two = dataset(&["bolt", "nut"]);
        assert_eq!(two.category(Some("nut")).expect("nut").name, "nut");
        let unknown = two.category(Some("cap")).expect_err("no cap").to_string();
        assert_eq!(
            unknown,
            "/parts: no category is called `cap`; there are bolt, nut"
        );
        let unnamed = two.category(None).expect_err("two").to_string();
        assert_eq!(
            unnamed,
            "/parts: which category is meant? There are bolt, nut"
        );
        assert_eq!(
            dataset(&["bolt"])
                .category(None)
                .expect("the only one")
                .name,
            "bolt"
        );
    }

    #[test]
    fn the_truth_about_pixels_is_unknown_for_defects_without_a_mask_and_unlabelled_pictures() {
        let folder = tempfile::tempdir().expect("a folder");
        let mask = folder.path().join("m.png");
        testing::write_mask(&mask, 4, 4, [1, 1, 2, 2]);
        let size = Size {
            width: 4,
            height: 4,
        };
        let sample = |label, masks| Sample {
            id: "a".into(),
            image: "a".into(),
            masks,
            label,
            defect: "x".into(),
            orientation: Orientation::Ignore,
        };
        let marks = |sample: Sample| {
            sample
                .mask(size)
                .expect("readable")
                .map(|mask| mask.marks_something())
        };
        assert_eq!(marks(sample(Label::Good, vec![])), Some(false));
        assert_eq!(marks(sample(Label::Defective, vec![])), None);
        assert_eq!(marks(sample(Label::Unlabelled, vec![])), None);
        assert_eq!(marks(sample(Label::Unlabelled, vec![mask.clone()])), None);
        assert_eq!(marks(sample(Label::Defective, vec![mask])), Some(true));
        assert!(
            sample(Label::Defective, vec!["/none.png".into()])
                .mask(size)
                .is_err()
        );
    }
}
