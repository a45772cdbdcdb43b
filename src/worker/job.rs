//! Runs one command with the pipeline and answers with plain data. The thread around it is the lane's business.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};

use super::Jobs;
use super::message::{Command, Event, JobId, Limits};
use crate::config::{DeviceChoice, RunConfig};
use crate::data::synthetic::SampleSettings;
use crate::data::{self, OpenOptions, check::check_pictures};
use crate::pipeline::{self, EvaluateRequest, SeenPolicy, Trained};
use crate::progress::{Monitor, Outcome, Phase, Progress};
use crate::report;
use crate::store::weights::{find_weights, search_folders};
use crate::store::{self, RunFolder};

/// Examples of each kind that are drawn for people to look at.
const EXAMPLES: usize = 6;

/// The program's real jobs.
pub struct PipelineJobs;

impl Jobs for PipelineJobs {
    fn run(
        &self,
        command: Command,
        job: JobId,
        monitor: &dyn Monitor,
        emit: &dyn Fn(Event),
    ) -> Result<()> {
        let answer = match command {
            Command::OpenData { root, options } => open_data(&root, &options, job, monitor)?,
            Command::MakeSample { out, settings } => make_sample(&out, settings, job, monitor)?,
            Command::ListWeights => Some(Event::WeightsListed {
                job,
                weights: find_weights(&search_folders(None)),
                gpus: pipeline::gpus().map_err(|error| error.to_string()),
            }),
            Command::Train { config, out } => {
                after_training(pipeline::train(&config, &out, monitor), &out, job, monitor)?
            }
            Command::Resume { training } => {
                let run = &training.run;
                after_training(pipeline::resume(run, monitor), run, job, monitor)?
            }
            Command::DiscardTraining { run } => Some(discard(run, job)?),
            Command::PreviewAugmentation { config } => draw_examples(&config, job, monitor)?,
            Command::OpenRun { path } => Some(open(&path, job)?),
            Command::OpenComparison { path } => Some(Event::ComparisonOpened {
                job,
                run: Arc::new(store::open_run(&path)?),
            }),
            Command::SaveLimits { run, limits } => {
                save_limits(&run, &limits, job, emit)?;
                Some(Event::LimitsSaved { job })
            }
            Command::WriteReport { run, limits, out } => {
                // A name that is refused must not change the model.
                report::check_target(&out)?;
                if let Some(limits) = limits {
                    save_limits(&run, &limits, job, emit)?;
                }
                write_report(&run, &out, job, monitor)?
            }
            Command::Evaluate { run, data } => evaluate(run, data, job, monitor)?,
        };
        // No answer: the job was cancelled, which the lane says.
        if let Some(event) = answer {
            emit(event);
        }
        Ok(())
    }
}

fn open_data(
    root: &Path,
    options: &OpenOptions,
    job: JobId,
    monitor: &dyn Monitor,
) -> Result<Option<Event>> {
    let dataset = data::open(root, options)?;
    monitor.report(Progress::Phase {
        phase: Phase::ReadingPictures,
        total: dataset.pictures(),
    });
    let report = check_pictures(&dataset, &|done| {
        monitor.report(Progress::Step { done });
        !monitor.should_stop()
    });
    Ok(report.map(|report| Event::DataOpened {
        job,
        dataset: Arc::new(dataset),
        report: Arc::new(report),
    }))
}

fn make_sample(
    out: &Path,
    settings: SampleSettings,
    job: JobId,
    monitor: &dyn Monitor,
) -> Result<Option<Event>> {
    match pipeline::draw_sample(out, settings, monitor)? {
        Outcome::Finished(summary) => {
            open_data(&summary.root, &OpenOptions::default(), job, monitor)
        }
        Outcome::Cancelled => Ok(None),
    }
}

/// A finished training is judged and opened; of any other it is told whether it can go on.
fn after_training(
    outcome: Result<Outcome<Trained>>,
    run: &Path,
    job: JobId,
    monitor: &dyn Monitor,
) -> Result<Option<Event>> {
    match outcome {
        Ok(Outcome::Finished(_)) => judge(run, job, monitor),
        Ok(Outcome::Cancelled) => Ok(interrupted(run, job, None).ok()),
        Err(error) => match interrupted(run, job, Some(format!("{error:#}"))) {
            Ok(event) => Ok(Some(event)),
            Err(_) => Err(error),
        },
    }
}

/// Scores the test pictures of a run that was trained just now. Without scores the model is opened all the same.
fn judge(run: &Path, job: JobId, monitor: &dyn Monitor) -> Result<Option<Event>> {
    let judged = evaluate(run.to_path_buf(), None, job, monitor).with_context(|| {
        format!(
            "the model was trained and saved in {}, but its test pictures could not be scored",
            run.display()
        )
    })?;
    match judged {
        Some(event) => Ok(Some(event)),
        None => open_run(run, job).map(Some),
    }
}

fn interrupted(run: &Path, job: JobId, failure: Option<String>) -> Result<Event> {
    Ok(Event::Interrupted {
        job,
        training: Arc::new(store::interrupted(run)?),
        failure,
    })
}

fn discard(run: PathBuf, job: JobId) -> Result<Event> {
    let is_gone = RunFolder::open_interrupted(&run)?.discard_training()?;
    Ok(Event::Discarded { job, run, is_gone })
}

fn draw_examples(config: &RunConfig, job: JobId, monitor: &dyn Monitor) -> Result<Option<Event>> {
    let drawn = pipeline::preview_augmentation(config, EXAMPLES, monitor)?.finished();
    Ok(drawn.map(|augmentation| Event::AugmentationDrawn {
        job,
        augmentation: Arc::new(augmentation),
    }))
}

fn evaluate(
    run: PathBuf,
    data: Option<PathBuf>,
    job: JobId,
    monitor: &dyn Monitor,
) -> Result<Option<Event>> {
    let request = EvaluateRequest {
        run,
        data,
        category: None,
        weights: None,
        device: DeviceChoice::Auto,
        seen: SeenPolicy::LeaveOut,
    };
    match pipeline::evaluate(&request, monitor)? {
        Outcome::Finished(_) => open_run(&request.run, job).map(Some),
        Outcome::Cancelled => Ok(None),
    }
}

/// Gives the model of a run these limits, and tells how it is now.
fn save_limits(run: &Path, limits: &Limits, job: JobId, emit: &dyn Fn(Event)) -> Result<()> {
    let saved = store::save_limits(run, limits);
    // Also after a failure: the model may have them, though the table of scores has not.
    let now = store::open_run(run).map(|run| {
        let run = Arc::new(run);
        emit(Event::LimitsChanged { job, run });
    });
    saved.and(now)
}

fn write_report(
    run: &Path,
    out: &Path,
    job: JobId,
    monitor: &dyn Monitor,
) -> Result<Option<Event>> {
    match report::write(run, out, monitor)? {
        Outcome::Finished(written) => Ok(Some(Event::ReportWritten {
            job,
            out: written.page,
        })),
        Outcome::Cancelled => Ok(None),
    }
}

fn open(path: &Path, job: JobId) -> Result<Event> {
    match store::interrupted_folder(path) {
        Some(run) => interrupted(run, job, None),
        None => open_run(path, job),
    }
}

fn open_run(path: &Path, job: JobId) -> Result<Event> {
    Ok(Event::RunOpened {
        job,
        run: Arc::new(store::open_run(path)?),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::path::Path;

    use anyhow::{Context, anyhow};
    use tempfile::TempDir;

    use super::{EXAMPLES, after_training, discard, draw_examples, open};
    use crate::config::{BackboneKind, DefectsConfig, Recipe, RunConfig, SeenChoice};
    use crate::cursor::Cursor;
    use crate::data::synthetic::{SampleSettings, generate};
    use crate::progress::{Impatient, Outcome, Silent};
    use crate::store::RunFolder;
    use crate::store::model_file::BackboneIdentity;
    use crate::store::training_state::{self, EpochAccount, TrainingState};
    use crate::worker::message::{Event, JobId};

    const JOB: JobId = JobId(1);

    fn state() -> TrainingState {
        TrainingState {
            program_version: "0.1.0".to_owned(),
            config: RunConfig::first_look(Path::new("/data/bottle")),
            cursor: Cursor {
                epoch: 3,
                ..Cursor::default()
            },
            history: Vec::new(),
            account: EpochAccount::default(),
            data_fingerprint: String::new(),
            seen: Vec::new(),
            backbone: BackboneIdentity {
                kind: BackboneKind::EfficientNetLite0,
                sha256: String::new(),
                embedded: false,
            },
            tensors: HashMap::new(),
        }
    }

    fn interrupted_run() -> (TempDir, RunFolder) {
        let home = tempfile::tempdir().unwrap();
        let run = RunFolder::create(&home.path().join("run")).unwrap();
        training_state::save(&run.training_path(), &state()).unwrap();
        (home, run)
    }

    /// Epochs and failure of an interrupted training.
    fn told(event: Option<Event>) -> (usize, Option<String>) {
        match event {
            Some(Event::Interrupted {
                training, failure, ..
            }) => (training.epochs, failure),
            other => panic!("not interrupted: {other:?}"),
        }
    }

    #[test]
    fn a_folder_with_an_interrupted_training_is_opened_as_such_also_by_its_file() {
        let (_home, run) = interrupted_run();
        for path in [run.path(), &run.training_path()] {
            let event = open(path, JOB).unwrap();
            assert!(event.closes());
            let Event::Interrupted { training, .. } = &event else {
                panic!("{event:?}")
            };
            assert_eq!(training.run, run.path());
            assert_eq!(training.config, state().config);
            assert_eq!(told(Some(event)), (3, None));
        }
    }

    #[test]
    fn a_cancelled_or_failed_training_tells_whether_it_can_go_on() {
        let (home, run) = interrupted_run();
        let end = |outcome, run: &Path| after_training(outcome, run, JOB, &Silent);
        let cancelled = end(Ok(Outcome::Cancelled), run.path()).unwrap();
        assert_eq!(told(cancelled), (3, None));
        let failure = || Err(anyhow!("disk full")).context("writing");
        let failed = end(failure(), run.path()).unwrap();
        assert_eq!(told(failed), (3, Some("writing: disk full".to_owned())));

        let empty = home.path().join("empty");
        assert!(end(Ok(Outcome::Cancelled), &empty).unwrap().is_none());
        assert!(end(failure(), &empty).is_err());
    }

    #[test]
    fn discarding_deletes_the_training_and_the_folder_that_held_nothing_else() {
        let (_home, run) = interrupted_run();
        std::fs::write(run.path().join("notes.txt"), "keep").unwrap();
        let gone = |event| matches!(event, Event::Discarded { is_gone: true, .. });
        assert!(!gone(discard(run.path().to_path_buf(), JOB).unwrap()));
        assert!(run.path().join("notes.txt").exists() && !run.training_path().exists());
        let (_home, run) = interrupted_run();
        assert!(gone(discard(run.path().to_path_buf(), JOB).unwrap()));
        assert!(!run.path().exists());
        assert!(discard(run.path().to_path_buf(), JOB).is_err());
    }

    #[test]
    fn examples_of_what_is_taught_are_drawn_unless_cancelled_or_impossible() {
        let home = tempfile::tempdir().unwrap();
        generate(home.path(), &SampleSettings::with_count(16), &|_| true).unwrap();
        let mut config = RunConfig::first_look(home.path());
        config.defects = Some(DefectsConfig {
            seen: SeenChoice::Draw(2),
            ..DefectsConfig::synthetic(Recipe::Refined)
        });
        let Some(Event::AugmentationDrawn { augmentation, .. }) =
            draw_examples(&config, JOB, &Silent).unwrap()
        else {
            panic!("not drawn")
        };
        assert_eq!(augmentation.seen, 2);
        assert!(augmentation.examples.len() > 3 * EXAMPLES);
        assert!(!augmentation.products.is_empty() && !augmentation.reason.is_empty());
        assert!(draw_examples(&config, JOB, &Impatient).unwrap().is_none());

        config.data = home.path().join("nowhere");
        assert!(draw_examples(&config, JOB, &Silent).is_err());
    }
}
