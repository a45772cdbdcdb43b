//! The tool row over the picture: which views, how the heatmap is drawn, zoom. Changes view settings only.

use eframe::egui::{Button, Checkbox, ComboBox, Key, Slider, Ui};

use super::viewer::{ColourScale, Heatmap, Pane, ViewerSettings, ZoomRequest};
use super::viewport::Viewport;
use crate::render::Palette;

/// Points from which everything fits on one row.
const ONE_ROW: f32 = 1280.0;
const OPACITY_STEP: f32 = 0.1;

/// As the sheet of keys tells them; see [`view_keys`].
pub const KEYS: [(&str, &str); 10] = [
    ("F", "The whole picture"),
    ("1", "One picture pixel on one screen pixel"),
    ("+, -", "Zoom in and out, as the wheel does"),
    ("O", "Show or hide the original"),
    ("V", "Show or hide the overlay"),
    ("H", "Show or hide the map"),
    ("G", "Show or hide the ground truth"),
    ("2, 3", "Show or hide a compared run"),
    ("Space", "Heatmap on or off"),
    ("[, ]", "Less and more of the heatmap"),
];

/// What there is to be shown of the picture.
#[derive(Debug, Clone, Copy)]
pub struct Available {
    pub map: bool,
    pub mask: bool,
}

impl Available {
    /// The picture is still on its way.
    pub const UNKNOWN: Self = Self {
        map: true,
        mask: true,
    };
}

/// `compared` names the runs that are compared with the open one.
pub fn view_controls_ui(
    ui: &mut Ui,
    settings: &mut ViewerSettings,
    viewport: &mut Viewport,
    available: Available,
    compared: &[String],
) -> Option<ZoomRequest> {
    let mut request = None;
    let mut first = |ui: &mut Ui, settings: &mut ViewerSettings| {
        panes_ui(ui, settings, compared);
        ui.separator();
        let natural = "One picture pixel on one screen pixel (1, or double-click)";
        request = zoom_ui(ui, viewport, natural);
        ui.separator();
        palette_ui(ui, &mut settings.palette);
    };
    let second = |ui: &mut Ui, settings: &mut ViewerSettings| {
        heatmap_ui(ui, settings);
        ui.separator();
        marks_ui(ui, settings, available);
    };
    ui.spacing_mut().item_spacing.x = 6.0;
    if ui.available_width() > ONE_ROW {
        ui.horizontal(|ui| {
            first(ui, settings);
            ui.separator();
            second(ui, settings);
        });
    } else {
        ui.horizontal_wrapped(|ui| first(ui, settings));
        ui.horizontal_wrapped(|ui| second(ui, settings));
    }
    request
}

fn panes_ui(ui: &mut Ui, settings: &mut ViewerSettings, compared: &[String]) {
    for pane in Pane::ALL {
        let Some(what) = (match pane {
            Pane::Compared(index) => compared.get(index).map(|run| format!("overlay of {run}")),
            _ => Some(format!("{} view", pane.name().to_lowercase())),
        }) else {
            continue;
        };
        let button =
            Button::selectable(settings.shows(pane), pane.name()).frame_when_inactive(true);
        let key = pane_key(pane).map_or_else(String::new, |key| format!(" ({})", key.name()));
        let hint = format!("Show or hide the {what}{key}; all views share zoom and position");
        if ui.add(button).on_hover_text(hint).clicked() {
            settings.toggle_pane(pane);
        }
    }
}

/// Shows or hides a view.
fn pane_key(pane: Pane) -> Option<Key> {
    match pane {
        Pane::Original => Some(Key::O),
        Pane::Overlay => Some(Key::V),
        Pane::GroundTruth => Some(Key::G),
        Pane::Map => Some(Key::H),
        Pane::Compared(0) => Some(Key::Num2),
        Pane::Compared(1) => Some(Key::Num3),
        Pane::Compared(_) => None,
    }
}

fn heatmap_ui(ui: &mut Ui, settings: &mut ViewerSettings) {
    let mut shown = settings.heatmap == Heatmap::Shown;
    let heatmap = ui
        .checkbox(&mut shown, "Heatmap")
        .on_hover_text("Colours over the picture in the overlay view (Space)");
    if heatmap.changed() {
        settings.toggle_heatmap();
    }
    ui.spacing_mut().slider_width = 70.0;
    let mut percent = 100.0 * settings.opacity;
    let slider = Slider::new(&mut percent, 0.0..=100.0)
        .step_by(5.0)
        .suffix(" %");
    let slider = ui.add_enabled(shown, slider).accessible_name("Opacity");
    if slider
        .on_hover_text("Opacity of the heatmap; less and more with [ and ]")
        .changed()
    {
        settings.opacity = percent / 100.0;
    }
}

fn palette_ui(ui: &mut Ui, palette: &mut Palette) {
    ComboBox::from_id_salt("palette")
        .width(92.0)
        .selected_text(palette.name())
        .show_ui(ui, |ui| {
            for choice in Palette::ALL {
                ui.selectable_value(palette, choice, choice.name());
            }
        })
        .response
        .accessible_name("Palette")
        .on_hover_text("Colours of the heatmap and the colour bar");
}

fn marks_ui(ui: &mut Ui, settings: &mut ViewerSettings, available: Available) {
    // One by one, so that the row wraps between them.
    let above = Checkbox::new(&mut settings.only_above_limit, "Only above the limit");
    ui.add_enabled(available.map, above)
        .on_hover_text("Colour only what scores at least the pixel limit");
    let contour = Checkbox::new(&mut settings.contour, "Contour");
    ui.add_enabled(available.map, contour)
        .on_hover_text("A line around what scores at least the pixel limit");
    stretch_ui(ui, settings, available);
    let mask = Checkbox::new(&mut settings.mask, "Mask");
    ui.add_enabled(available.mask, mask)
        .on_hover_text("The outline of the defect as the mask file marks it")
        .on_disabled_hover_text("This picture has no mask file");
}

/// Colours from the lowest to the highest score of each picture, instead of the model's own scale.
fn stretch_ui(ui: &mut Ui, settings: &mut ViewerSettings, available: Available) {
    let mut stretched = settings.colours == ColourScale::Stretched;
    let hint = "Spread the colours over the scores of this picture alone. Colours then mean something else on every picture";
    let stretch = Checkbox::new(&mut stretched, "Stretch to this picture");
    let stretch = ui.add_enabled(available.map, stretch);
    if stretch.on_hover_text(hint).changed() {
        settings.colours = if stretched {
            ColourScale::Stretched
        } else {
            ColourScale::Frozen
        };
    }
}

/// Fit, 1:1 and the two steps; `natural` is the hint for 1:1.
pub fn zoom_ui(ui: &mut Ui, viewport: &mut Viewport, natural: &str) -> Option<ZoomRequest> {
    let mut request = None;
    let fit = Button::selectable(viewport.is_fitting(), "Fit").frame_when_inactive(true);
    if ui.add(fit).on_hover_text("The whole picture (F)").clicked() {
        viewport.fit();
    }
    let buttons = [
        ("1:1", natural, ZoomRequest::Natural),
        ("−", "Zoom out (-, or the wheel)", ZoomRequest::Out),
        ("+", "Zoom in (+, or the wheel)", ZoomRequest::In),
    ];
    for (text, hint, asked) in buttons {
        if ui.button(text).on_hover_text(hint).clicked() {
            request = Some(asked);
        }
    }
    request
}

/// Space, the keys of the views, the brackets, F, 1, + and -; so many runs are compared. Does nothing while the user types.
pub fn view_keys(
    ui: &Ui,
    settings: &mut ViewerSettings,
    viewport: &mut Viewport,
    compared: usize,
) -> Option<ZoomRequest> {
    if ui.ctx().egui_wants_keyboard_input() {
        return None;
    }
    let pressed =
        |key| ui.input(|i| !i.modifiers.command && !i.modifiers.alt && i.key_pressed(key));
    if pressed(Key::Space) {
        settings.toggle_heatmap();
    }
    for pane in Pane::ALL {
        if pane.is_there(compared) && pane_key(pane).is_some_and(pressed) {
            settings.toggle_pane(pane);
        }
    }
    if pressed(Key::OpenBracket) {
        settings.change_opacity(-OPACITY_STEP);
    }
    if pressed(Key::CloseBracket) {
        settings.change_opacity(OPACITY_STEP);
    }
    zoom_keys(ui, viewport)
}

/// F, 1, + and -. Does nothing while the user types.
pub fn zoom_keys(ui: &Ui, viewport: &mut Viewport) -> Option<ZoomRequest> {
    if ui.ctx().egui_wants_keyboard_input() {
        return None;
    }
    let pressed =
        |key| ui.input(|i| !i.modifiers.command && !i.modifiers.alt && i.key_pressed(key));
    if pressed(Key::F) {
        viewport.fit();
    }
    let zoom = [
        (Key::Plus, ZoomRequest::In),
        (Key::Equals, ZoomRequest::In),
        (Key::Minus, ZoomRequest::Out),
        (Key::Num1, ZoomRequest::Natural),
    ];
    zoom.into_iter()
        .find(|(key, _)| pressed(*key))
        .map(|(_, request)| request)
}
