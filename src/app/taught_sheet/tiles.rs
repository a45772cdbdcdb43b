//! The examples of one group as a grid of small pictures that fills the width.

use eframe::egui::{
    Align, CornerRadius, CursorIcon, Label, Layout, Rect, RichText, Role, Sense, Stroke,
    StrokeKind, Ui, WidgetInfo, vec2,
};

use super::pictures::{Group, Outlines, Pictures};
use crate::app::theme;

/// Least width of a tile, in points.
const WIDTH: f32 = 168.0;
const GAP: f32 = 10.0;
const CAPTION: f32 = 18.0;

/// Returns the picture that was pressed.
pub fn tiles_ui(
    ui: &mut Ui,
    pictures: &mut Pictures,
    group: Group,
    outlines: Outlines,
) -> Option<usize> {
    ui.spacing_mut().item_spacing = vec2(GAP, GAP);
    let room = ui.available_width();
    let columns = ((room + GAP) / (WIDTH + GAP)).floor().max(1.0) as usize;
    let width = ((room - GAP * (columns - 1) as f32) / columns as f32).floor();
    let range = pictures.range(group);
    let first = range.start;
    let all: Vec<usize> = range.collect();
    let mut pressed = None;
    for row in all.chunks(columns) {
        ui.horizontal_top(|ui| {
            for &index in row {
                let number = index - first + 1;
                if tile_ui(ui, pictures, index, number, width, outlines) {
                    pressed = Some(index);
                }
            }
        });
    }
    pressed
}

fn tile_ui(
    ui: &mut Ui,
    pictures: &mut Pictures,
    index: usize,
    number: usize,
    width: f32,
    outlines: Outlines,
) -> bool {
    let size = pictures.size(index);
    // All as tall as wide at most, so that a row of long products stays a row.
    let height = (width * size.y / size.x).min(width);
    let column = Layout::top_down(Align::Min);
    ui.allocate_ui_with_layout(vec2(width, height + CAPTION), column, |ui| {
        ui.set_width(width);
        ui.spacing_mut().item_spacing.y = 2.0;
        let (pane, response) = ui.allocate_exact_size(vec2(width, height), Sense::click());
        let palette = theme::palette(ui);
        let Some(shown) = pictures.get(index) else {
            return false;
        };
        let (group, caption) = (shown.group, shown.caption.clone());
        let colon = if caption.is_empty() { "" } else { ": " };
        let name = format!("{} {number}{colon}{caption}", group.name());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        if ui.is_rect_visible(pane) {
            let rect =
                Rect::from_center_size(pane.center(), size * (pane.size() / size).min_elem());
            ui.painter()
                .rect_filled(pane, CornerRadius::same(3), palette.well);
            let outlines = if response.hovered() {
                outlines.other()
            } else {
                outlines
            };
            pictures.paint(index, ui.painter(), rect, outlines);
            if response.hovered() || response.has_focus() {
                let border = Stroke::new(2.0, palette.accent);
                let corners = CornerRadius::same(3);
                ui.painter()
                    .rect_stroke(pane, corners, border, StrokeKind::Outside);
            }
        }
        if !caption.is_empty() {
            let text = RichText::new(&caption).small().color(palette.text);
            ui.add(Label::new(text).truncate()).on_hover_text(&caption);
        }
        let response = response.on_hover_cursor(CursorIcon::ZoomIn);
        response.clicked()
    })
    .inner
}
