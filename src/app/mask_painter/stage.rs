//! The picture with the mask over it, the brush and the unfinished polygon; below, what they say in words.

use eframe::egui::{
    Align, Color32, CornerRadius, CursorIcon, Key, Layout, Painter, PointerButton, Pos2, Rect,
    Response, RichText, Role, Sense, Shape, Stroke, TextureFilter, Ui, WidgetInfo, pos2, vec2,
};

use super::pointer::{self, Placement};
use super::{MaskPainter, Tool};
use crate::app::controls::from_right;
use crate::app::picture::Picture;
use crate::app::viewer::{ZoomRequest, carry_out, wheel_zoom};
use crate::app::viewport::View;
use crate::app::{theme, words};

/// Physical pixels per picture pixel above which the pixels are shown as squares.
const SHOW_PIXELS_ABOVE: f32 = 2.0;
const STATUS_HEIGHT: f32 = 22.0;

pub fn stage_ui(
    ui: &mut Ui,
    painter: &mut MaskPainter,
    picture: &mut Picture,
    request: Option<ZoomRequest>,
) {
    let mut room = ui.available_rect_before_wrap();
    room.max.y -= STATUS_HEIGHT + ui.spacing().item_spacing.y;
    let pane = ui.allocate_rect(room, Sense::hover()).rect;
    let view = View {
        pane,
        image: picture.size(),
        pixels_per_point: ui.ctx().pixels_per_point(),
    };
    let response = pane_response(ui, pane);
    move_picture(ui, painter, &response, &view, request);
    let placement = Placement {
        origin: painter.viewport.image_rect(&view).min,
        zoom: painter.viewport.zoom(&view),
    };
    if painter.is_idle() {
        pointer::follow(ui, painter, &response, placement);
    } else {
        pointer::lift(painter);
    }
    let hovered = response.hover_pos();
    painter.pointed = hovered.and_then(|at| pixel(placement.image_from_ui(at), &view));
    paint(ui, painter, picture, &view, placement, hovered);
    status_ui(ui, painter);
}

fn pane_response(ui: &Ui, pane: Rect) -> Response {
    let id = ui.scope_id().with("painted picture");
    let response = ui.interact(pane, id, Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Picture to paint on"));
    response.on_hover_cursor(CursorIcon::Crosshair)
}

/// The wheel zooms; the middle button, or any button with Space held, moves.
fn move_picture(
    ui: &Ui,
    painter: &mut MaskPainter,
    response: &Response,
    view: &View,
    request: Option<ZoomRequest>,
) {
    let space = ui.input(|i| i.key_down(Key::Space));
    let moves = response.dragged_by(PointerButton::Middle)
        || (space && response.dragged_by(PointerButton::Primary));
    if moves && !painter.pen.is_down() {
        painter.viewport.pan(view, response.drag_delta());
        ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
    }
    wheel_zoom(ui, response, &mut painter.viewport, view);
    if let Some(request) = request {
        carry_out(request, &mut painter.viewport, view);
    }
}

fn pixel([x, y]: [f32; 2], view: &View) -> Option<(usize, usize)> {
    let inside = x >= 0.0 && y >= 0.0 && x < view.image.x && y < view.image.y;
    inside.then_some((x as usize, y as usize))
}

fn paint(
    ui: &Ui,
    painter: &mut MaskPainter,
    picture: &mut Picture,
    view: &View,
    placement: Placement,
    hovered: Option<Pos2>,
) {
    let brush = ui.painter().with_clip_rect(view.pane);
    brush.rect_filled(view.pane, CornerRadius::same(3), theme::palette(ui).well);
    let image_rect = painter.viewport.image_rect(view);
    let filter = if placement.zoom * view.pixels_per_point > SHOW_PIXELS_ABOVE {
        TextureFilter::Nearest
    } else {
        TextureFilter::Linear
    };
    let texture = picture.base(ui.ctx(), filter).id();
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    brush.image(texture, image_rect, whole, Color32::WHITE);
    if let Some(work) = &mut painter.work {
        work.overlay.update(ui.ctx(), &mut work.canvas);
        work.overlay.paint(&brush, image_rect, placement.zoom);
    }
    match painter.tool {
        Tool::Polygon => paint_polygon(&brush, painter, placement, hovered),
        Tool::Brush | Tool::Eraser => {
            if let Some(at) = hovered {
                paint_brush(&brush, at, painter.radius() * placement.zoom, painter.tool);
            }
        }
    }
}

/// As large as what it marks; the eraser has a bar across.
fn paint_brush(painter: &Painter, at: Pos2, radius: f32, tool: Tool) {
    let radius = radius.max(1.5);
    for (wide, colour) in [(3.0, Color32::from_black_alpha(150)), (1.2, Color32::WHITE)] {
        let stroke = Stroke::new(wide, colour);
        painter.circle_stroke(at, radius, stroke);
        if tool == Tool::Eraser {
            let half = vec2(radius.min(5.0), 0.0);
            painter.line_segment([at - half, at + half], stroke);
        }
    }
}

/// The corners so far, the line to the pointer, and a ring on the corner that closes it.
fn paint_polygon(
    painter: &Painter,
    state: &MaskPainter,
    placement: Placement,
    hovered: Option<Pos2>,
) {
    let corners = state.polygon.iter().map(|&p| placement.ui_from_image(p));
    let corners: Vec<Pos2> = corners.collect();
    let Some(&first) = corners.first() else {
        return;
    };
    let line: Vec<Pos2> = corners.iter().copied().chain(hovered).collect();
    for (wide, colour) in [(4.0, Color32::from_black_alpha(150)), (1.8, theme::MASK)] {
        painter.add(Shape::line(line.clone(), Stroke::new(wide, colour)));
    }
    for &corner in &corners {
        painter.circle(
            corner,
            3.0,
            Color32::WHITE,
            Stroke::new(1.0, Color32::BLACK),
        );
    }
    if corners.len() > 2 {
        painter.circle_stroke(first, 7.0, Stroke::new(1.5, Color32::WHITE));
    }
}

/// Position and amount on the left, what the hand can do on the right.
fn status_ui(ui: &mut Ui, painter: &MaskPainter) {
    let palette = theme::palette(ui);
    from_right(ui, STATUS_HEIGHT, |ui| {
        let hint = RichText::new(hint(painter.tool))
            .small()
            .color(palette.muted);
        ui.label(hint);
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.label(RichText::new(status(painter)).color(palette.strong));
        });
    });
}

fn status(painter: &MaskPainter) -> String {
    let Some(work) = &painter.work else {
        return String::new();
    };
    let (width, height) = work.canvas.bounds();
    let share = 100.0 * work.canvas.marked() as f64 / (width * height) as f64;
    let marked = format!(
        "{} px marked, {share:.2} %",
        words::grouped(work.canvas.marked())
    );
    match painter.pointed {
        Some((x, y)) => format!("{marked}   ·   x {x}  y {y}"),
        None => marked,
    }
}

fn hint(tool: Tool) -> &'static str {
    match tool {
        Tool::Brush => {
            "Drag marks, right button erases · [ ] size · wheel zooms · Space or middle button moves"
        }
        Tool::Eraser => "Drag erases · [ ] size · wheel zooms · Space or middle button moves",
        Tool::Polygon => {
            "Click corners · Enter or double-click closes, with Shift it erases · Backspace takes one back · Esc drops all"
        }
    }
}
