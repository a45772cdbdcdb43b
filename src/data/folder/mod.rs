//! The plain folder layout: the user's own folders of good, bad and unlabelled pictures. What each folder holds is guessed
//! from its name and can be corrected. Nothing is moved or written.

mod roles;
mod shelf;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use shelf::Shelf;

use super::image::Orientation;
use super::layout::{FolderRole, Layout, LayoutKind, OpenOptions, Role};
use super::listing::{Listing, counted, own_name, relative, stem};
use super::masks::{self, MaskIndex};
use super::names::Meaning;
use super::sample::{Category, Dataset, Finding, Label, Sample, Severity};
use super::split;

/// Drives the draw that holds out good pictures for testing. A constant, so that every run on the same folder is judged
/// by the same pictures.
pub const HOLD_OUT_SEED: u64 = 2022;
/// Share of the good pictures held out for testing when there is no folder of good test pictures.
pub const HOLD_OUT_FRACTION: f64 = 0.2;

/// How far below the root pictures are looked for, and how many folders are looked into.
const MAX_DEPTH: usize = 5;
const MAX_FOLDERS: usize = 2000;

pub struct Folder;

impl Layout for Folder {
    fn kind(&self) -> LayoutKind {
        LayoutKind::Folder
    }

    fn recognises(&self, root: &Path) -> bool {
        // What stops the search is a story for `read` to tell.
        scan(root).map_or(true, |scan| !scan.folders.is_empty())
    }

    fn read(&self, root: &Path, options: &OpenOptions) -> Result<Dataset> {
        let Scan {
            folders,
            mut findings,
        } = scan(root)?;
        ensure!(
            !folders.is_empty(),
            "{}: expected folders of pictures, found no picture",
            root.display()
        );
        let roles = roles::assign(root, &folders, options, &mut findings);
        let shown = show(&folders, &roles);
        ensure!(
            roles.contains(&Role::Good),
            "{}: expected a folder of good pictures, found {}; say which folder holds good ones",
            root.display(),
            shown.iter().map(describe).collect::<Vec<_>>().join(", ")
        );
        let mut builder = Builder::new(root, &folders, &roles);
        let category = builder.category()?;
        findings.append(&mut builder.findings);
        Ok(Dataset {
            root: root.to_owned(),
            layout: self.kind(),
            categories: vec![category],
            folders: shown,
            findings,
        })
    }
}

/// The folders with pictures below `root` and their roles, corrected by the options: what there is to correct, also where
/// reading the data set fails because no folder is good.
pub fn folder_roles(root: &Path, options: &OpenOptions) -> Result<Vec<FolderRole>> {
    let Scan {
        folders,
        mut findings,
    } = scan(root)?;
    let roles = roles::assign(root, &folders, options, &mut findings);
    Ok(show(&folders, &roles))
}

fn show(folders: &[Found], roles: &[Role]) -> Vec<FolderRole> {
    let shown = folders.iter().zip(roles).map(|(folder, &role)| FolderRole {
        path: folder.key.clone(),
        role,
        pictures: folder.pictures.len(),
    });
    shown.collect()
}

fn describe(folder: &FolderRole) -> String {
    let count = counted(folder.pictures, "picture", "pictures");
    format!(
        "`{}` ({}, {count})",
        folder.path,
        folder.role.name().to_lowercase()
    )
}

/// A folder with pictures directly in it.
struct Found {
    path: PathBuf,
    /// Relative to the root with `/` separators; `.` is the root itself.
    key: String,
    pictures: Vec<PathBuf>,
    /// Masks that lie beside their pictures, such as `0_GT.png` of `0.png`.
    masks_beside: Vec<PathBuf>,
}

struct Scan {
    /// In the order of a walk that visits a folder before those in it.
    folders: Vec<Found>,
    findings: Vec<Finding>,
}

fn scan(root: &Path) -> Result<Scan> {
    let mut scan = Scan {
        folders: Vec::new(),
        findings: Vec::new(),
    };
    // The root must be readable; a folder below it that is not is only named.
    let mut waiting = vec![(Listing::of(root)?, root.to_owned(), 0)];
    let mut visited = 0;
    while let Some((listing, path, depth)) = waiting.pop() {
        visited += 1;
        ensure!(
            visited <= MAX_FOLDERS,
            "{}: expected a folder of pictures, found more than {MAX_FOLDERS} folders; choose the one that holds them",
            root.display()
        );
        scan.findings.extend(listing.left_aside(&path));
        for folder in listing.folders.iter().rev().filter(|_| depth < MAX_DEPTH) {
            match Listing::of(folder) {
                Ok(inside) => waiting.push((inside, folder.clone(), depth + 1)),
                Err(_) => scan.findings.push(Finding::new(
                    Severity::Warning,
                    folder,
                    "this folder may not be read: it is not used",
                )),
            }
        }
        scan.folders
            .extend(Found::new(root, path, listing.pictures));
    }
    Ok(scan)
}

impl Found {
    fn new(root: &Path, path: PathBuf, files: Vec<PathBuf>) -> Option<Self> {
        let stems: BTreeSet<String> = files.iter().map(|file| stem(file)).collect();
        let (masks_beside, pictures): (Vec<_>, Vec<_>) = files
            .into_iter()
            .partition(|file| masks::is_beside_its_picture(file, &stems));
        let key = relative(&path, root);
        (!pictures.is_empty()).then_some(Self {
            path,
            key,
            pictures,
            masks_beside,
        })
    }

    /// The defect type that this folder's pictures show: the last part of its path that says something.
    fn defect(&self, root: &Path) -> String {
        let telling = self
            .key
            .rsplit('/')
            .find(|part| *part != "." && !Meaning::of(part).is_silent());
        let defect = telling.map_or_else(|| own_name(root), ToOwned::to_owned);
        let meaning = Meaning::of(&defect);
        if meaning.is_good() || meaning.is_unlabelled() {
            "defective".to_owned()
        } else {
            defect
        }
    }
}

/// Makes the one category out of folders whose roles are known.
struct Builder<'a> {
    root: &'a Path,
    folders: Vec<(&'a Found, Role)>,
    orientation: Orientation,
    findings: Vec<Finding>,
}

impl<'a> Builder<'a> {
    fn new(root: &'a Path, folders: &'a [Found], roles: &[Role]) -> Self {
        let folders: Vec<_> = folders.iter().zip(roles.iter().copied()).collect();
        let has_masks = |(folder, role): &(&Found, Role)| match role {
            Role::Masks => true,
            Role::Defective => !folder.masks_beside.is_empty(),
            Role::Good | Role::GoodTest | Role::Unlabelled | Role::Ignored => false,
        };
        let orientation = if folders.iter().any(has_masks) {
            Orientation::Ignore
        } else {
            Orientation::Apply
        };
        Self {
            root,
            folders,
            orientation,
            findings: Vec::new(),
        }
    }

    fn category(&mut self) -> Result<Category> {
        let train = self.without_masks(Role::Good, Label::Good);
        let mut test = self.without_masks(Role::GoodTest, Label::Good);
        let good = train.len();
        let (train, held_out) = if test.is_empty() {
            self.hold_out(train)
        } else {
            (train, Vec::new())
        };
        test.extend(held_out);
        test.extend(self.defective()?);
        test.extend(self.without_masks(Role::Unlabelled, Label::Unlabelled));
        self.judge(good, &test);
        let name = own_name(self.root);
        let mut category = Category { name, train, test };
        category.sort();
        Ok(category)
    }

    fn with_role(&self, role: Role) -> Vec<&'a Found> {
        let matching = self.folders.iter().filter(|(_, own)| *own == role);
        matching.map(|(folder, _)| *folder).collect()
    }

    /// The good or the unlabelled pictures: what lies beside them as masks marks nothing.
    fn without_masks(&mut self, role: Role, label: Label) -> Vec<Sample> {
        let name = if label == Label::Good {
            "good"
        } else {
            "unlabelled"
        };
        let folders = self.with_role(role);
        for folder in folders
            .iter()
            .filter(|folder| !folder.masks_beside.is_empty())
        {
            let count = counted(folder.masks_beside.len(), "file", "files");
            let text =
                format!("{count} beside the {name} pictures taken for masks by the name: not used");
            self.findings
                .push(Finding::new(Severity::Note, &folder.path, text));
        }
        let pictures = folders.into_iter().flat_map(|folder| &folder.pictures);
        pictures
            .map(|image| self.sample(image, label, name))
            .collect()
    }

    /// Parts the good pictures into those that train and those that test, leaving enough to train on.
    fn hold_out(&mut self, good: Vec<Sample>) -> (Vec<Sample>, Vec<Sample>) {
        let share = (good.len() as f64 * HOLD_OUT_FRACTION).round() as usize;
        let count = share.min(
            good.len()
                .saturating_sub(split::MIN_TRAIN + split::MIN_CALIBRATION),
        );
        let text = if count > 0 {
            format!(
                "{count} of {} good pictures are held out for testing: there is no folder of good test pictures",
                good.len()
            )
        } else {
            "no good pictures to test with: there are too few to hold any out".to_owned()
        };
        let severity = if count > 0 {
            Severity::Note
        } else {
            Severity::Warning
        };
        self.findings.push(Finding::new(severity, self.root, text));
        split::part(good, count, HOLD_OUT_SEED)
    }

    fn defective(&mut self) -> Result<Vec<Sample>> {
        let folders = self.with_role(Role::Defective);
        let mut shelf = Shelf::new(&self.folders)?;
        let has_masks = self.orientation == Orientation::Ignore;
        let mut all = Vec::new();
        for folder in folders {
            let defect = folder.defect(self.root);
            let mut beside = MaskIndex::of_files(folder.masks_beside.clone());
            let mut samples: Vec<Sample> = folder
                .pictures
                .iter()
                .map(|image| self.sample(image, Label::Defective, &defect))
                .collect();
            for sample in &mut samples {
                sample.masks = beside.take(&sample.image);
                if sample.masks.is_empty() {
                    sample.masks = shelf.take(&sample.image, &folder.key);
                }
            }
            self.findings.extend(beside.unclaimed());
            if has_masks {
                self.findings.extend(masks::missing(&folder.path, &samples));
            }
            all.append(&mut samples);
        }
        self.findings.extend(shelf.unclaimed());
        self.findings.extend(shelf::drop_shared(&mut all));
        Ok(all)
    }

    /// What the data set as a whole lacks.
    fn judge(&mut self, good: usize, test: &[Sample]) {
        self.findings.extend(split::too_few(self.root, good));
        let text = if !test.iter().any(|sample| sample.label == Label::Defective) {
            "no defective pictures: false rejects can be measured, missed defects cannot"
        } else if self.orientation == Orientation::Apply {
            "no masks: numbers are for whole pictures only"
        } else {
            return;
        };
        self.findings
            .push(Finding::new(Severity::Note, self.root, text));
    }

    fn sample(&self, image: &Path, label: Label, defect: &str) -> Sample {
        Sample {
            id: relative(image, self.root),
            image: image.to_owned(),
            masks: Vec::new(),
            label,
            defect: defect.to_owned(),
            orientation: self.orientation,
        }
    }
}

#[cfg(test)]
mod tests;
