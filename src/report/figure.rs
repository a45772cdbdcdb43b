//! A plot with its title and legend, or the reason why there is none.

use super::html::escape;
use crate::metrics::wording::unbroken;

/// One entry of a legend: the class of its line or box, and its words.
pub struct Key {
    pub class: &'static str,
    pub shape: Shape,
    pub words: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Line,
    Box,
}

/// A plot below its title and legend.
pub fn figure(title: &str, keys: &[Key], plot: &str) -> String {
    let entries: Vec<String> = keys
        .iter()
        .map(|key| {
            let shape = match key.shape {
                Shape::Line => format!(
                    "<line class=\"{}\" x1=\"0\" y1=\"5\" x2=\"26\" y2=\"5\"/>",
                    key.class
                ),
                Shape::Box => format!(
                    "<rect class=\"{}\" x=\"7\" y=\"0\" width=\"12\" height=\"10\"/>",
                    key.class
                ),
            };
            format!(
                "<span class=\"entry\"><svg class=\"key\" viewBox=\"0 0 26 10\" aria-hidden=\"true\">{shape}</svg> {}</span>",
                escape(&unbroken(&key.words))
            )
        })
        .collect();
    format!(
        "<figure>\n<figcaption><strong>{}</strong> {}</figcaption>\n{plot}</figure>\n",
        escape(title),
        entries.concat()
    )
}

/// In place of a plot that cannot be drawn.
pub fn missing(title: &str, reason: &str) -> String {
    format!(
        "<figure>\n<figcaption><strong>{}</strong></figcaption>\n<p class=\"gone\">Not available: {}.</p>\n</figure>\n",
        escape(title),
        escape(reason)
    )
}

/// The entry of a line.
pub fn line_key(class: &'static str, words: String) -> Key {
    Key {
        class,
        shape: Shape::Line,
        words,
    }
}
