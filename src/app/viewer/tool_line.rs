//! The line below the views, of fixed height so that nothing jumps: measuring, the scale, the regions in one sentence.

use eframe::egui::{Align, Button, DragValue, Key, Layout, RichText, Ui, vec2};

use super::super::state::{Action, LimitEdit};
use super::super::theme;
use super::measure::{Measure, Tool, length_text};
use super::regions::summary;
use super::{FoundRegion, ViewerSettings};

/// As the sheet of keys tells them.
pub const KEYS: [(&str, &str); 2] = [
    ("M", "Draw a measuring line, and stop"),
    ("Escape", "Stop measuring"),
];

/// Points.
pub const HEIGHT: f32 = 26.0;

/// M starts and ends measuring, Escape ends it. Does nothing while the user types.
pub fn measure_keys(ui: &Ui, measure: &mut Measure) {
    if ui.ctx().egui_wants_keyboard_input() {
        return;
    }
    let pressed = |key| ui.input(|i| i.modifiers.is_none() && i.key_pressed(key));
    let ends = measure.tool == Tool::Measure && pressed(Key::Escape);
    if pressed(Key::M) || ends {
        measure.toggle();
    }
}

pub fn tool_line_ui(
    ui: &mut Ui,
    settings: &mut ViewerSettings,
    measure: &mut Measure,
    regions: &[FoundRegion],
    pixels_per_mm: Option<f64>,
) -> Option<Action> {
    let room = vec2(ui.available_width(), HEIGHT);
    let layout = Layout::left_to_right(Align::Center);
    ui.allocate_ui_with_layout(room, layout, |ui| {
        ui.set_min_height(HEIGHT);
        ui.spacing_mut().item_spacing.x = 6.0;
        measure_button(ui, measure);
        let edit = line_ui(ui, measure, pixels_per_mm).or(scale_ui(ui, pixels_per_mm));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let list = Button::selectable(settings.region_list, "Regions");
            let list = ui.add(list.frame_when_inactive(true));
            let hint = "List the regions at the pixel limit, with area and peak score";
            if list.on_hover_text(hint).clicked() {
                settings.region_list = !settings.region_list;
            }
            let muted = theme::palette(ui).muted;
            ui.label(RichText::new(summary(regions)).small().color(muted));
        });
        edit.map(Action::EditLimits)
    })
    .inner
}

fn measure_button(ui: &mut Ui, measure: &mut Measure) {
    let on = measure.tool == Tool::Measure;
    let button = ui.add(Button::selectable(on, "Measure").frame_when_inactive(true));
    let hint = "Drag a line on the picture to measure it (M; Escape ends)";
    if button.on_hover_text(hint).clicked() {
        measure.toggle();
    }
}

/// The length, and the field for the true one.
fn line_ui(ui: &mut Ui, measure: &mut Measure, pixels_per_mm: Option<f64>) -> Option<LimitEdit> {
    let palette = theme::palette(ui);
    let Some(length) = measure.length() else {
        if measure.tool == Tool::Measure {
            ui.label(RichText::new("Drag a line").small().color(palette.muted));
        }
        return None;
    };
    ui.label(RichText::new(length_text(length, pixels_per_mm)).color(palette.strong));
    ui.label(RichText::new("is").color(palette.muted));
    let field = DragValue::new(&mut measure.true_length)
        .range(0.0..=1e6)
        .speed(0.05)
        .max_decimals(4)
        .update_while_editing(false)
        .suffix(" mm");
    ui.add(field)
        .accessible_name("True length of the line")
        .on_hover_text("Type how long the line is in truth, then set the scale");
    let scale = measure.scale();
    let set = ui.add_enabled(scale.is_some(), Button::new("Set scale"));
    let set = set
        .on_hover_text("Take the scale from this line")
        .on_disabled_hover_text("Type the true length of the line first");
    (set.clicked() && scale.is_some()).then_some(LimitEdit::Scale(scale))
}

/// Pixels per millimetre to type, and the way back to none.
fn scale_ui(ui: &mut Ui, pixels_per_mm: Option<f64>) -> Option<LimitEdit> {
    ui.label(RichText::new("Scale").color(theme::palette(ui).muted));
    let mut value = pixels_per_mm.unwrap_or(0.0);
    let field = DragValue::new(&mut value)
        .range(0.0..=1e6)
        .speed(0.05)
        .update_while_editing(false)
        .custom_formatter(|value, _| {
            if value > 0.0 {
                format!("{value:.3} px/mm")
            } else {
                "none".to_owned()
            }
        })
        .custom_parser(|text| text.trim().trim_end_matches("px/mm").trim().parse().ok());
    let field = ui.add(field).accessible_name("Pixels per millimetre");
    let hint = "Pixels of the picture on one millimetre. Drag sideways, click and type, or measure a known length";
    if field.on_hover_text(hint).changed() {
        let scale = Some(value).filter(|&scale| scale > 0.0);
        return Some(LimitEdit::Scale(scale));
    }
    let remove = ui.add_enabled(pixels_per_mm.is_some(), Button::new("×"));
    let remove = remove
        .accessible_name("Remove the scale")
        .on_hover_text("Remove the scale: lengths and areas in pixels only");
    remove.clicked().then_some(LimitEdit::Scale(None))
}
