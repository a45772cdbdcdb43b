//! A finished flow made ready for scoring: gain and rotation of a block become one matrix, the damping goes into the second
//! layer, and the first layer's share of the position code is computed once for the whole grid. Exact but for rounding.

#![expect(
    clippy::inline_always,
    reason = "only inlined code is compiled for the instruction set that was chosen"
)]

use rayon::prelude::*;

use super::clamp::Clamp;
use super::closed_form::{fill_hidden, position_tables, rectify};
use super::condition::PositionCode;
use super::fibres::{Fibres, Place, TapValues};
use super::flow::{Block, DAMPING, Flow, FlowShape, gain};
use super::likelihood::per_dimension;
use super::workspace::ROWS;
use crate::ops::elementary::exp;
use crate::ops::matmul::{Target, View, multiply};
use crate::ops::simd::{Kernel, dispatch, multiply_add};

/// A flow that only scores.
#[derive(Debug)]
pub(super) struct FoldedFlow {
    shape: FlowShape,
    clamp: Clamp,
    blocks: Vec<FoldedBlock>,
    /// Sum of the blocks' log gains.
    log_gains: f64,
}

#[derive(Debug)]
struct FoldedBlock {
    /// `(h, hidden)` with the bias, and `(w, hidden)`.
    rows: Vec<f32>,
    columns: Vec<f32>,
    /// `(conditioning, hidden)`.
    weight1: Vec<f32>,
    /// `(hidden, outputs)`, damped.
    weight2: Vec<f32>,
    bias2: Vec<f32>,
    /// `(C, C)`: the transpose of `R diag(gain)`.
    mixing: Vec<f32>,
    /// `R offset`.
    offset: Vec<f32>,
}

impl FoldedBlock {
    fn new(block: &Block, shape: FlowShape, code: &PositionCode) -> Self {
        let (rows, columns) = position_tables(block, shape, code);
        let (inputs, hidden, outputs) = (shape.inputs(), shape.hidden(), shape.outputs());
        let channels = shape.channels;
        let mut weight1 = vec![0.0; shape.conditioning() * hidden];
        for (i, row) in weight1.chunks_exact_mut(hidden).enumerate() {
            for (value, from) in row.iter_mut().zip(block.weight1.chunks_exact(inputs)) {
                *value = from[i];
            }
        }
        let mut weight2 = vec![0.0; hidden * outputs];
        for (i, row) in weight2.chunks_exact_mut(outputs).enumerate() {
            for (value, from) in row.iter_mut().zip(block.weight2.chunks_exact(hidden)) {
                *value = DAMPING * from[i];
            }
        }
        let mut mixing = vec![0.0; channels * channels];
        for ((j, row), &raw) in mixing
            .chunks_exact_mut(channels)
            .enumerate()
            .zip(&block.scale)
        {
            for (value, from) in row.iter_mut().zip(block.rotation.chunks_exact(channels)) {
                *value = from[j] * gain(raw);
            }
        }
        let mut offset = vec![0.0; channels];
        let vector = View::new(&block.offset, 1, 1);
        let rotation = View::new(&block.rotation, channels, channels);
        multiply(rotation, vector, &mut offset, 1, Target::Replace);
        Self {
            rows,
            columns,
            weight1,
            weight2,
            bias2: block.bias2.iter().map(|bias| DAMPING * bias).collect(),
            mixing,
            offset,
        }
    }
}

impl FoldedFlow {
    /// For pictures whose grid is that of `code`.
    pub(super) fn new(flow: &Flow, code: &PositionCode) -> Self {
        Self {
            shape: flow.shape,
            clamp: flow.clamp,
            blocks: flow
                .blocks
                .par_iter()
                .map(|block| FoldedBlock::new(block, flow.shape, code))
                .collect(),
            log_gains: flow.blocks.iter().map(Block::log_gain).sum(),
        }
    }

    /// Log-likelihood per dimension of every fibre of a tap, in natural order.
    pub(super) fn likelihoods(&self, tap: TapValues) -> Vec<f64> {
        let count = tap.values.len() / tap.channels.max(1);
        let mut likelihoods = vec![0.0; count];
        likelihoods.par_chunks_mut(ROWS).enumerate().for_each_init(
            Space::default,
            |space, (index, out)| {
                let start = index * ROWS;
                let chosen: Vec<u32> = (start..start + out.len()).map(|i| i as u32).collect();
                let fibres = Fibres {
                    tap,
                    chosen: &chosen,
                };
                self.chunk(&fibres, space, out);
            },
        );
        likelihoods
    }

    fn chunk(&self, fibres: &Fibres, space: &mut Space, out: &mut [f64]) {
        let shape = self.shape;
        let count = out.len();
        space.values.resize(count * shape.channels, 0.0);
        space.mixed.resize(count * shape.channels, 0.0);
        space.hidden.resize(count * shape.hidden(), 0.0);
        space.output.resize(count * shape.outputs(), 0.0);
        space.places.resize(count, Place::default());
        fibres.gather(0, &mut space.values, &mut space.places);
        out.fill(self.log_gains);
        for block in &self.blocks {
            self.block(block, space, out);
        }
        for (latent, out) in space.values.chunks_exact(shape.channels).zip(out) {
            *out = per_dimension(latent, *out);
        }
    }

    fn block(&self, block: &FoldedBlock, space: &mut Space, log_dets: &mut [f64]) {
        let shape = self.shape;
        let (channels, hidden, outputs) = (shape.channels, shape.hidden(), shape.outputs());
        fill_hidden(
            &mut space.hidden,
            &space.places,
            &block.rows,
            &block.columns,
        );
        multiply(
            View::new(&space.values, shape.conditioning(), channels),
            View::new(&block.weight1, hidden, hidden),
            &mut space.hidden,
            hidden,
            Target::AddTo,
        );
        rectify(&mut space.hidden);
        for row in space.output.chunks_exact_mut(outputs) {
            row.copy_from_slice(&block.bias2);
        }
        multiply(
            View::new(&space.hidden, hidden, hidden),
            View::new(&block.weight2, outputs, outputs),
            &mut space.output,
            outputs,
            Target::AddTo,
        );
        dispatch(Transform {
            shape,
            clamp: self.clamp,
            output: &mut space.output,
            values: &mut space.values,
            log_dets,
        });
        for row in space.mixed.chunks_exact_mut(channels) {
            row.copy_from_slice(&block.offset);
        }
        multiply(
            View::new(&space.values, channels, channels),
            View::new(&block.mixing, channels, channels),
            &mut space.mixed,
            channels,
            Target::AddTo,
        );
        std::mem::swap(&mut space.values, &mut space.mixed);
    }
}

/// Buffers of one core.
#[derive(Default)]
struct Space {
    values: Vec<f32>,
    mixed: Vec<f32>,
    hidden: Vec<f32>,
    output: Vec<f32>,
    places: Vec<Place>,
}

/// The coupling itself, in place.
struct Transform<'a> {
    shape: FlowShape,
    clamp: Clamp,
    output: &'a mut [f32],
    values: &'a mut [f32],
    log_dets: &'a mut [f64],
}

impl Kernel for Transform<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let second = self.shape.transformed();
        let outputs = self.output.chunks_exact_mut(2 * second);
        let values = self.values.chunks_exact_mut(self.shape.channels);
        for ((output, values), log_det) in outputs.zip(values).zip(self.log_dets) {
            let (log_scale, shift) = output.split_at_mut(second);
            for log_scale in &mut *log_scale {
                *log_scale = self.clamp.value::<FUSED>(*log_scale);
            }
            *log_det += f64::from(log_scale.iter().sum::<f32>());
            let changed = &mut values[self.shape.conditioning()..];
            for ((value, &log_scale), &shift) in changed.iter_mut().zip(&*log_scale).zip(&*shift) {
                *value = multiply_add::<FUSED>(*value, exp::<FUSED>(log_scale), shift);
            }
        }
    }
}
