//! The `MVTec AD` layout: `CATEGORY/{train/good, test/good, test/DEFECT, ground_truth/DEFECT}`, and its relatives whose
//! folders have other names (`ok`, `ko`, `gt`) or hold unlabelled pictures (`test/unlabelled`). Pictures are taken as they
//! lie in the file, because masks are.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::image::Orientation;
use super::layout::{Layout, LayoutKind, OpenOptions};
use super::listing::{Listing, counted, name, own_name, relative};
use super::masks::{self, MaskIndex};
use super::names::Meaning;
use super::sample::{Category, Dataset, Finding, Label, Sample, Severity};
use super::split;

const TRAIN: [&str; 2] = ["train", "training"];
const TEST: [&str; 2] = ["test", "testing"];
const GROUND_TRUTH: [&str; 7] = [
    "ground_truth",
    "groundtruth",
    "ground-truth",
    "ground truth",
    "gt",
    "masks",
    "mask",
];

pub struct Mvtec;

impl Layout for Mvtec {
    fn kind(&self) -> LayoutKind {
        LayoutKind::Mvtec
    }

    fn recognises(&self, root: &Path) -> bool {
        let children = || {
            Listing::of(root)
                .map(|listing| listing.folders)
                .unwrap_or_default()
        };
        looks_like_a_category(root)
            || children()
                .iter()
                .any(|folder| looks_like_a_category(folder))
    }

    fn read(&self, root: &Path, _: &OpenOptions) -> Result<Dataset> {
        let listing = Listing::of(root)?;
        let mut findings: Vec<Finding> = listing.left_aside(root).into_iter().collect();
        let categories = if Parts::of(&listing).train.is_some() {
            vec![read_category(root, own_name(root), &mut findings)?]
        } else {
            read_categories(&listing, &mut findings)?
        };
        let categories: Vec<Category> = categories.into_iter().flatten().collect();
        if categories.is_empty() {
            bail!(
                "{}: expected categories with good pictures in train/good, found {} and none of them has any",
                root.display(),
                counted(listing.folders.len(), "folder", "folders")
            );
        }
        Ok(Dataset {
            root: root.to_owned(),
            layout: self.kind(),
            categories,
            folders: Vec::new(),
            findings,
        })
    }
}

/// The folders a category is made of.
struct Parts {
    train: Option<PathBuf>,
    test: Option<PathBuf>,
    ground_truth: Option<PathBuf>,
}

impl Parts {
    fn of(category: &Listing) -> Self {
        let find = |names: &[&str]| {
            let is_one =
                |folder: &&PathBuf| names.iter().any(|n| name(folder).eq_ignore_ascii_case(n));
            category.folders.iter().find(is_one).cloned()
        };
        Self {
            train: find(&TRAIN),
            test: find(&TEST),
            ground_truth: find(&GROUND_TRUTH),
        }
    }
}

fn looks_like_a_category(folder: &Path) -> bool {
    let Ok(listing) = Listing::of(folder) else {
        return false;
    };
    match Parts::of(&listing) {
        Parts {
            train: Some(train),
            test: Some(_),
            ..
        } => good_folders(&train)
            .iter()
            .any(|good| Listing::of(good).is_ok_and(|listing| !listing.pictures.is_empty())),
        _ => false,
    }
}

/// The folders in `train` that hold good pictures.
fn good_folders(train: &Path) -> Vec<PathBuf> {
    let folders = Listing::of(train)
        .map(|listing| listing.folders)
        .unwrap_or_default();
    folders
        .into_iter()
        .filter(|folder| Meaning::of(&name(folder)).is_good())
        .collect()
}

fn read_categories(root: &Listing, findings: &mut Vec<Finding>) -> Result<Vec<Option<Category>>> {
    let mut categories = Vec::new();
    for folder in &root.folders {
        if Parts::of(&Listing::of(folder)?).train.is_some() {
            categories.push(read_category(folder, name(folder), findings)?);
        } else {
            findings.push(Finding::new(
                Severity::Note,
                folder,
                "not a category: it has no folder `train`; it is not used",
            ));
        }
    }
    Ok(categories)
}

/// One category, or `None` with a finding when it has no good pictures to train on.
fn read_category(
    folder: &Path,
    name: String,
    findings: &mut Vec<Finding>,
) -> Result<Option<Category>> {
    let listing = Listing::of(folder)?;
    let parts = Parts::of(&listing);
    let mut reader = Reader { folder, findings };
    let train = match &parts.train {
        Some(train) => reader.train(train)?,
        None => Vec::new(),
    };
    if train.is_empty() {
        reader.find(
            Severity::Warning,
            folder,
            "no pictures in train/good: the category is skipped",
        );
        return Ok(None);
    }
    let test = match &parts.test {
        Some(test) => reader.test(test, parts.ground_truth.as_deref())?,
        None => Vec::new(),
    };
    reader.judge(&listing, &parts, &train, &test);
    let mut category = Category { name, train, test };
    category.sort();
    Ok(Some(category))
}

/// Whether the name of a test folder says that nobody has judged its pictures. Masks of the same name say that somebody
/// has: then it is a defect type.
fn is_unlabelled(folder: &Path, ground_truth: Option<&Path>) -> bool {
    let name = name(folder);
    let meaning = Meaning::of(&name);
    let has_masks = || ground_truth.is_some_and(|masks| masks.join(&name).is_dir());
    (meaning.is_unlabelled() || meaning.is_production()) && !has_masks()
}

/// Reads the parts of one category and notes what it meets.
struct Reader<'a> {
    folder: &'a Path,
    findings: &'a mut Vec<Finding>,
}

impl Reader<'_> {
    fn find(&mut self, severity: Severity, path: &Path, text: impl Into<String>) {
        self.findings.push(Finding::new(severity, path, text));
    }

    fn train(&mut self, train: &Path) -> Result<Vec<Sample>> {
        let mut samples = Vec::new();
        for folder in Listing::of(train)?.folders {
            if Meaning::of(&name(&folder)).is_good() {
                samples.extend(
                    self.pictures(&folder)?
                        .into_iter()
                        .map(|image| self.sample(image, Label::Good, "good")),
                );
            } else {
                self.find(
                    Severity::Note,
                    &folder,
                    "not used: only good pictures train",
                );
            }
        }
        Ok(samples)
    }

    fn test(&mut self, test: &Path, ground_truth: Option<&Path>) -> Result<Vec<Sample>> {
        let listing = Listing::of(test)?;
        if !listing.pictures.is_empty() {
            let count = counted(listing.pictures.len(), "picture", "pictures");
            self.find(
                Severity::Warning,
                test,
                format!("{count} directly in the folder, neither good nor a defect type: not used"),
            );
        }
        let mut samples = Vec::new();
        for folder in &listing.folders {
            let pictures = self.pictures(folder)?;
            if pictures.is_empty() {
                self.find(Severity::Note, folder, "no pictures in this folder");
            } else if Meaning::of(&name(folder)).is_good() {
                samples.extend(
                    pictures
                        .into_iter()
                        .map(|image| self.sample(image, Label::Good, "good")),
                );
            } else if is_unlabelled(folder, ground_truth) {
                self.find(
                    Severity::Note,
                    folder,
                    "taken for pictures that nobody has judged: scored, and counted in no number",
                );
                samples.extend(
                    pictures
                        .into_iter()
                        .map(|image| self.sample(image, Label::Unlabelled, "unlabelled")),
                );
            } else {
                samples.extend(self.defective(folder, pictures, ground_truth)?);
            }
        }
        self.masks_without_defects(&listing, ground_truth)?;
        Ok(samples)
    }

    fn defective(
        &mut self,
        folder: &Path,
        pictures: Vec<PathBuf>,
        ground_truth: Option<&Path>,
    ) -> Result<Vec<Sample>> {
        let defect = name(folder);
        let mut index = match ground_truth.map(|masks| masks.join(&defect)) {
            Some(masks) if masks.is_dir() => MaskIndex::of(&masks)?,
            _ => MaskIndex::default(),
        };
        let samples: Vec<Sample> = pictures
            .into_iter()
            .map(|image| Sample {
                masks: index.take(&image),
                ..self.sample(image, Label::Defective, &defect)
            })
            .collect();
        self.findings.extend(masks::missing(folder, &samples));
        self.findings.extend(index.unclaimed());
        Ok(samples)
    }

    /// Folders of masks for defect types that have no pictures. Masks of good pictures mark nothing and are no surprise.
    fn masks_without_defects(&mut self, test: &Listing, ground_truth: Option<&Path>) -> Result<()> {
        let Some(ground_truth) = ground_truth else {
            return Ok(());
        };
        for masks in Listing::of(ground_truth)?.folders {
            let defect = name(&masks);
            let known = test.folders.iter().any(|folder| name(folder) == defect);
            if !known && !Meaning::of(&defect).is_good() {
                self.find(
                    Severity::Warning,
                    &masks,
                    format!("masks without pictures: there is no test folder `{defect}`"),
                );
            }
        }
        Ok(())
    }

    /// What the category as a whole lacks.
    fn judge(&mut self, listing: &Listing, parts: &Parts, train: &[Sample], test: &[Sample]) {
        let folder = self.folder;
        self.findings.extend(split::too_few(folder, train.len()));
        if test.is_empty() {
            self.find(
                Severity::Warning,
                folder,
                "no test pictures: a model can be trained but not judged",
            );
        } else if test.iter().all(|s| s.label == Label::Unlabelled) {
            self.find(
                Severity::Warning,
                folder,
                "no good or defective test pictures: a model can be trained but not judged",
            );
        }
        let known = [&parts.train, &parts.test, &parts.ground_truth];
        for other in &listing.folders {
            if !known.contains(&&Some(other.clone())) {
                self.find(
                    Severity::Note,
                    other,
                    "not used: only train, test and ground_truth are",
                );
            }
        }
    }

    fn pictures(&mut self, folder: &Path) -> Result<Vec<PathBuf>> {
        let listing = Listing::of(folder)?;
        self.findings.extend(listing.left_aside(folder));
        Ok(listing.pictures)
    }

    fn sample(&self, image: PathBuf, label: Label, defect: &str) -> Sample {
        Sample {
            id: relative(&image, self.folder),
            image,
            masks: Vec::new(),
            label,
            defect: defect.to_owned(),
            orientation: Orientation::Ignore,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Layout, Mvtec, OpenOptions};
    use crate::data::image::testing::{self, write};
    use crate::data::{Dataset, Label, Severity};

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for file in files {
            write(&folder.path().join(file), b"");
        }
        folder
    }

    fn read(root: &Path) -> Dataset {
        assert!(Mvtec.recognises(root), "{}", root.display());
        Mvtec
            .read(root, &OpenOptions::default())
            .expect("a data set")
    }

    /// Label, defect, number of masks and id of each test picture.
    fn test_lines(dataset: &Dataset) -> Vec<String> {
        let line = |s: &crate::data::Sample| {
            format!("{:?} {} {} {}", s.label, s.defect, s.masks.len(), s.id)
        };
        dataset.categories[0].test.iter().map(line).collect()
    }

    fn warnings(dataset: &Dataset) -> Vec<String> {
        let worth = dataset
            .findings
            .iter()
            .filter(|finding| finding.severity > Severity::Note);
        worth
            .map(|f| format!("{}: {}", super::name(&f.path), f.text))
            .collect()
    }

    #[test]
    fn categories_below_the_root_are_read_and_empty_ones_are_skipped() {
        let root = folder(&[
            "bolt/train/good/0.png",
            "bolt/test/good/1.png",
            "bolt/test/bent/2.png",
            "bolt/ground_truth/bent/2_mask.png",
            "cap/train/good/readme.txt",
            "cap/test/good/0.png",
            "notes/plan.png",
            "license.txt",
        ]);
        let dataset = read(root.path());
        let names: Vec<&str> = dataset.categories.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["bolt"]);
        assert_eq!(dataset.categories[0].train[0].id, "train/good/0.png");
        assert_eq!(
            test_lines(&dataset),
            [
                "Defective bent 1 test/bent/2.png",
                "Good good 0 test/good/1.png"
            ]
        );
        let skipped = dataset
            .findings
            .iter()
            .find(|f| f.path.ends_with("cap"))
            .expect("a finding");
        assert!(skipped.text.contains("skipped"));
        assert!(
            dataset
                .findings
                .iter()
                .any(|f| f.path.ends_with("notes") && f.text.contains("not a category"))
        );
        assert!(
            dataset
                .findings
                .iter()
                .any(|f| f.text.ends_with("left aside: license.txt"))
        );
    }

    #[test]
    fn a_single_category_with_other_folder_names_is_read() {
        let root = folder(&[
            "Train/OK/ä.PNG",
            "Test/ok/1.jpg",
            "Test/ko/2.bmp",
            "ground_truth/ko/2.bmp",
        ]);
        let dataset = read(root.path());
        assert_eq!(dataset.categories[0].name, super::own_name(root.path()));
        assert_eq!(dataset.categories[0].train[0].id, "Train/OK/ä.PNG");
        assert_eq!(
            test_lines(&dataset),
            ["Defective ko 1 Test/ko/2.bmp", "Good good 0 Test/ok/1.jpg"]
        );
    }

    #[test]
    fn a_defect_type_whose_name_begins_with_good_is_still_a_defect() {
        let root = folder(&["train/good/0.png", "test/good_but_scratched/1.png"]);
        let dataset = read(root.path());
        assert_eq!(dataset.categories[0].test[0].label, Label::Defective);
    }

    #[test]
    fn unlabelled_pictures_are_test_pictures_of_their_own_kind() {
        let root = folder(&[
            "train/good/0.png",
            "test/good/1.png",
            "test/bent/2.png",
            "test/Unlabeled/3.png",
            "test/to_check/4.png",
            "test/production/5.png",
            "test/unknown scratch/6.png",
        ]);
        let dataset = read(root.path());
        assert_eq!(
            test_lines(&dataset),
            [
                "Unlabelled unlabelled 0 test/Unlabeled/3.png",
                "Defective bent 0 test/bent/2.png",
                "Good good 0 test/good/1.png",
                "Unlabelled unlabelled 0 test/production/5.png",
                "Unlabelled unlabelled 0 test/to_check/4.png",
                "Defective unknown scratch 0 test/unknown scratch/6.png",
            ]
        );
        let category = &dataset.categories[0];
        let counts = (category.judged().count(), category.unlabelled().count());
        assert_eq!(counts, (3, 3));
        let notes = dataset.findings.iter();
        let notes = notes.filter(|f| f.text.contains("nobody has judged"));
        assert_eq!(notes.count(), 3);
    }

    #[test]
    fn a_folder_with_masks_is_a_defect_type_whatever_its_name_says() {
        let root = folder(&[
            "train/good/0.png",
            "test/unknown/0.png",
            "ground_truth/unknown/0_mask.png",
        ]);
        let lines = test_lines(&read(root.path()));
        assert_eq!(lines, ["Defective unknown 1 test/unknown/0.png"]);
    }

    #[test]
    fn unlabelled_pictures_alone_judge_nothing() {
        let root = folder(&["train/good/0.png", "test/unlabelled/1.png"]);
        let dataset = read(root.path());
        assert_eq!(
            test_lines(&dataset),
            ["Unlabelled unlabelled 0 test/unlabelled/1.png"]
        );
        let own = super::own_name(root.path());
        let expected = format!(
            "{own}: no good or defective test pictures: a model can be trained but not judged"
        );
        assert!(warnings(&dataset).contains(&expected));
    }

    #[test]
    fn masks_that_do_not_match_are_warned_about_by_name() {
        let root = folder(&[
            "train/good/0.png",
            "test/bent/0.png",
            "test/bent/1.png",
            "test/cut/0.png",
            "test/cut/1.png",
            "ground_truth/bent/0_mask.png",
            "ground_truth/bent/7_mask.png",
            "ground_truth/gone/0_mask.png",
            "ground_truth/good/0_mask.png",
        ]);
        let dataset = read(root.path());
        let own = super::own_name(root.path());
        assert_eq!(
            warnings(&dataset),
            [
                "1.png: no mask: it counts for image-level numbers only".to_owned(),
                "7_mask.png: a mask without a picture: it is not used".to_owned(),
                "cut: no masks for its 2 pictures: they count for image-level numbers only"
                    .to_owned(),
                "gone: masks without pictures: there is no test folder `gone`".to_owned(),
                format!(
                    "{own}: training needs 8 good pictures, 4 to learn from and 4 held out for calibration, but there are 1"
                ),
            ]
        );
    }

    #[test]
    fn pictures_directly_in_test_and_a_missing_test_folder_are_reported() {
        let root = folder(&[
            "a/train/good/0.png",
            "a/test/stray.png",
            "b/train/good/0.png",
            "b/extra/x.png",
        ]);
        let dataset = read(root.path());
        let texts: Vec<&str> = dataset.findings.iter().map(|f| f.text.as_str()).collect();
        assert!(
            texts
                .iter()
                .any(|text| text.starts_with("1 picture directly in the folder"))
        );
        assert!(
            texts
                .iter()
                .any(|text| text.starts_with("no test pictures"))
        );
        assert!(
            texts
                .iter()
                .any(|text| text.starts_with("not used: only train, test"))
        );
        assert_eq!(dataset.categories.len(), 2);
    }

    #[test]
    fn forcing_the_layout_on_another_folder_says_what_was_expected() {
        let root = folder(&["good/0.png"]);
        assert!(!Mvtec.recognises(root.path()));
        let text = Mvtec
            .read(root.path(), &OpenOptions::default())
            .expect_err("not MVTec")
            .to_string();
        assert!(text.ends_with(
            "expected categories with good pictures in train/good, found 1 folder and none of them has any"
        ));
    }

    #[test]
    fn real_data_sets_have_the_published_counts() {
        let Some(data) = testing::shared_data() else {
            return;
        };
        for (name, train, good, defective) in [("bottle", 209, 20, 63), ("hazelnut_toy", 28, 6, 17)]
        {
            let dataset = read(&data.join(name));
            let category = dataset.category(None).expect("one category");
            let of = |label| category.test.iter().filter(move |s| s.label == label);
            assert_eq!(category.name, name);
            assert_eq!(
                (category.train.len(), of(Label::Good).count()),
                (train, good)
            );
            assert_eq!(of(Label::Defective).count(), defective);
            assert!(of(Label::Defective).all(|s| s.masks.len() == 1 && s.masks[0].is_file()));
            assert_eq!(warnings(&dataset), Vec::<String>::new());
        }
    }

    #[test]
    fn masks_kept_as_one_folder_of_regions_are_joined() {
        let Some(data) = testing::shared_data() else {
            return;
        };
        let dataset = read(&data.join("layouts/loco_mini"));
        let lines = test_lines(&dataset);
        assert_eq!(
            lines
                .iter()
                .filter(|line| line.contains("logical_anomalies 1 "))
                .count(),
            3
        );
    }
}
