//! What is wrong with files of the data set, worst first, with names that can be copied.

use std::path::Path;

use eframe::egui::{Align, Label, Layout, RichText, ScrollArea, Ui};

use super::controls::{card, from_right, heading, icon, muted, severity_mark, small_button};
use super::icons::Icon;
use super::state::{Action, OpenData};
use super::theme;
use crate::data::{Finding, Severity};

const ROW_HEIGHT: f32 = 22.0;

pub fn problems_ui(ui: &mut Ui, data: &OpenData) -> Option<Action> {
    let findings = sorted(data);
    let root = &data.dataset.root;
    card(ui, |ui| {
        if findings.is_empty() {
            ui.horizontal(|ui| {
                icon(ui, Icon::Check, theme::palette(ui).accent);
                ui.label("Every picture was read; no problems were found");
            });
            return None;
        }
        let mut action = None;
        from_right(ui, 28.0, |ui| {
            if ui.button("Copy all").clicked() {
                let lines: Vec<String> = findings.iter().map(|finding| line(finding)).collect();
                action = Some(Action::CopyText(lines.join("\n")));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                heading(ui, "Worth a look");
                muted(ui, tally(&findings));
            });
        });
        ScrollArea::vertical()
            .id_salt("problems")
            .max_height(ROW_HEIGHT * 10.0)
            .auto_shrink([false, true])
            .show_rows(ui, ROW_HEIGHT, findings.len(), |ui, rows| {
                for finding in &findings[rows] {
                    if row_ui(ui, root, finding) {
                        action = Some(Action::CopyText(line(finding)));
                    }
                }
            });
        action
    })
}

/// One finding. Returns whether it shall be copied.
fn row_ui(ui: &mut Ui, root: &Path, finding: &Finding) -> bool {
    let (shape, color) = severity_mark(ui, finding.severity);
    let strong = theme::palette(ui).strong;
    from_right(ui, ROW_HEIGHT, |ui| {
        let copy = small_button(ui, "Copy").clicked();
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            icon(ui, shape, color);
            ui.label(RichText::new(within(root, &finding.path)).color(strong));
            ui.add(Label::new(&finding.text).truncate())
                .on_hover_text(line(finding));
        });
        copy
    })
}

/// Findings of the listing and of the check, worst first.
fn sorted(data: &OpenData) -> Vec<&Finding> {
    let listed = data.dataset.findings.iter();
    let mut findings: Vec<&Finding> = listed.chain(&data.report.findings).collect();
    findings.sort_by(|a, b| {
        b.severity
            .cmp(&a.severity)
            .then_with(|| a.path.cmp(&b.path))
    });
    findings
}

/// `2 errors, 1 warning`.
fn tally(findings: &[&Finding]) -> String {
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let parts = [
        (count(Severity::Error), "error"),
        (count(Severity::Warning), "warning"),
        (count(Severity::Note), "note"),
    ];
    let named: Vec<String> = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, name)| super::words::count(number, name))
        .collect();
    named.join(", ")
}

fn line(finding: &Finding) -> String {
    format!("{}: {}", finding.path.display(), finding.text)
}

/// The path below the data set's folder, as the user knows it.
fn within(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    if below.as_os_str().is_empty() {
        return super::state::last_name(root);
    }
    below.display().to_string()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{line, tally, within};
    use crate::data::{Finding, Severity};

    fn finding(severity: Severity) -> Finding {
        Finding {
            severity,
            path: PathBuf::from("/data/bottle/train/good/007.png"),
            text: "cut short after 12 rows; left out".to_owned(),
        }
    }

    #[test]
    fn problems_are_tallied_worst_first() {
        let (error, note) = (finding(Severity::Error), finding(Severity::Note));
        assert_eq!(tally(&[&note, &error, &error]), "2 errors, 1 note");
        assert_eq!(tally(&[]), "");
    }

    #[test]
    fn names_are_told_from_the_data_sets_folder_on() {
        let root = Path::new("/data/bottle");
        assert_eq!(
            within(root, Path::new("/data/bottle/train/a.png")),
            "train/a.png"
        );
        assert_eq!(within(root, root), "bottle");
        assert_eq!(within(root, Path::new("/else/a.png")), "/else/a.png");
    }

    #[test]
    fn a_copied_line_holds_the_whole_path() {
        assert_eq!(
            line(&finding(Severity::Error)),
            "/data/bottle/train/good/007.png: cut short after 12 rows; left out"
        );
    }
}
