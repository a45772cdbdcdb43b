//! The Train place: what to train on the left, what will happen on the right, one button; then the running training.

use eframe::egui::{RichText, Sense, Ui, vec2};

use super::controls::{card, icon, muted, primary, scrolled, title};
use super::icons::{self, Icon};
use super::outlook_panel::outlook_ui;
use super::progress_panel::progress_ui;
use super::state::{Action, OpenData, Place, State};
use super::taught_sheet::{TaughtSheet, sheet_ui};
use super::theme;
use super::train_form::{TrainForm, preset_name};
use super::train_plan::{Share, SmallerBatch, obstacle, smaller_batch};
use super::train_rows::rows_ui;
use super::unfinished_panel::{Asking, unfinished_ui};
use super::user_folders::UserFolders;
use super::words;

/// Below this width the two columns stand one under the other.
const TWO_COLUMNS: f32 = 760.0;

/// What the place remembers that is nobody else's business.
#[derive(Default)]
pub struct TrainView {
    pub form: TrainForm,
    pub sheet: TaughtSheet,
    asking: Option<Asking>,
}

pub fn train_ui(
    ui: &mut Ui,
    state: &State,
    view: &mut TrainView,
    folders: &UserFolders,
) -> Option<Action> {
    if let Some(job) = state.training() {
        return scrolled(ui, |ui| progress_ui(ui, job));
    }
    if let Some(data) = &state.data
        && view.form.model.learns_from_defects()
        && view.sheet.is_open()
    {
        return sheet_ui(ui, state, data, &mut view.form, &mut view.sheet);
    }
    scrolled(ui, |ui| idle_ui(ui, state, view, folders))
}

fn idle_ui(
    ui: &mut Ui,
    state: &State,
    view: &mut TrainView,
    folders: &UserFolders,
) -> Option<Action> {
    ui.spacing_mut().item_spacing.y = 12.0;
    if state.data.is_some() || state.unfinished.is_some() {
        title(ui, "Train a model");
    }
    let action = state
        .unfinished
        .as_ref()
        .and_then(|unfinished| unfinished_ui(ui, state, unfinished, &mut view.asking));
    if state.unfinished.is_none() {
        view.asking = None;
    }
    match &state.data {
        Some(data) => setup_ui(ui, state, data, view, folders),
        None => no_data_ui(ui),
    }
    .or(action)
}

fn no_data_ui(ui: &mut Ui) -> Option<Action> {
    ui.add_space(ui.available_height() * 0.25);
    ui.vertical_centered(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(48.0, 48.0), Sense::hover());
        icons::paint(ui.painter(), rect, Icon::Learning, theme::palette(ui).muted);
        title(ui, "Nothing to train on yet");
        muted(
            ui,
            "Open a folder of pictures first, or take the sample data set",
        );
        ui.add_space(6.0);
        let open = primary(ui, "Go to Data");
        ui.add(open).clicked().then_some(Action::Go(Place::Data))
    })
    .inner
}

fn setup_ui(
    ui: &mut Ui,
    state: &State,
    data: &OpenData,
    view: &mut TrainView,
    folders: &UserFolders,
) -> Option<Action> {
    let category = data.category().map_or("", |category| &category.name);
    if ui.available_width() < TWO_COLUMNS {
        let action = form_ui(ui, state, data, view, folders);
        let form = &view.form;
        outlook_ui(ui, data, form, &form.out(folders, category));
        return action;
    }
    ui.spacing_mut().item_spacing.x = 12.0;
    ui.columns(2, |columns| {
        for column in &mut *columns {
            column.spacing_mut().item_spacing.x = 8.0;
        }
        let action = form_ui(&mut columns[0], state, data, view, folders);
        let form = &view.form;
        outlook_ui(&mut columns[1], data, form, &form.out(folders, category));
        action
    })
}

fn form_ui(
    ui: &mut Ui,
    state: &State,
    data: &OpenData,
    view: &mut TrainView,
    folders: &UserFolders,
) -> Option<Action> {
    card(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        let action = rows_ui(ui, state, data, view, folders);
        let form = &view.form;
        if let Some(batch) = smaller_batch(form, data) {
            batch_note_ui(ui, data, form, batch);
            ui.add_space(6.0);
        }
        ui.add_space(4.0);
        start_ui(ui, state, data, form, folders).or(action)
    })
}

/// That the preset had to be changed for these pictures, and why.
fn batch_note_ui(ui: &mut Ui, data: &OpenData, form: &TrainForm, batch: SmallerBatch) {
    let palette = theme::palette(ui);
    let SmallerBatch { pictures, preset } = batch;
    ui.horizontal_top(|ui| {
        icon(ui, Icon::Warning, palette.warning);
        ui.vertical(|ui| {
            let text = format!("Batches of {pictures} pictures instead of {preset}");
            ui.label(RichText::new(text).color(palette.strong));
            let held_out = Share::of(data).held_out;
            muted(
                ui,
                format!(
                    "{} needs {preset} pictures to train on. After {held_out} are held out there are {}, so one batch holds them all. \
                     More good pictures bring the preset's own batches back",
                    preset_name(form.preset),
                    words::grouped(pictures)
                ),
            );
        });
    });
}

/// The one button of the place, or why it cannot be pressed.
fn start_ui(
    ui: &mut Ui,
    state: &State,
    data: &OpenData,
    form: &TrainForm,
    folders: &UserFolders,
) -> Option<Action> {
    let category = data.category().map_or("", |category| &category.name);
    let obstacle = obstacle(state, form);
    let button = primary(ui, &format!("Train on {category}"));
    let size = vec2(ui.available_width(), 42.0);
    let pressed = ui
        .add_enabled_ui(obstacle.is_none(), |ui| ui.add_sized(size, button))
        .inner
        .clicked();
    if let Some(obstacle) = obstacle {
        muted(ui, obstacle);
    }
    pressed.then(|| Action::Train {
        config: Box::new(form.run_config(data)),
        out: form.out(folders, category),
    })
}
