//! What the window tells its user, as it happened.

use std::path::{Path, PathBuf};

use super::{Place, State, belongs_to_train, title};
use crate::data::Severity;
use crate::worker::message::Command;

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
    /// The file or folder it is about, when the user may want to go there.
    pub path: Option<PathBuf>,
}

impl State {
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
            path: None,
        });
    }

    /// A file is where the user wanted it.
    pub(super) fn tell_of_file(&mut self, title: &str, file: &Path) {
        self.messages.push(Message {
            severity: Severity::Note,
            title: title.to_owned(),
            detail: file.display().to_string(),
            shown_in_place: false,
            path: Some(file.to_path_buf()),
        });
    }

    pub(super) fn tell_failure(&mut self, command: &Command, message: String) {
        self.messages.push(Message {
            severity: Severity::Error,
            title: format!("{} failed", title(command)),
            detail: message,
            shown_in_place: self.place == Place::Train && belongs_to_train(command),
            path: None,
        });
    }
}
