//! What the plots of Results have in common: legends that wrap between entries, round grid marks, plots that stay put.

use std::hash::Hash;

use eframe::egui::{Color32, Rect, Role, Sense, TextStyle, Ui, WidgetInfo, vec2};
use egui_plot::{GridInput, GridMark, Plot};

use super::theme;

/// A plot that shows what it is given: the wheel scrolls the page, a drag moves nothing.
pub fn still_plot<'a>(ui: &Ui, id: impl Hash + std::fmt::Debug, height: f32) -> Plot<'a> {
    let outline = theme::palette(ui).outline;
    let most = f64::from(ui.available_width() / 56.0).clamp(3.0, 8.0);
    Plot::new(ui.scope_id().with(id))
        .height(height)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .grid_color(outline)
        .show_x(false)
        .show_y(false)
        .x_grid_spacer(move |input: GridInput| even_marks(input.bounds, most, 0.0))
}

/// Round values, at most about `most` of them, at least `finest` apart; none of them stands out.
pub fn even_marks((low, high): (f64, f64), most: f64, finest: f64) -> Vec<GridMark> {
    let rough = ((high - low) / most).max(f64::MIN_POSITIVE);
    let power = 10_f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|m| m * power);
    let step_size = steps
        .into_iter()
        .find(|step| *step >= rough)
        .unwrap_or(10.0 * power)
        .max(finest);
    let marks = (low / step_size).ceil() as i64..=(high / step_size).floor() as i64;
    marks
        .map(|i| GridMark {
            value: i as f64 * step_size,
            step_size,
        })
        .collect()
}

/// A patch of colour and what it stands for, in one piece.
pub fn legend_entry(ui: &mut Ui, colour: Color32, text: &str) {
    let font = TextStyle::Small.resolve(ui.style());
    let galley = ui
        .painter()
        .layout_no_wrap(text.to_owned(), font, theme::palette(ui).text);
    let size = galley.size() + vec2(17.0, 2.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    let patch = Rect::from_center_size(rect.left_center() + vec2(5.5, 0.0), vec2(11.0, 11.0));
    ui.painter().rect_filled(patch, 2.0, colour);
    let at = rect.left_center() + vec2(17.0, -galley.size().y / 2.0);
    ui.painter().galley(at, galley, colour);
}

#[cfg(test)]
mod tests {
    use super::even_marks;

    #[test]
    fn marks_are_round_and_inside() {
        let values = |bounds, finest| -> Vec<String> {
            let marks = even_marks(bounds, 8.0, finest);
            marks
                .iter()
                .map(|mark| format!("{:.1}", mark.value))
                .collect()
        };
        assert_eq!(
            values((0.25, 1.63), 0.0),
            ["0.4", "0.6", "0.8", "1.0", "1.2", "1.4", "1.6"]
        );
        assert_eq!(values((-2.5, 1.5), 1.0), ["-2.0", "-1.0", "0.0", "1.0"]);
        assert!(values((1.0, 1.0), 0.0).len() <= 1);
    }
}
