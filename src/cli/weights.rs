//! `flawscope weights`: what is there, bring more.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::arguments::WeightsCommand;
use super::console::Console;
use super::output;
use crate::progress::{Monitor, Outcome, Phase, Progress};
use crate::store::WeightsInfo;
use crate::store::weights::{
    self, Precision, fetchable, find_weights, search_folders, user_folder,
};

pub fn run(command: WeightsCommand) -> Result<()> {
    match command {
        WeightsCommand::List { json } => list(json),
        WeightsCommand::Import { file } => import(&file),
        WeightsCommand::Fetch { name, url } => fetch(&name, url.as_deref()),
        WeightsCommand::Convert {
            input,
            output,
            half,
        } => convert(&input, &output, half),
    }
}

fn list(json: bool) -> Result<()> {
    let found = find_weights(&search_folders(None));
    if json {
        let found: Vec<_> = found.iter().map(as_json).collect();
        let fetchable: Vec<_> = fetchable()
            .map(|known| json!({ "name": known.name, "sha256": known.sha256, "note": known.note }))
            .collect();
        return output::json(&json!({ "found": found, "fetchable": fetchable }));
    }
    output::line("At hand");
    for info in &found {
        let known = if info.verified {
            "known"
        } else {
            "unknown hash"
        };
        output::line(&format!(
            "  {:<20} {}  {known}  {}",
            info.kind.name(),
            &info.sha256[..12],
            info.origin
        ));
    }
    output::line("");
    output::line("Can be fetched with `flawscope weights fetch NAME`");
    for known in fetchable() {
        output::line(&format!("  {:<28} {}", known.name, known.note));
    }
    if let Some(folder) = user_folder() {
        output::line("");
        output::line(&format!("Your folder for weights: {}", folder.display()));
    }
    Ok(())
}

fn as_json(info: &WeightsInfo) -> serde_json::Value {
    json!({
        "backbone": info.kind.name(),
        "origin": info.origin.to_string(),
        "sha256": info.sha256,
        "verified": info.verified,
    })
}

fn own_folder() -> Result<PathBuf> {
    user_folder().context("your folder for weights is unknown: set XDG_DATA_HOME or HOME")
}

fn import(file: &Path) -> Result<()> {
    let info = weights::import(file, &own_folder()?)?;
    output::line(&format!("{} is now at {}", info.kind.name(), info.origin));
    Ok(())
}

fn fetch(name: &str, url: Option<&str>) -> Result<()> {
    let folder = own_folder()?;
    let console = Console::new();
    let total_told = Cell::new(None);
    let fetched = weights::fetch(name, url, &folder, &|done, total| {
        if total_told.replace(Some(total)) != Some(total) {
            console.report(Progress::Phase {
                phase: Phase::Downloading,
                total: total as usize,
            });
        }
        console.report(Progress::Step {
            done: done as usize,
        });
        !console.should_stop()
    });
    drop(console);
    match fetched? {
        Outcome::Finished(path) => output::line(&format!("{name} is now at {}", path.display())),
        Outcome::Cancelled => bail!("the download was cancelled; it goes on from here next time"),
    }
    Ok(())
}

fn convert(input: &Path, target: &Path, half: bool) -> Result<()> {
    let precision = if half {
        Precision::Half
    } else {
        Precision::Full
    };
    let done = weights::convert(input, target, precision)?;
    output::line(&format!(
        "{}: {} tensors, {} dropped, {:.1} MB",
        done.kind.name(),
        done.tensors,
        done.dropped,
        done.bytes as f64 / 1e6
    ));
    output::line(&format!(
        "source  {}  {}",
        done.source_sha256,
        input.display()
    ));
    output::line(&format!("result  {}  {}", done.sha256, target.display()));
    Ok(())
}
