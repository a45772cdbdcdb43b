//! Takes the session from the window and gives it back to another: opens what was open, one after the other, and then looks at
//! it the same way. What cannot be opened is told by its own job and costs nothing else.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use eframe::egui::Context;

use super::super::App;
use super::super::commands::SIZES;
use super::super::state::{LimitEdit, OpenData, State};
use super::file::Kept;
use super::{KeptData, KeptLimits, KeptRun, Session};
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
                let detail = format!("{}: {why}", file.path().display());
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
        view.viewport = session.viewport.sound();
        self.agenda.extend(openings(&session));
        self.restoring = Some(Box::new(session));
    }

    /// A data set was opened; if it is that of the session, its category is chosen again.
    pub(in super::super) fn data_restored(&mut self) {
        let kept = self.restoring.as_ref().and_then(|s| s.data.as_ref());
        let wanted = kept.and_then(|data| data.category.as_ref());
        if let (Some(wanted), Some(data)) = (wanted, &self.state.data) {
            let mut categories = data.dataset.categories.iter();
            if let Some(index) = categories.position(|category| category.name == *wanted) {
                self.choose_category(index);
            }
        }
        self.return_to_place();
    }

    /// A run was opened; if it is that of the session, its picture is selected and its limits are in force again.
    pub(in super::super) fn run_restored(&mut self) {
        let kept = self.restoring.as_ref().and_then(|s| s.run.clone());
        if let (Some(kept), Some(run)) = (kept, self.state.run.clone()) {
            let picture = kept.picture.as_ref();
            let mut ids = run.samples.iter().map(|sample| &sample.id);
            if let Some(index) = picture.and_then(|id| ids.position(|other| other == id)) {
                self.inspect_view.arrive(&self.state);
                self.state.selected = index;
            }
            if let Some(limits) = kept.limits {
                self.restore_limits(&run, limits);
            }
        }
        self.return_to_place();
    }

    fn restore_limits(&mut self, run: &Arc<RunSummary>, limits: KeptLimits) {
        if limits.model != run.checksum {
            let title = "The unsaved limits of the last session are not in force";
            let detail = format!(
                "{} is another model now; the limits saved in it are used",
                run.path.display()
            );
            return self.state.tell(Severity::Warning, title, detail);
        }
        let now = self.now();
        self.state.edit_limits(&LimitEdit::Rule(limits.rule), now);
        let scale = LimitEdit::Scale(limits.pixels_per_mm);
        self.state.edit_limits(&scale, now);
    }

    /// Opening something leads to its place; while a session comes back, the window stays where it was left.
    pub(in super::super) fn return_to_place(&mut self) {
        if let Some(session) = &self.restoring
            && (!session.place.needs_run() || self.state.run.is_some())
        {
            self.state.place = session.place;
        }
    }

    /// Nothing is left to be opened.
    pub(in super::super) fn end_restoring(&mut self) {
        self.return_to_place();
        self.restoring = None;
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
                let detail = format!("{}: {error}", file.path().display());
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
        Session {
            place: self.state.place,
            data: self.state.data.as_ref().map(kept_data),
            run: self
                .state
                .run
                .as_ref()
                .map(|run| kept_run(&self.state, run)),
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
    let limits = &state.limits;
    let unsaved = !limits.are_saved(run);
    let compared = state.comparisons.iter();
    let path = |path: &Path| path.to_path_buf();
    KeptRun {
        path: path(&run.path),
        picture: run.samples.get(state.selected).map(|s| s.id.clone()),
        limits: unsaved.then(|| KeptLimits {
            model: run.checksum.clone(),
            rule: limits.rule().clone(),
            pixels_per_mm: limits.pixels_per_mm(),
        }),
        compared: compared.map(|other| path(&other.run.path)).collect(),
    }
}
