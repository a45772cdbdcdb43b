//! The Train place: what to train on the left, what will happen on the right, one button; then the running training.

use eframe::egui::{
    Align, Align2, Button, ComboBox, DragValue, Label, Layout, RichText, TextEdit, Ui, vec2,
};

use super::controls::{
    card, form_row, from_right, heading, icon, muted, primary, scrolled, segment, shortened, title,
};
use super::icons::Icon;
use super::progress_panel::progress_ui;
use super::state::{Action, OpenData, Place, State, UnfinishedTraining, last_name};
use super::theme;
use super::train_form::{
    Preset, TrainForm, backbone_name, choice_of, held_out, obstacle, proven_false_rejects,
};
use super::user_folders::UserFolders;
use super::words;
use crate::config::{CalibrationConfig, DeviceChoice};
use crate::data::image::InputPreset;
use crate::worker::message::{WeightsInfo, WeightsOrigin};

/// Below this width the two columns stand one under the other.
const TWO_COLUMNS: f32 = 760.0;
const CONTROL_WIDTH: f32 = 280.0;

pub fn train_ui(
    ui: &mut Ui,
    state: &State,
    form: &mut TrainForm,
    folders: &UserFolders,
) -> Option<Action> {
    scrolled(ui, |ui| match (state.training(), &state.data) {
        (Some(job), _) => progress_ui(ui, job),
        (None, Some(data)) => setup_ui(ui, state, data, form, folders),
        (None, None) => no_data_ui(ui),
    })
}

fn no_data_ui(ui: &mut Ui) -> Option<Action> {
    ui.add_space(ui.available_height() * 0.25);
    ui.vertical_centered(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(48.0, 48.0), eframe::egui::Sense::hover());
        super::icons::paint(ui.painter(), rect, Icon::Learning, theme::palette(ui).muted);
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
    form: &mut TrainForm,
    folders: &UserFolders,
) -> Option<Action> {
    ui.spacing_mut().item_spacing.y = 12.0;
    title(ui, "Train a model");
    let mut action = state
        .unfinished
        .as_ref()
        .and_then(|unfinished| unfinished_ui(ui, state, unfinished));
    if ui.available_width() < TWO_COLUMNS {
        action = form_ui(ui, state, data, form, folders).or(action);
        outlook_ui(ui, data, form, folders);
        return action;
    }
    ui.spacing_mut().item_spacing.x = 12.0;
    ui.columns(2, |columns| {
        for column in &mut *columns {
            column.spacing_mut().item_spacing.x = 8.0;
        }
        action = form_ui(&mut columns[0], state, data, form, folders).or(action.take());
        outlook_ui(&mut columns[1], data, form, folders);
    });
    action
}

/// The note about a training that was cancelled or failed.
fn unfinished_ui(ui: &mut Ui, state: &State, unfinished: &UnfinishedTraining) -> Option<Action> {
    let palette = theme::palette(ui);
    let (shape, color, text) = match &unfinished.failure {
        Some(_) => (Icon::Cross, palette.error, "The training failed"),
        None => (Icon::Note, palette.accent, "The training was cancelled"),
    };
    card(ui, |ui| {
        let mut action = None;
        from_right(ui, 28.0, |ui| {
            if ui.button("Dismiss").clicked() {
                action = Some(Action::ForgetUnfinished);
            }
            if ui
                .add_enabled(!state.is_busy(), Button::new("Try again"))
                .clicked()
            {
                action = Some(Action::Train {
                    config: unfinished.config.clone(),
                    out: unfinished.out.clone(),
                });
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                icon(ui, shape, color);
                heading(ui, text);
            });
        });
        if let Some(failure) = &unfinished.failure {
            ui.add(Label::new(failure).wrap());
            if ui.button("Copy details").clicked() {
                action = Some(Action::CopyText(failure.clone()));
            }
        }
        action
    })
}

fn form_ui(
    ui: &mut Ui,
    state: &State,
    data: &OpenData,
    form: &mut TrainForm,
    folders: &UserFolders,
) -> Option<Action> {
    let category = data.category().map_or("", |category| &category.name);
    card(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        let mut action = category_row(ui, data);
        model_row(ui);
        action = backbone_row(ui, state, form).or(action);
        preset_row(ui, form);
        input_row(ui, form);
        device_row(ui, form);
        seed_row(ui, form);
        out_row(ui, form, folders, category);
        ui.add_space(4.0);
        let obstacle = obstacle(state);
        let button = primary(ui, &format!("Train on {category}"));
        let size = vec2(ui.available_width(), 42.0);
        let pressed = ui
            .add_enabled_ui(obstacle.is_none(), |ui| ui.add_sized(size, button))
            .inner
            .on_disabled_hover_text(obstacle.unwrap_or_default())
            .clicked();
        if let Some(obstacle) = obstacle {
            muted(ui, obstacle);
        }
        if pressed {
            action = Some(Action::Train {
                config: Box::new(form.run_config(data)),
                out: form.out(folders, category),
            });
        }
        action
    })
}

/// A drop-down list for one row of the form.
fn choice<R>(
    ui: &mut Ui,
    name: &str,
    selected: String,
    contents: impl FnOnce(&mut Ui) -> R,
) -> Option<R> {
    let drawn = ComboBox::from_id_salt(name)
        .selected_text(selected)
        .width(CONTROL_WIDTH.min(ui.available_width()))
        .show_ui(ui, contents);
    named(&drawn.response, eframe::egui::Role::ComboBox, name);
    drawn.inner
}

/// Says aloud what the label beside a control shows.
fn named(response: &eframe::egui::Response, role: eframe::egui::Role, name: &str) {
    response.widget_info(|| eframe::egui::WidgetInfo::labeled(role, true, name));
}

fn category_row(ui: &mut Ui, data: &OpenData) -> Option<Action> {
    let mut chosen = data.category;
    let name = |index: usize| {
        let category = data.dataset.categories.get(index);
        category.map_or_else(String::new, |category| category.name.clone())
    };
    let good = data.category().map_or(0, |category| category.train.len());
    let hint = format!("{} to learn from", words::count(good, "good picture"));
    form_row(ui, "Category", &hint, |ui| {
        choice(ui, "Category", name(chosen), |ui| {
            for index in 0..data.dataset.categories.len() {
                ui.selectable_value(&mut chosen, index, name(index));
            }
        });
    });
    (chosen != data.category).then_some(Action::ChooseCategory(chosen))
}

fn model_row(ui: &mut Ui) {
    let hint = "Coupled-hypersphere feature adaptation; learns from good pictures alone";
    form_row(ui, "Model", hint, |ui| {
        choice(ui, "Model", "CFA".to_owned(), |ui| {
            let _ = ui.selectable_label(true, "CFA");
        });
    });
}

fn backbone_row(ui: &mut Ui, state: &State, form: &mut TrainForm) -> Option<Action> {
    let listed = state.weights.as_deref().unwrap_or_default();
    let chosen = listed
        .iter()
        .find(|weights| choice_of(weights) == form.backbone);
    let hint = match (&state.weights, chosen) {
        (None, _) => "Looking for weights…".to_owned(),
        (Some(_), Some(weights)) => backbone_hint(weights),
        (Some(_), None) => "Its weights were not found".to_owned(),
    };
    let selected = chosen.map_or_else(
        || backbone_name(form.backbone.kind).to_owned(),
        backbone_entry,
    );
    form_row(ui, "Backbone", &hint, |ui| {
        choice(ui, "Backbone", selected, |ui| {
            for weights in listed {
                let entry = backbone_entry(weights);
                ui.selectable_value(&mut form.backbone, choice_of(weights), entry)
                    .on_hover_text(backbone_hint(weights));
            }
            ui.separator();
            let more = "More: flawscope weights fetch resnet18";
            ui.label(RichText::new(more).small().color(theme::palette(ui).muted));
            let again = ui.add_enabled(!state.is_busy(), Button::new("Look again"));
            again.clicked().then_some(Action::ListWeights)
        })
        .flatten()
    })
}

/// `ResNet-18, found`, with a mark when the hash is known.
fn backbone_entry(weights: &WeightsInfo) -> String {
    let name = backbone_name(weights.kind);
    match &weights.origin {
        WeightsOrigin::Embedded => format!("{name}, built in"),
        WeightsOrigin::File(path) => format!("{name}, {}", shortened(&last_name(path), 22)),
    }
}

fn backbone_hint(weights: &WeightsInfo) -> String {
    let hash = shortened(&weights.sha256, 13);
    if weights.verified {
        format!("Verified: published weights, SHA-256 {hash}")
    } else {
        format!("Not verified: unknown file, SHA-256 {hash}")
    }
}

fn preset_row(ui: &mut Ui, form: &mut TrainForm) {
    let epochs = words::count(form.epochs(), "epoch");
    let hint = match form.preset {
        Preset::Paper => format!("{epochs} with the published settings; the last one counts"),
        Preset::Quick => format!("{epochs}: a first look, usually close to the full training"),
    };
    form_row(ui, "Preset", &hint, |ui| {
        for preset in [Preset::Paper, Preset::Quick] {
            segment(ui, &mut form.preset, preset, preset.name());
        }
    });
}

fn input_row(ui: &mut Ui, form: &mut TrainForm) {
    form_row(ui, "Input", input_hint(form.input), |ui| {
        for (input, name) in [
            (InputPreset::Resize128, "128"),
            (InputPreset::Resize256, "256"),
            (InputPreset::Resize512, "512"),
            (InputPreset::Resize256Crop224, "224 crop"),
        ] {
            segment(ui, &mut form.input, input, name).on_hover_text(input_hint(input));
        }
    });
}

/// What an input size is for.
fn input_hint(input: InputPreset) -> &'static str {
    match input {
        InputPreset::Resize128 => "A quick look: shorter side 128 px, only large defects show",
        InputPreset::Resize256 => "The whole picture, shorter side 256 px",
        InputPreset::Resize512 => "Small defects: about 4 times the time and memory of 256",
        InputPreset::Resize256Crop224 => {
            "The centre only, as in published benchmarks; blind at the border"
        }
    }
}

fn device_row(ui: &mut Ui, form: &mut TrainForm) {
    let gpu = cfg!(feature = "cuda");
    let hint = match form.device {
        DeviceChoice::Auto if gpu => "The first GPU if there is one, else the processor",
        DeviceChoice::Cuda(_) => "The first CUDA GPU",
        _ => "The processor, all cores",
    };
    form_row(ui, "Device", hint, |ui| {
        segment(ui, &mut form.device, DeviceChoice::Auto, "Auto");
        segment(ui, &mut form.device, DeviceChoice::Cpu, "CPU");
        ui.add_enabled_ui(gpu, |ui| {
            segment(ui, &mut form.device, DeviceChoice::Cuda(0), "CUDA")
                .on_disabled_hover_text("This build runs on the processor only");
        });
    });
}

fn seed_row(ui: &mut Ui, form: &mut TrainForm) {
    let hint = "The same seed gives the same model on the same machine";
    form_row(ui, "Seed", hint, |ui| {
        let drawn = ui.add(DragValue::new(&mut form.seed).speed(0.1));
        named(&drawn, eframe::egui::Role::SpinButton, "Seed");
        if form.seed != 0 && ui.button("Reset").clicked() {
            form.seed = 0;
        }
    });
}

fn out_row(ui: &mut Ui, form: &mut TrainForm, folders: &UserFolders, category: &str) {
    let follows = form.out.is_none();
    let mut text = form.out(folders, category).display().to_string();
    form_row(ui, "Run folder", "", |ui| {
        from_right(ui, 28.0, |ui| {
            if !follows && ui.button("Reset").clicked() {
                form.out = None;
            }
            let size = vec2(ui.available_width(), ui.spacing().interact_size.y);
            let field = TextEdit::singleline(&mut text).align(Align2::LEFT_CENTER);
            let drawn = ui.add_sized(size, field);
            named(&drawn, eframe::egui::Role::TextInput, "Run folder");
            if drawn.changed() {
                form.out = Some(text.clone());
            }
        });
    });
}

/// What pressing the button will do with these pictures, and what the result can prove.
fn outlook_ui(ui: &mut Ui, data: &OpenData, form: &TrainForm, folders: &UserFolders) {
    let Some(category) = data.category() else {
        return;
    };
    let held_out = held_out(category, &CalibrationConfig::default());
    let training = category.train.len() - held_out;
    let proven = proven_false_rejects(held_out) * 100.0;
    let steps = [
        (
            format!("{} train the model", words::count(training, "good picture")),
            format!(
                "{} over all of them; the last one counts, whatever the test pictures say",
                words::count(form.epochs(), "epoch")
            ),
        ),
        (
            format!(
                "{} are held out and set the limit",
                words::count(held_out, "good picture")
            ),
            format!(
                "None of them rejected proves at most {proven:.1} % false rejects at 95 % confidence; proving 1 % takes 299 pictures"
            ),
        ),
        (
            format!(
                "{} are scored with it",
                words::count(category.test.len(), "test picture")
            ),
            "They measure the result and touch neither the model nor its limit".to_owned(),
        ),
        (
            "Inspect and Results open".to_owned(),
            format!(
                "Everything is kept in {}",
                form.out(folders, &category.name).display()
            ),
        ),
    ];
    card(ui, |ui| {
        heading(ui, "What will happen");
        for (index, (what, why)) in steps.iter().enumerate() {
            step_ui(ui, index + 1, what, why);
        }
    });
}

fn step_ui(ui: &mut Ui, number: usize, what: &str, why: &str) {
    let palette = theme::palette(ui);
    ui.horizontal_top(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(22.0, 22.0), eframe::egui::Sense::hover());
        ui.painter()
            .circle_filled(rect.center(), 11.0, palette.accent.gamma_multiply(0.2));
        ui.painter().text(
            rect.center(),
            Align2::CENTER_CENTER,
            number,
            eframe::egui::FontId::proportional(12.0),
            palette.accent,
        );
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            ui.add(Label::new(RichText::new(what).color(palette.strong)).wrap());
            muted(ui, why);
        });
    });
}
