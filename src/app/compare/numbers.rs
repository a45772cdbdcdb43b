//! The numbers of the compared runs under each other, the best of each line marked, and how far the others are from A.

use eframe::egui::{Grid, RichText, Ui};

use super::super::controls;
use super::super::theme;
use super::column::{Column, letter_ui};
use crate::metrics::comparison::{Cell, Compared, PixelGrid, TestSets, lines};

pub fn numbers_ui(ui: &mut Ui, columns: &[Column<'_>], sets: TestSets) {
    controls::heading(ui, "Numbers");
    let runs: Vec<Compared<'_>> = columns.iter().map(|column| column.of).collect();
    let palette = theme::palette(ui);
    Grid::new("compared numbers")
        .num_columns(columns.len() + 1)
        .spacing([18.0, 5.0])
        .striped(true)
        .show(ui, |ui| {
            ui.label("");
            for column in columns {
                letter_ui(ui, column.letter, column.colour);
            }
            ui.end_row();
            for line in lines(&runs, sets) {
                let name = RichText::new(line.name).color(palette.text);
                ui.label(name).on_hover_text(line.meaning);
                for cell in &line.cells {
                    cell_ui(ui, cell);
                }
                ui.end_row();
            }
        });
    ui.add_space(4.0);
    let pixels = PixelGrid::of(&runs).sentence();
    controls::muted(
        ui,
        format!("Rates at each run's own limits; pixels {pixels}"),
    );
    if !sets.are_same {
        controls::muted(ui, "Not ranked: the runs were judged on other pictures");
    }
}

fn cell_ui(ui: &mut Ui, cell: &Cell) {
    let palette = theme::palette(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        let text = RichText::new(cell.text());
        if cell.is_best {
            ui.label(text.color(palette.strong).strong());
            ui.label(RichText::new("best").small().color(palette.accent))
                .on_hover_text("The best of this line");
        } else {
            ui.label(text.color(palette.text));
        }
        for small in [cell.difference_text(), cell.counts_text()]
            .into_iter()
            .flatten()
        {
            ui.label(RichText::new(small).small().color(palette.muted));
        }
    });
}
