//! Markup for the page: escaping, sections, tables. Everything that comes from outside goes through [`escape`].

use std::fmt::Write;

use crate::metrics::wording::unbroken;
use crate::metrics::{LimitOrigin, Verdict};

/// Text as it stands between tags and in quoted attributes.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if c.is_control() && c != '\n' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A part of the page under its own heading. `body` is markup.
pub fn section(id: &str, title: &str, body: &str) -> String {
    format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{}</h2>\n{body}</section>\n",
        escape(title)
    )
}

/// A paragraph of plain text.
pub fn paragraph(class: &str, text: &str) -> String {
    format!("<p class=\"{class}\">{}</p>\n", escape(&unbroken(text)))
}

/// A verdict in its frame.
pub fn verdict(verdict: Verdict) -> String {
    let class = match verdict {
        Verdict::Pass => "pass",
        Verdict::Review => "review",
        Verdict::Fail => "fail",
    };
    format!("<span class=\"badge {class}\">{}</span>", verdict.word())
}

/// Where a limit came from; what looked at the test pictures is marked.
pub fn origin(origin: &LimitOrigin) -> String {
    let words = escape(&unbroken(&origin.describe()));
    if origin.looks_at_test_set() {
        format!("{words} <span class=\"badge warning\">chosen on the test pictures</span>")
    } else {
        words
    }
}

/// How a column is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Words,
    Numbers,
}

/// One cell of a table.
#[derive(Debug, Clone)]
pub enum Cell {
    Text(String),
    /// Names its row.
    Head(String),
    /// Markup that is already safe.
    Markup(String),
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn head(text: impl Into<String>) -> Self {
        Self::Head(text.into())
    }

    fn markup(&self, column: Column) -> String {
        let class = class_of(column);
        match self {
            Self::Text(text) => format!("<td{class}>{}</td>\n", escape(&unbroken(text))),
            Self::Head(text) => format!("<th scope=\"row\">{}</th>\n", escape(text)),
            Self::Markup(markup) => format!("<td{class}>{markup}</td>\n"),
        }
    }
}

fn class_of(column: Column) -> &'static str {
    match column {
        Column::Words => "",
        Column::Numbers => " class=\"number\"",
    }
}

/// A table with a caption, the heads of its columns, and rows.
#[derive(Debug)]
pub struct Table {
    pub class: &'static str,
    caption: String,
    columns: Vec<(String, Column)>,
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    pub fn new(caption: &str, columns: &[(&str, Column)]) -> Self {
        let column = |&(name, column): &(&str, Column)| (name.to_owned(), column);
        Self {
            class: "",
            caption: caption.to_owned(),
            columns: columns.iter().map(column).collect(),
            rows: Vec::new(),
        }
    }

    pub fn markup(&self) -> String {
        let mut html = format!(
            "<div class=\"table\"><table class=\"{}\">\n<caption>{}</caption>\n<thead><tr>\n",
            self.class,
            escape(&self.caption)
        );
        for (name, column) in &self.columns {
            // Writing into a string cannot fail.
            let _ = writeln!(
                html,
                "<th scope=\"col\"{}>{}</th>",
                class_of(*column),
                escape(name)
            );
        }
        html += "</tr></thead>\n<tbody>\n";
        for row in &self.rows {
            html += "<tr>\n";
            for (cell, (_, column)) in row.iter().zip(&self.columns) {
                html += &cell.markup(*column);
            }
            html += "</tr>\n";
        }
        html + "</tbody>\n</table></div>\n"
    }
}

/// Names with their values, as a table of two columns.
pub fn pairs(caption: &str, facts: &[(String, String)]) -> String {
    let mut table = Table::new(
        caption,
        &[("Name", Column::Words), ("Value", Column::Words)],
    );
    table.class = "pairs";
    table.rows = facts
        .iter()
        .map(|(name, value)| vec![Cell::head(name), Cell::text(value)])
        .collect();
    table.markup()
}

#[cfg(test)]
mod tests {
    use super::{Cell, Column, Table, escape, origin, pairs};
    use crate::metrics::LimitOrigin;

    #[test]
    fn nothing_from_outside_becomes_markup() {
        assert_eq!(
            escape("<b a='1'>\"R&D\"\u{7}"),
            "&lt;b a=&#39;1&#39;&gt;&quot;R&amp;D&quot;\u{fffd}"
        );
        let html = pairs("A<B", &[("<i>".to_owned(), "<script>".to_owned())]);
        assert!(
            html.contains("A&lt;B") && html.contains("&lt;i&gt;"),
            "{html}"
        );
        assert!(!html.contains("<script>"));
    }

    #[test]
    fn columns_and_rows_have_heads() {
        let mut table = Table::new("Sizes", &[("What", Column::Words), ("px", Column::Numbers)]);
        table
            .rows
            .push(vec![Cell::head("dent"), Cell::text("12 %")]);
        let html = table.markup();
        assert!(html.contains("<th scope=\"col\" class=\"number\">px</th>"));
        assert!(html.contains("<th scope=\"row\">dent</th>"));
        assert!(html.contains("<td class=\"number\">12\u{a0}%</td>"));
    }

    #[test]
    fn only_limits_from_the_test_pictures_are_marked() {
        assert!(!origin(&LimitOrigin::Manual).contains("badge"));
        assert!(origin(&LimitOrigin::Oracle).contains("badge warning"));
    }
}
