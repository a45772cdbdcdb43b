//! The principal directions of a set of points, by orthogonal iteration. Approximate directions, exact orthonormality.

use candle_core::{Device, Result, Tensor};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Multiplications with the covariance. The directions only have to be good, not exact.
const ITERATIONS: usize = 6;

/// About the `count` directions along which `points` (N, D), already centred, spread most: (count, D), orthonormal rows.
/// Needs `count <= D`.
pub(super) fn principal_directions(points: &Tensor, count: usize) -> Result<Vec<Vec<f32>>> {
    let (_, width) = points.dims2()?;
    let covariance = points.t()?.matmul(points)?; // (D, D)
    let mut generator = ChaCha8Rng::seed_from_u64(0);
    let mut rows: Vec<Vec<f64>> = (0..count)
        .map(|_| random_row(width, &mut generator))
        .collect();
    orthonormalise(&mut rows, &mut generator);
    for _ in 0..ITERATIONS {
        let flat: Vec<f32> = rows.iter().flatten().map(|&v| v as f32).collect();
        let turned = Tensor::from_vec(flat, (count, width), &Device::Cpu)?.matmul(&covariance)?;
        rows = turned
            .to_vec2::<f32>()?
            .into_iter()
            .map(|row| row.into_iter().map(f64::from).collect())
            .collect();
        orthonormalise(&mut rows, &mut generator);
    }
    Ok(rows
        .into_iter()
        .map(|row| row.into_iter().map(|v| v as f32).collect())
        .collect())
}

fn random_row(width: usize, generator: &mut ChaCha8Rng) -> Vec<f64> {
    (0..width)
        .map(|_| generator.random_range(-1.0..1.0))
        .collect()
}

/// Gram-Schmidt, each row twice; a row that depends on those before it is replaced by a random one.
fn orthonormalise(rows: &mut [Vec<f64>], generator: &mut ChaCha8Rng) {
    for i in 0..rows.len() {
        let (done, rest) = rows.split_at_mut(i);
        let row = &mut rest[0];
        while !normalise_against(row, done) {
            *row = random_row(row.len(), generator);
        }
    }
}

/// Whether something was left of `row` after taking away its parts along the orthonormal rows `done`.
fn normalise_against(row: &mut [f64], done: &[Vec<f64>]) -> bool {
    let before = dot(row, row).sqrt();
    if !(before > 0.0 && before.is_finite()) {
        return false;
    }
    for _ in 0..2 {
        for other in done {
            let along = dot(row, other);
            for (value, other) in row.iter_mut().zip(other) {
                *value -= along * other;
            }
        }
    }
    let after = dot(row, row).sqrt();
    // What remains of a dependent row is rounding noise, whose direction means nothing.
    let kept = after > 1e-6 * before;
    for value in row {
        *value /= after;
    }
    kept
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::principal_directions;
    use candle_core::{Device, Tensor};

    fn assert_orthonormal(rows: &[Vec<f32>]) {
        for (i, a) in rows.iter().enumerate() {
            for (j, b) in rows.iter().enumerate() {
                let product: f64 = a
                    .iter()
                    .zip(b)
                    .map(|(a, b)| f64::from(*a) * f64::from(*b))
                    .sum();
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((product - expected).abs() < 1e-6, "{i} {j}: {product}");
            }
        }
    }

    #[test]
    fn the_widest_axis_is_found_first_even_when_the_points_fill_only_a_plane() {
        // 40 points: 10 sin along axis 2, cos along axis 5 of 8.
        let values: Vec<f32> = (0..40)
            .flat_map(|n| {
                let angle = n as f32 * std::f32::consts::TAU / 40.0;
                (0..8).map(move |d| match d {
                    2 => 10.0 * angle.sin(),
                    5 => angle.cos(),
                    _ => 0.0,
                })
            })
            .collect();
        let points = Tensor::from_vec(values, (40, 8), &Device::Cpu).unwrap();
        let rows = principal_directions(&points, 4).unwrap();
        assert_orthonormal(&rows);
        assert!(rows[0][2].abs() > 0.999 && rows[1][5].abs() > 0.999);
    }

    #[test]
    fn points_that_all_coincide_still_give_orthonormal_directions() {
        let points = Tensor::zeros((5, 6), candle_core::DType::F32, &Device::Cpu).unwrap();
        assert_orthonormal(&principal_directions(&points, 6).unwrap());
    }
}
