//! Plots as SVG: a frame with axes, and what is drawn into it. Colours come from the page's style, by class.

use std::fmt::Write;

/// The frame of one plot.
pub struct Plot<'a> {
    pub title: &'a str,
    /// What the plot shows, for those who cannot see it.
    pub description: &'a str,
    pub x: Axis<'a>,
    pub y: Axis<'a>,
    pub width: f64,
    pub height: f64,
}

/// One axis: its name, its range, and where it is marked.
pub struct Axis<'a> {
    pub name: &'a str,
    pub from: f64,
    pub to: f64,
    pub marks: Vec<(f64, String)>,
}

impl<'a> Axis<'a> {
    /// From 0 to `to` in per cent, marked in fifths.
    pub fn share(name: &'a str, to: f64) -> Self {
        let marks = (0..=5).map(|i| {
            let at = to * f64::from(i) / 5.0;
            (at, format!("{:.0} %", 100.0 * at))
        });
        Self {
            name,
            from: 0.0,
            to,
            marks: marks.collect(),
        }
    }
}

const LEFT: f64 = 58.0;
const RIGHT: f64 = 26.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 44.0;

impl Plot<'_> {
    /// The place of a point, in the units of the drawing.
    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let along = |value: f64, axis: &Axis<'_>| (value - axis.from) / (axis.to - axis.from);
        let width = self.width - LEFT - RIGHT;
        let height = self.height - TOP - BOTTOM;
        (
            LEFT + width * along(x, &self.x),
            TOP + height * (1.0 - along(y, &self.y)),
        )
    }

    /// The whole picture around what was drawn.
    pub fn finish(&self, drawn: &str) -> String {
        let (width, height) = (self.width, self.height);
        format!(
            "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\">\
             <title>{}</title><desc>{}</desc>{}{drawn}</svg>\n",
            self.title,
            self.description,
            self.axes()
        )
    }

    fn axes(&self) -> String {
        let mut text = String::new();
        let (left, top) = (LEFT, TOP);
        let (right, bottom) = (self.width - RIGHT, self.height - BOTTOM);
        for (value, label) in &self.x.marks {
            let (x, _) = self.at(*value, self.y.from);
            let _ = write!(
                text,
                "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{top}\" x2=\"{x:.1}\" y2=\"{bottom}\"/>\
                 <text class=\"mark\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
                bottom + 15.0
            );
        }
        for (value, label) in &self.y.marks {
            let (_, y) = self.at(self.x.from, *value);
            let _ = write!(
                text,
                "<line class=\"grid\" x1=\"{left}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\"/>\
                 <text class=\"mark\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                left - 6.0,
                y + 4.0
            );
        }
        let middle = f64::midpoint(top, bottom);
        let _ = write!(
            text,
            "<text class=\"axis\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\
             <text class=\"axis\" x=\"14\" y=\"{middle:.1}\" text-anchor=\"middle\" \
             transform=\"rotate(-90 14 {middle:.1})\">{}</text>",
            f64::midpoint(left, right),
            self.height - 8.0,
            self.x.name,
            self.y.name
        );
        text
    }

    /// A line through points.
    pub fn line(&self, class: &str, points: impl Iterator<Item = (f64, f64)>) -> String {
        let mut path = String::new();
        for (index, (x, y)) in points.enumerate() {
            let (x, y) = self.at(x.clamp(self.x.from, self.x.to), y);
            let command = if index == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{command}{x:.1} {y:.1}");
        }
        format!("<path class=\"line {class}\" d=\"{path}\"/>")
    }

    /// A bar from `from` to `to` on x, and from 0 to `height`.
    pub fn bar(&self, class: &str, from: f64, to: f64, height: f64) -> String {
        let ((left, top), (right, bottom)) = (self.at(from, height), self.at(to, 0.0));
        let (top, bottom) = (top.min(bottom), top.max(bottom));
        format!(
            "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
            (right - left - 0.6).max(0.4),
            bottom - top
        )
    }

    /// A line across the plot at `x` with its name at the top.
    pub fn upright(&self, x: f64, name: &str) -> String {
        let (x, _) = self.at(x.clamp(self.x.from, self.x.to), self.y.from);
        format!(
            "<line class=\"limit\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{:.1}\"/>\
             <text class=\"limitname\" x=\"{:.1}\" y=\"{:.1}\">{name}</text>",
            self.height - BOTTOM,
            x + 4.0,
            TOP + 11.0
        )
    }

    pub fn dot(&self, class: &str, x: f64, y: f64) -> String {
        let (x, y) = self.at(x.clamp(self.x.from, self.x.to), y);
        format!("<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\"/>")
    }

    /// An upright whisker.
    pub fn whisker(&self, x: f64, low: f64, high: f64) -> String {
        let ((x, top), (_, bottom)) = (self.at(x, high), self.at(x, low));
        format!(
            "<line class=\"whisker\" x1=\"{x:.1}\" y1=\"{top:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/>"
        )
    }
}

/// A rate as a short bar: a dot where it was measured, a band over what the count leaves open. 0 to 1 each.
pub fn interval_bar(share: f64, low: f64, high: f64) -> String {
    let at = |value: f64| 2.0 + 116.0 * value;
    format!(
        "<svg class=\"rate\" viewBox=\"0 0 120 12\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\">\
         <title>{:.1} %, 95 % interval {:.1} to {:.1} %</title>\
         <rect class=\"track\" x=\"0\" y=\"4\" width=\"120\" height=\"4\" rx=\"2\"/>\
         <rect class=\"band\" x=\"{:.1}\" y=\"2\" width=\"{:.1}\" height=\"8\" rx=\"2\"/>\
         <circle class=\"dot\" cx=\"{:.1}\" cy=\"6\" r=\"4\"/></svg>",
        100.0 * share,
        100.0 * low,
        100.0 * high,
        at(low),
        (at(high) - at(low)).max(1.0),
        at(share)
    )
}
