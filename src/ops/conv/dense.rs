//! The CPU kernel of ordinary convolutions: a matrix product whose right side is gathered from the padded picture panel
//! by panel and whose results get bias, residual and activation before they leave the registers.
//!
//! Every output is one sum in one fixed order, whatever the batch, the panel or the number of threads.
#![expect(
    unsafe_code,
    reason = "register kernels and threads writing to disjoint parts of one buffer"
)]
#![expect(
    clippy::inline_always,
    reason = "vector instructions must be compiled inside the function that enables them"
)]

use std::ops::Range;

use rayon::prelude::*;

use super::Activation;
use super::geometry::{Geometry, PlaneLayout, padded};
use crate::ops::lanes::{Isa, Lanes, Task, load_part, store_part};
use crate::ops::tile::{Lines, Tile, accumulate};

/// Weights `(C_out, C_in * k * k)` as the kernel reads them: blocks of output channels, the channel fastest.
pub(in crate::ops) struct PackedWeights {
    isa: Isa,
    out_channels: usize,
    depth: usize,
    weights: Vec<f32>,
    /// One for each output channel, filled up to whole blocks.
    bias: Vec<f32>,
}

impl PackedWeights {
    pub(in crate::ops) fn new(weights: &[f32], bias: &[f32], isa: Isa) -> Self {
        let out_channels = bias.len();
        let depth = weights.len() / out_channels.max(1);
        let rows = isa.rows();
        let blocks = out_channels.div_ceil(rows);
        let mut packed = vec![0.0; blocks * depth * rows];
        for (channel, source) in weights.chunks(depth.max(1)).enumerate() {
            let block = &mut packed[channel / rows * depth * rows..][..depth * rows];
            let lane = block.iter_mut().skip(channel % rows).step_by(rows);
            lane.zip(source).for_each(|(to, &value)| *to = value);
        }
        let mut padded_bias = bias.to_vec();
        padded_bias.resize(blocks * rows, 0.0);
        Self {
            isa,
            out_channels,
            depth,
            weights: packed,
            bias: padded_bias,
        }
    }

    /// Convolves a batch `(B, C_in, H, W)`; `residual` has the shape of the result `(B, C_out, h, w)`.
    pub(in crate::ops) fn run(
        &self,
        pixels: &[f32],
        geometry: &Geometry,
        residual: Option<&[f32]>,
        activation: Activation,
    ) -> Vec<f32> {
        let source = padded(pixels, geometry);
        let layout = geometry.layout();
        let taps = self.taps(geometry, &layout);
        let out_pixels = geometry.out_pixels();
        let mut output: Vec<f32> =
            Vec::with_capacity(geometry.batch * self.out_channels * out_pixels);
        let target = SharedOutput(output.as_mut_ptr());
        let source_size = geometry.channels * layout.plane;
        let output_size = self.out_channels * out_pixels;
        let items = self.items(geometry);
        items
            .into_par_iter()
            .for_each_init(Lines::default, |panel, item| {
                self.isa.run(PanelTask {
                    weights: self,
                    source: &source[item.picture * source_size..][..source_size],
                    taps: &taps,
                    runs: &runs(geometry, &layout, &item.pixels),
                    residual: residual
                        .map(|values| &values[item.picture * output_size..][..output_size]),
                    activation,
                    first_pixel: item.pixels.start,
                    pixels: item.pixels.len(),
                    out_pixels,
                    blocks: item.blocks,
                    panel,
                    // SAFETY: `picture` is below the batch size `output` was made for.
                    target: unsafe { target.get().add(item.picture * output_size) },
                });
            });
        // SAFETY: the items cover all pictures, pixels and channels, and each writes every output it stands for.
        unsafe { output.set_len(geometry.batch * output_size) };
        output
    }

    /// Offsets in a picture of everything an output at row 0, column 0 reads, in the order of the weights.
    fn taps(&self, geometry: &Geometry, layout: &PlaneLayout) -> Vec<usize> {
        let positions =
            (0..geometry.kernel).flat_map(|y| (0..geometry.kernel).map(move |x| (y, x)));
        let positions: Vec<usize> = positions.map(|(y, x)| layout.tap(y, x)).collect();
        let channels = (0..geometry.channels).map(|channel| channel * layout.plane);
        let taps: Vec<usize> = channels
            .flat_map(|base| positions.iter().map(move |tap| base + tap))
            .collect();
        debug_assert_eq!(taps.len(), self.depth, "one weight for each tap");
        taps
    }

    /// Cuts the work so that all threads have some, even for one small picture.
    fn items(&self, geometry: &Geometry) -> Vec<Item> {
        let panel = self.isa.width();
        let blocks = self.bias.len() / self.isa.rows();
        let panels = geometry.batch * geometry.out_pixels().div_ceil(panel);
        let parts = (4 * rayon::current_num_threads())
            .div_ceil(panels.max(1))
            .clamp(1, blocks.max(1));
        let part = blocks.div_ceil(parts).max(1);
        let mut items = Vec::with_capacity(panels * parts);
        for picture in 0..geometry.batch {
            for first in (0..geometry.out_pixels()).step_by(panel) {
                for block in (0..blocks).step_by(part) {
                    let pixels = first..(first + panel).min(geometry.out_pixels());
                    items.push(Item {
                        picture,
                        pixels,
                        blocks: block..(block + part).min(blocks),
                    });
                }
            }
        }
        items
    }
}

struct Item {
    picture: usize,
    pixels: Range<usize>,
    blocks: Range<usize>,
}

/// The output buffer, written by several threads at places that do not overlap.
struct SharedOutput(*mut f32);

impl SharedOutput {
    fn get(&self) -> *mut f32 {
        self.0
    }
}

// SAFETY: items partition pictures, pixels and channels, so no two of them write the same number, and nobody reads
// before all have ended.
unsafe impl Sync for SharedOutput {}

/// Neighbouring outputs that read neighbouring numbers: offset in the source, place in the panel, count.
struct Run {
    source: usize,
    place: usize,
    count: usize,
}

fn runs(geometry: &Geometry, layout: &PlaneLayout, pixels: &Range<usize>) -> Vec<Run> {
    let width = geometry.columns.out;
    let mut runs: Vec<Run> = Vec::new();
    let mut pixel = pixels.start;
    while pixel < pixels.end {
        let (row, column) = (pixel / width, pixel % width);
        let count = (width - column).min(pixels.end - pixel);
        let source = layout.output(row, column);
        match runs.last_mut() {
            Some(last) if last.source + last.count == source => last.count += count,
            _ => runs.push(Run {
                source,
                place: pixel - pixels.start,
                count,
            }),
        }
        pixel += count;
    }
    runs
}

/// One panel of output pixels times some blocks of output channels, of one picture.
struct PanelTask<'a> {
    weights: &'a PackedWeights,
    source: &'a [f32],
    taps: &'a [usize],
    runs: &'a [Run],
    residual: Option<&'a [f32]>,
    activation: Activation,
    first_pixel: usize,
    pixels: usize,
    out_pixels: usize,
    blocks: Range<usize>,
    panel: &'a mut Lines,
    target: *mut f32,
}

impl Task for PanelTask<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes, const ROWS: usize, const N: usize>(mut self) {
        // SAFETY: the caller vouches for the instructions of `V`, and a panel is at most `N` registers wide.
        unsafe {
            match self.pixels.div_ceil(V::COUNT) {
                1 => self.convolve::<V, ROWS, 1>(),
                2 => self.convolve::<V, ROWS, 2>(),
                _ => self.convolve::<V, ROWS, N>(),
            }
        }
    }
}

impl PanelTask<'_> {
    #[inline(always)]
    unsafe fn convolve<V: Lanes, const ROWS: usize, const N: usize>(&mut self) {
        // SAFETY: `gather` leaves `taps.len()` rows of `N` registers in the panel; blocks are within the weights.
        unsafe {
            let panel = self.gather::<V>(N * V::COUNT);
            let depth = self.taps.len();
            for block in self.blocks.clone() {
                let bias = &self.weights.bias[block * ROWS..][..ROWS];
                let weights = &self.weights.weights[block * ROWS * depth..][..ROWS * depth];
                let mut sums = [[V::splat(0.0); N]; ROWS];
                for (sums, &bias) in sums.iter_mut().zip(bias) {
                    *sums = [V::splat(bias); N];
                }
                self.finish(
                    block * ROWS,
                    accumulate(sums, weights.as_ptr(), panel, depth),
                );
            }
        }
    }

    /// Fills the panel: a row for each tap, in it what each output pixel reads there.
    ///
    /// Whole registers are copied. What spills over a run is overwritten by the next run or row, or lies in the margin.
    #[inline(always)]
    unsafe fn gather<V: Lanes>(&mut self, width: usize) -> *const f32 {
        let panel = self.panel.reserve(self.taps.len() * width);
        let reach = self
            .runs
            .iter()
            .map(|run| run.source + run.count.next_multiple_of(V::COUNT))
            .max()
            .unwrap_or(0);
        for (row, &tap) in self.taps.iter().enumerate() {
            let inside = tap + reach <= self.source.len();
            for run in self.runs {
                let from = &self.source[tap + run.source..];
                // SAFETY: `run.count` and less than a register more fit the row and the margin behind the last row; of
                // the source no more is read than is left.
                unsafe {
                    let to = panel.add(row * width + run.place);
                    for done in (0..run.count).step_by(V::COUNT) {
                        let from = from.as_ptr().add(done);
                        let values = if inside {
                            V::load(from)
                        } else {
                            load_part(from, run.count - done)
                        };
                        values.store(to.add(done));
                    }
                }
            }
        }
        panel
    }

    /// Adds the residual, applies the activation and writes `ROWS` channels of the panel.
    #[inline(always)]
    unsafe fn finish<V: Lanes, const ROWS: usize, const N: usize>(
        &self,
        channel: usize,
        sums: Tile<V, ROWS, N>,
    ) {
        let channels = ROWS.min(self.weights.out_channels - channel);
        for (row, sums) in sums.into_iter().enumerate().take(channels) {
            let first = (channel + row) * self.out_pixels + self.first_pixel;
            for (vector, sum) in sums.into_iter().enumerate() {
                let place = vector * V::COUNT;
                let count = self.pixels.saturating_sub(place);
                let at = first + place;
                // SAFETY: `count` outputs of this channel are left from `at` on, here and in the residual.
                unsafe {
                    let sum = match self.residual {
                        Some(residual) => sum.add(load_part(residual.as_ptr().add(at), count)),
                        None => sum,
                    };
                    store_part(self.activation.apply_lanes(sum), self.target.add(at), count);
                }
            }
        }
    }
}
