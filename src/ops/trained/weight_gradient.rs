//! The gradient of a dense convolution to its weights: for each tap the products of what it read and the gradient of
//! what it wrote, summed over all pixels.
//!
//! The gradient is laid out with its channels side by side, the pixels stay as they are: nothing is gathered per tap.
#![expect(
    unsafe_code,
    reason = "register kernels read the padded picture through pointers"
)]
#![expect(
    clippy::inline_always,
    reason = "vector instructions must be compiled inside the function that enables them"
)]

use rayon::prelude::*;

use super::conv::turned;
use crate::ops::conv::Padding;
use crate::ops::conv::geometry::{Geometry, PlaneLayout, padded};
use crate::ops::lanes::{Isa, Lanes, Task, WIDEST};

/// Taps whose sums are in registers at a time: all of a 3x3 kernel.
const TAPS: usize = 9;

/// Groups of taps that one thread takes at a time.
const GROUPS: usize = 4;

/// Pixels (whole rows of them) after which sums leave the registers: their gradient stays in the nearest cache, and
/// sums of many pixels are built from sums of few, which keeps them exact.
const TILE: usize = 128;

/// `(C_out, C_in, k, k)` from pixels `(B, C_in, H, W)` and a gradient `(B, C_out, H', W')`. Each number is one sum in
/// one fixed order: pictures, tiles, pixels.
pub(super) fn weight_gradient(
    pixels: &[f32],
    gradient: &[f32],
    out_channels: usize,
    geometry: &Geometry,
    isa: Isa,
) -> Vec<f32> {
    if let Some(swapped) = swapped(out_channels, geometry) {
        let gradient = sum(gradient, pixels, geometry.channels, &swapped, isa);
        return turned(
            &gradient,
            geometry.channels,
            geometry.kernel * geometry.kernel,
        );
    }
    sum(pixels, gradient, out_channels, geometry, isa)
}

/// With few output channels most lanes of a register would idle. A convolution of stride 1 may change the roles of
/// pixels and gradient: the same products are then found by the turned kernel.
fn swapped(out_channels: usize, geometry: &Geometry) -> Option<Geometry> {
    if out_channels >= WIDEST || geometry.channels <= out_channels || geometry.stride != 1 {
        return None;
    }
    let dims = [
        geometry.batch,
        out_channels,
        geometry.rows.out,
        geometry.columns.out,
    ];
    let around = Padding::Zeros(geometry.kernel - 1 - geometry.rows.before);
    Geometry::new(dims, geometry.kernel, 1, around).ok()
}

fn sum(
    pixels: &[f32],
    gradient: &[f32],
    out_channels: usize,
    geometry: &Geometry,
    isa: Isa,
) -> Vec<f32> {
    let layout = geometry.layout();
    let taps = taps(geometry, &layout);
    let lanes = isa.lanes() * registers(isa.lanes());
    let group = TAPS * lanes;
    let block = taps.len() * group;
    let mut sums = vec![0.0; out_channels.div_ceil(lanes) * block];
    let plane = geometry.out_pixels();
    let mut blocks = vec![0.0; out_channels.div_ceil(lanes) * plane * lanes];
    let one = Geometry {
        batch: 1,
        ..*geometry
    };
    let pictures =
        pixels.chunks_exact(geometry.channels * geometry.rows.size * geometry.columns.size);
    for (picture, gradient) in pictures.zip(gradient.chunks_exact(out_channels * plane)) {
        let source = padded(picture, &one);
        transpose(gradient, plane, lanes, &mut blocks);
        sums.par_chunks_mut(block)
            .zip(blocks.par_chunks(plane * lanes))
            .flat_map(|(sums, gradient)| {
                let items = sums
                    .par_chunks_mut(GROUPS * group)
                    .zip(taps.par_chunks(GROUPS));
                items.map(move |(sums, taps)| (sums, taps, gradient))
            })
            .for_each(|(sums, taps, gradient)| {
                isa.run(Item {
                    source: &source,
                    gradient,
                    taps,
                    geometry,
                    layout,
                    sums,
                });
            });
    }
    unpack(&sums, out_channels, lanes, geometry)
}

/// Registers side by side: with two of the widest, the sums fill more than half of the register file of 32; others
/// have but 16.
const fn registers(lanes: usize) -> usize {
    if lanes == WIDEST { 2 } else { 1 }
}

/// Offsets in a padded picture of everything an output at row 0, column 0 reads, in groups. The last group is filled
/// up with copies whose sums nobody reads.
fn taps(geometry: &Geometry, layout: &PlaneLayout) -> Vec<[usize; TAPS]> {
    let kernel = geometry.kernel;
    let count = geometry.channels * kernel * kernel;
    let offset = |place: usize| {
        let (channel, tap) = (place / (kernel * kernel), place % (kernel * kernel));
        channel * layout.plane + layout.tap(tap / kernel, tap % kernel)
    };
    (0..count.div_ceil(TAPS))
        .map(|group| std::array::from_fn(|tap| offset((group * TAPS + tap).min(count - 1))))
        .collect()
}

/// Channels by pixels to blocks of `lanes` channels: in a block, pixels by channels. Lanes without a channel keep their
/// zeros.
fn transpose(gradient: &[f32], plane: usize, lanes: usize, blocks: &mut [f32]) {
    // One line of the cache is read whole before another one comes.
    const PIXELS: usize = 16;
    blocks
        .par_chunks_mut(plane * lanes)
        .zip(gradient.par_chunks(plane * lanes))
        .flat_map(|(block, channels)| {
            let tiles = block.par_chunks_mut(PIXELS * lanes).enumerate();
            tiles
                .map(move |(tile, target)| (channels, tile * PIXELS, target))
                .with_min_len(64)
        })
        .for_each(|(channels, first, target)| {
            let count = target.len() / lanes;
            for (lane, channel) in channels.chunks_exact(plane).enumerate() {
                let target = target[lane..].iter_mut().step_by(lanes);
                for (to, &value) in target.zip(&channel[first..first + count]) {
                    *to = value;
                }
            }
        });
}

/// Blocks of taps by output channels to `(C_out, taps)`.
fn unpack(sums: &[f32], out_channels: usize, lanes: usize, geometry: &Geometry) -> Vec<f32> {
    let depth = geometry.channels * geometry.kernel * geometry.kernel;
    let mut result = vec![0.0; out_channels * depth];
    let block = depth.next_multiple_of(TAPS) * lanes;
    for (channel, target) in result.chunks_exact_mut(depth).enumerate() {
        let source = &sums[channel / lanes * block + channel % lanes..];
        for (to, &value) in target.iter_mut().zip(source.iter().step_by(lanes)) {
            *to = value;
        }
    }
    result
}

/// Some groups of taps by one block of output channels, of one picture.
struct Item<'a> {
    source: &'a [f32],
    /// Pixels by the channels of the block.
    gradient: &'a [f32],
    taps: &'a [[usize; TAPS]],
    geometry: &'a Geometry,
    layout: PlaneLayout,
    /// Groups by taps by the channels of the block.
    sums: &'a mut [f32],
}

impl Task for Item<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes, const ROWS: usize, const N: usize>(self) {
        // SAFETY: the caller vouches for the instructions of `V`.
        unsafe {
            if registers(V::COUNT) == 2 {
                self.add::<V, 2>();
            } else {
                self.add::<V, 1>();
            }
        }
    }
}

impl Item<'_> {
    #[inline(always)]
    unsafe fn add<V: Lanes, const N: usize>(self) {
        let (width, height) = (self.geometry.columns.out, self.geometry.rows.out);
        let lanes = N * V::COUNT;
        let last = self.layout.output(height - 1, width - 1);
        let reach = self.taps.iter().flatten().max().map_or(0, |tap| tap + last);
        assert!(reach < self.source.len(), "taps lie in the picture");
        assert_eq!(self.gradient.len(), height * width * lanes);
        let rows = TILE.div_ceil(width);
        for first in (0..height).step_by(rows) {
            let tile = first..(first + rows).min(height);
            for (sums, taps) in self.sums.chunks_exact_mut(TAPS * lanes).zip(self.taps) {
                // SAFETY: the assertions cover every pixel that is read, and `sums` has its registers.
                unsafe {
                    let mut partial = [[V::splat(0.0); N]; TAPS];
                    for row in tile.clone() {
                        let source = self.source.as_ptr().add(self.layout.output(row, 0));
                        let gradient = self.gradient.as_ptr().add(row * width * lanes);
                        add_row(
                            taps.map(|tap| source.add(tap)),
                            gradient,
                            width,
                            &mut partial,
                        );
                    }
                    let mut target = sums.as_mut_ptr();
                    for value in partial.into_iter().flatten() {
                        V::load(target).add(value).store(target);
                        target = target.add(V::COUNT);
                    }
                }
            }
        }
    }
}

/// Adds a row of pixels to the sums.
///
/// # Safety
/// As [`Lanes`]; `width` pixels can be read through each tap, and their gradients of `N` registers each.
#[inline(always)]
unsafe fn add_row<V: Lanes, const N: usize>(
    taps: [*const f32; TAPS],
    gradient: *const f32,
    width: usize,
    sums: &mut [[V; N]; TAPS],
) {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        for x in 0..width {
            let mut values = [V::splat(0.0); N];
            for (register, value) in values.iter_mut().enumerate() {
                *value = V::load(gradient.add((x * N + register) * V::COUNT));
            }
            for (tap, sums) in taps.iter().zip(sums.iter_mut()) {
                let factor = V::splat(*tap.add(x));
                for (sum, &value) in sums.iter_mut().zip(&values) {
                    *sum = factor.mul_add(value, *sum);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::weight_gradient;
    use crate::ops::conv::Padding;
    use crate::ops::conv::geometry::Geometry;
    use crate::ops::lanes::Isa;

    fn noise(count: usize, salt: usize) -> Vec<f32> {
        (0..count)
            .map(|i| ((i * 7919 + salt * 104_729) as f32 * 0.618).sin())
            .collect()
    }

    #[test]
    fn every_instruction_set_finds_the_same_gradient() {
        for (dims, out_channels, kernel, stride) in [
            ([2, 5, 9, 70], 33, 3, 1),
            ([1, 11, 6, 5], 3, 3, 1),
            ([2, 4, 7, 8], 9, 3, 2),
            ([2, 20, 4, 6], 18, 1, 1),
        ] {
            let padding = Padding::Zeros(kernel / 2);
            let geometry = Geometry::new(dims, kernel, stride, padding).unwrap();
            let pixels = noise(dims.iter().product(), 1);
            let gradient = noise(dims[0] * out_channels * geometry.out_pixels(), 2);
            let all = Isa::available();
            let results: Vec<_> = all
                .iter()
                .map(|&isa| weight_gradient(&pixels, &gradient, out_channels, &geometry, isa))
                .collect();
            for (result, isa) in results.iter().zip(all) {
                for (a, b) in result.iter().zip(&results[0]) {
                    assert!((a - b).abs() < 2e-4, "{isa:?} {dims:?}: {a} {b}");
                }
            }
        }
    }
}
