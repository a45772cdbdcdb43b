//! What is to be opened one after the other: several dropped runs, or all that was open in the last session.

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
