//! What the user can ask for. Plain data; carried out by the app alone.

use std::path::PathBuf;
use std::sync::Arc;

use super::commands::{Step, WindowAction};
use super::mask_painter::PainterAction;
use super::state::{LimitEdit, Place};
use super::verdict::Outcome;
use crate::config::RunConfig;
use crate::data::OpenOptions;
use crate::worker::message::InterruptedTraining;

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
    /// Open what was dropped: the first, and of several runs the next two beside it.
    OpenDropped(Vec<PathBuf>),
    /// Ask with the desktop's dialog for a data set folder, a run folder, or a file.
    Pick(Pick),
    TrySample,
    ChooseCategory(usize),
    ListWeights,
    Train {
        config: Box<RunConfig>,
        out: PathBuf,
    },
    /// Go on with an interrupted training.
    Resume(Arc<InterruptedTraining>),
    /// Delete what an interrupted training left in this run folder.
    DiscardTraining(PathBuf),
    /// Draw examples of what a model with these settings would be taught.
    PreviewAugmentation(Box<RunConfig>),
    /// Score the test pictures of the run in this folder.
    Evaluate(PathBuf),
    /// Stop the running job.
    CancelJob,
    /// Take the note about the unfinished training away; what its run folder keeps stays.
    ForgetUnfinished,
    ForgetRecent(PathBuf),
    Select(usize),
    /// From the selected picture to another, in Inspect.
    Step(Step),
    /// Show this picture in Inspect.
    InspectPicture(usize),
    EditLimits(LimitEdit),
    /// Back to what calibration proposed.
    ResetLimits,
    UndoLimits,
    RedoLimits,
    /// Write the limits in force into the run's model.
    SaveLimits,
    /// List the pictures of this cell of the confusion matrix in Inspect.
    ShowOutcome(Outcome),
    /// Open a run beside the open one.
    OpenComparison(PathBuf),
    /// Close the compared run at this index.
    CloseComparison(usize),
    CloseComparisons,
    /// Save the limits in force and write the report of the open run to this file.
    WriteReport(PathBuf),
    /// The pictures of the chosen category a model may learn from.
    SetSeen(Vec<String>),
    /// Paint the mask of this picture of the chosen category.
    PaintMask(String),
    Painter(PainterAction),
    CopyText(String),
    /// Say why something is not possible now.
    Explain {
        title: String,
        reason: &'static str,
    },
    Window(WindowAction),
}

/// What the desktop's dialog is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    DataFolder,
    RunFolder,
    ModelFile,
    /// A run to compare with the open one.
    ComparedRun,
    /// Where to write a report.
    ReportFile,
    /// A folder of pictures to make simulated defects of.
    TextureFolder,
}
