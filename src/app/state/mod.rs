//! What the window knows and what is selected. Plain data; changed by events and actions only, drawn elsewhere.

mod annotated;
mod comparison;
mod limits;
mod messages;
mod taught;
mod unsaved;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::annotated::{Annotated, MaskKind};
pub use self::comparison::Comparison;
pub use self::limits::{LimitEdit, LimitsInForce};
pub use self::messages::Message;
pub use self::taught::Taught;
pub use self::unsaved::{Unsaved, UnsavedLimits};
pub use super::action::{Action, Pick};
use super::job_progress::JobProgress;
use super::recent::Recent;
use crate::config::RunConfig;
use crate::data::check::CheckReport;
use crate::data::{Category, Dataset, OpenOptions, Severity};
use crate::progress::Progress;
use crate::worker::annotations::Task;
use crate::worker::message::{
    Command, Event, Gpu, InterruptedTraining, JobId, RunSummary, WeightsInfo,
};

/// How many runs can be compared with the open one.
pub const COMPARED: usize = 2;

/// The places of the left rail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    #[default]
    Data,
    Train,
    Inspect,
    Results,
    Compare,
}

impl Place {
    pub const ALL: [Self; 5] = [
        Self::Data,
        Self::Train,
        Self::Inspect,
        Self::Results,
        Self::Compare,
    ];

    /// Whether there is nothing to see without an open run.
    pub fn needs_run(self) -> bool {
        matches!(self, Self::Inspect | Self::Results | Self::Compare)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "Data",
            Self::Train => "Train",
            Self::Inspect => "Inspect",
            Self::Results => "Results",
            Self::Compare => "Compare",
        }
    }
}

/// Everything the window knows.
#[derive(Debug, Default)]
pub struct State {
    pub place: Place,
    /// The run that Inspect and Results show.
    pub run: Option<Arc<RunSummary>>,
    /// Index into the run's samples and evaluation rows.
    pub selected: usize,
    /// The limits in force in the window, and the verdicts on the run's pictures.
    pub limits: LimitsInForce,
    /// Limits of other runs that were in force and not saved.
    pub unsaved: Unsaved,
    /// Other runs that are compared with it.
    pub comparisons: Vec<Comparison>,
    pub data: Option<OpenData>,
    /// `None` until they were listed once.
    pub weights: Option<Vec<WeightsInfo>>,
    /// The GPUs that could be trained on, or why there are none; `None` until they were listed once.
    pub gpus: Option<Result<Vec<Gpu>, String>>,
    /// The job that runs now.
    pub job: Option<Job>,
    /// The last training that did not finish, to be shown, gone on with or started again.
    pub unfinished: Option<UnfinishedTraining>,
    /// Examples of what a model that learns from defects would be taught, drawn last.
    pub taught: Option<Taught>,
    /// Everything worth telling since the window opened, oldest first.
    pub messages: Vec<Message>,
    pub recent: Recent,
}

/// The data set that Data and Train show.
#[derive(Debug, Clone)]
pub struct OpenData {
    pub dataset: Arc<Dataset>,
    pub report: Arc<CheckReport>,
    /// How it was opened: the user's corrections of what was detected.
    pub options: OpenOptions,
    /// Index of the chosen category.
    pub category: usize,
    /// Seen defects and painted masks of the categories that were chosen so far, by index.
    pub annotated: BTreeMap<usize, Annotated>,
}

impl OpenData {
    /// The chosen category; `None` only for a data set without any.
    pub fn category(&self) -> Option<&Category> {
        self.dataset.categories.get(self.category)
    }
}

/// A submitted command and what has been heard of it.
#[derive(Debug, Clone)]
pub struct Job {
    pub id: JobId,
    pub command: Command,
    pub progress: JobProgress,
    /// The user asked for it to stop.
    pub cancelling: bool,
}

/// A training that did not come to a model.
#[derive(Debug, Clone)]
pub struct UnfinishedTraining {
    /// What was asked for.
    pub config: Box<RunConfig>,
    pub out: PathBuf,
    pub ending: Ending,
    /// What its run folder keeps to go on from; `None` when it stopped before its first step.
    pub kept: Option<Arc<InterruptedTraining>>,
}

/// How a training came to be unfinished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    Cancelled,
    /// With the whole story.
    Failed(String),
    /// It was interrupted some time ago; its run folder was opened.
    Found,
}

impl State {
    /// Takes in what the worker says. `now` is in seconds on any clock that only goes forward. Events of other jobs
    /// than the running one are dropped.
    pub fn apply(&mut self, event: Event, now: f64) {
        match event {
            Event::Preview { .. } => {}
            Event::Annotated { order, result } => {
                let paints = matches!(order.task, Task::SaveMask { .. } | Task::RemoveMask { .. });
                if let Some(taught) = self.taught.as_mut().filter(|_| paints && result.is_ok()) {
                    taught.masks_changed = true;
                }
                self.annotated(&order, result);
            }
            Event::Progress { job, progress } => self.progressed(job, progress, now),
            Event::DataOpened {
                job,
                dataset,
                report,
            } => {
                if let Some(ended) = self.end(job) {
                    self.data_opened(&ended.command, dataset, report);
                }
            }
            Event::WeightsListed { job, weights, gpus } => {
                if self.end(job).is_some() {
                    self.weights = Some(weights);
                    self.gpus = Some(gpus);
                }
            }
            Event::RunOpened { job, run } => {
                if let Some(ended) = self.end(job) {
                    self.run_opened(&ended, run, now);
                }
            }
            Event::ComparisonOpened { job, run } => {
                if self.end(job).is_some() {
                    self.comparison_opened(run);
                }
            }
            Event::LimitsChanged { job, run } => self.limits_changed(job, run),
            Event::LimitsSaved { job } => {
                self.end(job);
            }
            Event::ReportWritten { job, out } => {
                if self.end(job).is_some() {
                    self.tell_of_file("The report is written", &out);
                }
            }
            Event::Interrupted {
                job,
                training,
                failure,
            } => {
                if let Some(ended) = self.end(job) {
                    self.interrupted(&ended, training, failure);
                }
            }
            Event::Discarded { job, run, is_gone } => {
                if self.end(job).is_some() {
                    self.discarded(&run, is_gone);
                }
            }
            Event::AugmentationDrawn { job, augmentation } => {
                if let Some(ended) = self.end(job) {
                    self.taught(ended, Ok(augmentation));
                }
            }
            Event::Cancelled { job } => {
                if let Some(ended) = self.end(job) {
                    self.cancelled(&ended.command);
                }
            }
            Event::Failed { job, message } => {
                if let Some(ended) = self.end(job) {
                    self.failed(ended, message);
                }
            }
        }
    }

    /// A command was accepted by the worker.
    pub fn started(&mut self, id: JobId, command: Command, now: f64) {
        if command.training().is_some() {
            self.unfinished = None;
        }
        self.job = Some(Job {
            id,
            command,
            progress: JobProgress::new(now),
            cancelling: false,
        });
    }

    /// Whether a job runs that the user is waiting for. Listing weights is not one: it is over in a blink.
    pub fn is_busy(&self) -> bool {
        self.job
            .as_ref()
            .is_some_and(|job| !matches!(job.command, Command::ListWeights))
    }

    /// The training that runs now.
    pub fn training(&self) -> Option<&Job> {
        self.job
            .as_ref()
            .filter(|job| job.command.training().is_some())
    }

    /// What the next session should offer again: also the training that runs now, should this session end before it.
    pub fn recent_for_next_time(&self) -> Recent {
        let mut recent = self.recent.clone();
        let job = self
            .training()
            .filter(|job| job.progress.has_begun_to_learn());
        if let Some((_, run)) = job.and_then(|job| job.command.training()) {
            recent.remember_run(run);
        }
        recent
    }

    /// Changes the limits in force; `now` as in [`State::apply`].
    pub fn edit_limits(&mut self, edit: &LimitEdit, now: f64) {
        if let Some(run) = &self.run {
            self.limits.edit(run, edit, now);
        }
    }

    /// Puts the limits back to what calibration proposed.
    pub fn reset_limits(&mut self, now: f64) {
        if let Some(run) = &self.run {
            let proposed = LimitEdit::Rule(run.proposed.clone());
            self.limits.edit(run, &proposed, now);
        }
    }

    pub fn undo_limits(&mut self) {
        if let Some(run) = &self.run {
            self.limits.undo(run);
        }
    }

    pub fn redo_limits(&mut self) {
        if let Some(run) = &self.run {
            self.limits.redo(run);
        }
    }

    /// T2: pictures that score this much or more fail.
    pub fn image_limit(&self) -> f32 {
        self.limits.rule().fail_from()
    }

    pub fn pixel_limit(&self) -> f32 {
        self.limits.rule().pixel.value
    }

    /// Ends the running job when it is this one.
    fn end(&mut self, job: JobId) -> Option<Job> {
        self.job.take_if(|running| running.id == job)
    }

    fn progressed(&mut self, job: JobId, progress: Progress, now: f64) {
        let Some(running) = self.job.as_mut().filter(|running| running.id == job) else {
            return;
        };
        running.progress.apply(progress, now);
    }

    fn data_opened(&mut self, command: &Command, dataset: Arc<Dataset>, report: Arc<CheckReport>) {
        let options = match command {
            Command::OpenData { options, .. } => options.clone(),
            _ => OpenOptions::default(),
        };
        self.recent.remember_data(&dataset.root);
        let category = self.category_again(&dataset);
        self.data = Some(OpenData {
            dataset,
            report,
            options,
            category,
            annotated: BTreeMap::new(),
        });
        self.taught = None;
        self.place = Place::Data;
    }

    /// The chosen category of the same data set opened again, else the first one.
    fn category_again(&self, dataset: &Dataset) -> usize {
        let before = self
            .data
            .as_ref()
            .filter(|data| data.dataset.root == dataset.root)
            .and_then(OpenData::category);
        before
            .and_then(|chosen| {
                dataset
                    .categories
                    .iter()
                    .position(|category| category.name == chosen.name)
            })
            .unwrap_or(0)
    }

    fn run_opened(&mut self, ended: &Job, run: Arc<RunSummary>, now: f64) {
        if ended.command.training().is_some() {
            let took = super::words::duration(now - ended.progress.started());
            let title = match &run.evaluation {
                None if ended.cancelling => "The model is trained, but not yet scored".to_owned(),
                _ => format!("Training finished in {took}"),
            };
            self.tell(Severity::Note, title, run.path.display().to_string());
        }
        self.recent.remember_run(&run.path);
        let others = std::mem::take(&mut self.comparisons).into_iter();
        let others = others.filter(|other| other.run.path != run.path);
        self.comparisons = others
            .map(|other| Comparison::with(&run, other.run))
            .collect();
        self.keep_unsaved_limits(&run.path);
        self.limits = LimitsInForce::of(&run);
        self.put_unsaved_limits_in_force(&run, now);
        self.run = Some(run);
        self.selected = 0;
        self.place = Place::Inspect;
    }

    /// The same run with other limits in its model: what is in force stays, with its way back.
    fn limits_changed(&mut self, job: JobId, run: Arc<RunSummary>) {
        let is_heard = self.job.as_ref().is_some_and(|running| running.id == job);
        let is_open = self.run.as_ref().is_some_and(|open| open.path == run.path);
        if is_heard && is_open {
            if self.limits.are_saved(&run) {
                self.tell_of_file("The limits are saved in the model", &run.path);
            }
            self.run = Some(run);
        }
    }

    fn comparison_opened(&mut self, run: Arc<RunSummary>) {
        self.recent.remember_run(&run.path);
        let Some(open) = &self.run else { return };
        if open.path == run.path {
            let detail = "Choose another run to compare it with";
            self.tell(Severity::Note, "This run is open already", detail);
            return;
        }
        if run.evaluation.is_none() {
            let detail = format!(
                "Open {} and evaluate it, then compare it",
                run.path.display()
            );
            self.tell(Severity::Warning, "This run has no results yet", detail);
            return;
        }
        let what = format!(
            "{} is compared with {}",
            last_name(&run.path),
            last_name(&open.path)
        );
        self.comparisons.retain(|other| other.run.path != run.path);
        self.comparisons.truncate(COMPARED - 1);
        let detail = run.path.display().to_string();
        self.comparisons.push(Comparison::with(open, run));
        self.place = Place::Compare;
        self.tell(Severity::Note, what, detail);
    }

    fn cancelled(&mut self, command: &Command) {
        if let Some((config, out)) = command.training() {
            self.unfinished = Some(UnfinishedTraining::new(config, out, Ending::Cancelled));
        } else {
            self.tell(
                Severity::Note,
                format!("{} was cancelled", title(command)),
                "",
            );
        }
    }

    fn failed(&mut self, ended: Job, message: String) {
        self.tell_failure(&ended.command, message.clone());
        if let Some((config, out)) = ended.command.training() {
            self.unfinished = Some(UnfinishedTraining::new(
                config,
                out,
                Ending::Failed(message),
            ));
        } else {
            self.taught(ended, Err(message));
        }
    }

    fn interrupted(
        &mut self,
        ended: &Job,
        kept: Arc<InterruptedTraining>,
        failure: Option<String>,
    ) {
        self.recent.remember_run(&kept.run);
        let asked = ended.command.training();
        let (config, out) = asked.unwrap_or((&kept.config, &kept.run));
        let ending = match failure {
            Some(message) => {
                self.tell_failure(&ended.command, message.clone());
                Ending::Failed(message)
            }
            None if asked.is_some() => Ending::Cancelled,
            None => Ending::Found,
        };
        if ending == Ending::Found {
            self.place = Place::Train;
        }
        let mut unfinished = UnfinishedTraining::new(config, out, ending);
        unfinished.kept = Some(kept);
        self.unfinished = Some(unfinished);
    }

    fn discarded(&mut self, run: &Path, is_gone: bool) {
        self.unfinished.take_if(|unfinished| unfinished.out == run);
        if is_gone {
            self.recent.forget(run);
        }
        let detail = run.display().to_string();
        self.tell(
            Severity::Note,
            "The unfinished training was discarded",
            detail,
        );
    }
}

impl UnfinishedTraining {
    fn new(config: &RunConfig, out: &Path, ending: Ending) -> Self {
        Self {
            config: Box::new(config.clone()),
            out: out.to_path_buf(),
            ending,
            kept: None,
        }
    }
}

/// Whether Train shows what becomes of it.
pub fn belongs_to_train(command: &Command) -> bool {
    command.training().is_some() || matches!(command, Command::PreviewAugmentation { .. })
}

/// What a command does, as it stands before "failed" or beside a progress bar.
pub fn title(command: &Command) -> String {
    match command {
        Command::OpenData { root, .. } => format!("Opening {}", last_name(root)),
        Command::MakeSample { .. } => "Drawing the sample data set".to_owned(),
        Command::ListWeights => "Looking for backbone weights".to_owned(),
        Command::Train { config, .. } => format!("Training on {}", product(config)),
        Command::Resume { training } => format!("Training on {}", product(&training.config)),
        Command::DiscardTraining { .. } => "Discarding a training".to_owned(),
        Command::PreviewAugmentation { config } => {
            format!("Drawing examples for {}", product(config))
        }
        Command::SaveLimits { run, .. } => format!("Saving the limits of {}", last_name(run)),
        Command::WriteReport { run, .. } => format!("Writing the report of {}", last_name(run)),
        Command::OpenRun { path } | Command::OpenComparison { path } => {
            format!("Opening {}", last_name(path))
        }
        Command::Evaluate { run, .. } => format!("Scoring with {}", last_name(run)),
    }
}

/// What a training is about: the category, or the folder when there is only one.
pub fn product(config: &RunConfig) -> String {
    let category = config.category.clone();
    category.unwrap_or_else(|| last_name(&config.data))
}

/// The last part of a path, or the whole path when it has none.
pub fn last_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests;
