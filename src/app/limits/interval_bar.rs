//! A counted rate as a small bar: a dot where it was measured, a band over all that the count leaves open.

use eframe::egui::{Color32, CornerRadius, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::super::theme;
use crate::metrics::Rate;
pub use crate::metrics::wording::interval as interval_words;

const HEIGHT: f32 = 14.0;

/// From 0 to 100 %, `width` points wide. Empty of nothing.
pub fn interval_bar(ui: &mut Ui, rate: Rate, colour: Color32, width: f32) {
    let (rect, response) = ui.allocate_exact_size(vec2(width, HEIGHT), Sense::hover());
    let words = format!("95 % interval {}", interval_words(rate));
    response.widget_info(|| WidgetInfo::labeled(Role::Meter, true, &words));
    let palette = theme::palette(ui);
    let track = rect.shrink2(vec2(0.0, 3.0));
    let radius = CornerRadius::same(4);
    let painter = ui.painter();
    painter.rect_filled(track, radius, palette.button);
    if let (Some(share), Some(interval)) = (rate.share(), rate.interval()) {
        let at = |share: f64| track.left() + share as f32 * track.width();
        let band = Rect::from_min_max(
            pos2(at(interval.low), track.top()),
            pos2(at(interval.high), track.bottom()),
        );
        painter.rect_filled(band, radius, colour.gamma_multiply(0.4));
        for end in [band.left(), band.right()] {
            painter.vline(end, rect.y_range(), Stroke::new(1.0, colour));
        }
        painter.circle_filled(pos2(at(share), rect.center().y), 4.0, colour);
    }
    response.on_hover_text(format!("{words}, exact (Clopper and Pearson)"));
}

#[cfg(test)]
mod tests {
    use super::interval_words;
    use crate::metrics::Rate;

    #[test]
    fn intervals_are_exact_and_of_nothing_there_is_none() {
        let words = |events, of| interval_words(Rate { events, of });
        assert_eq!(words(2, 21), "1.2\u{a0}% to 30.4\u{a0}%");
        assert_eq!(words(0, 21), "0.0\u{a0}% to 16.1\u{a0}%");
        assert_eq!(words(0, 0), "n/a");
    }
}
