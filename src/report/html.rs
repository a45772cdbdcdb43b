//! The small words of the page: escaped text, tables, badges. Knows no report.

use std::fmt::Write;

use crate::metrics::Verdict;

/// Text as it may stand between tags and in quoted attributes.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// A table with a row of headings; the first column names its rows. Cells are markup.
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = String::from("<table>");
    if !headings.is_empty() {
        text.push_str("<thead><tr>");
        for heading in headings {
            let _ = write!(text, "<th scope=\"col\">{heading}</th>");
        }
        text.push_str("</tr></thead>");
    }
    text.push_str("<tbody>");
    for row in rows {
        text.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            let _ = match column {
                0 => write!(text, "<th scope=\"row\">{cell}</th>"),
                _ => write!(text, "<td>{cell}</td>"),
            };
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</tbody></table>\n");
    text
}

/// A section with its heading.
pub fn section(title: &str, contents: &str) -> String {
    format!("<section>\n<h2>{title}</h2>\n{contents}</section>\n")
}

pub fn verdict(verdict: Verdict) -> String {
    let class = match verdict {
        Verdict::Pass => "pass",
        Verdict::Review => "review",
        Verdict::Fail => "fail",
    };
    format!("<span class=\"badge {class}\">{}</span>", verdict.word())
}

/// Where a limit came from; what looked at the test set stands apart.
pub fn origin(origin: &crate::metrics::LimitOrigin) -> String {
    let words = escaped(&origin.describe());
    if origin.looks_at_test_set() {
        format!("{words} <span class=\"badge oracle\">looks at the test set</span>")
    } else {
        words
    }
}

#[cfg(test)]
mod tests {
    use super::{escaped, table};

    #[test]
    fn names_cannot_become_markup() {
        let name = "<img src=x onerror='a()'> & \"b\"";
        let expected = "&lt;img src=x onerror=&#39;a()&#39;&gt; &amp; &quot;b&quot;";
        assert_eq!(escaped(name), expected);
    }

    #[test]
    fn rows_are_named_by_their_first_cell() {
        let text = table(&["", "Count"], &[vec!["Good".to_owned(), "3".to_owned()]]);
        assert!(text.contains("<th scope=\"row\">Good</th><td>3</td>"));
    }
}
