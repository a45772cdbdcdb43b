//! What the window asks of the worker and what the worker answers. Plain owned data; no tensors, no handles.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::annotations::{Answer, Order};
use crate::config::RunConfig;
use crate::data::check::CheckReport;
use crate::data::synthetic::SampleSettings;
use crate::data::{Dataset, OpenOptions, Sample};
use crate::progress::Progress;
use crate::score_map::ScoreMap;

pub use crate::pipeline::{Augmentation, Gpu};
pub use crate::store::{InterruptedTraining, Limits, RunSummary, WeightsInfo, WeightsOrigin};

/// Names one submitted command; events carry it so that those of an older job can be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

/// One job. The worker runs one at a time and refuses a second.
#[derive(Debug, Clone)]
pub enum Command {
    /// List a data set and look at every picture in it.
    OpenData { root: PathBuf, options: OpenOptions },
    /// Draw the built-in sample data set into `out`, then open it.
    MakeSample {
        out: PathBuf,
        settings: SampleSettings,
    },
    /// Which backbone weights and which GPUs there are.
    ListWeights,
    /// Train, save the model in the run folder `out`, score the test pictures, then open the run.
    Train {
        config: Box<RunConfig>,
        out: PathBuf,
    },
    /// Go on with an interrupted training, then as after [`Command::Train`].
    Resume { training: Arc<InterruptedTraining> },
    /// Delete what an interrupted training left in its run folder. A model there stays.
    DiscardTraining { run: PathBuf },
    /// Draw examples of what a model that learns from defects would be taught, without training it.
    PreviewAugmentation { config: Box<RunConfig> },
    /// Open a run folder or a model file.
    OpenRun { path: PathBuf },
    /// Open another run beside the one that is open, to compare them.
    OpenComparison { path: PathBuf },
    /// Write these limits into the model of a run.
    SaveLimits { run: PathBuf, limits: Box<Limits> },
    /// Write the report of a run, after giving its model these limits if there are any.
    WriteReport {
        run: PathBuf,
        limits: Option<Box<Limits>>,
        out: PathBuf,
    },
    /// Score the test pictures of `data` (or of the run's own data set) with a trained run, then open it.
    Evaluate { run: PathBuf, data: Option<PathBuf> },
}

impl Command {
    /// Settings and run folder, when this trains.
    pub fn training(&self) -> Option<(&RunConfig, &Path)> {
        match self {
            Self::Train { config, out } => Some((config, out)),
            Self::Resume { training } => Some((&training.config, &training.run)),
            _ => None,
        }
    }
}

/// What a job tells the window.
#[derive(Debug, Clone)]
pub enum Event {
    Progress {
        job: JobId,
        progress: Progress,
    },
    DataOpened {
        job: JobId,
        dataset: Arc<Dataset>,
        report: Arc<CheckReport>,
    },
    WeightsListed {
        job: JobId,
        weights: Vec<WeightsInfo>,
        /// The GPUs that could be trained on, or why there are none.
        gpus: Result<Vec<Gpu>, String>,
    },
    RunOpened {
        job: JobId,
        run: Arc<RunSummary>,
    },
    /// What [`Command::OpenComparison`] asked for.
    ComparisonOpened {
        job: JobId,
        run: Arc<RunSummary>,
    },
    /// [`Command::SaveLimits`] is done; what it changed was told by [`Event::LimitsChanged`].
    LimitsSaved {
        job: JobId,
    },
    /// The model of a run may have other limits now, whatever becomes of the job; the run as it is now.
    LimitsChanged {
        job: JobId,
        run: Arc<RunSummary>,
    },
    /// The report lies at `out`.
    ReportWritten {
        job: JobId,
        out: PathBuf,
    },
    /// There is no model yet, but a training that can go on: one that was cancelled or failed just now, with the whole
    /// story of its failure, or one that was found where a run was to be opened.
    Interrupted {
        job: JobId,
        training: Arc<InterruptedTraining>,
        failure: Option<String>,
    },
    /// An interrupted training was given up; `is_gone`: its run folder held nothing else and was removed.
    Discarded {
        job: JobId,
        run: PathBuf,
        is_gone: bool,
    },
    /// The examples that [`Command::PreviewAugmentation`] asked for.
    AugmentationDrawn {
        job: JobId,
        augmentation: Arc<Augmentation>,
    },
    Cancelled {
        job: JobId,
    },
    /// The job failed; `message` is the whole story, outermost first, ready to be shown and copied.
    Failed {
        job: JobId,
        message: String,
    },
    /// The second lane's answer to a [`PreviewRequest`].
    Preview {
        key: PreviewKey,
        result: Result<Arc<Preview>, String>,
    },
    /// The third lane's answer to an [`Order`]; the error is the whole story.
    Annotated {
        order: Order,
        result: Result<Answer, String>,
    },
}

impl Event {
    /// Whether this is the last event of its job.
    pub fn closes(&self) -> bool {
        match self {
            Self::Progress { .. }
            | Self::LimitsChanged { .. }
            | Self::Preview { .. }
            | Self::Annotated { .. } => false,
            Self::DataOpened { .. }
            | Self::WeightsListed { .. }
            | Self::RunOpened { .. }
            | Self::ComparisonOpened { .. }
            | Self::LimitsSaved { .. }
            | Self::ReportWritten { .. }
            | Self::Interrupted { .. }
            | Self::Discarded { .. }
            | Self::AugmentationDrawn { .. }
            | Self::Cancelled { .. }
            | Self::Failed { .. } => true,
        }
    }
}

/// How much of a picture is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Detail {
    /// Longest side at most 96 px, no map, no mask.
    Thumbnail,
    /// The picture (longest side at most 4096 px), its mask and its score map.
    Full,
}

/// Identifies what a preview shows: a picture of an opened run, by its id, or of a data set, by its path, when `run` is
/// `None`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PreviewKey {
    pub run: Option<PathBuf>,
    pub sample: String,
    pub detail: Detail,
}

/// Asks the second lane to decode a picture. Newest request first; full pictures before thumbnails.
#[derive(Debug, Clone)]
pub struct PreviewRequest {
    pub key: PreviewKey,
    pub sample: Sample,
}

/// A picture ready to be shown.
#[derive(Debug, Clone)]
pub struct Preview {
    pub width: usize,
    pub height: usize,
    /// `height * width * 3` bytes, row-major RGB.
    pub rgb: Vec<u8>,
    /// Size of the picture in its file, before any shrinking for display.
    pub image_width: usize,
    pub image_height: usize,
    /// `height * width`, true on the defect; `None` without a mask file.
    pub mask: Option<Vec<bool>>,
    /// Raw scores in input space; `None` for thumbnails and pictures without a score.
    pub map: Option<Arc<ScoreMap>>,
    /// Where the map lies on the shown picture, in its pixels: left, top, width, height. Smaller than the picture
    /// when the input is cropped.
    pub map_rect: [f32; 4],
}
