//! A plot as inline SVG: axes with marks, lines, bars and dots in data coordinates. Colours are classes of the page's style.

use std::fmt::Write;

use super::html::escape;

const LEFT: f64 = 60.0;
const RIGHT: f64 = 26.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 46.0;

/// A place on an axis with its label.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    pub at: f64,
    pub label: String,
}

/// One axis from its low to its high end.
#[derive(Debug, Clone)]
pub struct Axis {
    pub name: String,
    pub low: f64,
    pub high: f64,
    pub marks: Vec<Mark>,
}

impl Axis {
    /// With round marks, about `count` of them.
    pub fn even(name: &str, low: f64, high: f64, count: usize) -> Self {
        let step = round_step((high - low) / count.max(1) as f64);
        // An end that is itself round must not be lost to rounding.
        let first = (low / step - 1e-9).ceil() as i64;
        let last = ((high / step + 1e-9).floor() as i64).min(first.saturating_add(50));
        let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
        let label = |value: f64| {
            if (1e-6..1e7).contains(&step) {
                format!("{value:.decimals$}")
            } else {
                format!("{value:.1e}")
            }
        };
        let marks = (first..=last).map(|i| {
            // Adding nothing turns a negative zero into zero.
            let at = i as f64 * step + 0.0;
            Mark {
                at,
                label: label(at),
            }
        });
        Self {
            name: name.to_owned(),
            low,
            high,
            marks: marks.collect(),
        }
    }

    /// From nothing to `high`, a share, marked in per cent.
    pub fn share(name: &str, high: f64) -> Self {
        let mut axis = Self::even(name, 0.0, high, 5);
        for mark in &mut axis.marks {
            mark.label = format!("{:.0}\u{a0}%", 100.0 * mark.at);
        }
        axis
    }

    /// Where a value lies, 0 to 1; values outside lie at the nearer end.
    fn share_of(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            f64::from(u8::from(value > self.low))
        }
    }
}

/// 1, 2 or 5 times a power of ten, at least `rough`.
fn round_step(rough: f64) -> f64 {
    if !(rough.is_finite() && rough > 0.0) {
        return 1.0;
    }
    let power = 10_f64.powf(rough.log10().floor());
    let leading = [1.0, 2.0, 5.0, 10.0];
    let fits = leading
        .into_iter()
        .find(|leading| leading * power >= rough * 0.999);
    fits.unwrap_or(10.0) * power
}

/// Where text stands beside its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// A plot being drawn.
#[derive(Debug)]
pub struct Plot {
    id: &'static str,
    title: String,
    description: String,
    width: f64,
    height: f64,
    x: Axis,
    y: Axis,
    body: String,
}

impl Plot {
    /// `id` is unique on the page; title and description are for those who cannot see the plot.
    pub fn new(
        id: &'static str,
        (title, description): (&str, &str),
        (width, height): (f64, f64),
        x: Axis,
        y: Axis,
    ) -> Self {
        Self {
            id,
            title: title.to_owned(),
            description: description.to_owned(),
            width,
            height,
            x,
            y,
            body: String::new(),
        }
    }

    /// Picture coordinates of a value on the x axis.
    fn x(&self, value: f64) -> f64 {
        LEFT + self.x.share_of(value) * (self.width - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        self.height - BOTTOM - self.y.share_of(value) * (self.height - TOP - BOTTOM)
    }

    /// The place of a value on the x axis, from 0 at its low end to 1.
    pub fn along(&self, value: f64) -> f64 {
        self.x.share_of(value)
    }

    pub fn polyline(&mut self, class: &str, points: impl IntoIterator<Item = (f64, f64)>) {
        let mut places = String::new();
        for (x, y) in points {
            let _ = write!(places, "{:.1},{:.1} ", self.x(x), self.y(y));
        }
        let places = places.trim_end();
        let _ = writeln!(
            self.body,
            "<polyline class=\"{class}\" points=\"{places}\"/>"
        );
    }

    /// A box between two corners in data coordinates.
    pub fn bar(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let (x0, x1) = (self.x(from.0), self.x(to.0));
        let (y0, y1) = (self.y(from.1), self.y(to.1));
        let (left, top) = (x0.min(x1), y0.min(y1));
        let _ = writeln!(
            self.body,
            "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
            (x1 - x0).abs(),
            (y1 - y0).abs()
        );
    }

    pub fn dot(&mut self, class: &str, (x, y): (f64, f64), radius: f64) {
        let _ = writeln!(
            self.body,
            "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius}\"/>",
            self.x(x),
            self.y(y)
        );
    }

    /// Text beside a place, moved by `shift` in picture coordinates.
    pub fn text(
        &mut self,
        class: &str,
        (x, y): (f64, f64),
        shift: (f64, f64),
        anchor: Anchor,
        text: &str,
    ) {
        let _ = writeln!(
            self.body,
            "<text class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{}\">{}</text>",
            self.x(x) + shift.0,
            self.y(y) + shift.1,
            anchor.name(),
            escape(text)
        );
    }

    pub fn finish(self) -> String {
        let id = self.id;
        let mut svg = format!(
            "<svg class=\"plot\" viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\n\
             <title id=\"{id}-t\">{}</title>\n<desc id=\"{id}-d\">{}</desc>\n",
            self.width,
            self.height,
            escape(&self.title),
            escape(&self.description)
        );
        self.frame(&mut svg);
        svg + &self.body + "</svg>\n"
    }

    /// Gridlines, their labels and the names of the axes.
    fn frame(&self, svg: &mut String) {
        let (left, right) = (self.x(self.x.low), self.x(self.x.high));
        let (bottom, top) = (self.y(self.y.low), self.y(self.y.high));
        for mark in &self.x.marks {
            let x = self.x(mark.at);
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{top:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/>\n\
                 <text class=\"mark\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                bottom + 16.0,
                escape(&mark.label)
            );
        }
        for mark in &self.y.marks {
            let y = self.y(mark.at);
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{left:.1}\" y1=\"{y:.1}\" x2=\"{right:.1}\" y2=\"{y:.1}\"/>\n\
                 <text class=\"mark\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                left - 7.0,
                y + 4.0,
                escape(&mark.label)
            );
        }
        let middle = f64::midpoint(top, bottom);
        let _ = writeln!(
            svg,
            "<text class=\"axis\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n\
             <text class=\"axis\" transform=\"translate(14 {middle:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            f64::midpoint(left, right),
            self.height - 8.0,
            escape(&self.x.name),
            escape(&self.y.name)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{Axis, Plot};

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.marks.iter().map(|mark| mark.label.as_str()).collect()
    }

    #[test]
    fn marks_are_round() {
        assert_eq!(
            labels(&Axis::even("", 0.21, 1.4, 6)),
            ["0.4", "0.6", "0.8", "1.0", "1.2", "1.4"]
        );
        assert_eq!(labels(&Axis::even("", -3.0, 12.0, 3)), ["0", "5", "10"]);
        assert_eq!(
            labels(&Axis::share("", 0.3)),
            ["0\u{a0}%", "10\u{a0}%", "20\u{a0}%", "30\u{a0}%"]
        );
    }

    #[test]
    fn an_axis_without_length_or_with_strange_values_still_gives_numbers() {
        let flat = Axis::even("x", 1.0, 1.0, 5);
        let mut plot = Plot::new("p", ("T", "D"), (100.0, 80.0), flat.clone(), flat);
        plot.polyline("line", [(1.0, f64::NAN), (f64::INFINITY, 2.0)]);
        let svg = plot.finish();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert!(svg.contains("<title id=\"p-t\">T</title>"));
    }
}
