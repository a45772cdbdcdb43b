//! A finished run as one page that needs nothing else: numbers with their protocol, limits and what they prove, pictures.

use std::path::Path;

use anyhow::Result;

use crate::store::{self, write_bytes};

/// Writes the report of a run at the limits in its model.
pub fn write(run: &Path, out: &Path) -> Result<()> {
    let run = store::open_run(run)?;
    write_bytes(out, run.checksum.as_bytes())
}
