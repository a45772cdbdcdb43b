//! The pictures the runs judge differently, the most contested first, with what each run says; a click inspects one.

use std::sync::Arc;

use eframe::egui::{
    Align, Color32, CornerRadius, Label, Layout, Rect, RichText, Role, ScrollArea, Sense, Ui,
    WidgetInfo, pos2, vec2,
};

use super::super::badge::{badge, verdict_colour};
use super::super::cached::{Cached, Same};
use super::super::controls::{self, segment};
use super::super::state::{Action, State};
use super::super::textures::{Shown, Textures};
use super::super::theme;
use super::column::{Column, letter_ui};
use crate::metrics::comparison::{Compared, Disagreements, Seen};
use crate::metrics::{Judgement, Opinion};
use crate::worker::message::RunSummary;

const ROW: f32 = 52.0;
const HEIGHT: f32 = 340.0;

/// Which pictures are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Listed {
    #[default]
    Contested,
    All,
}

/// What the list was made from.
type Inputs = (Same<RunSummary>, Same<Judgement>, Vec<Same<RunSummary>>);

#[derive(Debug, Default)]
pub struct PicturesView {
    listed: Listed,
    found: Cached<Inputs, Disagreements>,
}

pub fn pictures_ui(
    ui: &mut Ui,
    state: &State,
    run: &Arc<RunSummary>,
    columns: &[Column<'_>],
    view: &mut PicturesView,
    textures: &mut Textures,
) -> Option<Action> {
    let inputs = (
        Same(Arc::clone(run)),
        Same(Arc::clone(state.limits.judgement())),
        state
            .comparisons
            .iter()
            .map(|other| Same(Arc::clone(&other.run)))
            .collect(),
    );
    let found = view.found.get(inputs, |_| {
        let runs: Vec<Compared<'_>> = columns.iter().map(|column| column.of).collect();
        Disagreements::of(&runs)
    });
    ui.horizontal_wrapped(|ui| {
        controls::heading(ui, "Pictures on which they disagree");
        controls::muted(ui, found.sentence());
        ui.add_space(8.0);
        segment(ui, &mut view.listed, Listed::Contested, "Verdicts differ");
        segment(ui, &mut view.listed, Listed::All, "All pictures");
    });
    matrices_ui(ui, columns, found);
    let rows = match view.listed {
        Listed::Contested => found.contested,
        Listed::All => found.pictures.len(),
    };
    if rows == 0 {
        controls::muted(ui, "The runs give every picture the same verdict");
        return None;
    }
    let pictures = found.pictures.get(..rows).unwrap_or_default();
    list_ui(ui, run, columns, pictures, textures)
}

/// How often each pair of verdicts occurs, A against each other run.
fn matrices_ui(ui: &mut Ui, columns: &[Column<'_>], found: &Disagreements) {
    ui.horizontal_wrapped(|ui| {
        for (column, agreement) in columns.iter().skip(1).zip(found.agreements()) {
            letter_ui(ui, 'A', columns[0].colour);
            controls::muted(ui, "and");
            letter_ui(ui, column.letter, column.colour);
            let said = format!("agree on {} of {}", agreement.same, agreement.of);
            controls::muted(ui, said);
            for pair in agreement.different {
                let text = pair.sentence(column.letter);
                let colour = theme::palette(ui).warning;
                badge(ui, &text, colour).on_hover_text("Different verdicts on the same pictures");
            }
            ui.add_space(16.0);
        }
    });
}

fn list_ui(
    ui: &mut Ui,
    run: &RunSummary,
    columns: &[Column<'_>],
    pictures: &[Seen],
    textures: &mut Textures,
) -> Option<Action> {
    let mut action = None;
    let height = HEIGHT.min(pictures.len() as f32 * (ROW + 4.0) + 8.0);
    ScrollArea::vertical()
        .id_salt("disagreements")
        .max_height(height)
        // The card asks how much it needs before it has any room to give.
        .min_scrolled_height(height)
        .auto_shrink([false, true])
        .show_rows(ui, ROW, pictures.len(), |ui, visible| {
            ui.spacing_mut().item_spacing.y = 4.0;
            for seen in pictures.get(visible).unwrap_or_default() {
                if row_ui(ui, run, columns, seen, textures) {
                    action = Some(seen.index);
                }
            }
        });
    action.map(Action::InspectPicture)
}

/// One picture. Returns whether it was clicked.
fn row_ui(
    ui: &mut Ui,
    run: &RunSummary,
    columns: &[Column<'_>],
    seen: &Seen,
    textures: &mut Textures,
) -> bool {
    let palette = theme::palette(ui);
    let Some(row) = columns
        .first()
        .and_then(|column| column.of.rows().get(seen.index))
    else {
        return false;
    };
    let size = vec2(ui.available_width(), ROW);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let name = seen.sentence(row);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    let fill = if response.hovered() || response.has_focus() {
        palette.button_hovered
    } else {
        palette.panel
    };
    ui.painter().rect_filled(rect, CornerRadius::same(4), fill);
    let mut ui = ui.new_child(
        eframe::egui::UiBuilder::new()
            .max_rect(rect.shrink2(vec2(6.0, 4.0)))
            .layout(Layout::left_to_right(Align::Center)),
    );
    thumbnail_ui(&mut ui, run, seen.index, textures);
    let width = (ui.available_width() * 0.36).max(120.0);
    ui.allocate_ui_with_layout(vec2(width, ROW - 8.0), Layout::top_down(Align::Min), |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        ui.set_min_width(width);
        ui.add(Label::new(RichText::new(&row.path).color(palette.strong)).truncate());
        let truth = RichText::new(&row.defect).small().color(palette.muted);
        ui.add(Label::new(truth).truncate());
    });
    for (column, opinion) in columns.iter().zip(&seen.opinions) {
        let room = vec2(150.0, ROW - 8.0);
        ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(room.x);
            letter_ui(ui, column.letter, column.colour);
            opinion_ui(ui, *opinion);
        });
    }
    response.on_hover_text("Inspect this picture").clicked()
}

fn opinion_ui(ui: &mut Ui, opinion: Option<Opinion>) {
    let Some(opinion) = opinion else {
        controls::muted(ui, "not scored");
        return;
    };
    badge(
        ui,
        opinion.verdict.word(),
        verdict_colour(ui, opinion.verdict),
    );
    let muted = theme::palette(ui).muted;
    ui.label(
        RichText::new(format!("{:.2}", opinion.relative))
            .small()
            .color(muted),
    )
    .on_hover_text("Its score on the scale of this run: 0 is a typical good pixel, 1 is T2");
}

fn thumbnail_ui(ui: &mut Ui, run: &RunSummary, index: usize, textures: &mut Textures) {
    let side = ROW - 8.0;
    let (rect, _) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
    let painter = ui.painter();
    painter.rect_filled(rect, CornerRadius::same(3), theme::palette(ui).well);
    let Some(sample) = run.samples.get(index) else {
        return;
    };
    if let Shown::Ready(texture) = textures.thumbnail(ui.ctx(), Some(&run.path), sample) {
        let size = texture.size_vec2();
        let fitted = size * (rect.size() / size).min_elem();
        let place = Rect::from_center_size(rect.center(), fitted);
        let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        painter.image(texture.id(), place, whole, Color32::WHITE);
    }
}
