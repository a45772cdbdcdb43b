//! Random rotations that mix the channels between coupling blocks: drawn from SO(C) as Haar measure has it, never trained.

use rand::Rng;
use rayon::prelude::*;

/// A rotation of `channels` dimensions, row-major `(C, C)`, determinant +1.
///
/// The Q of a Gaussian matrix's QR decomposition with the signs fixed, written as the product of its Householder
/// reflections (Stewart 1980): their number gives the determinant, and no matrix has to be decomposed. In `f64`.
pub fn haar_rotation(channels: usize, generator: &mut impl Rng) -> Vec<f32> {
    let reflections: Vec<Reflection> = (0..channels.saturating_sub(1))
        .map(|first| Reflection::random(first, channels, generator))
        .collect();
    let mut signs: Vec<f64> = reflections.iter().map(|one| one.sign).collect();
    let parity = if channels % 2 == 1 { 1.0 } else { -1.0 };
    signs.push(parity * signs.iter().product::<f64>());
    let mut rotation = vec![0.0; channels * channels];
    rotation
        .par_chunks_mut(channels.max(1))
        .enumerate()
        .for_each(|(index, row)| {
            let mut exact = vec![0.0; channels];
            exact[index] = 1.0;
            for reflection in &reflections {
                reflection.apply(&mut exact);
            }
            // Columns of the product become rows: the transpose of a Haar rotation is one too.
            for ((value, exact), sign) in row.iter_mut().zip(&exact).zip(&signs) {
                *value = (exact * sign) as f32;
            }
        });
    rotation
}

/// `I - u u^T` on the coordinates from `first` on, with `|u|^2 = 2`.
struct Reflection {
    first: usize,
    direction: Vec<f64>,
    sign: f64,
}

impl Reflection {
    /// The reflection that takes a Gaussian vector to an axis.
    fn random(first: usize, channels: usize, generator: &mut impl Rng) -> Self {
        let mut direction: Vec<f64> = (first..channels).map(|_| gaussian(generator)).collect();
        let squared: f64 = direction.iter().map(|x| x * x).sum();
        let lead = direction[0];
        let sign = if lead < 0.0 { -1.0 } else { 1.0 };
        direction[0] = lead + sign * squared.sqrt();
        let length = (0.5 * (squared - lead * lead + direction[0] * direction[0])).sqrt();
        for value in &mut direction {
            *value /= length;
        }
        Self {
            first,
            direction,
            sign,
        }
    }

    fn apply(&self, row: &mut [f64]) {
        let row = &mut row[self.first..];
        // Four sums side by side: one alone would wait for itself.
        let mut sums = [0.0; 4];
        for (a, b) in row.chunks(4).zip(self.direction.chunks(4)) {
            for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
                *sum += a * b;
            }
        }
        let product: f64 = sums.iter().sum();
        for (value, direction) in row.iter_mut().zip(&self.direction) {
            *value -= product * direction;
        }
    }
}

/// A standard normal number (Box and Muller 1958).
fn gaussian(generator: &mut impl Rng) -> f64 {
    // From (0, 1], so that the logarithm is finite.
    let radius = (-2.0 * (1.0 - uniform(generator)).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(generator)).cos()
}

/// 53 random bits in [0, 1).
fn uniform(generator: &mut impl Rng) -> f64 {
    (generator.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::haar_rotation;

    fn rotation(channels: usize, seed: u64) -> Vec<f64> {
        haar_rotation(channels, &mut ChaCha8Rng::seed_from_u64(seed))
            .into_iter()
            .map(f64::from)
            .collect()
    }

    fn determinant(matrix: &[f64], n: usize) -> f64 {
        let mut rows: Vec<Vec<f64>> = matrix.chunks(n).map(<[f64]>::to_vec).collect();
        let mut product = 1.0;
        for k in 0..n {
            let pivot = (k..n)
                .max_by(|&a, &b| rows[a][k].abs().total_cmp(&rows[b][k].abs()))
                .unwrap();
            if pivot != k {
                rows.swap(pivot, k);
                product = -product;
            }
            product *= rows[k][k];
            for i in k + 1..n {
                let factor = rows[i][k] / rows[k][k];
                let pivot = rows[k].clone();
                for (value, pivot) in rows[i].iter_mut().zip(&pivot).skip(k) {
                    *value -= factor * pivot;
                }
            }
        }
        product
    }

    #[test]
    fn rows_are_orthonormal_and_the_determinant_is_one() {
        for n in [1, 2, 3, 4, 7, 40, 65] {
            let matrix = rotation(n, n as u64);
            for i in 0..n {
                for j in 0..n {
                    let product: f64 = (0..n).map(|k| matrix[i * n + k] * matrix[j * n + k]).sum();
                    let expected = if i == j { 1.0 } else { 0.0 };
                    assert!((product - expected).abs() < 1e-6, "{n}: {product}");
                }
            }
            assert!((determinant(&matrix, n) - 1.0).abs() < 1e-5, "{n}");
        }
    }

    #[test]
    fn entries_are_spread_as_on_the_sphere() {
        // Each row of a Haar rotation is uniform on the sphere: mean 0, variance 1/n, fourth moment 3 / (n (n + 2)).
        let n = 8;
        let (mut count, mut sum, mut squares, mut fourth) = (0.0, 0.0, 0.0, 0.0);
        for seed in 0..400 {
            for value in rotation(n, seed) {
                count += 1.0;
                sum += value;
                squares += value * value;
                fourth += value.powi(4);
            }
        }
        let n = n as f64;
        assert!((sum / count).abs() < 0.01);
        assert!((squares / count * n - 1.0).abs() < 1e-5);
        assert!((fourth / count * n * (n + 2.0) / 3.0 - 1.0).abs() < 0.05);
        // Every single entry too, the corners included.
        for entry in [0, 7, 56, 63] {
            let mean = (0..400).map(|seed| rotation(8, seed)[entry]).sum::<f64>() / 400.0;
            assert!(mean.abs() < 0.07, "entry {entry}: {mean}");
        }
    }

    #[test]
    fn the_seed_decides() {
        assert_eq!(rotation(5, 1), rotation(5, 1));
        assert_ne!(rotation(5, 1), rotation(5, 2));
    }
}
