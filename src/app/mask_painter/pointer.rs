//! What the pointer does to the canvas: strokes, corners of a polygon. Every movement is followed, also several in one
//! frame, so that quick strokes keep their shape.

use eframe::egui::{Event, PointerButton, Pos2, Response, Ui};

use super::canvas::Ink;
use super::keys::polygon_ink;
use super::shapes::{self, Point};
use super::{MaskPainter, Tool};

/// Points from the first corner within which a click closes the polygon.
const SNAP: f32 = 8.0;

/// The stroke being drawn.
#[derive(Debug, Default)]
pub struct Pen {
    stroke: Option<Stroke>,
}

#[derive(Debug, Clone, Copy)]
struct Stroke {
    button: PointerButton,
    ink: Ink,
    last: Point,
}

impl Pen {
    pub fn is_down(&self) -> bool {
        self.stroke.is_some()
    }
}

/// Where the picture lies in the window.
#[derive(Debug, Clone, Copy)]
pub struct Placement {
    pub origin: Pos2,
    pub zoom: f32,
}

impl Placement {
    pub fn image_from_ui(&self, at: Pos2) -> Point {
        let at = (at - self.origin) / self.zoom;
        [at.x, at.y]
    }

    pub fn ui_from_image(&self, [x, y]: Point) -> Pos2 {
        self.origin + eframe::egui::vec2(x, y) * self.zoom
    }
}

/// Follows the pointer through this frame. `response` is the pane's.
pub fn follow(ui: &Ui, painter: &mut MaskPainter, response: &Response, placement: Placement) {
    let panning = ui.input(|i| i.key_down(eframe::egui::Key::Space));
    let events: Vec<Event> = ui.input(|i| i.events.clone());
    for event in events {
        match event {
            Event::PointerButton {
                pos,
                button,
                pressed: true,
                ..
            } if !panning && response.contains_pointer() && response.rect.contains(pos) => {
                press(ui, painter, button, pos, placement);
            }
            Event::PointerMoved(pos) => drag(painter, placement.image_from_ui(pos)),
            Event::PointerButton {
                button,
                pressed: false,
                ..
            } => release(painter, button),
            Event::PointerGone => lift(painter),
            _ => {}
        }
    }
    let held = painter.pen.stroke.map(|stroke| stroke.button);
    if held.is_some_and(|button| !ui.input(|i| i.pointer.button_down(button))) {
        // It was let go while something else was on screen.
        lift(painter);
    }
    if response.double_clicked() && painter.tool == Tool::Polygon {
        painter.close_polygon(polygon_ink(ui));
    }
}

fn press(
    ui: &Ui,
    painter: &mut MaskPainter,
    button: PointerButton,
    at: Pos2,
    placement: Placement,
) {
    let point = placement.image_from_ui(at);
    match (painter.tool, button) {
        (Tool::Polygon, PointerButton::Primary) => {
            let first = painter.polygon.first();
            let closes = first.is_some_and(|&first| {
                painter.polygon.len() > 2 && placement.ui_from_image(first).distance(at) < SNAP
            });
            if closes {
                painter.close_polygon(polygon_ink(ui));
            } else {
                painter.polygon.push(point);
            }
        }
        (Tool::Brush | Tool::Eraser, PointerButton::Primary) => {
            begin(painter, button, painter.tool.ink(), point);
        }
        (Tool::Brush | Tool::Eraser, PointerButton::Secondary) => {
            begin(painter, button, Ink::Erase, point);
        }
        _ => {}
    }
}

fn begin(painter: &mut MaskPainter, button: PointerButton, ink: Ink, at: Point) {
    lift(painter);
    painter.pen.stroke = Some(Stroke {
        button,
        ink,
        last: at,
    });
    drag(painter, at);
}

fn drag(painter: &mut MaskPainter, to: Point) {
    let radius = painter.radius();
    let (Some(stroke), Some(work)) = (&mut painter.pen.stroke, &mut painter.work) else {
        return;
    };
    let spans = shapes::stroke(stroke.last, to, radius, work.canvas.bounds());
    work.canvas.fill(&spans, stroke.ink);
    stroke.last = to;
}

fn release(painter: &mut MaskPainter, button: PointerButton) {
    let stroke = painter.pen.stroke;
    if stroke.is_some_and(|stroke| stroke.button == button) {
        lift(painter);
    }
}

/// Ends the stroke as one step.
pub fn lift(painter: &mut MaskPainter) {
    if painter.pen.stroke.take().is_some() {
        painter.commit();
    }
}
