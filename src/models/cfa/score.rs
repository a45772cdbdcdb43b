//! From distances to an anomaly map in input pixels.

use candle_core::{Result, Tensor};

use crate::ops::gaussian::smooth;
use crate::ops::resample::{Alignment, resize};

/// Score of each patch from its squared distances `(T, K)`, ascending: the distance to the nearest centre times its share
/// `exp(-D_1) / sum_k exp(-D_k)`. Written with differences, so that large distances do not underflow.
pub(super) fn patch_scores(squared: &Tensor) -> Result<Tensor> {
    let distances = squared.relu()?.sqrt()?; // (T, K)
    let nearest = distances.narrow(1, 0, 1)?;
    let shares = nearest
        .broadcast_sub(&distances)?
        .exp()?
        .sum_keepdim(1)?
        .recip()?;
    (nearest * shares)?.squeeze(1)
}

/// Upsamples the scores of pictures' grids `(B, h, w)` to their input `(B, H, W)` and smooths them.
pub(super) fn anomaly_maps(
    scores: &Tensor,
    (height, width): (usize, usize),
    sigma: f64,
) -> Result<Tensor> {
    smooth(&resize(scores, height, width, Alignment::Borders)?, sigma)
}

#[cfg(test)]
mod tests {
    use super::{anomaly_maps, patch_scores};
    use candle_core::{Device, Tensor};

    fn score(distances: &[f32]) -> f32 {
        let squared: Vec<f32> = distances.iter().map(|d| d * d).collect();
        let squared = Tensor::from_vec(squared, (1, distances.len()), &Device::Cpu).unwrap();
        patch_scores(&squared).unwrap().to_vec1::<f32>().unwrap()[0]
    }

    #[test]
    fn patches_score_as_in_the_reference() {
        for (distances, expected) in [
            ([0.5, 0.7, 1.2], 0.215_953),
            ([1.0, 1.0, 1.0], 0.333_333),
            ([0.0, 2.0, 3.0], 0.0),
            ([5.0, 5.5, 9.0], 3.077_214),
        ] {
            assert!((score(&distances) - expected).abs() < 1e-6);
        }
    }

    #[test]
    fn the_worked_example_scores_as_in_the_reference() {
        let squared =
            Tensor::new(&[[0.05_f32, 0.65, 0.85], [0.5, 0.5, 2.5]], &Device::Cpu).unwrap();
        let scores = patch_scores(&squared).unwrap().to_vec1::<f32>().unwrap();
        assert!((scores[0] - 0.108_767).abs() < 1e-6 && (scores[1] - 0.292_523).abs() < 1e-6);
    }

    #[test]
    fn huge_distances_negative_rounding_and_a_single_neighbour_stay_finite() {
        assert!((score(&[1e4, 1e4, 2e4]) - 5e3).abs() < 1.0);
        assert_eq!(score(&[7.0]), 7.0);
        let rounded = Tensor::new(&[[-1e-7_f32, 0.0, 1.0]], &Device::Cpu).unwrap();
        assert_eq!(
            patch_scores(&rounded).unwrap().to_vec1::<f32>().unwrap(),
            [0.0]
        );
    }

    #[test]
    fn a_constant_grid_gives_a_constant_map_of_the_input_size() {
        let map = anomaly_maps(
            &Tensor::full(0.5_f32, (1, 4, 6), &Device::Cpu).unwrap(),
            (16, 24),
            4.0,
        )
        .unwrap();
        assert_eq!(map.dims(), [1, 16, 24]);
        assert!(
            map.flatten_all()
                .unwrap()
                .to_vec1::<f32>()
                .unwrap()
                .iter()
                .all(|v| (v - 0.5).abs() < 1e-6)
        );
    }
}
