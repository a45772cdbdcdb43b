//! What a report is made from: a run's model, its evaluation and what was measured with it. Reads files, judges nothing.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::metrics::RegionTable;
use crate::store::RunFolder;
use crate::store::maps::MapReader;
use crate::store::model_file::{CheckedModel, inspect};
use crate::store::results::EvaluationRecord;
use crate::store::run_folder::MODEL;

/// A run that was evaluated.
pub struct Source {
    pub run: RunFolder,
    pub model: CheckedModel,
    pub record: EvaluationRecord,
    /// Absent where an earlier program evaluated.
    pub regions: Option<RegionTable>,
    /// When the record was written.
    pub scored: Option<SystemTime>,
}

impl Source {
    /// Opens a run folder, or the one around its model file.
    pub fn open(path: &Path) -> Result<Self> {
        let run = RunFolder::open(&folder_of_run(path))?;
        let model = inspect(&run.model_path())?;
        let record = run.evaluation(model.identity())?.with_context(|| {
            format!(
                "{run} has no evaluation of its model, so there is nothing to report; score its test pictures first: \
                 flawscope eval --run {run}",
                run = run.path().display()
            )
        })?;
        let written = run.evaluation_path().metadata().and_then(|m| m.modified());
        Ok(Self {
            regions: run.regions(&record)?,
            scored: written.ok(),
            run,
            model,
            record,
        })
    }

    /// The name of the run's folder: the same however the folder was named by whoever opened it.
    pub fn name(&self) -> String {
        let whole = self.run.path().canonicalize();
        let whole = whole.unwrap_or_else(|_| self.run.path().to_path_buf());
        let name = whole.file_name().unwrap_or(whole.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// The raw score maps. A report does without them when they are gone.
    pub fn maps(&self) -> Result<MapReader> {
        self.run.maps(&self.record)
    }
}

fn folder_of_run(path: &Path) -> PathBuf {
    let is_model = path.file_name() == Some(MODEL.as_ref()) && path.is_file();
    match path.parent() {
        Some(parent) if is_model && parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) if is_model => parent.to_path_buf(),
        _ => path.to_path_buf(),
    }
}
