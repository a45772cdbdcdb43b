//! The controls above the gallery: search, verdict against truth, defect type, order, arrangement. Each shows how many
//! pictures it would leave.

use eframe::egui::{
    Align, Align2, Button, Color32, ComboBox, Layout, RichText, Sense, TextEdit, TextStyle, Ui,
    vec2,
};

use super::super::controls::{from_right, segment, small_button};
use super::super::state::State;
use super::super::verdict::Outcome;
use super::super::{theme, words};
use super::{Arrangement, Filter, GalleryView, Sort};
use crate::metrics::{Truth, Verdict};

/// Room for the names of the rows.
const TRUTHS: f32 = 66.0;
const GAP: f32 = 4.0;

pub fn filters_ui(ui: &mut Ui, state: &State, view: &mut GalleryView) {
    let listing = view.listing(state);
    let (per_outcome, per_defect) = (listing.per_outcome, listing.per_defect.clone());
    let shown = listing.rows.len();
    search_ui(ui, &mut view.settings.filter);
    outcomes_ui(ui, &mut view.settings.filter, per_outcome);
    ui.horizontal(|ui| {
        let width = (ui.available_width() - 6.0) / 2.0;
        ui.spacing_mut().item_spacing.x = 6.0;
        defect_ui(ui, width, &mut view.settings.filter, &per_defect);
        order_ui(ui, width, state, view);
    });
    summary_ui(ui, shown, view);
}

fn search_ui(ui: &mut Ui, filter: &mut Filter) {
    ui.horizontal(|ui| {
        let clear = if filter.search.is_empty() { 0.0 } else { 36.0 };
        let edit = TextEdit::singleline(&mut filter.search)
            .hint_text("Search by name")
            .desired_width(ui.available_width() - clear);
        ui.add(edit).accessible_name("Search by name");
        if clear > 0.0
            && ui
                .small_button("×")
                .accessible_name("Clear the search")
                .clicked()
        {
            filter.search.clear();
        }
    });
}

/// Verdict against truth as switches in the shape of the confusion matrix.
fn outcomes_ui(ui: &mut Ui, filter: &mut Filter, counts: [usize; 9]) {
    let width = (ui.available_width() - TRUTHS - 3.0 * GAP) / 3.0;
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing = vec2(GAP, GAP);
        ui.horizontal(|ui| {
            head_ui(ui, TRUTHS, "", Align2::LEFT_CENTER);
            for verdict in Verdict::ALL {
                head_ui(ui, width, verdict.word(), Align2::CENTER_CENTER);
            }
        });
        for (truth, row) in Truth::ALL.into_iter().zip(Outcome::ALL.chunks(3)) {
            let there = row
                .iter()
                .any(|&cell| counts[cell.index()] > 0 || filter.outcomes.contains(&cell));
            // Most test sets have no unlabelled pictures and need no row for them.
            if truth == Truth::Unlabelled && !there {
                continue;
            }
            ui.horizontal(|ui| {
                let name = words::capitalised(truth.name());
                head_ui(ui, TRUTHS, &name, Align2::LEFT_CENTER);
                for &cell in row {
                    cell_ui(ui, width, filter, cell, counts[cell.index()]);
                }
            });
        }
    });
}

/// Painted only: the cells name themselves.
fn head_ui(ui: &mut Ui, width: f32, text: &str, align: Align2) {
    let height = if align == Align2::LEFT_CENTER {
        24.0
    } else {
        14.0
    };
    let height = if text.is_empty() { 14.0 } else { height };
    let (rect, _) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
    let at = match align {
        Align2::LEFT_CENTER => rect.left_center(),
        _ => rect.center(),
    };
    let font = TextStyle::Small.resolve(ui.style());
    let colour = theme::palette(ui).muted;
    ui.painter().text(at, align, text, font, colour);
}

fn cell_ui(ui: &mut Ui, width: f32, filter: &mut Filter, outcome: Outcome, count: usize) {
    let count_text = words::grouped(count);
    let colour = outcome_colour(ui, outcome, count);
    let chosen = filter.outcomes.contains(&outcome);
    let button = Button::selectable(chosen, RichText::new(&count_text).small().color(colour))
        .frame_when_inactive(true)
        .min_size(vec2(width, 24.0));
    let response = ui
        .add(button)
        .accessible_name(format!("{} {count_text}", outcome.name()))
        .on_hover_text(format!("{}\n{}", outcome.name(), outcome.explanation()));
    if response.clicked() {
        filter.toggle(outcome);
    }
}

/// Errors that exist call for attention.
fn outcome_colour(ui: &Ui, outcome: Outcome, count: usize) -> Color32 {
    let palette = theme::palette(ui);
    match (outcome.is_error(), count) {
        (true, 1..) => palette.error,
        (_, 0) => palette.muted,
        (false, _) => palette.text,
    }
}

fn defect_ui(ui: &mut Ui, width: f32, filter: &mut Filter, per_defect: &[(String, usize)]) {
    let chosen = filter.defect.clone();
    ComboBox::from_id_salt("defect type")
        .width(width)
        .truncate()
        .selected_text(RichText::new(chosen.as_deref().unwrap_or("All types")).small())
        .show_ui(ui, |ui| {
            let all: usize = per_defect.iter().map(|(_, count)| count).sum();
            let text = format!("All types ({})", words::grouped(all));
            ui.selectable_value(&mut filter.defect, None, text);
            for (name, count) in per_defect {
                let text = format!("{name} ({})", words::grouped(*count));
                ui.selectable_value(&mut filter.defect, Some(name.clone()), text);
            }
        })
        .response
        .accessible_name("Defect type");
}

fn order_ui(ui: &mut Ui, width: f32, state: &State, view: &mut GalleryView) {
    let sort = view.settings.sort_with(&state.comparisons);
    ComboBox::from_id_salt("order")
        .width(width)
        .truncate()
        .selected_text(RichText::new(sort.name()).small())
        .show_ui(ui, |ui| {
            for choice in Sort::ALL {
                if choice == Sort::Disagreement && state.comparisons.is_empty() {
                    continue;
                }
                ui.selectable_value(&mut view.settings.sort, choice, choice.name())
                    .on_hover_text(choice.explanation());
            }
        })
        .response
        .accessible_name("Order of the list");
}

/// How much of the test set is listed, and in which arrangement.
fn summary_ui(ui: &mut Ui, shown: usize, view: &mut GalleryView) {
    let all = view.index.len();
    let summary = if shown == all {
        words::count(all, "picture")
    } else {
        format!(
            "{} of {}",
            words::grouped(shown),
            words::count(all, "picture")
        )
    };
    from_right(ui, 22.0, |ui| {
        ui.spacing_mut().item_spacing.x = GAP;
        ui.spacing_mut().button_padding = vec2(8.0, 1.0);
        ui.spacing_mut().interact_size.y = 20.0;
        for arrangement in Arrangement::ALL.into_iter().rev() {
            let chosen = &mut view.settings.arrangement;
            segment(ui, chosen, arrangement, arrangement.name());
        }
        let filter = &mut view.settings.filter;
        if !filter.is_clear() && small_button(ui, "Clear filters").clicked() {
            *filter = Filter::default();
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let muted = theme::palette(ui).muted;
            ui.label(RichText::new(summary).small().color(muted));
        });
    });
}
