//! Takes the session from the window and gives it back to another: opens what was open, one after the other, and then looks at
//! it the same way. What cannot be opened is told by its own job and costs nothing else.

use std::path::Path;
use std::time::Duration;

use eframe::egui::Context;

use super::super::App;
use super::super::commands::SIZES;
use super::super::state::{OpenData, State};
use super::file::Kept;
use super::{KeptData, KeptRun, Missing, Session};
use crate::data::Severity;
use crate::worker::message::{Command, RunSummary};

impl App {
    /// Reads the last session, if sessions are kept, and begins to give it back.
    pub(in super::super) fn restore(&mut self, ctx: &Context) {
        let Some(file) = &self.session else { return };
        match file.read() {
            Ok(Some(session)) => self.begin(session, ctx),
            Ok(None) => {}
            Err(why) => {
                let path = file.path().display();
                let detail = match file.set_aside() {
                    Ok(aside) => format!(
                        "{path}: {why}. It is kept as {}, and the window begins anew",
                        aside.display()
                    ),
                    Err(error) => format!(
                        "{path}: {why}. It cannot be moved away ({error}); until it is deleted, no session is kept"
                    ),
                };
                // What could not be moved away is not written over.
                self.session.take_if(|file| file.path().exists());
                let title = "The last session cannot be restored";
                self.state.tell(Severity::Warning, title, detail);
            }
        }
    }

    fn begin(&mut self, session: Session, ctx: &Context) {
        if session.size.is_finite() {
            ctx.set_zoom_factor(session.size.clamp(*SIZES.start(), *SIZES.end()));
        }
        ctx.set_theme(session.theme);
        let view = &mut self.inspect_view;
        view.gallery.settings = session.gallery.clone();
        view.viewer = session.viewer.clone();
        self.state.unsaved = session.unsaved.clone();
        self.agenda.extend(openings(&session));
        self.restoring = Some(Box::new(session));
    }

    /// A data set was opened; if it is that of the session, its category is chosen again.
    pub(in super::super) fn data_restored(&mut self) {
        let kept = self.restoring.as_ref().and_then(|s| s.data.as_ref());
        if let (Some(kept), Some(data)) = (kept, &self.state.data)
            && kept.root == data.dataset.root
            && let Some(wanted) = &kept.category
        {
            let mut categories = data.dataset.categories.iter();
            if let Some(index) = categories.position(|category| category.name == *wanted) {
                self.choose_category(index);
            }
        }
        self.return_to_place();
    }

    /// A run was opened; if it is that of the session, its picture is looked at as before.
    pub(in super::super) fn run_restored(&mut self) {
        if let (Some(session), Some(run)) = (&self.restoring, self.state.run.clone())
            && let Some(kept) = session.run.as_ref().filter(|kept| kept.path == run.path)
        {
            self.inspect_view.viewport = session.viewport.sound();
            let picture = kept.picture.as_ref();
            let mut ids = run.samples.iter().map(|sample| &sample.id);
            if let Some(index) = picture.and_then(|id| ids.position(|other| other == id)) {
                self.inspect_view.arrive(&self.state);
                self.state.selected = index;
            }
        }
        self.return_to_place();
    }

    /// Opening something leads to its place; while a session comes back, the window stays where it was left.
    pub(in super::super) fn return_to_place(&mut self) {
        if let Some(session) = &self.restoring
            && (!session.place.needs_run() || self.state.run.is_some())
        {
            self.state.place = session.place;
        }
    }

    /// Nothing is left to be opened. What could not be is kept for next time: a drive may be missing only today.
    pub(in super::super) fn end_restoring(&mut self) {
        self.return_to_place();
        if let Some(session) = self.restoring.take() {
            self.missing = Missing {
                data: session.data,
                run: session.run,
            };
        }
    }

    /// Writes the session if it changed, now or in a moment.
    pub(in super::super) fn keep_session(&mut self, ctx: &Context) {
        let (session, now) = (self.as_session(ctx), self.now());
        let Some(file) = self.session.as_mut().filter(|_| self.restoring.is_none()) else {
            return;
        };
        match file.keep(session, now) {
            Kept::Done => {}
            Kept::Later(left) => ctx.request_repaint_after(Duration::from_secs_f64(left)),
            Kept::Failed(error) => {
                let folder = file.path().parent().unwrap_or(file.path());
                let detail = format!(
                    "{error}. Make sure that files can be written to {}",
                    folder.display()
                );
                let title = "The session is not kept for next time";
                self.state.tell(Severity::Warning, title, detail);
            }
        }
    }

    /// Writes the session at once: the window closes.
    pub(in super::super) fn keep_session_now(&mut self) {
        let session = self.as_session(&self.ctx);
        if let Some(file) = self.session.as_mut().filter(|_| self.restoring.is_none()) {
            // Nobody is left to be told.
            let _ = file.keep_now(session);
        }
    }

    fn as_session(&self, ctx: &Context) -> Session {
        let view = &self.inspect_view;
        let data = self.state.data.as_ref().map(kept_data);
        let run = self.state.run.as_ref();
        let run = run.map(|run| kept_run(&self.state, run));
        Session {
            place: self.state.place,
            data: data.or_else(|| self.missing.data.clone()),
            run: run.or_else(|| self.missing.run.clone()),
            unsaved: self.state.unsaved_for_next_time(),
            gallery: view.gallery.settings.clone(),
            viewer: view.viewer.clone(),
            viewport: view.viewport,
            size: ctx.zoom_factor(),
            theme: ctx.options(|options| options.theme_preference),
            ..Session::default()
        }
    }
}

/// What has to be opened, in this order.
fn openings(session: &Session) -> Vec<Command> {
    let data = session.data.as_ref().map(|data| Command::OpenData {
        root: data.root.clone(),
        options: data.options.clone(),
    });
    let run = session.run.as_ref();
    let open = run.map(|run| Command::OpenRun {
        path: run.path.clone(),
    });
    let compared = run.map_or(&[][..], |run| &run.compared).iter();
    let compared = compared.map(|path| Command::OpenComparison { path: path.clone() });
    data.into_iter().chain(open).chain(compared).collect()
}

fn kept_data(data: &OpenData) -> KeptData {
    KeptData {
        root: data.dataset.root.clone(),
        options: data.options.clone(),
        category: data.category().map(|category| category.name.clone()),
    }
}

fn kept_run(state: &State, run: &RunSummary) -> KeptRun {
    let compared = state.comparisons.iter();
    let path = |path: &Path| path.to_path_buf();
    KeptRun {
        path: path(&run.path),
        picture: run.samples.get(state.selected).map(|s| s.id.clone()),
        compared: compared.map(|other| path(&other.run.path)).collect(),
    }
}
