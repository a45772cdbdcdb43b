//! The parameters of one scale's conditional flow: eight coupling blocks (Gudovskiy et al. 2022; the blocks are those of
//! Ardizzone et al. 2019). What is computed with them is in the files beside.

use rand::Rng;
use rayon::prelude::*;

use super::clamp::Clamp;
use super::rotation::haar_rotation;

/// The subnet's output is multiplied with this before it is split into log-scales and shifts.
pub(super) const DAMPING: f32 = 0.1;

/// Sizes of a coupling block. The first `conditioning` channels pass unchanged and decide what happens to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowShape {
    /// C: length of a fibre.
    pub channels: usize,
    /// P: length of the position code.
    pub condition: usize,
}

impl FlowShape {
    pub fn conditioning(self) -> usize {
        self.channels - self.transformed()
    }

    pub fn transformed(self) -> usize {
        self.channels / 2
    }

    /// What the subnet reads: conditioning channels, then the position code.
    pub fn inputs(self) -> usize {
        self.conditioning() + self.condition
    }

    /// Width of the subnet's hidden layer.
    pub fn hidden(self) -> usize {
        2 * self.inputs()
    }

    /// What the subnet gives: log-scales, then shifts.
    pub fn outputs(self) -> usize {
        2 * self.transformed()
    }
}

/// The trained arrays of a block, in the order of [`Block::parameters`].
pub(super) const PARAMETERS: [&str; 6] = [
    "subnet.0.weight",
    "subnet.0.bias",
    "subnet.2.weight",
    "subnet.2.bias",
    "global_scale",
    "global_offset",
];

/// One coupling block. Matrices are row-major, `(out, in)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// `(hidden, inputs)`.
    pub weight1: Vec<f32>,
    pub bias1: Vec<f32>,
    /// `(outputs, hidden)`.
    pub weight2: Vec<f32>,
    pub bias2: Vec<f32>,
    /// Raw global scales, one a channel; see [`gain`].
    pub scale: Vec<f32>,
    pub offset: Vec<f32>,
    /// `(C, C)` in SO(C); never trained.
    pub rotation: Vec<f32>,
}

impl Block {
    fn random(shape: FlowShape, generator: &mut impl Rng) -> Self {
        let mut uniform = |count: usize, fan_in: usize| -> Vec<f32> {
            let bound = 1.0 / (fan_in as f64).sqrt();
            (0..count)
                .map(|_| {
                    let unit = (generator.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
                    ((2.0 * unit - 1.0) * bound) as f32
                })
                .collect()
        };
        let (inputs, hidden, outputs) = (shape.inputs(), shape.hidden(), shape.outputs());
        Self {
            weight1: uniform(hidden * inputs, inputs),
            bias1: uniform(hidden, inputs),
            weight2: uniform(outputs * hidden, hidden),
            bias2: uniform(outputs, hidden),
            scale: vec![NEUTRAL_SCALE; shape.channels],
            offset: vec![0.0; shape.channels],
            rotation: Vec::new(),
        }
    }

    /// The trained arrays, named by [`PARAMETERS`].
    pub(super) fn parameters(&self) -> [&[f32]; 6] {
        [
            &self.weight1,
            &self.bias1,
            &self.weight2,
            &self.bias2,
            &self.scale,
            &self.offset,
        ]
    }

    pub(super) fn parameters_mut(&mut self) -> [&mut Vec<f32>; 6] {
        [
            &mut self.weight1,
            &mut self.bias1,
            &mut self.weight2,
            &mut self.bias2,
            &mut self.scale,
            &mut self.offset,
        ]
    }

    /// The sum over channels of the logarithm of the gains.
    pub(super) fn log_gain(&self) -> f64 {
        self.scale
            .iter()
            .map(|&raw| f64::from(gain(raw)).ln())
            .sum()
    }
}

/// The raw global scale whose gain is 1: `2 ln(e^5 - 1)`.
pub(super) const NEUTRAL_SCALE: f32 = 9.986_479;

/// A channel's gain `0.2 ln(1 + e^(0.5 raw))`: always positive.
pub(super) fn gain(raw: f32) -> f32 {
    let half = 0.5 * f64::from(raw);
    let softplus = if half > 20.0 {
        half
    } else {
        half.exp().ln_1p()
    };
    (0.2 * softplus) as f32
}

/// The derivative of [`gain`].
pub(super) fn gain_slope(raw: f32) -> f32 {
    (0.1 / (1.0 + (-0.5 * f64::from(raw)).exp())) as f32
}

/// The flow of one scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    pub shape: FlowShape,
    pub clamp: Clamp,
    pub blocks: Vec<Block>,
}

impl Flow {
    /// Untrained: linear layers uniform within one over the root of their inputs, gains of 1, Haar rotations.
    pub fn random<R: Rng + rand::SeedableRng + Send>(
        shape: FlowShape,
        blocks: usize,
        clamp: Clamp,
        generator: &mut R,
    ) -> Self {
        let mut blocks: Vec<Block> = (0..blocks)
            .map(|_| Block::random(shape, generator))
            .collect();
        let mut generators: Vec<R> = blocks.iter().map(|_| R::from_rng(generator)).collect();
        blocks
            .par_iter_mut()
            .zip(&mut generators)
            .for_each(|(block, generator)| {
                block.rotation = haar_rotation(shape.channels, generator);
            });
        Self {
            shape,
            clamp,
            blocks,
        }
    }

    /// Shapes of a block's trained arrays, in the order of [`PARAMETERS`].
    pub(super) fn parameter_dims(shape: FlowShape) -> [Vec<usize>; 6] {
        let (inputs, hidden, outputs) = (shape.inputs(), shape.hidden(), shape.outputs());
        [
            vec![hidden, inputs],
            vec![hidden],
            vec![outputs, hidden],
            vec![outputs],
            vec![shape.channels],
            vec![shape.channels],
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::{FlowShape, NEUTRAL_SCALE, gain, gain_slope};

    #[test]
    fn layers_are_as_wide_as_the_published_ones() {
        for (channels, layers) in [
            (512, [384, 768, 512]),
            (1024, [640, 1280, 1024]),
            (2048, [1152, 2304, 2048]),
            (40, [148, 296, 40]),
            (112, [184, 368, 112]),
            (160, [208, 416, 160]),
        ] {
            let shape = FlowShape {
                channels,
                condition: 128,
            };
            assert_eq!([shape.inputs(), shape.hidden(), shape.outputs()], layers);
        }
    }

    #[test]
    fn eight_blocks_have_the_published_number_of_parameters() {
        for (channels, published) in [(512, 5_523_456), (1024, 17_074_176), (2048, 59_049_984)] {
            let shape = FlowShape {
                channels,
                condition: 128,
            };
            let dims = super::Flow::parameter_dims(shape);
            let block: usize = dims.iter().map(|dims| dims.iter().product::<usize>()).sum();
            assert_eq!(8 * block, published);
        }
    }

    #[test]
    fn gains_follow_the_reference() {
        for (raw, expected) in [
            (-4.0, 0.025_386),
            (0.0, 0.138_629),
            (4.0, 0.425_386),
            (NEUTRAL_SCALE, 1.0),
            (12.0, 1.200_495),
            (60.0, 6.0),
        ] {
            assert!((gain(raw) - expected).abs() < 1e-6, "{raw}");
            let slope = (gain(raw + 0.01) - gain(raw - 0.01)) / 0.02;
            assert!((slope - gain_slope(raw)).abs() < 1e-4, "{raw}");
        }
    }
}
