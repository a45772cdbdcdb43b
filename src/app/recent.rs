//! Folders and runs opened lately. Saved between sessions; whether they still exist is seen when they are opened.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// How many of each are kept.
const KEPT: usize = 8;

/// What was opened lately, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    data: Vec<PathBuf>,
    runs: Vec<PathBuf>,
}

impl Recent {
    pub fn data(&self) -> &[PathBuf] {
        &self.data
    }

    pub fn runs(&self) -> &[PathBuf] {
        &self.runs
    }

    pub fn remember_data(&mut self, path: &Path) {
        remember(&mut self.data, path);
    }

    pub fn remember_run(&mut self, path: &Path) {
        remember(&mut self.runs, path);
    }

    pub fn forget(&mut self, path: &Path) {
        self.data.retain(|known| known != path);
        self.runs.retain(|known| known != path);
    }
}

fn remember(list: &mut Vec<PathBuf>, path: &Path) {
    list.retain(|known| known != path);
    list.insert(0, path.to_path_buf());
    list.truncate(KEPT);
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Recent};
    use std::path::{Path, PathBuf};

    #[test]
    fn the_newest_comes_first_and_nothing_twice() {
        let mut recent = Recent::default();
        for path in ["/a", "/b", "/a"] {
            recent.remember_data(Path::new(path));
        }
        assert_eq!(recent.data(), [PathBuf::from("/a"), PathBuf::from("/b")]);
        assert!(recent.runs().is_empty());
    }

    #[test]
    fn the_oldest_is_forgotten_when_there_are_too_many() {
        let mut recent = Recent::default();
        for i in 0..=KEPT {
            recent.remember_run(Path::new(&format!("/run{i}")));
        }
        assert_eq!(recent.runs().len(), KEPT);
        assert_eq!(recent.runs().last(), Some(&PathBuf::from("/run1")));
    }

    #[test]
    fn forgetting_takes_a_path_from_both_lists() {
        let mut recent = Recent::default();
        recent.remember_data(Path::new("/a"));
        recent.remember_run(Path::new("/a"));
        recent.forget(Path::new("/a"));
        assert_eq!(recent, Recent::default());
    }
}
