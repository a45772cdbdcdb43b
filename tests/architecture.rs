//! Reads the sources and fails when a folder imports what the architecture in `src/lib.rs` forbids.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;
use std::path::{Path, PathBuf};

/// Members of `src/` by level: a file may import only from lower levels or from its own member.
const LEVELS: [&[&str]; 8] = [
    &["cursor", "score_map", "ops"],
    &["models", "data", "metrics", "render"],
    &["config", "progress"],
    &["store"],
    &["pipeline", "report"],
    &["worker", "cli"],
    &["app"],
    &["main"],
];

/// Who may import these members, beyond what the levels say. Prefixes of paths below `src/`.
const RESERVED: [(&str, &[&str]); 2] = [
    (
        "ops",
        &["models/", "metrics/", "ops/", "pipeline/device.rs"],
    ),
    ("worker", &["worker/", "app/", "main.rs"]),
];

/// All that the window may know.
const APP_MAY_IMPORT: [&str; 8] = [
    "app",
    "config",
    "data",
    "metrics",
    "progress",
    "render",
    "score_map",
    "worker",
];

/// Text that may only stand in files with one of these path prefixes.
const FENCES: [(&str, &[&str]); 12] = [
    ("egui", &["app/"]),
    ("egui_plot", &["app/"]),
    ("eframe", &["app/"]),
    ("rfd::", &["app/"]),
    ("clap::", &["cli/", "cli.rs"]),
    ("indicatif::", &["cli/", "cli.rs"]),
    (
        "candle_core",
        &[
            "ops/",
            "models/",
            "pipeline/",
            "data/batch.rs",
            "store/checkpoint.rs",
            "store/model_file",
            "store/training_state",
            "store/weights",
        ],
    ),
    ("use image::", &["data/", "render/", "report/"]),
    ("println!", &["cli/", "cli.rs"]),
    (
        "thread::Builder",
        &["worker/", "data/prefetch.rs", "app/picker.rs"],
    ),
    ("thread::spawn", &[]),
    ("unsafe", &["ops/"]),
];

struct Source {
    /// Path below `src/` with `/` separators.
    path: String,
    /// The code without its tests and comments.
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let relative = path.strip_prefix(&root).unwrap();
                found.push(Source {
                    path: relative.to_str().unwrap().replace('\\', "/"),
                    code: code_of(&text),
                });
            }
        }
    }
    assert!(found.len() > 30, "the sources were not found");
    found
}

/// Drops what follows the unit tests' module and every comment.
fn code_of(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    let lines = code
        .lines()
        .map(|line| line.split("//").next().unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// `models/cfa/loss.rs` belongs to `models`, `cli.rs` to `cli`.
fn member(path: &str) -> &str {
    path.split('/')
        .next()
        .and_then(|first| first.split('.').next())
        .unwrap_or(path)
}

fn level(member: &str) -> usize {
    LEVELS
        .iter()
        .position(|names| names.contains(&member))
        .unwrap_or_else(|| panic!("`{member}` has no level: add it to tests/architecture.rs"))
}

/// The members of this crate that the code names.
fn imports(source: &Source) -> Vec<String> {
    let own_crate = if source.path == "main.rs" {
        "flawscope::"
    } else {
        "crate::"
    };
    let names = source.code.match_indices(own_crate).filter_map(|(at, _)| {
        let rest = &source.code[at + own_crate.len()..];
        let name: String = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        (!name.is_empty()).then_some(name)
    });
    names.collect()
}

#[test]
fn files_import_only_from_lower_levels() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| s.path != "lib.rs") {
        let own = member(&source.path);
        for imported in imports(source) {
            if imported != own && level(&imported) >= level(own) {
                wrong.push(format!("{} imports {imported}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn reserved_members_are_imported_only_by_their_own() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| s.path != "lib.rs") {
        for imported in imports(source) {
            for (name, allowed) in RESERVED {
                if imported == name && !allowed.iter().any(|p| source.path.starts_with(p)) {
                    wrong.push(format!("{} imports {name}", source.path));
                }
            }
            if source.path.starts_with("app/") && !APP_MAY_IMPORT.contains(&imported.as_str()) {
                wrong.push(format!("{} imports {imported}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn crates_and_threads_stay_behind_their_fences() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| s.path != "lib.rs") {
        for (text, allowed) in FENCES {
            if source.code.contains(text) && !allowed.iter().any(|p| source.path.starts_with(p)) {
                wrong.push(format!("{} contains `{text}`", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
