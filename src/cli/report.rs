//! `flawscope report`.

use anyhow::Result;

use super::arguments::ReportArguments;
use super::output;
use crate::report;

/// Writes the report at the limits in the run's model and names the files.
pub fn run(arguments: &ReportArguments) -> Result<()> {
    let written = report::write(&arguments.run, &arguments.out)?;
    for file in [&written.page, &written.table, &written.json] {
        output::line(&file.display().to_string());
    }
    Ok(())
}
