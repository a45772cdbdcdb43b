//! The built-in sample data set: photographs of a machined bearing cover, good and defective, drawn entirely by code and
//! laid out like MVTec AD. This file plans and writes the set; the files beside it draw one picture each.

mod camera;
mod defects;
mod light;
mod marks;
mod mask;
mod part;
mod picture;
mod print;
mod scene;
mod texture;
mod write;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use rayon::prelude::*;

use defects::Defect;

/// The one category of the sample data set, and the name of its folder.
pub const CATEGORY: &str = "bearing_cover";

/// How the sample data set is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleSettings {
    /// Decides every picture; the same seed gives the same files on the same machine.
    pub seed: u64,
    /// Good pictures to train on.
    pub train: usize,
    /// Good pictures to test with.
    pub test_good: usize,
    /// Defective pictures of each kind, from barely visible (the first) to plain (the last).
    pub per_defect: usize,
    /// Side of the square pictures in pixels, 256 to 512.
    pub size: usize,
}

impl Default for SampleSettings {
    /// 60 good pictures to train on, 20 good and 5 x 8 defective ones to test with, 320 x 320 pixels, seed 0.
    fn default() -> Self {
        Self {
            seed: 0,
            train: 60,
            test_good: 20,
            per_defect: 8,
            size: 320,
        }
    }
}

impl SampleSettings {
    /// The default set with `count` training pictures and as many test pictures as keep the proportions.
    #[must_use]
    pub fn with_count(count: usize) -> Self {
        let default = Self::default();
        let scaled = |part: usize, least: usize| (part * count).div_ceil(default.train).max(least);
        Self {
            train: count,
            test_good: scaled(default.test_good, 3),
            per_defect: scaled(default.per_defect, 3),
            ..default
        }
    }

    /// How many pictures the set has, masks not counted.
    pub fn pictures(&self) -> usize {
        self.train + self.test_good + self.per_defect * Defect::ALL.len()
    }

    fn check(&self) -> Result<()> {
        ensure!(
            (256..=512).contains(&self.size),
            "sample pictures are 256 to 512 pixels wide, not {}",
            self.size
        );
        ensure!(
            self.train > 0 && self.test_good > 0 && self.per_defect > 0,
            "the sample data set needs at least one picture of every sort: train {}, good test {}, per defect {}",
            self.train,
            self.test_good,
            self.per_defect
        );
        Ok(())
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleSummary {
    /// The data set's folder: the one to open.
    pub root: PathBuf,
    /// Pictures written, masks not counted.
    pub pictures: usize,
}

/// Which picture of the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shot {
    Train { index: usize },
    TestGood { index: usize },
    Defective { defect: Defect, index: usize },
}

impl Shot {
    fn all(settings: &SampleSettings) -> Vec<Self> {
        let train = (0..settings.train).map(|index| Self::Train { index });
        let good = (0..settings.test_good).map(|index| Self::TestGood { index });
        let defective = Defect::ALL
            .into_iter()
            .flat_map(|defect| (0..settings.per_defect).map(move |index| Self::Defective { defect, index }));
        train.chain(good).chain(defective).collect()
    }

    /// Path of the picture inside the category's folder.
    fn path(self) -> PathBuf {
        match self {
            Self::Train { index } => format!("train/good/{index:03}.png"),
            Self::TestGood { index } => format!("test/good/{index:03}.png"),
            Self::Defective { defect, index } => format!("test/{}/{index:03}.png", defect.name()),
        }
        .into()
    }
}

/// Draws the sample data set into `out`, on all cores.
///
/// `on_progress` hears how many pictures are done and says whether to go on; `None` means that it said no. The pictures
/// appear under their final name only once all of them are written, so a set cut short is never taken for a whole one.
///
/// # Errors
/// When `out` is a file or already holds something, the settings are out of range, or a file cannot be written.
pub fn generate(
    out: &Path,
    settings: &SampleSettings,
    on_progress: &(dyn Fn(usize) -> bool + Sync),
) -> Result<Option<SampleSummary>> {
    settings.check()?;
    let is_new = !out.exists();
    refuse_occupied(out)?;
    fs::create_dir_all(out).with_context(|| format!("creating the folder {}", out.display()))?;
    let finished = write_set(out, settings, on_progress);
    if is_new && !matches!(finished, Ok(true)) {
        // Leaves no empty folder behind; whether that works changes nothing about the outcome.
        let _ = fs::remove_dir(out);
    }
    Ok(finished?.then(|| SampleSummary {
        root: out.to_path_buf(),
        pictures: settings.pictures(),
    }))
}

/// Hidden files do not count: file managers leave them behind, and so does a run that was killed.
fn refuse_occupied(out: &Path) -> Result<()> {
    if !out.exists() {
        return Ok(());
    }
    ensure!(
        out.is_dir(),
        "{} is a file; the sample data set needs a folder",
        out.display()
    );
    let entries = fs::read_dir(out).with_context(|| format!("reading the folder {}", out.display()))?;
    for entry in entries {
        let name = entry.with_context(|| format!("reading the folder {}", out.display()))?.file_name();
        if !name.to_string_lossy().starts_with('.') {
            bail!(
                "{} is not empty (it holds {}); choose a new or an empty folder for the sample data set",
                out.display(),
                name.to_string_lossy()
            );
        }
    }
    Ok(())
}

/// Whether all pictures were written; `false` when `on_progress` said stop.
fn write_set(out: &Path, settings: &SampleSettings, on_progress: &(dyn Fn(usize) -> bool + Sync)) -> Result<bool> {
    let draft = tempfile::Builder::new()
        .prefix(".flawscope-sample-")
        .tempdir_in(out)
        .with_context(|| format!("creating a folder in {}", out.display()))?;
    let category = draft.path().join(CATEGORY);
    create_folders(&category)?;
    let done = Mutex::new(0);
    let written = Shot::all(settings).into_par_iter().map(|shot| -> Result<bool> {
        write_shot(shot, &category, settings)?;
        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
        *done += 1;
        Ok(on_progress(*done))
    });
    // Ends early at the first error or at the first "stop".
    let stopped = written.find_map_any(|result| match result {
        Ok(true) => None,
        Ok(false) => Some(Ok(())),
        Err(error) => Some(Err(error)),
    });
    if let Some(reason) = stopped {
        return reason.map(|()| false);
    }
    let final_name = out.join(CATEGORY);
    fs::rename(&category, &final_name).with_context(|| format!("moving the pictures to {}", final_name.display()))?;
    Ok(true)
}

fn create_folders(category: &Path) -> Result<()> {
    let defects = Defect::ALL.into_iter().flat_map(|defect| {
        [
            format!("test/{}", defect.name()),
            format!("ground_truth/{}", defect.name()),
        ]
    });
    let good = ["train/good", "test/good"].map(String::from);
    for folder in good.into_iter().chain(defects) {
        let folder = category.join(folder);
        fs::create_dir_all(&folder).with_context(|| format!("creating the folder {}", folder.display()))?;
    }
    Ok(())
}

fn write_shot(shot: Shot, category: &Path, settings: &SampleSettings) -> Result<()> {
    let picture = picture::draw(shot, settings);
    write::rgb_png(&category.join(shot.path()), &picture.rgb, settings.size)?;
    if let (Shot::Defective { defect, index }, Some(mask)) = (shot, &picture.mask) {
        let path = category.join(format!("ground_truth/{}/{index:03}_mask.png", defect.name()));
        write::mask_png(&path, mask, settings.size)?;
    }
    Ok(())
}
