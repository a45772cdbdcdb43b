//! Looks at every picture before anything is trained on it: which cannot be read, which sizes there are, which masks do
//! not fit, which files are in both training and test. Changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context, Result};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use sha2::{Digest, Sha256};

use super::image::{self, Mask, PictureFormat, Size};
use super::sample::{Category, Dataset, Finding, Label, Sample, Severity};

/// Longer pictures lose so much when they are shrunk that small defects may vanish.
const LARGE_SIDE: usize = 2048;
/// Two aspects are the same when they differ by less than this share.
const ASPECT_SLACK: f64 = 0.02;

/// What looking at every picture showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    pub findings: Vec<Finding>,
    /// Pictures and masks that cannot be decoded.
    pub unreadable: BTreeSet<PathBuf>,
    /// Sizes of the readable pictures and how many have each, the most common first.
    pub sizes: Vec<(Size, usize)>,
    /// How many pictures were looked at.
    pub pictures: usize,
}

impl CheckReport {
    /// The samples whose pictures can be read. One with an unreadable mask loses all its masks: a part of the truth
    /// would be wrong.
    pub fn readable(&self, samples: &[Sample]) -> Vec<Sample> {
        let readable = samples
            .iter()
            .filter(|sample| !self.unreadable.contains(&sample.image));
        let mut readable: Vec<Sample> = readable.cloned().collect();
        for sample in &mut readable {
            if sample
                .masks
                .iter()
                .any(|mask| self.unreadable.contains(mask))
            {
                sample.masks.clear();
            }
        }
        readable
    }
}

/// Looks at every picture of a data set, on all cores. `on_progress` hears how many are done, from any
/// thread, and says whether to go on; `None` when it said no.
pub fn check_pictures(
    dataset: &Dataset,
    on_progress: &(dyn Fn(usize) -> bool + Sync),
) -> Option<CheckReport> {
    check(&dataset.categories, on_progress)
}

/// Like [`check_pictures`] for one category; its sizes are then those of one product.
pub fn check_category(
    category: &Category,
    on_progress: &(dyn Fn(usize) -> bool + Sync),
) -> Option<CheckReport> {
    check(std::slice::from_ref(category), on_progress)
}

/// The most common size of these pictures, from their headers alone: what a model's input size follows from. Of two
/// equally common sizes the larger counts. Unreadable pictures are passed over; the error is that of the first one when
/// none is readable.
pub fn common_size(samples: &[Sample]) -> Result<Size> {
    let sizes: Vec<Result<Size>> = samples
        .par_iter()
        .map(|s| image::read_size(&s.image, s.orientation))
        .collect();
    let mut first_error = None;
    let mut counts = BTreeMap::new();
    for size in sizes {
        match size {
            Ok(size) => *counts.entry(size).or_insert(0) += 1,
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    match (by_count(counts).first(), first_error) {
        (Some(&(size, _)), _) => Ok(size),
        (None, Some(error)) => Err(error),
        (None, None) => {
            Err(anyhow::anyhow!("there are no pictures")).context("finding the common picture size")
        }
    }
}

fn check(
    categories: &[Category],
    on_progress: &(dyn Fn(usize) -> bool + Sync),
) -> Option<CheckReport> {
    let done = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    let mut report = CheckReport::default();
    let mut sizes = BTreeMap::new();
    for category in categories {
        let samples: Vec<&Sample> = category.samples().collect();
        let looks: Vec<Look> = samples
            .par_iter()
            .map(|sample| {
                if stopped.load(Ordering::Relaxed) {
                    return Look::default();
                }
                let look = look_at(sample);
                if !on_progress(done.fetch_add(1, Ordering::Relaxed) + 1) {
                    stopped.store(true, Ordering::Relaxed);
                }
                look
            })
            .collect();
        if stopped.load(Ordering::Relaxed) {
            return None;
        }
        report.pictures += looks.len();
        let own = count_sizes(looks.iter());
        report.findings.extend(about_sizes(&samples, &looks, &own));
        report.findings.extend(in_both(category, &looks));
        for (size, count) in own {
            *sizes.entry(size).or_insert(0) += count;
        }
        for look in looks {
            report.findings.extend(look.findings);
            report.unreadable.extend(look.unreadable);
        }
    }
    report.sizes = by_count(sizes);
    Some(report)
}

/// What one picture and its masks showed.
#[derive(Default)]
struct Look {
    /// `None` when the picture cannot be read.
    size: Option<Size>,
    /// SHA-256 of the file.
    digest: Option<[u8; 32]>,
    findings: Vec<Finding>,
    unreadable: Vec<PathBuf>,
}

impl Look {
    fn find(&mut self, severity: Severity, path: &Path, text: impl Into<String>) {
        self.findings.push(Finding::new(severity, path, text));
    }

    fn leave_out(&mut self, path: &Path, error: &anyhow::Error, consequence: &str) {
        self.find(
            Severity::Warning,
            path,
            format!("cannot be read: {error:#}; {consequence}"),
        );
        self.unreadable.push(path.to_owned());
    }
}

fn look_at(sample: &Sample) -> Look {
    let mut look = Look::default();
    match look_at_picture(sample, &mut look) {
        Ok(size) => look_at_masks(sample, size, &mut look),
        Err(error) => look.leave_out(&sample.image, &error, "it is left out"),
    }
    look
}

fn look_at_picture(sample: &Sample, look: &mut Look) -> Result<Size> {
    let bytes = image::read_bytes(&sample.image)?;
    look.digest = Some(Sha256::digest(&bytes).into());
    let decoded = image::decode(&bytes, sample.orientation)?;
    if PictureFormat::of_name(&sample.image) != Some(decoded.format) {
        let text = format!(
            "the name promises another format, the content is {}: read as that",
            decoded.format.name()
        );
        look.find(Severity::Note, &sample.image, text);
    }
    look.size = Some(decoded.picture.size());
    Ok(decoded.picture.size())
}

fn look_at_masks(sample: &Sample, picture: Size, look: &mut Look) {
    let mut marked = false;
    for path in &sample.masks {
        match image::read_bytes(path).and_then(|bytes| Mask::decode(&bytes)) {
            Ok(mask) => {
                marked |= mask.marks_something();
                if mask.size() != picture {
                    let text = format!(
                        "the mask is {}, its picture {picture}: it is resized",
                        mask.size()
                    );
                    look.find(Severity::Warning, path, text);
                }
            }
            Err(error) => look.leave_out(
                path,
                &error,
                "its picture counts for image-level numbers only",
            ),
        }
    }
    if let Some(mask) = sample
        .masks
        .first()
        .filter(|_| !marked && look.unreadable.is_empty())
    {
        look.find(
            Severity::Warning,
            mask,
            "the mask of a defective picture marks nothing",
        );
    }
}

fn count_sizes<'a>(looks: impl Iterator<Item = &'a Look>) -> BTreeMap<Size, usize> {
    let mut counts = BTreeMap::new();
    for size in looks.filter_map(|look| look.size) {
        *counts.entry(size).or_insert(0) += 1;
    }
    counts
}

/// The most common first; of two equally common ones the larger.
fn by_count(counts: BTreeMap<Size, usize>) -> Vec<(Size, usize)> {
    let mut sizes: Vec<(Size, usize)> = counts.into_iter().rev().collect();
    sizes.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    sizes
}

/// Notes about one category's picture sizes: large ones, several, several aspects.
fn about_sizes(
    samples: &[&Sample],
    looks: &[Look],
    counts: &BTreeMap<Size, usize>,
) -> Vec<Finding> {
    let sizes = by_count(counts.clone());
    // However many unlabelled pictures there are, they do not say what the others are held against.
    let labelled = samples.iter().zip(looks);
    let labelled = labelled.filter(|(sample, _)| sample.label != Label::Unlabelled);
    let common = by_count(count_sizes(labelled.map(|(_, look)| look)));
    let Some(&(common, _)) = common.first() else {
        return Vec::new();
    };
    let first_with = |wanted: &dyn Fn(Size) -> bool| {
        let mut pairs = samples.iter().zip(looks);
        pairs
            .find(|(_, look)| look.size.is_some_and(wanted))
            .map(|(sample, _)| sample.image.as_path())
    };
    let total = |wanted: &dyn Fn(Size) -> bool| -> usize {
        sizes
            .iter()
            .filter(|(size, _)| wanted(*size))
            .map(|(_, count)| count)
            .sum()
    };
    let mut findings = Vec::new();
    let large = |size: Size| size.width.max(size.height) > LARGE_SIDE;
    if let Some(path) = first_with(&large) {
        let text = format!(
            "{} of {} pictures are longer than {LARGE_SIDE} pixels, this one among them: defects of a few pixels are lost when they are shrunk",
            total(&large),
            total(&|_| true)
        );
        findings.push(Finding::new(Severity::Note, path, text));
    }
    let other = |size: Size| size != common;
    if let Some(path) = first_with(&other) {
        let listed: Vec<String> = sizes
            .iter()
            .take(4)
            .map(|(size, count)| format!("{size} ({count})"))
            .collect();
        let more = if sizes.len() > 4 { " and more" } else { "" };
        let text = format!(
            "pictures have {} sizes, {}{more}: this is the first of another than {common}",
            sizes.len(),
            listed.join(", ")
        );
        findings.push(Finding::new(Severity::Note, path, text));
    }
    let stretched = |size: Size| !same_aspect(size, common);
    if let Some(path) = first_with(&stretched) {
        let text = format!(
            "{} of {} pictures have another aspect than {common}, this one among them: they are stretched to it",
            total(&stretched),
            total(&|_| true)
        );
        findings.push(Finding::new(Severity::Warning, path, text));
    }
    findings
}

fn same_aspect(a: Size, b: Size) -> bool {
    let aspect = |size: Size| size.width as f64 / size.height as f64;
    (aspect(a) / aspect(b) - 1.0).abs() < ASPECT_SLACK
}

/// Warnings about test files that are also training files. `looks` follow the category's samples, training first.
fn in_both(category: &Category, looks: &[Look]) -> Vec<Finding> {
    let (train, test) = looks.split_at(category.train.len());
    let pairs = category.train.iter().zip(train);
    let known: BTreeMap<[u8; 32], &str> = pairs
        .filter_map(|(s, look)| Some((look.digest?, s.id.as_str())))
        .collect();
    let twin = |(sample, look): (&Sample, &Look)| {
        let train = known.get(&look.digest?)?;
        let consequence = match sample.label {
            Label::Unlabelled => "its score is lower than that of a new picture",
            Label::Good | Label::Defective => "results on it are too good",
        };
        let text = format!("the same file as {train}, which trains: {consequence}");
        Some(Finding::new(Severity::Warning, &sample.image, text))
    };
    category.test.iter().zip(test).filter_map(twin).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{CheckReport, Size, check_category, check_pictures, common_size};
    use crate::data::image::testing::{self, write, write_mask, write_png};
    use crate::data::{Dataset, OpenOptions, Sample, open};

    fn dataset(root: &Path) -> Dataset {
        open(root, &OpenOptions::default()).expect("a data set")
    }

    fn check(root: &Path) -> CheckReport {
        check_pictures(&dataset(root), &|_| true).expect("not stopped")
    }

    fn texts(report: &CheckReport, file: &str) -> Vec<String> {
        let about = report
            .findings
            .iter()
            .filter(|finding| finding.path.ends_with(file));
        about.map(|finding| finding.text.clone()).collect()
    }

    /// Eight good training pictures, one good test picture and one defective one with its mask, 40 x 30.
    fn category() -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        let at = |file: &str| root.path().join(file);
        for i in 0..8 {
            write_png(&at(&format!("train/good/{i}.png")), 40, 30, i);
        }
        write_png(&at("test/good/0.png"), 40, 30, 100);
        write_png(&at("test/bent/0.png"), 40, 30, 101);
        write_mask(&at("ground_truth/bent/0_mask.png"), 40, 30, [1, 1, 5, 5]);
        root
    }

    #[test]
    fn a_clean_data_set_has_no_findings() {
        let root = category();
        let report = check(root.path());
        assert_eq!(report.findings, []);
        assert_eq!(
            (report.pictures, report.sizes.as_slice()),
            (
                10,
                [(
                    Size {
                        width: 40,
                        height: 30
                    },
                    10
                )]
                .as_slice()
            )
        );
        assert!(report.unreadable.is_empty());
    }

    #[test]
    fn unreadable_pictures_are_named_with_the_reason_and_left_out() {
        let root = category();
        let at = |file: &str| root.path().join("train/good").join(file);
        write(&at("empty.png"), b"");
        write(&at("text.png"), b"not a picture at all");
        write(
            &at("huge.png"),
            &testing::png_of(20_000, 20_000, 8, 2, None, &[]),
        );
        let jpeg = testing::jpeg(40, 30);
        write(&at("cut.jpg"), &jpeg[..jpeg.len() / 2]);
        write(&at("renamed.png"), &jpeg);
        let report = check(root.path());
        assert_eq!(
            texts(&report, "empty.png"),
            ["cannot be read: the file is empty (0 bytes); it is left out"]
        );
        assert!(texts(&report, "text.png")[0].contains("not a picture"));
        assert!(texts(&report, "huge.png")[0].contains("too large: 20000 x 20000"));
        assert!(texts(&report, "cut.jpg")[0].contains("truncated"));
        assert_eq!(
            texts(&report, "renamed.png"),
            ["the name promises another format, the content is JPEG: read as that"]
        );
        assert_eq!(report.unreadable.len(), 4);
        let train = &dataset(root.path()).categories[0].train;
        assert_eq!((train.len(), report.readable(train).len()), (13, 9));
    }

    #[test]
    fn masks_that_do_not_fit_are_named() {
        let root = category();
        for (name, size) in [("1", 20), ("2", 40), ("3", 40)] {
            write_png(
                &root.path().join(format!("test/bent/{name}.png")),
                40,
                40,
                7,
            );
            write_mask(
                &root
                    .path()
                    .join(format!("ground_truth/bent/{name}_mask.png")),
                size,
                size,
                [0, 0, 2, 2],
            );
        }
        write_mask(
            &root.path().join("ground_truth/bent/2_mask.png"),
            40,
            40,
            [0; 4],
        );
        write(&root.path().join("ground_truth/bent/3_mask.png"), b"");
        let report = check(root.path());
        assert_eq!(
            texts(&report, "1_mask.png"),
            ["the mask is 20 x 20, its picture 40 x 40: it is resized"]
        );
        assert_eq!(
            texts(&report, "2_mask.png"),
            ["the mask of a defective picture marks nothing"]
        );
        assert!(texts(&report, "3_mask.png")[0].ends_with("counts for image-level numbers only"));
        let test = report.readable(&dataset(root.path()).categories[0].test);
        let masks = |id: &str| {
            test.iter()
                .find(|s| s.id == id)
                .expect("readable")
                .masks
                .len()
        };
        assert_eq!((masks("test/bent/1.png"), masks("test/bent/3.png")), (1, 0));
    }

    #[test]
    fn many_unlabelled_pictures_of_another_size_do_not_make_the_others_the_odd_ones() {
        let root = category();
        for i in 0..40 {
            let file = format!("test/unlabelled/{i:02}.png");
            write_png(&root.path().join(file), 60, 20, 1);
        }
        let report = check(root.path());
        let stretched = texts(&report, "test/unlabelled/00.png");
        assert!(
            stretched
                .iter()
                .any(|text| text.contains("another aspect than 40 x 30")),
            "{stretched:?}"
        );
    }

    #[test]
    fn an_unlabelled_picture_that_also_trains_is_warned_about_in_its_own_words() {
        let root = category();
        write_png(&root.path().join("test/unlabelled/twin.png"), 40, 30, 3);
        let said = texts(&check(root.path()), "test/unlabelled/twin.png");
        assert_eq!(
            said,
            [
                "the same file as train/good/3.png, which trains: its score is lower than that of a new picture"
            ]
        );
    }

    #[test]
    fn sizes_and_aspects_that_differ_are_noted() {
        let root = category();
        write_png(&root.path().join("test/bent/wide.png"), 60, 30, 1);
        write_png(&root.path().join("test/bent/double.png"), 80, 60, 1);
        write_png(&root.path().join("test/bent/long.png"), 2400, 1800, 1);
        let report = check(root.path());
        assert_eq!(
            report.sizes[0],
            (
                Size {
                    width: 40,
                    height: 30
                },
                10
            )
        );
        assert_eq!(report.sizes.len(), 4);
        let notes = texts(&report, "double.png");
        assert!(
            notes[0].starts_with("pictures have 4 sizes, 40 x 30 (10), 2400 x 1800 (1)"),
            "{notes:?}"
        );
        assert!(
            texts(&report, "wide.png")[0]
                .starts_with("1 of 13 pictures have another aspect than 40 x 30")
        );
        assert!(texts(&report, "long.png")[0].starts_with("1 of 13 pictures are longer than 2048"));
    }

    #[test]
    fn a_test_picture_that_also_trains_is_a_warning() {
        let root = category();
        std::fs::copy(
            root.path().join("train/good/3.png"),
            root.path().join("test/good/9.png"),
        )
        .expect("a copy");
        let report = check(root.path());
        assert_eq!(
            texts(&report, "test/good/9.png"),
            ["the same file as train/good/3.png, which trains: results on it are too good"]
        );
    }

    #[test]
    fn progress_counts_up_and_can_stop_the_work() {
        let root = category();
        let (data, calls) = (dataset(root.path()), AtomicUsize::new(0));
        let seen = |done: usize| {
            calls.fetch_max(done, Ordering::Relaxed);
            true
        };
        assert!(check_category(&data.categories[0], &seen).is_some());
        assert_eq!(calls.load(Ordering::Relaxed), 10);
        assert_eq!(check_pictures(&data, &|_| false), None);
    }

    #[test]
    fn the_common_size_is_read_from_headers_and_passes_over_bad_files() {
        let root = category();
        write(&root.path().join("train/good/bad.png"), b"");
        write_png(&root.path().join("train/good/other.png"), 9, 9, 0);
        let train = &dataset(root.path()).categories[0].train;
        assert_eq!(
            common_size(train).expect("a size"),
            Size {
                width: 40,
                height: 30
            }
        );
        let bad: Vec<Sample> = train
            .iter()
            .filter(|s| s.id.ends_with("bad.png"))
            .cloned()
            .collect();
        assert!(format!("{:#}", common_size(&bad).expect_err("unreadable")).contains("bad.png"));
        assert!(common_size(&[]).is_err());
    }

    #[test]
    fn real_pictures_pass() {
        let Some(data) = testing::shared_data() else {
            return;
        };
        let report = check(&data.join("bottle_256"));
        assert_eq!(report.findings, []);
        assert_eq!((report.pictures, report.sizes.len()), (292, 1));
    }
}
