//! The measuring line on the picture: its length in pixels and millimetres, and the scale that a known length gives.

use eframe::egui::{
    Align2, Color32, CornerRadius, Painter, Pos2, Rect, Stroke, TextStyle, Theme, Ui, vec2,
};

use super::super::theme;

/// What a drag on the picture does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tool {
    /// Moves the picture.
    #[default]
    Look,
    /// Draws the measuring line.
    Measure,
}

/// The line, and what is being typed about it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measure {
    pub tool: Tool,
    /// Both ends in image pixels.
    pub line: Option<[Pos2; 2]>,
    /// The true length of the line as typed, in millimetres; 0: not typed.
    pub true_length: f64,
    /// The index of the picture the line lies on.
    picture: usize,
}

impl Measure {
    pub fn toggle(&mut self) {
        *self = Self {
            tool: match self.tool {
                Tool::Look => Tool::Measure,
                Tool::Measure => Tool::Look,
            },
            picture: self.picture,
            ..Self::default()
        };
    }

    /// A line belongs to one picture: it goes when another is looked at.
    pub fn look_at(&mut self, picture: usize) {
        if self.picture != picture {
            self.picture = picture;
            self.line = None;
            self.true_length = 0.0;
        }
    }

    /// In image pixels; `None` without a line.
    pub fn length(&self) -> Option<f64> {
        let [a, b] = self.line?;
        Some(f64::from(a.distance(b)))
    }

    /// Pixels of the picture on one millimetre, once a line has a true length.
    pub fn scale(&self) -> Option<f64> {
        let pixels = self.length().filter(|&pixels| pixels > 0.0)?;
        (self.true_length > 0.0).then(|| pixels / self.true_length)
    }

    pub fn drag_from(&mut self, start: Pos2) {
        self.line = Some([start, start]);
        self.true_length = 0.0;
    }

    pub fn drag_to(&mut self, end: Pos2) {
        if let Some([_, to]) = &mut self.line {
            *to = end;
        }
    }
}

/// A length in pixels, and in millimetres when there is a scale.
pub fn length_text(pixels: f64, pixels_per_mm: Option<f64>) -> String {
    match pixels_per_mm {
        Some(scale) => format!("{pixels:.1} px = {:.2} mm", pixels / scale),
        None => format!("{pixels:.1} px"),
    }
}

/// Draws the line with its length on one view; `at` takes image pixels to the screen.
pub fn paint_line(
    ui: &Ui,
    painter: &Painter,
    measure: &Measure,
    pixels_per_mm: Option<f64>,
    at: impl Fn(Pos2) -> Pos2,
) {
    let (Some(ends), Some(length)) = (measure.line, measure.length()) else {
        return;
    };
    let [a, b] = ends.map(at);
    let marks = theme::palette_of(Theme::Dark);
    let across = (b - a).normalized().rot90() * 6.0;
    for stroke in [
        Stroke::new(4.0, Color32::from_black_alpha(160)),
        Stroke::new(1.5, marks.strong),
    ] {
        painter.line_segment([a, b], stroke);
        for end in [a, b] {
            painter.line_segment([end - across, end + across], stroke);
        }
    }
    let text = length_text(length, pixels_per_mm);
    let font = TextStyle::Small.resolve(ui.style());
    let galley = painter.layout_no_wrap(text, font, marks.strong);
    let room = Align2::CENTER_BOTTOM.anchor_size(
        a + (b - a) / 2.0 - vec2(0.0, 10.0),
        galley.size() + vec2(12.0, 4.0),
    );
    painter.rect_filled(room, CornerRadius::same(4), Color32::from_black_alpha(190));
    let text = Rect::from_center_size(room.center(), galley.size());
    painter.galley(text.min, galley, marks.strong);
}

#[cfg(test)]
mod tests {
    use eframe::egui::pos2;

    use super::{Measure, Tool, length_text};

    #[test]
    fn a_line_of_known_length_gives_the_scale() {
        let mut measure = Measure::default();
        measure.toggle();
        assert_eq!(measure.tool, Tool::Measure);
        measure.drag_from(pos2(10.0, 10.0));
        assert_eq!(measure.scale(), None);
        measure.drag_to(pos2(40.0, 50.0));
        assert_eq!(measure.length(), Some(50.0));
        measure.true_length = 10.0;
        assert_eq!(measure.scale(), Some(5.0));
        measure.toggle();
        assert_eq!(measure, Measure::default());
    }

    #[test]
    fn a_line_without_length_gives_no_scale_and_nothing_divides_by_zero() {
        let mut measure = Measure {
            true_length: 3.0,
            ..Measure::default()
        };
        measure.drag_to(pos2(1.0, 1.0));
        assert_eq!((measure.length(), measure.scale()), (None, None));
        measure.drag_from(pos2(1.0, 1.0));
        measure.true_length = 3.0;
        assert_eq!(measure.scale(), None);
    }

    #[test]
    fn a_line_goes_when_another_picture_is_looked_at() {
        let mut measure = Measure::default();
        measure.look_at(3);
        measure.drag_from(pos2(1.0, 1.0));
        measure.look_at(3);
        assert!(measure.line.is_some());
        measure.look_at(4);
        assert_eq!(measure.line, None);
    }

    #[test]
    fn lengths_are_told_in_both_units_when_there_is_a_scale() {
        assert_eq!(length_text(50.0, None), "50.0 px");
        assert_eq!(length_text(50.0, Some(8.0)), "50.0 px = 6.25 mm");
    }
}
