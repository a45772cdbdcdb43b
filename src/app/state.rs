//! What the window knows and what is selected. Plain data; changed by events and actions only, drawn elsewhere.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::job_progress::JobProgress;
use super::recent::Recent;
use crate::config::RunConfig;
use crate::data::check::CheckReport;
use crate::data::{Category, Dataset, OpenOptions, Severity};
use crate::progress::Progress;
use crate::worker::message::{Command, Event, JobId, RunSummary, WeightsInfo};

/// The four places of the left rail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Place {
    #[default]
    Data,
    Train,
    Inspect,
    Results,
}

impl Place {
    pub const ALL: [Self; 4] = [Self::Data, Self::Train, Self::Inspect, Self::Results];

    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "Data",
            Self::Train => "Train",
            Self::Inspect => "Inspect",
            Self::Results => "Results",
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
    /// The limits in force in the window; start at the run's own, follow the user's hand.
    pub image_limit: f32,
    pub pixel_limit: f32,
    pub data: Option<OpenData>,
    /// `None` until they were listed once.
    pub weights: Option<Vec<WeightsInfo>>,
    /// The job that runs now.
    pub job: Option<Job>,
    /// The last training that did not finish, to be shown and tried again.
    pub unfinished: Option<UnfinishedTraining>,
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

/// A training that was cancelled or failed.
#[derive(Debug, Clone)]
pub struct UnfinishedTraining {
    pub config: Box<RunConfig>,
    pub out: PathBuf,
    /// Why it failed; `None` when the user cancelled it.
    pub failure: Option<String>,
}

/// Something the user should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub severity: Severity,
    /// What happened, in a few words.
    pub title: String,
    /// The whole story, ready to be copied; may be empty.
    pub detail: String,
    /// Whether the place in view tells it already, so that it need not pop up as well.
    pub shown_in_place: bool,
}

/// What the user asked for. Panels return it; the app carries it out.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Go(Place),
    /// Open a folder as a data set, forgetting earlier corrections.
    OpenFolder(PathBuf),
    /// Open the data set that is open again, with these corrections.
    Reopen(OpenOptions),
    /// Open a run folder or a model file.
    OpenRun(PathBuf),
    /// Open whatever this path is: a data set, a run folder, a model file.
    OpenPath(PathBuf),
    /// Ask with the desktop's dialog for a data set folder, a run folder, or a file.
    Pick(Pick),
    TrySample,
    ChooseCategory(usize),
    ListWeights,
    Train {
        config: Box<RunConfig>,
        out: PathBuf,
    },
    /// Stop the running job.
    CancelJob,
    /// Take the note about the unfinished training away.
    ForgetUnfinished,
    ForgetRecent(PathBuf),
    Select(usize),
    SetImageLimit(f32),
    SetPixelLimit(f32),
    ResetLimits,
    CopyText(String),
}

/// What the desktop's dialog is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    DataFolder,
    RunFolder,
    ModelFile,
}

impl State {
    /// Takes in what the worker says. `now` is in seconds on any clock that only goes forward. Events of other jobs
    /// than the running one are dropped.
    pub fn apply(&mut self, event: Event, now: f64) {
        match event {
            Event::Preview { .. } => {}
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
            Event::WeightsListed { job, weights } => {
                if self.end(job).is_some() {
                    self.weights = Some(weights);
                }
            }
            Event::RunOpened { job, run } => {
                if let Some(ended) = self.end(job) {
                    self.run_opened(&ended, run, now);
                }
            }
            Event::Cancelled { job } => {
                if let Some(ended) = self.end(job) {
                    self.cancelled(ended);
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
        if matches!(command, Command::Train { .. }) {
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
            .filter(|job| matches!(job.command, Command::Train { .. }))
    }

    /// Puts the limits back to the run's own.
    pub fn reset_limits(&mut self) {
        if let Some(run) = &self.run {
            self.image_limit = run.image_limit.value;
            self.pixel_limit = run.pixel_limit.value;
        }
    }

    pub fn tell(
        &mut self,
        severity: Severity,
        title: impl Into<String>,
        detail: impl Into<String>,
    ) {
        self.messages.push(Message {
            severity,
            title: title.into(),
            detail: detail.into(),
            shown_in_place: false,
        });
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
        });
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
        if matches!(ended.command, Command::Train { .. }) {
            let took = super::words::duration(now - ended.progress.started());
            self.tell(
                Severity::Note,
                format!("Training finished in {took}"),
                run.path.display().to_string(),
            );
        }
        self.recent.remember_run(&run.path);
        self.run = Some(run);
        self.selected = 0;
        self.reset_limits();
        self.place = Place::Inspect;
    }

    fn cancelled(&mut self, ended: Job) {
        match ended.command {
            Command::Train { config, out } => {
                self.unfinished = Some(UnfinishedTraining {
                    config,
                    out,
                    failure: None,
                });
            }
            command => self.tell(
                Severity::Note,
                format!("{} was cancelled", title(&command)),
                "",
            ),
        }
    }

    fn failed(&mut self, ended: Job, message: String) {
        let in_place = self.place == Place::Train && matches!(ended.command, Command::Train { .. });
        self.messages.push(Message {
            severity: Severity::Error,
            title: format!("{} failed", title(&ended.command)),
            detail: message.clone(),
            shown_in_place: in_place,
        });
        if let Command::Train { config, out } = ended.command {
            self.unfinished = Some(UnfinishedTraining {
                config,
                out,
                failure: Some(message),
            });
        }
    }
}

/// What a command does, as it stands before "failed" or beside a progress bar.
pub fn title(command: &Command) -> String {
    match command {
        Command::OpenData { root, .. } => format!("Opening {}", last_name(root)),
        Command::MakeSample { .. } => "Drawing the sample data set".to_owned(),
        Command::ListWeights => "Looking for backbone weights".to_owned(),
        Command::Train { config, .. } => match &config.category {
            Some(category) => format!("Training on {category}"),
            None => format!("Training on {}", last_name(&config.data)),
        },
        Command::OpenRun { path } => format!("Opening {}", last_name(path)),
        Command::Evaluate { run, .. } => format!("Scoring with {}", last_name(run)),
    }
}

/// The last part of a path, or the whole path when it has none.
pub fn last_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::{Place, State};
    use crate::config::RunConfig;
    use crate::data::check::CheckReport;
    use crate::data::{Category, Dataset, LayoutKind, OpenOptions, Severity};
    use crate::metrics::{Limit, LimitOrigin};
    use crate::progress::{Phase, Progress};
    use crate::worker::message::{Command, Event, JobId, RunSummary};

    fn dataset(root: &str, categories: &[&str]) -> Arc<Dataset> {
        let category = |name: &&str| Category {
            name: (*name).to_owned(),
            train: Vec::new(),
            test: Vec::new(),
        };
        Arc::new(Dataset {
            root: PathBuf::from(root),
            layout: LayoutKind::Mvtec,
            categories: categories.iter().map(category).collect(),
            folders: Vec::new(),
            findings: Vec::new(),
        })
    }

    fn run() -> Arc<RunSummary> {
        let limit = |value| Limit {
            value,
            origin: LimitOrigin::HeldOutMaximum { pictures: 4 },
        };
        Arc::new(RunSummary {
            path: PathBuf::from("/runs/bottle-cfa"),
            config: config(),
            image_limit: limit(0.5),
            pixel_limit: limit(0.25),
            calibration_scores: vec![0.1, 0.5],
            scale: (0.0, 0.5),
            evaluation: None,
            samples: Vec::new(),
        })
    }

    fn config() -> RunConfig {
        RunConfig::first_look(&PathBuf::from("/data/bottle"))
    }

    fn train() -> Command {
        Command::Train {
            config: Box::new(config()),
            out: PathBuf::from("/runs/bottle-cfa"),
        }
    }

    fn open(root: &str) -> Command {
        Command::OpenData {
            root: PathBuf::from(root),
            options: OpenOptions::default(),
        }
    }

    fn opened(job: JobId, dataset: Arc<Dataset>) -> Event {
        Event::DataOpened {
            job,
            dataset,
            report: Arc::new(CheckReport::default()),
        }
    }

    const JOB: JobId = JobId(2);
    const OLDER: JobId = JobId(1);

    #[test]
    fn events_of_an_older_job_change_nothing() {
        let mut state = State::default();
        state.started(JOB, train(), 0.0);
        state.apply(opened(OLDER, dataset("/data/old", &["old"])), 1.0);
        state.apply(Event::Cancelled { job: OLDER }, 1.0);
        state.apply(
            Event::Progress {
                job: OLDER,
                progress: Progress::Phase {
                    phase: Phase::Scoring,
                    total: 3,
                },
            },
            1.0,
        );
        state.apply(
            Event::RunOpened {
                job: OLDER,
                run: run(),
            },
            1.0,
        );
        assert!(state.data.is_none() && state.run.is_none() && state.messages.is_empty());
        let job = state.job.expect("the newer job still runs");
        assert_eq!(job.progress.phase(), None);
    }

    #[test]
    fn an_event_after_the_job_has_closed_is_dropped() {
        let mut state = State::default();
        state.started(JOB, open("/data/a"), 0.0);
        state.apply(Event::Cancelled { job: JOB }, 1.0);
        state.apply(opened(JOB, dataset("/data/a", &["a"])), 1.0);
        assert!(state.data.is_none());
    }

    #[test]
    fn opened_data_is_shown_and_remembered() {
        let mut state = State {
            place: Place::Train,
            ..State::default()
        };
        state.started(JOB, open("/data/a"), 0.0);
        state.apply(opened(JOB, dataset("/data/a", &["a"])), 1.0);
        assert_eq!(state.place, Place::Data);
        assert!(state.job.is_none());
        assert_eq!(state.recent.data(), [PathBuf::from("/data/a")]);
    }

    #[test]
    fn the_chosen_category_survives_reopening_the_same_folder_only() {
        let mut state = State::default();
        state.started(OLDER, open("/data"), 0.0);
        state.apply(opened(OLDER, dataset("/data", &["a", "b"])), 1.0);
        state.data.as_mut().expect("open").category = 1;
        state.started(JOB, open("/data"), 1.0);
        state.apply(opened(JOB, dataset("/data", &["a", "aa", "b"])), 2.0);
        assert_eq!(state.data.as_ref().expect("open").category, 2);
        state.started(OLDER, open("/other"), 3.0);
        state.apply(opened(OLDER, dataset("/other", &["a", "b"])), 4.0);
        assert_eq!(state.data.as_ref().expect("open").category, 0);
    }

    #[test]
    fn a_finished_training_opens_inspect_with_the_runs_own_limits() {
        let mut state = State {
            selected: 7,
            ..State::default()
        };
        state.started(JOB, train(), 10.0);
        state.apply(
            Event::RunOpened {
                job: JOB,
                run: run(),
            },
            95.0,
        );
        assert_eq!(state.place, Place::Inspect);
        assert_eq!((state.image_limit, state.pixel_limit), (0.5, 0.25));
        assert_eq!(state.selected, 0);
        assert_eq!(state.messages[0].title, "Training finished in 1 min 25 s");
        assert_eq!(state.recent.runs(), [PathBuf::from("/runs/bottle-cfa")]);
    }

    #[test]
    fn a_failed_training_tells_why_and_can_be_tried_again() {
        let mut state = State::default();
        state.started(JOB, train(), 0.0);
        let message = "writing /runs: disk full".to_owned();
        state.apply(Event::Failed { job: JOB, message }, 1.0);
        let unfinished = state.unfinished.as_ref().expect("kept");
        assert_eq!(
            unfinished.failure.as_deref(),
            Some("writing /runs: disk full")
        );
        assert_eq!(state.messages[0].severity, Severity::Error);
        assert_eq!(state.messages[0].detail, "writing /runs: disk full");
        state.started(JOB, train(), 2.0);
        assert!(state.unfinished.is_none(), "trying again clears the note");
    }

    #[test]
    fn a_cancelled_training_is_kept_without_an_error() {
        let mut state = State::default();
        state.started(JOB, train(), 0.0);
        state.apply(Event::Cancelled { job: JOB }, 1.0);
        let unfinished = state.unfinished.expect("kept");
        assert_eq!(unfinished.failure, None);
        assert!(state.messages.is_empty());
    }

    #[test]
    fn listing_weights_keeps_nobody_waiting() {
        let mut state = State::default();
        state.started(JOB, Command::ListWeights, 0.0);
        assert!(!state.is_busy());
        state.apply(
            Event::WeightsListed {
                job: JOB,
                weights: Vec::new(),
            },
            0.1,
        );
        assert!(state.weights.is_some());
    }
}
