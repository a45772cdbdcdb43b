//! From likelihoods to an anomaly map in input pixels (Gudovskiy et al. 2022, section 4.4), with constants that were fixed
//! when training ended instead of being taken from whatever is scored together.

use candle_core::{DType, Result, Tensor, bail};

use crate::ops::resample::{Alignment, resize};

/// How likely a fibre is beside the likeliest there is, at most 1. Not-a-number must not pass for likely.
pub(super) fn share(likelihood: f64, maximum: f64) -> f32 {
    let excess = likelihood - maximum;
    (if excess > 0.0 { 0.0 } else { excess }).exp() as f32
}

/// Maps `(B, H, W)` from the scales' shares `(B, h, w)`, see [`share`]: how far their sum stays below their number. 0 where
/// every scale finds the picture as likely as anything it has seen.
pub(super) fn anomaly_maps(shares: &[Tensor], (height, width): (usize, usize)) -> Result<Tensor> {
    let mut sum: Option<Tensor> = None;
    for grid in shares {
        let own = resize(grid, height, width, Alignment::Centres)?.to_dtype(DType::F64)?;
        sum = Some(match sum {
            Some(sum) => (sum + own)?,
            None => own,
        });
    }
    let Some(sum) = sum else {
        bail!("a map needs at least one scale")
    };
    sum.affine(-1.0, shares.len() as f64)?.to_dtype(DType::F32)
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::{anomaly_maps, share};

    const LIKELIHOODS: [[f64; 4]; 2] = [[-1.2, -1.0, -1.5, -3.0], [-1.1, -1.3, -2.0, -1.05]];

    fn map(likelihoods: [[f64; 4]; 2], maxima: [f64; 2], size: (usize, usize)) -> Vec<Vec<f32>> {
        let scales = likelihoods.iter().zip(maxima);
        let grids: Vec<Tensor> = scales
            .map(|(values, maximum)| {
                let shares: Vec<f32> = values.iter().map(|&l| share(l, maximum)).collect();
                Tensor::from_vec(shares, (1, 2, 2), &Device::Cpu).unwrap()
            })
            .collect();
        let map = anomaly_maps(&grids, size).unwrap();
        map.squeeze(0).unwrap().to_vec2().unwrap()
    }

    #[test]
    fn the_worked_example_scores_as_in_the_reference() {
        let found = map(LIKELIHOODS, [-1.0, -1.05], (3, 3));
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
        let map = map(LIKELIHOODS, [-5.0, -5.0], (4, 4));
        assert!(map.iter().flatten().all(|value| value.abs() < 1e-6));
    }

    #[test]
    fn a_likelihood_that_is_no_number_does_not_pass() {
        let mut broken = LIKELIHOODS;
        broken[0][0] = f64::NAN;
        assert!(map(broken, [-1.0, -1.0], (2, 2))[0][0].is_nan());
    }
}
