//! One defective picture in the card of seen defects: what it shows, whether it is ticked, where its mask comes from.

use eframe::egui::{
    Align, Color32, CornerRadius, Frame, Label, Layout, Margin, Rect, RichText, Sense, Stroke, Ui,
    pos2, vec2,
};

use super::badge::badge;
use super::controls::small_button;
use super::icons::{self, Icon};
use super::state::{Action, MaskKind, OpenData};
use super::textures::{Shown, Textures};
use super::theme::{self, RADIUS};
use crate::data::Sample;

/// Least width and exact height of a tile, in points.
pub const WIDTH: f32 = 252.0;
pub const HEIGHT: f32 = 100.0;
const MARGIN: f32 = 8.0;
const PICTURE: f32 = HEIGHT - 2.0 * MARGIN;

/// What is shown of a picture.
pub struct Tile<'a> {
    pub sample: &'a Sample,
    pub seen: bool,
    pub kind: MaskKind,
    /// Why its painted mask cannot be used.
    pub problem: Option<&'a str>,
}

pub fn tile_ui(
    ui: &mut Ui,
    tile: &Tile<'_>,
    width: f32,
    data: &OpenData,
    textures: &mut Textures,
) -> Option<Action> {
    let palette = theme::palette(ui);
    let (fill, border) = if tile.seen {
        (palette.accent.gamma_multiply(0.12), palette.accent)
    } else {
        (palette.panel, palette.outline)
    };
    Frame::new()
        .fill(fill)
        .stroke(Stroke::new(1.0, border))
        .corner_radius(CornerRadius::same(RADIUS))
        .inner_margin(Margin::same(MARGIN as i8 - 1))
        .show(ui, |ui| {
            ui.set_width(width - 2.0 * MARGIN);
            ui.set_height(PICTURE);
            ui.spacing_mut().item_spacing = vec2(8.0, 4.0);
            ui.horizontal_top(|ui| {
                picture_ui(ui, tile.sample, textures);
                ui.vertical(|ui| words_ui(ui, tile, data)).inner
            })
            .inner
        })
        .inner
}

fn picture_ui(ui: &mut Ui, sample: &Sample, textures: &mut Textures) {
    let palette = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(PICTURE, PICTURE), Sense::hover());
    response.on_hover_text(&sample.id);
    let painter = ui.painter();
    painter.rect_filled(rect, CornerRadius::same(3), palette.well);
    match textures.thumbnail(ui.ctx(), None, sample) {
        Shown::Loading => {}
        Shown::Failed(_) => {
            let mark = Rect::from_center_size(rect.center(), vec2(22.0, 22.0));
            icons::paint(painter, mark, Icon::Warning, palette.error);
        }
        Shown::Ready(texture) => {
            let size = texture.size_vec2();
            let place =
                Rect::from_center_size(rect.center(), size * (rect.size() / size).min_elem());
            let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            painter.image(texture.id(), place, whole, Color32::WHITE);
        }
    }
}

fn words_ui(ui: &mut Ui, tile: &Tile<'_>, data: &OpenData) -> Option<Action> {
    let sample = tile.sample;
    let name = short_name(sample);
    let file = name.rsplit('/').next().unwrap_or(name);
    let ticked = ui.horizontal(|ui| {
        let ticked = tick_ui(ui, tile.seen, name);
        let rest = Layout::right_to_left(Align::Center);
        ui.with_layout(rest, |ui| mask_ui(ui, tile));
        ticked
    });
    let text = RichText::new(format!("{file} · {}", sample.defect)).small();
    let text = Label::new(text.color(theme::palette(ui).text)).truncate();
    ui.add(text).on_hover_text(&sample.id);
    let painted = paint_ui(ui, tile.kind, name);
    match (ticked.inner, painted) {
        (true, _) => Some(Action::SetSeen(toggled(data, &sample.id))),
        (_, true) => Some(Action::PaintMask(sample.id.clone())),
        _ => None,
    }
}

/// Returns whether the box was ticked or cleared.
fn tick_ui(ui: &mut Ui, mut seen: bool, name: &str) -> bool {
    let ticked = ui.checkbox(&mut seen, "Seen");
    let ticked = ticked.accessible_name(format!("Seen {name}"));
    let hint = "Learn from this picture, and never test with it";
    ticked.on_hover_text(hint).changed()
}

/// Where the mask comes from.
fn mask_ui(ui: &mut Ui, tile: &Tile<'_>) {
    let palette = theme::palette(ui);
    let (word, colour, hint) = match tile.kind {
        MaskKind::Own => ("own mask", palette.muted, "A mask file of the data set"),
        MaskKind::Painted => ("painted", palette.accent, "Painted in this window"),
        MaskKind::Broken => ("unusable", palette.error, "The painted mask cannot be used"),
        MaskKind::Missing => (
            "no mask",
            palette.warning,
            "Nothing can be learned from a picture without a mask",
        ),
    };
    badge(ui, word, colour).on_hover_text(tile.problem.unwrap_or(hint));
}

/// The way to the painter. Returns whether it was taken.
fn paint_ui(ui: &mut Ui, kind: MaskKind, name: &str) -> bool {
    let verb = match kind {
        MaskKind::Own | MaskKind::Painted => "Edit mask",
        MaskKind::Broken | MaskKind::Missing => "Paint mask",
    };
    let button = small_button(ui, &format!("{verb}…"));
    button.accessible_name(format!("{verb} {name}")).clicked()
}

/// The last folder and the file's name, which tell pictures of a category apart.
fn short_name(sample: &Sample) -> &str {
    let mut slashes = sample.id.rmatch_indices('/');
    slashes.next();
    slashes
        .next()
        .map_or(&sample.id, |(at, _)| &sample.id[at + 1..])
}

/// The ticked pictures with this one the other way round.
fn toggled(data: &OpenData, id: &str) -> Vec<String> {
    let mut seen = data.seen();
    match seen.iter().position(|other| other == id) {
        Some(at) => {
            seen.remove(at);
        }
        None => seen.push(id.to_owned()),
    }
    seen
}
