//! `flawscope report`.

use anyhow::{Context, Result};

use super::arguments::ReportArguments;
use super::console::Console;
use super::output;
use crate::report::{self, Written};

/// Writes the report at the limits in the run's model and names the files.
pub fn run(arguments: &ReportArguments) -> Result<()> {
    let Written { page, csv, json } = {
        let console = Console::new();
        report::write(&arguments.run, &arguments.out, &console)?
            .finished()
            .context("the report was cancelled; nothing was written")?
    };
    for (file, what) in [
        (page, "the report"),
        (csv, "one row for each picture"),
        (json, "the same facts for programs"),
    ] {
        output::line(&format!("{}  {what}", file.display()));
    }
    Ok(())
}
