//! The rows of the training form: a name, a control, and a hint that says what the choice means.

use eframe::egui::{Align2, Button, ComboBox, DragValue, RichText, Role, TextEdit, Ui, vec2};

use super::controls::{form_row, from_right, segment, shortened};
use super::defect_rows::defect_rows_ui;
use super::state::{Action, OpenData, State, last_name};
use super::theme;
use super::train_form::{TrainForm, backbone_name, choice_of, preset_name, works_with};
use super::train_panel::TrainView;
use super::user_folders::UserFolders;
use super::words;
use crate::config::{DeviceChoice, ModelName, Preset, published_cflow_input};
use crate::data::image::InputPreset;
use crate::worker::message::{Gpu, WeightsInfo, WeightsOrigin};

const CONTROL_WIDTH: f32 = 280.0;

const PROCESSOR: &str = "The processor, all cores";

/// All rows, one under the other.
pub fn rows_ui(
    ui: &mut Ui,
    state: &State,
    data: &OpenData,
    view: &mut TrainView,
    folders: &UserFolders,
) -> Option<Action> {
    let TrainView { form, sheet, .. } = view;
    let category = data.category().map_or("", |category| &category.name);
    let mut action = category_row(ui, data);
    model_row(ui, form);
    preset_row(ui, form);
    if form.model.learns_from_defects() {
        action = defect_rows_ui(ui, state, data, form, sheet).or(action);
    }
    action = backbone_row(ui, state, form).or(action);
    input_row(ui, form, category);
    device_row(ui, state, form);
    seed_row(ui, form);
    carry_row(ui, form);
    out_row(ui, form, folders, category);
    action
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
    named(&drawn.response, Role::ComboBox, name);
    drawn.inner
}

/// Says aloud what the label beside a control shows.
pub fn named(response: &eframe::egui::Response, role: Role, name: &str) {
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

fn model_row(ui: &mut Ui, form: &mut TrainForm) {
    let mut chosen = form.model;
    form_row(ui, "Model", model_hint(chosen), |ui| {
        for model in ModelName::ALL {
            segment(ui, &mut chosen, model, model.title()).on_hover_text(model_hint(model));
        }
    });
    if chosen != form.model {
        form.choose_model(chosen);
    }
}

/// What a model is good at and what it costs.
fn model_hint(model: ModelName) -> &'static str {
    match model {
        ModelName::Cfa => "Fast to train and to score: the first choice",
        ModelName::Cflow => {
            "Rates every patch by its probability. Trains much longer; its maps are not smoothed, \
             which can follow a defect's outline more closely"
        }
        ModelName::Prn => {
            "Learns from a few seen defects with masks as well, and from simulated ones; \
             finds most of what looks like them"
        }
    }
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
                ui.add_enabled_ui(works_with(form.model, weights.kind), |ui| {
                    ui.selectable_value(&mut form.backbone, choice_of(weights), entry)
                        .on_hover_text(backbone_hint(weights))
                        .on_disabled_hover_text("This model cannot use it");
                });
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
    let hint = preset_hint(form.model, form.preset, form.model_config().epochs());
    form_row(ui, "Preset", &hint, |ui| {
        for &preset in form.model.presets() {
            segment(ui, &mut form.preset, preset, preset_name(preset));
        }
    });
}

fn preset_hint(model: ModelName, preset: Preset, epochs: usize) -> String {
    let epochs = words::count(epochs, "epoch");
    match (model, preset) {
        (ModelName::Prn, Preset::Paper) => {
            format!("{epochs} with the published settings: meant for a GPU")
        }
        (ModelName::Prn, _) => {
            format!("{epochs} of a narrow network: minutes on a computer without GPU")
        }
        (ModelName::Cfa, Preset::Quick | Preset::Lite) => {
            format!("{epochs}: a first look, usually close to the full training")
        }
        (ModelName::Cflow, Preset::Quick | Preset::Lite) => {
            format!("{epochs}: a first look in a fraction of the time")
        }
        (ModelName::Cfa, Preset::Paper | Preset::Paper256) => {
            format!("{epochs} with the published settings; the last one counts")
        }
        (ModelName::Cflow, Preset::Paper) => format!(
            "{epochs} with the published settings, each MVTec category at its published input size"
        ),
        (ModelName::Cflow, Preset::Paper256) => format!(
            "{epochs} with the published settings, everything at 256: the published sizes were picked by test results"
        ),
    }
}

fn input_row(ui: &mut Ui, form: &mut TrainForm, category: &str) {
    let mut chosen = form.input(category);
    let hint = match input_origin(form, category) {
        Some(origin) => format!("{origin}. {}", input_hint(chosen)),
        None => input_hint(chosen).to_owned(),
    };
    form_row(ui, "Input", &hint, |ui| {
        for (input, name) in [
            (InputPreset::Resize128, "128"),
            (InputPreset::Resize256, "256"),
            (InputPreset::Resize512, "512"),
            (InputPreset::Resize256Crop224, "224 crop"),
        ] {
            segment(ui, &mut chosen, input, name).on_hover_text(input_hint(input));
        }
    });
    if chosen != form.input(category) {
        form.choose_input(chosen, category);
    }
}

/// Why it is this input, where that is not plain to see.
fn input_origin(form: &TrainForm, category: &str) -> Option<String> {
    if form.input.is_some() {
        let own = form.preset_input(category).name();
        return Some(format!("Chosen by hand; the preset takes {own}"));
    }
    if (form.model, form.preset) != (ModelName::Cflow, Preset::Paper) {
        return None;
    }
    Some(match published_cflow_input(category) {
        Some(_) => format!("As published for {category}"),
        None => format!("No size was published for {category}"),
    })
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

fn device_row(ui: &mut Ui, state: &State, form: &mut TrainForm) {
    let (gpus, missing) = match &state.gpus {
        Some(Ok(gpus)) => (gpus.as_slice(), None),
        Some(Err(why)) => (&[][..], Some(why.as_str())),
        None => (&[][..], None),
    };
    form_row(ui, "Device", &device_hint(form.device, gpus), |ui| {
        segment(ui, &mut form.device, DeviceChoice::Auto, "Auto");
        segment(ui, &mut form.device, DeviceChoice::Cpu, "CPU");
        for gpu in gpus {
            let name = format!("GPU {}", gpu.ordinal);
            let choice = DeviceChoice::Cuda(gpu.ordinal);
            segment(ui, &mut form.device, choice, &name).on_hover_text(gpu.in_words());
        }
        if gpus.is_empty() {
            ui.add_enabled_ui(false, |ui| {
                let why = missing.unwrap_or("GPUs are listed while no job runs");
                segment(ui, &mut form.device, DeviceChoice::Cuda(0), "GPU")
                    .on_disabled_hover_text(format!("The processor is used: {why}"));
            });
        }
    });
}

/// Where the choice leads.
fn device_hint(choice: DeviceChoice, gpus: &[Gpu]) -> String {
    let gpu = |ordinal: usize| gpus.iter().find(|gpu| gpu.ordinal == ordinal);
    match choice {
        DeviceChoice::Cuda(ordinal) => gpu(ordinal).map_or_else(
            || format!("There is no GPU {ordinal} here: choose another device"),
            Gpu::in_words,
        ),
        DeviceChoice::Auto => gpu(0).map_or_else(|| PROCESSOR.to_owned(), Gpu::in_words),
        DeviceChoice::Cpu => PROCESSOR.to_owned(),
    }
}

fn seed_row(ui: &mut Ui, form: &mut TrainForm) {
    let hint = "Same seed, same machine: the same model";
    form_row(ui, "Seed", hint, |ui| {
        let drawn = ui.add(DragValue::new(&mut form.seed).speed(0.1));
        named(&drawn, Role::SpinButton, "Seed");
        if form.seed != 0 && ui.button("Reset").clicked() {
            form.seed = 0;
        }
    });
}

fn carry_row(ui: &mut Ui, form: &mut TrainForm) {
    let hint = match &form.backbone.weights {
        _ if form.embed_backbone => {
            "One file runs anywhere; it is larger by the backbone".to_owned()
        }
        None => "Not needed: this backbone is a part of Flawscope".to_owned(),
        Some(path) => format!(
            "Without it, the model needs {} wherever it is opened",
            last_name(path)
        ),
    };
    form_row(ui, "Model file", &hint, |ui| {
        ui.checkbox(&mut form.embed_backbone, "Carry the backbone inside");
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
            named(&drawn, Role::TextInput, "Run folder");
            if drawn.changed() {
                form.out = Some(text.clone());
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::{PROCESSOR, device_hint};
    use crate::config::DeviceChoice;
    use crate::worker::message::Gpu;

    #[test]
    fn a_device_says_where_it_leads() {
        let gpu = Gpu {
            ordinal: 0,
            name: "NVIDIA RTX A4000".to_owned(),
            free_bytes: 15 << 30,
            total_bytes: 16 << 30,
            driver: (13, 0),
        };
        let gpus = std::slice::from_ref(&gpu);
        for choice in [DeviceChoice::Auto, DeviceChoice::Cuda(0)] {
            assert_eq!(device_hint(choice, gpus), gpu.in_words());
        }
        assert_eq!(device_hint(DeviceChoice::Cpu, gpus), PROCESSOR);
        assert_eq!(device_hint(DeviceChoice::Auto, &[]), PROCESSOR);
        assert!(device_hint(DeviceChoice::Cuda(1), gpus).contains("no GPU 1"));
    }
}
