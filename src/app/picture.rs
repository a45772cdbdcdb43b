//! One full picture on screen: its textures and outlines, each made again only when its inputs change. Coordinates are
//! *image* pixels, those of the picture in its file, whatever was shrunk for display.

use std::sync::Arc;

use eframe::egui::{
    Color32, ColorImage, Context, Pos2, Rect, TextureFilter, TextureHandle, TextureOptions, Vec2,
    pos2, vec2,
};

use super::cached::Cached;
use super::viewer::{FoundRegions, cell_of, smallest_cells};
use crate::render::{self, Palette};
use crate::score_map::ScoreMap;
use crate::worker::message::Preview;

/// A coloured map is refined to this many texels on its longer side, so that its edges stay sharp when zoomed in.
const FINE_MAP: usize = 1024;

/// A line between two points in image pixels.
pub type Segment = [Pos2; 2];

/// What the coloured map depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeatInputs {
    pub palette: Palette,
    /// Raw scores at the two ends of the colours.
    pub scale: (f32, f32),
    /// Transparent below this score.
    pub floor: Option<f32>,
}

/// The lines around regions that count, and around those too small to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contour {
    pub counting: Vec<Segment>,
    pub too_small: Vec<Segment>,
}

/// A decoded picture and what was made of it for the screen.
pub struct Picture {
    preview: Arc<Preview>,
    base: Cached<TextureFilter, TextureHandle>,
    fine_map: Cached<(), Option<ScoreMap>>,
    heat: Cached<HeatInputs, Option<TextureHandle>>,
    regions: Cached<f32, FoundRegions>,
    contour: Cached<(f32, f64), Contour>,
    outline: Cached<(), Vec<Segment>>,
    truth: Cached<(), Option<TextureHandle>>,
    extremes: Cached<(), Option<(f32, f32)>>,
}

/// About how many bytes a picture takes: what was decoded, and its texture.
pub fn weight(preview: &Preview) -> usize {
    preview.width * preview.height * 8
}

impl Picture {
    pub fn new(preview: Arc<Preview>) -> Self {
        Self {
            preview,
            base: Cached::default(),
            fine_map: Cached::default(),
            heat: Cached::default(),
            regions: Cached::default(),
            contour: Cached::default(),
            outline: Cached::default(),
            truth: Cached::default(),
            extremes: Cached::default(),
        }
    }

    /// Width and height in image pixels.
    pub fn size(&self) -> Vec2 {
        vec2(
            self.preview.image_width as f32,
            self.preview.image_height as f32,
        )
    }

    pub fn has_map(&self) -> bool {
        self.preview.map.is_some()
    }

    pub fn has_mask(&self) -> bool {
        self.preview.mask.is_some()
    }

    /// Whether the map leaves out part of the picture.
    pub fn is_cropped(&self) -> bool {
        let [left, top, width, height] = self.preview.map_rect;
        let shown = (self.preview.width as f32, self.preview.height as f32);
        self.has_map()
            && (left > 0.5 || top > 0.5 || width < shown.0 - 0.5 || height < shown.1 - 0.5)
    }

    /// Where the map lies on the picture.
    pub fn map_rect(&self) -> Rect {
        let [left, top, width, height] = self.preview.map_rect;
        let scale = self.image_from_shown();
        Rect::from_min_size(pos2(left, top), vec2(width, height)) * scale
    }

    /// Image pixels per pixel of the decoded picture; 1 unless it was shrunk.
    fn image_from_shown(&self) -> f32 {
        self.preview.image_width as f32 / self.preview.width.max(1) as f32
    }

    /// Red, green and blue at an image pixel; `None` outside the picture.
    pub fn colour_at(&self, x: usize, y: usize) -> Option<[u8; 3]> {
        let preview = &self.preview;
        if x >= preview.image_width || y >= preview.image_height {
            return None;
        }
        let column = x * preview.width / preview.image_width;
        let row = y * preview.height / preview.image_height;
        let at = 3 * (row * preview.width + column);
        preview.rgb.get(at..at + 3)?.try_into().ok()
    }

    /// The raw score at the centre of an image pixel, bilinear between map pixels; `None` where there is no map.
    pub fn score_at(&self, x: usize, y: usize) -> Option<f32> {
        let map = self.preview.map.as_ref()?;
        let rect = self.map_rect();
        let centre = pos2(x as f32 + 0.5, y as f32 + 0.5);
        if !rect.contains(centre) {
            return None;
        }
        let on_map =
            (centre - rect.min) / rect.size() * vec2(map.width() as f32, map.height() as f32);
        Some(bilinear(map, on_map.x - 0.5, on_map.y - 0.5))
    }

    /// The picture itself.
    pub fn base(&mut self, ctx: &Context, magnification: TextureFilter) -> &TextureHandle {
        let preview = &self.preview;
        self.base.get(magnification, |&magnification| {
            let options = TextureOptions {
                magnification,
                mipmap_mode: Some(TextureFilter::Linear),
                ..TextureOptions::LINEAR
            };
            ctx.load_texture(
                "picture",
                fitting(preview, ctx.input(|i| i.max_texture_side)),
                options,
            )
        })
    }

    /// The coloured map, to be drawn on [`Picture::map_rect`].
    pub fn heat(&mut self, ctx: &Context, inputs: HeatInputs) -> Option<&TextureHandle> {
        let fine_map = self
            .fine_map
            .get((), |()| self.preview.map.as_deref().map(refined))
            .as_ref();
        self.heat
            .get(inputs, |inputs| {
                let map = fine_map?;
                let rgba = render::colourise(map, inputs.scale, inputs.palette, inputs.floor);
                let image = ColorImage::from_rgba_unmultiplied([map.width(), map.height()], &rgba);
                Some(ctx.load_texture("map", image, TextureOptions::LINEAR))
            })
            .as_ref()
    }

    /// The lowest and the highest score on this picture.
    pub fn extremes(&mut self) -> Option<(f32, f32)> {
        let map = self.preview.map.as_deref();
        *self.extremes.get((), |()| {
            let scores = map?.values().iter().copied().filter(|s| s.is_finite());
            scores.fold(None, |ends, score| {
                let (low, high) = ends.unwrap_or((score, score));
                Some((f32::min(low, score), f32::max(high, score)))
            })
        })
    }

    /// Pixels of the picture in one map pixel; `None` without a map.
    pub fn pixels_per_cell(&self) -> Option<f64> {
        let map = self.preview.map.as_deref()?;
        let cells = map.width() * map.height();
        Some(f64::from(self.map_rect().area()) / cells as f64)
    }

    /// From how many map pixels a region counts, when the smallest area is so many pixels of the picture.
    pub fn smallest_cells(&self, smallest: f64) -> usize {
        let per_cell = self.pixels_per_cell();
        per_cell.map_or(1, |per_cell| smallest_cells(smallest, per_cell))
    }

    /// Everything at or above `limit`, by region.
    pub fn regions(&mut self, limit: f32) -> &FoundRegions {
        let rect = self.map_rect();
        let map = self.preview.map.as_deref();
        self.regions.get(limit, |&limit| {
            map.map_or_else(FoundRegions::default, |map| {
                FoundRegions::of(map, limit, rect)
            })
        })
    }

    /// Number, from 1, and area in pixels of the picture of the region at an image pixel.
    pub fn region_at(&mut self, limit: f32, x: usize, y: usize) -> Option<(usize, f64)> {
        let (column, row) = cell_of(self.preview.map.as_deref()?, self.map_rect(), x, y)?;
        let regions = self.regions(limit);
        let place = regions.on(column, row)?;
        Some((place + 1, regions.list.get(place)?.area))
    }

    /// Around everything at or above `limit`; `smallest` in pixels of the picture.
    pub fn contour(&mut self, limit: f32, smallest: f64) -> &Contour {
        let rect = self.map_rect();
        let cells = self.smallest_cells(smallest);
        self.regions(limit);
        let regions = &mut self.regions;
        let map = self.preview.map.as_deref();
        self.contour.get((limit, smallest), |&(limit, _)| {
            let Some(map) = map else {
                return Contour::default();
            };
            let regions = regions.get(limit, |&limit| FoundRegions::of(map, limit, rect));
            split_contour(map, limit, rect, regions, cells)
        })
    }

    /// The true defect as a white veil, to be drawn over the whole picture; `None` without a mask.
    pub fn truth(&mut self, ctx: &Context) -> Option<&TextureHandle> {
        let preview = &self.preview;
        self.truth
            .get((), |()| {
                let mask = preview.mask.as_ref()?;
                let veil = mask.iter().map(|&marked| {
                    if marked {
                        Color32::from_white_alpha(120)
                    } else {
                        Color32::TRANSPARENT
                    }
                });
                let side = ctx.input(|i| i.max_texture_side);
                if mask.len() != preview.width * preview.height
                    || preview.width.max(preview.height) > side
                {
                    return None;
                }
                let image = ColorImage::new([preview.width, preview.height], veil.collect());
                Some(ctx.load_texture("ground truth", image, TextureOptions::LINEAR))
            })
            .as_ref()
    }

    /// Around the defect as the mask marks it.
    pub fn outline(&mut self) -> &[Segment] {
        let scale = self.image_from_shown();
        let preview = &self.preview;
        self.outline.get((), |()| {
            let Some(mask) = &preview.mask else {
                return Vec::new();
            };
            let place = |[x, y]: [f32; 2]| pos2(x * scale, y * scale);
            let segments = render::mask_outline(mask, preview.width, preview.height);
            segments.into_iter().map(|ends| ends.map(place)).collect()
        })
    }
}

/// The contour in image pixels, by whether its region has at least so many map pixels.
fn split_contour(
    map: &ScoreMap,
    limit: f32,
    rect: Rect,
    regions: &FoundRegions,
    smallest: usize,
) -> Contour {
    let scale = rect.size() / vec2(map.width() as f32, map.height() as f32);
    let place = |[x, y]: [f32; 2]| rect.min + vec2(x, y) * scale;
    let counts = |[a, b]: &render::Segment| {
        let (x, y) = (f32::midpoint(a[0], b[0]), f32::midpoint(a[1], b[1]));
        let region = regions.beside(x, y).and_then(|at| regions.list.get(at));
        region.is_none_or(|region| region.cells >= smallest)
    };
    let (counting, too_small): (Vec<_>, Vec<_>) =
        render::contour(map, limit).into_iter().partition(counts);
    let placed =
        |segments: Vec<render::Segment>| segments.into_iter().map(|ends| ends.map(place)).collect();
    Contour {
        counting: placed(counting),
        too_small: placed(too_small),
    }
}

/// The map with more, smaller pixels: values are interpolated, not colours.
fn refined(map: &ScoreMap) -> ScoreMap {
    let factor = (FINE_MAP / map.width().max(map.height())).max(1);
    map.resized(map.width() * factor, map.height() * factor)
}

/// Outside the centres of the border pixels the border's value goes on.
fn bilinear(map: &ScoreMap, x: f32, y: f32) -> f32 {
    let axis = |position: f32, length: usize| {
        let position = position.clamp(0.0, (length - 1) as f32);
        let first = position as usize;
        (first, (first + 1).min(length - 1), position.fract())
    };
    let (x0, x1, wx) = axis(x, map.width());
    let (y0, y1, wy) = axis(y, map.height());
    let at = |x, y| map.at(x, y).unwrap_or(f32::NAN);
    let top = at(x0, y0) + (at(x1, y0) - at(x0, y0)) * wx;
    let bottom = at(x0, y1) + (at(x1, y1) - at(x0, y1)) * wx;
    top + (bottom - top) * wy
}

/// The decoded pixels, thinned where the graphics card takes no texture of that size.
fn fitting(preview: &Preview, max_side: usize) -> ColorImage {
    let step = preview
        .width
        .max(preview.height)
        .div_ceil(max_side.max(1))
        .max(1);
    if step == 1 {
        return ColorImage::from_rgb([preview.width, preview.height], &preview.rgb);
    }
    let (width, height) = (preview.width / step, preview.height / step);
    let texels =
        (0..height).flat_map(|y| (0..width).map(move |x| 3 * step * (y * preview.width + x)));
    let rgb: Vec<u8> = texels
        .flat_map(|at| preview.rgb[at..at + 3].iter().copied())
        .collect();
    ColorImage::from_rgb([width, height], &rgb)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use eframe::egui::{Rect, pos2};

    use super::{Contour, Picture, fitting};
    use crate::score_map::ScoreMap;
    use crate::worker::message::Preview;

    /// 8 x 4 in its file, shown at half size, with a 2 x 2 map on the central square.
    fn preview() -> Preview {
        Preview {
            width: 4,
            height: 2,
            rgb: (0..24).collect(),
            image_width: 8,
            image_height: 4,
            mask: Some(vec![false, true, false, false, false, false, false, false]),
            map: ScoreMap::new(2, 2, vec![0.0, 1.0, 2.0, 3.0]).map(Arc::new),
            map_rect: [1.0, 0.0, 2.0, 2.0],
        }
    }

    #[test]
    fn coordinates_are_those_of_the_file() {
        let picture = Picture::new(Arc::new(preview()));
        assert_eq!(
            picture.map_rect(),
            Rect::from_min_max(pos2(2.0, 0.0), pos2(6.0, 4.0))
        );
        assert_eq!(picture.colour_at(7, 3), Some([21, 22, 23]));
        assert_eq!(picture.colour_at(8, 0), None);
        assert!(picture.is_cropped());
    }

    #[test]
    fn scores_lie_where_the_crop_put_them() {
        let picture = Picture::new(Arc::new(preview()));
        assert_eq!(picture.score_at(1, 0), None, "left of the crop");
        assert_eq!(picture.score_at(2, 0), Some(0.0));
        assert_eq!(picture.score_at(5, 3), Some(3.0));
        assert_eq!(picture.score_at(3, 0), Some(0.25));
    }

    #[test]
    fn outlines_surround_the_marked_pixel_in_image_pixels() {
        let mut picture = Picture::new(Arc::new(preview()));
        let mut bounds = Rect::NOTHING;
        for [a, b] in picture.outline() {
            bounds.extend_with(*a);
            bounds.extend_with(*b);
        }
        assert_eq!(bounds, Rect::from_min_max(pos2(2.0, 0.0), pos2(4.0, 2.0)));
    }

    #[test]
    fn a_picture_without_map_and_mask_has_neither_contour_nor_outline() {
        let mut picture = Picture::new(Arc::new(Preview {
            mask: None,
            map: None,
            ..preview()
        }));
        assert_eq!(*picture.contour(0.5, 0.0), Contour::default());
        assert!(picture.outline().is_empty() && picture.regions(0.5).list.is_empty());
        assert_eq!(
            (picture.extremes(), picture.region_at(0.5, 3, 1)),
            (None, None)
        );
        assert_eq!(picture.score_at(3, 1), None);
    }

    #[test]
    fn regions_below_the_smallest_area_have_lines_of_their_own() {
        let mut picture = Picture::new(Arc::new(preview()));
        assert_eq!(picture.pixels_per_cell(), Some(4.0));
        assert_eq!(picture.region_at(2.5, 5, 3), Some((1, 4.0)));
        assert!(picture.contour(2.5, 4.0).too_small.is_empty());
        let contour = picture.contour(2.5, 5.0);
        assert!(contour.counting.is_empty() && !contour.too_small.is_empty());
        assert_eq!(picture.extremes(), Some((0.0, 3.0)));
    }

    #[test]
    fn a_picture_too_large_for_the_card_is_thinned() {
        let image = fitting(&preview(), 2);
        assert_eq!(image.size, [2, 1]);
        assert_eq!(image.pixels[1].to_array(), [6, 7, 8, 255]);
    }
}
