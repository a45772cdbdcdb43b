//! Small pictures drawn with lines, so that they are sharp at every zoom and take the colour of their place.

use eframe::egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, vec2};

/// What an icon shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    Folder,
    /// A falling curve: training.
    Learning,
    /// A magnifying glass over a mark: inspection.
    Magnifier,
    /// Bars: results.
    Bars,
    /// Two sheets: comparison.
    SideBySide,
    Bell,
    /// Three lines: all commands.
    Menu,
    Sun,
    Moon,
    /// Half sun, half moon: as the system has it.
    HalfDisc,
    Check,
    Cross,
    Warning,
    Note,
    /// An arrow into a tray: drop something here.
    Drop,
}

/// Draws `icon` into the middle of `rect`, as large as fits.
pub fn paint(painter: &Painter, rect: Rect, icon: Icon, color: Color32) {
    let side = rect.width().min(rect.height());
    let pen = Pen {
        painter,
        origin: rect.center() - vec2(side, side) / 2.0,
        unit: side / 24.0,
        color,
        stroke: Stroke::new((side / 24.0 * 1.8).max(1.2), color),
    };
    match icon {
        Icon::Folder => folder(&pen),
        Icon::Learning => learning(&pen),
        Icon::Magnifier => magnifier(&pen),
        Icon::Bars => bars(&pen),
        Icon::SideBySide => side_by_side(&pen),
        Icon::Bell => bell(&pen),
        Icon::Menu => menu(&pen),
        Icon::Sun => sun(&pen),
        Icon::Moon => moon(&pen),
        Icon::HalfDisc => half_disc(&pen),
        Icon::Check => pen.line(&[(5.0, 13.0), (10.0, 18.0), (19.0, 7.0)]),
        Icon::Cross => cross(&pen),
        Icon::Warning => warning(&pen),
        Icon::Note => note(&pen),
        Icon::Drop => drop_here(&pen),
    }
}

/// Draws on a grid of 24 by 24.
struct Pen<'a> {
    painter: &'a Painter,
    origin: Pos2,
    unit: f32,
    color: Color32,
    stroke: Stroke,
}

impl Pen<'_> {
    fn at(&self, (x, y): (f32, f32)) -> Pos2 {
        self.origin + vec2(x, y) * self.unit
    }

    fn points(&self, points: &[(f32, f32)]) -> Vec<Pos2> {
        points.iter().map(|&point| self.at(point)).collect()
    }

    fn line(&self, points: &[(f32, f32)]) {
        self.painter.line(self.points(points), self.stroke);
    }

    fn outline(&self, points: &[(f32, f32)]) {
        self.painter
            .add(Shape::closed_line(self.points(points), self.stroke));
    }

    fn circle(&self, center: (f32, f32), radius: f32) {
        self.painter
            .circle_stroke(self.at(center), radius * self.unit, self.stroke);
    }

    fn disc(&self, center: (f32, f32), radius: f32) {
        self.painter
            .circle_filled(self.at(center), radius * self.unit, self.color);
    }

    fn bar(&self, from: (f32, f32), to: (f32, f32)) {
        let rect = Rect::from_two_pos(self.at(from), self.at(to));
        self.painter
            .rect_stroke(rect, self.unit, self.stroke, StrokeKind::Middle);
    }
}

/// Points on a circle from one angle to another, in turns, clockwise from three o'clock.
fn arc(center: (f32, f32), radius: f32, from: f32, to: f32) -> Vec<(f32, f32)> {
    const STEPS: usize = 24;
    let angle = |i: usize| (from + (to - from) * i as f32 / STEPS as f32) * std::f32::consts::TAU;
    (0..=STEPS)
        .map(|i| {
            (
                center.0 + radius * angle(i).cos(),
                center.1 + radius * angle(i).sin(),
            )
        })
        .collect()
}

fn folder(pen: &Pen<'_>) {
    pen.outline(&[
        (3.0, 19.0),
        (3.0, 5.5),
        (9.5, 5.5),
        (12.0, 8.5),
        (21.0, 8.5),
        (21.0, 19.0),
    ]);
}

fn learning(pen: &Pen<'_>) {
    pen.line(&[(4.0, 4.0), (4.0, 20.0), (20.5, 20.0)]);
    pen.line(&[(7.5, 6.0), (10.0, 11.5), (13.5, 14.5), (19.5, 16.0)]);
}

fn magnifier(pen: &Pen<'_>) {
    pen.circle((10.5, 10.5), 6.5);
    pen.disc((10.5, 10.5), 1.8);
    pen.line(&[(15.5, 15.5), (20.5, 20.5)]);
}

fn side_by_side(pen: &Pen<'_>) {
    for left in [3.0, 14.0] {
        pen.bar((left, 4.0), (left + 7.0, 20.0));
        pen.line(&[(left + 2.0, 9.0), (left + 5.0, 9.0)]);
        pen.line(&[(left + 2.0, 13.0), (left + 5.0, 13.0)]);
    }
}

fn bars(pen: &Pen<'_>) {
    pen.bar((4.0, 20.0), (7.5, 13.0));
    pen.bar((10.2, 20.0), (13.8, 4.5));
    pen.bar((16.5, 20.0), (20.0, 9.5));
}

fn menu(pen: &Pen<'_>) {
    for y in [6.5, 12.0, 17.5] {
        pen.line(&[(4.0, y), (20.0, y)]);
    }
}

fn bell(pen: &Pen<'_>) {
    let mut points = vec![(4.0, 17.0), (6.0, 14.5)];
    points.extend(arc((12.0, 10.0), 6.0, 0.5, 1.0));
    points.extend([(18.0, 14.5), (20.0, 17.0)]);
    pen.outline(&points);
    pen.line(&arc((12.0, 18.0), 2.6, 0.0, 0.5));
}

fn sun(pen: &Pen<'_>) {
    pen.circle((12.0, 12.0), 4.2);
    for i in 0..8 {
        let ray = arc((12.0, 12.0), 1.0, i as f32 / 8.0, i as f32 / 8.0);
        let (x, y) = (ray[0].0 - 12.0, ray[0].1 - 12.0);
        let from = (12.0 + x * 7.2, 12.0 + y * 7.2);
        pen.line(&[from, (12.0 + x * 9.6, 12.0 + y * 9.6)]);
    }
}

fn moon(pen: &Pen<'_>) {
    let mut points = arc((12.0, 12.0), 8.0, 0.07, 0.68);
    points.extend(arc((15.0, 8.5), 6.6, 0.60, 0.15));
    pen.outline(&points);
}

fn half_disc(pen: &Pen<'_>) {
    pen.circle((12.0, 12.0), 7.5);
    let half = pen.points(&arc((12.0, 12.0), 7.5, -0.25, 0.25));
    pen.painter
        .add(Shape::convex_polygon(half, pen.color, Stroke::NONE));
}

fn cross(pen: &Pen<'_>) {
    pen.line(&[(6.5, 6.5), (17.5, 17.5)]);
    pen.line(&[(17.5, 6.5), (6.5, 17.5)]);
}

fn warning(pen: &Pen<'_>) {
    pen.outline(&[(12.0, 4.0), (21.0, 19.5), (3.0, 19.5)]);
    pen.line(&[(12.0, 10.0), (12.0, 14.0)]);
    pen.disc((12.0, 16.8), 1.1);
}

fn note(pen: &Pen<'_>) {
    pen.circle((12.0, 12.0), 8.5);
    pen.line(&[(12.0, 11.5), (12.0, 16.5)]);
    pen.disc((12.0, 8.0), 1.2);
}

fn drop_here(pen: &Pen<'_>) {
    pen.line(&[(12.0, 3.5), (12.0, 14.5)]);
    pen.line(&[(7.5, 10.0), (12.0, 14.5), (16.5, 10.0)]);
    pen.line(&[(3.5, 14.5), (3.5, 20.5), (20.5, 20.5), (20.5, 14.5)]);
}
