//! The list of test pictures: filters with counts, then one row for each picture. Only the rows in view are made.

use std::path::Path;
use std::sync::Arc;

use eframe::egui::text::{LayoutJob, TextFormat, TextWrapping};
use eframe::egui::{
    Align2, Button, Color32, ComboBox, CornerRadius, FontId, Painter, Rect, Response, RichText,
    Role, ScrollArea, Sense, TextEdit, TextStyle, Ui, WidgetInfo, pos2, vec2,
};

use super::badge::{paint_badge, verdict_colour};
use super::cached::{Cached, Same};
use super::gallery::{Filter, Listing, Sort};
use super::icons::{self, Icon};
use super::state::{Action, LimitsInForce, State};
use super::textures::{Shown, Textures};
use super::verdict::Outcome;
use super::{numbers, theme, words};
use crate::data::Sample;
use crate::metrics::{Evaluation, ImageRow, Judgement, Verdict};
use crate::worker::message::RunSummary;

const ROW_HEIGHT: f32 = 58.0;
const THUMBNAIL: f32 = 46.0;

/// Order, filters and position of the list.
#[derive(Default)]
pub struct GalleryView {
    pub sort: Sort,
    pub filter: Filter,
    listing: Cached<(Same<Judgement>, f32, Sort, Filter), Listing>,
    scroll: Scroll,
    /// The picture that was last brought into view.
    brought: Option<usize>,
}

#[derive(Default)]
struct Scroll {
    offset: f32,
    height: f32,
}

impl GalleryView {
    /// What is listed at this limit.
    pub fn listing(&mut self, rows: &[ImageRow], limits: &LimitsInForce) -> &Listing {
        let judgement = Same(Arc::clone(limits.judgement()));
        let limit = limits.rule().fail_from();
        let inputs = (judgement, limit, self.sort, self.filter.clone());
        self.listing
            .get(inputs, |(judgement, limit, sort, filter)| {
                Listing::of(rows, &judgement.0, *limit, *sort, filter)
            })
    }

    /// Lists only the pictures of this cell of the confusion matrix.
    pub fn show_only(&mut self, outcome: Outcome) {
        self.filter = Filter {
            outcomes: vec![outcome],
            ..Filter::default()
        };
    }

    /// How many rows fit on a page.
    pub fn page(&self) -> isize {
        ((self.scroll.height / ROW_HEIGHT) as isize - 1).max(1)
    }
}

pub fn gallery_ui(
    ui: &mut Ui,
    state: &State,
    run: &Arc<RunSummary>,
    evaluation: &Evaluation,
    view: &mut GalleryView,
    textures: &mut Textures,
) -> Option<Action> {
    ui.spacing_mut().item_spacing.y = 6.0;
    let rows = &evaluation.images;
    let listing = view.listing(rows, &state.limits);
    let (per_outcome, per_defect) = (listing.per_outcome, listing.per_defect.clone());
    let shown = listing.rows.len();
    search_ui(ui, &mut view.filter);
    outcomes_ui(ui, &mut view.filter, per_outcome);
    order_ui(ui, view, &per_defect);
    let summary = if shown == rows.len() {
        words::count(shown, "picture")
    } else {
        format!(
            "{} of {}",
            words::grouped(shown),
            words::count(rows.len(), "picture")
        )
    };
    ui.label(
        RichText::new(summary)
            .small()
            .color(theme::palette(ui).muted),
    );
    list_ui(ui, state, run, rows, view, textures)
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

/// Verdict against truth as four switches in the shape of the confusion matrix.
fn outcomes_ui(ui: &mut Ui, filter: &mut Filter, counts: [usize; 9]) {
    ui.spacing_mut().item_spacing.x = 6.0;
    let width = (ui.available_width() - 12.0) / 3.0;
    for pair in Outcome::ALL[..6].chunks(3) {
        ui.horizontal(|ui| {
            for &outcome in pair {
                let count = counts[outcome.index()];
                let colour = outcome_colour(ui, outcome, count);
                let text = format!("{} {}", outcome.name(), words::grouped(count));
                let button = Button::selectable(
                    filter.outcomes.contains(&outcome),
                    RichText::new(text).small().color(colour),
                )
                .frame_when_inactive(true)
                .min_size(vec2(width, 24.0));
                if ui
                    .add(button)
                    .on_hover_text(outcome.explanation())
                    .clicked()
                {
                    filter.toggle(outcome);
                }
            }
        });
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

fn order_ui(ui: &mut Ui, view: &mut GalleryView, per_defect: &[(String, usize)]) {
    ui.horizontal(|ui| {
        let width = (ui.available_width() - 6.0) / 2.0;
        let chosen = view.filter.defect.clone();
        ComboBox::from_id_salt("defect type")
            .width(width)
            .truncate()
            .selected_text(RichText::new(chosen.as_deref().unwrap_or("All types")).small())
            .show_ui(ui, |ui| {
                let all: usize = per_defect.iter().map(|(_, count)| count).sum();
                let text = format!("All types ({})", words::grouped(all));
                ui.selectable_value(&mut view.filter.defect, None, text);
                for (name, count) in per_defect {
                    let text = format!("{name} ({})", words::grouped(*count));
                    ui.selectable_value(&mut view.filter.defect, Some(name.clone()), text);
                }
            })
            .response
            .accessible_name("Defect type");
        ComboBox::from_id_salt("order")
            .width(width)
            .truncate()
            .selected_text(RichText::new(view.sort.name()).small())
            .show_ui(ui, |ui| {
                for sort in Sort::ALL {
                    ui.selectable_value(&mut view.sort, sort, sort.name());
                }
            })
            .response
            .accessible_name("Order of the list");
    });
}

fn list_ui(
    ui: &mut Ui,
    state: &State,
    run: &Arc<RunSummary>,
    rows: &[ImageRow],
    view: &mut GalleryView,
    textures: &mut Textures,
) -> Option<Action> {
    let to_view = (view.brought != Some(state.selected)).then_some(state.selected);
    let (offset, height) = (view.scroll.offset, view.scroll.height);
    let listing = view.listing(rows, &state.limits);
    if listing.rows.is_empty() {
        nothing_ui(ui, view);
        return None;
    }
    let listed = &listing.rows;
    ui.spacing_mut().item_spacing.y = 0.0;
    let mut area = ScrollArea::vertical().id_salt("gallery").auto_shrink(false);
    if let Some(row) = to_view.and_then(|index| listing.position(index)) {
        area = area.vertical_scroll_offset(offset_showing(row, offset, height));
    }
    let mut clicked = None;
    let output = area.show_rows(ui, ROW_HEIGHT, listed.len(), |ui, range| {
        for &index in listed.get(range).unwrap_or_default() {
            let (Some(row), Some(sample)) = (rows.get(index), run.samples.get(index)) else {
                continue;
            };
            let selected = index == state.selected;
            if row_ui(
                ui,
                row,
                sample,
                &run.path,
                Outcome::of(row.truth(), state.limits.judgement(), index),
                selected,
                textures,
            )
            .clicked()
            {
                clicked = Some(Action::Select(index));
            }
        }
    });
    // The first frame does not know its height yet: the selected row is brought into view again.
    view.brought = (height > 0.0).then_some(state.selected);
    view.scroll = Scroll {
        offset: output.state.clamped_offset().y,
        height: output.inner_rect.height(),
    };
    clicked
}

/// The least scrolling that shows the whole row.
fn offset_showing(row: usize, offset: f32, height: f32) -> f32 {
    let top = row as f32 * ROW_HEIGHT;
    offset.clamp((top + ROW_HEIGHT - height).min(top), top)
}

fn nothing_ui(ui: &mut Ui, view: &mut GalleryView) {
    ui.add_space(24.0);
    ui.vertical_centered(|ui| {
        ui.label(RichText::new("No picture passes these filters").color(theme::palette(ui).muted));
        if ui.button("Show all").clicked() {
            view.filter = Filter::default();
        }
    });
}

fn row_ui(
    ui: &mut Ui,
    row: &ImageRow,
    sample: &Sample,
    run: &Path,
    outcome: Outcome,
    selected: bool,
    textures: &mut Textures,
) -> Response {
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::click());
    let verdict = outcome.verdict;
    response.widget_info(|| {
        WidgetInfo::selected(
            Role::ListBoxOption,
            true,
            selected,
            spoken(row, outcome, verdict),
        )
    });
    let palette = theme::palette(ui);
    let inner = rect.shrink2(vec2(2.0, 1.0));
    if selected || response.hovered() || response.has_focus() {
        let fill = if selected {
            palette.accent.gamma_multiply(0.16)
        } else {
            palette.button.gamma_multiply(0.6)
        };
        ui.painter().rect_filled(inner, CornerRadius::same(5), fill);
    }
    if selected {
        let mark =
            Rect::from_min_size(inner.min + vec2(0.0, 8.0), vec2(3.0, inner.height() - 16.0));
        ui.painter()
            .rect_filled(mark, CornerRadius::same(2), palette.accent);
    }
    let thumbnail = Rect::from_min_size(
        inner.min + vec2(7.0, (inner.height() - THUMBNAIL) / 2.0),
        vec2(THUMBNAIL, THUMBNAIL),
    );
    thumbnail_ui(ui, thumbnail, textures, run, sample);
    let colour = verdict_colour(ui, verdict);
    let right = inner.right() - 8.0;
    let badge = paint_badge(
        ui,
        ui.painter(),
        pos2(right, inner.top() + 18.0),
        verdict.word(),
        colour,
    );
    let score = paint_text(
        ui.painter(),
        &numbers::score(row.score),
        TextStyle::Small.resolve(ui.style()),
        palette.strong,
        pos2(right, inner.bottom() - 16.0),
    );
    let left = thumbnail.right() + 10.0;
    let name = row.path.rsplit('/').next().unwrap_or(&row.path);
    let body = TextStyle::Body.resolve(ui.style());
    let small = TextStyle::Small.resolve(ui.style());
    paint_fitting(
        ui,
        name,
        body,
        palette.strong,
        left,
        inner.top() + 18.0,
        badge.left() - 8.0 - left,
    );
    let below = inner.bottom() - 16.0;
    let (truth, colour, indent) = match outcome.error_word() {
        Some(error) => (format!("{error} · {}", row.defect), palette.error, 18.0),
        None => (row.defect.clone(), palette.muted, 0.0),
    };
    if outcome.is_error() {
        let mark = Rect::from_center_size(pos2(left + 7.0, below), vec2(15.0, 15.0));
        icons::paint(ui.painter(), mark, Icon::Warning, colour);
    }
    let width = score.left() - 8.0 - left - indent;
    paint_fitting(ui, &truth, small, colour, left + indent, below, width);
    response
}

/// The row as a screen reader says it.
fn spoken(row: &ImageRow, outcome: Outcome, verdict: Verdict) -> String {
    let error = outcome.error_word().map(|error| format!(", {error}"));
    format!(
        "{}, {}, score {}, {}{}",
        row.path,
        row.defect,
        numbers::score(row.score),
        verdict.word(),
        error.unwrap_or_default()
    )
}

fn thumbnail_ui(ui: &Ui, rect: Rect, textures: &mut Textures, run: &Path, sample: &Sample) {
    let palette = theme::palette(ui);
    let painter = ui.painter();
    painter.rect_filled(rect, CornerRadius::same(3), palette.well);
    match textures.thumbnail(ui.ctx(), Some(run), sample) {
        Shown::Loading => {}
        Shown::Failed(_) => {
            let mark = Rect::from_center_size(rect.center(), vec2(22.0, 22.0));
            icons::paint(painter, mark, Icon::Warning, palette.error);
        }
        Shown::Ready(texture) => {
            let size = texture.size_vec2();
            let fitted = size * (rect.size() / size).min_elem();
            let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            painter.image(
                texture.id(),
                Rect::from_center_size(rect.center(), fitted),
                whole,
                Color32::WHITE,
            );
        }
    }
}

fn paint_text(
    painter: &Painter,
    text: &str,
    font: FontId,
    colour: Color32,
    right_middle: eframe::egui::Pos2,
) -> Rect {
    painter.text(right_middle, Align2::RIGHT_CENTER, text, font, colour)
}

/// One line, cut with an ellipsis where it does not fit.
fn paint_fitting(
    ui: &Ui,
    text: &str,
    font: FontId,
    colour: Color32,
    left: f32,
    middle: f32,
    width: f32,
) {
    let mut job = LayoutJob::single_section(text.to_owned(), TextFormat::simple(font, colour));
    job.wrap = TextWrapping::truncate_at_width(width.max(10.0));
    let galley = ui.painter().layout_job(job);
    let at = pos2(left, middle - galley.size().y / 2.0);
    ui.painter().galley(at, galley, colour);
}

#[cfg(test)]
mod tests {
    use super::{ROW_HEIGHT, offset_showing};

    #[test]
    fn scrolling_moves_no_further_than_it_must() {
        let height = 3.0 * ROW_HEIGHT;
        assert_eq!(offset_showing(1, 0.0, height), 0.0, "already in view");
        assert_eq!(
            offset_showing(5, 0.0, height),
            3.0 * ROW_HEIGHT,
            "from above: at the bottom"
        );
        assert_eq!(
            offset_showing(2, 500.0, height),
            2.0 * ROW_HEIGHT,
            "from below: at the top"
        );
        assert_eq!(
            offset_showing(4, 0.0, 10.0),
            4.0 * ROW_HEIGHT,
            "a list lower than a row"
        );
    }
}
