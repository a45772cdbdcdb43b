//! One example of the sheet, as large as fits.

use eframe::egui::{Align, CornerRadius, Key, Layout, Modifiers, Rect, RichText, Sense, Ui, vec2};

use super::pictures::{Outlines, Pictures};
use crate::app::controls::{from_right, heading};
use crate::app::theme;

/// The picture at `index`. Returns which one to show next; `None` for all of them.
pub fn large_ui(
    ui: &mut Ui,
    pictures: &mut Pictures,
    index: usize,
    outlines: Outlines,
) -> Option<usize> {
    let mut next = Some(index);
    let shown = pictures.get(index)?;
    let (name, caption) = (shown.group.name(), shown.caption.clone());
    let last = pictures.len().saturating_sub(1);
    from_right(ui, 32.0, |ui| {
        if ui.button("All examples").on_hover_text("Esc").clicked() {
            next = None;
        }
        if step(ui, index < last, "Next", "Right arrow key") {
            next = Some(index + 1);
        }
        if step(ui, index > 0, "Previous", "Left arrow key") {
            next = Some(index - 1);
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            heading(ui, name);
            ui.label(RichText::new(caption).color(theme::palette(ui).muted));
        });
    });
    picture_ui(ui, pictures, index, outlines);
    pressed(ui, &mut next, index, last);
    next
}

fn step(ui: &mut Ui, there: bool, name: &str, key: &str) -> bool {
    let button = ui.add_enabled(there, eframe::egui::Button::new(name));
    button.on_hover_text(key).clicked()
}

fn pressed(ui: &Ui, next: &mut Option<usize>, index: usize, last: usize) {
    let hit = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    if hit(Key::Escape) {
        *next = None;
    } else if hit(Key::ArrowRight) && index < last {
        *next = Some(index + 1);
    } else if hit(Key::ArrowLeft) && index > 0 {
        *next = Some(index - 1);
    }
}

fn picture_ui(ui: &mut Ui, pictures: &mut Pictures, index: usize, outlines: Outlines) {
    let room = vec2(
        ui.available_width(),
        (ui.available_height() - 16.0).max(160.0),
    );
    let (pane, response) = ui.allocate_exact_size(room, Sense::hover());
    ui.painter().rect_filled(
        pane,
        CornerRadius::same(theme::RADIUS),
        theme::palette(ui).well,
    );
    let size = pictures.size(index);
    let rect = Rect::from_center_size(pane.center(), size * (pane.size() / size).min_elem());
    let outlines = if response.hovered() {
        outlines.other()
    } else {
        outlines
    };
    pictures.paint(index, ui.painter(), rect, outlines);
}
