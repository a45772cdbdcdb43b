//! The coupled-hypersphere loss with its gradient written out. Knows centres and patches, not where they come from.

use candle_core::{DType, Result, Tensor};

use crate::ops::nearest::CentreIndex;

/// Constants of the loss.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hypersphere {
    /// K: attracting centres.
    pub(super) neighbours: usize,
    /// J: repelling centres, the next nearest after those.
    pub(super) hard_negatives: usize,
    /// Margin of the repulsion.
    pub(super) alpha: f32,
    pub(super) nu: f32,
}

/// The loss of some patches and its derivatives.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) loss: f64,
    /// `(T, D)`: with respect to the patches.
    pub(super) patches: Tensor,
    /// With respect to the radius.
    pub(super) radius: f64,
}

impl Hypersphere {
    /// Attraction and repulsion (CFA, Lee et al. 2022) with `s_1 <= s_2 <= ...` the squared distances to the bank:
    ///
    /// `1/nu mean_{t, k <= K} max(0, s_k - r^2)  +  1/nu mean_{t, K < j <= K + J} max(0, r^2 - s_j - alpha)`
    ///
    /// `patches` (T, D) are part of a batch of `total` patches over which the means are taken; parts add up.
    pub(super) fn measure(
        &self,
        bank: &CentreIndex,
        patches: &Tensor,
        radius: f32,
        total: usize,
    ) -> Result<Measured> {
        let found = bank.nearest(patches, self.neighbours + self.hard_negatives)?;
        let count = found.squared.dim(1)?;
        let (near, far) = (
            self.neighbours.min(count),
            count.saturating_sub(self.neighbours),
        );
        let (sphere, inner) = (radius * radius, radius * radius - self.alpha);

        // Per centre: the hinge's value, and what its slope contributes to 2 (f - c).
        let attracting = found.squared.narrow(1, 0, near)?;
        let mut hinges = vec![hinge(&attracting, 1.0, f64::from(-sphere), near)?];
        let mut slopes = vec![(attracting.gt(sphere)?.to_dtype(DType::F32)? / near as f64)?];
        if far > 0 {
            let repelling = found.squared.narrow(1, near, far)?;
            hinges.push(hinge(&repelling, -1.0, f64::from(inner), far)?);
            slopes.push((repelling.lt(inner)?.to_dtype(DType::F32)? / -(far as f64))?);
        }
        let scale = 1.0 / (f64::from(self.nu) * total as f64);
        let coefficients = (Tensor::cat(&slopes, 1)? * (2.0 * scale))?;
        let pull = coefficients
            .to_dtype(DType::F64)?
            .sum_all()?
            .to_scalar::<f64>()?;
        Ok(Measured {
            loss: scale * hinges.iter().sum::<f64>(),
            patches: bank.weighted_differences(patches, &found.indices, &coefficients)?,
            radius: -f64::from(radius) * pull,
        })
    }
}

/// `sum max(0, sign * s + offset) / count`.
fn hinge(squared: &Tensor, sign: f64, offset: f64, count: usize) -> Result<f64> {
    let active = squared.affine(sign, offset)?.relu()?;
    Ok(active.to_dtype(DType::F64)?.sum_all()?.to_scalar::<f64>()? / count as f64)
}

#[cfg(test)]
mod tests {
    use super::{Hypersphere, Measured};
    use crate::ops::nearest::CentreIndex;
    use candle_core::{Device, Result, Tensor, Var};

    const PAPER: Hypersphere = Hypersphere {
        neighbours: 3,
        hard_negatives: 3,
        alpha: 0.1,
        nu: 0.001,
    };
    const CENTRES: [[f32; 2]; 7] = [
        [0., 0.],
        [1., 0.],
        [0., 1.],
        [1., 1.],
        [2., 0.],
        [0., 2.],
        [2., 2.],
    ];

    fn rows<const N: usize>(rows: &[[f32; 2]; N]) -> Tensor {
        Tensor::new(rows, &Device::Cpu).unwrap()
    }

    fn measured(patches: [[f32; 2]; 2], radius: f32) -> Measured {
        let bank = CentreIndex::new(&rows(&CENTRES)).unwrap();
        PAPER.measure(&bank, &rows(&patches), radius, 2).unwrap()
    }

    fn assert_close(found: f64, expected: f64, tolerance: f64) {
        assert!(
            (found - expected).abs() <= tolerance,
            "{found} instead of {expected}"
        );
    }

    #[test]
    fn the_loss_has_the_reference_values_at_four_radii() {
        let patches = [[0.2, 0.1], [1.5, 1.5]];
        for (radius, expected) in [
            (1e-5, 841.666_667),
            (0.5, 625.0),
            (1.0, 250.0),
            (1.6, 168.333_333),
        ] {
            assert_close(measured(patches, radius).loss, expected, 1e-3);
        }
        assert_close(measured(patches, 1.0).radius, -333.333_333, 1e-3);
    }

    #[test]
    fn the_gradient_has_the_reference_values() {
        let patches = [[0.2, 0.13], [1.45, 1.52]];
        for (radius, expected) in [
            (0.9, [0.0, 0.0, 483.333_333, -160.0]),
            (1.6, [266.666_667, 290.0, -483.333_333, -173.333_333]),
        ] {
            let gradient = measured(patches, radius)
                .patches
                .flatten_all()
                .unwrap()
                .to_vec1::<f32>()
                .unwrap();
            for (found, expected) in gradient.iter().zip(expected) {
                assert_close((*found).into(), expected, 2e-3);
            }
        }
    }

    #[test]
    fn finite_differences_confirm_the_gradients() {
        let patches = [[0.2, 0.13], [1.45, 1.52]];
        let step = 1e-3_f32;
        for radius in [0.6, 0.9, 1.2, 1.6] {
            let exact = measured(patches, radius);
            let gradient = exact.patches.to_vec2::<f32>().unwrap();
            for (t, d) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let at = |offset: f32| {
                    let mut moved = patches;
                    moved[t][d] += offset;
                    measured(moved, radius).loss
                };
                assert_close(
                    gradient[t][d].into(),
                    (at(step) - at(-step)) / f64::from(2.0 * step),
                    0.5,
                );
            }
            let slope = (measured(patches, radius + step).loss
                - measured(patches, radius - step).loss)
                / f64::from(2.0 * step);
            assert_close(exact.radius, slope, 0.5);
        }
    }

    /// The loss as the reference writes it, differentiated by candle; neighbours are chosen without gradient.
    fn derived(patches: &Tensor, centres: &Tensor, radius: f32) -> Result<(f32, Tensor, Tensor)> {
        let (patches, radius) = (
            Var::from_tensor(patches)?,
            Var::new(&[radius], &Device::Cpu)?,
        );
        let (t, d) = patches.dims2()?;
        let indices = CentreIndex::new(centres)?
            .nearest(&patches.detach(), 6)?
            .indices
            .flatten_all()?;
        let chosen = centres.index_select(&indices, 0)?.reshape((t, 6, d))?;
        let squared = patches
            .unsqueeze(1)?
            .broadcast_sub(&chosen)?
            .sqr()?
            .sum(2)?;
        let sphere = radius.sqr()?;
        let attraction = squared
            .narrow(1, 0, 3)?
            .broadcast_sub(&sphere)?
            .relu()?
            .mean_all()?;
        let repulsion = squared
            .narrow(1, 3, 3)?
            .affine(-1.0, -0.1)?
            .broadcast_add(&sphere)?
            .relu()?
            .mean_all()?;
        let loss = ((attraction + repulsion)? / 0.001)?;
        let gradients = loss.backward()?;
        let of = |var: &Var| gradients.get(var).cloned().expect("the variable took part");
        Ok((loss.to_scalar()?, of(&patches), of(&radius)))
    }

    #[test]
    fn candle_derives_the_same_gradients_from_the_plain_loss() -> Result<()> {
        let wave = |n: usize, seed: f32| -> Vec<f32> {
            (0..n)
                .map(|i| (i as f32 * 0.61 + seed).sin() * 0.4)
                .collect()
        };
        let centres = Tensor::from_vec(wave(20 * 9, 0.0), (20, 9), &Device::Cpu)?;
        let patches = Tensor::from_vec(wave(11 * 9, 0.5), (11, 9), &Device::Cpu)?;
        for radius in [0.1, 0.7, 1.1] {
            let (loss, patch_gradient, radius_gradient) = derived(&patches, &centres, radius)?;
            let found = PAPER.measure(&CentreIndex::new(&centres)?, &patches, radius, 11)?;
            assert_close(found.loss, loss.into(), 1e-2);
            assert_close(
                found.radius,
                radius_gradient.to_vec1::<f32>()?[0].into(),
                1e-2,
            );
            let difference = (found.patches - patch_gradient)?
                .abs()?
                .max_all()?
                .to_scalar::<f32>()?;
            assert!(difference < 1e-2, "{difference}");
        }
        Ok(())
    }

    #[test]
    fn parts_of_a_batch_add_up_to_the_whole() {
        let bank = CentreIndex::new(&rows(&CENTRES)).unwrap();
        let whole = measured([[0.2, 0.1], [1.5, 1.5]], 1.6);
        let part = |patch: [f32; 2]| PAPER.measure(&bank, &rows(&[patch]), 1.6, 2).unwrap();
        let (first, second) = (part([0.2, 0.1]), part([1.5, 1.5]));
        assert_close(first.loss + second.loss, whole.loss, 1e-9);
        assert_close(first.radius + second.radius, whole.radius, 1e-3);
    }

    #[test]
    fn a_bank_of_fewer_centres_than_wanted_attracts_and_repels_with_what_it_has() {
        for count in 1..=4 {
            let centres = rows(&CENTRES).narrow(0, 0, count).unwrap();
            let found = PAPER
                .measure(
                    &CentreIndex::new(&centres).unwrap(),
                    &rows(&[[0.2, 0.1]]),
                    1.0,
                    1,
                )
                .unwrap();
            assert!(found.loss.is_finite() && found.loss >= 0.0);
        }
    }
}
