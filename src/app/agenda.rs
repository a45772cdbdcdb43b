//! What is to be opened one after the other: several dropped runs, or all that was open in the last session.

use std::collections::VecDeque;
use std::path::PathBuf;

use super::{App, opening};
use crate::worker::message::{Command, Event};

impl App {
    /// Starts what waits once nothing runs.
    pub(super) fn follow_agenda(&mut self) {
        if self.state.job.is_none()
            && let Some(command) = self.next.take().or_else(|| self.agenda.pop_front())
        {
            self.submit(command);
        }
        if self.state.job.is_none() {
            self.end_restoring();
        }
    }

    /// The first of what was dropped now, the others when it is open.
    pub(super) fn open_dropped(&mut self, paths: Vec<PathBuf>) {
        let mut commands: VecDeque<Command> = opening::commands_for(paths).into();
        let busy = self.state.is_busy();
        if let Some(first) = commands.pop_front() {
            self.submit(first);
        }
        if !busy {
            self.agenda = commands;
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
