//! Gaussian smoothing of maps with mirrored borders, as a matrix product per axis: the same on every device.

use candle_core::{Device, Result, Tensor};

/// The kernel is cut off at this many standard deviations.
const TRUNCATE: f64 = 4.0;

/// Smooths maps `(B, H, W)` with standard deviation `sigma` in pixels. Beyond the border the map is mirrored with the edge
/// sample repeated (d c b a | a b c d | d c b a).
pub fn smooth(maps: &Tensor, sigma: f64) -> Result<Tensor> {
    let (_, height, width) = maps.dims3()?;
    let rows = smoothing_matrix(height, sigma, maps.device())?.unsqueeze(0)?;
    let columns = smoothing_matrix(width, sigma, maps.device())?
        .t()?
        .unsqueeze(0)?;
    rows.broadcast_matmul(&maps.broadcast_matmul(&columns)?)
}

/// Weights for offsets 0, 1, ... up to the cut-off; with their mirror image they add up to one.
fn half_kernel(sigma: f64) -> Vec<f64> {
    let radius = (TRUNCATE * sigma + 0.5) as usize;
    let weights: Vec<f64> = (0..=radius)
        .map(|i| (-0.5 * (i as f64 / sigma).powi(2)).exp())
        .collect();
    let total = 2.0 * weights.iter().sum::<f64>() - weights[0];
    weights.into_iter().map(|weight| weight / total).collect()
}

/// Smoothing along an axis of `length` samples as a matrix `(length, length)`.
fn smoothing_matrix(length: usize, sigma: f64, device: &Device) -> Result<Tensor> {
    let kernel = half_kernel(sigma);
    let radius = kernel.len() as isize - 1;
    let mut values = vec![0.0_f64; length * length];
    for (i, row) in values.chunks_exact_mut(length).enumerate() {
        for offset in -radius..=radius {
            row[mirrored(i as isize + offset, length)] += kernel[offset.unsigned_abs()];
        }
    }
    let values: Vec<f32> = values.into_iter().map(|v| v as f32).collect();
    Tensor::from_vec(values, (length, length), device)
}

/// The sample that stands at position `i` of the endlessly mirrored axis.
fn mirrored(i: isize, length: usize) -> usize {
    let position = i.rem_euclid(2 * length as isize) as usize;
    position.min(2 * length - 1 - position)
}

#[cfg(test)]
mod tests {
    use super::{half_kernel, mirrored, smooth};
    use candle_core::{Device, Tensor};

    #[test]
    fn the_kernel_of_sigma_four_has_the_reference_weights() {
        let kernel = half_kernel(4.0);
        assert_eq!(kernel.len(), 17);
        for (found, expected) in kernel
            .iter()
            .zip([0.099_739, 0.096_670, 0.088_019, 0.075_287, 0.060_495])
        {
            assert!((found - expected).abs() < 1e-6);
        }
        assert!((kernel[16] - 3.345_874e-5).abs() < 1e-10);
    }

    #[test]
    fn an_impulse_spreads_like_the_reference() {
        let mut values = vec![0.0_f32; 64 * 48];
        values[30 * 48 + 20] = 1.0;
        let map = Tensor::from_vec(values, (1, 64, 48), &Device::Cpu).unwrap();
        let smoothed = smooth(&map, 4.0).unwrap().to_vec3::<f32>().unwrap();
        assert!((smoothed[0][30][20] - 0.009_947_89).abs() < 1e-7);
        assert!((smoothed[0][30][24] - 0.006_033_70).abs() < 1e-7);
        assert!((smoothed[0][34][20] - 0.006_033_70).abs() < 1e-7);
    }

    #[test]
    fn borders_mirror_with_the_edge_repeated() {
        let map = Tensor::new(&[[[1.0_f32, 2.0, 3.0, 4.0, 10.0]]], &Device::Cpu).unwrap();
        let smoothed = smooth(&map, 1.0).unwrap().to_vec3::<f32>().unwrap();
        let expected = [1.427_710, 2.090_650, 3.292_115, 5.411_991, 7.777_534_f64];
        for (found, expected) in smoothed[0][0].iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 2e-6);
        }
        assert_eq!(
            [-2, -1, 0, 4, 5, 6, 10].map(|i| mirrored(i, 5)),
            [1, 0, 0, 4, 4, 3, 0]
        );
    }

    #[test]
    fn maps_smaller_than_the_kernel_stay_constant_when_constant() {
        let map = Tensor::full(0.25_f32, (2, 3, 2), &Device::Cpu).unwrap();
        let smoothed = smooth(&map, 4.0)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1::<f32>()
            .unwrap();
        assert!(smoothed.iter().all(|v| (v - 0.25).abs() < 1e-6));
    }
}
