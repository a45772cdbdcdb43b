//! Simulated defects: a texture or a mark is laid over a good picture where noise and the product say so.
//! The recipe is DRAEM's (Zavrtanik et al. 2021), kept to the product.

use std::sync::Arc;

use super::colour::brightness;
use super::draw::Draw;
use super::marks::{Overlay, mark};
use super::perlin::Perlin;
use super::regions::regions;
use super::warp::Warp;
use super::{Edges, Frame, SimulatedSettings, Source, procedural, sources};
use crate::data::image::Size;

/// How often a defect is drawn again before a plain spot takes its place.
const ATTEMPTS: usize = 12;
/// After so many draws textures are made brighter or darker: on a surface that looks the same everywhere, another piece
/// of it is no defect.
const PATIENCE: usize = 3;
/// A pixel counts as defective from this cover on.
const MARKED_FROM: f32 = 0.3;

/// What defects are made of.
#[derive(Clone, Copy)]
pub(super) struct Materials<'a> {
    pub(super) goods: &'a [Arc<Frame>],
    pub(super) textures: &'a [Frame],
    /// Which of the good pictures gets the defect.
    pub(super) own: usize,
}

impl Materials<'_> {
    /// How often defects are made from a source: never from one that there is not. Textures drawn by code stand in for
    /// a folder of them.
    pub(super) fn share(&self, source: Source, settings: &SimulatedSettings) -> f32 {
        let shares = settings.sources;
        let has_folder = !self.textures.is_empty();
        match source {
            Source::Procedural if !has_folder => shares.procedural + shares.folder,
            Source::Folder if !has_folder => 0.0,
            Source::OtherGood if self.goods.len() < 2 => 0.0,
            _ => shares.of(source),
        }
    }
}

/// A good picture with a defect.
pub(super) struct Simulated {
    pub(super) frame: Frame,
    /// Never empty; inside the product.
    pub(super) mask: Vec<bool>,
    pub(super) source: Source,
}

/// Makes a defect on `good`, inside `product`.
pub(super) fn simulate(
    good: &Frame,
    product: &[bool],
    materials: Materials,
    settings: &SimulatedSettings,
    draw: &mut Draw,
) -> Simulated {
    let turned = draw.chance(settings.turn.chance).then(|| {
        let warp = Warp::turn(good.size(), draw.around_zero(settings.turn.degrees));
        (warp.frame(good), warp.mask(product, good.size()))
    });
    let (good, product) = match &turned {
        Some((frame, mask)) if mask.contains(&true) => (frame, mask.as_slice()),
        _ => (good, product),
    };
    let places: Vec<usize> = (0..product.len()).filter(|&i| product[i]).collect();
    let ground = Ground {
        good,
        product,
        places: &places,
        settings,
    };
    let source = choose_source(materials, settings, draw);
    let defect = (0..ATTEMPTS).find_map(|tried| {
        let tone = if tried < PATIENCE {
            Tone::AsItIs
        } else {
            Tone::Shifted
        };
        ground.attempt(source, tone, materials, draw)
    });
    let (frame, mask) = defect.unwrap_or_else(|| ground.spot(draw));
    Simulated {
        frame,
        mask,
        source,
    }
}

fn choose_source(materials: Materials, settings: &SimulatedSettings, draw: &mut Draw) -> Source {
    let weights = Source::ALL.map(|source| materials.share(source, settings));
    draw.weighted(&weights)
        .map_or(Source::Shuffled, |i| Source::ALL[i])
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    AsItIs,
    Shifted,
}

/// What a defect is laid on.
#[derive(Clone, Copy)]
struct Ground<'a> {
    good: &'a Frame,
    product: &'a [bool],
    /// Indices of the product's pixels; never empty.
    places: &'a [usize],
    settings: &'a SimulatedSettings,
}

impl Ground<'_> {
    /// One draw; `None` when it came out empty, too small, too large or too faint.
    fn attempt(
        &self,
        source: Source,
        tone: Tone,
        materials: Materials,
        draw: &mut Draw,
    ) -> Option<(Frame, Vec<bool>)> {
        let is_mark = source == Source::Procedural && draw.chance(self.settings.marks_chance);
        let (overlay, opacity) = if is_mark {
            (
                mark(self.good, self.place(draw), draw),
                draw.between(0.6, 1.0),
            )
        } else {
            let cover = self.cover(draw)?;
            let mut paint = self.texture(source, materials, draw);
            if tone == Tone::Shifted {
                brightness(&mut paint, 1.0, draw.sign() * draw.between(30.0, 70.0));
            }
            let [low, high] = self.settings.shine_through;
            (Overlay { cover, paint }, 1.0 - draw.between(low, high))
        };
        let mask: Vec<bool> = overlay
            .cover
            .iter()
            .zip(self.product)
            .map(|(&cover, &product)| product && cover >= MARKED_FROM)
            .collect();
        self.has_fitting_area(&mask).then_some(())?;
        let frame = self.blended(&overlay, opacity);
        self.is_visible(&frame, &mask).then_some((frame, mask))
    }

    fn place(&self, draw: &mut Draw) -> usize {
        self.places[draw.below(self.places.len())]
    }

    /// A shape from noise, inside the product; `None` when nothing is left.
    fn cover(&self, draw: &mut Draw) -> Option<Vec<f32>> {
        let size = self.good.size();
        let exponents = 0..=self.settings.finest_lattice as usize;
        let [rows, columns] = [0, 1].map(|_| 1 << draw.whole(*exponents.start(), *exponents.end()));
        let noise = Perlin::draw(rows, columns, draw);
        let degrees = draw.around_zero(90.0);
        let mut mask = noise.above(size, degrees, self.settings.noise_limit, self.product);
        if draw.chance(self.settings.few_regions_chance) {
            keep_few(&mut mask, size, self.settings, draw);
        }
        mask.contains(&true).then(|| match self.settings.edges {
            Edges::Hard => mask.iter().map(|&m| f32::from(u8::from(m))).collect(),
            Edges::Soft => softened(&mask, size),
        })
    }

    fn texture(&self, source: Source, materials: Materials, draw: &mut Draw) -> Frame {
        let settings = self.settings;
        match source {
            Source::Shuffled => sources::shuffled(self.good, settings.grid, draw),
            Source::OtherGood => {
                // Skips the picture itself.
                let other = draw.below(materials.goods.len() - 1);
                let other = other + usize::from(other >= materials.own);
                sources::displaced(&materials.goods[other], settings, draw)
            }
            Source::Folder => {
                let mut texture = materials.textures[draw.below(materials.textures.len())].clone();
                sources::change_texture(&mut texture, settings.operations, draw);
                texture
            }
            Source::Procedural if draw.chance(settings.related_colours_chance) => {
                let near = self.good.pixel(self.place(draw));
                let colours = procedural::related_colours(near, draw);
                procedural::texture(self.good.size(), colours, draw)
            }
            Source::Procedural => {
                let colours = procedural::any_colours(draw);
                let mut texture = procedural::texture(self.good.size(), colours, draw);
                sources::change_texture(&mut texture, settings.operations, draw);
                texture
            }
        }
    }

    /// `(1 - c) I + c A` on the product, with the cover times the opacity as `c`.
    fn blended(&self, overlay: &Overlay, opacity: f32) -> Frame {
        let mut frame = self.good.clone();
        let paint = overlay.paint.rgb().chunks_exact(3);
        let pixels = frame.rgb_mut().chunks_exact_mut(3);
        for (i, (pixel, paint)) in pixels.zip(paint).enumerate() {
            if self.product[i] && overlay.cover[i] > 0.0 {
                blend(pixel, paint, overlay.cover[i] * opacity);
            }
        }
        frame
    }

    fn has_fitting_area(&self, mask: &[bool]) -> bool {
        let area = mask.iter().filter(|&&m| m).count();
        let [least, most] = self.settings.area.map(|share| share * mask.len() as f32);
        // A product smaller than the smallest defect may be covered by one.
        let least = least.min(self.places.len() as f32).max(1.0);
        area as f32 >= least && area as f32 <= most.max(least)
    }

    fn is_visible(&self, frame: &Frame, mask: &[bool]) -> bool {
        change(self.good, frame, mask) >= self.settings.least_change
    }

    /// The last resort, which every product has room for: a round spot that is plainly darker or brighter.
    fn spot(&self, draw: &mut Draw) -> (Frame, Vec<bool>) {
        let size = self.good.size();
        let centre = self.place(draw);
        let radius = (0.02 * self.good.shorter_side() as f32).max(1.0);
        let mut frame = self.good.clone();
        let mut mask = vec![false; size.pixels()];
        for &i in self.places {
            let dx = (i % size.width) as f32 - (centre % size.width) as f32;
            let dy = (i / size.width) as f32 - (centre / size.width) as f32;
            if dx.hypot(dy) <= radius {
                mask[i] = true;
                let pixel = self.good.pixel(i);
                let change = if pixel.iter().all(|&v| v > 90) {
                    -70
                } else {
                    70
                };
                frame.set(i, pixel.map(|v| v.saturating_add_signed(change)));
            }
        }
        (frame, mask)
    }
}

/// By how many levels mean colour and contrast of the marked pixels change: over blocks of an eighth of the picture,
/// in the channel that changes most.
fn change(before: &Frame, after: &Frame, mask: &[bool]) -> f32 {
    const BLOCKS: usize = 8;
    let (width, height) = (before.width(), before.height());
    let mut blocks = vec![[[Moments::default(); 2]; 3]; BLOCKS * BLOCKS];
    for i in (0..mask.len()).filter(|&i| mask[i]) {
        let (x, y) = (i % width, i / width);
        let block = &mut blocks[y * BLOCKS / height * BLOCKS + x * BLOCKS / width];
        let (old, new) = (before.pixel(i), after.pixel(i));
        for (channel, [was, is]) in block.iter_mut().enumerate() {
            was.add(old[channel]);
            is.add(new[channel]);
        }
    }
    let (mut sum, mut count) = (0.0, 0.0);
    for block in &blocks {
        let changes = block.iter().map(|[was, is]| {
            (was.mean() - is.mean()).abs() + (was.deviation() - is.deviation()).abs()
        });
        let marked = block[0][0].count;
        sum += marked * changes.fold(0.0, f32::max);
        count += marked;
    }
    sum / f32::max(count, 1.0)
}

#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    count: f32,
    sum: f32,
    squares: f32,
}

impl Moments {
    fn add(&mut self, value: u8) {
        let value = f32::from(value);
        self.count += 1.0;
        self.sum += value;
        self.squares += value * value;
    }

    fn mean(&self) -> f32 {
        self.sum / self.count.max(1.0)
    }

    fn deviation(&self) -> f32 {
        let mean = self.mean();
        (self.squares / self.count.max(1.0) - mean * mean)
            .max(0.0)
            .sqrt()
    }
}

/// `(1 - amount) I + amount A`; both on the same scale, in the same order of channels.
fn blend(pixel: &mut [u8], paint: &[u8], amount: f32) {
    for (value, &paint) in pixel.iter_mut().zip(paint) {
        let mixed = f32::from(*value) + (f32::from(paint) - f32::from(*value)) * amount;
        *value = (mixed + 0.5) as u8;
    }
}

/// Drops all but a few connected regions, each with a chance in proportion to its area.
fn keep_few(mask: &mut [bool], size: Size, settings: &SimulatedSettings, draw: &mut Draw) {
    let found = regions(mask, size);
    let mut weights: Vec<f32> = found.iter().map(|region| region.len() as f32).collect();
    let mut kept = Vec::new();
    for _ in 0..draw.whole(1, settings.few_regions) {
        let Some(i) = draw.weighted(&weights) else {
            break;
        };
        weights[i] = 0.0;
        kept.push(i);
    }
    mask.fill(false);
    for &index in kept.iter().flat_map(|&i| &found[i]) {
        mask[index] = true;
    }
}

/// Half covered at the edge and fully one pixel further in.
fn softened(mask: &[bool], size: Size) -> Vec<f32> {
    let Size { width, height } = size;
    let mut cover = vec![0.0; mask.len()];
    for i in (0..mask.len()).filter(|&i| mask[i]) {
        let (x, y) = (i % width, i / width);
        let at = |dx: usize, dy: usize| {
            let (column, row) = ((x + dx).saturating_sub(1), (y + dy).saturating_sub(1));
            mask[row.min(height - 1) * width + column.min(width - 1)]
        };
        let sides = [at(0, 1), at(2, 1), at(1, 0), at(1, 2)];
        let covered = sides.iter().filter(|&&m| m).count();
        cover[i] = (4.0 + 3.0 * covered as f32) / 16.0;
    }
    // Even the end of a thin line is marked.
    for value in cover.iter_mut().filter(|value| **value > 0.0) {
        *value = f32::max(*value, MARKED_FROM);
    }
    cover
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::augment::AugmentSettings;

    fn frame(width: usize, height: usize) -> Frame {
        Frame::from_fn(Size { width, height }, |x, y| {
            [(40 + x % 50) as u8, (90 + y % 40) as u8, 120]
        })
    }

    fn disc(size: Size, radius: f32) -> Vec<bool> {
        (0..size.pixels())
            .map(|i| {
                let dx = (i % size.width) as f32 - size.width as f32 / 2.0;
                let dy = (i / size.width) as f32 - size.height as f32 / 2.0;
                dx.hypot(dy) <= radius
            })
            .collect()
    }

    fn still(settings: AugmentSettings) -> SimulatedSettings {
        let mut settings = settings.simulated;
        settings.turn.chance = 0.0;
        settings
    }

    #[test]
    fn three_tenths_of_the_picture_shine_through_as_published() {
        let mut pixel = [100];
        blend(&mut pixel, &[200], 1.0 - 0.3);
        assert_eq!(pixel, [170]);
    }

    #[test]
    fn defects_are_marked_inside_the_product_and_nothing_else_changes() {
        let goods = [Arc::new(frame(96, 80)), Arc::new(frame(96, 80))];
        let textures = [frame(96, 80)];
        let product = disc(goods[0].size(), 30.0);
        for settings in [AugmentSettings::published(), AugmentSettings::refined()] {
            let settings = still(settings);
            for seed in 0..60 {
                let materials = Materials {
                    goods: &goods,
                    textures: &textures,
                    own: 0,
                };
                let made = simulate(
                    &goods[0],
                    &product,
                    materials,
                    &settings,
                    &mut Draw::new(seed, 0),
                );
                assert!(made.mask.contains(&true));
                let beside = (0..product.len()).filter(|&i| !product[i]);
                for i in beside {
                    assert!(!made.mask[i] && made.frame.pixel(i) == goods[0].pixel(i));
                }
            }
        }
    }

    #[test]
    fn a_product_of_one_pixel_gets_a_defect_of_one_pixel() {
        let good = [Arc::new(frame(64, 64))];
        let product: Vec<bool> = (0..64 * 64).map(|i| i == 2000).collect();
        for seed in 0..10 {
            let materials = Materials {
                goods: &good,
                textures: &[],
                own: 0,
            };
            let settings = still(AugmentSettings::refined());
            let made = simulate(
                &good[0],
                &product,
                materials,
                &settings,
                &mut Draw::new(seed, 0),
            );
            assert_eq!(made.mask, product);
            assert_ne!(made.frame.pixel(2000), good[0].pixel(2000));
        }
    }

    #[test]
    fn refined_defects_are_visible_and_neither_specks_nor_the_whole_product() {
        let good = [Arc::new(frame(128, 128))];
        let product = vec![true; 128 * 128];
        let settings = still(AugmentSettings::refined());
        for seed in 0..60 {
            let materials = Materials {
                goods: &good,
                textures: &[],
                own: 0,
            };
            let made = simulate(
                &good[0],
                &product,
                materials,
                &settings,
                &mut Draw::new(seed, 0),
            );
            let marked: Vec<usize> = (0..product.len()).filter(|&i| made.mask[i]).collect();
            let share = marked.len() as f32 / product.len() as f32;
            assert!((0.000_3..=0.15).contains(&share), "{share}");
            let change = change(&good[0], &made.frame, &made.mask);
            assert!(change >= settings.least_change, "{change}");
        }
    }

    #[test]
    fn another_piece_of_the_same_grain_is_no_change_and_another_tone_is() {
        let grain = |seed, deviation: f32, mean: f32| {
            let mut draw = Draw::new(seed, 0);
            let size = Size {
                width: 64,
                height: 64,
            };
            Frame::from_fn(size, |_, _| [(mean + deviation * draw.normal()) as u8; 3])
        };
        let mask = vec![true; 64 * 64];
        let to = |other: &Frame| change(&grain(1, 30.0, 120.0), other, &mask);
        assert!(to(&grain(2, 30.0, 120.0)) < 9.0);
        assert!(to(&grain(2, 30.0, 145.0)) > 20.0);
        assert!(to(&grain(2, 5.0, 120.0)) > 20.0);
        assert_eq!(
            change(&grain(1, 3.0, 9.0), &grain(1, 3.0, 9.0), &[false; 4096]),
            0.0
        );
    }

    #[test]
    fn soft_edges_cover_every_marked_pixel_and_no_other() {
        let size = Size {
            width: 9,
            height: 5,
        };
        let mask: Vec<bool> = (0..45)
            .map(|i| (2..7).contains(&(i % 9)) && i / 9 > 1)
            .collect();
        let cover = softened(&mask, size);
        assert!(
            cover
                .iter()
                .zip(&mask)
                .all(|(&c, &m)| (c >= MARKED_FROM) == m)
        );
        assert_eq!(cover[3 * 9 + 4], 1.0);
        assert!(cover[2 * 9 + 4] < 1.0);
        assert_eq!(
            softened(
                &[true],
                Size {
                    width: 1,
                    height: 1
                }
            ),
            [1.0]
        );
    }
}
