//! Jobs that do nothing by themselves: a test reads which command came and says what happens next.

use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Result, anyhow};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use flawscope::progress::{Monitor, Progress};
use flawscope::worker::message::{Command, Event, JobId, Preview, PreviewRequest, WeightsInfo};
use flawscope::worker::{Jobs, Previews};

/// What a test lets the running job do.
pub enum Step {
    Report(Progress),
    /// An event after which the job goes on.
    Tell(Box<dyn FnOnce(JobId) -> Event + Send>),
    /// The event that closes the job; gets the job's id.
    Close(Box<dyn FnOnce(JobId) -> Event + Send>),
    Fail(String),
    /// The event that closes the job when it is told to stop, in place of a plain "cancelled".
    OnStop(Box<dyn FnOnce(JobId) -> Event + Send>),
}

/// The test's side: commands that arrived, and the way to steer the running job.
pub struct Script {
    pub commands: Receiver<Command>,
    steps: Sender<Step>,
}

impl Script {
    pub fn report(&self, progress: Progress) {
        self.steps.send(Step::Report(progress)).unwrap();
    }

    pub fn tell(&self, event: impl FnOnce(JobId) -> Event + Send + 'static) {
        self.steps.send(Step::Tell(Box::new(event))).unwrap();
    }

    pub fn close(&self, event: impl FnOnce(JobId) -> Event + Send + 'static) {
        self.steps.send(Step::Close(Box::new(event))).unwrap();
    }

    pub fn on_stop(&self, event: impl FnOnce(JobId) -> Event + Send + 'static) {
        self.steps.send(Step::OnStop(Box::new(event))).unwrap();
    }

    pub fn fail(&self, message: &str) {
        self.steps.send(Step::Fail(message.to_owned())).unwrap();
    }

    /// The next command that arrived.
    pub fn command(&self) -> Command {
        self.commands.recv_timeout(Duration::from_secs(5)).unwrap()
    }
}

/// The worker's side.
pub struct FakeJobs {
    weights: Vec<WeightsInfo>,
    commands: Sender<Command>,
    steps: Receiver<Step>,
}

/// Jobs that follow a script. Listing weights needs none: it is answered at once with `weights`.
pub fn fake_jobs(weights: Vec<WeightsInfo>) -> (FakeJobs, Script) {
    let (command_sender, commands) = unbounded();
    let (step_sender, steps) = unbounded();
    let jobs = FakeJobs {
        weights,
        commands: command_sender,
        steps,
    };
    let script = Script {
        commands,
        steps: step_sender,
    };
    (jobs, script)
}

impl Jobs for FakeJobs {
    fn run(
        &self,
        command: Command,
        job: JobId,
        monitor: &dyn Monitor,
        emit: &dyn Fn(Event),
    ) -> Result<()> {
        if matches!(command, Command::ListWeights) {
            let weights = self.weights.clone();
            let gpus = Err("this build of Flawscope has no GPU support".to_owned());
            emit(Event::WeightsListed { job, weights, gpus });
            return Ok(());
        }
        // A test that is over hears nothing more.
        let _ = self.commands.send(command);
        let mut on_stop = None;
        while !monitor.should_stop() {
            match self.steps.recv_timeout(Duration::from_millis(5)) {
                Ok(Step::Report(progress)) => monitor.report(progress),
                Ok(Step::Tell(event)) => emit(event(job)),
                Ok(Step::Close(event)) => {
                    emit(event(job));
                    return Ok(());
                }
                Ok(Step::Fail(message)) => return Err(anyhow!(message)),
                Ok(Step::OnStop(event)) => on_stop = Some(event),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
        if let Some(event) = on_stop {
            emit(event(job));
        }
        Ok(())
    }
}

/// Answers every request with one small grey picture and remembers what was asked for.
#[derive(Default)]
pub struct FakePreviews {
    pub asked: Mutex<Vec<String>>,
}

impl Previews for FakePreviews {
    fn load(&self, request: &PreviewRequest) -> Result<Preview, String> {
        self.asked.lock().unwrap().push(request.sample.id.clone());
        Ok(Preview {
            width: 2,
            height: 2,
            rgb: vec![128; 12],
            image_width: 2,
            image_height: 2,
            mask: None,
            map: None,
            map_rect: [0.0, 0.0, 2.0, 2.0],
        })
    }
}
