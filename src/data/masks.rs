//! Finds the mask files of a picture by its own name, never by position in a list.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::listing::{Listing, name, stem};
use super::sample::{Finding, Sample, Severity};

/// What may follow the picture's name in the mask's, in order of preference.
const SUFFIXES: [&str; 5] = ["_mask", "", "_GT", "_gt", "_label"];

/// The masks of one folder, by name without extension.
#[derive(Debug, Default)]
pub(super) struct MaskIndex {
    /// Files that belong together: one picture file, or all pictures of a folder with that name (one per region).
    by_stem: BTreeMap<String, Vec<PathBuf>>,
    used: BTreeSet<String>,
}

impl MaskIndex {
    pub(super) fn of(folder: &Path) -> Result<Self> {
        let listing = Listing::of(folder)?;
        let mut index = Self::of_files(listing.pictures);
        for folder in listing.folders {
            let regions = Listing::of(&folder)?.pictures;
            if !regions.is_empty() {
                index.by_stem.entry(name(&folder)).or_insert(regions);
            }
        }
        Ok(index)
    }

    pub(super) fn of_files(files: Vec<PathBuf>) -> Self {
        let mut index = Self::default();
        for file in files {
            // The first extension wins: one mask, saved twice.
            index
                .by_stem
                .entry(stem(&file))
                .or_insert_with(|| vec![file]);
        }
        index
    }

    /// The masks of a picture; empty when there are none.
    pub(super) fn take(&mut self, picture: &Path) -> Vec<PathBuf> {
        let stem = stem(picture);
        let candidates = SUFFIXES.iter().map(|suffix| format!("{stem}{suffix}"));
        for candidate in candidates {
            if let Some(files) = self.by_stem.get(&candidate) {
                self.used.insert(candidate);
                return files.clone();
            }
        }
        Vec::new()
    }

    /// One warning for each mask that no picture asked for.
    pub(super) fn unclaimed(&self) -> impl Iterator<Item = Finding> {
        let left = self
            .by_stem
            .iter()
            .filter(|(stem, _)| !self.used.contains(*stem));
        left.filter_map(|(_, files)| files.first()).map(|file| {
            Finding::new(
                Severity::Warning,
                file,
                "a mask without a picture: it is not used",
            )
        })
    }
}

/// Warnings about the pictures of one defect folder that have no mask: one for the folder when none has.
pub(super) fn missing(folder: &Path, samples: &[Sample]) -> Vec<Finding> {
    let bare: Vec<&Sample> = samples
        .iter()
        .filter(|sample| sample.masks.is_empty())
        .collect();
    if bare.len() == samples.len() && samples.len() > 1 {
        let text = format!(
            "no masks for its {} pictures: they count for image-level numbers only",
            samples.len()
        );
        return vec![Finding::new(Severity::Warning, folder, text)];
    }
    let text = "no mask: it counts for image-level numbers only";
    bare.iter()
        .map(|sample| Finding::new(Severity::Warning, &sample.image, text))
        .collect()
}

/// Whether this file is the mask of a picture that lies beside it, such as `0_GT.png` of `0.png`.
pub(super) fn is_beside_its_picture(file: &Path, stems: &BTreeSet<String>) -> bool {
    let own = stem(file);
    let suffixes = SUFFIXES.iter().filter(|suffix| !suffix.is_empty());
    suffixes
        .filter_map(|suffix| own.strip_suffix(suffix))
        .any(|picture| stems.contains(picture))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::MaskIndex;
    use crate::data::image::testing::write;
    use crate::data::listing::name;

    fn index(files: &[&str]) -> (tempfile::TempDir, MaskIndex) {
        let folder = tempfile::tempdir().expect("a folder");
        for file in files {
            write(&folder.path().join(file), b"");
        }
        let index = MaskIndex::of(folder.path()).expect("an index");
        (folder, index)
    }

    fn names(index: &mut MaskIndex, picture: &str) -> Vec<String> {
        index
            .take(Path::new(picture))
            .iter()
            .map(|path| name(path))
            .collect()
    }

    #[test]
    fn masks_are_found_by_name_in_the_order_of_preference() {
        let (_folder, mut index) = index(&[
            "0_mask.png",
            "0.png",
            "1.bmp",
            "2_GT.png",
            "2_gt.png",
            "3_label.tif",
            "10.png",
        ]);
        assert_eq!(names(&mut index, "test/0.jpg"), ["0_mask.png"]);
        assert_eq!(names(&mut index, "test/1.jpg"), ["1.bmp"]);
        assert_eq!(names(&mut index, "test/2.jpg"), ["2_GT.png"]);
        assert_eq!(names(&mut index, "test/3.jpg"), ["3_label.tif"]);
        assert!(names(&mut index, "test/4.jpg").is_empty());
        let left: Vec<String> = index
            .unclaimed()
            .map(|finding| name(&finding.path))
            .collect();
        assert_eq!(left, ["0.png", "10.png", "2_gt.png"]);
    }

    #[test]
    fn a_folder_of_regions_is_one_mask_of_several_files() {
        let (_folder, mut index) = index(&["007/000.png", "007/001.png"]);
        assert_eq!(names(&mut index, "test/007.png"), ["000.png", "001.png"]);
        assert_eq!(index.unclaimed().count(), 0);
    }
}
