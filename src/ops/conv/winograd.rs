//! The CPU kernel of 3 x 3 convolutions with stride 1 and many channels: 4 x 4 outputs at a time from 6 x 6 pixels, with 36
//! multiplications a channel instead of 144 (Lavin and Gray 2016, F(4 x 4, 3 x 3)).
//!
//! Pixels and weights are transformed to 36 points; at each point the channels meet in a matrix product; the products are
//! transformed back and get bias, residual and activation. Tiles lie side by side in the registers. Every output is one
//! sum in one fixed order, whatever the batch, the panel or the number of threads.
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
use super::geometry::{Axis, Geometry, PlaneLayout, padded};
use crate::ops::lanes::{Isa, Lanes, Task, WIDEST, load_part, store_part};
use crate::ops::tile::{Lines, accumulate};

/// Outputs along a side of a tile, and the pixels they read.
const OUT: usize = 4;
const IN: usize = 6;
const POINTS: usize = IN * IN;

/// With fewer channels on either side the transforms cost what they save.
const LEAST_CHANNELS: usize = 64;

/// Numbers that the points of some tiles may take before the products, and behind them: about what a core's cache holds.
const GROUP: usize = 256 << 10;

/// Weights at all points that come from the cache behind all cores. The more there are, the more tiles share a pass over
/// them.
const WEIGHTS: usize = 1 << 20;

/// How many channels a piece of work transforms.
const CHANNELS: usize = 8;

/// Weights at all points, as the product reads them: for each point blocks of output channels, the channel fastest.
pub(super) struct WinogradWeights {
    isa: Isa,
    in_channels: usize,
    out_channels: usize,
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl WinogradWeights {
    /// Of `weights` `(C_out, C_in, 3, 3)`.
    pub(super) fn new(weights: &[f32], bias: &[f32], isa: Isa) -> Self {
        let out_channels = bias.len();
        let in_channels = weights.len() / (9 * out_channels.max(1));
        let rows = isa.rows();
        let point_size = out_channels.div_ceil(rows) * rows * in_channels;
        let mut packed = vec![0.0; POINTS * point_size];
        for (place, filter) in weights.as_chunks::<9>().0.iter().enumerate() {
            let (out, channel) = (place / in_channels, place % in_channels);
            let at = (out / rows * in_channels + channel) * rows + out % rows;
            for (point, value) in weight_points(filter).into_iter().enumerate() {
                packed[point * point_size + at] = value;
            }
        }
        Self {
            isa,
            in_channels,
            out_channels,
            weights: packed,
            bias: bias.to_vec(),
        }
    }

    /// Whether this is the kernel for a convolution.
    pub(super) fn suits(kernel: usize, stride: usize, channels: [usize; 2]) -> bool {
        kernel == 3 && stride == 1 && channels.iter().all(|&count| count >= LEAST_CHANNELS)
    }

    /// Convolves a batch `(B, C_in, H, W)`; `residual` has the shape of the result `(B, C_out, h, w)`.
    pub(super) fn run(
        &self,
        pixels: &[f32],
        geometry: &Geometry,
        residual: Option<&[f32]>,
        activation: Activation,
    ) -> Vec<f32> {
        let tiles = tile_geometry(geometry);
        let source = padded(pixels, &tiles);
        let count = geometry.batch * self.out_channels * geometry.out_pixels();
        let mut output: Vec<f32> = Vec::with_capacity(count);
        let pass = Pass {
            weights: self,
            geometry,
            tiles: &tiles,
            layout: tiles.layout(),
            source: &source,
            residual,
            activation,
            output: Shared(output.as_mut_ptr()),
        };
        let all = tiles.batch * tiles.out_pixels();
        let at_once = self
            .tiles_at_once()
            .min(all.next_multiple_of(self.isa.lanes()));
        let panels = at_once.div_ceil(self.isa.width());
        let room = |channels| POINTS * Points::stride(channels, self.isa.width()) * panels;
        let mut before = Lines::room(room(self.in_channels));
        let mut behind = Lines::room(room(self.out_channels));
        let spaces = [before.as_mut_ptr(), behind.as_mut_ptr()].map(Shared);
        for first in (0..all).step_by(at_once.max(1)) {
            pass.group(first..all.min(first + at_once), spaces);
        }
        // SAFETY: the groups cover all tiles, and each tile writes its outputs of all channels.
        unsafe { output.set_len(count) };
        output
    }

    /// Whole panels.
    fn tiles_at_once(&self) -> usize {
        let panel = self.isa.width();
        let fit = GROUP / (POINTS * self.in_channels.max(self.out_channels) * panel);
        panel * fit.max(self.weights.len() / WEIGHTS).max(1)
    }
}

/// `G g G^T`, computed in `f64`.
fn weight_points(filter: &[f32; 9]) -> [f32; POINTS] {
    let transform = |[a, b, c]: [f64; 3]| {
        let (even, odd) = ((a + c) / 6.0, b / 6.0);
        let (even4, odd4) = (a / 24.0 + c / 6.0, b / 12.0);
        [
            a / 4.0,
            -even - odd,
            odd - even,
            even4 + odd4,
            even4 - odd4,
            c,
        ]
    };
    let at = |row: usize, column: usize| f64::from(filter[3 * row + column]);
    let columns = [0, 1, 2].map(|column| transform([at(0, column), at(1, column), at(2, column)]));
    let mut points = [0.0; POINTS];
    for row in 0..IN {
        let line = transform([columns[0][row], columns[1][row], columns[2][row]]);
        for (point, value) in points[IN * row..].iter_mut().zip(line) {
            *point = value as f32;
        }
    }
    points
}

/// The tiles as a convolution's outputs: of 6 pixels, with a stride of 4. Its layout puts what neighbouring tiles read side
/// by side.
fn tile_geometry(geometry: &Geometry) -> Geometry {
    let tiled = |axis: Axis| Axis {
        out: axis.out.div_ceil(OUT),
        ..axis
    };
    Geometry {
        kernel: IN,
        stride: OUT,
        rows: tiled(geometry.rows),
        columns: tiled(geometry.columns),
        ..*geometry
    }
}

/// A buffer written by several threads at places that do not overlap.
#[derive(Clone, Copy)]
struct Shared(*mut f32);

impl Shared {
    fn get(self) -> *mut f32 {
        self.0
    }
}

// SAFETY: every piece of work writes numbers of its own, and what is read was written before the work began.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

/// Neighbouring tiles of one row of tiles.
struct Run {
    picture: usize,
    row: usize,
    column: usize,
    /// Where they stand in the panel, and how many they are.
    place: usize,
    count: usize,
}

/// Some tiles that are worked on together, at most a register tile's width.
struct Panel {
    runs: Vec<Run>,
    /// Numbers from one channel's tiles to the next: whole registers.
    width: usize,
    before: Points,
    behind: Points,
}

/// A panel's numbers before or behind the products.
#[derive(Clone, Copy)]
struct Points {
    /// Where they begin.
    start: usize,
    /// From one point to the next.
    stride: usize,
}

impl Points {
    /// A line of the cache more than the numbers need: else all points of a channel would share a place in it.
    fn stride(channels: usize, width: usize) -> usize {
        channels * width + WIDEST
    }

    fn row(self, point: usize, channel: usize, width: usize) -> usize {
        self.start + point * self.stride + channel * width
    }
}

/// One call.
struct Pass<'a> {
    weights: &'a WinogradWeights,
    geometry: &'a Geometry,
    tiles: &'a Geometry,
    layout: PlaneLayout,
    source: &'a [f32],
    residual: Option<&'a [f32]>,
    activation: Activation,
    output: Shared,
}

impl Pass<'_> {
    fn panels(&self, tiles: Range<usize>) -> Vec<Panel> {
        let isa = self.weights.isa;
        let mut panels = Vec::new();
        let [mut before, mut behind] =
            [self.weights.in_channels, self.weights.out_channels].map(|channels| (channels, 0));
        let next = |(channels, start): &mut (usize, usize), width: usize| {
            let stride = Points::stride(*channels, width);
            let points = Points {
                start: *start,
                stride,
            };
            *start += POINTS * stride;
            points
        };
        for first in tiles.clone().step_by(isa.width()) {
            let own = first..tiles.end.min(first + isa.width());
            let width = own.len().next_multiple_of(isa.lanes());
            panels.push(Panel {
                runs: self.runs(own),
                width,
                before: next(&mut before, width),
                behind: next(&mut behind, width),
            });
        }
        panels
    }

    fn runs(&self, tiles: Range<usize>) -> Vec<Run> {
        let (height, width) = (self.tiles.rows.out, self.tiles.columns.out);
        let mut runs = Vec::new();
        let mut tile = tiles.start;
        while tile < tiles.end {
            let column = tile % width;
            let count = (width - column).min(tiles.end - tile);
            runs.push(Run {
                picture: tile / (height * width),
                row: tile / width % height,
                column,
                place: tile - tiles.start,
                count,
            });
            tile += count;
        }
        runs
    }

    /// From pixels to outputs of some tiles, in three steps with all threads.
    fn group(&self, tiles: Range<usize>, [before, behind]: [Shared; 2]) {
        let weights = self.weights;
        let isa = weights.isa;
        let panels = self.panels(tiles);
        let pieces = |count: usize, step: usize| -> Vec<(usize, Range<usize>)> {
            let panels = 0..panels.len();
            let of = |panel| {
                let starts = (0..count).step_by(step);
                starts.map(move |start| (panel, start..count.min(start + step)))
            };
            panels.flat_map(of).collect()
        };
        let (panels, pass) = (&panels, self);
        let work = pieces(weights.in_channels, CHANNELS);
        work.into_par_iter().for_each(|(panel, channels)| {
            isa.run(ToPoints {
                pass,
                panel: &panels[panel],
                channels,
                before,
            });
        });
        let work = pieces(POINTS, 1);
        work.into_par_iter().for_each(|(panel, point)| {
            isa.run(Products {
                weights,
                panel: &panels[panel],
                point: point.start,
                before,
                behind,
            });
        });
        let work = pieces(weights.out_channels, CHANNELS);
        work.into_par_iter().for_each(|(panel, channels)| {
            isa.run(FromPoints {
                pass,
                panel: &panels[panel],
                channels,
                behind,
            });
        });
    }
}

/// `y - x`.
#[inline(always)]
unsafe fn less<V: Lanes>(y: V, x: V) -> V {
    // SAFETY: the caller vouches for the instructions of `V`.
    unsafe { x.mul_add(V::splat(-1.0), y) }
}

/// `factor * x + y`.
#[inline(always)]
unsafe fn plus<V: Lanes>(y: V, factor: f32, x: V) -> V {
    // SAFETY: the caller vouches for the instructions of `V`.
    unsafe { x.mul_add(V::splat(factor), y) }
}

/// Pixels to points along one side: `B^T`.
#[inline(always)]
unsafe fn forward<V: Lanes>(d: [V; IN]) -> [V; IN] {
    // SAFETY: the caller vouches for the instructions of `V`.
    unsafe {
        let (even, odd) = (plus(d[4], -4.0, d[2]), plus(d[3], -4.0, d[1]));
        let (even2, odd2) = (less(d[4], d[2]), less(d[3], d[1]));
        [
            plus(plus(d[4], -5.0, d[2]), 4.0, d[0]),
            even.add(odd),
            less(even, odd),
            plus(even2, 2.0, odd2),
            plus(even2, -2.0, odd2),
            plus(plus(d[5], -5.0, d[3]), 4.0, d[1]),
        ]
    }
}

/// Points to outputs along one side: `A^T`.
#[inline(always)]
unsafe fn back<V: Lanes>(m: [V; IN]) -> [V; OUT] {
    // SAFETY: the caller vouches for the instructions of `V`.
    unsafe {
        let (sum, difference) = (m[1].add(m[2]), less(m[1], m[2]));
        let (sum2, difference2) = (m[3].add(m[4]), less(m[3], m[4]));
        [
            m[0].add(sum).add(sum2),
            plus(difference, 2.0, difference2),
            plus(sum, 4.0, sum2),
            plus(difference, 8.0, difference2).add(m[5]),
        ]
    }
}

/// The points of some channels of a panel's tiles.
struct ToPoints<'a> {
    pass: &'a Pass<'a>,
    panel: &'a Panel,
    channels: Range<usize>,
    before: Shared,
}

impl Task for ToPoints<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes, const ROWS: usize, const N: usize>(self) {
        let (pass, panel) = (self.pass, self.panel);
        let in_channels = pass.weights.in_channels;
        for channel in self.channels.clone() {
            // What the runs leave of the rows is multiplied like the rest.
            let tiles = panel.runs.iter().map(|run| run.count).sum::<usize>();
            for point in 0..POINTS {
                let row = panel.before.row(point, channel, panel.width);
                // SAFETY: the row has `panel.width` numbers, less than a register of them behind the tiles.
                unsafe {
                    let to = self.before.get().add(row + tiles);
                    store_part(V::splat(0.0), to, panel.width - tiles);
                }
            }
            for run in &panel.runs {
                let plane = (run.picture * in_channels + channel) * pass.layout.plane;
                let start = plane + pass.layout.output(run.row, run.column);
                for done in (0..run.count).step_by(V::COUNT) {
                    // SAFETY: the caller vouches for the instructions of `V`; `load` keeps within the source, and of a
                    // row no more is written than it has room for. What spills over a run is overwritten by the next.
                    unsafe {
                        let points = self.points::<V>(start + done);
                        let place = run.place + done;
                        for (point, &values) in points.iter().flatten().enumerate() {
                            let row = panel.before.row(point, channel, panel.width);
                            let to = self.before.get().add(row + place);
                            store_part(values, to, panel.width - place);
                        }
                    }
                }
            }
        }
    }
}

impl ToPoints<'_> {
    #[inline(always)]
    unsafe fn points<V: Lanes>(&self, start: usize) -> [[V; IN]; IN] {
        let layout = &self.pass.layout;
        // SAFETY: the caller vouches for the instructions of `V`.
        unsafe {
            let zero = V::splat(0.0);
            let mut rows = [[zero; IN]; IN];
            for (y, row) in rows.iter_mut().enumerate() {
                let mut pixels = [zero; IN];
                for (x, pixel) in pixels.iter_mut().enumerate() {
                    *pixel = self.load(start + layout.tap(y, x));
                }
                *row = forward(pixels);
            }
            let mut points = [[zero; IN]; IN];
            for x in 0..IN {
                let column = forward([
                    rows[0][x], rows[1][x], rows[2][x], rows[3][x], rows[4][x], rows[5][x],
                ]);
                for (row, value) in points.iter_mut().zip(column) {
                    row[x] = value;
                }
            }
            points
        }
    }

    /// A register of the source, or what is left of it.
    #[inline(always)]
    unsafe fn load<V: Lanes>(&self, at: usize) -> V {
        let rest = &self.pass.source[at..];
        // SAFETY: no more is read than is left.
        unsafe { load_part(rest.as_ptr(), rest.len()) }
    }
}

/// The channels' product at one point of a panel's tiles.
struct Products<'a> {
    weights: &'a WinogradWeights,
    panel: &'a Panel,
    point: usize,
    before: Shared,
    behind: Shared,
}

impl Task for Products<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes, const ROWS: usize, const N: usize>(self) {
        // SAFETY: the caller vouches for the instructions of `V`, and a panel is at most `N` registers wide.
        unsafe {
            match self.panel.width / V::COUNT {
                1 => self.multiply::<V, ROWS, 1>(),
                2 => self.multiply::<V, ROWS, 2>(),
                _ => self.multiply::<V, ROWS, N>(),
            }
        }
    }
}

impl Products<'_> {
    #[inline(always)]
    unsafe fn multiply<V: Lanes, const ROWS: usize, const N: usize>(&self) {
        let (weights, panel) = (self.weights, self.panel);
        let depth = weights.in_channels;
        let blocks = weights.out_channels.div_ceil(ROWS);
        let own = &weights.weights[self.point * blocks * ROWS * depth..][..blocks * ROWS * depth];
        // SAFETY: the panel has `depth` rows of `N` registers at this point before the product and one for each output
        // channel behind it.
        unsafe {
            let right = self.before.get().add(panel.before.row(self.point, 0, 0));
            let target = self.behind.get().add(panel.behind.row(self.point, 0, 0));
            for block in 0..blocks {
                let left = own[block * ROWS * depth..].as_ptr();
                let sums = accumulate([[V::splat(0.0); N]; ROWS], left, right, depth);
                let channels = ROWS.min(weights.out_channels - block * ROWS);
                for (row, sums) in sums.into_iter().enumerate().take(channels) {
                    let to = target.add((block * ROWS + row) * panel.width);
                    for (register, sum) in sums.into_iter().enumerate() {
                        sum.store(to.add(register * V::COUNT));
                    }
                }
            }
        }
    }
}

/// The outputs of some channels of a panel's tiles.
struct FromPoints<'a> {
    pass: &'a Pass<'a>,
    panel: &'a Panel,
    channels: Range<usize>,
    behind: Shared,
}

impl Task for FromPoints<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes, const ROWS: usize, const N: usize>(self) {
        for channel in self.channels.clone() {
            for run in &self.panel.runs {
                for done in (0..run.count).step_by(V::COUNT) {
                    // SAFETY: the caller vouches for the instructions of `V`.
                    unsafe { self.tiles::<V>(channel, run, done) };
                }
            }
        }
    }
}

impl FromPoints<'_> {
    /// A register of tiles, from number `done` of the run on.
    #[inline(always)]
    unsafe fn tiles<V: Lanes>(&self, channel: usize, run: &Run, done: usize) {
        let (pass, panel) = (self.pass, self.panel);
        let out_channels = pass.weights.out_channels;
        let place = run.place + done;
        // SAFETY: a row has `panel.width` numbers, of which no more are read than stand behind `place`.
        let rows = unsafe {
            let zero = V::splat(0.0);
            let mut points = [[zero; IN]; IN];
            for (point, value) in points.iter_mut().flatten().enumerate() {
                let row = panel.behind.row(point, channel, panel.width);
                let from = self.behind.get().add(row + place);
                *value = load_part(from, panel.width - place);
            }
            let mut columns = [[zero; IN]; OUT];
            for x in 0..IN {
                let column = back([
                    points[0][x],
                    points[1][x],
                    points[2][x],
                    points[3][x],
                    points[4][x],
                    points[5][x],
                ]);
                for (row, value) in columns.iter_mut().zip(column) {
                    row[x] = value;
                }
            }
            let mut rows = [[zero; OUT]; OUT];
            for (row, points) in rows.iter_mut().zip(columns) {
                *row = back(points);
            }
            rows
        };
        let (height, width) = (pass.geometry.rows.out, pass.geometry.columns.out);
        let tiles = V::COUNT.min(run.count - done);
        let left = OUT * (run.column + done);
        let count = (OUT * tiles).min(width - left);
        let plane = (run.picture * out_channels + channel) * height * width;
        for (y, row) in rows.into_iter().enumerate() {
            let line = OUT * run.row + y;
            if line < height {
                // SAFETY: `count` outputs of this line are left from `left` on.
                unsafe { self.finish(channel, row, plane + line * width + left, count) };
            }
        }
    }

    /// Sets the tiles' outputs of one line side by side, adds what is to be added and writes `count` of them.
    #[inline(always)]
    unsafe fn finish<V: Lanes>(&self, channel: usize, row: [V; OUT], at: usize, count: usize) {
        let mut apart = [[0.0_f32; WIDEST]; OUT];
        let mut line = [0.0_f32; OUT * WIDEST];
        for (buffer, values) in apart.iter_mut().zip(row) {
            // SAFETY: a buffer holds any register.
            unsafe { values.store(buffer.as_mut_ptr()) };
        }
        for (tile, outputs) in line.as_chunks_mut::<OUT>().0.iter_mut().enumerate() {
            *outputs = [
                apart[0][tile],
                apart[1][tile],
                apart[2][tile],
                apart[3][tile],
            ];
        }
        let pass = self.pass;
        for done in (0..count).step_by(V::COUNT) {
            // SAFETY: `count` outputs are left from `at` on, here and in the residual, and the line holds them all.
            unsafe {
                let sum =
                    V::load(line.as_ptr().add(done)).add(V::splat(pass.weights.bias[channel]));
                let sum = match pass.residual {
                    Some(residual) => {
                        sum.add(load_part(residual.as_ptr().add(at + done), count - done))
                    }
                    None => sum,
                };
                let values = pass.activation.apply_lanes(sum);
                store_part(values, pass.output.get().add(at + done), count - done);
            }
        }
    }
}
