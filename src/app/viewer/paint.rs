//! Paints one view: the picture, its colours, lines, region marks and caption. Handles no pointer.

use eframe::egui::{
    Align2, Color32, CornerRadius, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, TextStyle,
    TextureFilter, TextureId, Theme, Ui, pos2, vec2,
};

use super::super::picture::{HeatInputs, Picture, Segment};
use super::super::theme;
use super::super::viewport::{View, Viewport};
use super::measure::{Measure, paint_line};
use super::settings::{ColourScale, Heatmap, Pane, ViewerSettings};
use super::{FoundRegion, Scale};

/// Physical pixels per picture pixel above which the pixels are shown as squares.
const SHOW_PIXELS_ABOVE: f32 = 2.0;

/// What one view shows beside the picture itself.
pub struct Layer<'a> {
    pub pane: Pane,
    pub caption: &'a str,
    pub settings: &'a ViewerSettings,
    pub scale: Scale,
    pub measure: &'a Measure,
    pub pixels_per_mm: Option<f64>,
    /// Place in the list of the region that stands out.
    pub highlighted: Option<usize>,
}

impl Layer<'_> {
    fn heat_opacity(&self) -> f32 {
        match (self.pane, self.settings.heatmap) {
            (Pane::Map, _) => 1.0,
            (Pane::Overlay | Pane::Compared(_), Heatmap::Shown) => self.settings.opacity,
            _ => 0.0,
        }
    }

    fn shows_scores(&self) -> bool {
        !matches!(self.pane, Pane::Original | Pane::GroundTruth)
    }
}

/// Where the picture lies on the screen.
struct Place {
    image_rect: Rect,
    zoom: f32,
}

impl Place {
    fn at(&self, point: Pos2) -> Pos2 {
        self.image_rect.min + point.to_vec2() * self.zoom
    }

    fn of(&self, rect: Rect) -> Rect {
        Rect::from_min_max(self.at(rect.min), self.at(rect.max))
    }
}

pub fn paint_layer(
    ui: &Ui,
    layer: &Layer,
    picture: &mut Picture,
    viewport: &Viewport,
    view: &View,
) {
    let painter = ui.painter().with_clip_rect(view.pane);
    painter.rect_filled(view.pane, CornerRadius::same(3), theme::palette(ui).well);
    let place = Place {
        image_rect: viewport.image_rect(view),
        zoom: viewport.zoom(view),
    };
    if layer.pane != Pane::Map {
        let filter = if place.zoom * view.pixels_per_point > SHOW_PIXELS_ABOVE {
            TextureFilter::Nearest
        } else {
            TextureFilter::Linear
        };
        let texture = picture.base(ui.ctx(), filter).id();
        paint_texture(&painter, texture, place.image_rect, Color32::WHITE);
    }
    paint_heat(ui, &painter, layer, picture, &place);
    let mut caption = layer.caption.to_owned();
    if layer.pane == Pane::GroundTruth {
        match picture.truth(ui.ctx()) {
            Some(veil) => paint_texture(&painter, veil.id(), place.image_rect, Color32::WHITE),
            None => caption.push_str(": no mask file"),
        }
    }
    paint_marks(&painter, layer, picture, &place);
    if let Some(number) = layer.highlighted {
        let regions = picture.regions(layer.scale.pixel_limit);
        if let Some(region) = regions.list.get(number) {
            paint_highlight(ui, &painter, number, region, &place);
        }
    }
    paint_line(ui, &painter, layer.measure, layer.pixels_per_mm, |at| {
        place.at(at)
    });
    paint_caption(ui, &painter, &caption, view.pane);
}

/// The coloured map, and what the network saw.
fn paint_heat(ui: &Ui, painter: &Painter, layer: &Layer, picture: &mut Picture, place: &Place) {
    let opacity = layer.heat_opacity();
    if opacity <= 0.0 {
        return;
    }
    let ends = match layer.settings.colours {
        ColourScale::Frozen => None,
        ColourScale::Stretched => picture.extremes(),
    };
    let inputs = HeatInputs {
        palette: layer.settings.palette,
        scale: ends.unwrap_or(layer.scale.ends),
        floor: layer
            .settings
            .only_above_limit
            .then_some(layer.scale.pixel_limit),
    };
    let map_rect = place.of(picture.map_rect());
    if let Some(texture) = picture.heat(ui.ctx(), inputs) {
        let tint = Color32::WHITE.gamma_multiply(opacity);
        paint_texture(painter, texture.id(), map_rect, tint);
    }
    paint_crop(painter, picture, map_rect);
}

/// The outline of the mask and the contour at the pixel limit.
fn paint_marks(painter: &Painter, layer: &Layer, picture: &mut Picture, place: &Place) {
    let marks = theme::palette_of(Theme::Dark);
    let at = |point: Pos2| place.at(point);
    let shows_mask = layer.settings.mask && layer.shows_scores();
    if shows_mask || layer.pane == Pane::GroundTruth {
        paint_segments(painter, picture.outline(), at, marks.strong, 1.5);
    }
    if layer.settings.contour && layer.shows_scores() {
        let contour = picture.contour(layer.scale.pixel_limit, layer.scale.smallest);
        paint_segments(painter, &contour.too_small, at, marks.muted, 0.75);
        paint_segments(painter, &contour.counting, at, marks.limit, 1.5);
    }
}

fn paint_texture(painter: &Painter, texture: TextureId, rect: Rect, tint: Color32) {
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    painter.image(texture, rect, whole, tint);
}

/// What the network saw, where that is not the whole picture.
fn paint_crop(painter: &Painter, picture: &Picture, map_rect: Rect) {
    if picture.is_cropped() {
        let colour = theme::palette_of(Theme::Dark).strong.gamma_multiply(0.6);
        let corners = [
            map_rect.left_top(),
            map_rect.right_top(),
            map_rect.right_bottom(),
            map_rect.left_bottom(),
            map_rect.left_top(),
        ];
        let stroke = Stroke::new(1.0, colour);
        painter.extend(Shape::dashed_line(&corners, stroke, 6.0, 4.0));
    }
}

/// Lines that can be seen on any picture: in their colour, on a dark ground.
fn paint_segments(
    painter: &Painter,
    segments: &[Segment],
    at: impl Fn(Pos2) -> Pos2,
    colour: Color32,
    width: f32,
) {
    for stroke in [
        Stroke::new(2.0 * width, Color32::from_black_alpha(150)),
        Stroke::new(width, colour),
    ] {
        for &[a, b] in segments {
            painter.line_segment([at(a), at(b)], stroke);
        }
    }
}

/// A frame around a region with its number.
fn paint_highlight(
    ui: &Ui,
    painter: &Painter,
    place_in_list: usize,
    region: &FoundRegion,
    place: &Place,
) {
    let marks = theme::palette_of(Theme::Dark);
    let frame = place.of(region.bounds).expand(5.0);
    for (width, colour) in [(4.0, Color32::from_black_alpha(150)), (1.5, marks.strong)] {
        painter.rect_stroke(
            frame,
            CornerRadius::same(2),
            Stroke::new(width, colour),
            StrokeKind::Middle,
        );
    }
    let corner = frame.left_top() - vec2(0.0, 4.0);
    let text = format!("Region {}", place_in_list + 1);
    paint_tag(ui, painter, &text, corner, Align2::LEFT_BOTTOM);
}

/// Small light words on a dark ground.
fn paint_tag(ui: &Ui, painter: &Painter, text: &str, at: Pos2, align: Align2) {
    let marks = theme::palette_of(Theme::Dark);
    let font = TextStyle::Small.resolve(ui.style());
    let galley = painter.layout_no_wrap(text.to_owned(), font, marks.strong);
    let room = align.anchor_size(at, galley.size() + vec2(12.0, 4.0));
    painter.rect_filled(room, CornerRadius::same(4), Color32::from_black_alpha(170));
    let text = Rect::from_center_size(room.center(), galley.size());
    painter.galley(text.min, galley, marks.strong);
}

fn paint_caption(ui: &Ui, painter: &Painter, caption: &str, pane: Rect) {
    let corner = pane.min + vec2(6.0, 6.0);
    paint_tag(ui, painter, caption, corner, Align2::LEFT_TOP);
    let outline = Stroke::new(1.0, theme::palette(ui).outline);
    painter.rect_stroke(pane, CornerRadius::same(3), outline, StrokeKind::Inside);
}

/// An empty view that says why it is empty.
pub fn paint_note(ui: &Ui, caption: &str, note: &str, pane: Rect) {
    let palette = theme::palette(ui);
    let painter = ui.painter().with_clip_rect(pane);
    painter.rect_filled(pane, CornerRadius::same(3), palette.well);
    let font = TextStyle::Small.resolve(ui.style());
    let width = (pane.width() - 24.0).max(1.0);
    let galley = painter.layout(note.to_owned(), font, palette.muted, width);
    let room = Rect::from_center_size(pane.center(), galley.size());
    painter.galley(room.min, galley, palette.muted);
    paint_caption(ui, &painter, caption, pane);
}

/// Shows in the other views which pixel the pointer is on.
pub fn paint_crosshair(ui: &Ui, viewport: &Viewport, view: &View, at: Pos2) {
    let image_rect = viewport.image_rect(view);
    let centre = image_rect.min + at.to_vec2() * viewport.zoom(view);
    if !image_rect.contains(centre) {
        return;
    }
    let painter = ui.painter().with_clip_rect(view.pane);
    let (inner, outer) = (4.0, 11.0);
    for (width, colour) in [(3.0, Color32::from_black_alpha(160)), (1.0, Color32::WHITE)] {
        for along in [
            vec2(1.0, 0.0),
            vec2(-1.0, 0.0),
            vec2(0.0, 1.0),
            vec2(0.0, -1.0),
        ] {
            let arm = [centre + along * inner, centre + along * outer];
            painter.line_segment(arm, Stroke::new(width, colour));
        }
    }
}
