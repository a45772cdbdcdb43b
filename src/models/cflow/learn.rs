//! From the gradients of activations to those of parameters, each used by the optimiser the moment it is known: no
//! parameter's gradient is ever stored as a whole.

use rayon::prelude::*;

use super::condition::PositionCode;
use super::flow::{Block, Flow, FlowShape, gain, gain_slope};
use super::workspace::{BlockSpace, Workspace};
use crate::ops::adam::{AdamStep, Slices};
use crate::ops::matmul::{Target, View, multiply};

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
pub(super) fn learn(
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
