//! Lays the views out, hands the pointer to zoom, position and measuring line, and paints them in step.

use eframe::egui::{
    CursorIcon, PointerButton, Pos2, Rect, Response, Role, Sense, Ui, Vec2, WidgetInfo, vec2,
};

use super::super::picture::Picture;
use super::super::textures::{Shown, Textures};
use super::super::viewport::{View, Viewport};
use super::measure::{Measure, Tool};
use super::paint::{Layer, paint_crosshair, paint_layer, paint_note};
use super::settings::{Pane, ViewerSettings};
use super::{PixelReadout, RegionFocus, Subject, ZoomRequest};

/// Gap between two views, in points.
const GAP: f32 = 6.0;
const ZOOM_STEP: f32 = 1.25;

/// What is shown: the picture as the open run sees it, and as the compared ones do.
pub struct Stage<'a> {
    pub open: &'a Subject<'a>,
    pub compared: &'a [Option<Subject<'a>>],
    pub settings: &'a ViewerSettings,
    /// Width and height in image pixels.
    pub image: Vec2,
    pub pixels_per_mm: Option<f64>,
    pub request: Option<ZoomRequest>,
}

/// Draws the views into all the room there is. Returns what lies under the pointer.
pub fn viewer_ui(
    ui: &mut Ui,
    stage: &Stage,
    textures: &mut Textures,
    viewport: &mut Viewport,
    measure: &mut Measure,
    focus: &mut RegionFocus,
) -> Option<PixelReadout> {
    let area = ui.available_rect_before_wrap();
    ui.advance_cursor_after_rect(area);
    let panes = stage.settings.visible(stage.compared.len());
    let rects = arrange(area, stage.image, panes.len());
    let views = rects.into_iter().map(|pane| View {
        pane,
        image: stage.image,
        pixels_per_point: ui.ctx().pixels_per_point(),
    });
    let panes: Vec<(Pane, View)> = panes.into_iter().zip(views).collect();
    let mut pointed = None;
    for (pane, view) in &panes {
        let response = pane_response(ui, *pane, view, measure.tool);
        handle_pointer(ui, &response, viewport, view, measure);
        if let Some(at) = response.hover_pos() {
            pointed = Some((*pane, image_from_ui(viewport, view, at)));
        }
    }
    if let Some((_, view)) = panes.first() {
        if let Some(request) = stage.request {
            carry_out(request, viewport, view);
        }
        if let Some(part) = focus.go_to.take() {
            viewport.show(view, part);
        }
    }
    for (pane, view) in &panes {
        pane_ui(ui, stage, textures, viewport, measure, focus, (*pane, view));
        if let Some((hovered, at)) = pointed
            && hovered != *pane
        {
            paint_crosshair(ui, viewport, view, at);
        }
    }
    let (pane, at) = pointed?;
    let subject = subject_of(stage, pane)?;
    match textures.picture(Some(subject.run), subject.sample) {
        Shown::Ready(picture) => PixelReadout::of(picture, subject.scale, stage.pixels_per_mm, at),
        _ => None,
    }
}

/// The run a view belongs to; `None`: a compared run that does not know the picture.
fn subject_of<'a>(stage: &Stage<'a>, pane: Pane) -> Option<&'a Subject<'a>> {
    match pane {
        Pane::Compared(index) => stage.compared.get(index)?.as_ref(),
        _ => Some(stage.open),
    }
}

fn pane_ui(
    ui: &Ui,
    stage: &Stage,
    textures: &mut Textures,
    viewport: &Viewport,
    measure: &Measure,
    focus: &RegionFocus,
    (pane, view): (Pane, &View),
) {
    let Some(subject) = subject_of(stage, pane) else {
        return paint_note(
            ui,
            pane.name(),
            "This model has not seen the picture",
            view.pane,
        );
    };
    let caption = caption(pane, subject);
    let picture: &mut Picture = match textures.picture(Some(subject.run), subject.sample) {
        Shown::Ready(picture) => picture,
        Shown::Loading => return paint_note(ui, &caption, "Loading the picture…", view.pane),
        Shown::Failed(message) => return paint_note(ui, &caption, message, view.pane),
    };
    let layer = Layer {
        pane,
        caption: &caption,
        settings: stage.settings,
        scale: subject.scale,
        measure,
        pixels_per_mm: stage.pixels_per_mm,
        highlighted: match pane {
            Pane::Compared(_) => None,
            _ => focus.highlighted(&subject.sample.id),
        },
    };
    paint_layer(ui, &layer, picture, viewport, view);
}

fn caption(pane: Pane, subject: &Subject) -> String {
    match pane {
        Pane::Compared(_) => format!("Overlay of {}", subject.name),
        _ => pane.name().to_owned(),
    }
}

/// In the grid that shows the picture largest; rather side by side than one above the other.
fn arrange(area: Rect, image: Vec2, count: usize) -> Vec<Rect> {
    let size_of = |columns: usize| {
        let room = |length: f32, n: usize| (length - GAP * (n as f32 - 1.0)) / n as f32;
        let rows = count.div_ceil(columns);
        vec2(room(area.width(), columns), room(area.height(), rows))
    };
    let zoom = |columns: usize| (size_of(columns) / image).min_elem();
    let columns = (1..=count.max(1))
        .rev()
        .reduce(|best, columns| {
            if zoom(columns) > zoom(best) {
                columns
            } else {
                best
            }
        })
        .unwrap_or(1);
    let size = size_of(columns).max(Vec2::splat(1.0));
    (0..count)
        .map(|i| {
            let step = vec2((i % columns) as f32, (i / columns) as f32);
            Rect::from_min_size(area.min + step * (size + Vec2::splat(GAP)), size)
        })
        .collect()
}

fn pane_response(ui: &Ui, pane: Pane, view: &View, tool: Tool) -> Response {
    let id = ui.scope_id().with(("view", pane.name()));
    let response = ui.interact(view.pane, id, Sense::drag() | Sense::click());
    response
        .widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("{} view", pane.name())));
    response.on_hover_cursor(match tool {
        Tool::Look => CursorIcon::Crosshair,
        Tool::Measure => CursorIcon::Cell,
    })
}

/// Wheel and pinch zoom at the cursor, drag pans or measures, the middle button always pans, double-click toggles 1:1.
fn handle_pointer(
    ui: &Ui,
    response: &Response,
    viewport: &mut Viewport,
    view: &View,
    measure: &mut Measure,
) {
    let primary = response.dragged_by(PointerButton::Primary);
    if primary && measure.tool == Tool::Measure {
        draw_line(ui, response, viewport, view, measure);
    } else if primary || response.dragged_by(PointerButton::Middle) {
        viewport.pan(view, response.drag_delta());
        ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
    }
    let Some(cursor) = response.hover_pos() else {
        return;
    };
    if response.double_clicked() && measure.tool == Tool::Look {
        viewport.toggle_natural(view, cursor);
    }
    wheel_zoom(ui, response, viewport, view);
}

fn draw_line(
    ui: &Ui,
    response: &Response,
    viewport: &Viewport,
    view: &View,
    measure: &mut Measure,
) {
    let on_image = |at: Pos2| image_from_ui(viewport, view, at);
    if response.drag_started() {
        let origin = ui.input(|i| i.pointer.press_origin());
        if let Some(origin) = origin {
            measure.drag_from(on_image(origin));
        }
    }
    if let Some(at) = response.interact_pointer_pos() {
        measure.drag_to(on_image(at));
    }
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

#[cfg(test)]
mod tests {
    use eframe::egui::{Rect, pos2, vec2};

    use super::arrange;

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
    fn four_square_pictures_make_a_square() {
        let area = Rect::from_min_size(pos2(0.0, 0.0), vec2(606.0, 606.0));
        let four = arrange(area, vec2(100.0, 100.0), 4);
        assert_eq!(four[3], Rect::from_min_max(pos2(306.0, 306.0), area.max));
        assert!(arrange(area, vec2(100.0, 100.0), 0).is_empty());
    }
}
