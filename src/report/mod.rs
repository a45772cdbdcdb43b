//! A finished run as one page that needs nothing else, with a table and a file of facts beside it. Judges by the limits in
//! the model and measures nothing anew.

mod charts;
mod csv;
mod data_uri;
mod date;
mod facts;
mod figure;
mod findings;
mod html;
mod json;
mod limits;
mod numbers;
mod page;
mod pictures;
mod protocol;
mod regions;
mod scores;
mod settings;
mod sizes;
mod source;
mod summary;
mod svg;
mod target;
mod worst;

use std::path::Path;

use anyhow::Result;

use crate::progress::{Monitor, Outcome, Phase, Progress};
use crate::store::write_together;

use facts::Facts;
use source::Source;
pub use target::{Written, check_target};

/// Writes the report of a run folder at the limits in its model: the page `out`, and beside it a table and a JSON file of
/// the same name. The same run at the same limits gives the same bytes; an interruption leaves all three or none.
pub fn write(run: &Path, out: &Path, monitor: &dyn Monitor) -> Result<Outcome<Written>> {
    let written = check_target(out)?;
    let facts = Facts::of(Source::open(run)?);
    monitor.report(Progress::Phase {
        phase: Phase::WritingReport,
        total: facts.rows().len() + facts.overkill.shown().len() + facts.escapes.shown().len(),
    });
    let Some(areas) = regions::largest(&facts, monitor) else {
        return Ok(Outcome::Cancelled);
    };
    let Some(pictures) = pictures::shown(&facts, monitor) else {
        return Ok(Outcome::Cancelled);
    };
    write_together(&[
        (written.csv.clone(), csv::table(&facts, &areas).into_bytes()),
        (written.json.clone(), json::file(&facts)?),
        (
            written.page.clone(),
            page::page(&facts, &pictures)?.into_bytes(),
        ),
    ])?;
    Ok(Outcome::Finished(written))
}
