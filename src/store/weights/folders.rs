//! Where weight files are looked for and where the user's own are kept.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The user's own weights: what `flawscope weights import` and `fetch` fill. `None` when the system names no home.
pub fn user_folder() -> Option<PathBuf> {
    data_home(env::consts::OS, |name| env::var_os(name))
        .map(|home| home.join("flawscope").join("weights"))
}

/// All folders to search, first hit first: one the user names, `weights` in the current folder and beside the program,
/// then the user's own.
pub fn search_folders(named: Option<&Path>) -> Vec<PathBuf> {
    let beside = env::current_exe()
        .ok()
        .and_then(|exe| exe.parent().map(|folder| folder.join("weights")));
    let candidates = [
        named.map(Path::to_path_buf),
        Some(PathBuf::from("weights")),
        beside,
        user_folder(),
    ];
    candidates.into_iter().flatten().collect()
}

/// Each system's place for a program's data, from environment variables.
fn data_home(system: &str, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    // Relative paths in these variables are mistakes; the XDG base directory rules say to ignore them.
    let absolute = |name: &str| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.has_root())
    };
    match system {
        "windows" => absolute("LOCALAPPDATA").or_else(|| absolute("APPDATA")),
        "macos" => absolute("HOME").map(|home| home.join("Library").join("Application Support")),
        _ => absolute("XDG_DATA_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local").join("share"))),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};

    use super::{data_home, search_folders};

    fn home(system: &str, variables: &[(&str, &str)]) -> Option<PathBuf> {
        data_home(system, |name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn each_system_has_its_place() {
        let linux = [("HOME", "/home/a")];
        assert_eq!(home("linux", &linux), Some("/home/a/.local/share".into()));
        assert_eq!(
            home("linux", &[("XDG_DATA_HOME", "/data"), ("HOME", "/home/a")]),
            Some("/data".into())
        );
        assert_eq!(
            home("linux", &[("XDG_DATA_HOME", "data"), ("HOME", "/h")]),
            Some("/h/.local/share".into())
        );
        assert_eq!(
            home("macos", &linux),
            Some("/home/a/Library/Application Support".into())
        );
        assert_eq!(
            home("windows", &[("LOCALAPPDATA", "/local")]),
            Some("/local".into())
        );
    }

    #[test]
    fn without_a_home_there_is_no_user_folder() {
        for system in ["linux", "macos", "windows"] {
            assert_eq!(home(system, &[]), None);
        }
    }

    #[test]
    fn the_named_folder_comes_first() {
        assert_eq!(
            search_folders(Some(Path::new("mine")))[0],
            Path::new("mine")
        );
        assert_eq!(search_folders(None)[0], Path::new("weights"));
    }
}
