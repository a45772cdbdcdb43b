//! The frozen colour scale of the run with the pixel limit marked on it. The mark can be dragged.

use eframe::egui::{
    Align2, Color32, ColorImage, CornerRadius, CursorIcon, Painter, Rect, Role, Sense, Shape,
    Stroke, StrokeKind, TextStyle, TextureHandle, TextureOptions, Ui, WidgetInfo, pos2, vec2,
};

use super::cached::Cached;
use super::state::{Action, LimitEdit};
use super::viewer::Scale;
use super::{numbers, theme};
use crate::render::Palette;

pub const WIDTH: f32 = 92.0;
const BAR: f32 = 18.0;

/// The strip of colours, made again only for another palette.
#[derive(Default)]
pub struct ColourBar {
    strip: Cached<Palette, Option<TextureHandle>>,
}

impl ColourBar {
    /// Takes `height` points. `dimmed_below` greys out what the views do not show.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        height: f32,
        palette: Palette,
        scale: Scale,
        only_above: bool,
    ) -> Option<Action> {
        let (room, _) = ui.allocate_exact_size(vec2(WIDTH, height), Sense::hover());
        let bar = Rect::from_min_max(
            room.min + vec2(2.0, 12.0),
            pos2(room.left() + 2.0 + BAR, room.bottom() - 12.0),
        );
        if bar.height() < 40.0 {
            return None;
        }
        self.paint_strip(ui, bar, palette);
        let axis = Axis {
            bar,
            ends: scale.ends,
        };
        let at_limit = axis.ui_from_score(scale.pixel_limit);
        if only_above {
            let below = Rect::from_min_max(pos2(bar.left(), at_limit), bar.max);
            ui.painter().rect_filled(
                below,
                CornerRadius::ZERO,
                theme::palette(ui).panel.gamma_multiply(0.85),
            );
        }
        let outline = Stroke::new(1.0, theme::palette(ui).outline);
        ui.painter()
            .rect_stroke(bar, CornerRadius::same(2), outline, StrokeKind::Outside);
        paint_labels(ui, &axis, at_limit);
        paint_mark(ui, &axis, scale.pixel_limit, at_limit);
        drag_mark(ui, &axis, room, at_limit)
    }

    fn paint_strip(&mut self, ui: &Ui, bar: Rect, palette: Palette) {
        let strip = self.strip.get(palette, |palette| {
            let rgb: Vec<u8> = (0..256)
                .rev()
                .flat_map(|i| palette.colour(i as f32 / 255.0))
                .collect();
            let image = ColorImage::from_rgb([1, 256], &rgb);
            Some(
                ui.ctx()
                    .load_texture("colour bar", image, TextureOptions::LINEAR),
            )
        });
        if let Some(strip) = strip {
            let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            ui.painter().image(strip.id(), bar, whole, Color32::WHITE);
        }
    }
}

/// Raw scores along the bar, the largest on top.
struct Axis {
    bar: Rect,
    ends: (f32, f32),
}

impl Axis {
    fn span(&self) -> f32 {
        (self.ends.1 - self.ends.0).max(f32::MIN_POSITIVE)
    }

    fn ui_from_score(&self, score: f32) -> f32 {
        let share = ((score - self.ends.0) / self.span()).clamp(0.0, 1.0);
        self.bar.bottom() - share * self.bar.height()
    }

    fn score_from_ui(&self, y: f32) -> f32 {
        let share = ((self.bar.bottom() - y) / self.bar.height()).clamp(0.0, 1.0);
        self.ends.0 + share * self.span()
    }

    /// Scores worth a label: the ends and quarters.
    fn ticks(&self) -> [f32; 5] {
        [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| self.ends.0 + share * self.span())
    }
}

/// Labels give way to the one of the limit.
fn paint_labels(ui: &Ui, axis: &Axis, at_limit: f32) {
    let palette = theme::palette(ui);
    let font = TextStyle::Small.resolve(ui.style());
    for tick in axis.ticks() {
        let y = axis.ui_from_score(tick);
        if (y - at_limit).abs() < 22.0 {
            continue;
        }
        let x = axis.bar.right();
        ui.painter()
            .hline(x..=x + 4.0, y, Stroke::new(1.0, palette.muted));
        ui.painter().text(
            pos2(x + 7.0, y),
            Align2::LEFT_CENTER,
            numbers::score(tick),
            font.clone(),
            palette.muted,
        );
    }
}

fn paint_mark(ui: &Ui, axis: &Axis, limit: f32, y: f32) {
    let palette = theme::palette(ui);
    let painter: &Painter = ui.painter();
    let bar = axis.bar;
    painter.hline(
        bar.left() - 2.0..=bar.right() + 3.0,
        y,
        Stroke::new(4.0, Color32::from_black_alpha(150)),
    );
    painter.hline(
        bar.left() - 2.0..=bar.right() + 3.0,
        y,
        Stroke::new(2.0, palette.limit),
    );
    let tip = pos2(bar.right() + 1.0, y);
    let handle = vec![tip, tip + vec2(8.0, -5.5), tip + vec2(8.0, 5.5)];
    painter.add(Shape::convex_polygon(handle, palette.limit, Stroke::NONE));
    let font = TextStyle::Small.resolve(ui.style());
    let beside = tip + vec2(12.0, 0.0);
    painter.text(
        beside - vec2(0.0, 7.0),
        Align2::LEFT_CENTER,
        "limit",
        font.clone(),
        palette.limit,
    );
    painter.text(
        beside + vec2(0.0, 7.0),
        Align2::LEFT_CENTER,
        numbers::score(limit),
        font,
        palette.limit,
    );
}

fn drag_mark(ui: &Ui, axis: &Axis, room: Rect, at_limit: f32) -> Option<Action> {
    let handle = Rect::from_x_y_ranges(room.x_range(), at_limit - 14.0..=at_limit + 14.0);
    let id = ui.scope_id().with("pixel limit mark");
    let response = ui.interact(handle, id, Sense::drag());
    let name = "Pixel limit on the colour bar";
    response.widget_info(|| WidgetInfo::labeled(Role::Unknown, true, name));
    let response = response
        .on_hover_and_drag_cursor(CursorIcon::ResizeVertical)
        .on_hover_text("Drag to move the pixel limit");
    let pointer = response
        .dragged()
        .then(|| response.interact_pointer_pos())??;
    Some(Action::EditLimits(LimitEdit::Pixel(
        axis.score_from_ui(pointer.y),
    )))
}

#[cfg(test)]
mod tests {
    use eframe::egui::{Rect, pos2};

    use super::Axis;

    #[test]
    fn positions_and_scores_are_each_others_inverse() {
        let axis = Axis {
            bar: Rect::from_min_max(pos2(0.0, 10.0), pos2(20.0, 110.0)),
            ends: (2.0, 6.0),
        };
        assert_eq!(axis.ui_from_score(6.0), 10.0);
        assert_eq!(axis.ui_from_score(4.0), 60.0);
        assert_eq!(axis.score_from_ui(60.0), 4.0);
        assert_eq!(axis.score_from_ui(999.0), 2.0);
    }

    #[test]
    fn a_scale_without_extent_divides_by_nothing() {
        let axis = Axis {
            bar: Rect::from_min_max(pos2(0.0, 0.0), pos2(20.0, 100.0)),
            ends: (1.0, 1.0),
        };
        assert!(axis.ui_from_score(1.0).is_finite() && axis.score_from_ui(50.0).is_finite());
    }
}
