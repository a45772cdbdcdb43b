//! k-means clustering of rows (Lloyd's iterations from k-means++ starts) on the CPU; the best of several starts.

use candle_core::{Device, Result, Tensor, bail};
use rand::{Rng, RngExt};
use rayon::prelude::*;

use super::values::with_values;

/// Independent starts; the one with the smallest sum of squared distances wins.
const STARTS: usize = 10;

/// Iterations at most per start. The assignment hardly ever takes more than a hundred to settle.
const ITERATIONS: usize = 3000;

/// The `count` cluster centres of `points` (N, D), as `(count, D)` on the points' device. Needs `1 <= count <= N`.
pub fn cluster_centres(points: &Tensor, count: usize, generator: &mut impl Rng) -> Result<Tensor> {
    let (available, width) = points.dims2()?;
    if count == 0 || count > available {
        bail!("cannot make {count} clusters of {available} points");
    }
    let on_cpu = points.to_device(&Device::Cpu)?.contiguous()?;
    let centres = with_values(&on_cpu, |values| {
        let points = Points {
            values,
            width,
            rows: &on_cpu,
        };
        let mut best: Option<Clustering> = None;
        for _ in 0..STARTS {
            let clustering = points.cluster(count, generator)?;
            if best
                .as_ref()
                .is_none_or(|best| clustering.inertia < best.inertia)
            {
                best = Some(clustering);
            }
        }
        Ok(best
            .map(|clustering| clustering.centres)
            .unwrap_or_default())
    })?;
    Tensor::from_vec(centres, (count, width), points.device())
}

struct Points<'a> {
    values: &'a [f32],
    width: usize,
    /// The same values as a tensor, for matrix products.
    rows: &'a Tensor,
}

struct Clustering {
    centres: Vec<f32>,
    /// Sum of squared distances of the points to their centres.
    inertia: f64,
}

impl Points<'_> {
    fn cluster(&self, count: usize, generator: &mut impl Rng) -> Result<Clustering> {
        let mut centres = self.spread_out(count, generator);
        let mut assigned: Vec<(usize, f32)> = Vec::new();
        for _ in 0..ITERATIONS {
            let now = self.assign(&centres)?;
            let settled = now.len() == assigned.len()
                && now.iter().zip(&assigned).all(|(now, old)| now.0 == old.0);
            assigned = now;
            if settled {
                break;
            }
            self.update(&mut centres, &assigned);
        }
        let inertia = assigned
            .iter()
            .map(|(_, squared)| f64::from(*squared))
            .sum();
        Ok(Clustering { centres, inertia })
    }

    fn row(&self, n: usize) -> &[f32] {
        &self.values[n * self.width..][..self.width]
    }

    /// k-means++ (Arthur and Vassilvitskii 2007): each further centre is a point drawn with probability proportional to
    /// its squared distance from the centres so far.
    fn spread_out(&self, count: usize, generator: &mut impl Rng) -> Vec<f32> {
        let available = self.values.len() / self.width;
        let mut nearest = vec![f32::INFINITY; available];
        let mut centres = Vec::with_capacity(count * self.width);
        let mut chosen = generator.random_range(0..available);
        while centres.len() < count * self.width {
            let centre = self.row(chosen);
            centres.extend_from_slice(centre);
            nearest.par_iter_mut().enumerate().for_each(|(n, nearest)| {
                *nearest = nearest.min(squared_distance(self.row(n), centre));
            });
            chosen = draw(&nearest, generator);
        }
        centres
    }

    /// The nearest centre of each point and the squared distance to it.
    fn assign(&self, centres: &[f32]) -> Result<Vec<(usize, f32)>> {
        let count = centres.len() / self.width;
        let norms: Vec<f32> = centres
            .chunks_exact(self.width)
            .map(|c| c.iter().map(|v| v * v).sum())
            .collect();
        let centre_rows = Tensor::from_slice(centres, (count, self.width), &Device::Cpu)?;
        let products = self.rows.matmul(&centre_rows.t()?)?; // (N, count)
        with_values(&products, |products| {
            let assigned = products
                .par_chunks_exact(count)
                .enumerate()
                .map(|(n, products)| {
                    let scores = products
                        .iter()
                        .zip(&norms)
                        .map(|(product, norm)| norm - 2.0 * product);
                    let nearest = scores
                        .enumerate()
                        .min_by(|a, b| a.1.total_cmp(&b.1))
                        .map_or(0, |(k, _)| k);
                    (
                        nearest,
                        squared_distance(
                            self.row(n),
                            &centres[nearest * self.width..][..self.width],
                        ),
                    )
                });
            Ok(assigned.collect())
        })
    }

    /// Moves each centre to the mean of its points; a centre without points to the point that is worst off.
    fn update(&self, centres: &mut [f32], assigned: &[(usize, f32)]) {
        let count = centres.len() / self.width;
        let mut members = vec![Vec::new(); count];
        for (n, &(k, _)) in assigned.iter().enumerate() {
            members[k].push(n);
        }
        let mut by_distance: Vec<usize> = (0..assigned.len()).collect();
        by_distance.sort_by(|&a, &b| assigned[a].1.total_cmp(&assigned[b].1));
        for members in members.iter_mut().filter(|members| members.is_empty()) {
            members.extend(by_distance.pop());
        }
        centres
            .par_chunks_exact_mut(self.width)
            .zip(&members)
            .for_each(|(centre, members)| {
                for (d, value) in centre.iter_mut().enumerate() {
                    let sum: f64 = members
                        .iter()
                        .map(|&n| f64::from(self.values[n * self.width + d]))
                        .sum();
                    *value = (sum / members.len().max(1) as f64) as f32;
                }
            });
    }
}

/// A position drawn with probability proportional to its weight; any position when all weights are zero.
fn draw(weights: &[f32], generator: &mut impl Rng) -> usize {
    let total: f64 = weights.iter().map(|&w| f64::from(w)).sum();
    let mut left = generator.random_range(0.0..1.0) * total;
    let found = weights.iter().position(|&w| {
        left -= f64::from(w);
        w > 0.0 && left <= 0.0
    });
    // Rounding can leave a little over; then the last position with any weight is meant.
    found
        .or_else(|| weights.iter().rposition(|&w| w > 0.0))
        .unwrap_or_else(|| generator.random_range(0..weights.len()))
}

fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

#[cfg(test)]
mod tests {
    use super::cluster_centres;
    use candle_core::{Device, Tensor};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn clustered(points: &[[f32; 2]], count: usize, seed: u64) -> Vec<[f32; 2]> {
        let flat = points.iter().flatten().copied().collect();
        let points = Tensor::from_vec(flat, (points.len(), 2), &Device::Cpu).unwrap();
        let centres =
            cluster_centres(&points, count, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();
        let mut centres: Vec<[f32; 2]> = centres
            .to_vec2::<f32>()
            .unwrap()
            .into_iter()
            .map(|row| [row[0], row[1]])
            .collect();
        centres.sort_by(|a, b| a.partial_cmp(b).unwrap());
        centres
    }

    #[test]
    fn three_groups_give_their_three_means_from_any_seed() {
        let points: Vec<[f32; 2]> = [[0.0, 0.0], [10.0, 0.0], [0.0, 20.0]]
            .iter()
            .flat_map(|[x, y]| [[x - 1.0, *y], [x + 1.0, *y], [*x, y - 1.0], [*x, y + 1.0]])
            .collect();
        for seed in 0..5 {
            assert_eq!(
                clustered(&points, 3, seed),
                [[0.0, 0.0], [0.0, 20.0], [10.0, 0.0]]
            );
        }
    }

    #[test]
    fn as_many_clusters_as_points_are_the_points() {
        let points = [[0.0, 1.0], [2.0, 3.0], [5.0, 5.0]];
        assert_eq!(clustered(&points, 3, 1), points);
    }

    #[test]
    fn points_that_coincide_are_clustered_without_trouble() {
        assert_eq!(clustered(&[[1.0, 2.0]; 5], 3, 1), [[1.0, 2.0]; 3]);
    }

    #[test]
    fn the_same_seed_gives_the_same_bits() {
        let points: Vec<[f32; 2]> = (0..200)
            .map(|i| [(i as f32 * 1.3).sin(), (i as f32 * 0.7).cos()])
            .collect();
        assert_eq!(clustered(&points, 17, 3), clustered(&points, 17, 3));
    }

    #[test]
    fn more_clusters_than_points_are_refused() {
        let points = Tensor::new(&[[0.0_f32, 1.0]], &Device::Cpu).unwrap();
        assert!(cluster_centres(&points, 2, &mut ChaCha8Rng::seed_from_u64(0)).is_err());
        assert!(cluster_centres(&points, 0, &mut ChaCha8Rng::seed_from_u64(0)).is_err());
    }
}
