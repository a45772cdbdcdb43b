//! Background work for the window: one lane for jobs, a second for what the user is looking at, a third for the notes he
//! makes. Knows no egui: the window is woken through a closure.

mod annotation_lane;
mod job;
mod job_lane;
mod preview;
mod preview_lane;

pub mod annotations;
pub mod message;

use std::any::Any;
use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use crossbeam_channel::{Receiver, bounded};

use crate::progress::Monitor;
use crate::store::run_folder::{MODEL, TRAINING};
pub use job::PipelineJobs;
pub use preview::DiskPreviews;

use annotation_lane::AnnotationLane;
use job_lane::JobLane;
use message::{Command, Event, JobId, Preview, PreviewKey, PreviewRequest};
use preview_lane::PreviewLane;

/// Events the window has not taken yet. A window that stalls slows the worker instead of filling memory.
const EVENT_CAPACITY: usize = 64;

/// Carries out one command. Runs on the job thread and may block as long as it likes, as long as it asks
/// [`Monitor::should_stop`] between batches.
pub trait Jobs: Send {
    /// Ends by emitting exactly one event that [closes](Event::closes) the job, or with an error. A job that stops
    /// because it was asked to may simply return: the lane says [`Event::Cancelled`] for it.
    fn run(
        &self,
        command: Command,
        job: JobId,
        monitor: &dyn Monitor,
        emit: &dyn Fn(Event),
    ) -> Result<()>;
}

/// Decodes one picture the user looks at. Runs on the preview thread.
pub trait Previews: Send {
    /// The error is one sentence for the user, naming the file.
    fn load(&self, request: &PreviewRequest) -> Result<Preview, String>;
}

/// A job is still running, so another cannot start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another job is still running")]
pub struct Busy;

/// The background threads. Dropping it stops the running job at its next poll and waits for the threads.
pub struct Worker {
    jobs: JobLane,
    previews: PreviewLane,
    annotations: AnnotationLane,
    /// `None` only while dropping: a closed channel frees a worker that waits for room.
    events: Option<Receiver<Event>>,
}

impl Worker {
    /// Starts the threads. `wake` is called after every event, from the threads.
    pub fn spawn(
        jobs: Box<dyn Jobs>,
        previews: Box<dyn Previews>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let (sender, events) = bounded(EVENT_CAPACITY);
        let wake: Wake = Arc::new(wake);
        Ok(Self {
            jobs: JobLane::spawn(jobs, sender.clone(), Arc::clone(&wake))?,
            previews: PreviewLane::spawn(previews, sender.clone(), Arc::clone(&wake))?,
            annotations: AnnotationLane::spawn(sender, wake)?,
            events: Some(events),
        })
    }

    /// Starts a job, or refuses because one is running.
    pub fn submit(&mut self, command: Command) -> Result<JobId, Busy> {
        self.jobs.submit(command)
    }

    /// Asks the running job to stop. It answers with [`Event::Cancelled`] within one batch.
    pub fn cancel(&self) {
        self.jobs.cancel();
    }

    /// The oldest event nobody has taken. Never blocks.
    pub fn poll(&self) -> Option<Event> {
        self.events
            .as_ref()
            .and_then(|events| events.try_recv().ok())
    }

    /// Asks for a picture: newest request first, full pictures before thumbnails. Returns the key of an older
    /// request that had to give way because too many were waiting; it will not be answered.
    pub fn preview(&self, request: PreviewRequest) -> Option<PreviewKey> {
        self.previews.request(request)
    }

    /// Asks for something to be noted, or for what was noted. Answered with [`Event::Annotated`], in this order.
    pub fn annotate(&self, order: annotations::Order) {
        self.annotations.order(order);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.events = None;
        // All are told before any is waited for.
        self.jobs.stop();
        self.previews.stop();
        self.annotations.stop();
    }
}

/// Whether a path is a run folder, be its training finished or not, or a model file. Looks at names only, so it is quick
/// in any folder.
pub fn is_run(path: &Path) -> bool {
    path.join(MODEL).is_file()
        || path.join(TRAINING).is_file()
        || (path.is_file()
            && path
                .extension()
                .is_some_and(|extension| extension == "safetensors"))
}

/// Tells the window that an event waits for it.
type Wake = Arc<dyn Fn() + Send + Sync>;

/// What a panic said.
fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned());
    format!(
        "the program made a mistake and stopped this job: {}",
        text.as_deref().unwrap_or("no text")
    )
}
