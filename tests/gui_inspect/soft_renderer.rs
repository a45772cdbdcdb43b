//! A CPU rasterizer for `egui_kittest` snapshots: no wgpu, no Mesa, same pixels on every machine.
#![allow(dead_code)]
use eframe::egui::TextureFilter::Linear;
use eframe::egui::{
    ClippedPrimitive, Color32, FullOutput, TextureId, TexturesDelta,
    epaint::{ImageData, Mesh, Primitive},
};
use image::RgbaImage;
use std::collections::HashMap;

struct Tex {
    w: usize,
    h: usize,
    px: Vec<[f32; 4]>,
    linear: bool,
}

#[derive(Default)]
pub struct SoftRenderer {
    tex: HashMap<TextureId, Tex>,
}

impl Tex {
    fn at(&self, x: i32, y: i32) -> [f32; 4] {
        let (x, y) = (
            x.clamp(0, self.w as i32 - 1) as usize,
            y.clamp(0, self.h as i32 - 1) as usize,
        );
        self.px[y * self.w + x]
    }
    fn sample(&self, u: f32, v: f32) -> [f32; 4] {
        let (x, y) = (u * self.w as f32, v * self.h as f32);
        if !self.linear {
            return self.at(x.floor() as i32, y.floor() as i32);
        }
        let (x, y) = (x - 0.5, y - 0.5);
        let (x0, y0) = (x.floor(), y.floor());
        let (fx, fy) = (x - x0, y - y0);
        let (x0, y0) = (x0 as i32, y0 as i32);
        let (a, b, c, d) = (
            self.at(x0, y0),
            self.at(x0 + 1, y0),
            self.at(x0, y0 + 1),
            self.at(x0 + 1, y0 + 1),
        );
        std::array::from_fn(|i| {
            (a[i] * (1.0 - fx) + b[i] * fx) * (1.0 - fy) + (c[i] * (1.0 - fx) + d[i] * fx) * fy
        })
    }
}

fn f(c: Color32) -> [f32; 4] {
    c.to_array().map(|v| v as f32 / 255.0)
}

impl SoftRenderer {
    fn mesh(
        &self,
        out: &mut [[f32; 4]],
        [w, h]: [usize; 2],
        ppp: f32,
        clip: eframe::egui::Rect,
        mesh: &Mesh,
    ) {
        let Some(tex) = self.tex.get(&mesh.texture_id) else {
            return;
        };
        let cx0 = (clip.min.x * ppp).round().clamp(0.0, w as f32) as i32;
        let cy0 = (clip.min.y * ppp).round().clamp(0.0, h as f32) as i32;
        let cx1 = (clip.max.x * ppp).round().clamp(0.0, w as f32) as i32;
        let cy1 = (clip.max.y * ppp).round().clamp(0.0, h as f32) as i32;
        for t in mesh.indices.chunks_exact(3) {
            let mut v = [t[0], t[1], t[2]].map(|i| mesh.vertices[i as usize]);
            // 1/256 px grid, integer edge functions, top-left rule: watertight and deterministic.
            let q = |p: eframe::egui::Pos2| {
                (
                    (p.x * ppp * 256.0).round() as i64,
                    (p.y * ppp * 256.0).round() as i64,
                )
            };
            let edge = |a: (i64, i64), b: (i64, i64), p: (i64, i64)| {
                (b.0 - a.0) * (p.1 - a.1) - (b.1 - a.1) * (p.0 - a.0)
            };
            let mut p = v.map(|v| q(v.pos));
            let mut area = edge(p[0], p[1], p[2]);
            if area == 0 {
                continue;
            }
            if area < 0 {
                v.swap(1, 2);
                p.swap(1, 2);
                area = -area;
            }
            let bias = |a: (i64, i64), b: (i64, i64)| {
                if (a.1 == b.1 && b.0 > a.0) || b.1 < a.1 {
                    0
                } else {
                    -1
                }
            };
            let b = [bias(p[1], p[2]), bias(p[2], p[0]), bias(p[0], p[1])];
            let x0 = ((p.iter().map(|p| p.0).min().unwrap() >> 8) as i32).max(cx0);
            let x1 = ((p.iter().map(|p| p.0).max().unwrap() >> 8) as i32 + 1).min(cx1);
            let y0 = ((p.iter().map(|p| p.1).min().unwrap() >> 8) as i32).max(cy0);
            let y1 = ((p.iter().map(|p| p.1).max().unwrap() >> 8) as i32 + 1).min(cy1);
            let col = v.map(|v| f(v.color));
            for y in y0..y1 {
                for x in x0..x1 {
                    let c = (x as i64 * 256 + 128, y as i64 * 256 + 128);
                    let e = [
                        edge(p[1], p[2], c),
                        edge(p[2], p[0], c),
                        edge(p[0], p[1], c),
                    ];
                    if (0..3).any(|i| e[i] + b[i] < 0) {
                        continue;
                    }
                    let k = e.map(|e| e as f32 / area as f32);
                    let s = tex.sample(
                        k[0] * v[0].uv.x + k[1] * v[1].uv.x + k[2] * v[2].uv.x,
                        k[0] * v[0].uv.y + k[1] * v[1].uv.y + k[2] * v[2].uv.y,
                    );
                    let d = &mut out[y as usize * w + x as usize];
                    let src: [f32; 4] = std::array::from_fn(|i| {
                        (k[0] * col[0][i] + k[1] * col[1][i] + k[2] * col[2][i]) * s[i]
                    });
                    for i in 0..4 {
                        d[i] = src[i] + d[i] * (1.0 - src[3]);
                    }
                }
            }
        }
    }
}

impl egui_kittest::TestRenderer for SoftRenderer {
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
        for (id, list) in delta.set.drain() {
            for d in list {
                let ImageData::Color(im) = &d.image;
                let [w, h] = im.size;
                let px: Vec<_> = im.pixels.iter().map(|&c| f(c)).collect();
                match d.pos {
                    None => {
                        self.tex.insert(
                            id,
                            Tex {
                                w,
                                h,
                                px,
                                linear: d.options.magnification == Linear,
                            },
                        );
                    }
                    Some([x, y]) => {
                        let t = self
                            .tex
                            .get_mut(&id)
                            .expect("partial update of a missing texture");
                        for r in 0..h {
                            t.px[(y + r) * t.w + x..][..w].copy_from_slice(&px[r * w..][..w]);
                        }
                    }
                }
            }
        }
        for id in delta.free.drain() {
            self.tex.remove(&id);
        }
    }

    fn render(
        &mut self,
        ctx: &eframe::egui::Context,
        output: &FullOutput,
    ) -> Result<RgbaImage, String> {
        let ppp = ctx.pixels_per_point();
        let size = ctx.content_rect().size() * ppp;
        let (w, h) = (size.x.round() as usize, size.y.round() as usize);
        let mut out = vec![[0.0; 4]; w * h];
        for ClippedPrimitive {
            clip_rect,
            primitive,
        } in ctx.tessellate(output.shapes.clone(), ppp)
        {
            match primitive {
                Primitive::Mesh(m) => self.mesh(&mut out, [w, h], ppp, clip_rect, &m),
                Primitive::Callback(_) => return Err("paint callbacks need a GPU renderer".into()),
            }
        }
        let px = out
            .iter()
            .flat_map(|c| {
                let a = c[3].clamp(0.0, 1.0);
                let un = |v: f32| {
                    if a > 0.0 {
                        ((v / a).clamp(0.0, 1.0) * 255.0).round() as u8
                    } else {
                        0
                    }
                };
                [un(c[0]), un(c[1]), un(c[2]), (a * 255.0).round() as u8]
            })
            .collect();
        RgbaImage::from_raw(w as u32, h as u32, px).ok_or_else(|| "size".to_owned())
    }
}
