//! The table of numbers with a badge for where each limit came from, and the protocol behind it.

use eframe::egui::{
    Align, Button, CollapsingHeader, CornerRadius, Frame, Grid, Label, Layout, Margin, RichText,
    ScrollArea, Stroke, Ui, vec2,
};

use super::badge::{badge, origin_badge};
use super::icons::Icon;
use super::number_table::{Basis, COLUMNS, Cell, Group, NumberRow, as_tsv, groups};
use super::state::{Action, State};
use super::{controls, taught_words, theme};
use crate::metrics::{DecisionRule, Evaluation, protocol_facts};

const NAME: f32 = 186.0;
/// The longest badge: a quantile of many held-out pictures.
const BADGE: f32 = 262.0;
const GAP: f32 = 12.0;
/// Height of the list of seen defects.
const LIST: f32 = 180.0;
/// Room between the oracle's frame and its numbers.
const FRAME: f32 = 10.0;

/// The table; the button copies it for a spreadsheet.
pub fn numbers_ui(ui: &mut Ui, state: &State, evaluation: &Evaluation) -> Option<Action> {
    let groups = groups(evaluation, &state.limits);
    let mut action = None;
    ui.horizontal(|ui| {
        controls::heading(ui, "All numbers");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let copy = ui.add(Button::new("Copy table"));
            if copy
                .on_hover_text("Numbers and protocol as tab-separated text")
                .clicked()
            {
                let facts = protocol_facts(evaluation, state.limits.rule());
                action = Some(Action::CopyText(as_tsv(&groups, &facts)));
            }
        });
    });
    action = seen_ui(ui, evaluation).or(action);
    let (oracle, honest): (Vec<_>, Vec<_>) =
        groups.iter().partition(|group| group.basis.is_oracle());
    let widths = Widths::of(ui.available_width());
    table_ui(ui, "honest numbers", &honest, widths, true);
    ui.add_space(4.0);
    oracle_ui(ui, &oracle, widths);
    action
}

/// What a model that learns from defects has seen. Its numbers mean nothing without it.
fn seen_ui(ui: &mut Ui, evaluation: &Evaluation) -> Option<Action> {
    let seen = evaluation.protocol.seen.as_deref();
    let said = taught_words::measured(seen)?;
    let palette = theme::palette(ui);
    let ids = seen.unwrap_or_default();
    if ids.is_empty() {
        ui.horizontal(|ui| {
            controls::icon(ui, Icon::Warning, palette.warning);
            ui.label(RichText::new(said).color(palette.warning));
        });
        return None;
    }
    CollapsingHeader::new(RichText::new(said).color(palette.strong))
        .id_salt("seen defects")
        .show(ui, |ui| {
            ScrollArea::vertical()
                .id_salt("seen ids")
                .max_height(LIST)
                .show(ui, |ui| {
                    for id in ids {
                        let id = RichText::new(id).small();
                        ui.add(Label::new(id).truncate().selectable(true));
                    }
                });
            let copy = controls::small_button(ui, "Copy list").clicked();
            copy.then(|| Action::CopyText(ids.join("\n")))
        })
        .body_returned
        .flatten()
}

/// Column widths shared by both tables, so that their numbers stand under each other.
#[derive(Debug, Clone, Copy)]
struct Widths {
    name: f32,
    number: f32,
}

impl Widths {
    fn of(room: f32) -> Self {
        const GAPS: f32 = 4.0 * GAP;
        let number = ((room - NAME - BADGE - GAPS) / 3.0).clamp(100.0, 170.0);
        Self { name: NAME, number }
    }
}

fn table_ui(ui: &mut Ui, id: &str, groups: &[&Group], widths: Widths, heads: bool) {
    let palette = theme::palette(ui);
    Grid::new(id)
        .num_columns(5)
        .spacing(vec2(GAP, 7.0))
        .striped(true)
        .show(ui, |ui| {
            if heads {
                for (index, name) in ["Number", COLUMNS[0], COLUMNS[1], COLUMNS[2], "Limit from"]
                    .into_iter()
                    .enumerate()
                {
                    ui.set_min_width(widths.column(index));
                    ui.label(RichText::new(name).small().color(palette.muted));
                }
                ui.end_row();
            }
            for group in groups {
                for row in &group.rows {
                    row_ui(ui, row, &group.basis, widths);
                    ui.end_row();
                }
            }
        });
}

impl Widths {
    fn column(self, index: usize) -> f32 {
        match index {
            0 => self.name,
            1..=3 => self.number,
            _ => 0.0,
        }
    }
}

fn row_ui(ui: &mut Ui, row: &NumberRow, basis: &Basis, widths: Widths) {
    let palette = theme::palette(ui);
    sized(ui, widths.name, |ui| {
        ui.add(Label::new(RichText::new(row.name).color(palette.text)).truncate())
            .on_hover_text(row.meaning);
    });
    for cell in &row.cells {
        sized(ui, widths.number, |ui| {
            let colour = match (cell, basis.is_oracle()) {
                (Cell::Number(_), false) => palette.strong,
                (Cell::Number(_), true) => palette.text,
                (Cell::NotAvailable(_) | Cell::Blank, _) => palette.muted,
            };
            let label = ui.label(RichText::new(cell.text()).color(colour));
            if let Cell::NotAvailable(reason) = cell {
                label.on_hover_text(*reason);
            }
        });
    }
    match basis {
        Basis::NoLimit => {
            badge(ui, &basis.words(), palette.muted)
                .on_hover_text("Judges the order of the scores; the same for every limit");
        }
        Basis::Limit(limit) => {
            origin_badge(ui, &limit.origin);
        }
    }
}

fn sized(ui: &mut Ui, width: f32, contents: impl FnOnce(&mut Ui)) {
    let size = vec2(width, 20.0);
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.set_width(width);
        contents(ui);
    });
}

/// Apart from the honest numbers, in a frame of its own.
fn oracle_ui(ui: &mut Ui, groups: &[&Group], widths: Widths) {
    let palette = theme::palette(ui);
    Frame::new()
        .fill(palette.warning.gamma_multiply(0.06))
        .stroke(Stroke::new(1.0, palette.warning.gamma_multiply(0.5)))
        .corner_radius(CornerRadius::same(6))
        .inner_margin(Margin::symmetric(FRAME as i8, 8))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            let text = "Oracle: chosen by looking at the answers. Shows what is possible, not what to expect";
            ui.add(Label::new(RichText::new(text).small().color(palette.warning)).wrap());
            let name = widths.name - FRAME;
            table_ui(ui, "oracle numbers", groups, Widths { name, ..widths }, false);
        });
}

/// How the numbers came about, in as many columns as fit.
pub fn protocol_ui(ui: &mut Ui, rule: &DecisionRule, evaluation: &Evaluation) {
    controls::heading(ui, "How they were measured");
    let facts = protocol_facts(evaluation, rule);
    let palette = theme::palette(ui);
    let columns = ((ui.available_width() / 200.0) as usize).clamp(1, 4);
    let lines = facts.len().div_ceil(columns);
    ui.columns(columns, |columns| {
        for (ui, facts) in columns.iter_mut().zip(facts.chunks(lines)) {
            ui.spacing_mut().item_spacing.y = 8.0;
            for [name, value, whole] in facts {
                ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing.y = 1.0;
                    ui.label(RichText::new(name).small().color(palette.muted));
                    let label =
                        ui.add(Label::new(RichText::new(value).color(palette.strong)).wrap());
                    if !whole.is_empty() {
                        label.on_hover_text(whole);
                    }
                });
            }
        }
    });
}
