//! Carries out what the user asks about seen defects and painted masks: changes the state, gives orders to the worker.

use std::sync::Arc;

use super::App;
use super::mask_painter::{MaskPainter, PainterAction};
use super::state::{Annotated, MaskKind};
use crate::data::{Sample, Severity};
use crate::worker::annotations::{Answer, Order, Task};
use crate::worker::message::{Command, Event};

impl App {
    /// Reads what is noted about the chosen category, unless that was done.
    pub(super) fn open_notes(&mut self) {
        let Some(data) = &mut self.state.data else {
            return;
        };
        let Some(name) = data.category().map(|category| category.name.clone()) else {
            return;
        };
        if data.annotated.contains_key(&data.category) {
            return;
        }
        let annotated = Annotated {
            folder: self.folders.annotations(&data.dataset.root, &name),
            notes: None,
        };
        data.annotated.insert(data.category, annotated);
        self.read_notes();
    }

    fn read_notes(&mut self) {
        if let Some(data) = &self.state.data {
            let samples = data.defective().cloned().collect();
            self.annotate(Task::Open { samples });
        }
    }

    /// Orders something to be done with the notes of the chosen category.
    fn annotate(&mut self, task: Task) {
        let data = self.state.data.as_ref();
        if let Some(folder) = data.and_then(|data| data.annotations()) {
            let folder = folder.to_path_buf();
            self.worker.annotate(Order { folder, task });
        }
    }

    pub(super) fn set_seen(&mut self, ids: Vec<String>) {
        self.state.set_seen(&ids);
        self.annotate(Task::SetSeen { ids });
    }

    pub(super) fn paint_mask(&mut self, id: &str) {
        let Some(data) = &self.state.data else { return };
        let Some(sample) = data.defective().find(|sample| sample.id == id).cloned() else {
            return;
        };
        let kind = data.mask_kind(&sample);
        self.painter = Some(MaskPainter::new(sample.clone(), kind));
        match kind {
            MaskKind::Painted => self.annotate(Task::ReadPainted { sample }),
            MaskKind::Own => self.annotate(Task::ReadOwn { sample }),
            MaskKind::Broken | MaskKind::Missing => {}
        }
    }

    pub(super) fn painter_action(&mut self, action: PainterAction) {
        let Some(sample) = self
            .painter
            .as_ref()
            .map(|painter| painter.sample().clone())
        else {
            return;
        };
        match action {
            PainterAction::Close => self.painter = None,
            PainterAction::ReadOwn => self.annotate(Task::ReadOwn { sample }),
            PainterAction::Remove => self.annotate(Task::RemoveMask { sample }),
            PainterAction::Save(mask) => {
                let mask = Arc::new(mask);
                self.annotate(Task::SaveMask { sample, mask });
            }
        }
    }

    pub(super) fn annotated(&mut self, order: Order, result: Result<Answer, String>) {
        let failed = result.is_err();
        if let Some(painter) = &mut self.painter
            && painter.hear(&order.task, &result)
        {
            self.painter = None;
        }
        let again = failed && matches!(order.task, Task::SetSeen { .. });
        let now = self.now();
        self.state.apply(Event::Annotated { order, result }, now);
        if again {
            // The window shows what is kept, not what was wished for.
            self.read_notes();
        }
    }

    /// Whether strokes would be lost with the data set that is open. Says so.
    pub(super) fn would_lose_strokes(&mut self, command: &Command) -> bool {
        let replaces = matches!(
            command,
            Command::OpenData { .. } | Command::MakeSample { .. }
        );
        let painting = self.painter.as_ref().filter(|painter| painter.is_changed());
        let Some(painter) = painting.filter(|_| replaces) else {
            return false;
        };
        let detail = format!("Save or cancel the mask of {} first", painter.sample().id);
        self.state
            .tell(Severity::Warning, "A mask is being painted", detail);
        true
    }

    /// A painter whose picture is gone has nothing to paint on; one whose picture is still there goes on.
    pub(super) fn keep_painter_if_possible(&mut self) {
        let data = self.state.data.as_ref();
        let is_there = |sample: &Sample| {
            data.is_some_and(|data| data.defective().any(|other| other == sample))
        };
        self.painter.take_if(|painter| !is_there(painter.sample()));
    }
}
