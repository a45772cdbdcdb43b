//! A CPU rasterizer for snapshots of the window: no GPU, no drivers, the same pixels on every machine.

use std::collections::HashMap;

use eframe::egui::epaint::{ImageData, ImageDelta, Mesh, Primitive, Vertex};
use eframe::egui::{
    ClippedPrimitive, Color32, Context, FullOutput, Pos2, Rect, TextureFilter, TextureId,
    TexturesDelta,
};
use image::RgbaImage;

/// Sub-pixel positions are rounded to this fraction of a pixel, so that edges are exact integers.
const GRID: f32 = 256.0;

/// Premultiplied red, green, blue and opacity, 0 to 1.
type Rgba = [f32; 4];

#[derive(Default)]
pub struct SoftRenderer {
    textures: HashMap<TextureId, Texture>,
}

struct Texture {
    width: usize,
    height: usize,
    pixels: Vec<Rgba>,
    filter: TextureFilter,
}

fn rgba(color: Color32) -> Rgba {
    color.to_array().map(|channel| f32::from(channel) / 255.0)
}

fn mix(a: Rgba, b: Rgba, share: f32) -> Rgba {
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * share)
}

impl Texture {
    fn new(width: usize, height: usize, filter: TextureFilter) -> Self {
        Self {
            width,
            height,
            pixels: vec![[0.0; 4]; width * height],
            filter,
        }
    }

    fn write(&mut self, left: usize, top: usize, size: [usize; 2], colors: &[Color32]) {
        for (row, line) in colors.chunks_exact(size[0]).enumerate() {
            let start = (top + row) * self.width + left;
            for (pixel, color) in self.pixels[start..][..size[0]].iter_mut().zip(line) {
                *pixel = rgba(*color);
            }
        }
    }

    fn texel(&self, x: i32, y: i32) -> Rgba {
        let x = x.clamp(0, self.width as i32 - 1) as usize;
        let y = y.clamp(0, self.height as i32 - 1) as usize;
        self.pixels[y * self.width + x]
    }

    /// The colour at texture coordinates, 0 to 1.
    fn sample(&self, u: f32, v: f32) -> Rgba {
        let (x, y) = (u * self.width as f32, v * self.height as f32);
        if self.filter == TextureFilter::Nearest {
            return self.texel(x.floor() as i32, y.floor() as i32);
        }
        let (x, y) = (x - 0.5, y - 0.5);
        let (column, row) = (x.floor() as i32, y.floor() as i32);
        let (across, down) = (x - x.floor(), y - y.floor());
        let upper = mix(self.texel(column, row), self.texel(column + 1, row), across);
        let lower = mix(
            self.texel(column, row + 1),
            self.texel(column + 1, row + 1),
            across,
        );
        mix(upper, lower, down)
    }
}

/// What is drawn on.
struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<Rgba>,
    pixels_per_point: f32,
}

impl Canvas {
    fn new(width: usize, height: usize, pixels_per_point: f32) -> Self {
        Self {
            width,
            height,
            pixels: vec![[0.0; 4]; width * height],
            pixels_per_point,
        }
    }

    fn draw(&mut self, mesh: &Mesh, texture: &Texture, clip: Rect) {
        for corners in mesh.indices.chunks_exact(3) {
            let corners = [0, 1, 2].map(|i| mesh.vertices[corners[i] as usize]);
            if let Some(triangle) = Triangle::new(corners, self.pixels_per_point) {
                self.fill(&triangle, texture, clip);
            }
        }
    }

    fn fill(&mut self, triangle: &Triangle, texture: &Texture, clip: Rect) {
        let pixel = |points: f32, most: usize| {
            (points * self.pixels_per_point)
                .round()
                .clamp(0.0, most as f32) as i64
        };
        let (left, right) = triangle.range(|corner| corner.0);
        let (top, bottom) = triangle.range(|corner| corner.1);
        let rows =
            top.max(pixel(clip.min.y, self.height))..bottom.min(pixel(clip.max.y, self.height));
        let columns =
            left.max(pixel(clip.min.x, self.width))..right.min(pixel(clip.max.x, self.width));
        for y in rows {
            for x in columns.clone() {
                let Some(weights) = triangle.weights_at(x, y) else {
                    continue;
                };
                let source = triangle.color(weights, texture);
                let below = &mut self.pixels[y as usize * self.width + x as usize];
                *below = std::array::from_fn(|i| source[i] + below[i] * (1.0 - source[3]));
            }
        }
    }

    fn into_image(self) -> Option<RgbaImage> {
        let bytes = self.pixels.iter().flat_map(|pixel| {
            let opacity = pixel[3].clamp(0.0, 1.0);
            let channel = |value: f32| {
                let straight = if opacity > 0.0 { value / opacity } else { 0.0 };
                (straight.clamp(0.0, 1.0) * 255.0).round() as u8
            };
            let opaque = (opacity * 255.0).round() as u8;
            [
                channel(pixel[0]),
                channel(pixel[1]),
                channel(pixel[2]),
                opaque,
            ]
        });
        RgbaImage::from_raw(self.width as u32, self.height as u32, bytes.collect())
    }
}

/// A triangle with integer corners on the sub-pixel grid. Neighbours share edges without gap or overlap.
struct Triangle {
    vertices: [Vertex; 3],
    corners: [(i64, i64); 3],
    area: i64,
    /// 0 for edges that own the pixels exactly on them (top and left), else -1.
    bias: [i64; 3],
}

/// Twice the signed area of a triangle.
fn edge(a: (i64, i64), b: (i64, i64), point: (i64, i64)) -> i64 {
    (b.0 - a.0) * (point.1 - a.1) - (b.1 - a.1) * (point.0 - a.0)
}

impl Triangle {
    fn new(mut vertices: [Vertex; 3], pixels_per_point: f32) -> Option<Self> {
        let snap = |point: Pos2| {
            let scaled = point.to_vec2() * pixels_per_point * GRID;
            (scaled.x.round() as i64, scaled.y.round() as i64)
        };
        let mut corners = vertices.map(|vertex| snap(vertex.pos));
        let mut area = edge(corners[0], corners[1], corners[2]);
        if area < 0 {
            vertices.swap(1, 2);
            corners.swap(1, 2);
            area = -area;
        }
        let owns = |a: (i64, i64), b: (i64, i64)| (a.1 == b.1 && b.0 > a.0) || b.1 < a.1;
        let bias =
            [(1, 2), (2, 0), (0, 1)].map(|(a, b)| i64::from(owns(corners[a], corners[b])) - 1);
        (area > 0).then_some(Self {
            vertices,
            corners,
            area,
            bias,
        })
    }

    /// First and one past the last pixel the triangle may touch along one axis.
    fn range(&self, axis: impl Fn(&(i64, i64)) -> i64) -> (i64, i64) {
        let along = self.corners.each_ref().map(axis);
        let least = along.into_iter().fold(i64::MAX, i64::min);
        let most = along.into_iter().fold(i64::MIN, i64::max);
        (
            least.div_euclid(GRID as i64),
            most.div_euclid(GRID as i64) + 1,
        )
    }

    /// How much each corner counts at the middle of a pixel; `None` outside.
    fn weights_at(&self, x: i64, y: i64) -> Option<[f32; 3]> {
        let grid = GRID as i64;
        let middle = (x * grid + grid / 2, y * grid + grid / 2);
        let [a, b, c] = self.corners;
        let edges = [edge(b, c, middle), edge(c, a, middle), edge(a, b, middle)];
        let inside = edges
            .iter()
            .zip(self.bias)
            .all(|(edge, bias)| edge + bias >= 0);
        inside.then(|| edges.map(|edge| edge as f32 / self.area as f32))
    }

    fn color(&self, weights: [f32; 3], texture: &Texture) -> Rgba {
        let blend = |of: &dyn Fn(&Vertex) -> f32| -> f32 {
            self.vertices
                .iter()
                .zip(weights)
                .map(|(vertex, weight)| of(vertex) * weight)
                .sum()
        };
        let texel = texture.sample(blend(&|v| v.uv.x), blend(&|v| v.uv.y));
        std::array::from_fn(|i| blend(&|v| rgba(v.color)[i]) * texel[i])
    }
}

impl SoftRenderer {
    fn update(&mut self, id: TextureId, delta: &ImageDelta) {
        let ImageData::Color(picture) = &delta.image;
        let [width, height] = picture.size;
        let filter = delta.options.magnification;
        let [left, top] = delta.pos.unwrap_or_default();
        if delta.pos.is_none() {
            self.textures
                .insert(id, Texture::new(width, height, filter));
        }
        if let Some(texture) = self.textures.get_mut(&id) {
            texture.write(left, top, picture.size, &picture.pixels);
        }
    }
}

impl egui_kittest::TestRenderer for SoftRenderer {
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
        for (id, changes) in delta.set.drain() {
            for change in changes {
                self.update(id, &change);
            }
        }
        for id in delta.free.drain() {
            self.textures.remove(&id);
        }
    }

    fn render(&mut self, ctx: &Context, output: &FullOutput) -> Result<RgbaImage, String> {
        let pixels_per_point = ctx.pixels_per_point();
        let size = ctx.content_rect().size() * pixels_per_point;
        let (width, height) = (size.x.round() as usize, size.y.round() as usize);
        let mut canvas = Canvas::new(width, height, pixels_per_point);
        let shapes = ctx.tessellate(output.shapes.clone(), pixels_per_point);
        for ClippedPrimitive {
            clip_rect,
            primitive,
        } in shapes
        {
            let Primitive::Mesh(mesh) = primitive else {
                return Err("paint callbacks need a GPU renderer".to_owned());
            };
            if let Some(texture) = self.textures.get(&mesh.texture_id) {
                canvas.draw(&mesh, texture, clip_rect);
            }
        }
        canvas
            .into_image()
            .ok_or_else(|| "the picture has no size".to_owned())
    }
}
