//! The desktop's file dialog, on a thread of its own: it blocks, and may never return when the desktop's portal dies.

use std::path::PathBuf;
use std::thread::Builder;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use eframe::egui::Context;

use super::state::Pick;

/// Nobody cancels a dialog this fast: it was never shown.
const TOO_FAST: Duration = Duration::from_millis(300);

/// What the page of a report is called unless the user says otherwise.
const REPORT: &str = "report.html";

/// Shows a dialog and waits for the answer.
pub type Dialog = fn(Pick) -> Option<PathBuf>;

/// What came of a dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picked {
    Path(Pick, PathBuf),
    Cancelled,
    /// There is no dialog on this desktop.
    NoDialog(Pick),
}

/// At most one dialog at a time.
pub struct Picker {
    dialog: Dialog,
    open: bool,
    answers: Receiver<Picked>,
    answer: Sender<Picked>,
}

impl Picker {
    pub fn new(dialog: Dialog) -> Self {
        let (answer, answers) = unbounded();
        Self {
            dialog,
            open: false,
            answers,
            answer,
        }
    }

    /// Whether a dialog is open, or was and never came back.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Opens a dialog; the answer comes with [`Self::poll`]. Does nothing while one is open.
    pub fn open(&mut self, pick: Pick, ctx: &Context) -> std::io::Result<()> {
        if self.open {
            return Ok(());
        }
        let (dialog, answer, ctx) = (self.dialog, self.answer.clone(), ctx.clone());
        Builder::new()
            .name("flawscope-dialog".to_owned())
            .spawn(move || {
                let asked = Instant::now();
                let picked = match dialog(pick) {
                    Some(path) => Picked::Path(pick, path),
                    None if asked.elapsed() < TOO_FAST => Picked::NoDialog(pick),
                    None => Picked::Cancelled,
                };
                // The window may be gone by now.
                if answer.send(picked).is_ok() {
                    ctx.request_repaint();
                }
            })?;
        self.open = true;
        Ok(())
    }

    /// The answer, once there is one. Never blocks.
    pub fn poll(&mut self) -> Option<Picked> {
        let picked = self.answers.try_recv().ok()?;
        self.open = false;
        Some(picked)
    }
}

/// The desktop's own dialog.
pub fn desktop_dialog(pick: Pick) -> Option<PathBuf> {
    let dialog = rfd::FileDialog::new();
    match pick {
        Pick::DataFolder => dialog
            .set_title("Choose a folder of pictures")
            .pick_folder(),
        Pick::TextureFolder => dialog
            .set_title("Choose a folder of textures")
            .pick_folder(),
        Pick::RunFolder => dialog.set_title("Choose a run folder").pick_folder(),
        Pick::ComparedRun => dialog
            .set_title("Choose a run to compare with")
            .pick_folder(),
        Pick::ReportFile => dialog
            .set_title("Write the report to")
            .add_filter("Web page", &["html"])
            .set_file_name(REPORT)
            .save_file(),
        Pick::ModelFile => dialog
            .set_title("Choose a model file")
            .add_filter("Flawscope model", &["safetensors"])
            .pick_file(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::thread::sleep;
    use std::time::Duration;

    use eframe::egui::Context;

    use super::{Picked, Picker};
    use crate::app::state::Pick;

    fn answer(dialog: super::Dialog) -> Picked {
        let mut picker = Picker::new(dialog);
        picker.open(Pick::DataFolder, &Context::default()).unwrap();
        assert!(picker.is_open());
        for _ in 0..500 {
            if let Some(picked) = picker.poll() {
                assert!(!picker.is_open());
                return picked;
            }
            sleep(Duration::from_millis(10));
        }
        panic!("no answer");
    }

    #[test]
    fn a_chosen_path_arrives_with_what_it_was_chosen_for() {
        let picked = answer(|_| Some(PathBuf::from("/data")));
        assert_eq!(
            picked,
            Picked::Path(Pick::DataFolder, PathBuf::from("/data"))
        );
    }

    #[test]
    fn no_answer_at_once_means_that_there_is_no_dialog() {
        assert_eq!(answer(|_| None), Picked::NoDialog(Pick::DataFolder));
    }

    #[test]
    fn no_answer_after_a_while_means_cancelled() {
        let slow = |_| {
            sleep(Duration::from_millis(400));
            None
        };
        assert_eq!(answer(slow), Picked::Cancelled);
    }
}
