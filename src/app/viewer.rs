//! The picture in one to three views side by side (original, overlay, map) that share zoom and position. Draws and
//! handles the pointer; what is shown where is decided by its settings.

use std::fmt;

use eframe::egui::{
    Align2, Color32, CornerRadius, CursorIcon, Painter, PointerButton, Pos2, Rect, Response, Role,
    Sense, Shape, Stroke, StrokeKind, TextStyle, TextureFilter, TextureId, Theme, Ui, Vec2,
    WidgetInfo, pos2, vec2,
};

use super::picture::{HeatInputs, Picture, Segment};
use super::theme;
use super::viewport::{View, Viewport};
use crate::render::Palette;

/// Gap between two views, in points.
const GAP: f32 = 6.0;
/// Physical pixels per picture pixel above which the pixels are shown as squares.
const SHOW_PIXELS_ABOVE: f32 = 2.0;
const ZOOM_STEP: f32 = 1.25;

/// One way to look at the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pane {
    Original,
    Overlay,
    Map,
}

impl Pane {
    pub const ALL: [Self; 3] = [Self::Original, Self::Overlay, Self::Map];

    pub fn name(self) -> &'static str {
        match self {
            Self::Original => "Original",
            Self::Overlay => "Overlay",
            Self::Map => "Map",
        }
    }
}

/// How the picture is shown. Never reaches the worker.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewerSettings {
    /// Never empty; drawn in the order of [`Pane::ALL`].
    pub panes: Vec<Pane>,
    pub heatmap: Heatmap,
    /// Of the heatmap over the picture, 0 to 1.
    pub opacity: f32,
    pub palette: Palette,
    pub only_above_limit: bool,
    pub contour: bool,
    pub mask: bool,
}

/// Whether the overlay shows the coloured map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heatmap {
    Shown,
    Hidden,
}

impl Default for ViewerSettings {
    fn default() -> Self {
        Self {
            panes: vec![Pane::Original, Pane::Overlay],
            heatmap: Heatmap::Shown,
            opacity: 0.5,
            palette: Palette::default(),
            only_above_limit: false,
            contour: true,
            mask: true,
        }
    }
}

impl ViewerSettings {
    pub fn shows(&self, pane: Pane) -> bool {
        self.panes.contains(&pane)
    }

    /// Shows or hides a view; the last one stays.
    pub fn toggle_pane(&mut self, pane: Pane) {
        let panes = Pane::ALL.into_iter();
        let toggled: Vec<Pane> = panes.filter(|&p| self.shows(p) != (p == pane)).collect();
        if !toggled.is_empty() {
            self.panes = toggled;
        }
    }

    pub fn toggle_heatmap(&mut self) {
        self.heatmap = match self.heatmap {
            Heatmap::Shown => Heatmap::Hidden,
            Heatmap::Hidden => Heatmap::Shown,
        };
    }

    pub fn change_opacity(&mut self, by: f32) {
        self.opacity = ((self.opacity + by) * 20.0).round().clamp(0.0, 20.0) / 20.0;
    }
}

/// What buttons and keys ask for; answered by whoever knows where the views are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoomRequest {
    In,
    Out,
    Natural,
}

/// What the model says, as far as drawing needs it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Raw scores at the two ends of the frozen colour scale.
    pub ends: (f32, f32),
    pub pixel_limit: f32,
}

/// What lies under the pointer, for the status bar.
#[derive(Debug, Clone, PartialEq)]
pub struct PixelReadout {
    pub x: usize,
    pub y: usize,
    pub rgb: [u8; 3],
    /// Raw score; `None` where the map does not reach.
    pub score: Option<f32>,
    /// Score divided by the pixel limit.
    pub over_limit: Option<f32>,
}

impl fmt::Display for PixelReadout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.rgb;
        write!(f, "x {}  y {}  RGB {r} {g} {b}", self.x, self.y)?;
        match (self.score, self.over_limit) {
            (Some(score), Some(ratio)) => write!(
                f,
                "  score {}  {ratio:.2} × limit",
                super::numbers::score(score)
            ),
            _ => write!(f, "  no score here"),
        }
    }
}

/// Draws the views into all the room there is. Returns what lies under the pointer.
pub fn viewer_ui(
    ui: &mut Ui,
    picture: &mut Picture,
    settings: &ViewerSettings,
    viewport: &mut Viewport,
    scale: Scale,
    request: Option<ZoomRequest>,
) -> Option<PixelReadout> {
    let area = ui.available_rect_before_wrap();
    ui.advance_cursor_after_rect(area);
    let rects = arrange(area, picture.size(), settings.panes.len());
    let views = rects.into_iter().map(|pane| View {
        pane,
        image: picture.size(),
        pixels_per_point: ui.ctx().pixels_per_point(),
    });
    let panes: Vec<(Pane, View)> = settings.panes.iter().copied().zip(views).collect();
    let mut pointed = None;
    for (pane, view) in &panes {
        let response = pane_response(ui, *pane, view);
        handle_pointer(ui, &response, viewport, view);
        if let Some(at) = response.hover_pos() {
            pointed = Some((*pane, image_from_ui(viewport, view, at)));
        }
    }
    if let (Some(request), Some((_, view))) = (request, panes.first()) {
        carry_out(request, viewport, view);
    }
    for (pane, view) in &panes {
        paint_pane(ui, picture, settings, viewport, scale, *pane, view);
        if let Some((hovered, at)) = pointed
            && hovered != *pane
        {
            paint_crosshair(ui, viewport, view, at);
        }
    }
    pointed.and_then(|(_, at)| readout(picture, scale, at))
}

/// Side by side or one above the other, whichever shows the picture larger.
fn arrange(area: Rect, image: Vec2, count: usize) -> Vec<Rect> {
    let n = count.max(1) as f32;
    let beside = vec2((area.width() - GAP * (n - 1.0)) / n, area.height());
    let below = vec2(area.width(), (area.height() - GAP * (n - 1.0)) / n);
    let zoom = |pane: Vec2| (pane / image).min_elem();
    let (size, step) = if zoom(beside) >= zoom(below) {
        (beside, vec2(beside.x + GAP, 0.0))
    } else {
        (below, vec2(0.0, below.y + GAP))
    };
    let size = size.max(Vec2::splat(1.0));
    (0..count)
        .map(|i| Rect::from_min_size(area.min + step * i as f32, size))
        .collect()
}

fn pane_response(ui: &Ui, pane: Pane, view: &View) -> Response {
    let id = ui.scope_id().with(("view", pane.name()));
    let response = ui.interact(view.pane, id, Sense::drag() | Sense::click());
    response
        .widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("{} view", pane.name())));
    response.on_hover_cursor(CursorIcon::Crosshair)
}

/// Wheel and pinch zoom at the cursor, drag pans, double-click toggles 1:1.
fn handle_pointer(ui: &Ui, response: &Response, viewport: &mut Viewport, view: &View) {
    if response.dragged_by(PointerButton::Primary) || response.dragged_by(PointerButton::Middle) {
        viewport.pan(view, response.drag_delta());
        ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
    }
    let Some(cursor) = response.hover_pos() else {
        return;
    };
    if response.double_clicked() {
        viewport.toggle_natural(view, cursor);
    }
    wheel_zoom(ui, response, viewport, view);
}

/// Wheel and pinch zoom at the cursor while it is over the view.
pub fn wheel_zoom(ui: &Ui, response: &Response, viewport: &mut Viewport, view: &View) {
    let Some(cursor) = response.hover_pos() else {
        return;
    };
    let (scrolled, pinched) = ui.input(|i| (i.smooth_scroll_delta().y, i.zoom_delta()));
    let factor = pinched * (scrolled / 200.0).exp();
    if factor != 1.0 {
        viewport.zoom_by(view, cursor, factor);
    }
}

pub fn carry_out(request: ZoomRequest, viewport: &mut Viewport, view: &View) {
    let middle = view.pane.center();
    match request {
        ZoomRequest::In => viewport.zoom_by(view, middle, ZOOM_STEP),
        ZoomRequest::Out => viewport.zoom_by(view, middle, 1.0 / ZOOM_STEP),
        ZoomRequest::Natural => viewport.natural(view, middle),
    }
}

fn image_from_ui(viewport: &Viewport, view: &View, at: Pos2) -> Pos2 {
    ((at - viewport.image_rect(view).min) / viewport.zoom(view)).to_pos2()
}

fn readout(picture: &Picture, scale: Scale, at: Pos2) -> Option<PixelReadout> {
    if at.x < 0.0 || at.y < 0.0 {
        return None;
    }
    let (x, y) = (at.x as usize, at.y as usize);
    let score = picture.score_at(x, y);
    Some(PixelReadout {
        x,
        y,
        rgb: picture.colour_at(x, y)?,
        score,
        over_limit: score.map(|score| score / scale.pixel_limit),
    })
}

fn paint_pane(
    ui: &Ui,
    picture: &mut Picture,
    settings: &ViewerSettings,
    viewport: &Viewport,
    scale: Scale,
    pane: Pane,
    view: &View,
) {
    let painter = ui.painter().with_clip_rect(view.pane);
    painter.rect_filled(view.pane, CornerRadius::same(3), theme::palette(ui).well);
    let image_rect = viewport.image_rect(view);
    let zoom = viewport.zoom(view);
    let place = |rect: Rect| (rect * zoom).translate(image_rect.min.to_vec2());
    if pane != Pane::Map {
        let filter = if zoom * view.pixels_per_point > SHOW_PIXELS_ABOVE {
            TextureFilter::Nearest
        } else {
            TextureFilter::Linear
        };
        let texture = picture.base(ui.ctx(), filter).id();
        paint_texture(&painter, texture, image_rect, Color32::WHITE);
    }
    let opacity = match (pane, settings.heatmap) {
        (Pane::Original, _) | (Pane::Overlay, Heatmap::Hidden) => 0.0,
        (Pane::Overlay, Heatmap::Shown) => settings.opacity,
        (Pane::Map, _) => 1.0,
    };
    if opacity > 0.0 {
        let inputs = HeatInputs {
            palette: settings.palette,
            scale: scale.ends,
            floor: settings.only_above_limit.then_some(scale.pixel_limit),
        };
        let map_rect = place(picture.map_rect());
        if let Some(texture) = picture.heat(ui.ctx(), inputs) {
            paint_texture(
                &painter,
                texture.id(),
                map_rect,
                Color32::WHITE.gamma_multiply(opacity),
            );
        }
        paint_crop(&painter, picture, map_rect);
    }
    if pane != Pane::Original {
        let at = |point: Pos2| image_rect.min + point.to_vec2() * zoom;
        let marks = theme::palette_of(Theme::Dark);
        if settings.mask {
            paint_segments(&painter, picture.outline(), at, marks.strong);
        }
        if settings.contour {
            paint_segments(
                &painter,
                picture.contour(scale.pixel_limit),
                at,
                marks.limit,
            );
        }
    }
    paint_caption(ui, &painter, pane, view.pane);
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
        painter.extend(Shape::dashed_line(
            &corners,
            Stroke::new(1.0, colour),
            6.0,
            4.0,
        ));
    }
}

/// Lines that can be seen on any picture: in their colour, on a dark ground.
fn paint_segments(
    painter: &Painter,
    segments: &[Segment],
    at: impl Fn(Pos2) -> Pos2,
    colour: Color32,
) {
    for stroke in [
        Stroke::new(3.0, Color32::from_black_alpha(150)),
        Stroke::new(1.5, colour),
    ] {
        for &[a, b] in segments {
            painter.line_segment([at(a), at(b)], stroke);
        }
    }
}

fn paint_caption(ui: &Ui, painter: &Painter, pane: Pane, rect: Rect) {
    let marks = theme::palette_of(Theme::Dark);
    let font = TextStyle::Small.resolve(ui.style());
    let galley = painter.layout_no_wrap(pane.name().to_owned(), font, marks.strong);
    let room = Rect::from_min_size(rect.min + vec2(6.0, 6.0), galley.size() + vec2(12.0, 4.0));
    painter.rect_filled(room, CornerRadius::same(4), Color32::from_black_alpha(160));
    let at = Align2::CENTER_CENTER
        .anchor_size(room.center(), galley.size())
        .min;
    painter.galley(at, galley, marks.strong);
    painter.rect_stroke(
        rect,
        CornerRadius::same(3),
        Stroke::new(1.0, theme::palette(ui).outline),
        StrokeKind::Inside,
    );
}

/// Shows in the other views which pixel the pointer is on.
fn paint_crosshair(ui: &Ui, viewport: &Viewport, view: &View, at: Pos2) {
    let image_rect = viewport.image_rect(view);
    let centre = image_rect.min + at.to_vec2() * viewport.zoom(view);
    if !image_rect.contains(centre) {
        return;
    }
    let painter = ui.painter().with_clip_rect(view.pane);
    for (radius, colour) in [(5.0, Color32::from_black_alpha(180)), (4.0, Color32::WHITE)] {
        painter.circle_stroke(centre, radius, Stroke::new(1.0, colour));
    }
}

#[cfg(test)]
mod tests {
    use eframe::egui::{Rect, pos2, vec2};

    use super::{Pane, PixelReadout, ViewerSettings, arrange};

    #[test]
    fn wide_pictures_are_stacked_and_tall_ones_stand_side_by_side() {
        let area = Rect::from_min_size(pos2(10.0, 20.0), vec2(800.0, 600.0));
        let wide = arrange(area, vec2(400.0, 100.0), 2);
        assert_eq!(wide[0].left(), wide[1].left());
        assert_eq!(wide[1].bottom(), area.bottom());
        let tall = arrange(area, vec2(100.0, 400.0), 3);
        assert_eq!(tall[0].top(), tall[2].top());
        assert_eq!(tall[2].right(), area.right());
    }

    #[test]
    fn the_last_view_cannot_be_hidden() {
        let mut settings = ViewerSettings::default();
        settings.toggle_pane(Pane::Original);
        settings.toggle_pane(Pane::Overlay);
        assert_eq!(settings.panes, [Pane::Overlay]);
        settings.toggle_pane(Pane::Map);
        settings.toggle_pane(Pane::Original);
        assert_eq!(settings.panes, Pane::ALL);
    }

    #[test]
    fn opacity_stays_between_nothing_and_all() {
        let mut settings = ViewerSettings::default();
        settings.change_opacity(0.1);
        assert_eq!(settings.opacity, 0.6);
        settings.change_opacity(9.0);
        assert_eq!(settings.opacity, 1.0);
        settings.change_opacity(-9.0);
        assert_eq!(settings.opacity, 0.0);
    }

    #[test]
    fn the_readout_says_where_there_is_no_score() {
        let mut readout = PixelReadout {
            x: 12,
            y: 7,
            rgb: [1, 2, 3],
            score: Some(0.75),
            over_limit: Some(1.5),
        };
        assert_eq!(
            readout.to_string(),
            "x 12  y 7  RGB 1 2 3  score 0.7500  1.50 × limit"
        );
        readout.score = None;
        assert_eq!(readout.to_string(), "x 12  y 7  RGB 1 2 3  no score here");
    }
}
