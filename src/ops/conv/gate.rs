//! What squeeze-and-excitation (Hu et al. 2018) needs beside convolutions: the mean of each channel, and each channel times
//! a number of its own. Inference only: no gradients on the CPU.

use candle_core::{Result, Tensor, bail};
use rayon::prelude::*;

use crate::ops::values::with_values;

/// Sums kept side by side, so that they are added in vector registers.
const LANES: usize = 16;

/// The mean over the pixels of each channel: `(B, C, H, W)` to `(B, C, 1, 1)`.
pub fn channel_means(pixels: &Tensor) -> Result<Tensor> {
    let (batch, channels, height, width) = pixels.dims4()?;
    let plane = height * width;
    if plane == 0 {
        bail!("a picture of {height} x {width} pixels has no mean");
    }
    if !pixels.device().is_cpu() {
        return pixels.mean_keepdim((2, 3));
    }
    with_values(pixels, |values| {
        let means: Vec<f32> = values.par_chunks(plane).map(mean).collect();
        Tensor::from_vec(means, (batch, channels, 1, 1), pixels.device())
    })
}

/// One fixed order of adding, whatever the processor.
fn mean(values: &[f32]) -> f32 {
    let (rows, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for row in rows {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
    let sum = sums.iter().chain(rest).sum::<f32>();
    sum / values.len() as f32
}

/// `pixels` `(B, C, H, W)` with each channel multiplied by its own of `factors` `(B, C, 1, 1)`.
pub fn scale_channels(pixels: &Tensor, factors: &Tensor) -> Result<Tensor> {
    let (batch, channels, height, width) = pixels.dims4()?;
    if factors.dims() != [batch, channels, 1, 1] {
        bail!(
            "factors {:?} for pixels {:?}",
            factors.dims(),
            pixels.dims()
        );
    }
    let plane = height * width;
    if plane == 0 || !pixels.device().is_cpu() {
        return pixels.broadcast_mul(factors);
    }
    let scaled = with_values(pixels, |pixels| {
        with_values(factors, |factors| {
            let mut scaled = pixels.to_vec();
            let planes = scaled.par_chunks_mut(plane).zip(factors);
            planes.for_each(|(plane, factor)| plane.iter_mut().for_each(|value| *value *= factor));
            Ok(scaled)
        })
    })?;
    Tensor::from_vec(scaled, pixels.dims(), pixels.device())
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Result, Tensor};

    use super::{channel_means, scale_channels};

    fn pixels(dims: (usize, usize, usize, usize)) -> Tensor {
        let count = dims.0 * dims.1 * dims.2 * dims.3;
        let values: Vec<f32> = (0..count).map(|i| (i as f32 * 0.37).sin() + 0.5).collect();
        Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
    }

    fn largest_difference(a: &Tensor, b: &Tensor) -> f32 {
        assert_eq!(a.dims(), b.dims());
        let difference = (a - b).unwrap().abs().unwrap();
        difference.max_all().unwrap().to_scalar().unwrap()
    }

    #[test]
    fn means_and_products_agree_with_the_reference() -> Result<()> {
        for dims in [(2, 3, 9, 7), (1, 5, 1, 1), (3, 1, 4, 4), (1, 2, 33, 31)] {
            let pixels = pixels(dims);
            let means = channel_means(&pixels)?;
            assert!(largest_difference(&means, &pixels.mean_keepdim((2, 3))?) < 1e-6);
            let scaled = scale_channels(&pixels, &means)?;
            let expected = pixels.broadcast_mul(&means)?;
            assert_eq!(largest_difference(&scaled, &expected), 0.0);
        }
        Ok(())
    }

    #[test]
    fn views_that_are_not_contiguous_are_read_in_their_order() -> Result<()> {
        let turned = pixels((1, 4, 6, 5)).transpose(2, 3)?.narrow(1, 1, 2)?;
        let means = channel_means(&turned)?;
        assert!(largest_difference(&means, &turned.mean_keepdim((2, 3))?) < 1e-6);
        let scaled = scale_channels(&turned, &means)?;
        assert_eq!(
            largest_difference(&scaled, &turned.broadcast_mul(&means)?),
            0.0
        );
        Ok(())
    }

    #[test]
    fn not_a_number_spreads_over_its_channel_only() -> Result<()> {
        let values = [1_f32, f32::NAN, 3.0, 5.0];
        let pixels = Tensor::new(&values, &Device::Cpu)?.reshape((1, 2, 1, 2))?;
        let means = channel_means(&pixels)?.flatten_all()?.to_vec1::<f32>()?;
        assert!(means[0].is_nan() && means[1] == 4.0);
        Ok(())
    }

    #[test]
    fn an_empty_batch_is_fine_and_an_empty_picture_or_wrong_factors_are_not() -> Result<()> {
        let picture = pixels((1, 2, 3, 3));
        let none = picture.narrow(0, 0, 0)?;
        let means = channel_means(&none)?;
        assert_eq!(scale_channels(&none, &means)?.dims(), [0, 2, 3, 3]);
        assert!(channel_means(&picture.narrow(2, 0, 0)?).is_err());
        let factors = channel_means(&picture)?;
        assert!(scale_channels(&picture, &factors.narrow(1, 0, 1)?).is_err());
        Ok(())
    }
}
