//! Marks with a shape of their own: scratches, cracks, stains, specks and dents, in tones that go with the product.

use super::Frame;
use super::draw::Draw;
use super::foreground::luma;
use crate::data::synthetic::texture::{fractal, length, smoothstep, turned};

/// What covers a picture: how much of each pixel, 0 to 1, and with which colour.
pub(super) struct Overlay {
    pub(super) cover: Vec<f32>,
    pub(super) paint: Frame,
}

#[derive(Debug, Clone, Copy)]
enum Mark {
    Scratch,
    Crack,
    Stain,
    Specks,
    Dent,
    Missing,
}

const MARKS: [Mark; 6] = [
    Mark::Scratch,
    Mark::Crack,
    Mark::Stain,
    Mark::Specks,
    Mark::Dent,
    Mark::Missing,
];

/// A mark at a pixel of the product.
pub(super) fn mark(frame: &Frame, place: usize, draw: &mut Draw) -> Overlay {
    let kind = MARKS[draw.below(MARKS.len())];
    let mut pen = Pen::new(frame, place);
    match kind {
        Mark::Scratch => scratch(&mut pen, draw),
        Mark::Crack => crack(&mut pen, draw),
        Mark::Stain => stain(&mut pen, draw),
        Mark::Specks => specks(&mut pen, draw),
        Mark::Dent => dent(&mut pen, draw),
        Mark::Missing => missing(&mut pen, draw),
    }
    pen.overlay
}

/// What marks are drawn with.
struct Pen {
    overlay: Overlay,
    centre: [f32; 2],
    /// Mean colour around the centre.
    local: [f32; 3],
    /// Pixels per 1/256 of the shorter side.
    unit: f32,
}

impl Pen {
    fn new(frame: &Frame, place: usize) -> Self {
        Self {
            overlay: Overlay {
                cover: vec![0.0; frame.pixels()],
                paint: frame.clone(),
            },
            centre: [
                (place % frame.width()) as f32,
                (place / frame.width()) as f32,
            ],
            local: mean_around(frame, place),
            unit: frame.shorter_side() as f32 / 256.0,
        }
    }

    /// A tone that stands out here: rather brighter on dark surfaces and rather darker on bright ones.
    fn tone(&self, least: f32, most: f32, draw: &mut Draw) -> [f32; 3] {
        let grey = f32::from(luma(&self.local.map(|v| v as u8)));
        let brighter = draw.chance(smoothstep(190.0, 50.0, grey));
        let room = if brighter { 255.0 - grey } else { grey };
        let contrast = draw.between(least, most).min(room);
        let shift = if brighter { contrast } else { -contrast };
        let tint: [f32; 3] = std::array::from_fn(|_| draw.around_zero(14.0));
        std::array::from_fn(|c| (self.local[c] + shift + tint[c]).clamp(0.0, 255.0))
    }

    /// Visits the pixels within `radius` of a point with their offsets from it.
    fn around(
        &mut self,
        centre: [f32; 2],
        radius: f32,
        mut visit: impl FnMut(&mut Overlay, usize, [f32; 2]),
    ) {
        let (width, height) = (self.overlay.paint.width(), self.overlay.paint.height());
        let span = |middle: f32, end: usize| {
            let from = (middle - radius).ceil().max(0.0) as usize;
            from..((middle + radius).floor() + 1.0).clamp(0.0, end as f32) as usize
        };
        for y in span(centre[1], height) {
            for x in span(centre[0], width) {
                let offset = [x as f32 - centre[0], y as f32 - centre[1]];
                visit(&mut self.overlay, y * width + x, offset);
            }
        }
    }

    /// A round dab of a colour, over which others may lie.
    fn dab(&mut self, at: [f32; 2], radius: f32, strength: f32, colour: [f32; 3]) {
        self.around(at, radius + 1.0, |overlay, index, offset| {
            let cover = strength * smoothstep(radius + 0.7, radius - 0.5, length(offset));
            if cover > overlay.cover[index] {
                overlay.cover[index] = cover;
                overlay.paint.set(index, colour.map(|v| v as u8));
            }
        });
    }
}

fn mean_around(frame: &Frame, place: usize) -> [f32; 3] {
    let (x, y) = (place % frame.width(), place / frame.width());
    let mut sum = [0.0; 3];
    let mut count = 0.0;
    for row in y.saturating_sub(3)..(y + 4).min(frame.height()) {
        for column in x.saturating_sub(3)..(x + 4).min(frame.width()) {
            let pixel = frame.pixel(row * frame.width() + column);
            for (total, value) in sum.iter_mut().zip(pixel) {
                *total += f32::from(value);
            }
            count += 1.0;
        }
    }
    sum.map(|total: f32| total / count)
}

/// A line that bends smoothly and tapers at both ends; now and then several side by side.
fn scratch(pen: &mut Pen, draw: &mut Draw) {
    let lines = if draw.chance(0.25) {
        draw.whole(2, 4)
    } else {
        1
    };
    let colour = pen.tone(50.0, 140.0, draw);
    let mut heading = draw.between(0.0, std::f32::consts::TAU);
    for _ in 0..lines {
        let reach = 8.0 * pen.unit * (lines - 1) as f32;
        let start = pen.centre.map(|v| v + draw.around_zero(reach));
        let line = Line {
            start,
            heading,
            length: draw.between(14.0, 110.0) * pen.unit,
            half_width: draw.between(0.5, 1.7) * pen.unit,
            bend: draw.around_zero(0.012) / pen.unit,
            jitter: 0.02,
        };
        line.draw(pen, colour, draw);
        heading += draw.around_zero(0.15);
    }
}

/// A jagged dark line, with a side branch or two.
fn crack(pen: &mut Pen, draw: &mut Draw) {
    let dark = draw.between(0.15, 0.6);
    let colour = if draw.chance(0.75) {
        pen.local.map(|v| v * dark)
    } else {
        pen.tone(60.0, 140.0, draw)
    };
    let mut line = Line {
        start: pen.centre,
        heading: draw.between(0.0, std::f32::consts::TAU),
        length: draw.between(20.0, 90.0) * pen.unit,
        half_width: draw.between(0.5, 1.4) * pen.unit,
        bend: 0.0,
        jitter: 0.5,
    };
    let points = line.draw(pen, colour, draw);
    for _ in 0..draw.below(3) {
        line.start = points[draw.below(points.len())];
        line.heading += draw.sign() * draw.between(0.5, 1.2);
        line.length *= 0.5;
        line.half_width *= 0.8;
        line.draw(pen, colour, draw);
    }
}

struct Line {
    start: [f32; 2],
    heading: f32,
    length: f32,
    half_width: f32,
    /// Change of heading per pixel.
    bend: f32,
    /// Random change of heading every few pixels, in radians.
    jitter: f32,
}

impl Line {
    /// Draws it and returns the points it went through; at least one.
    fn draw(&self, pen: &mut Pen, colour: [f32; 3], draw: &mut Draw) -> Vec<[f32; 2]> {
        const STEP: f32 = 0.7;
        let steps = (self.length / STEP).max(2.0) as usize;
        let (mut at, mut heading) = (self.start, self.heading);
        let mut points = Vec::with_capacity(steps);
        let mut pressure = 1.0;
        for step in 0..steps {
            if step % 5 == 0 {
                heading += draw.around_zero(self.jitter);
                pressure = draw.between(0.65, 1.0);
            }
            heading += self.bend * STEP;
            let along = step as f32 / steps as f32;
            let taper = smoothstep(0.0, 0.15, along) * smoothstep(1.0, 0.7, along);
            let radius = self.half_width * (0.4 + 0.6 * taper);
            pen.dab(at, radius, pressure * (0.35 + 0.65 * taper), colour);
            points.push(at);
            at = [at[0] + STEP * heading.cos(), at[1] + STEP * heading.sin()];
        }
        points
    }
}

/// A dried liquid or a smear: an uneven blob, strongest at its edge, through which the surface shows.
fn stain(pen: &mut Pen, draw: &mut Draw) {
    let blob = Blob::draw(pen, 6.0, 34.0, 0.5, draw);
    let colour = pen.tone(40.0, 130.0, draw);
    let (rim, seed) = (draw.between(0.2, 0.8), draw.seed());
    let scale = 0.12 / pen.unit;
    pen.around(blob.centre, blob.reach(), |overlay, index, offset| {
        let t = blob.distance(offset);
        let body = smoothstep(1.05, 0.9, t);
        if body > 0.0 {
            let mottled = 0.85 + 0.4 * fractal([offset[0] * scale, offset[1] * scale], 3, seed);
            let strength = 1.0 - rim + rim * smoothstep(0.5, 0.95, t);
            overlay.cover[index] = (body * strength * mottled).clamp(0.3 * body, 1.0);
            overlay.paint.set(index, colour.map(|v| v as u8));
        }
    });
}

/// Dust, pores or spatter: one larger speck or a cluster of small ones.
fn specks(pen: &mut Pen, draw: &mut Draw) {
    let count = draw.whole(1, 12);
    let spread = draw.between(4.0, 26.0) * pen.unit;
    let colour = pen.tone(60.0, 160.0, draw);
    for speck in 0..count {
        let largest = if speck == 0 { 6.0 } else { 2.5 };
        let radius = draw.between(1.0, largest) * pen.unit;
        let at = if speck == 0 {
            pen.centre
        } else {
            pen.centre.map(|v| v + spread * 0.6 * draw.normal())
        };
        let shade = draw.between(0.85, 1.1);
        let colour = colour.map(|v| (v * shade).min(255.0));
        pen.dab(at, radius, draw.between(0.75, 1.0), colour);
    }
}

/// A dip or a bump: one side catches the light, the other lies in shadow; the surface itself goes on.
fn dent(pen: &mut Pen, draw: &mut Draw) {
    let blob = Blob::draw(pen, 6.0, 26.0, 0.25, draw);
    let depth = draw.between(35.0, 90.0);
    let light = turned([1.0, 0.0], draw.between(0.0, std::f32::consts::TAU));
    pen.around(blob.centre, blob.reach(), |overlay, index, offset| {
        let t = blob.distance(offset);
        let slope = smoothstep(1.05, 0.6, t);
        if slope > 0.0 {
            let side = (offset[0] * light[0] + offset[1] * light[1]) / blob.radius;
            // Shadow prevails: a slope turned away loses more than one turned to the light gains.
            let change = depth * (1.3 * side - 0.35);
            let pixel = overlay.paint.pixel(index);
            overlay
                .paint
                .set(index, pixel.map(|v| (f32::from(v) + change) as u8));
            overlay.cover[index] = slope;
        }
    });
}

/// Chipped or peeled off: what lies below has another tone and is rough.
fn missing(pen: &mut Pen, draw: &mut Draw) {
    let blob = Blob::draw(pen, 5.0, 26.0, 0.7, draw);
    let colour = pen.tone(35.0, 120.0, draw);
    let (seed, rough) = (draw.seed(), draw.between(10.0, 45.0));
    let scale = 0.3 / pen.unit;
    let light = turned([1.0, 0.0], draw.between(0.0, std::f32::consts::TAU));
    pen.around(blob.centre, blob.reach(), |overlay, index, offset| {
        let t = blob.distance(offset);
        let cover = smoothstep(1.03, 0.95, t);
        if cover > 0.0 {
            let grain = rough * fractal([offset[0] * scale, offset[1] * scale], 3, seed);
            let side = (offset[0] * light[0] + offset[1] * light[1]) / blob.radius;
            let edge = 40.0 * side * smoothstep(0.7, 1.0, t);
            overlay.cover[index] = cover;
            overlay
                .paint
                .set(index, colour.map(|v| (v + grain + edge) as u8));
        }
    });
}

/// An uneven, stretched disc.
struct Blob {
    centre: [f32; 2],
    radius: f32,
    stretch: f32,
    angle: f32,
    unevenness: f32,
    seed: u32,
}

impl Blob {
    fn draw(pen: &Pen, least: f32, most: f32, unevenness: f32, draw: &mut Draw) -> Self {
        // Small ones are more common: uniform in the logarithm.
        let radius = pen.unit * draw.between(least.ln(), most.ln()).exp();
        Self {
            centre: pen.centre,
            radius,
            stretch: draw.between(1.0, 2.2),
            angle: draw.between(0.0, std::f32::consts::PI),
            unevenness,
            seed: draw.seed(),
        }
    }

    /// Beyond this no point is closer than 1.1.
    fn reach(&self) -> f32 {
        self.radius * self.stretch * (1.1 / (1.0 - 0.6 * self.unevenness))
    }

    /// 0 at the centre, 1 at the edge.
    fn distance(&self, offset: [f32; 2]) -> f32 {
        let [x, y] = turned(offset, self.angle);
        let local = [x / (self.radius * self.stretch), y / self.radius];
        let uneven = fractal([local[0] * 1.6, local[1] * 1.6], 3, self.seed);
        length(local) * (1.0 + self.unevenness * uneven)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::image::Size;

    fn frame(width: usize, height: usize, grey: u8) -> Frame {
        Frame::from_fn(Size { width, height }, |_, _| [grey; 3])
    }

    #[test]
    fn every_mark_covers_something_near_its_place_and_only_there_changes_the_paint() {
        let all: [fn(&mut Pen, &mut Draw); 6] = [scratch, crack, stain, specks, dent, missing];
        for (kind, draw_mark) in all.iter().enumerate() {
            for seed in 0..20 {
                let frame = frame(128, 96, 120);
                let mut pen = Pen::new(&frame, 48 * 128 + 64);
                draw_mark(&mut pen, &mut Draw::new(seed, 0));
                let overlay = &pen.overlay;
                assert!(
                    overlay.cover.iter().all(|c| (0.0..=1.0).contains(c)),
                    "{kind}"
                );
                let covered = overlay.cover.iter().filter(|&&c| c > 0.3).count();
                assert!(
                    covered > 0 && covered < 96 * 64,
                    "{kind}, {seed}: {covered}"
                );
                let changed_beside = (0..frame.pixels())
                    .any(|i| overlay.cover[i] == 0.0 && overlay.paint.pixel(i) != frame.pixel(i));
                assert!(!changed_beside, "{kind}");
            }
        }
    }

    #[test]
    fn marks_at_the_border_and_on_tiny_frames_do_no_harm() {
        for (width, height, place) in [(64, 64, 0), (64, 64, 4095), (1, 1, 0), (3, 90, 100)] {
            for seed in 0..40 {
                let overlay = mark(&frame(width, height, 255), place, &mut Draw::new(seed, 1));
                assert_eq!(overlay.cover.len(), width * height);
            }
        }
    }

    #[test]
    fn tones_stand_out_on_black_white_and_grey() {
        let mut draw = Draw::new(0, 0);
        for grey in [0, 128, 255] {
            let frame = frame(16, 16, grey);
            let pen = Pen::new(&frame, 100);
            for _ in 0..30 {
                let tone = pen.tone(40.0, 100.0, &mut draw);
                let mean = tone.iter().sum::<f32>() / 3.0;
                assert!((mean - f32::from(grey)).abs() > 20.0, "{grey}: {mean}");
            }
        }
    }
}
