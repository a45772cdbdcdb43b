//! Reads folders: which files are pictures, which folders there are, and what was left aside. Opens no file.

use std::ffi::OsStr;
use std::fs;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};

use super::image::PictureFormat;
use super::sample::{Finding, Severity};

/// What lies directly in one folder. Each list is sorted bytewise by name; hidden files are in none.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) pictures: Vec<PathBuf>,
    pub(super) folders: Vec<PathBuf>,
    /// Files that are not pictures by their names.
    pub(super) others: Vec<PathBuf>,
}

impl Listing {
    /// Lists a folder. The error says in one sentence what was expected and what was found.
    pub(super) fn of(folder: &Path) -> Result<Self> {
        let explain = |error: Error| explain(folder, &error);
        let mut listing = Self::default();
        for entry in fs::read_dir(folder).map_err(explain)? {
            let entry = entry.map_err(explain)?;
            let path = entry.path();
            if is_hidden(&entry.file_name()) {
                continue;
            }
            // Follows links, so that linked folders count; what a broken link stands for shows when it is opened.
            if fs::metadata(&path).is_ok_and(|metadata| metadata.is_dir()) {
                listing.folders.push(path);
            } else if PictureFormat::of_name(&path).is_some() {
                listing.pictures.push(path);
            } else {
                listing.others.push(path);
            }
        }
        for list in [
            &mut listing.pictures,
            &mut listing.folders,
            &mut listing.others,
        ] {
            list.sort_by(|a, b| bytes(a).cmp(bytes(b)));
        }
        Ok(listing)
    }

    /// A note about files that are not pictures, if there are any.
    pub(super) fn left_aside(&self, folder: &Path) -> Option<Finding> {
        let shown: Vec<String> = self.others.iter().take(3).map(|path| name(path)).collect();
        let rest = match self.others.len() - shown.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let text = format!(
            "{} left aside: {}{rest}",
            counted(
                self.others.len(),
                "file that is no picture",
                "files that are no pictures"
            ),
            shown.join(", ")
        );
        (!self.others.is_empty()).then(|| Finding::new(Severity::Note, folder, text))
    }
}

/// Files that systems and viewers leave behind.
fn is_hidden(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    bytes.starts_with(b".")
        || [
            "thumbs.db",
            "ehthumbs.db",
            "desktop.ini",
            "__macosx",
            "@eadir",
        ]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// One sentence about a folder that cannot be listed.
pub(super) fn explain(folder: &Path, error: &Error) -> anyhow::Error {
    let found = match error.kind() {
        ErrorKind::NotFound => "found nothing there".to_owned(),
        ErrorKind::NotADirectory => "found a file".to_owned(),
        ErrorKind::PermissionDenied => {
            "found a folder that may not be read (permission denied)".to_owned()
        }
        _ => format!("could not list it ({error})"),
    };
    anyhow!(
        "{}: expected a folder of pictures, {found}",
        folder.display()
    )
}

fn bytes(path: &Path) -> &[u8] {
    path.file_name().unwrap_or_default().as_encoded_bytes()
}

/// The last part of a path, as text.
pub(super) fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The last part of a path without its extension, as text.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// `path` below `folder` with `/` separators; `.` for the folder itself.
pub(super) fn relative(path: &Path, folder: &Path) -> String {
    let below = path.strip_prefix(folder).unwrap_or(path);
    let parts: Vec<_> = below
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

/// The name of a data set's folder, also when it is given as `.` or ends in `..`.
pub(super) fn own_name(folder: &Path) -> String {
    let full = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let name = name(&full);
    if name.is_empty() {
        "data".to_owned()
    } else {
        name
    }
}

/// `1 picture`, `2 pictures`.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};
    use std::path::Path;

    use super::{Listing, explain, name, relative, stem};
    use crate::data::image::testing::write;

    #[test]
    fn pictures_are_sorted_bytewise_and_hidden_files_are_ignored() {
        let folder = tempfile::tempdir().expect("a folder");
        for file in [
            "b.png",
            "B.PNG",
            "a10.jpg",
            "a9.Tiff",
            "ü.webp",
            ".x.png",
            "._a.png",
            "Thumbs.db",
            "readme.txt",
        ] {
            write(&folder.path().join(file), b"");
        }
        write(&folder.path().join("sub.png/inside.png"), b"");
        write(&folder.path().join("__MACOSX/inside.png"), b"");
        let listing = Listing::of(folder.path()).expect("a listing");
        let names: Vec<String> = listing.pictures.iter().map(|path| name(path)).collect();
        assert_eq!(names, ["B.PNG", "a10.jpg", "a9.Tiff", "b.png", "ü.webp"]);
        assert_eq!(
            listing
                .folders
                .iter()
                .map(|path| name(path))
                .collect::<Vec<_>>(),
            ["sub.png"]
        );
        let note = listing.left_aside(folder.path()).expect("a note");
        assert_eq!(
            note.text,
            "1 file that is no picture left aside: readme.txt"
        );
    }

    #[test]
    fn folders_that_cannot_be_listed_are_explained_in_one_sentence() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.png");
        write(&file, b"");
        let text = |path: &Path| Listing::of(path).expect_err("not a folder").to_string();
        assert!(text(&file).ends_with("a.png: expected a folder of pictures, found a file"));
        assert!(
            text(&folder.path().join("none"))
                .ends_with("none: expected a folder of pictures, found nothing there")
        );
        let denied =
            explain(Path::new("/x"), &Error::from(ErrorKind::PermissionDenied)).to_string();
        assert_eq!(
            denied,
            "/x: expected a folder of pictures, found a folder that may not be read (permission denied)"
        );
    }

    #[test]
    fn names_and_relative_paths_are_portable() {
        assert_eq!(stem(Path::new("a/b.c.png")), "b.c");
        assert_eq!(
            relative(Path::new("/r/test/ä/0.png"), Path::new("/r")),
            "test/ä/0.png"
        );
        assert_eq!(relative(Path::new("/r"), Path::new("/r")), ".");
    }
}
