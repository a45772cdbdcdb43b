//! Exact nearest centres with most of the work skipped: a cheap lower bound rules out nearly all centres of a patch.
//!
//! With an orthonormal projection to a few directions, `|f - c|^2 >= |f' - c'|^2 + (|f''| - |c''|)^2`, where `'` is the
//! projection and `''` the rest (Cauchy-Schwarz). Appending `|c''|` as one more coordinate makes the bound itself a squared
//! distance. Distances that count are computed from the unprojected values, so the projection only costs or saves time.

#![expect(
    clippy::inline_always,
    reason = "only inlined code is compiled for the instruction set that was chosen"
)]

use candle_core::{Device, Result, Tensor};

use super::principal::principal_directions;
use super::simd::{Block, Kernel, LANES, Panels, ROWS, squared_distance};

/// Directions kept. In a bank of 448 dimensions the first 32 hold about 94 % of the variance and leave about 15 centres per
/// patch to look at; more directions cost more than the few centres they rule out besides.
const DIRECTIONS: usize = 32;

/// How the centres look from a few directions, laid out for the inner loop.
#[derive(Debug, Clone)]
pub(super) struct Projection {
    mean: Vec<f32>,
    onto: Panels,
    back: Panels,
    centres: Panels,
    /// Half the squared norms of the projected centres; infinite where the last panel is filled up.
    half_norms: Vec<[f32; LANES]>,
    largest_norm: f32,
    /// Rounding allowance of the bound, relative to the squared norms involved.
    slack: f32,
}

/// Centres looked at first to get a good limit early, at most.
const SEEDS: usize = 8;

/// Buffers of one worker.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    block: Vec<Block>,
    low: Vec<Block>,
    bounds: Vec<[[f32; LANES]; ROWS]>,
    minima: Vec<Block>,
}

impl Projection {
    /// Prepares the search among `centres` (N, D); `None` where looking at every centre is just as quick.
    pub(super) fn new(centres: &[f32], width: usize) -> Result<Option<Self>> {
        let count = centres.len() / width.max(1);
        if width < 2 * DIRECTIONS || count < 8 * LANES {
            return Ok(None);
        }
        let mean = mean_row(centres, width);
        let centred: Vec<f32> = centres
            .chunks_exact(width)
            .flat_map(|row| row.iter().zip(&mean).map(|(c, m)| c - m))
            .collect();
        let rows = principal_directions(
            &Tensor::from_vec(centred, (count, width), &Device::Cpu)?,
            DIRECTIONS,
        )?;
        let onto = Panels::new(width, DIRECTIONS, |i, j| rows[j][i]);
        let back = Panels::new(DIRECTIONS, width, |i, j| rows[i][j]);
        let mut projection = Self {
            mean,
            onto,
            back,
            centres: Panels::new(1, 0, |_, _| 0.0),
            half_norms: Vec::new(),
            largest_norm: 0.0,
            // Sums of `width` products round by a few units in the last place each, far less than all of them together.
            slack: 4.0 * width as f32 * f32::EPSILON,
        };
        projection.place(centres, width);
        Ok(Some(projection))
    }

    fn place(&mut self, centres: &[f32], width: usize) {
        let count = centres.len() / width;
        let mut scratch = Scratch::default();
        let mut low = Vec::with_capacity(count);
        for rows in centres.chunks(ROWS * width) {
            let norms = super::simd::dispatch(Project {
                projection: self,
                rows,
                scratch: &mut scratch,
            });
            for r in 0..rows.len() / width {
                low.push((
                    norms[r],
                    scratch
                        .low
                        .iter()
                        .map(|block| block[r])
                        .collect::<Vec<f32>>(),
                ));
            }
        }
        self.centres = Panels::new(DIRECTIONS + 1, count, |i, j| low[j].1[i]);
        self.half_norms = vec![[f32::INFINITY; LANES]; count.div_ceil(LANES)];
        for (j, (norm, _)) in low.iter().enumerate() {
            self.half_norms[j / LANES][j % LANES] = norm / 2.0;
            self.largest_norm = self.largest_norm.max(*norm);
        }
    }

    /// Fills `scratch.low` with the projections of up to `ROWS` rows and the norms of their rests; returns the squared norms
    /// of the two together.
    #[inline(always)]
    fn project<const FUSED: bool>(&self, rows: &[f32], scratch: &mut Scratch) -> Block {
        let width = self.mean.len();
        let last = rows.len() / width - 1;
        scratch.block.clear();
        scratch.block.extend((0..width).map(|i| {
            let mut block = [0.0; ROWS];
            for (r, value) in block.iter_mut().enumerate() {
                *value = rows[r.min(last) * width + i] - self.mean[i];
            }
            block
        }));
        scratch.low.clear();
        for panel in 0..self.onto.count() {
            let product = self.onto.multiply::<FUSED>(&scratch.block, panel);
            scratch
                .low
                .extend((0..LANES).map(|lane| product.map(|row| row[lane])));
        }
        scratch.low.truncate(DIRECTIONS);
        let mut rest = [0.0_f32; ROWS];
        for panel in 0..self.back.count() {
            let product = self.back.multiply::<FUSED>(&scratch.low, panel);
            for (lane, block) in scratch
                .block
                .iter()
                .skip(panel * LANES)
                .take(LANES)
                .enumerate()
            {
                for r in 0..ROWS {
                    let difference = block[r] - product[r][lane];
                    rest[r] += difference * difference;
                }
            }
        }
        scratch.low.push(rest.map(f32::sqrt));
        let mut norms = [0.0; ROWS];
        for low in &scratch.low {
            for r in 0..ROWS {
                norms[r] += low[r] * low[r];
            }
        }
        norms
    }

    /// Half the bounds of every centre, less half the patch's own norm, and their minimum in each panel.
    #[inline(always)]
    fn bound<const FUSED: bool>(&self, scratch: &mut Scratch) {
        scratch.bounds.clear();
        scratch.minima.clear();
        for (panel, half_norms) in self.half_norms.iter().enumerate() {
            let mut bounds = self.centres.multiply::<FUSED>(&scratch.low, panel);
            let mut minima = [0.0; ROWS];
            for row in 0..ROWS {
                for lane in 0..LANES {
                    bounds[row][lane] = half_norms[lane] - bounds[row][lane];
                }
                minima[row] = minimum(bounds[row]);
            }
            scratch.bounds.push(bounds);
            scratch.minima.push(minima);
        }
    }

    /// What [`Projection::bound`] may at most give a centre whose squared distance is `squared`, rounding allowed for.
    #[inline(always)]
    fn highest_bound(&self, squared: f32, norm: f32) -> f32 {
        0.5 * (squared - norm + self.slack * (squared + norm + self.largest_norm))
    }
}

fn mean_row(centres: &[f32], width: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; width];
    for row in centres.chunks_exact(width) {
        sums.iter_mut()
            .zip(row)
            .for_each(|(sum, &value)| *sum += f64::from(value));
    }
    let count = (centres.len() / width) as f64;
    sums.into_iter().map(|sum| (sum / count) as f32).collect()
}

/// The smallest value, by halving, which compiles to vector instructions.
#[inline(always)]
fn minimum(mut values: [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            let other = values[lane + half];
            values[lane] = if other < values[lane] {
                other
            } else {
                values[lane]
            };
        }
        half /= 2;
    }
    values[0]
}

struct Project<'a> {
    projection: &'a Projection,
    rows: &'a [f32],
    scratch: &'a mut Scratch,
}

impl Kernel for Project<'_> {
    type Output = Block;

    #[inline(always)]
    fn run<const FUSED: bool>(self) -> Block {
        self.projection.project::<FUSED>(self.rows, self.scratch)
    }
}

/// The `count` nearest of `centres` for each row of `patches`, ascending, the earlier centre first among equals.
pub(super) struct Search<'a> {
    pub(super) projection: Option<&'a Projection>,
    pub(super) centres: &'a [f32],
    pub(super) patches: &'a [f32],
    pub(super) width: usize,
    pub(super) scratch: &'a mut Scratch,
    /// Filled with `count` centre numbers per patch.
    pub(super) indices: &'a mut [u32],
    /// Filled with `count` squared distances per patch.
    pub(super) squared: &'a mut [f32],
    pub(super) count: usize,
}

impl Kernel for Search<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let answers = self
            .indices
            .chunks_mut(ROWS * self.count)
            .zip(self.squared.chunks_mut(ROWS * self.count));
        for (rows, (indices, squared)) in self.patches.chunks(ROWS * self.width).zip(answers) {
            let mut norms = [0.0; ROWS];
            if let Some(projection) = self.projection {
                norms = projection.project::<FUSED>(rows, self.scratch);
                projection.bound::<FUSED>(self.scratch);
            }
            let answers = indices
                .chunks_exact_mut(self.count)
                .zip(squared.chunks_exact_mut(self.count));
            for (row, (patch, (indices, squared))) in
                rows.chunks_exact(self.width).zip(answers).enumerate()
            {
                let mut best = Best::new(indices, squared);
                let search = PatchSearch {
                    patch,
                    centres: self.centres,
                    scratch: self.scratch,
                    row,
                    norm: norms[row],
                };
                match self.projection {
                    Some(projection) => {
                        search.seeds::<FUSED>(&mut best);
                        search.survivors::<FUSED>(projection, &mut best);
                    }
                    None => search.all::<FUSED>(&mut best),
                }
            }
        }
    }
}

/// The search for one patch, whose bounds are in the scratch's `row`.
struct PatchSearch<'a> {
    patch: &'a [f32],
    centres: &'a [f32],
    scratch: &'a Scratch,
    row: usize,
    /// Squared norm of the projected patch.
    norm: f32,
}

// No closures here: what calls `offer` must be compiled for the caller's instruction set.
impl PatchSearch<'_> {
    #[inline(always)]
    fn offer<const FUSED: bool>(&self, n: usize, best: &mut Best) {
        let width = self.patch.len();
        best.offer(
            n,
            squared_distance::<FUSED>(self.patch, &self.centres[n * width..][..width]),
        );
    }

    #[inline(always)]
    fn all<const FUSED: bool>(&self, best: &mut Best) {
        for n in 0..self.centres.len() / self.patch.len() {
            self.offer::<FUSED>(n, best);
        }
    }

    /// Offers as many centres as are wanted, with small bounds: the best of each of the best panels.
    #[inline(always)]
    fn seeds<const FUSED: bool>(&self, best: &mut Best) {
        let (mut panels, mut minima) = ([u32::MAX; SEEDS], [f32::INFINITY; SEEDS]);
        let count = best.len().min(SEEDS);
        let mut best_panels = Best::new(&mut panels[..count], &mut minima[..count]);
        for (panel, block) in self.scratch.minima.iter().enumerate() {
            best_panels.offer(panel, block[self.row]);
        }
        for (&panel, &lowest) in best_panels.indices.iter().zip(best_panels.squared.iter()) {
            let Some(bounds) = self.scratch.bounds.get(panel as usize) else {
                continue;
            };
            if let Some(lane) = bounds[self.row].iter().position(|&bound| bound == lowest) {
                self.offer::<FUSED>(panel as usize * LANES + lane, best);
            }
        }
    }

    /// Offers every centre whose bound does not rule it out. Comparisons are written so that NaN rules nothing out.
    #[inline(always)]
    fn survivors<const FUSED: bool>(&self, projection: &Projection, best: &mut Best) {
        let count = self.centres.len() / self.patch.len();
        let mut highest = projection.highest_bound(best.worst(), self.norm);
        for (panel, minima) in self.scratch.minima.iter().enumerate() {
            if minima[self.row] > highest {
                continue;
            }
            for (lane, &bound) in self.scratch.bounds[panel][self.row].iter().enumerate() {
                let n = panel * LANES + lane;
                if bound > highest || n >= count || best.contains(n) {
                    continue;
                }
                self.offer::<FUSED>(n, best);
                highest = projection.highest_bound(best.worst(), self.norm);
            }
        }
    }
}

/// The best answers so far, ascending by distance, then by centre.
struct Best<'a> {
    indices: &'a mut [u32],
    squared: &'a mut [f32],
}

impl<'a> Best<'a> {
    #[inline(always)]
    fn new(indices: &'a mut [u32], squared: &'a mut [f32]) -> Self {
        indices.fill(u32::MAX);
        squared.fill(f32::INFINITY);
        Self { indices, squared }
    }

    #[inline(always)]
    fn len(&self) -> usize {
        self.indices.len()
    }

    #[inline(always)]
    fn worst(&self) -> f32 {
        self.squared.last().copied().unwrap_or(f32::INFINITY)
    }

    #[inline(always)]
    fn contains(&self, n: usize) -> bool {
        self.indices.contains(&(n as u32))
    }

    /// Takes a candidate in if it belongs among the best. A distance that is not a number counts as infinite.
    #[inline(always)]
    fn offer(&mut self, n: usize, squared: f32) {
        let n = n as u32;
        let squared = if squared.is_nan() {
            f32::INFINITY
        } else {
            squared
        };
        let mut slot = self.len();
        while slot > 0 && (squared, n) < (self.squared[slot - 1], self.indices[slot - 1]) {
            slot -= 1;
            if slot + 1 < self.len() {
                self.indices[slot + 1] = self.indices[slot];
                self.squared[slot + 1] = self.squared[slot];
            }
        }
        if slot < self.len() {
            self.indices[slot] = n;
            self.squared[slot] = squared;
        }
    }
}
