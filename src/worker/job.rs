//! Runs one command with the pipeline and answers with plain data. The thread around it is the lane's business.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;

use super::Jobs;
use super::message::{Command, Event, JobId};
use crate::config::{DeviceChoice, RunConfig};
use crate::data::synthetic::SampleSettings;
use crate::data::{self, OpenOptions, check::check_pictures};
use crate::pipeline::{self, EvaluateRequest};
use crate::progress::{Monitor, Outcome, Phase, Progress};
use crate::store;
use crate::store::weights::{find_weights, search_folders};

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
            }),
            Command::Train { config, out } => train(&config, &out, job, monitor)?,
            Command::OpenRun { path } => Some(open_run(&path, job)?),
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

fn train(
    config: &RunConfig,
    out: &Path,
    job: JobId,
    monitor: &dyn Monitor,
) -> Result<Option<Event>> {
    match pipeline::train(config, out, monitor)? {
        Outcome::Finished(_) => evaluate(out.to_path_buf(), None, job, monitor),
        Outcome::Cancelled => Ok(None),
    }
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
    };
    match pipeline::evaluate(&request, monitor)? {
        Outcome::Finished(_) => open_run(&request.run, job).map(Some),
        Outcome::Cancelled => Ok(None),
    }
}

fn open_run(path: &Path, job: JobId) -> Result<Event> {
    Ok(Event::RunOpened {
        job,
        run: Arc::new(store::open_run(path)?),
    })
}
