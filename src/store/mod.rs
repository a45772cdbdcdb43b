//! What is on disk. The only place that names result files.

mod atomic;
mod container;
mod hash;
mod signed;

pub mod annotations;
pub mod checkpoint;
pub mod maps;
pub mod model_file;
pub mod npy;
pub mod regions;
pub mod results;
pub mod run_folder;
pub mod training_state;
pub mod weights;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

pub use self::hash::{sha256_of_file, sha256_of_reader};

use self::atomic::{Sealed, Staged, folder_of, unwritable, write_atomically};
pub use self::model_file::Limits;
use self::model_file::{ModelMeta, inspect};
pub use self::run_folder::RunFolder;
use crate::config::RunConfig;
use crate::data::Sample;
use crate::metrics::comparison::Compared;
use crate::metrics::{DecisionRule, Evaluation, Judgement, Limit, RegionTable};
use crate::models::backbone::BackboneKind;

/// A run as the window shows it: settings and results without tensors.
#[derive(Debug, Clone)]
pub struct RunSummary {
    /// The run folder, or the model file when a lone model was opened.
    pub path: PathBuf,
    pub config: RunConfig,
    /// Of the model file, hexadecimal.
    pub checksum: String,
    /// The limits in the model file, and the frozen colour scale.
    pub limits: Limits,
    /// What the held-out good pictures proposed when the model was trained.
    pub proposed: DecisionRule,
    /// Image scores of the held-out good pictures, ascending.
    pub calibration_scores: Vec<f32>,
    pub evaluation: Option<Arc<Evaluation>>,
    /// The evaluated pictures, in the order of `evaluation.images`; empty when there is no evaluation.
    pub samples: Vec<Sample>,
    /// How large the regions of each picture are at every limit; absent where an earlier program evaluated.
    pub regions: Option<Arc<RegionTable>>,
}

impl RunSummary {
    /// The name of its folder.
    pub fn name(&self) -> String {
        let name = self.path.file_name();
        name.map_or_else(
            || self.path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        )
    }

    /// As one of several runs, judged by `rule`; `None` when its pictures were not scored. `counterparts`: see
    /// [`Compared`].
    pub fn compared<'a>(
        &'a self,
        rule: &'a DecisionRule,
        judgement: &'a Judgement,
        counterparts: Option<&'a [Option<usize>]>,
    ) -> Option<Compared<'a>> {
        Some(Compared {
            evaluation: self.evaluation.as_deref()?,
            judgement,
            rule,
            low: self.limits.scale.0,
            category: self.config.category.as_deref(),
            counterparts,
        })
    }
}

/// A training that was interrupted and can go on, as the window shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct InterruptedTraining {
    /// The run folder that keeps it.
    pub run: PathBuf,
    pub config: RunConfig,
    /// How many epochs are finished.
    pub epochs: usize,
}

/// One set of backbone weights that is at hand or could be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightsInfo {
    pub kind: BackboneKind,
    pub origin: WeightsOrigin,
    /// Hexadecimal SHA-256.
    pub sha256: String,
    /// Whether the hash is one the program knows for this network.
    pub verified: bool,
}

/// Where weights are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WeightsOrigin {
    Embedded,
    File(PathBuf),
}

impl std::fmt::Display for WeightsOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded in the program"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Writes a file that other programs will read: whole, or not at all.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomically(path, |file| Ok(file.write_all(bytes)?))
}

/// Writes files that belong together: all are on the disk before the first of them gets its name.
pub fn write_together(files: &[(PathBuf, Vec<u8>)]) -> Result<()> {
    let mut sealed = Vec::with_capacity(files.len());
    for (path, bytes) in files {
        let mut staged = Staged::in_folder(folder_of(path))
            .with_context(|| format!("writing {}", path.display()))?;
        let written = staged.write_all(bytes);
        written.map_err(|error| unwritable(path, error))?;
        sealed.push(staged.seal(path.clone())?);
    }
    sealed.into_iter().try_for_each(Sealed::publish)
}

/// Reads a finished run: a run folder, the model file in one, or a lone model file, which has no evaluation.
pub fn open_run(path: &Path) -> Result<RunSummary> {
    ensure!(
        path.exists(),
        "{} does not exist; expected a run folder or a model file (.safetensors)",
        path.display()
    );
    let run = run_of(path)?;
    let model = match &run {
        Some(run) => inspect(&run.model_path())?,
        None => inspect(path)?,
    };
    let record = match &run {
        Some(run) => run.evaluation(model.identity())?,
        None => None,
    };
    let regions = match (&run, &record) {
        (Some(run), Some(record)) => run.regions(record)?,
        _ => None,
    };
    let (evaluation, samples) = match record {
        Some(record) => (Some(Arc::new(record.evaluation)), record.samples),
        None => (None, Vec::new()),
    };
    Ok(RunSummary {
        path: run.map_or_else(|| path.to_path_buf(), |run| run.path().to_path_buf()),
        proposed: proposed(&model.meta),
        config: model.meta.config,
        checksum: model.checksum,
        limits: model.meta.limits,
        calibration_scores: model.meta.calibration_scores,
        evaluation,
        samples,
        regions: regions.map(Arc::new),
    })
}

/// What calibration made of the held-out pictures, whatever limits were set since.
fn proposed(meta: &ModelMeta) -> DecisionRule {
    let quantile = meta.config.calibration.quantile;
    match Limit::from_held_out(&meta.calibration_scores, quantile) {
        // Calibration takes one number for both.
        Ok(limit) => DecisionRule::single(limit.clone(), limit),
        Err(_) => meta.limits.rule(),
    }
}

/// Gives the model of a run folder, or a lone model file, other limits. Its evaluation stays; the table of scores beside it
/// tells the verdicts at the new limits.
pub fn save_limits(path: &Path, limits: &Limits) -> Result<()> {
    let Some(run) = run_of(path)? else {
        return checkpoint::change_limits(path, limits);
    };
    let model = run.model_path();
    let record = run.evaluation(inspect(&model)?.identity())?;
    let scores = record.map(|record| run.stage_scores(&record, &limits.rule()));
    let scores = scores.transpose()?;
    checkpoint::change_limits(&model, limits)?;
    scores.map_or(Ok(()), Sealed::publish)
}

/// The training that waits in a run folder. The error says why there is none.
pub fn interrupted(run: &Path) -> Result<InterruptedTraining> {
    let folder = RunFolder::open_interrupted(run)?;
    let state = training_state::peek(&folder.training_path())?;
    Ok(InterruptedTraining {
        run: run.to_path_buf(),
        config: state.config,
        epochs: state.cursor.epoch,
    })
}

/// The run folder a path stands for when all that can be opened there is an interrupted training.
pub fn interrupted_folder(path: &Path) -> Option<&Path> {
    let is_state = path.file_name() == Some(run_folder::TRAINING.as_ref());
    let run = if is_state { folder_of(path) } else { path };
    let has = |name: &str| run.join(name).is_file();
    let waits = has(run_folder::TRAINING) && (is_state || !has(run_folder::MODEL));
    waits.then_some(run)
}

/// The run a path stands for: the folder itself, or the evaluated folder around its model file.
pub fn run_of(path: &Path) -> Result<Option<RunFolder>> {
    if path.is_dir() {
        return RunFolder::open(path).map(Some);
    }
    let is_model = path.file_name() == Some(run_folder::MODEL.as_ref());
    let run = RunFolder::open(folder_of(path)).ok();
    Ok(run.filter(|run| is_model && run.evaluation_path().exists()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use tempfile::TempDir;

    use super::run_folder::samples::{evaluation, measured, samples};
    use super::{
        RunFolder, checkpoint, interrupted, interrupted_folder, model_file, open_run, save_limits,
        write_together,
    };
    use crate::metrics::Limit;

    /// A run folder with a model and, at the returned path, a copy of the lone model.
    fn run() -> (TempDir, RunFolder, String) {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::create(&folder.path().join("run")).unwrap();
        let checksum =
            checkpoint::save(&run.model_path(), &model_file::samples::meta(), &[]).unwrap();
        (folder, run, checksum)
    }

    fn evaluate(run: &RunFolder, checksum: &str) {
        let maps = run.map_writer([]).unwrap();
        run.commit_evaluation(evaluation(2.0), samples(), checksum, measured(run, maps))
            .unwrap();
    }

    #[test]
    fn a_run_opens_with_and_without_its_evaluation() {
        let (_folder, run, checksum) = run();
        let summary = open_run(run.path()).unwrap();
        assert!(summary.evaluation.is_none() && summary.samples.is_empty());
        assert_eq!(summary.limits, model_file::samples::meta().limits);
        assert_eq!(summary.proposed.fail.value, 0.3_f32.next_up());
        evaluate(&run, &checksum);
        let summary = open_run(run.path()).unwrap();
        assert_eq!(summary.path, run.path());
        assert_eq!(*summary.evaluation.unwrap(), evaluation(2.0));
        assert_eq!(summary.samples, samples());
        assert_eq!(summary.regions.unwrap().pictures(), 2);
    }

    #[test]
    fn files_that_belong_together_all_appear_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let written = |name: &str| (path(name), name.as_bytes().to_vec());
        assert!(write_together(&[written("a"), written("absent/b")]).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        write_together(&[written("a"), written("b")]).unwrap();
        assert_eq!(fs::read_to_string(path("b")).unwrap(), "b");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_record_says_when_its_pictures_were_scored() {
        let (_folder, run, checksum) = run();
        evaluate(&run, &checksum);
        let record = run.evaluation(&checksum).unwrap().unwrap();
        assert!(
            record
                .scored_at
                .is_some_and(|seconds| seconds > 1_700_000_000)
        );
    }

    #[test]
    fn other_limits_are_saved_and_keep_the_evaluation() {
        let (_folder, run, checksum) = run();
        evaluate(&run, &checksum);
        let before = open_run(run.path()).unwrap();
        let rule = before.limits.rule().with_fail(Limit::manual(0.75));
        for (value, verdicts) in [(0.7, ["PASS", "FAIL"]), (0.45, ["REVIEW", "FAIL"])] {
            let rule = rule.clone().with_review(Some(Limit::manual(value)));
            let limits = before.limits.with_rule(rule, Some(12.5));
            save_limits(run.path(), &limits).unwrap();
            let after = open_run(run.path()).unwrap();
            assert_eq!(after.limits, limits);
            assert_ne!(after.checksum, before.checksum);
            assert_eq!(after.proposed, before.proposed);
            assert!(after.evaluation.is_some(), "scores do not depend on limits");
            let table = fs::read_to_string(run.scores_path()).unwrap();
            let told: Vec<&str> = table
                .lines()
                .skip(1)
                .filter_map(|l| l.rsplit(',').next())
                .collect();
            assert_eq!(told, verdicts, "the table follows the limits");
        }
        let crossed = before.limits.with_rule(
            crate::metrics::DecisionRule {
                review: Some(Limit::manual(9.0)),
                ..rule
            },
            None,
        );
        let error = format!("{:#}", save_limits(run.path(), &crossed).unwrap_err());
        assert!(error.contains("T1 (9) lies above T2"), "{error}");
        assert_eq!(
            open_run(run.path()).unwrap().limits.review.unwrap().value,
            0.45
        );
    }

    #[test]
    fn a_model_file_opens_alone_or_with_the_run_around_it() {
        let (folder, run, checksum) = run();
        let lone = folder.path().join("copy.safetensors");
        fs::copy(run.model_path(), &lone).unwrap();
        assert_eq!(open_run(&lone).unwrap().path, lone);
        assert_eq!(open_run(&run.model_path()).unwrap().path, run.model_path());
        evaluate(&run, &checksum);
        let summary = open_run(&run.model_path()).unwrap();
        assert_eq!(summary.path, run.path());
        assert!(summary.evaluation.is_some());
    }

    #[test]
    fn a_stale_evaluation_is_not_shown() {
        let (_folder, run, checksum) = run();
        evaluate(&run, &checksum);
        let mut meta = model_file::samples::meta();
        meta.limits.image.value += 1.0;
        checkpoint::save(&run.model_path(), &meta, &[]).unwrap();
        assert!(open_run(run.path()).unwrap().evaluation.is_none());
    }

    #[test]
    fn an_interrupted_training_is_found_where_no_model_is_or_by_its_file() {
        let (_folder, run, _) = run();
        let training = run.training_path();
        assert_eq!(interrupted_folder(run.path()), None);
        assert_eq!(interrupted_folder(&training), None);
        fs::write(&training, "state").unwrap();
        assert_eq!(
            interrupted_folder(run.path()),
            None,
            "the model comes first"
        );
        assert_eq!(interrupted_folder(&training), Some(run.path()));
        assert_eq!(interrupted_folder(&run.model_path()), None);
        fs::remove_file(run.model_path()).unwrap();
        assert_eq!(interrupted_folder(run.path()), Some(run.path()));
        assert!(interrupted(run.path()).is_err(), "but it is no state");
    }

    #[test]
    fn what_is_no_run_is_named_with_what_was_expected() {
        let folder = tempfile::tempdir().unwrap();
        let said = |path: &Path| format!("{:#}", open_run(path).unwrap_err());
        let absent = said(&folder.path().join("absent"));
        assert!(
            absent.contains("absent") && absent.contains("expected a run folder"),
            "{absent}"
        );
        let empty = said(folder.path());
        assert!(empty.contains("not a run folder"), "{empty}");
        fs::write(folder.path().join("training.safetensors"), "state").unwrap();
        let interrupted = said(folder.path());
        assert!(interrupted.contains("train --resume"), "{interrupted}");
        let notes = folder.path().join("notes.txt");
        fs::write(&notes, "not a model at all").unwrap();
        let notes = said(&notes);
        assert!(
            notes.contains("notes.txt is not a safetensors file"),
            "{notes}"
        );
    }
}
