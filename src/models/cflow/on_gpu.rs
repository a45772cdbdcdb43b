//! Carries a scale's flow to a GPU and back.

use candle_core::{Device, Result};

use super::clamp::Clamp;
use super::condition::PositionCode;
use super::fibres::Standard;
use super::flow::{Block, Flow};
use super::learn::BlockMoments;
use crate::ops::cuda::{FlowNumbers, FlowSizes, GpuFlow};

/// Puts a flow on `device`, with its moments where it is being trained.
pub(super) fn upload(
    flow: &Flow,
    moments: Option<&[BlockMoments]>,
    code: &PositionCode,
    standard: &Standard,
    device: &Device,
) -> Result<GpuFlow> {
    let sizes = FlowSizes {
        channels: flow.shape.channels,
        kept: flow.shape.conditioning(),
        half: code.half,
        blocks: flow.blocks.len(),
        grid: code.grid(),
        clamp: match flow.clamp {
            Clamp::Tanh => 0,
            Clamp::ScaledTanh => 1,
            Clamp::Arctan => 2,
        },
    };
    let blocks = &flow.blocks;
    let arrays = moments.unwrap_or_default().iter().flatten();
    let (first, second): (Vec<&[f32]>, Vec<&[f32]>) = arrays
        .map(|moments| (&moments.first[..], &moments.second[..]))
        .unzip();
    let parameters: Vec<&[f32]> = blocks.iter().flat_map(Block::parameters).collect();
    let rotations: Vec<&[f32]> = blocks.iter().map(|block| &block.rotation[..]).collect();
    let numbers = FlowNumbers {
        parameters: parameters.concat(),
        moments: [first.concat(), second.concat()],
        rotations: rotations.concat(),
        codes: [&code.rows, &code.columns],
        standard: [&standard.shift, &standard.factor],
    };
    GpuFlow::new(sizes, numbers, device)
}

/// Brings the trained numbers back.
pub(super) fn fetch_parameters(gpu: &GpuFlow, flow: &mut Flow) -> Result<()> {
    let arrays = flow.blocks.iter_mut().flat_map(Block::parameters_mut);
    fill(&gpu.parameters()?, arrays.map(|array| &mut array[..]));
    Ok(())
}

/// Brings Adam's moments back.
pub(super) fn fetch_moments(gpu: &GpuFlow, moments: &mut [BlockMoments]) -> Result<()> {
    let [first, second] = gpu.moments()?;
    let arrays = moments.iter_mut().flatten();
    let (firsts, seconds): (Vec<&mut [f32]>, Vec<&mut [f32]>) = arrays
        .map(|moments| (&mut moments.first[..], &mut moments.second[..]))
        .unzip();
    fill(&first, firsts.into_iter());
    fill(&second, seconds.into_iter());
    Ok(())
}

/// One array after the other.
fn fill<'a>(mut values: &[f32], arrays: impl Iterator<Item = &'a mut [f32]>) {
    for array in arrays {
        let (own, rest) = values.split_at(array.len());
        array.copy_from_slice(own);
        values = rest;
    }
}
