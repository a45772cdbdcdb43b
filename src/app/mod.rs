//! The window. The only folder that knows egui; talks to the rest of the program through the worker alone.

mod action;
mod agenda;
mod annotating;
mod app_icon;
mod badge;
mod cached;
mod card_row;
mod colour_bar;
mod commands;
mod controls;
mod curves_panel;
mod data_found;
mod data_panel;
mod data_problems;
mod data_start;
mod data_tables;
mod defect_rows;
mod empty_place;
mod gallery;
mod icons;
mod limits;
mod loss_plot;
mod lru;
mod mask_painter;
mod number_table;
mod numbers;
mod numbers_panel;
mod opening;
mod outlook_panel;
mod picture;
mod plot_parts;
mod progress_panel;
mod rail;
mod seen_card;
mod seen_tile;
mod session;
mod status_bar;
mod taught_sheet;
mod taught_words;
mod toasts;
mod train_form;
mod train_panel;
mod train_plan;
mod train_rows;
mod unfinished_panel;
mod user_folders;
mod verdict;
mod view_controls;
mod viewport;
mod window;

pub mod compare;
pub mod inspect_panel;
mod inspect_stage;
pub mod job_progress;
pub mod picker;
pub mod recent;
pub mod results_panel;
pub mod state;
pub mod textures;
pub mod theme;
pub mod viewer;
pub mod words;

pub use user_folders::UserFolders;
pub use window::run;

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;

use eframe::egui::{CentralPanel, Context, Frame, Ui};

use crate::data::synthetic::SampleSettings;
use crate::data::{OpenOptions, Severity};
use crate::worker::message::{Command, Event};
use crate::worker::{Jobs, Previews, Worker};
use commands::{Overlay, overlay_ui};
use compare::{CompareView, compare_ui};
use data_panel::{DataView, data_ui};
use inspect_panel::{InspectView, inspect_ui};
use mask_painter::{MaskPainter, painter_ui};
use picker::{Dialog, Picked, Picker};
use results_panel::{ResultsView, results_ui};
use session::{Missing, Session, SessionFile};
use state::{Action, Pick, Place, State};
use textures::Textures;
use toasts::{Toasts, toasts_ui};
use train_panel::{TrainView, train_ui};
use user_folders::free_report;
use viewport::Viewport;

/// Names this program to the desktop and to its folder for saved settings.
const APP_ID: &str = "flawscope";

/// Where what was opened lately is kept between sessions.
const RECENT_KEY: &str = "recent";

/// Everything the window needs from outside, so that tests can stand in for it.
pub struct Services {
    pub jobs: Box<dyn Jobs>,
    pub previews: Box<dyn Previews>,
    pub dialog: Dialog,
    /// Seconds on any clock that only goes forward.
    pub clock: Box<dyn Fn() -> f64>,
    pub folders: UserFolders,
    /// The file that keeps the session for next time; `None`: every window begins anew.
    pub session: Option<PathBuf>,
}

/// The window's content: state, the views' own settings, and the worker behind them.
pub struct App {
    state: State,
    worker: Worker,
    /// What the user asked for while a job ran that nobody waits for; starts when that is over.
    next: Option<Command>,
    /// What is to be opened after that, one after the other.
    agenda: VecDeque<Command>,
    picker: Picker,
    clock: Box<dyn Fn() -> f64>,
    folders: UserFolders,
    compare_view: CompareView,
    data_view: DataView,
    inspect_view: InspectView,
    /// The mask being painted; takes the place of Data.
    painter: Option<MaskPainter>,
    results_view: ResultsView,
    textures: Textures,
    train_view: TrainView,
    toasts: Toasts,
    closing: opening::Closing,
    /// The palette or the sheet of keys.
    overlay: Overlay,
    session: Option<SessionFile>,
    /// The last session, while it comes back.
    restoring: Option<Box<Session>>,
    /// What of it could not be opened.
    missing: Missing,
    /// The window itself, for when it closes.
    ctx: Context,
}

impl App {
    /// Starts the worker and asks it for the backbones at hand.
    pub fn new(
        ctx: &Context,
        storage: Option<&dyn eframe::Storage>,
        services: Services,
    ) -> io::Result<Self> {
        theme::install(ctx);
        let waker = ctx.clone();
        let worker = Worker::spawn(services.jobs, services.previews, move || {
            waker.request_repaint();
        })?;
        let recent = storage.and_then(|storage| eframe::get_value(storage, RECENT_KEY));
        let mut app = Self {
            state: State {
                recent: recent.unwrap_or_default(),
                ..State::default()
            },
            worker,
            next: None,
            agenda: VecDeque::new(),
            picker: Picker::new(services.dialog),
            clock: services.clock,
            folders: services.folders,
            compare_view: CompareView::default(),
            data_view: DataView::default(),
            inspect_view: InspectView::default(),
            painter: None,
            results_view: ResultsView::default(),
            textures: Textures::default(),
            train_view: TrainView::default(),
            toasts: Toasts::default(),
            closing: opening::Closing::default(),
            overlay: Overlay::default(),
            session: services.session.map(SessionFile::new),
            restoring: None,
            missing: Missing::default(),
            ctx: ctx.clone(),
        };
        app.submit(Command::ListWeights);
        app.restore(ctx);
        Ok(app)
    }

    /// What the window knows; for tests.
    pub fn state(&self) -> &State {
        &self.state
    }

    fn now(&self) -> f64 {
        (self.clock)()
    }

    /// Takes in everything that happened elsewhere since the last frame.
    fn drain(&mut self) {
        while let Some(event) = self.worker.poll() {
            self.hear(event);
        }
        match self.picker.poll() {
            Some(Picked::Path(pick, path)) => self.picked(pick, path),
            Some(Picked::NoDialog(Pick::ReportFile)) => self.report_into_the_run(),
            Some(Picked::NoDialog(_)) => self.state.tell(
                Severity::Warning,
                "This desktop has no file dialog",
                "Paste the path into its field instead; data sets and runs can be dropped onto the window, too",
            ),
            Some(Picked::Cancelled) | None => {}
        }
        self.follow_agenda();
    }

    fn hear(&mut self, event: Event) {
        let event = match event {
            Event::Preview { key, result } => return self.textures.insert(key, result),
            Event::Annotated { order, result } => return self.annotated(order, result),
            event => event,
        };
        if matches!(event, Event::RunOpened { .. }) {
            // The same folder may hold other maps now.
            self.textures.clear();
        }
        let data_opened = matches!(event, Event::DataOpened { .. });
        let run_opened = matches!(event, Event::RunOpened { .. });
        self.drop_what_depends_on(&event);
        let before = self.product();
        let shown = self.state.run.as_ref().map(|run| run.path.clone());
        let now = self.now();
        self.state.apply(event, now);
        if data_opened {
            self.textures.clear();
            self.keep_painter_if_possible();
            self.open_notes();
            self.data_view = DataView::default();
            self.train_view.form.out = None;
            if self.product() != before {
                self.train_view.form.forget_product();
            }
            self.data_restored();
        }
        if run_opened {
            if self.state.run.as_ref().map(|run| &run.path) != shown.as_ref() {
                // Where one looked closely at other pictures says nothing about these.
                self.inspect_view.viewport = Viewport::default();
            }
            self.run_restored();
        }
    }

    /// Whose pictures are open: data set and category.
    fn product(&self) -> Option<(PathBuf, String)> {
        let data = self.state.data.as_ref()?;
        Some((data.dataset.root.clone(), data.category()?.name.clone()))
    }

    fn picked(&mut self, pick: Pick, path: PathBuf) {
        match pick {
            Pick::DataFolder => self.act_alone(Action::OpenFolder(path)),
            Pick::TextureFolder => self.train_view.form.textures = path.display().to_string(),
            Pick::ComparedRun => self.act_alone(Action::OpenComparison(path)),
            Pick::ReportFile => self.act_alone(Action::WriteReport(path)),
            Pick::RunFolder | Pick::ModelFile => self.act_alone(Action::OpenRun(path)),
        }
    }

    /// Carries out what the user asked for.
    fn act(&mut self, action: Action, ctx: &Context) {
        match action {
            Action::CopyText(text) => ctx.copy_text(text),
            Action::Pick(pick) => self.pick(pick, ctx),
            Action::Window(action) => self.window_action(action, ctx),
            action => self.act_alone(action),
        }
    }

    /// The actions that need no window.
    fn act_alone(&mut self, action: Action) {
        match action {
            Action::Go(place) => self.go(place),
            Action::OpenFolder(root) => self.submit(Command::OpenData {
                root,
                options: OpenOptions::default(),
            }),
            Action::Reopen(options) => self.reopen(options),
            Action::OpenRun(path) => self.submit(Command::OpenRun { path }),
            Action::OpenPath(path) => self.submit(opening::command_for(path)),
            Action::OpenDropped(paths) => self.open_dropped(paths),
            Action::TrySample => self.submit(opening::sample_command(
                self.folders.sample(),
                SampleSettings::default(),
            )),
            Action::ChooseCategory(category) => self.choose_category(category),
            Action::ListWeights => self.submit(Command::ListWeights),
            Action::Train { config, out } => self.train(Command::Train { config, out }),
            Action::Resume(training) => self.train(Command::Resume { training }),
            Action::DiscardTraining(run) => self.submit(Command::DiscardTraining { run }),
            Action::PreviewAugmentation(config) => {
                self.submit(Command::PreviewAugmentation { config });
            }
            Action::Evaluate(run) => self.submit(Command::Evaluate { run, data: None }),
            Action::CancelJob => self.cancel(),
            Action::ForgetUnfinished => self.state.unfinished = None,
            Action::ForgetRecent(path) => self.state.recent.forget(&path),
            Action::Select(index) => self.state.selected = index,
            Action::Step(step) => self.step(step),
            Action::InspectPicture(index) => {
                self.inspect_view.arrive(&self.state);
                self.state.selected = index;
                self.go(Place::Inspect);
            }
            Action::EditLimits(edit) => self.state.edit_limits(&edit, self.now()),
            Action::ResetLimits => self.state.reset_limits(self.now()),
            Action::UndoLimits => self.state.undo_limits(),
            Action::RedoLimits => self.state.redo_limits(),
            Action::SaveLimits => self.save_limits(),
            Action::ShowOutcome(outcome) => self.show_outcome(outcome),
            Action::OpenComparison(path) => self.submit(Command::OpenComparison { path }),
            Action::CloseComparison(index) => {
                if index < self.state.comparisons.len() {
                    self.state.comparisons.remove(index);
                }
            }
            Action::CloseComparisons => self.state.comparisons.clear(),
            Action::Explain { title, reason } => self.explain(title, reason),
            Action::WriteReport(out) => self.write_report(out),
            Action::SetSeen(ids) => self.set_seen(ids),
            Action::PaintMask(id) => self.paint_mask(&id),
            Action::Painter(action) => self.painter_action(action),
            Action::CopyText(_) | Action::Pick(_) | Action::Window(_) => {}
        }
    }

    fn go(&mut self, place: Place) {
        if let Some(session) = &mut self.restoring {
            session.place = place;
        }
        if !place.needs_run() || self.state.run.is_some() {
            self.state.place = place;
        }
        if place != Place::Inspect {
            self.inspect_view.readout = None;
        }
    }

    fn pick(&mut self, pick: Pick, ctx: &Context) {
        if self.picker.is_open() {
            self.state.tell(
                Severity::Note,
                "A file dialog is open already",
                "If you cannot find it, paste the path into its field",
            );
            return;
        }
        if let Err(error) = self.picker.open(pick, ctx) {
            let story = error.to_string();
            self.state.tell(
                Severity::Error,
                "The file dialog could not be opened",
                story,
            );
        }
    }

    fn reopen(&mut self, options: OpenOptions) {
        if let Some(data) = &self.state.data {
            let root = data.dataset.root.clone();
            self.submit(Command::OpenData { root, options });
        }
    }

    fn choose_category(&mut self, category: usize) {
        if let Some(data) = &mut self.state.data {
            data.category = category;
            self.train_view.form.forget_product();
            self.state.taught = None;
        }
        self.data_view.seen = seen_card::SeenView::default();
        self.open_notes();
    }

    /// Lists the pictures of one cell of the confusion matrix, and shows the first.
    fn show_outcome(&mut self, outcome: verdict::Outcome) {
        if let Some(first) = self.inspect_view.show_outcome(&self.state, outcome) {
            self.state.selected = first;
        }
        self.go(Place::Inspect);
    }

    fn save_limits(&mut self) {
        if let Some(run) = &self.state.run {
            let limits = Box::new(self.state.limits.to_save(run));
            let run = run.path.clone();
            self.submit(Command::SaveLimits { run, limits });
        }
    }

    /// What is not saved would not be in the report, so it is saved first.
    fn write_report(&mut self, out: PathBuf) {
        if let Some(run) = &self.state.run {
            let limits = &self.state.limits;
            let limits = (!limits.are_saved(run)).then(|| Box::new(limits.to_save(run)));
            let run = run.path.clone();
            self.submit(Command::WriteReport { run, limits, out });
        }
    }

    /// Where nobody can be asked for a name, the report lies beside what it reports.
    fn report_into_the_run(&mut self) {
        let run = self.state.run.as_ref();
        if let Some(out) = run.map(|run| free_report(&run.path)) {
            self.write_report(out);
        }
    }

    fn train(&mut self, command: Command) {
        self.state.place = Place::Train;
        self.submit(command);
    }

    /// Hands the worker what was drawn without being there yet.
    fn ask_for_previews(&mut self) {
        for request in self.textures.take_requests() {
            if let Some(given_up) = self.worker.preview(request) {
                self.textures.give_up(&given_up);
            }
        }
    }

    fn place_ui(&mut self, ui: &mut Ui) -> Option<Action> {
        match self.state.place {
            Place::Data => match &mut self.painter {
                Some(painter) => painter_ui(ui, painter, &mut self.textures),
                None => data_ui(ui, &self.state, &mut self.data_view, &mut self.textures),
            },
            Place::Train => train_ui(ui, &self.state, &mut self.train_view, &self.folders),
            Place::Inspect => {
                inspect_ui(ui, &self.state, &mut self.inspect_view, &mut self.textures)
            }
            Place::Compare => {
                compare_ui(ui, &self.state, &mut self.compare_view, &mut self.textures)
            }
            Place::Results => results_ui(ui, &self.state, &mut self.results_view),
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, _: &Context, _: &mut eframe::Frame) {
        self.drain();
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        let ctx = ui.ctx().clone();
        let mut actions = vec![commands::pressed(ui, &self.state), opening::dropped(ui)];
        actions.push(rail::rail_ui(ui, &self.state));
        let readout = self.inspect_view.readout.as_ref().map(ToString::to_string);
        actions.push(status_bar::status_bar_ui(
            ui,
            &self.state,
            readout.as_deref(),
        ));
        let ground = Frame::new().fill(theme::palette(ui).panel);
        let place = CentralPanel::no_frame().frame(ground);
        actions.push(place.show(ui, |ui| self.place_ui(ui)).inner);
        self.ask_for_previews();
        if self.inspect_view.readout.as_ref().map(ToString::to_string) != readout {
            // The status bar is drawn before the picture it speaks of.
            ctx.request_repaint();
        }
        let now = self.now();
        actions.push(toasts_ui(ui, &self.state, &mut self.toasts, now));
        opening::drop_hint_ui(ui);
        let painting = self.painter.as_ref().filter(|painter| painter.is_changed());
        let painting = painting.map(|painter| painter.sample().id.as_str());
        actions.push(self.closing.ui(ui, &self.state, painting));
        actions.push(overlay_ui(ui, &self.state, &mut self.overlay));
        for action in actions.into_iter().flatten() {
            self.act(action, &ctx);
        }
        self.keep_session(&ctx);
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        eframe::set_value(storage, RECENT_KEY, &self.state.recent_for_next_time());
    }

    fn on_exit(&mut self, _: Option<&eframe::glow::Context>) {
        self.keep_session_now();
    }
}
