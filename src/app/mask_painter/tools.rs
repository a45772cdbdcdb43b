//! The tool row over the picture.

use eframe::egui::{Slider, Ui};

use super::{Asking, MAX_SIZE, MaskPainter, PainterAction, Tool, Waiting};
use crate::app::controls::segment;
use crate::app::state::MaskKind;
use crate::app::view_controls::{zoom_keys, zoom_ui};
use crate::app::viewer::ZoomRequest;

/// Points from which everything, or all but other masks, fits on one row.
const ONE_ROW: f32 = 1180.0;
const TWO_ROWS: f32 = 830.0;

pub fn tools_ui(
    ui: &mut Ui,
    painter: &mut MaskPainter,
    action: &mut Option<PainterAction>,
) -> Option<ZoomRequest> {
    let keys = zoom_keys(ui, &mut painter.viewport);
    let other = has_other_masks(painter);
    ui.spacing_mut().item_spacing.x = 6.0;
    let width = ui.available_width();
    let zoom = ui.horizontal(|ui| {
        hand_ui(ui, painter);
        if width < TWO_ROWS {
            return None;
        }
        ui.separator();
        let zoom = view_ui(ui, painter);
        if other && width > ONE_ROW {
            ui.separator();
            masks_ui(ui, painter, action);
        }
        zoom
    });
    let mut zoom = zoom.inner;
    if width < TWO_ROWS {
        zoom = ui.horizontal(|ui| view_ui(ui, painter)).inner;
    }
    if other && width <= ONE_ROW {
        ui.horizontal(|ui| masks_ui(ui, painter, action));
    }
    zoom.or(keys)
}

/// What the hand holds.
fn hand_ui(ui: &mut Ui, painter: &mut MaskPainter) {
    ui.add_enabled_ui(painter.is_idle(), |ui| {
        choice_ui(ui, painter);
        ui.separator();
        size_ui(ui, painter);
    });
}

fn view_ui(ui: &mut Ui, painter: &mut MaskPainter) -> Option<ZoomRequest> {
    ui.add_enabled_ui(painter.is_idle(), |ui| steps_ui(ui, painter));
    ui.separator();
    let natural = "One picture pixel on one screen pixel (1)";
    zoom_ui(ui, &mut painter.viewport, natural)
}

fn choice_ui(ui: &mut Ui, painter: &mut MaskPainter) {
    let before = painter.tool;
    for (tool, name, hint) in [
        (Tool::Brush, "Brush", "Mark with a round brush (B)"),
        (Tool::Eraser, "Eraser", "Take marks away (E)"),
        (
            Tool::Polygon,
            "Polygon",
            "Mark what lies inside clicked corners (P)",
        ),
    ] {
        segment(ui, &mut painter.tool, tool, name).on_hover_text(hint);
    }
    if before != painter.tool {
        painter.polygon.clear();
    }
}

fn size_ui(ui: &mut Ui, painter: &mut MaskPainter) {
    let brush = painter.tool != Tool::Polygon;
    let Some(size) = &mut painter.size else {
        return;
    };
    ui.spacing_mut().slider_width = 110.0;
    let label = ui.label("Size");
    let slider = Slider::new(size, 1.0..=MAX_SIZE)
        .logarithmic(true)
        .fixed_decimals(0)
        .step_by(1.0)
        .suffix(" px");
    ui.add_enabled(brush, slider)
        .labelled_by(label.id)
        .on_hover_text("Diameter of brush and eraser; less and more with [ and ]");
}

fn steps_ui(ui: &mut Ui, painter: &mut MaskPainter) {
    let Some(work) = &painter.work else { return };
    let (undo, redo) = (work.history.can_undo(), work.history.can_redo());
    let marks = !work.canvas.is_empty();
    let mut button = |enabled, name: &str, hint: &str| {
        let button = ui.add_enabled(enabled, eframe::egui::Button::new(name));
        button.on_hover_text(hint).clicked()
    };
    if button(undo, "Undo", "Ctrl+Z") {
        painter.undo();
    }
    if button(redo, "Redo", "Ctrl+Y or Ctrl+Shift+Z") {
        painter.redo();
    }
    if button(marks, "Clear", "Mark nothing") {
        painter.clear();
    }
}

fn has_own_mask(painter: &MaskPainter) -> bool {
    !painter.sample.masks.is_empty()
}

fn has_noted_mask(painter: &MaskPainter) -> bool {
    matches!(painter.kind, MaskKind::Painted | MaskKind::Broken)
}

fn has_other_masks(painter: &MaskPainter) -> bool {
    has_own_mask(painter) || has_noted_mask(painter)
}

/// Other masks of the same picture.
fn masks_ui(ui: &mut Ui, painter: &mut MaskPainter, action: &mut Option<PainterAction>) {
    ui.add_enabled_ui(painter.is_idle(), |ui| {
        if has_own_mask(painter) {
            let start = ui
                .button("Start from the data set's own mask")
                .on_hover_text("Replaces what is marked now; can be undone");
            if start.clicked() {
                painter.waiting = Some(Waiting::ForMask);
                *action = Some(PainterAction::ReadOwn);
            }
        }
        if has_noted_mask(painter) && ui.button("Remove painted mask…").clicked() {
            painter.asking = Some(Asking::Remove);
        }
    });
}
