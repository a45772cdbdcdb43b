//! What is noted about the categories of the open data set: seen defects and painted masks. Plain data.

use std::path::{Path, PathBuf};

use super::{OpenData, State};
use crate::data::{Label, Sample, Severity};
use crate::worker::annotations::{Answer, Notes, Order, Task};

/// The notes of one category.
#[derive(Debug, Clone)]
pub struct Annotated {
    /// Where they are kept.
    pub folder: PathBuf,
    /// `None` until they were read; the error is the whole story.
    pub notes: Option<Result<Notes, String>>,
}

/// Where the mask of a defective picture comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaskKind {
    Painted,
    /// A file of the data set.
    Own,
    /// A painted one that no longer belongs to its picture.
    Broken,
    Missing,
}

impl OpenData {
    /// The notes of the chosen category; `None` while they are read and where they cannot be.
    pub fn notes(&self) -> Option<&Notes> {
        self.annotated
            .get(&self.category)
            .and_then(|annotated| annotated.notes.as_ref()?.as_ref().ok())
    }

    /// Where the notes of the chosen category are kept.
    pub fn annotations(&self) -> Option<&Path> {
        let annotated = self.annotated.get(&self.category)?;
        Some(&annotated.folder)
    }

    /// The defective pictures of the chosen category, in the order of their ids.
    pub fn defective(&self) -> impl Iterator<Item = &Sample> {
        let test = self.category().map(|category| category.test.iter());
        let test = test.into_iter().flatten();
        test.filter(|sample| sample.label == Label::Defective)
    }

    /// Ids of the pictures of the chosen category that a model may learn from, in the order of the ids. Pictures that are
    /// no longer there are left out.
    pub fn seen(&self) -> Vec<String> {
        let seen = self.defective().filter(|sample| self.is_seen(&sample.id));
        seen.map(|sample| sample.id.clone()).collect()
    }

    pub fn is_seen(&self, id: &str) -> bool {
        self.notes().is_some_and(|notes| notes.seen.contains(id))
    }

    /// Where this picture's mask comes from, with all notes heeded.
    pub fn mask_kind(&self, sample: &Sample) -> MaskKind {
        let noted =
            |of: fn(&Notes, &str) -> bool| self.notes().is_some_and(|notes| of(notes, &sample.id));
        if noted(|notes, id| notes.painted.contains(id)) {
            MaskKind::Painted
        } else if noted(|notes, id| notes.broken.contains_key(id)) {
            MaskKind::Broken
        } else if sample.masks.is_empty() {
            MaskKind::Missing
        } else {
            MaskKind::Own
        }
    }
}

impl State {
    /// The user chose which pictures a model may learn from.
    pub fn set_seen(&mut self, ids: &[String]) {
        if let Some(notes) = self.notes_mut() {
            notes.seen = ids.iter().cloned().collect();
        }
    }

    fn notes_mut(&mut self) -> Option<&mut Notes> {
        let data = self.data.as_mut()?;
        let annotated = data.annotated.get_mut(&data.category)?;
        annotated.notes.as_mut()?.as_mut().ok()
    }

    /// Takes in what became of an order. Answers about another data set are heeded only when something went wrong.
    pub(super) fn annotated(&mut self, order: &Order, result: Result<Answer, String>) {
        let known = self.data.as_mut().and_then(|data| {
            let mut all = data.annotated.values_mut();
            all.find(|annotated| annotated.folder == order.folder)
        });
        match (&order.task, result) {
            (Task::Open { .. }, result) => {
                let Some(annotated) = known else { return };
                annotated.notes = match result {
                    Ok(Answer::Opened(notes)) => Some(Ok(notes)),
                    Ok(_) => None,
                    Err(message) => Some(Err(message)),
                };
            }
            (task, Ok(_)) => {
                if let Some(Ok(notes)) = known.and_then(|annotated| annotated.notes.as_mut()) {
                    carried_out(notes, task);
                }
            }
            (task, Err(message)) => self.tell(Severity::Error, failure(task), message),
        }
    }
}

fn carried_out(notes: &mut Notes, task: &Task) {
    match task {
        Task::SaveMask { sample, .. } => {
            notes.broken.remove(&sample.id);
            notes.painted.insert(sample.id.clone());
        }
        Task::RemoveMask { sample } => {
            notes.broken.remove(&sample.id);
            notes.painted.remove(&sample.id);
        }
        Task::Open { .. }
        | Task::SetSeen { .. }
        | Task::ReadPainted { .. }
        | Task::ReadOwn { .. } => {}
    }
}

fn failure(task: &Task) -> &'static str {
    match task {
        Task::Open { .. } => "The notes could not be read",
        Task::SetSeen { .. } => "The choice of seen defects was not kept",
        Task::ReadPainted { .. } | Task::ReadOwn { .. } => "The mask could not be read",
        Task::SaveMask { .. } => "The mask was not saved",
        Task::RemoveMask { .. } => "The painted mask was not removed",
    }
}
