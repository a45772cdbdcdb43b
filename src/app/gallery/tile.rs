//! One picture of the gallery as a row of the strip or a tile of the grid: thumbnail, name, verdict, score, and what went
//! wrong in words.

use std::path::Path;

use eframe::egui::text::{LayoutJob, TextFormat, TextWrapping};
use eframe::egui::{
    Align2, Color32, CornerRadius, FontId, Pos2, Rect, Response, Role, Sense, Stroke, StrokeKind,
    TextStyle, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use super::super::badge::{paint_badge, verdict_colour};
use super::super::icons::{self, Icon};
use super::super::textures::{Shown, Textures};
use super::super::verdict::Outcome;
use super::super::{numbers, theme};
use crate::data::Sample;
use crate::metrics::ImageRow;

/// The side of a thumbnail in the strip.
const THUMBNAIL: f32 = 46.0;

/// A picture and what is known about it.
pub struct Tile<'a> {
    pub row: &'a ImageRow,
    pub sample: &'a Sample,
    /// The folder of the run.
    pub run: &'a Path,
    pub outcome: Outcome,
    /// It is the picture that is looked at.
    pub selected: bool,
    /// It is one of several chosen ones.
    pub chosen: bool,
}

impl Tile<'_> {
    /// As a screen reader says it.
    fn spoken(&self) -> String {
        format!(
            "{}, {}, score {}, {}",
            self.row.path,
            self.outcome.verdict.word(),
            numbers::score(self.row.score),
            self.outcome.of_one()
        )
    }
}

/// Room, click and ground of a tile.
fn ground_ui(ui: &mut Ui, tile: &Tile<'_>, size: Vec2) -> (Rect, Response) {
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| {
        let marked = tile.selected || tile.chosen;
        WidgetInfo::selected(Role::ListBoxOption, true, marked, tile.spoken())
    });
    let palette = theme::palette(ui);
    let inner = rect.shrink2(vec2(2.0, 1.0));
    let radius = CornerRadius::same(5);
    if tile.selected || tile.chosen {
        let fill = palette.accent.gamma_multiply(0.16);
        ui.painter().rect_filled(inner, radius, fill);
    } else if response.hovered() || response.has_focus() {
        let fill = palette.button.gamma_multiply(0.6);
        ui.painter().rect_filled(inner, radius, fill);
    }
    (inner, response)
}

/// One row: the thumbnail at the left, its facts in two lines beside it.
pub fn strip_tile_ui(
    ui: &mut Ui,
    tile: &Tile<'_>,
    size: Vec2,
    textures: &mut Textures,
) -> Response {
    let (inner, response) = ground_ui(ui, tile, size);
    let palette = theme::palette(ui);
    if tile.selected {
        let mark =
            Rect::from_min_size(inner.min + vec2(0.0, 8.0), vec2(3.0, inner.height() - 16.0));
        ui.painter()
            .rect_filled(mark, CornerRadius::same(2), palette.accent);
    }
    let corner = inner.min + vec2(7.0, (inner.height() - THUMBNAIL) / 2.0);
    let thumbnail = Rect::from_min_size(corner, Vec2::splat(THUMBNAIL));
    thumbnail_ui(ui, thumbnail, tile, textures);
    let (upper, lower) = (inner.top() + 18.0, inner.bottom() - 16.0);
    let (left, right) = (thumbnail.right() + 10.0, inner.right() - 8.0);
    let badge = verdict_ui(ui, tile, right, upper);
    let body = TextStyle::Body.resolve(ui.style());
    let name = tile.row.path.rsplit('/').next().unwrap_or(&tile.row.path);
    let room = badge.left() - 8.0 - left;
    paint_fitting(ui, name, body, palette.strong, pos2(left, upper), room);
    let score = score_ui(ui, tile, right, lower);
    truth_ui(ui, tile, pos2(left, lower), score.left() - 8.0);
    response
}

/// Truth below the name, with a sign and the word for it where the verdict is wrong.
fn truth_ui(ui: &Ui, tile: &Tile<'_>, left_middle: Pos2, right: f32) {
    let palette = theme::palette(ui);
    let defect = &tile.row.defect;
    let (text, colour, indent) = match tile.outcome.error_word() {
        Some(error) => (format!("{error} · {defect}"), palette.error, 18.0),
        None => (defect.clone(), palette.muted, 0.0),
    };
    if tile.outcome.is_error() {
        let mark = Rect::from_center_size(left_middle + vec2(7.0, 0.0), vec2(15.0, 15.0));
        icons::paint(ui.painter(), mark, Icon::Warning, colour);
    }
    let small = TextStyle::Small.resolve(ui.style());
    let at = left_middle + vec2(indent, 0.0);
    paint_fitting(ui, &text, small, colour, at, right - at.x);
}

/// A tile: the thumbnail above, defect type with name and then verdict and score below it.
pub fn grid_tile_ui(ui: &mut Ui, tile: &Tile<'_>, size: Vec2, textures: &mut Textures) -> Response {
    let (inner, response) = ground_ui(ui, tile, size);
    let palette = theme::palette(ui);
    if tile.selected {
        let line = Stroke::new(2.0, palette.accent);
        let radius = CornerRadius::same(5);
        ui.painter()
            .rect_stroke(inner, radius, line, StrokeKind::Inside);
    }
    let side = inner.width() - 12.0;
    let thumbnail = Rect::from_min_size(inner.min + vec2(6.0, 6.0), Vec2::splat(side));
    thumbnail_ui(ui, thumbnail, tile, textures);
    if let Some(error) = tile.outcome.error_word() {
        error_pill(ui, thumbnail, error);
    }
    let (left, right) = (thumbnail.left() + 1.0, thumbnail.right());
    let (upper, lower) = (thumbnail.bottom() + 12.0, inner.bottom() - 13.0);
    let small = TextStyle::Small.resolve(ui.style());
    let name = last_two(&tile.row.path);
    let at = pos2(left, upper);
    paint_fitting(ui, name, small, palette.text, at, right - left);
    let word = tile.outcome.verdict.word();
    let badge = badge_width(ui, word);
    verdict_ui(ui, tile, left - 1.0 + badge, lower);
    score_ui(ui, tile, right, lower);
    response
}

/// Folder and file: the defect type is most often the folder.
fn last_two(path: &str) -> &str {
    let mut cuts = path.rmatch_indices('/').skip(1);
    cuts.next().map_or(path, |(at, _)| &path[at + 1..])
}

/// What [`paint_badge`] takes.
fn badge_width(ui: &Ui, word: &str) -> f32 {
    let font = TextStyle::Small.resolve(ui.style());
    let painter = ui.painter();
    let galley = painter.layout_no_wrap(word.to_owned(), font, Color32::WHITE);
    galley.size().x + 12.0
}

/// On opaque ground, because it stands on the picture.
fn error_pill(ui: &Ui, thumbnail: Rect, word: &str) {
    let palette = theme::palette(ui);
    let font = TextStyle::Small.resolve(ui.style());
    let galley = ui
        .painter()
        .layout_no_wrap(word.to_owned(), font, palette.error);
    let size = galley.size() + vec2(30.0, 4.0);
    let corner = thumbnail.left_bottom() + vec2(4.0, -4.0 - size.y);
    let rect = Rect::from_min_size(corner, size);
    let radius = CornerRadius::same(4);
    ui.painter().rect_filled(rect, radius, palette.panel);
    let line = Stroke::new(1.0, palette.error);
    ui.painter()
        .rect_stroke(rect, radius, line, StrokeKind::Inside);
    let mark = Rect::from_center_size(rect.left_center() + vec2(13.0, 0.0), vec2(14.0, 14.0));
    icons::paint(ui.painter(), mark, Icon::Warning, palette.error);
    let at = rect.left_center() + vec2(23.0, -galley.size().y / 2.0);
    ui.painter().galley(at, galley, palette.error);
}

fn verdict_ui(ui: &Ui, tile: &Tile<'_>, right: f32, middle: f32) -> Rect {
    let verdict = tile.outcome.verdict;
    let colour = verdict_colour(ui, verdict);
    paint_badge(
        ui,
        ui.painter(),
        pos2(right, middle),
        verdict.word(),
        colour,
    )
}

fn score_ui(ui: &Ui, tile: &Tile<'_>, right: f32, middle: f32) -> Rect {
    let font = TextStyle::Small.resolve(ui.style());
    let colour = theme::palette(ui).strong;
    let text = numbers::score(tile.row.score);
    let at = pos2(right, middle);
    ui.painter()
        .text(at, Align2::RIGHT_CENTER, text, font, colour)
}

fn thumbnail_ui(ui: &Ui, rect: Rect, tile: &Tile<'_>, textures: &mut Textures) {
    let palette = theme::palette(ui);
    let painter = ui.painter();
    painter.rect_filled(rect, CornerRadius::same(3), palette.well);
    match textures.thumbnail(ui.ctx(), Some(tile.run), tile.sample) {
        Shown::Loading => {}
        Shown::Failed(_) => {
            let mark = Rect::from_center_size(rect.center(), vec2(22.0, 22.0));
            icons::paint(painter, mark, Icon::Warning, palette.error);
        }
        Shown::Ready(texture) => {
            let size = texture.size_vec2();
            let fitted = size * (rect.size() / size).min_elem();
            let place = Rect::from_center_size(rect.center(), fitted);
            let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            painter.image(texture.id(), place, whole, Color32::WHITE);
        }
    }
    if tile.chosen {
        let place = Rect::from_min_size(rect.right_top() + vec2(-20.0, 3.0), vec2(17.0, 17.0));
        painter.rect_filled(place, CornerRadius::same(4), palette.accent);
        icons::paint(painter, place.shrink(2.0), Icon::Check, palette.on_accent);
    }
}

/// One line, cut with an ellipsis where it does not fit.
fn paint_fitting(
    ui: &Ui,
    text: &str,
    font: FontId,
    colour: Color32,
    left_middle: Pos2,
    width: f32,
) {
    let mut job = LayoutJob::single_section(text.to_owned(), TextFormat::simple(font, colour));
    job.wrap = TextWrapping::truncate_at_width(width.max(10.0));
    let galley = ui.painter().layout_job(job);
    let at = left_middle - vec2(0.0, galley.size().y / 2.0);
    ui.painter().galley(at, galley, colour);
}

#[cfg(test)]
mod tests {
    use super::last_two;

    #[test]
    fn names_keep_their_folder() {
        assert_eq!(last_two("test/crack/004.png"), "crack/004.png");
        assert_eq!(last_two("crack/004.png"), "crack/004.png");
        assert_eq!(last_two("004.png"), "004.png");
        assert_eq!(last_two(""), "");
    }
}
