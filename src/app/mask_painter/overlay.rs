//! How the mask lies over the picture: tinted tiles on the graphics card and a contour. Only blocks that changed are
//! uploaded, only what is in view is drawn.

use std::collections::{BTreeMap, BTreeSet};

use eframe::egui::{
    Color32, ColorImage, Context, Painter, Pos2, Rect, Stroke, TextureFilter, TextureHandle,
    TextureOptions, pos2, vec2,
};

use super::canvas::{Area, BLOCK, Canvas};
use crate::app::theme;

/// Pixels on a side of a tile: few enough to be cheap, small enough for every graphics card.
const TILE: usize = 8 * BLOCK;
/// More lines than these are a blur on screen, and slow.
const MAX_LINES: usize = 20_000;
const OPTIONS: TextureOptions = TextureOptions {
    magnification: TextureFilter::Nearest,
    ..TextureOptions::LINEAR
};

/// Left and top in pixels.
type Corner = (usize, usize);

#[derive(Default)]
pub struct Overlay {
    /// Tiles on which something was marked once.
    tiles: BTreeMap<Corner, TextureHandle>,
    /// The contour, block by block.
    lines: BTreeMap<Corner, Vec<[[f32; 2]; 2]>>,
}

impl Overlay {
    /// Takes over what changed on the canvas.
    pub fn update(&mut self, ctx: &Context, canvas: &mut Canvas) {
        let changed = canvas.take_changed();
        let mut outlined = BTreeSet::new();
        for area in &changed {
            self.upload(ctx, canvas, *area);
            // An edge belongs to the block on its right or below.
            for (right, down) in [(0, 0), (BLOCK, 0), (0, BLOCK)] {
                outlined.insert((area.left + right, area.top + down));
            }
        }
        let (width, height) = canvas.bounds();
        for (left, top) in outlined {
            if left < width && top < height {
                let lines = canvas.outline(clipped((left, top), BLOCK, canvas));
                self.lines.insert((left, top), lines);
            }
        }
    }

    fn upload(&mut self, ctx: &Context, canvas: &Canvas, area: Area) {
        let corner = (area.left / TILE * TILE, area.top / TILE * TILE);
        let texture = self.tiles.entry(corner).or_insert_with(|| {
            let tile = clipped(corner, TILE, canvas);
            let clear = ColorImage::filled(size(tile), Color32::TRANSPARENT);
            ctx.load_texture("mask", clear, OPTIONS)
        });
        let at = [area.left - corner.0, area.top - corner.1];
        texture.set_partial(at, pixels(canvas, area), OPTIONS);
    }

    /// Draws what is inside the painter's clip. `image_rect` is where the whole picture lies, `zoom` points a pixel.
    pub fn paint(&self, painter: &Painter, image_rect: Rect, zoom: f32) {
        let place = |x: f32, y: f32| image_rect.min + vec2(x, y) * zoom;
        let clip = painter.clip_rect();
        let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        for (corner, texture) in &self.tiles {
            let min = place(corner.0 as f32, corner.1 as f32);
            let rect = Rect::from_min_size(min, texture.size_vec2() * zoom);
            if rect.intersects(clip) {
                painter.image(texture.id(), rect, whole, Color32::WHITE);
            }
        }
        self.paint_contour(painter, place);
    }

    fn paint_contour(&self, painter: &Painter, place: impl Fn(f32, f32) -> Pos2) {
        let clip = painter.clip_rect().expand(2.0);
        let in_view = |&&(left, top): &&Corner| {
            let (left, top, side) = (left as f32, top as f32, BLOCK as f32);
            Rect::from_min_max(place(left, top), place(left + side, top + side)).intersects(clip)
        };
        let corners: Vec<&Corner> = self.lines.keys().filter(in_view).collect();
        let lines = || {
            let lines = corners.iter().filter_map(|corner| self.lines.get(corner));
            lines.flatten()
        };
        if lines().count() > MAX_LINES {
            return;
        }
        let strokes = [
            Stroke::new(3.0, Color32::from_black_alpha(150)),
            Stroke::new(1.5, theme::MASK),
        ];
        for stroke in strokes {
            for [a, b] in lines() {
                let ends = [place(a[0], a[1]), place(b[0], b[1])];
                painter.line_segment(longer(ends, stroke.width / 2.0), stroke);
            }
        }
    }
}

/// Lines that meet at a corner must fill it.
fn longer([a, b]: [Pos2; 2], by: f32) -> [Pos2; 2] {
    let step = (b - a).normalized() * by;
    [a - step, b + step]
}

/// The square of `side` at `corner`, as far as the picture reaches.
fn clipped((left, top): Corner, side: usize, canvas: &Canvas) -> Area {
    let (width, height) = canvas.bounds();
    Area {
        left,
        top,
        right: (left + side).min(width),
        bottom: (top + side).min(height),
    }
}

fn size(area: Area) -> [usize; 2] {
    [area.right - area.left, area.bottom - area.top]
}

fn pixels(canvas: &Canvas, area: Area) -> ColorImage {
    let tint = theme::MASK.gamma_multiply(0.42);
    let rows = (area.top..area.bottom).flat_map(|y| (area.left..area.right).map(move |x| (x, y)));
    let colour = |(x, y)| {
        if canvas.at(x, y) {
            tint
        } else {
            Color32::TRANSPARENT
        }
    };
    ColorImage::new(size(area), rows.map(colour).collect())
}
