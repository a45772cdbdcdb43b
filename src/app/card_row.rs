//! Cards side by side, all as tall as the tallest.

use eframe::egui::{Align, CornerRadius, Frame, Layout, Margin, Stroke, Ui, vec2};

use super::theme::{self, RADIUS};

const MARGIN: f32 = 14.0;
const GAP: f32 = 10.0;

/// A row of cards whose widths are to each other as `shares`; `contents` fills the card of the given index.
///
/// The height is known after the first pass, which is thrown away when it was wrong.
pub fn card_row(ui: &mut Ui, id: &str, shares: &[f32], mut contents: impl FnMut(&mut Ui, usize)) {
    let id = ui.scope_id().with(("card row", id));
    let known: f32 = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    let room = ui.available_width() - GAP * (shares.len() - 1) as f32;
    let whole: f32 = shares.iter().sum();
    let mut tallest = 0.0_f32;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = GAP;
        for (index, share) in shares.iter().enumerate() {
            let width = (room * share / whole).floor();
            let down = Layout::top_down(Align::Min);
            ui.allocate_ui_with_layout(vec2(width, 0.0), down, |ui| {
                let natural = card(ui, width, known, |ui| contents(ui, index));
                tallest = tallest.max(natural);
            });
        }
    });
    if (tallest - known).abs() > 0.5 {
        ui.data_mut(|data| data.insert_temp(id, tallest));
        ui.ctx()
            .request_discard("the cards of a row are made equally tall");
    }
}

/// Returns the height the contents need by themselves.
fn card(ui: &mut Ui, width: f32, min_height: f32, contents: impl FnOnce(&mut Ui)) -> f32 {
    let palette = theme::palette(ui);
    Frame::new()
        .fill(palette.card)
        .stroke(Stroke::new(1.0, palette.outline))
        .corner_radius(CornerRadius::same(RADIUS + 2))
        .inner_margin(Margin::same(MARGIN as i8))
        .show(ui, |ui| {
            ui.set_width(width - 2.0 * MARGIN - 2.0);
            contents(ui);
            let natural = ui.min_rect().height();
            ui.expand_to_include_y(ui.min_rect().top() + min_height);
            natural
        })
        .inner
}
