//! Where a report goes: the page, and the names of the two files beside it. Writes nothing.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};

use crate::store::run_folder::{EVALUATION, SCORES};

/// The three files of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub page: PathBuf,
    pub csv: PathBuf,
    pub json: PathBuf,
}

/// The files of a report that is to be written to `out`; a name without an ending becomes a page. Refuses what is a folder
/// or no page, and names that would replace the results of a run.
pub fn check_target(out: &Path) -> Result<Written> {
    let name = out.display();
    ensure!(
        !out.is_dir(),
        "{name} is a folder; name the file to write, such as {}",
        out.join("report.html").display()
    );
    ensure!(
        out.file_name().is_some(),
        "`{name}` names no file; name the file to write, such as report.html"
    );
    let page = match out.extension().map(OsStr::to_ascii_lowercase) {
        None => out.with_extension("html"),
        Some(ending) if ending == "html" || ending == "htm" => out.to_path_buf(),
        Some(_) => bail!("{name} is not the name of a page; let it end in .html"),
    };
    let written = Written {
        csv: page.with_extension("csv"),
        json: page.with_extension("json"),
        page,
    };
    for (file, own) in [(&written.csv, SCORES), (&written.json, EVALUATION)] {
        ensure!(
            file.file_name() != Some(own.as_ref()),
            "a report called {name} would write {own} beside it, which is the name of a run's own results; choose another \
             name, such as report.html"
        );
    }
    for file in [&written.page, &written.csv, &written.json] {
        ensure!(
            !file.is_dir(),
            "{} is a folder, and the report would write a file there; choose another name",
            file.display()
        );
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::check_target;

    fn refused(out: &Path) -> String {
        format!("{:#}", check_target(out).unwrap_err())
    }

    #[test]
    fn a_page_has_a_table_and_a_json_file_beside_it() {
        let written = check_target(Path::new("a b/Prüfling 1.2.html")).unwrap();
        assert_eq!(written.page, Path::new("a b/Prüfling 1.2.html"));
        assert_eq!(written.csv, Path::new("a b/Prüfling 1.2.csv"));
        assert_eq!(written.json, Path::new("a b/Prüfling 1.2.json"));
        let written = check_target(Path::new("report")).unwrap();
        assert_eq!(written.page, Path::new("report.html"));
        assert!(check_target(Path::new("R.HTM")).is_ok());
    }

    #[test]
    fn folders_other_files_and_names_of_results_are_refused_with_the_remedy() {
        let home = tempfile::tempdir().unwrap();
        assert!(refused(home.path()).contains("report.html"));
        std::fs::create_dir(home.path().join("r.csv")).unwrap();
        assert!(refused(&home.path().join("r.html")).contains("choose another name"));
        for name in ["report.json", "report.csv", "report.pdf"] {
            assert!(refused(Path::new(name)).contains("end in .html"));
        }
        for name in ["run/evaluation.html", "run/scores.html"] {
            assert!(refused(Path::new(name)).contains("choose another name"));
        }
        assert!(refused(Path::new("")).contains("name the file"));
    }
}
