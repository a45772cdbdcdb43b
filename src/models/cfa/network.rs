//! The patch descriptor: one 1 x 1 convolution over pooled taps and coordinates, with its gradient written out by hand.
//!
//! The reference upsamples and joins all taps before the convolution. A 1 x 1 convolution commutes with bilinear
//! interpolation, so each tap goes through its own block of the weight at its own resolution and only the results are
//! upsampled and added: the same numbers with a quarter of the work.

use candle_core::{DType, Device, Result, Tensor, bail};
use rand::{Rng, RngExt};

use crate::ops::resample::{sum_on_first_grid, upsampling_adjoint};

/// Rows of the first block beyond the tap's own: the row coordinate, the column coordinate, and one for the bias.
const EXTRA: usize = 3;

/// The trained layer, one block of rows per tap.
#[derive(Debug, Clone)]
pub(super) struct Descriptor {
    /// `(channels of the tap, D)`; the first has [`EXTRA`] more rows.
    pub(super) blocks: Vec<Tensor>,
}

impl Descriptor {
    /// Weights and bias uniform within `1 / sqrt(inputs)`, drawn in the order of the reference's weight, then its bias.
    pub(super) fn random(
        channels: &[usize],
        width: usize,
        device: &Device,
        generator: &mut impl Rng,
    ) -> Result<Self> {
        let inputs = channels.iter().sum::<usize>() + 2;
        let bound = 1.0 / (inputs as f32).sqrt();
        let mut draw = |count: usize| {
            (0..count)
                .map(|_| generator.random_range(-bound..bound))
                .collect::<Vec<f32>>()
        };
        let weight = Tensor::from_vec(draw(width * inputs), (width, inputs), device)?;
        let bias = Tensor::from_vec(draw(width), width, device)?;
        Self::from_reference(&weight, &bias, channels)
    }

    /// From the reference's layout: weight `(D, C + 2)` with the taps' channels first, then row and column; bias `(D)`.
    pub(super) fn from_reference(
        weight: &Tensor,
        bias: &Tensor,
        channels: &[usize],
    ) -> Result<Self> {
        let total: usize = channels.iter().sum();
        let (width, inputs) = weight.dims2()?;
        if inputs != total + 2 || bias.dims1()? != width {
            bail!("a descriptor for {total} channels cannot have shape ({width}, {inputs})");
        }
        let rows = weight.t()?; // (C + 2, D)
        let mut blocks = Vec::with_capacity(channels.len());
        let mut start = 0;
        for &count in channels {
            let own = rows.narrow(0, start, count)?;
            let block = if blocks.is_empty() {
                Tensor::cat(&[&own, &rows.narrow(0, total, 2)?, &bias.unsqueeze(0)?], 0)?
            } else {
                own
            };
            blocks.push(block.contiguous()?);
            start += count;
        }
        Ok(Self { blocks })
    }

    /// Weight `(D, C + 2)` and bias `(D)` in the reference's layout.
    pub(super) fn to_reference(&self) -> Result<(Tensor, Tensor)> {
        let Some((first, rest)) = self.blocks.split_first() else {
            bail!("a descriptor needs at least one tap")
        };
        let own = first.dim(0)? - EXTRA;
        let mut rows = vec![first.narrow(0, 0, own)?];
        rows.extend_from_slice(rest);
        rows.push(first.narrow(0, own, 2)?);
        Ok((
            Tensor::cat(&rows, 0)?.t()?.contiguous()?,
            first.get(own + 2)?,
        ))
    }

    /// Embeds pictures: taps `(B, C, h, w)`, finest first, to patches `(B * T, D)` on the first tap's grid, row-major.
    pub(super) fn embed(&self, taps: &[Tensor]) -> Result<Tensor> {
        let grids = self
            .inputs(taps)?
            .iter()
            .zip(&self.blocks)
            .map(|(input, block)| {
                let (batch, _, h, w) = input.dims4()?;
                cells(input)?.matmul(block)?.reshape((batch, h, w, ()))
            })
            .collect::<Result<Vec<_>>>()?;
        sum_on_first_grid(&grids)?.flatten(0, 2)
    }

    /// The gradient of the blocks, given the loss's gradient `(B * T, D)` with respect to what [`Descriptor::embed`] gave.
    pub(super) fn gradients(&self, taps: &[Tensor], gradient: &Tensor) -> Result<Vec<Tensor>> {
        let inputs = self.inputs(taps)?;
        let (batch, _, height, width) = inputs[0].dims4()?;
        let fine = gradient.reshape((batch, height, width, ()))?;
        let blocks = inputs.iter().enumerate().map(|(i, input)| {
            let (_, _, h, w) = input.dims4()?;
            let gradient = if i == 0 {
                fine.clone()
            } else {
                upsampling_adjoint(&fine, h, w)?
            };
            cells(input)?.t()?.matmul(&gradient.flatten(0, 2)?) // (channels, D)
        });
        blocks.collect()
    }

    /// The taps with the extra rows on the first.
    fn inputs(&self, taps: &[Tensor]) -> Result<Vec<Tensor>> {
        if taps.len() != self.blocks.len() || taps.is_empty() {
            bail!(
                "the descriptor was made for {} taps, not {}",
                self.blocks.len(),
                taps.len()
            );
        }
        let (batch, _, h, w) = taps[0].dims4()?;
        let extra = coordinates(h, w, taps[0].device())?.unsqueeze(0)?;
        let extra = extra.broadcast_as((batch, EXTRA, h, w))?;
        let mut inputs = taps.to_vec();
        inputs[0] = Tensor::cat(&[&taps[0], &extra], 1)?;
        Ok(inputs)
    }
}

/// The cells of a tap `(B, C, h, w)` as the rows of a matrix `(B * h * w, C)`.
fn cells(tap: &Tensor) -> Result<Tensor> {
    let (batch, channels, h, w) = tap.dims4()?;
    if batch == 1 {
        return tap.reshape((channels, h * w))?.t();
    }
    let rows = tap.flatten_from(2)?.transpose(1, 2)?;
    rows.reshape((batch * h * w, channels))
}

/// Row coordinate, column coordinate (both from -1 to 1) and ones: `(3, h, w)`. A single row or column is at 0.
fn coordinates(h: usize, w: usize, device: &Device) -> Result<Tensor> {
    let along = |i: usize, n: usize| {
        if n > 1 {
            (2 * i) as f32 / (n - 1) as f32 - 1.0
        } else {
            0.0
        }
    };
    let rows = (0..h * w).map(|t| along(t / w, h));
    let columns = (0..h * w).map(|t| along(t % w, w));
    let values: Vec<f32> = rows.chain(columns).chain((0..h * w).map(|_| 1.0)).collect();
    Tensor::from_vec(values, (EXTRA, h, w), device)
}

/// Some pictures of an encoded batch, as `f32`.
pub(super) fn pictures(batch: &[Tensor], start: usize, count: usize) -> Result<Vec<Tensor>> {
    batch
        .iter()
        .map(|tap| {
            tap.narrow(0, start, count)?
                .to_dtype(DType::F32)?
                .contiguous()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Descriptor, coordinates};
    use crate::ops::resample::{Alignment, resize};
    use candle_core::{Device, Result, Tensor, Var};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn waves(channels: usize, h: usize, w: usize, seed: f32) -> Tensor {
        let values: Vec<f32> = (0..channels * h * w)
            .map(|i| (i as f32 * 0.7 + seed).sin())
            .collect();
        Tensor::from_vec(values, (1, channels, h, w), &Device::Cpu).unwrap()
    }

    fn example() -> (Descriptor, Vec<Tensor>) {
        let taps = vec![
            waves(3, 8, 12, 0.1),
            waves(4, 4, 6, 0.2),
            waves(5, 2, 3, 0.3),
        ];
        let descriptor = Descriptor::random(
            &[3, 4, 5],
            7,
            &Device::Cpu,
            &mut ChaCha8Rng::seed_from_u64(1),
        )
        .unwrap();
        (descriptor, taps)
    }

    /// As the reference computes it: upsample, join, append coordinates, convolve.
    fn plain(weight: &Tensor, bias: &Tensor, taps: &[Tensor]) -> Result<Tensor> {
        let (_, _, h, w) = taps[0].dims4()?;
        let mut joined = taps
            .iter()
            .map(|tap| resize(&tap.squeeze(0)?, h, w, Alignment::Borders))
            .collect::<Result<Vec<_>>>()?;
        joined.push(coordinates(h, w, &Device::Cpu)?.narrow(0, 0, 2)?);
        let features = Tensor::cat(&joined, 0)?.flatten(1, 2)?; // (C + 2, T)
        weight.matmul(&features)?.t()?.broadcast_add(bias)
    }

    fn largest_difference(a: &Tensor, b: &Tensor) -> f32 {
        assert_eq!(a.dims(), b.dims());
        (a - b)
            .unwrap()
            .abs()
            .unwrap()
            .max_all()
            .unwrap()
            .to_scalar()
            .unwrap()
    }

    #[test]
    fn coordinates_have_the_reference_values() {
        let found = coordinates(3, 4, &Device::Cpu)
            .unwrap()
            .to_vec3::<f32>()
            .unwrap();
        assert_eq!(found[0], [[-1.0; 4], [0.0; 4], [1.0; 4]]);
        for (found, expected) in found[1][0].iter().zip([-1.0, -0.333_333, 0.333_333, 1.0]) {
            assert!((found - expected).abs() < 1e-6);
        }
        assert_eq!(found[2], [[1.0; 4]; 3]);
        let single = coordinates(1, 1, &Device::Cpu)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1::<f32>()
            .unwrap();
        assert_eq!(single, [0.0, 0.0, 1.0]);
    }

    #[test]
    fn parameters_are_as_many_as_published_and_within_the_bound() {
        let draw = |channels: &[usize], width| {
            Descriptor::random(
                channels,
                width,
                &Device::Cpu,
                &mut ChaCha8Rng::seed_from_u64(0),
            )
            .unwrap()
        };
        let resnet = draw(&[64, 128, 256], 448);
        let values: Vec<f32> = resnet
            .blocks
            .iter()
            .flat_map(|b| b.flatten_all().unwrap().to_vec1::<f32>().unwrap())
            .collect();
        assert_eq!(values.len(), 202_048);
        let bound = 1.0 / 450_f32.sqrt();
        let largest = values.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        assert!(largest <= bound && largest > 0.999 * bound);
        let wide = draw(&[256, 512, 1024], 1792);
        assert_eq!(
            wide.blocks.iter().map(Tensor::elem_count).sum::<usize>(),
            3_216_640
        );
    }

    #[test]
    fn splitting_the_weight_changes_nothing() -> Result<()> {
        let (descriptor, taps) = example();
        let (weight, bias) = descriptor.to_reference()?;
        assert_eq!((weight.dims(), bias.dims()), (&[7, 14][..], &[7][..]));
        assert!(
            largest_difference(&descriptor.embed(&taps)?, &plain(&weight, &bias, &taps)?) < 1e-5
        );
        let again = Descriptor::from_reference(&weight, &bias, &[3, 4, 5])?;
        for (a, b) in descriptor.blocks.iter().zip(&again.blocks) {
            assert_eq!(largest_difference(a, b), 0.0);
        }
        Ok(())
    }

    #[test]
    fn the_written_out_gradient_is_the_one_candle_derives() -> Result<()> {
        let (descriptor, taps) = example();
        let (weight, bias) = descriptor.to_reference()?;
        let upstream = waves(1, 96, 7, 0.9).flatten_to(2)?;
        let (weight, bias) = (Var::from_tensor(&weight)?, Var::from_tensor(&bias)?);
        let derived = (plain(&weight, &bias, &taps)? * &upstream)?
            .sum_all()?
            .backward()?;
        let written = Descriptor {
            blocks: descriptor.gradients(&taps, &upstream)?,
        };
        let (weight_gradient, bias_gradient) = written.to_reference()?;
        let derived = |var: &Var| derived.get(var).cloned().expect("the variable took part");
        assert!(largest_difference(&weight_gradient, &derived(&weight)) < 1e-4);
        assert!(largest_difference(&bias_gradient, &derived(&bias)) < 1e-4);
        Ok(())
    }

    #[test]
    fn pictures_together_are_what_they_are_alone() -> Result<()> {
        let (descriptor, first) = example();
        let second: Vec<Tensor> = first.iter().map(Tensor::sqr).collect::<Result<_>>()?;
        let both: Vec<Tensor> = first
            .iter()
            .zip(&second)
            .map(|(a, b)| Tensor::cat(&[a, b], 0))
            .collect::<Result<_>>()?;
        let alone = [descriptor.embed(&first)?, descriptor.embed(&second)?];
        let together = descriptor.embed(&both)?;
        assert!(largest_difference(&together, &Tensor::cat(&alone, 0)?) < 1e-5);
        let gradients = descriptor.gradients(&both, &together)?;
        let own = descriptor.gradients(&first, &alone[0])?;
        let other = descriptor.gradients(&second, &alone[1])?;
        for ((together, a), b) in gradients.iter().zip(&own).zip(&other) {
            assert!(largest_difference(together, &(a + b)?) < 1e-3);
        }
        Ok(())
    }

    #[test]
    fn taps_or_weights_of_another_network_are_refused() {
        let (descriptor, taps) = example();
        assert!(descriptor.embed(&taps[..2]).is_err());
        let (weight, bias) = descriptor.to_reference().unwrap();
        assert!(Descriptor::from_reference(&weight, &bias, &[3, 4, 6]).is_err());
    }
}
