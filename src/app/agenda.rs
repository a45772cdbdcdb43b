//! What is done next: one job after the other, the user's own before what is still to be opened of several dropped runs or of
//! the last session.

use std::collections::VecDeque;
use std::path::PathBuf;

use super::state::COMPARED;
use super::{App, opening};
use crate::data::Severity;
use crate::worker::message::{Command, Event};

impl App {
    /// Starts what waits once nothing runs.
    pub(super) fn follow_agenda(&mut self) {
        if self.state.job.is_none()
            && let Some(command) = self.next.take().or_else(|| self.agenda.pop_front())
        {
            self.start(command);
        }
        if self.state.job.is_none() {
            self.end_restoring();
        }
    }

    pub(super) fn cancel(&mut self) {
        self.agenda.clear();
        self.worker.cancel();
        if let Some(job) = &mut self.state.job {
            job.cancelling = true;
        }
    }

    /// Starts what the user asked for, in place of what was to be opened next. While another job runs that the user waits for,
    /// says so instead.
    pub(super) fn submit(&mut self, command: Command) {
        if self.is_free_for(&command) {
            self.agenda.clear();
            self.end_restoring();
            self.next = Some(command);
            self.follow_agenda();
        }
    }

    /// Whether the user's next job can be begun; else says why not.
    fn is_free_for(&mut self, command: &Command) -> bool {
        if self.would_lose_strokes(command) {
            return false;
        }
        if self.state.is_busy() {
            self.state.tell(
                Severity::Warning,
                "Another job is running",
                "Wait until it is over, or cancel it first",
            );
            return false;
        }
        true
    }

    fn start(&mut self, command: Command) {
        match self.worker.submit(command.clone()) {
            Ok(id) => {
                let now = self.now();
                self.state.started(id, command, now);
            }
            Err(busy) => {
                self.state.tell(
                    Severity::Warning,
                    "The job was not started",
                    busy.to_string(),
                );
            }
        }
    }

    /// The first of what was dropped now, the others when it is open.
    pub(super) fn open_dropped(&mut self, paths: Vec<PathBuf>) {
        let dropped = paths.len();
        let mut commands: VecDeque<Command> = opening::commands_for(paths).into();
        let left_out = dropped - commands.len();
        if let Some(first) = commands.pop_front()
            && self.is_free_for(&first)
        {
            self.submit(first);
            self.agenda = commands;
            self.tell_left_out(left_out);
        }
    }

    fn tell_left_out(&mut self, left_out: usize) {
        if left_out > 0 {
            let title = format!("Of what was dropped, {left_out} more did not open");
            let detail = format!(
                "A data set opens alone, and a run beside at most {COMPARED} others that it is compared with; drop the rest by itself"
            );
            self.state.tell(Severity::Note, title, detail);
        }
    }

    /// Nothing is compared with a run that was not opened.
    pub(super) fn drop_what_depends_on(&mut self, event: &Event) {
        let fails = matches!(
            event,
            Event::Failed { .. } | Event::Cancelled { .. } | Event::Interrupted { .. }
        );
        let job = self.state.job.as_ref();
        if fails && job.is_some_and(|job| matches!(job.command, Command::OpenRun { .. })) {
            let beside = |command: &Command| matches!(command, Command::OpenComparison { .. });
            self.agenda.retain(|command| !beside(command));
        }
    }
}
