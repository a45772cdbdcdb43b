//! The buffers of one training step, and how they are cut into chunks of fibres that different cores work on.

use super::fibres::Place;
use super::flow::FlowShape;

/// Fibres that go through all blocks together, on one core.
pub(super) const ROWS: usize = 64;

/// Buffers of a training step, kept from one to the next.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    pub(super) blocks: Vec<BlockSpace>,
    /// `(N, C)`: the last block's result, then the gradient on its way back.
    pub(super) travelling: Vec<f32>,
    /// `(N, C)`: what is rotated.
    pub(super) unrotated: Vec<f32>,
    pub(super) places: Vec<Place>,
    pub(super) fibres: Vec<FibreResult>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FibreResult {
    pub(super) log_det: f64,
    pub(super) loss: f64,
    /// Derivative of the mean loss by the fibre's log-likelihood.
    pub(super) slope: f32,
}

/// What one block keeps of its way forward, and what its way back leaves for the weight gradients. N fibres.
#[derive(Debug, Default)]
pub(super) struct BlockSpace {
    /// `(N, C)`
    pub(super) input: Vec<f32>,
    /// `(N, hidden)`, rectified.
    pub(super) hidden: Vec<f32>,
    /// `(N, outputs)`: the subnet's damped output, then its gradient before damping.
    pub(super) output: Vec<f32>,
    /// `(N, transformed)`: clamped log-scales, and what they multiply with.
    pub(super) log_scale: Vec<f32>,
    pub(super) stretch: Vec<f32>,
    /// `(N, transformed)`: the transformed half before the global affine.
    pub(super) coupled: Vec<f32>,
    /// `(N, hidden)`
    pub(super) hidden_gradient: Vec<f32>,
    /// `(chunks, 2, C)`: gradients of gains and offsets.
    pub(super) sums: Vec<f32>,
}

impl Workspace {
    pub(super) fn prepare(&mut self, shape: FlowShape, blocks: usize, count: usize) {
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
    pub(super) fn chunks(&mut self, shape: FlowShape) -> Vec<Chunk<'_>> {
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

/// Some fibres on their way through all blocks.
pub(super) struct Chunk<'a> {
    pub(super) shape: FlowShape,
    pub(super) travelling: &'a mut [f32],
    pub(super) unrotated: &'a mut [f32],
    pub(super) places: &'a mut [Place],
    pub(super) fibres: &'a mut [FibreResult],
    pub(super) blocks: Vec<BlockRows<'a>>,
}

/// One block's part of a [`Chunk`]; see [`BlockSpace`].
pub(super) struct BlockRows<'a> {
    pub(super) input: &'a mut [f32],
    pub(super) hidden: &'a mut [f32],
    pub(super) hidden_gradient: &'a mut [f32],
    pub(super) output: &'a mut [f32],
    pub(super) log_scale: &'a mut [f32],
    pub(super) stretch: &'a mut [f32],
    pub(super) coupled: &'a mut [f32],
    pub(super) sums: &'a mut [f32],
}
