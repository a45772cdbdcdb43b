//! The program's own notes about a category: which defects a model may learn from, and masks painted by hand. They lie in
//! a folder of their own, never in the user's data set.

mod manifest;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::atomic::{remove_leftovers, unwritable};
use super::hash::{hex, sha256_of_file};
use super::write_bytes;
use crate::data::Sample;
use crate::data::image::{Mask, Orientation, Size, read_mask, read_size};

pub use manifest::MANIFEST;

/// What is noted about one category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotations {
    folder: PathBuf,
    /// Ids of the pictures a model may learn from, in bytewise order. They are never tested on.
    pub seen: Vec<String>,
    masks: BTreeMap<String, PaintedMask>,
}

/// A mask painted in the window, and the picture it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaintedMask {
    /// Name of a PNG beside the manifest.
    file: String,
    width: usize,
    height: usize,
    /// Of the picture's file when the mask was painted.
    picture_sha256: String,
    /// How the picture was held then: the mask lies on the picture as it was shown.
    orientation: Orientation,
}

impl PaintedMask {
    fn size(&self) -> Size {
        Size {
            width: self.width,
            height: self.height,
        }
    }
}

impl Annotations {
    /// Reads the notes in `folder`; none when there is no manifest. A manifest that cannot be understood is an error that
    /// names it, and is left as it is.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self> {
        let folder = folder.into();
        let content = manifest::read(&folder)?;
        Ok(Self {
            folder,
            seen: content.seen,
            masks: content.masks,
        })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Ids of the pictures with a painted mask, in bytewise order.
    pub fn painted(&self) -> impl Iterator<Item = &str> {
        self.masks.keys().map(String::as_str)
    }

    /// Where the painted mask of a picture lies, whether or not it still belongs to the picture.
    pub fn mask_path(&self, id: &str) -> Option<PathBuf> {
        let painted = self.masks.get(id)?;
        Some(self.folder.join(&painted.file))
    }

    /// The painted mask of a picture. An error when it no longer belongs to the picture as it is now.
    pub fn mask_of(&self, sample: &Sample) -> Result<Option<PathBuf>> {
        let Some(painted) = self.masks.get(&sample.id) else {
            return Ok(None);
        };
        let path = self.folder.join(&painted.file);
        let story = || {
            format!(
                "the painted mask of {} cannot be used; open the picture in the window and paint it again or remove it",
                sample.image.display()
            )
        };
        check(painted, &path, sample).with_context(story)?;
        Ok(Some(path))
    }

    /// Puts painted masks in the place of the samples' own mask files.
    pub fn apply(&self, samples: &mut [Sample]) -> Result<()> {
        for sample in samples {
            if let Some(mask) = self.mask_of(sample)? {
                sample.masks = vec![mask];
            }
        }
        Ok(())
    }

    /// Keeps a mask of the picture's own size, as it is shown. Refuses one that marks nothing or everything.
    pub fn save_mask(&mut self, sample: &Sample, mask: &Mask) -> Result<()> {
        let story = || format!("saving the mask of {}", sample.image.display());
        let marked = mask.marked();
        ensure!(
            marked > 0,
            "the mask of {} marks nothing; mark the defect first",
            sample.id
        );
        ensure!(
            marked < mask.size().pixels(),
            "the mask of {} marks the whole picture; mark the defect only",
            sample.id
        );
        let picture = read_size(&sample.image, sample.orientation).with_context(story)?;
        ensure!(
            mask.size() == picture,
            "the mask is {} but {} is {picture}; open the picture again",
            mask.size(),
            sample.image.display()
        );
        let picture_sha256 = sha256_of_file(&sample.image).with_context(story)?;
        let png = mask.to_png().with_context(story)?;
        self.keep(sample, mask.size(), picture_sha256, &png)
    }

    /// The picture is written under a name of its own before the manifest names it, so that the old mask stays whole until
    /// the new one is.
    fn keep(&mut self, sample: &Sample, size: Size, hash: String, png: &[u8]) -> Result<()> {
        let painted = PaintedMask {
            file: manifest::file_name(&sample.id, png),
            width: size.width,
            height: size.height,
            picture_sha256: hash,
            orientation: sample.orientation,
        };
        self.make_folder()?;
        write_bytes(&self.folder.join(&painted.file), png)?;
        let mut masks = self.masks.clone();
        masks.insert(sample.id.clone(), painted);
        self.write(self.seen.clone(), masks)
    }

    /// Forgets the painted mask of a picture; its own mask files count again.
    pub fn remove_mask(&mut self, id: &str) -> Result<()> {
        let mut masks = self.masks.clone();
        if masks.remove(id).is_none() {
            return Ok(());
        }
        self.write(self.seen.clone(), masks)
    }

    /// Replaces the list of pictures a model may learn from.
    pub fn set_seen(&mut self, ids: impl IntoIterator<Item = String>) -> Result<()> {
        let mut seen: Vec<String> = ids.into_iter().collect();
        seen.sort_unstable();
        seen.dedup();
        if seen == self.seen {
            return Ok(());
        }
        self.make_folder()?;
        self.write(seen, self.masks.clone())
    }

    fn make_folder(&self) -> Result<()> {
        fs::create_dir_all(&self.folder).map_err(|error| unwritable(&self.folder, error))
    }

    /// Writes the manifest; only then does this value change and do masks go that nobody names any more.
    fn write(&mut self, seen: Vec<String>, masks: BTreeMap<String, PaintedMask>) -> Result<()> {
        manifest::write(&self.folder, &seen, &masks)?;
        let files = |masks: &BTreeMap<String, PaintedMask>| -> Vec<String> {
            masks.values().map(|mask| mask.file.clone()).collect()
        };
        let (before, after) = (files(&self.masks), files(&masks));
        (self.seen, self.masks) = (seen, masks);
        for file in before.iter().filter(|file| !after.contains(file)) {
            // A file that stays is read by nobody.
            let _ = fs::remove_file(self.folder.join(file));
        }
        remove_leftovers(&self.folder);
        Ok(())
    }
}

/// Whether the mask still lies on the picture it was painted on.
fn check(painted: &PaintedMask, path: &Path, sample: &Sample) -> Result<()> {
    let hash = sha256_of_file(&sample.image)
        .with_context(|| format!("reading {}", sample.image.display()))?;
    if hash != painted.picture_sha256 {
        bail!("the picture has changed since the mask was painted");
    }
    if sample.orientation != painted.orientation {
        bail!("the picture is no longer turned as it was when the mask was painted");
    }
    let mask = read_mask(path)?.size();
    let picture = read_size(&sample.image, sample.orientation)?;
    ensure!(
        mask == painted.size() && mask == picture,
        "{} is {mask} but the picture is {picture}",
        path.display()
    );
    Ok(())
}
