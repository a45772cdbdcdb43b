//! A finished run as one page that needs nothing else, with a table and a JSON file beside it. The window and the command
//! line write the same bytes: everything comes from the run folder, nothing from the clock or the place it is written to.

mod curves;
mod data_uri;
mod facts;
mod html;
mod page;
mod pictures;
mod source;
mod svg;
mod tables;
mod words;

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use self::facts::Facts;
use self::source::Source;
use crate::store::write_bytes;

/// The page and the two files beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub page: PathBuf,
    /// One row per picture.
    pub table: PathBuf,
    /// Every number of the page.
    pub json: PathBuf,
}

/// Writes the report of a run at the limits in its model: `out`, and beside it the same name ending in `.csv` and `.json`.
/// Fails before writing anything when the run was not evaluated.
pub fn write(run: &Path, out: &Path) -> Result<Written> {
    ensure!(
        !out.is_dir(),
        "{} is a folder; name the file to write, such as report.html",
        out.display()
    );
    let written = Written {
        page: out.to_path_buf(),
        table: out.with_extension("csv"),
        json: out.with_extension("json"),
    };
    ensure!(
        written.table != written.page && written.json != written.page,
        "{}: a report is a web page; let its name end in .html",
        out.display()
    );
    let source = Source::open(run)?;
    let facts = Facts::of(&source);
    let examples = pictures::examples(&source, &facts);
    write_bytes(&written.table, tables::csv(&facts).as_bytes())?;
    write_bytes(&written.json, &tables::json(&facts)?)?;
    write_bytes(&written.page, page::page(&facts, &examples).as_bytes())?;
    Ok(written)
}
