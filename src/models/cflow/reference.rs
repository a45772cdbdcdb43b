//! The flow in plain `f64`, one fibre at a time, there and back: what everything quicker is compared with.

use super::clamp::{ALPHA, Clamp};
use super::flow::{Block, DAMPING, Flow, FlowShape};

/// One fibre through one block: the result and the block's log-determinant.
pub(super) fn forward(
    block: &Block,
    shape: FlowShape,
    clamp: Clamp,
    x: &[f64],
    condition: &[f64],
) -> (Vec<f64>, f64) {
    let (log_scales, shifts) = subnet(block, shape, clamp, x, condition);
    let mut y = x.to_vec();
    for (index, value) in y[shape.conditioning()..].iter_mut().enumerate() {
        *value = *value * log_scales[index].exp() + shifts[index];
    }
    let gains = gains(block);
    let v: Vec<f64> = (0..y.len())
        .map(|c| y[c] * gains[c] + f64::from(block.offset[c]))
        .collect();
    let log_det = log_scales.iter().sum::<f64>() + gains.iter().map(|gain| gain.ln()).sum::<f64>();
    (times(&block.rotation, &v), log_det)
}

/// What [`forward`] made `z` of.
pub(super) fn inverse(
    block: &Block,
    shape: FlowShape,
    clamp: Clamp,
    z: &[f64],
    condition: &[f64],
) -> Vec<f64> {
    let c = z.len();
    let gains = gains(block);
    // The inverse of a rotation is its transpose.
    let mut x: Vec<f64> = (0..c)
        .map(|j| {
            let v: f64 = (0..c)
                .map(|i| f64::from(block.rotation[i * c + j]) * z[i])
                .sum();
            (v - f64::from(block.offset[j])) / gains[j]
        })
        .collect();
    let (log_scales, shifts) = subnet(block, shape, clamp, &x, condition);
    for (index, value) in x[shape.conditioning()..].iter_mut().enumerate() {
        *value = (*value - shifts[index]) * (-log_scales[index]).exp();
    }
    x
}

/// One fibre through all blocks.
pub(super) fn through(flow: &Flow, x: &[f64], condition: &[f64]) -> (Vec<f64>, f64) {
    flow.blocks
        .iter()
        .fold((x.to_vec(), 0.0), |(x, sum), block| {
            let (z, log_det) = forward(block, flow.shape, flow.clamp, &x, condition);
            (z, sum + log_det)
        })
}

fn subnet(
    block: &Block,
    shape: FlowShape,
    clamp: Clamp,
    x: &[f64],
    condition: &[f64],
) -> (Vec<f64>, Vec<f64>) {
    let input = [&x[..shape.conditioning()], condition].concat();
    let hidden: Vec<f64> = times(&block.weight1, &input)
        .iter()
        .zip(&block.bias1)
        .map(|(sum, bias)| (sum + f64::from(*bias)).max(0.0))
        .collect();
    let output: Vec<f64> = times(&block.weight2, &hidden)
        .iter()
        .zip(&block.bias2)
        .map(|(sum, bias)| f64::from(DAMPING) * (sum + f64::from(*bias)))
        .collect();
    let (raw, shifts) = output.split_at(shape.transformed());
    let alpha = f64::from(ALPHA);
    let clamped = |raw: &f64| match clamp {
        Clamp::Tanh => alpha * raw.tanh(),
        Clamp::ScaledTanh => alpha * (raw / alpha).tanh(),
        Clamp::Arctan => 2.0 * alpha / std::f64::consts::PI * (raw / alpha).atan(),
    };
    (raw.iter().map(clamped).collect(), shifts.to_vec())
}

fn gains(block: &Block) -> Vec<f64> {
    let gain = |raw: &f32| 0.2 * (0.5 * f64::from(*raw)).exp().ln_1p();
    block.scale.iter().map(gain).collect()
}

fn times(matrix: &[f32], vector: &[f64]) -> Vec<f64> {
    matrix
        .chunks_exact(vector.len())
        .map(|row| row.iter().zip(vector).map(|(a, b)| f64::from(*a) * b).sum())
        .collect()
}
