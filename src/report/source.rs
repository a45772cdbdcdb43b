//! What a report is made from: a run's model, its evaluation and what was measured with it. Reads files, judges nothing.

use std::path::Path;

use anyhow::{Context, Result};

use crate::metrics::RegionTable;
use crate::store::maps::MapReader;
use crate::store::model_file::{CheckedModel, inspect};
use crate::store::results::EvaluationRecord;
use crate::store::run_of;

/// A run that was evaluated.
#[derive(Debug)]
pub struct Source {
    /// The name of the run's folder: the same however the folder was named by whoever opened it.
    pub run: String,
    pub model: CheckedModel,
    pub record: EvaluationRecord,
    /// Absent where an earlier program evaluated.
    pub regions: Option<RegionTable>,
    /// The raw score maps, or why there are none: a report does without them.
    pub maps: Result<MapReader, String>,
}

impl Source {
    /// Opens a run folder, or the one around its model file.
    pub fn open(path: &Path) -> Result<Self> {
        let nothing = || {
            format!(
                "{run} has no evaluation of its model, so there is nothing to report; score its test pictures first: \
                 `flawscope eval --run {run}`",
                run = path.display()
            )
        };
        let run = run_of(path)?.with_context(nothing)?;
        let model = inspect(&run.model_path())?;
        let record = run.evaluation(model.identity())?.with_context(nothing)?;
        Ok(Self {
            run: folder_name(run.path()),
            regions: run.regions(&record)?,
            maps: run.maps(&record).map_err(|error| format!("{error:#}")),
            model,
            record,
        })
    }
}

fn folder_name(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let name = whole.file_name().unwrap_or(whole.as_os_str());
    name.to_string_lossy().into_owned()
}
