//! From likelihoods to an anomaly map in input pixels (Gudovskiy et al. 2022, section 4.4), with constants that were fixed
//! when training ended instead of being taken from whatever is scored together.

use candle_core::{Device, Result, Tensor};

use crate::ops::resample::{Alignment, resize};

/// Likelihoods per dimension of one scale: `(h, w)`, row-major.
pub(super) struct ScaleLikelihoods {
    pub(super) values: Vec<f64>,
    pub(super) height: usize,
    pub(super) width: usize,
    /// The largest likelihood of this scale on held-out good pictures.
    pub(super) maximum: f64,
}

/// The map `(H, W)`: how far the scales' summed probabilities, each relative to its maximum and at most 1, stay below
/// their number. 0 where every scale finds the picture as likely as anything it has seen.
pub(super) fn anomaly_map(
    scales: &[ScaleLikelihoods],
    (height, width): (usize, usize),
) -> Result<Tensor> {
    let mut sum = Tensor::zeros((1, height, width), candle_core::DType::F64, &Device::Cpu)?;
    for scale in scales {
        let relative = |&likelihood: &f64| {
            let excess = likelihood - scale.maximum;
            // Not-a-number must not pass for likely.
            (if excess > 0.0 { 0.0 } else { excess }).exp() as f32
        };
        let relative: Vec<f32> = scale.values.iter().map(relative).collect();
        let grid = Tensor::from_vec(relative, (1, scale.height, scale.width), &Device::Cpu)?;
        let upsampled = resize(&grid, height, width, Alignment::Centres)?;
        sum = (sum + upsampled.to_dtype(candle_core::DType::F64)?)?;
    }
    sum.affine(-1.0, scales.len() as f64)?
        .to_dtype(candle_core::DType::F32)?
        .squeeze(0)
}

#[cfg(test)]
mod tests {
    use super::{ScaleLikelihoods, anomaly_map};

    fn scales(maxima: [f64; 2]) -> [ScaleLikelihoods; 2] {
        let scale = |values: [f64; 4], maximum| ScaleLikelihoods {
            values: values.to_vec(),
            height: 2,
            width: 2,
            maximum,
        };
        [
            scale([-1.2, -1.0, -1.5, -3.0], maxima[0]),
            scale([-1.1, -1.3, -2.0, -1.05], maxima[1]),
        ]
    }

    #[test]
    fn the_worked_example_scores_as_in_the_reference() {
        let map = anomaly_map(&scales([-1.0, -1.05]), (3, 3)).unwrap();
        let found = map.to_vec2::<f32>().unwrap();
        let sums = [
            [1.769_96, 1.774_38, 1.778_801],
            [1.381_616, 1.419_342, 1.457_068],
            [0.993_272, 1.064_303, 1.135_335],
        ];
        for (found, sums) in found.iter().flatten().zip(sums.iter().flatten()) {
            assert!((found - (2.0 - sums)).abs() < 1e-5, "{found} {sums}");
        }
        // The reference subtracts from the largest sum: a constant apart.
        assert!((found[2][0] - found[0][2] - 0.785_529).abs() < 1e-5);
    }

    #[test]
    fn more_likely_than_ever_seen_counts_as_certain() {
        let map = anomaly_map(&scales([-5.0, -5.0]), (4, 4)).unwrap();
        let values = map.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(values.iter().all(|&value| value.abs() < 1e-6));
    }

    #[test]
    fn a_likelihood_that_is_no_number_does_not_pass() {
        let mut broken = scales([-1.0, -1.0]);
        broken[0].values[0] = f64::NAN;
        let map = anomaly_map(&broken, (2, 2)).unwrap();
        assert!(map.to_vec2::<f32>().unwrap()[0][0].is_nan());
    }
}
