use std::path::PathBuf;
use std::sync::Arc;

use super::{Ending, Place, State, title};
use crate::config::{DefectsConfig, Recipe, RunConfig};
use crate::data::augment::ForegroundRule;
use crate::data::check::CheckReport;
use crate::data::image::Orientation;
use crate::data::{Category, Dataset, Label, LayoutKind, OpenOptions, Sample, Severity};
use crate::metrics::{DecisionRule, Limit, LimitOrigin};
use crate::progress::{Phase, Progress};
use crate::worker::annotations::{Answer, Order, Task};
use crate::worker::message::{
    Augmentation, Command, Event, InterruptedTraining, JobId, Limits, RunSummary,
};

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
        checksum: "5c".repeat(32),
        limits: Limits::new(limit(0.5), limit(0.25), (0.0, 0.5)),
        proposed: DecisionRule::single(limit(0.5), limit(0.25)),
        calibration_scores: vec![0.1, 0.5],
        evaluation: None,
        samples: Vec::new(),
        regions: None,
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

fn interrupted(failure: Option<&str>) -> Event {
    let training = InterruptedTraining {
        run: PathBuf::from("/runs/bottle-cfa"),
        config: config(),
        epochs: 3,
    };
    Event::Interrupted {
        job: JOB,
        training: Arc::new(training),
        failure: failure.map(str::to_owned),
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
    assert_eq!((state.image_limit(), state.pixel_limit()), (0.5, 0.25));
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
    let story = "writing /runs: disk full".to_owned();
    assert_eq!(unfinished.ending, Ending::Failed(story));
    assert!(
        unfinished.kept.is_none(),
        "it had not come to its first step"
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
    assert_eq!(unfinished.ending, Ending::Cancelled);
    assert!(state.messages.is_empty());
}

#[test]
fn an_interrupted_training_can_go_on_and_its_folder_is_remembered() {
    let mut state = State::default();
    state.started(JOB, train(), 0.0);
    state.apply(interrupted(None), 1.0);
    let unfinished = state.unfinished.as_ref().expect("kept");
    assert_eq!(unfinished.ending, Ending::Cancelled);
    let kept = unfinished.kept.clone().expect("on disk");
    assert_eq!(state.recent.runs(), [PathBuf::from("/runs/bottle-cfa")]);
    assert!(state.messages.is_empty());

    state.started(JOB, Command::Resume { training: kept }, 2.0);
    assert!(state.unfinished.is_none() && state.training().is_some());
    assert_eq!(
        title(&state.job.as_ref().expect("runs").command),
        "Training on bottle"
    );
    state.apply(interrupted(Some("the loss became NaN")), 3.0);
    let unfinished = state.unfinished.as_ref().expect("kept");
    assert_eq!(
        unfinished.ending,
        Ending::Failed("the loss became NaN".to_owned())
    );
    assert!(unfinished.kept.is_some());
    assert_eq!(state.messages[0].severity, Severity::Error);
}

#[test]
fn an_opened_folder_with_an_interrupted_training_leads_to_its_note() {
    let mut state = State::default();
    let path = PathBuf::from("/runs/bottle-cfa");
    state.started(JOB, Command::OpenRun { path }, 0.0);
    state.apply(interrupted(None), 1.0);
    let unfinished = state.unfinished.as_ref().expect("shown");
    assert_eq!(
        (state.place, &unfinished.ending),
        (Place::Train, &Ending::Found)
    );
    assert_eq!(*unfinished.config, config());
    assert!(state.messages.is_empty() && state.run.is_none());
}

#[test]
fn a_discarded_training_is_forgotten_and_only_an_empty_folder_too() {
    for is_gone in [true, false] {
        let mut state = State::default();
        state.started(JOB, train(), 0.0);
        state.apply(interrupted(None), 1.0);
        let run = PathBuf::from("/runs/bottle-cfa");
        state.started(JOB, Command::DiscardTraining { run: run.clone() }, 2.0);
        assert!(state.unfinished.is_some(), "not before it happened");
        state.apply(
            Event::Discarded {
                job: JOB,
                run,
                is_gone,
            },
            3.0,
        );
        assert!(state.unfinished.is_none());
        assert_eq!(state.recent.runs().is_empty(), is_gone);
    }
}

#[test]
fn a_training_cancelled_while_scoring_ends_with_its_model() {
    let mut state = State::default();
    state.started(JOB, train(), 0.0);
    state.job.as_mut().expect("runs").cancelling = true;
    state.apply(
        Event::RunOpened {
            job: JOB,
            run: run(),
        },
        9.0,
    );
    assert_eq!(
        state.messages[0].title,
        "The model is trained, but not yet scored"
    );
    assert!(state.run.is_some() && state.unfinished.is_none());
}

#[test]
fn a_training_that_runs_when_the_window_closes_is_offered_next_time() {
    let mut state = State::default();
    state.started(JOB, train(), 0.0);
    assert!(
        state.recent_for_next_time().runs().is_empty(),
        "nothing to go on with"
    );
    let (phase, total) = (Phase::Training, 9);
    let progress = Progress::Phase { phase, total };
    state.apply(Event::Progress { job: JOB, progress }, 0.5);
    assert!(state.recent.runs().is_empty());
    let next = state.recent_for_next_time();
    assert_eq!(next.runs(), [PathBuf::from("/runs/bottle-cfa")]);
    state.apply(Event::Cancelled { job: JOB }, 1.0);
    assert!(state.recent_for_next_time().runs().is_empty());
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
            gpus: Ok(Vec::new()),
        },
        0.1,
    );
    assert!(state.weights.is_some());
}

fn learns_from_defects() -> RunConfig {
    RunConfig {
        defects: Some(DefectsConfig::synthetic(Recipe::Refined)),
        ..config()
    }
}

fn drawn() -> Arc<Augmentation> {
    Arc::new(Augmentation {
        examples: Vec::new(),
        products: Vec::new(),
        rule: ForegroundRule::Dark,
        reason: "a dark product".to_owned(),
        seen: 0,
    })
}

/// Examples were asked for, and this was the answer.
fn after_drawing(answer: impl FnOnce(JobId) -> Event) -> State {
    let mut state = State {
        place: Place::Train,
        ..State::default()
    };
    let config = Box::new(learns_from_defects());
    state.started(JOB, Command::PreviewAugmentation { config }, 0.0);
    assert!(state.is_busy() && state.drawing().is_some() && state.training().is_none());
    let text = "left out: 3.png".to_owned();
    let progress = Progress::Warning { text };
    state.apply(Event::Progress { job: JOB, progress }, 0.5);
    state.apply(answer(JOB), 1.0);
    assert!(state.job.is_none());
    state
}

fn finished(job: JobId) -> Event {
    Event::AugmentationDrawn {
        job,
        augmentation: drawn(),
    }
}

#[test]
fn examples_are_kept_with_their_settings_and_what_was_left_out() {
    let state = after_drawing(finished);
    let taught = state.taught.as_ref().unwrap();
    assert_eq!(taught.warnings, ["left out: 3.png"]);
    let mut config = learns_from_defects();
    config.seed = 9;
    assert!(taught.is_of(&config), "only the seed differs");
    assert_eq!(taught.product_reason(&config), Some("a dark product"));
    config.defects.as_mut().unwrap().textures = Some(PathBuf::from("/dtd"));
    assert!(!taught.is_of(&config));
    assert!(taught.product_reason(&config).is_some(), "the same product");
    config.defects.as_mut().unwrap().foreground = ForegroundRule::Bright;
    assert_eq!(taught.product_reason(&config), None);
    config = learns_from_defects();
    config.category = Some("cable".to_owned());
    assert_eq!(taught.product_reason(&config), None);
    assert!(!taught.is_of(&config));
}

#[test]
fn a_painted_mask_makes_the_examples_old_and_another_data_set_forgets_them() {
    let mut state = after_drawing(finished);
    let sample = Sample {
        id: "a".to_owned(),
        image: PathBuf::from("a.png"),
        masks: Vec::new(),
        label: Label::Defective,
        defect: "dent".to_owned(),
        orientation: Orientation::Ignore,
    };
    let answer = |result| Event::Annotated {
        order: Order {
            folder: PathBuf::from("/notes"),
            task: Task::RemoveMask {
                sample: sample.clone(),
            },
        },
        result,
    };
    let is_old = |state: &State| state.taught.as_ref().unwrap().masks_changed;
    state.apply(answer(Err("disk full".to_owned())), 2.0);
    assert!(!is_old(&state), "the mask is as it was");
    state.apply(answer(Ok(Answer::Done)), 2.0);
    assert!(is_old(&state));
    assert!(!state.taught.as_ref().unwrap().is_of(&learns_from_defects()));

    let root = PathBuf::from("/data");
    let options = OpenOptions::default();
    state.started(JOB, Command::OpenData { root, options }, 3.0);
    let opened = Event::DataOpened {
        job: JOB,
        dataset: dataset("/data", &["bottle"]),
        report: Arc::new(CheckReport::default()),
    };
    state.apply(opened, 4.0);
    assert!(state.taught.is_none());
}

#[test]
fn a_drawing_that_fails_is_told_in_its_place_and_leaves_no_unfinished_training() {
    let state = after_drawing(|job| Event::Failed {
        job,
        message: "no textures".to_owned(),
    });
    let taught = state.taught.as_ref().unwrap();
    assert_eq!(taught.drawn.as_ref().err().unwrap(), "no textures");
    assert!(state.unfinished.is_none());
    assert!(state.messages.last().unwrap().shown_in_place);
    let cancelled = after_drawing(|job| Event::Cancelled { job });
    assert!(cancelled.taught.is_none() && cancelled.unfinished.is_none());
}

#[test]
fn a_run_without_results_is_not_compared_and_the_remedy_is_told() {
    let mut state = State {
        run: Some(run()),
        ..State::default()
    };
    let mut other = Arc::unwrap_or_clone(run());
    other.path = PathBuf::from("/runs/unscored");
    let path = other.path.clone();
    state.started(JOB, Command::OpenComparison { path }, 0.0);
    let run = Arc::new(other);
    state.apply(Event::ComparisonOpened { job: JOB, run }, 1.0);
    assert!(state.comparisons.is_empty() && !state.is_busy());
    let told = state.messages.last().expect("a message");
    assert_eq!(told.title, "This run has no results yet");
    assert!(told.detail.contains("/runs/unscored"));
}
