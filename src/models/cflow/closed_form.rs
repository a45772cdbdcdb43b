//! One training step of a flow with its gradient written out. Activations of one block of fibres are kept (a few MB);
//! each gradient is used by the optimiser the moment it is known and never stored as a whole.
//!
//! Rows and columns of the grid are coded apart, so the subnet's first layer sees `h + w` position codes instead of one a
//! fibre: `W [x; c_column; c_row] = W_x x + (W_column c_column)[j] + (W_row c_row)[i]`, and likewise backwards.
//!
//! Fibres are worked on in chunks of fixed size and sums have a fixed order: results do not depend on the number of cores.

#![expect(
    clippy::inline_always,
    reason = "only inlined code is compiled for the instruction set that was chosen"
)]

use rayon::prelude::*;

use super::clamp::Clamp;
use super::condition::PositionCode;
use super::fibres::{Fibres, Place};
use super::flow::{Block, DAMPING, Flow, FlowShape, gain, gain_slope};
use super::likelihood::{loss, loss_slope, per_dimension};
use crate::ops::adam::{AdamStep, Slices};
use crate::ops::matmul::{Target, View, multiply};
use crate::ops::simd::{Kernel, dispatch, multiply_add};

/// Fibres that go through all blocks together, on one core.
const ROWS: usize = 64;
/// Rows of a weight matrix whose gradient is computed and used together.
const TILE: usize = 32;

/// What the optimiser remembers of one parameter array.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moments {
    pub(super) first: Vec<f32>,
    pub(super) second: Vec<f32>,
}

/// Moments of a block's parameters, in the order of [`Block::parameters`].
pub(super) type BlockMoments = [Moments; 6];

/// No memory of any gradient.
pub(super) fn fresh_moments(flow: &Flow) -> Vec<BlockMoments> {
    let fresh = |values: &[f32]| Moments {
        first: vec![0.0; values.len()],
        second: vec![0.0; values.len()],
    };
    let block = |block: &Block| block.parameters().map(fresh);
    flow.blocks.iter().map(block).collect()
}

/// What is done with a gradient.
pub(super) trait Update: Sync {
    fn update(&self, parameters: Slices, gradient: &[f32]);
}

impl Update for AdamStep {
    fn update(&self, parameters: Slices, gradient: &[f32]) {
        self.apply(parameters, gradient);
    }
}

/// Buffers of a training step, kept from one to the next.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    blocks: Vec<BlockSpace>,
    /// `(N, C)`: the last block's result, then the gradient on its way back.
    travelling: Vec<f32>,
    /// `(N, C)`: what is rotated.
    unrotated: Vec<f32>,
    places: Vec<Place>,
    fibres: Vec<FibreResult>,
}

#[derive(Debug, Clone, Copy, Default)]
struct FibreResult {
    log_det: f64,
    loss: f64,
    /// Derivative of the mean loss by the fibre's log-likelihood.
    slope: f32,
}

/// What one block keeps of its way forward, and what its way back leaves for the weight gradients. N fibres.
#[derive(Debug, Default)]
struct BlockSpace {
    /// `(N, C)`
    input: Vec<f32>,
    /// `(N, hidden)`, rectified.
    hidden: Vec<f32>,
    /// `(N, outputs)`: the subnet's damped output, then its gradient before damping.
    output: Vec<f32>,
    /// `(N, transformed)`: clamped log-scales, and what they multiply with.
    log_scale: Vec<f32>,
    stretch: Vec<f32>,
    /// `(N, transformed)`: the transformed half before the global affine.
    coupled: Vec<f32>,
    /// `(N, hidden)`
    hidden_gradient: Vec<f32>,
    /// `(chunks, 2, C)`: gradients of gains and offsets.
    sums: Vec<f32>,
}

impl Workspace {
    fn prepare(&mut self, shape: FlowShape, blocks: usize, count: usize) {
        let chunks = count.div_ceil(ROWS);
        self.blocks.resize_with(blocks, BlockSpace::default);
        for block in &mut self.blocks {
            block.input.resize(count * shape.channels, 0.0);
            block.hidden.resize(count * shape.hidden(), 0.0);
            block.hidden_gradient.resize(count * shape.hidden(), 0.0);
            block.output.resize(count * shape.outputs(), 0.0);
            for part in [&mut block.log_scale, &mut block.stretch, &mut block.coupled] {
                part.resize(count * shape.transformed(), 0.0);
            }
            block.sums.resize(chunks * 2 * shape.channels, 0.0);
        }
        self.travelling.resize(count * shape.channels, 0.0);
        self.unrotated.resize(count * shape.channels, 0.0);
        self.places.resize(count, Place::default());
        self.fibres.resize(count, FibreResult::default());
    }

    /// The buffers cut into chunks of fibres, each with its part of every block.
    fn chunks(&mut self, shape: FlowShape) -> Vec<Chunk<'_>> {
        let wide = ROWS * shape.channels;
        let mut chunks: Vec<Chunk> = self
            .travelling
            .chunks_mut(wide)
            .zip(self.unrotated.chunks_mut(wide))
            .zip(self.places.chunks_mut(ROWS))
            .zip(self.fibres.chunks_mut(ROWS))
            .map(|(((travelling, unrotated), places), fibres)| Chunk {
                shape,
                travelling,
                unrotated,
                places,
                fibres,
                blocks: Vec::new(),
            })
            .collect();
        for block in &mut self.blocks {
            let mut input = block.input.chunks_mut(wide);
            let mut hidden = block.hidden.chunks_mut(ROWS * shape.hidden());
            let mut hidden_gradient = block.hidden_gradient.chunks_mut(ROWS * shape.hidden());
            let mut output = block.output.chunks_mut(ROWS * shape.outputs());
            let mut log_scale = block.log_scale.chunks_mut(ROWS * shape.transformed());
            let mut stretch = block.stretch.chunks_mut(ROWS * shape.transformed());
            let mut coupled = block.coupled.chunks_mut(ROWS * shape.transformed());
            let mut sums = block.sums.chunks_mut(2 * shape.channels);
            for chunk in &mut chunks {
                chunk.blocks.push(BlockRows {
                    input: input.next().unwrap_or_default(),
                    hidden: hidden.next().unwrap_or_default(),
                    hidden_gradient: hidden_gradient.next().unwrap_or_default(),
                    output: output.next().unwrap_or_default(),
                    log_scale: log_scale.next().unwrap_or_default(),
                    stretch: stretch.next().unwrap_or_default(),
                    coupled: coupled.next().unwrap_or_default(),
                    sums: sums.next().unwrap_or_default(),
                });
            }
        }
        chunks
    }
}

/// What all fibres of a step share in one block.
struct BlockTables {
    /// `(h, hidden)` with the bias, and `(w, hidden)`: the first layer's share of the position code.
    rows: Vec<f32>,
    columns: Vec<f32>,
    gains: Vec<f32>,
    damped_bias: Vec<f32>,
}

/// The first layer's share of the position code: `(h, hidden)` with the bias, and `(w, hidden)`.
pub(super) fn position_tables(
    block: &Block,
    shape: FlowShape,
    code: &PositionCode,
) -> (Vec<f32>, Vec<f32>) {
    let (inputs, hidden) = (shape.inputs(), shape.hidden());
    let (height, width) = code.grid();
    let part = |from: usize| View::new(&block.weight1[from..], code.half, inputs).transposed();
    let mut rows: Vec<f32> = std::iter::repeat_n(&block.bias1, height)
        .flatten()
        .copied()
        .collect();
    let mut columns = vec![0.0; width * hidden];
    let codes = |values| View::new(values, code.half, code.half);
    let (column_part, row_part) = (shape.conditioning(), shape.conditioning() + code.half);
    multiply(
        codes(&code.rows),
        part(row_part),
        &mut rows,
        hidden,
        Target::AddTo,
    );
    multiply(
        codes(&code.columns),
        part(column_part),
        &mut columns,
        hidden,
        Target::Replace,
    );
    (rows, columns)
}

impl BlockTables {
    fn new(block: &Block, shape: FlowShape, code: &PositionCode) -> Self {
        let (rows, columns) = position_tables(block, shape, code);
        Self {
            rows,
            columns,
            gains: block.scale.iter().map(|&raw| gain(raw)).collect(),
            damped_bias: block.bias2.iter().map(|bias| bias * DAMPING).collect(),
        }
    }
}

/// Some fibres on their way through all blocks.
struct Chunk<'a> {
    shape: FlowShape,
    travelling: &'a mut [f32],
    unrotated: &'a mut [f32],
    places: &'a mut [Place],
    fibres: &'a mut [FibreResult],
    blocks: Vec<BlockRows<'a>>,
}

/// One block's part of a [`Chunk`]; see [`BlockSpace`].
struct BlockRows<'a> {
    input: &'a mut [f32],
    hidden: &'a mut [f32],
    hidden_gradient: &'a mut [f32],
    output: &'a mut [f32],
    log_scale: &'a mut [f32],
    stretch: &'a mut [f32],
    coupled: &'a mut [f32],
    sums: &'a mut [f32],
}

impl Chunk<'_> {
    fn forward(&mut self, flow: &Flow, tables: &[BlockTables]) {
        let shape = self.shape;
        self.fibres.fill(FibreResult::default());
        for (index, (block, tables)) in flow.blocks.iter().zip(tables).enumerate() {
            let (now, later) = self.blocks.split_at_mut(index + 1);
            let Some(rows) = now.last_mut() else { continue };
            let next = match later.first_mut() {
                Some(later) => &mut *later.input,
                None => &mut *self.travelling,
            };
            fill_hidden(rows.hidden, self.places, &tables.rows, &tables.columns);
            let weight = View::new(&block.weight1, shape.conditioning(), shape.inputs());
            multiply(
                View::new(rows.input, shape.conditioning(), shape.channels),
                weight.transposed(),
                rows.hidden,
                shape.hidden(),
                Target::AddTo,
            );
            rectify(rows.hidden);
            multiply(
                View::new(rows.hidden, shape.hidden(), shape.hidden()),
                View::new(&block.weight2, shape.hidden(), shape.hidden()).transposed(),
                rows.output,
                shape.outputs(),
                Target::Replace,
            );
            dispatch(Couple {
                shape,
                clamp: flow.clamp,
                rows,
                tables,
                offset: &block.offset,
                unrotated: self.unrotated,
                fibres: self.fibres,
            });
            multiply(
                View::new(self.unrotated, shape.channels, shape.channels),
                View::new(&block.rotation, shape.channels, shape.channels).transposed(),
                next,
                shape.channels,
                Target::Replace,
            );
        }
    }

    /// Loss of each fibre, and the gradient of the mean loss by the last block's result.
    fn judge(&mut self, log_gains: f64, count: usize) {
        let channels = self.shape.channels;
        let rows = self.travelling.chunks_exact_mut(channels);
        for (latent, fibre) in rows.zip(self.fibres.iter_mut()) {
            let likelihood = per_dimension(latent, fibre.log_det + log_gains);
            fibre.loss = loss(likelihood);
            fibre.slope = (loss_slope(likelihood) / (channels * count) as f64) as f32;
            for value in latent {
                *value *= -fibre.slope;
            }
        }
    }

    fn backward(&mut self, flow: &Flow, tables: &[BlockTables]) {
        let shape = self.shape;
        for (index, (block, tables)) in flow.blocks.iter().zip(tables).enumerate().rev() {
            let Some(rows) = self.blocks.get_mut(index) else {
                continue;
            };
            multiply(
                View::new(self.travelling, shape.channels, shape.channels),
                View::new(&block.rotation, shape.channels, shape.channels),
                self.unrotated,
                shape.channels,
                Target::Replace,
            );
            dispatch(Uncouple {
                shape,
                clamp: flow.clamp,
                rows,
                gains: &tables.gains,
                unrotated: self.unrotated,
                travelling: self.travelling,
                fibres: self.fibres,
            });
            multiply(
                View::new(rows.output, shape.outputs(), shape.outputs()),
                View::new(&block.weight2, shape.hidden(), shape.hidden()),
                rows.hidden_gradient,
                shape.hidden(),
                Target::Replace,
            );
            mask(rows.hidden_gradient, rows.hidden);
            if index > 0 {
                multiply(
                    View::new(rows.hidden_gradient, shape.hidden(), shape.hidden()),
                    View::new(&block.weight1, shape.conditioning(), shape.inputs()),
                    self.travelling,
                    shape.channels,
                    Target::AddTo,
                );
            }
        }
    }
}

/// The first layer's sums before they meet the fibre.
pub(super) fn fill_hidden(hidden: &mut [f32], places: &[Place], rows: &[f32], columns: &[f32]) {
    let width = hidden.len() / places.len().max(1);
    for (hidden, place) in hidden.chunks_exact_mut(width.max(1)).zip(places) {
        let row = &rows[place.row * width..][..width];
        let column = &columns[place.column * width..][..width];
        for ((hidden, row), column) in hidden.iter_mut().zip(row).zip(column) {
            *hidden = row + column;
        }
    }
}

pub(super) fn rectify(values: &mut [f32]) {
    for value in values {
        // Not-a-number stays what it is.
        *value = if *value < 0.0 { 0.0 } else { *value };
    }
}

fn mask(gradient: &mut [f32], rectified: &[f32]) {
    for (gradient, rectified) in gradient.iter_mut().zip(rectified) {
        *gradient = if *rectified == 0.0 { 0.0 } else { *gradient };
    }
}

/// Forward through coupling and global affine, row by row.
struct Couple<'a, 'b> {
    shape: FlowShape,
    clamp: Clamp,
    rows: &'a mut BlockRows<'b>,
    tables: &'a BlockTables,
    offset: &'a [f32],
    unrotated: &'a mut [f32],
    fibres: &'a mut [FibreResult],
}

impl Kernel for Couple<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let (first, second) = (self.shape.conditioning(), self.shape.transformed());
        let rows = self.rows;
        let gains = &self.tables.gains;
        for (row, fibre) in self.fibres.iter_mut().enumerate() {
            let output = &mut rows.output[row * 2 * second..][..2 * second];
            for (value, bias) in output.iter_mut().zip(&self.tables.damped_bias) {
                *value = multiply_add::<FUSED>(*value, DAMPING, *bias);
            }
            let (raw, shift) = output.split_at(second);
            let log_scale = &mut rows.log_scale[row * second..][..second];
            for (log_scale, &raw) in log_scale.iter_mut().zip(raw) {
                *log_scale = self.clamp.value::<FUSED>(raw);
            }
            fibre.log_det += f64::from(log_scale.iter().sum::<f32>());
            let stretch = &mut rows.stretch[row * second..][..second];
            for (stretch, &log_scale) in stretch.iter_mut().zip(&*log_scale) {
                *stretch = crate::ops::elementary::exp::<FUSED>(log_scale);
            }
            let input = &rows.input[row * (first + second)..][..first + second];
            let (kept, changed) = input.split_at(first);
            let coupled = &mut rows.coupled[row * second..][..second];
            for (((coupled, &value), &stretch), &shift) in
                coupled.iter_mut().zip(changed).zip(&*stretch).zip(shift)
            {
                *coupled = multiply_add::<FUSED>(value, stretch, shift);
            }
            let unrotated = &mut self.unrotated[row * (first + second)..][..first + second];
            let (unrotated1, unrotated2) = unrotated.split_at_mut(first);
            affine::<FUSED>(unrotated1, kept, &gains[..first], &self.offset[..first]);
            affine::<FUSED>(unrotated2, coupled, &gains[first..], &self.offset[first..]);
        }
    }
}

#[inline(always)]
fn affine<const FUSED: bool>(out: &mut [f32], values: &[f32], gains: &[f32], offsets: &[f32]) {
    for (((out, &value), &gain), &offset) in out.iter_mut().zip(values).zip(gains).zip(offsets) {
        *out = multiply_add::<FUSED>(value, gain, offset);
    }
}

/// Backward through global affine and coupling, row by row.
struct Uncouple<'a, 'b> {
    shape: FlowShape,
    clamp: Clamp,
    rows: &'a mut BlockRows<'b>,
    gains: &'a [f32],
    /// Gradient behind the global affine.
    unrotated: &'a [f32],
    /// Becomes the gradient by the block's input, without what flows through the subnet.
    travelling: &'a mut [f32],
    fibres: &'a [FibreResult],
}

impl Kernel for Uncouple<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let (first, second) = (self.shape.conditioning(), self.shape.transformed());
        let channels = first + second;
        let rows = self.rows;
        rows.sums.fill(0.0);
        let (gain_sums, offset_sums) = rows.sums.split_at_mut(channels);
        let (gains1, gains2) = self.gains.split_at(first);
        for (row, fibre) in self.fibres.iter().enumerate() {
            let gradient = &self.unrotated[row * channels..][..channels];
            let (kept, changed) = rows.input[row * channels..][..channels].split_at(first);
            let coupled = &rows.coupled[row * second..][..second];
            for (sum, &gradient) in offset_sums.iter_mut().zip(gradient) {
                *sum += gradient;
            }
            let (gradient1, gradient2) = gradient.split_at(first);
            let (gain_sums1, gain_sums2) = gain_sums.split_at_mut(first);
            add_products::<FUSED>(gain_sums1, gradient1, kept);
            add_products::<FUSED>(gain_sums2, gradient2, coupled);
            let back = &mut self.travelling[row * channels..][..channels];
            let (back1, back2) = back.split_at_mut(first);
            for ((back, &gradient), &gain) in back1.iter_mut().zip(gradient1).zip(gains1) {
                *back = gradient * gain;
            }
            for ((back, &gradient), &gain) in back2.iter_mut().zip(gradient2).zip(gains2) {
                *back = gradient * gain;
            }
            let stretch = &rows.stretch[row * second..][..second];
            let log_scale = &rows.log_scale[row * second..][..second];
            let output = &mut rows.output[row * 2 * second..][..2 * second];
            let (raw, shift) = output.split_at_mut(second);
            for (shift, &back) in shift.iter_mut().zip(&*back2) {
                *shift = DAMPING * back;
            }
            for ((((raw, back), &value), &stretch), &log_scale) in raw
                .iter_mut()
                .zip(back2)
                .zip(changed)
                .zip(stretch)
                .zip(log_scale)
            {
                let stretched = *back * stretch;
                let by_log_scale = multiply_add::<FUSED>(stretched, value, fibre.slope);
                *raw = DAMPING * by_log_scale * self.clamp.derivative(*raw, log_scale);
                *back = stretched;
            }
        }
    }
}

#[inline(always)]
fn add_products<const FUSED: bool>(sums: &mut [f32], a: &[f32], b: &[f32]) {
    for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
        *sum = multiply_add::<FUSED>(a, b, *sum);
    }
}

/// Mean loss of the fibres under the flow as it is, then one update of all its parameters. A loss that is not a number
/// changes nothing.
pub(super) fn step(
    flow: &mut Flow,
    moments: &mut [BlockMoments],
    fibres: &Fibres,
    code: &PositionCode,
    space: &mut Workspace,
    update: &impl Update,
) -> f64 {
    let shape = flow.shape;
    let count = fibres.count();
    space.prepare(shape, flow.blocks.len(), count);
    let tables: Vec<BlockTables> = flow
        .blocks
        .par_iter()
        .map(|block| BlockTables::new(block, shape, code))
        .collect();
    let log_gains: f64 = flow.blocks.iter().map(Block::log_gain).sum();
    let (whole, frozen) = (&*fibres, &*flow);
    space
        .chunks(shape)
        .into_par_iter()
        .enumerate()
        .for_each(|(index, mut chunk)| {
            let Some(first) = chunk.blocks.first_mut() else {
                return;
            };
            whole.gather(index * ROWS, first.input, chunk.places);
            chunk.forward(frozen, &tables);
            chunk.judge(log_gains, count);
            chunk.backward(frozen, &tables);
        });
    let mean = space.fibres.iter().map(|fibre| fibre.loss).sum::<f64>() / count as f64;
    if mean.is_finite() {
        learn(flow, moments, code, space, update);
    }
    mean
}

/// Some rows of one parameter array, to be updated.
struct Work<'a> {
    kind: Kind,
    block: usize,
    /// The first of the rows.
    start: usize,
    /// The weight matrix' rows, or the raw global scales.
    weight: Slices<'a>,
    /// The biases, or the global offsets.
    bias: Slices<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    FirstLayer,
    SecondLayer,
    Affine,
}

/// All gradients from what the way back left, each used at once.
fn learn(
    flow: &mut Flow,
    moments: &mut [BlockMoments],
    code: &PositionCode,
    space: &Workspace,
    update: &impl Update,
) {
    let shape = flow.shape;
    let slopes: f32 = space.fibres.iter().map(|fibre| fibre.slope).sum();
    let mut work = Vec::new();
    for (index, (block, moments)) in flow.blocks.iter_mut().zip(moments).enumerate() {
        let [w1, b1, w2, b2, scale, offset] = block.parameters_mut();
        let [m_w1, m_b1, m_w2, m_b2, m_scale, m_offset] = moments;
        tiles(&mut work, (Kind::FirstLayer, index), (w1, m_w1), (b1, m_b1));
        tiles(
            &mut work,
            (Kind::SecondLayer, index),
            (w2, m_w2),
            (b2, m_b2),
        );
        work.push(Work {
            kind: Kind::Affine,
            block: index,
            start: 0,
            weight: slices(scale, m_scale),
            bias: slices(offset, m_offset),
        });
    }
    work.into_par_iter()
        .for_each_init(Vec::new, |scratch, work| {
            let block = &space.blocks[work.block];
            match work.kind {
                Kind::FirstLayer => first_layer(work, shape, code, block, space, scratch, update),
                Kind::SecondLayer => second_layer(work, shape, block, scratch, update),
                Kind::Affine => affine_part(work, shape, block, slopes, update),
            }
        });
}

fn slices<'a>(values: &'a mut [f32], moments: &'a mut Moments) -> Slices<'a> {
    Slices {
        values,
        first: &mut moments.first,
        second: &mut moments.second,
    }
}

/// Cuts a layer into tiles of rows.
fn tiles<'a>(
    work: &mut Vec<Work<'a>>,
    (kind, block): (Kind, usize),
    (weight, weight_moments): (&'a mut [f32], &'a mut Moments),
    (bias, bias_moments): (&'a mut [f32], &'a mut Moments),
) {
    let long = TILE * (weight.len() / bias.len().max(1)).max(1);
    let cut = |slices: Slices<'a>, long: usize| {
        slices
            .values
            .chunks_mut(long)
            .zip(slices.first.chunks_mut(long))
            .zip(slices.second.chunks_mut(long))
            .map(|((values, first), second)| Slices {
                values,
                first,
                second,
            })
    };
    let weights = cut(slices(weight, weight_moments), long);
    let biases = cut(slices(bias, bias_moments), TILE);
    work.extend(
        weights
            .zip(biases)
            .enumerate()
            .map(|(tile, (weight, bias))| Work {
                kind,
                block,
                start: tile * TILE,
                weight,
                bias,
            }),
    );
}

/// Columns `start..start + count` of a `(N, width)` matrix, as rows.
fn columns(values: &[f32], start: usize, count: usize, width: usize) -> View<'_> {
    View::new(&values[start..], count, width).transposed()
}

fn first_layer(
    work: Work,
    shape: FlowShape,
    code: &PositionCode,
    block: &BlockSpace,
    space: &Workspace,
    scratch: &mut Vec<f32>,
    update: &impl Update,
) {
    let (inputs, hidden, first) = (shape.inputs(), shape.hidden(), shape.conditioning());
    let (height, width) = code.grid();
    let count = work.bias.values.len();
    scratch.clear();
    scratch.resize(count * (inputs + height + width + 1), 0.0);
    let (gradient, rest) = scratch.split_at_mut(count * inputs);
    let (by_row, rest) = rest.split_at_mut(count * height);
    let (by_column, bias) = rest.split_at_mut(count * width);
    multiply(
        columns(&block.hidden_gradient, work.start, count, hidden),
        View::new(&block.input, first, shape.channels),
        gradient,
        inputs,
        Target::Replace,
    );
    for (place, row) in space
        .places
        .iter()
        .zip(block.hidden_gradient.chunks_exact(hidden))
    {
        let row = &row[work.start..][..count];
        for (sums, index) in [(&mut *by_row, place.row), (&mut *by_column, place.column)] {
            for (sum, &value) in sums[index * count..][..count].iter_mut().zip(row) {
                *sum += value;
            }
        }
    }
    for (sums, codes, from) in [
        (&*by_column, &code.columns, first),
        (&*by_row, &code.rows, first + code.half),
    ] {
        multiply(
            View::new(sums, count, count).transposed(),
            View::new(codes, code.half, code.half),
            &mut gradient[from..],
            inputs,
            Target::Replace,
        );
    }
    for row in by_row.chunks_exact(count) {
        for (sum, &value) in bias.iter_mut().zip(row) {
            *sum += value;
        }
    }
    update.update(work.weight, gradient);
    update.update(work.bias, bias);
}

fn second_layer(
    work: Work,
    shape: FlowShape,
    block: &BlockSpace,
    scratch: &mut Vec<f32>,
    update: &impl Update,
) {
    let (hidden, outputs) = (shape.hidden(), shape.outputs());
    let count = work.bias.values.len();
    scratch.clear();
    scratch.resize(count * (hidden + 1), 0.0);
    let (gradient, bias) = scratch.split_at_mut(count * hidden);
    multiply(
        columns(&block.output, work.start, count, outputs),
        View::new(&block.hidden, hidden, hidden),
        gradient,
        hidden,
        Target::Replace,
    );
    for row in block.output.chunks_exact(outputs) {
        for (sum, &value) in bias.iter_mut().zip(&row[work.start..]) {
            *sum += value;
        }
    }
    update.update(work.weight, gradient);
    update.update(work.bias, bias);
}

fn affine_part(
    work: Work,
    shape: FlowShape,
    block: &BlockSpace,
    slopes: f32,
    update: &impl Update,
) {
    let mut sums = vec![0.0; 2 * shape.channels];
    for chunk in block.sums.chunks_exact(sums.len()) {
        for (sum, &value) in sums.iter_mut().zip(chunk) {
            *sum += value;
        }
    }
    let (scales, offsets) = sums.split_at_mut(shape.channels);
    for (sum, &raw) in scales.iter_mut().zip(&*work.weight.values) {
        *sum = (*sum + slopes / gain(raw)) * gain_slope(raw);
    }
    update.update(work.weight, scales);
    update.update(work.bias, offsets);
}
