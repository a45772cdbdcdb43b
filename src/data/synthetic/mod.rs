//! The built-in sample data set: photographs of a machined bearing cover, good and defective, drawn entirely by code and
//! laid out like `MVTec` AD. This file plans and writes the set; the files beside it draw one picture each.

mod camera;
mod defects;
mod light;
mod marks;
mod mask;
mod part;
mod picture;
mod print;
mod scene;
pub(super) mod texture;
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
    /// 120 good pictures to train on, 20 good and 5 x 8 defective ones to test with, 320 x 320 pixels, seed 0: enough good
    /// ones that the dozen held out for calibration set a limit worth looking at.
    fn default() -> Self {
        Self {
            seed: 0,
            train: 120,
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
        let defective = Defect::ALL.into_iter().flat_map(|defect| {
            (0..settings.per_defect).map(move |index| Self::Defective { defect, index })
        });
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
    let entries =
        fs::read_dir(out).with_context(|| format!("reading the folder {}", out.display()))?;
    for entry in entries {
        let name = entry
            .with_context(|| format!("reading the folder {}", out.display()))?
            .file_name();
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
fn write_set(
    out: &Path,
    settings: &SampleSettings,
    on_progress: &(dyn Fn(usize) -> bool + Sync),
) -> Result<bool> {
    let draft = tempfile::Builder::new()
        .prefix(".flawscope-sample-")
        .tempdir_in(out)
        .with_context(|| format!("creating a folder in {}", out.display()))?;
    let category = draft.path().join(CATEGORY);
    create_folders(&category)?;
    let done = Mutex::new(0);
    let written = Shot::all(settings)
        .into_par_iter()
        .map(|shot| -> Result<bool> {
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
    fs::rename(&category, &final_name)
        .with_context(|| format!("moving the pictures to {}", final_name.display()))?;
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
        fs::create_dir_all(&folder)
            .with_context(|| format!("creating the folder {}", folder.display()))?;
    }
    Ok(())
}

fn write_shot(shot: Shot, category: &Path, settings: &SampleSettings) -> Result<()> {
    let picture = picture::draw(shot, settings);
    write::rgb_png(&category.join(shot.path()), &picture.rgb, settings.size)?;
    if let (Shot::Defective { defect, index }, Some(mask)) = (shot, &picture.mask) {
        let path = category.join(format!(
            "ground_truth/{}/{index:03}_mask.png",
            defect.name()
        ));
        write::mask_png(&path, mask, settings.size)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::picture::{Picture, draw};
    use super::*;

    /// Enough pictures to judge difficulty by, few enough to draw in seconds.
    const SMALL: SampleSettings = SampleSettings {
        seed: 5,
        train: 8,
        test_good: 8,
        per_defect: 2,
        size: 256,
    };

    /// All pictures of the small set, drawn once for the tests that look at them.
    static SET: LazyLock<Vec<(Shot, Picture)>> = LazyLock::new(|| {
        let shots = Shot::all(&SMALL).into_par_iter();
        shots.map(|shot| (shot, draw(shot, &SMALL))).collect()
    });

    fn files(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    const TINY: SampleSettings = SampleSettings {
        train: 2,
        test_good: 1,
        per_defect: 1,
        ..SMALL
    };

    #[test]
    fn the_set_is_laid_out_like_mvtec_with_a_mask_for_every_defective_picture() {
        let out = tempfile::tempdir().unwrap();
        let root = out.path().join("new/folder");
        let heard = AtomicUsize::new(0);
        let listen = |done| heard.swap(done, Ordering::SeqCst) + 1 == done;
        let summary = generate(&root, &TINY, &listen)
            .unwrap()
            .expect("not cancelled");
        assert_eq!(
            (summary.root.as_path(), summary.pictures),
            (root.as_path(), 8)
        );
        assert_eq!(heard.into_inner(), 8);
        assert_eq!(files(&root), [CATEGORY]);
        let category = root.join(CATEGORY);
        assert_eq!(files(&category.join("train/good")), ["000.png", "001.png"]);
        let kinds = [
            "dent",
            "good",
            "missing_piece",
            "print_shift",
            "scratch",
            "stain",
        ];
        assert_eq!(files(&category.join("test")), kinds);
        for kind in kinds.into_iter().filter(|&kind| kind != "good") {
            assert_eq!(files(&category.join("test").join(kind)), ["000.png"]);
            assert_eq!(
                files(&category.join("ground_truth").join(kind)),
                ["000_mask.png"]
            );
        }
    }

    #[test]
    fn files_depend_on_the_seed_alone_and_not_on_the_number_of_threads() {
        let out = tempfile::tempdir().unwrap();
        let few = SampleSettings { train: 1, ..TINY };
        let bytes = |name: &str, threads, seed| {
            let root = out.path().join(name);
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| generate(&root, &SampleSettings { seed, ..few }, &|_| true))
                .unwrap();
            let read = |path: &str| fs::read(root.join(CATEGORY).join(path)).unwrap();
            [
                read("train/good/000.png"),
                read("test/scratch/000.png"),
                read("ground_truth/scratch/000_mask.png"),
            ]
        };
        let once = bytes("once", 1, 5);
        assert_eq!(once, bytes("again", 3, 5));
        assert!(once.iter().zip(bytes("other", 3, 6)).all(|(a, b)| *a != b));
    }

    #[test]
    fn a_folder_that_holds_something_is_refused_and_left_alone() {
        let out = tempfile::tempdir().unwrap();
        fs::write(out.path().join("notes.txt"), "mine").unwrap();
        let refusal = generate(out.path(), &TINY, &|_| true)
            .unwrap_err()
            .to_string();
        assert!(
            refusal.contains("not empty") && refusal.contains("notes.txt"),
            "{refusal}"
        );
        assert_eq!(files(out.path()), ["notes.txt"]);
        let refusal = generate(&out.path().join("notes.txt"), &TINY, &|_| true)
            .unwrap_err()
            .to_string();
        assert!(refusal.contains("is a file"), "{refusal}");
    }

    #[test]
    fn hidden_files_do_not_make_a_folder_occupied() {
        let out = tempfile::tempdir().unwrap();
        fs::write(out.path().join(".directory"), "").unwrap();
        assert!(refuse_occupied(out.path()).is_ok());
    }

    #[test]
    fn a_cancelled_run_says_so_and_leaves_nothing_behind() {
        let out = tempfile::tempdir().unwrap();
        let root = out.path().join("sample");
        assert_eq!(generate(&root, &TINY, &|_| false).unwrap(), None);
        assert!(!root.exists());
        assert_eq!(generate(out.path(), &TINY, &|done| done < 2).unwrap(), None);
        assert!(files(out.path()).is_empty());
    }

    #[test]
    fn settings_out_of_range_are_refused_before_anything_is_written() {
        let out = tempfile::tempdir().unwrap();
        let root = out.path().join("sample");
        for settings in [
            SampleSettings { size: 128, ..TINY },
            SampleSettings { size: 1024, ..TINY },
            SampleSettings { train: 0, ..TINY },
            SampleSettings {
                per_defect: 0,
                ..TINY
            },
        ] {
            assert!(generate(&root, &settings, &|_| true).is_err());
            assert!(!root.exists());
        }
    }

    #[test]
    fn the_other_counts_follow_the_number_of_training_pictures() {
        assert_eq!(SampleSettings::with_count(120), SampleSettings::default());
        let half = SampleSettings::with_count(60);
        assert_eq!((half.train, half.test_good, half.per_defect), (60, 10, 4));
        let few = SampleSettings::with_count(4);
        assert_eq!((few.train, few.test_good, few.per_defect), (4, 3, 3));
        assert_eq!(SampleSettings::default().pictures(), 180);
    }

    #[test]
    fn every_defect_is_marked_and_lies_on_the_part() {
        for (shot, picture) in SET.iter() {
            let Some(mask) = &picture.mask else { continue };
            let marked: Vec<usize> = (0..mask.len()).filter(|&index| mask[index]).collect();
            assert!(
                (40..6000).contains(&marked.len()),
                "{shot:?} marks {} pixels",
                marked.len()
            );
            for index in marked {
                let across = [index % 256, index / 256].map(|i| i as f32 / 128.0 - 1.0);
                // The part's radius is 0.8 half frames; a missing chip also changes the shadow beside it.
                assert!(texture::length(across) < 0.95, "{shot:?} marks {across:?}");
            }
        }
    }

    #[test]
    fn comparing_pixels_with_the_mean_good_picture_does_not_find_the_defects() {
        let pixels = 3 * SMALL.size * SMALL.size;
        let mut mean = vec![0.0f32; pixels];
        for (_, picture) in SET
            .iter()
            .filter(|(shot, _)| matches!(shot, Shot::Train { .. }))
        {
            for (sum, &value) in mean.iter_mut().zip(&picture.rgb) {
                *sum += f32::from(value) / SMALL.train as f32;
            }
        }
        let (mut by_picture, mut by_pixel) = (Vec::new(), Vec::new());
        for (shot, picture) in SET
            .iter()
            .filter(|(shot, _)| !matches!(shot, Shot::Train { .. }))
        {
            let map = smoothed(&difference(&picture.rgb, &mean), SMALL.size);
            by_picture.push((
                map.iter().copied().fold(0.0, f32::max),
                matches!(shot, Shot::Defective { .. }),
            ));
            let defective = |index: usize| picture.mask.as_ref().is_some_and(|mask| mask[index]);
            by_pixel.extend(
                map.iter()
                    .enumerate()
                    .step_by(3)
                    .map(|(index, &score)| (score, defective(index))),
            );
        }
        let (image_auroc, pixel_auroc) = (auroc(by_picture), auroc(by_pixel));
        assert!(image_auroc < 0.8, "image AUROC {image_auroc}");
        assert!(pixel_auroc < 0.93, "pixel AUROC {pixel_auroc}");
    }

    /// Mean absolute difference over the channels of each pixel.
    fn difference(rgb: &[u8], mean: &[f32]) -> Vec<f32> {
        let pairs = rgb.chunks_exact(3).zip(mean.chunks_exact(3));
        pairs
            .map(|(a, b)| {
                a.iter()
                    .zip(b)
                    .map(|(&a, b)| (f32::from(a) - b).abs())
                    .sum::<f32>()
                    / 3.0
            })
            .collect()
    }

    /// Mean over 5 x 5 pixels, the border left as it is.
    fn smoothed(map: &[f32], size: usize) -> Vec<f32> {
        let mut smooth = map.to_vec();
        for y in 2..size - 2 {
            for x in 2..size - 2 {
                let rows = (y - 2)..=(y + 2);
                let sum: f32 = rows
                    .map(|row| {
                        map[row * size + x - 2..=row * size + x + 2]
                            .iter()
                            .sum::<f32>()
                    })
                    .sum();
                smooth[y * size + x] = sum / 25.0;
            }
        }
        smooth
    }

    /// Probability that a positive scores higher than a negative (Mann and Whitney 1947).
    fn auroc(mut scored: Vec<(f32, bool)>) -> f64 {
        scored.sort_by(|a, b| a.0.total_cmp(&b.0));
        let positives = scored.iter().filter(|(_, positive)| *positive).count() as f64;
        let ranks: usize = scored
            .iter()
            .enumerate()
            .filter(|(_, (_, positive))| *positive)
            .map(|(i, _)| i + 1)
            .sum();
        (ranks as f64 - positives * (positives + 1.0) / 2.0)
            / (positives * (scored.len() as f64 - positives))
    }
}
