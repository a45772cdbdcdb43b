//! One training step of a flow with its gradient written out. The activations of a step's fibres are kept (a few MB, whatever
//! the data); recomputing them by the flow's inverse would cost a third more arithmetic.
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
use super::flow::{Block, DAMPING, Flow, FlowShape, gain};
use super::learn::{BlockMoments, Update, learn};
use super::likelihood::{loss, loss_slope, per_dimension};
use super::workspace::{BlockRows, Chunk, FibreResult, ROWS, Workspace};
use crate::ops::matmul::{Target, View, multiply};
use crate::ops::simd::{Kernel, dispatch, multiply_add};

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
