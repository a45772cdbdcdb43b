//! The same training step recorded and differentiated by candle, with the position code written out for every fibre. The
//! plain statement of what [`super::closed_form`] computes; much slower.

use candle_core::{D, Device, Result, Tensor, Var};

use super::clamp::{ALPHA, Clamp};
use super::condition::PositionCode;
use super::fibres::{Fibres, Place};
use super::flow::{Block, DAMPING, Flow, FlowShape};
use super::learn::{BlockMoments, Update};
use crate::ops::adam::Slices;

/// Mean loss of the fibres under the flow as it is, then one update of all its parameters. A loss that is not a number
/// changes nothing.
pub(super) fn step(
    flow: &mut Flow,
    moments: &mut [BlockMoments],
    fibres: &Fibres,
    code: &PositionCode,
    update: &impl Update,
) -> Result<f64> {
    let (loss, blocks) = forward(flow, fibres, code)?;
    let mean = f64::from(loss.to_scalar::<f32>()?);
    if !mean.is_finite() {
        return Ok(mean);
    }
    let gradients = loss.backward()?;
    for ((block, moments), recorded) in flow.blocks.iter_mut().zip(moments).zip(&blocks) {
        let arrays = block.parameters_mut().into_iter().zip(moments);
        for ((values, moments), variable) in arrays.zip(&recorded.parameters) {
            let gradient = match gradients.get(variable) {
                Some(gradient) => gradient.flatten_all()?.to_vec1::<f32>()?,
                None => vec![0.0; values.len()],
            };
            let slices = Slices {
                values,
                first: &mut moments.first,
                second: &mut moments.second,
            };
            update.update(slices, &gradient);
        }
    }
    Ok(mean)
}

/// The mean loss, recorded, and the blocks whose parameters it can be differentiated by.
pub(super) fn forward(
    flow: &Flow,
    fibres: &Fibres,
    code: &PositionCode,
) -> Result<(Tensor, Vec<Recorded>)> {
    let blocks = flow
        .blocks
        .iter()
        .map(|block| Recorded::new(block, flow.shape))
        .collect::<Result<Vec<_>>>()?;
    let (values, conditions) = inputs(fibres, code, flow.shape)?;
    let loss = mean_loss(&blocks, flow.shape, flow.clamp, &values, &conditions)?;
    Ok((loss, blocks))
}

/// A block whose parameters are recorded.
pub(super) struct Recorded {
    /// In the order of [`Block::parameters`].
    parameters: [Var; 6],
    /// `(C, C)`, transposed.
    rotation: Tensor,
}

impl Recorded {
    fn new(block: &Block, shape: FlowShape) -> Result<Self> {
        let [d0, d1, d2, d3, d4, d5] = Flow::parameter_dims(shape);
        let [p0, p1, p2, p3, p4, p5] = block.parameters();
        let variable = |values: &[f32], dims: Vec<usize>| {
            Var::from_tensor(&Tensor::from_slice(values, dims, &Device::Cpu)?)
        };
        let square = (shape.channels, shape.channels);
        Ok(Self {
            parameters: [
                variable(p0, d0)?,
                variable(p1, d1)?,
                variable(p2, d2)?,
                variable(p3, d3)?,
                variable(p4, d4)?,
                variable(p5, d5)?,
            ],
            rotation: Tensor::from_slice(&block.rotation, square, &Device::Cpu)?.t()?,
        })
    }

    /// Fibres `(N, C)` and their conditions `(N, P)` to the block's result `(N, C)` and log-determinants `(N)`.
    fn forward(
        &self,
        shape: FlowShape,
        clamp: Clamp,
        fibres: &Tensor,
        conditions: &Tensor,
    ) -> Result<(Tensor, Tensor)> {
        let [weight1, bias1, weight2, bias2, scale, offset] = &self.parameters;
        let kept = fibres.narrow(1, 0, shape.conditioning())?;
        let changed = fibres.narrow(1, shape.conditioning(), shape.transformed())?;
        let input = Tensor::cat(&[&kept, conditions], 1)?; // (N, inputs)
        let hidden = input.matmul(&weight1.t()?)?.broadcast_add(bias1)?.relu()?;
        let output = hidden.matmul(&weight2.t()?)?.broadcast_add(bias2)?;
        let output = (output * f64::from(DAMPING))?; // (N, outputs)
        let log_scale = clamped(clamp, &output.narrow(1, 0, shape.transformed())?)?;
        let shift = output.narrow(1, shape.transformed(), shape.transformed())?;
        let coupled = ((changed * log_scale.exp()?)? + shift)?;
        let joined = Tensor::cat(&[&kept, &coupled], 1)?;
        // 0.2 ln(1 + e^(raw / 2)); raw stays near 10, far from where the exponential overflows.
        let gain = (((scale.as_tensor() * 0.5)?.exp()? + 1.0)?.log()? * 0.2)?;
        let affine = joined.broadcast_mul(&gain)?.broadcast_add(offset)?;
        let log_det = log_scale
            .sum(D::Minus1)?
            .broadcast_add(&gain.log()?.sum(D::Minus1)?)?;
        Ok((affine.matmul(&self.rotation)?, log_det))
    }
}

fn clamped(clamp: Clamp, raw: &Tensor) -> Result<Tensor> {
    let alpha = f64::from(ALPHA);
    match clamp {
        Clamp::Tanh => raw.tanh()? * alpha,
        Clamp::ScaledTanh => (raw / alpha)?.tanh()? * alpha,
        Clamp::Arctan => arctan(&(raw / alpha)?)? * (2.0 * alpha / std::f64::consts::PI),
    }
}

/// Candle has no arctangent. Twice halving the angle, `arctan x = 2 arctan(x / (1 + sqrt(1 + x^2)))`, makes the series short.
fn arctan(x: &Tensor) -> Result<Tensor> {
    let halved = |x: &Tensor| x / ((x.sqr()? + 1.0)?.sqrt()? + 1.0)?;
    let small = halved(&halved(&halved(x)?)?)?;
    let square = small.sqr()?;
    let mut sum = square.affine(0.0, 1.0 / 9.0)?;
    for factor in [-1.0 / 7.0, 1.0 / 5.0, -1.0 / 3.0, 1.0] {
        sum = ((sum * &square)? + factor)?;
    }
    (sum * small)? * 8.0
}

/// The fibres `(N, C)` and the position code of each `(N, P)`.
fn inputs(fibres: &Fibres, code: &PositionCode, shape: FlowShape) -> Result<(Tensor, Tensor)> {
    let count = fibres.count();
    let mut values = vec![0.0; count * shape.channels];
    let mut places = vec![Place::default(); count];
    fibres.gather(0, &mut values, &mut places);
    let conditions: Vec<f32> = places
        .iter()
        .flat_map(|place| code.condition(place.row, place.column))
        .collect();
    Ok((
        Tensor::from_vec(values, (count, shape.channels), &Device::Cpu)?,
        Tensor::from_vec(conditions, (count, shape.condition), &Device::Cpu)?,
    ))
}

fn mean_loss(
    blocks: &[Recorded],
    shape: FlowShape,
    clamp: Clamp,
    fibres: &Tensor,
    conditions: &Tensor,
) -> Result<Tensor> {
    let mut latent = fibres.clone();
    let mut log_det = fibres.narrow(1, 0, 1)?.squeeze(1)?.zeros_like()?;
    for block in blocks {
        let (next, own) = block.forward(shape, clamp, &latent, conditions)?;
        latent = next;
        log_det = (log_det + own)?;
    }
    let squared = (latent.sqr()?.sum(D::Minus1)? * 0.5)?;
    let likelihood = ((log_det - squared)? / shape.channels as f64)?;
    let likelihood = (likelihood - 0.5 * std::f64::consts::TAU.ln())?; // (N)
    // -log sigmoid(l) = ln(1 + e^-|l|) + max(-l, 0), whose derivative candle finds as well.
    let size = (likelihood.relu()? + likelihood.neg()?.relu()?)?;
    let loss = ((size.neg()?.exp()? + 1.0)?.log()? + likelihood.neg()?.relu()?)?;
    loss.mean_all()
}
