//! The protocols under each other: what differs comes first and is named, so that numbers are not compared blindly.

use eframe::egui::{Grid, Label, RichText, Ui};

use super::super::controls;
use super::super::theme;
use super::column::{Column, letter_ui};
use crate::metrics::comparison::{Compared, differences_sentence, facts};

pub fn protocols_ui(ui: &mut Ui, columns: &[Column<'_>]) {
    let palette = theme::palette(ui);
    let runs: Vec<Compared<'_>> = columns.iter().map(|column| column.of).collect();
    let facts = facts(&runs);
    ui.horizontal_wrapped(|ui| {
        controls::heading(ui, "Protocols");
        controls::muted(ui, differences_sentence(&facts));
    });
    Grid::new("compared protocols")
        .num_columns(columns.len() + 1)
        .spacing([18.0, 4.0])
        .striped(true)
        .show(ui, |ui| {
            ui.label("");
            for column in columns {
                letter_ui(ui, column.letter, column.colour);
            }
            ui.end_row();
            for fact in &facts {
                let (mark, colour) = if fact.differs {
                    (" (differs)", palette.strong)
                } else {
                    ("", palette.muted)
                };
                ui.label(RichText::new(format!("{}{mark}", fact.name)).color(colour));
                for value in &fact.values {
                    let text = controls::shortened(value, 48);
                    let label = Label::new(RichText::new(text).color(colour));
                    ui.add(label).on_hover_text(value);
                }
                ui.end_row();
            }
        });
}
