//! Opens the desktop window and keeps it open until the user closes it.

use std::time::Instant;

use anyhow::{Result, anyhow};
use eframe::egui::ViewportBuilder;

use super::app_icon::app_icon;
use super::picker::desktop_dialog;
use super::{APP_ID, App, Services, UserFolders};
use crate::worker::{Jobs, Previews};

/// Shows the window. The error is one line: why there is none, and what to do without.
pub fn run(jobs: Box<dyn Jobs>, previews: Box<dyn Previews>) -> Result<()> {
    let options = eframe::NativeOptions {
        viewport: ViewportBuilder::default()
            .with_title("Flawscope")
            .with_app_id(APP_ID)
            .with_icon(app_icon())
            .with_inner_size([1280.0, 800.0])
            .with_min_inner_size([720.0, 480.0])
            .with_drag_and_drop(true),
        centered: true,
        ..eframe::NativeOptions::default()
    };
    let started = Instant::now();
    let folders = UserFolders::of_this_user();
    let services = Services {
        jobs,
        previews,
        dialog: desktop_dialog,
        clock: Box::new(move || started.elapsed().as_secs_f64()),
        session: Some(folders.session()),
        folders,
    };
    let create: eframe::AppCreator<'_> = Box::new(|cc| {
        let app = App::new(&cc.egui_ctx, cc.storage, services)?;
        Ok(Box::new(app))
    });
    eframe::run_native("Flawscope", options, create).map_err(|error| no_window(&error))
}

fn no_window(error: &eframe::Error) -> anyhow::Error {
    let reason = match error {
        // Its own text names a source file of the window library, which helps nobody.
        eframe::Error::WinitEventLoop(_) => {
            "neither DISPLAY nor WAYLAND_DISPLAY leads to a display".to_owned()
        }
        other => other.to_string().replace('\n', " "),
    };
    anyhow!(
        "cannot open a window: {reason}; without a display use `flawscope demo` or `flawscope --help`"
    )
}
