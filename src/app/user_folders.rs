//! Where the window keeps what it makes for the user when no other place is named.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The user's own folder for this program's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFolders {
    root: PathBuf,
}

impl UserFolders {
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder this system sets aside for programs' data, or a folder beside where the program was started.
    pub fn of_this_user() -> Self {
        Self::new(
            eframe::storage_dir(super::APP_ID).unwrap_or_else(|| PathBuf::from("flawscope-data")),
        )
    }

    /// Where the sample data set is drawn.
    pub fn sample(&self) -> PathBuf {
        self.root.join("sample")
    }

    /// Where the session is kept for next time.
    pub fn session(&self) -> PathBuf {
        self.root.join("session.json")
    }

    /// Where it is noted what the user says about a category: the same folder each time this data set is opened, whichever
    /// way its path is written.
    pub fn annotations(&self, data: &Path, category: &str) -> PathBuf {
        let absolute = data
            .canonicalize()
            .or_else(|_| std::path::absolute(data))
            .unwrap_or_else(|_| data.to_path_buf());
        let mut hasher = Sha256::new();
        hasher.update(absolute.as_os_str().as_encoded_bytes());
        hasher.update([0]);
        hasher.update(category);
        let mut name = format!("{}-", file_name(category));
        for byte in hasher.finalize().iter().take(5) {
            // Writing to a string cannot fail.
            let _ = write!(name, "{byte:02x}");
        }
        self.root.join("annotations").join(name)
    }

    /// A run folder that does not exist yet, named after category and model: `bottle-cfa`, `bottle-cfa-2`, …
    pub fn free_run(&self, category: &str, model: &str) -> PathBuf {
        let name = format!("{}-{model}", file_name(category));
        free(&self.root.join("runs"), &name, "")
    }
}

/// A page for a report in this run folder that does not exist yet: `report.html`, `report-2.html`, …
pub fn free_report(run: &Path) -> PathBuf {
    free(run, "report", ".html")
}

/// The first of `NAME`, `NAME-2`, `NAME-3`, … that does not exist in this folder.
fn free(folder: &Path, name: &str, extension: &str) -> PathBuf {
    let first = folder.join(format!("{name}{extension}"));
    if !first.exists() {
        return first;
    }
    (2..u32::MAX)
        .map(|number| folder.join(format!("{name}-{number}{extension}")))
        .find(|path| !path.exists())
        .unwrap_or(first)
}

/// Whether there is nothing at `path`, or a folder with nothing in it.
pub fn is_free(path: &Path) -> bool {
    match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => !path.exists(),
    }
}

/// `text` as a part of a file name on every system.
fn file_name(text: &str) -> String {
    let kept = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    let name: String = text
        .chars()
        .map(|c| if kept(c) { c } else { '_' })
        .collect();
    let name = name.trim_matches(['.', ' ']);
    if name.is_empty() { "run" } else { name }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::{UserFolders, file_name, is_free};

    #[test]
    fn run_folders_are_numbered_when_the_name_is_taken() {
        let root = tempfile::tempdir().unwrap();
        let folders = UserFolders::new(root.path());
        for name in ["bottle-cfa", "bottle-cfa-2", "bottle-cfa-3"] {
            let path = folders.free_run("bottle", "cfa");
            assert_eq!(path, root.path().join("runs").join(name));
            std::fs::create_dir_all(path).unwrap();
        }
    }

    #[test]
    fn notes_have_one_folder_for_each_category_however_the_path_is_written() {
        let root = tempfile::tempdir().unwrap();
        let folders = UserFolders::new("/home/anna");
        let data = root.path().join("parts");
        std::fs::create_dir(&data).unwrap();
        let folder = folders.annotations(&data, "metal nut");
        assert!(folder.starts_with("/home/anna/annotations"));
        let name = folder.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("metal nut-") && name.len() == 20, "{name}");
        let again = root.path().join("parts/../parts");
        assert_eq!(folders.annotations(&again, "metal nut"), folder);
        assert_ne!(folders.annotations(root.path(), "metal nut"), folder);
        assert_ne!(folders.annotations(&data, "metal/nut"), folder);
        let missing = folders.annotations(std::path::Path::new("no/such/folder"), "a");
        assert!(missing.starts_with("/home/anna/annotations"));
    }

    #[test]
    fn categories_become_names_any_system_accepts() {
        for (category, name) in [
            ("metal_nut", "metal_nut"),
            ("line 3: Ø40/a", "line 3_ Ø40_a"),
            ("..", "run"),
            ("", "run"),
        ] {
            assert_eq!(file_name(category), name);
        }
    }

    #[test]
    fn missing_and_empty_folders_are_free() {
        let root = tempfile::tempdir().unwrap();
        assert!(is_free(root.path()));
        assert!(is_free(&root.path().join("missing")));
        std::fs::write(root.path().join("a.png"), b"").unwrap();
        assert!(!is_free(root.path()));
        assert!(!is_free(&root.path().join("a.png")));
    }
}
