//! The whole window without a screen: driven by labels and keys, drawn by the CPU.

use std::cell::Cell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use eframe::egui::{DroppedFile, Theme};
use egui_kittest::Harness;
use flawscope::app::state::{Pick, State};
use flawscope::app::{App, Services, UserFolders};
use flawscope::worker::message::Command;
use tempfile::TempDir;

use super::fake_jobs::{FakePreviews, Script, fake_jobs};
use super::made_up;
use super::soft_renderer::SoftRenderer;

pub struct Window {
    pub harness: Harness<'static, App>,
    pub script: Script,
    /// Seconds on the window's clock; stands still unless a test moves it.
    pub clock: Rc<Cell<f64>>,
    /// The user's own folder, unless another was named.
    pub home: TempDir,
}

/// What the desktop's dialog answers in tests.
fn dialog(pick: Pick) -> Option<PathBuf> {
    match pick {
        Pick::DataFolder => Some(PathBuf::from("/chosen/folder")),
        Pick::TextureFolder => Some(PathBuf::from("/chosen/textures")),
        Pick::RunFolder | Pick::ModelFile | Pick::ComparedRun | Pick::ReportFile => None,
    }
}

impl Window {
    pub fn open(theme: Theme) -> Self {
        let home = tempfile::tempdir().unwrap();
        let folders = UserFolders::new(home.path());
        Self::open_with(theme, home, folders, None)
    }

    /// A window that finds the session the last one at this home left.
    pub fn open_again(home: TempDir) -> Self {
        let folders = UserFolders::new(home.path());
        let session = Some(folders.session());
        Self::open_with(Theme::Dark, home, folders, session)
    }

    /// A window that shows the same paths on every machine and must not write to them.
    pub fn open_for_snapshot(theme: Theme) -> Self {
        let folders = UserFolders::new("/home/anna/.local/share/flawscope");
        Self::open_with(theme, tempfile::tempdir().unwrap(), folders, None)
    }

    fn open_with(
        theme: Theme,
        home: TempDir,
        folders: UserFolders,
        session: Option<PathBuf>,
    ) -> Self {
        let (jobs, script) = fake_jobs(made_up::weights());
        let clock = Rc::new(Cell::new(0.0));
        let ticking = Rc::clone(&clock);
        let services = Services {
            jobs: Box::new(jobs),
            previews: Box::new(FakePreviews::default()),
            dialog,
            clock: Box::new(move || ticking.get()),
            folders,
            session,
        };
        let harness = Harness::builder()
            .with_size([1280.0, 800.0])
            .with_theme(theme)
            .renderer(SoftRenderer::default())
            .build_eframe(|cc| App::new(&cc.egui_ctx, cc.storage, services).unwrap());
        let mut window = Self {
            harness,
            script,
            clock,
            home,
        };
        window.until("weights listed", |state| state.weights.is_some());
        window
    }

    pub fn state(&self) -> &State {
        self.harness.state().state()
    }

    /// Draws frames until the state is as wanted; the worker needs real time for its part.
    pub fn until(&mut self, what: &str, wanted: impl Fn(&State) -> bool) {
        for _ in 0..1000 {
            self.harness.run_steps(1);
            if wanted(self.state()) {
                self.harness.run_steps(2);
                return;
            }
            sleep(Duration::from_millis(5));
        }
        panic!("not reached: {what}\n{:#?}", self.state());
    }

    /// Draws frames until this text is on screen.
    pub fn until_shown(&mut self, text: &str) {
        use egui_kittest::kittest::Queryable;
        for _ in 0..1000 {
            self.harness.run_steps(1);
            let mut found = self.harness.query_all_by_label_contains(text);
            if found.next().is_some() {
                drop(found);
                self.harness.run_steps(2);
                return;
            }
            drop(found);
            sleep(Duration::from_millis(5));
        }
        panic!("never shown: {text}");
    }

    /// The next command that the window submits; draws frames until it does.
    pub fn next_command(&mut self) -> Command {
        for _ in 0..1000 {
            self.harness.run_steps(1);
            if let Ok(command) = self.script.commands.try_recv() {
                return command;
            }
            sleep(Duration::from_millis(5));
        }
        panic!("no command was submitted\n{:#?}", self.state());
    }

    /// Lets clicks and key presses take effect.
    pub fn settle(&mut self) {
        self.harness.run_steps(4);
    }

    pub fn drop_path(&mut self, path: &str) {
        self.drop_paths(&[PathBuf::from(path)]);
    }

    pub fn drop_paths(&mut self, paths: &[PathBuf]) {
        for path in paths {
            let dropped = Arc::new(Dropped(path.clone()));
            self.harness.input_mut().dropped_files.push(dropped);
        }
        self.settle();
    }

    /// Draws the window to be looked at, into the folder named by `FLAWSCOPE_SCREENSHOTS`; else does nothing.
    pub fn picture(&mut self, name: &str) {
        if let Some(folder) = std::env::var_os("FLAWSCOPE_SCREENSHOTS") {
            let path = PathBuf::from(folder).join(format!("{name}.png"));
            self.harness.render().unwrap().save(path).unwrap();
        }
    }

    /// [`Self::picture`] at another size.
    pub fn picture_at(&mut self, size: [f32; 2], name: &str) {
        self.harness.set_size(size.into());
        self.settle();
        self.picture(name);
        self.harness.set_size([1280.0, 800.0].into());
        self.settle();
    }

    /// Compares the window with the committed picture, except where paths are written another way.
    pub fn snapshot(&mut self, name: &str) {
        // Small enough to be kept beside the test.
        self.snapshot_at([960.0, 640.0], name);
    }

    /// [`Self::snapshot`] at another size.
    pub fn snapshot_at(&mut self, size: [f32; 2], name: &str) {
        if cfg!(not(windows)) {
            self.harness.set_size(size.into());
            self.harness.remove_cursor();
            self.settle();
            self.harness.snapshot(name);
            self.harness.set_size([1280.0, 800.0].into());
            self.settle();
        }
    }
}

#[derive(Debug)]
pub struct Dropped(pub PathBuf);

impl DroppedFile for Dropped {
    fn path(&self) -> &std::path::Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}
