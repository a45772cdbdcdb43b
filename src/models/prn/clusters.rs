//! k-means of points that are known by their inner products alone: centres are means of members, so distances follow from
//! the Gram matrix, whatever the points' dimension.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Independent starts; the one with the smallest sum of squared distances wins.
const STARTS: usize = 10;
/// Iterations at most per start.
const ITERATIONS: usize = 300;

/// Inner products of `n` points.
pub struct Gram {
    values: Vec<f64>,
    n: usize,
}

impl Gram {
    /// From the row-major `n x n` matrix; `None` when it is not square or empty.
    pub fn new(values: Vec<f64>, n: usize) -> Option<Self> {
        (n > 0 && values.len() == n * n).then_some(Self { values, n })
    }

    fn at(&self, a: usize, b: usize) -> f64 {
        self.values[a * self.n + b]
    }

    /// `|x - y|^2`, never negative.
    fn squared(&self, x: usize, y: usize) -> f64 {
        (self.at(x, x) - 2.0 * self.at(x, y) + self.at(y, y)).max(0.0)
    }

    /// The members of `count` clusters (k-means++ starts, Arthur and Vassilvitskii 2007, then Lloyd's iterations), each
    /// with at least one member. `count` is cut to the number of points.
    pub fn clusters(&self, count: usize, generator: &mut ChaCha8Rng) -> Vec<Vec<usize>> {
        let count = count.clamp(1, self.n);
        let mut best: Option<(f64, Vec<Vec<usize>>)> = None;
        for _ in 0..STARTS {
            let (inertia, clusters) = self.cluster(count, generator);
            if best.as_ref().is_none_or(|(least, _)| inertia < *least) {
                best = Some((inertia, clusters));
            }
        }
        best.map(|(_, clusters)| clusters).unwrap_or_default()
    }

    fn cluster(&self, count: usize, generator: &mut ChaCha8Rng) -> (f64, Vec<Vec<usize>>) {
        let starts = self.spread_out(count, generator);
        let mut clusters: Vec<Vec<usize>> = starts.into_iter().map(|start| vec![start]).collect();
        let mut assigned: Vec<usize> = Vec::new();
        for _ in 0..ITERATIONS {
            let (now, distances) = self.assign(&clusters);
            if now == assigned {
                break;
            }
            clusters = self.members(&now, &distances, count);
            assigned = now;
        }
        let (_, distances) = self.assign(&clusters);
        (distances.iter().sum(), clusters)
    }

    /// Each further start is drawn with probability proportional to its squared distance from those so far.
    fn spread_out(&self, count: usize, generator: &mut ChaCha8Rng) -> Vec<usize> {
        let mut starts = vec![generator.random_range(0..self.n)];
        let mut nearest = vec![f64::INFINITY; self.n];
        while let (Some(&last), true) = (starts.last(), starts.len() < count) {
            for (x, nearest) in nearest.iter_mut().enumerate() {
                *nearest = nearest.min(self.squared(x, last));
            }
            let total: f64 = nearest.iter().sum();
            let mut rest = generator.random::<f64>() * total;
            let drawn = nearest.iter().position(|&distance| {
                rest -= distance;
                distance > 0.0 && rest < 0.0
            });
            // Where all points lie on starts, any point that is none will do.
            let other = || (0..self.n).find(|x| !starts.contains(x));
            match drawn.or_else(other) {
                Some(start) => starts.push(start),
                None => break,
            }
        }
        starts
    }

    /// Each point's nearest cluster and its squared distance to that one's centre.
    fn assign(&self, clusters: &[Vec<usize>]) -> (Vec<usize>, Vec<f64>) {
        let spreads: Vec<f64> = clusters
            .iter()
            .map(|members| self.mean_product(members))
            .collect();
        let nearest = |x: usize| {
            let distances = clusters.iter().zip(&spreads);
            let distances = distances.map(|(members, spread)| self.to_centre(x, members, *spread));
            let first = (0, f64::INFINITY);
            distances
                .enumerate()
                .fold(first, |best, now| if now.1 < best.1 { now } else { best })
        };
        (0..self.n).map(nearest).unzip()
    }

    /// `(1/|S|^2) sum over a, b in S of <a, b>`: the squared length of the centre.
    fn mean_product(&self, members: &[usize]) -> f64 {
        let sum: f64 = members
            .iter()
            .flat_map(|&a| members.iter().map(move |&b| self.at(a, b)))
            .sum();
        sum / (members.len() * members.len()) as f64
    }

    /// `|x - mean of S|^2 = <x, x> - (2/|S|) sum over s of <x, s> + (1/|S|^2) sum over a, b of <a, b>`.
    fn to_centre(&self, x: usize, members: &[usize], spread: f64) -> f64 {
        let across: f64 = members.iter().map(|&s| self.at(x, s)).sum();
        (self.at(x, x) - 2.0 * across / members.len() as f64 + spread).max(0.0)
    }

    /// Members by cluster. A cluster that lost all takes the point farthest from its centre out of a larger one.
    fn members(&self, assigned: &[usize], distances: &[f64], count: usize) -> Vec<Vec<usize>> {
        let mut clusters = vec![Vec::new(); count];
        for (x, &cluster) in assigned.iter().enumerate() {
            clusters[cluster].push(x);
        }
        let mut farthest: Vec<usize> = (0..self.n).collect();
        farthest.sort_by(|&a, &b| distances[b].total_cmp(&distances[a]));
        let mut farthest = farthest.into_iter();
        for empty in 0..count {
            while clusters[empty].is_empty() {
                let Some(x) = farthest.next() else { break };
                let from = &mut clusters[assigned[x]];
                if from.len() > 1 {
                    from.retain(|&member| member != x);
                    clusters[empty].push(x);
                }
            }
        }
        clusters
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::Gram;

    fn gram(points: &[[f64; 2]]) -> Gram {
        let product = |a: &[f64; 2], b: &[f64; 2]| a[0] * b[0] + a[1] * b[1];
        let values = points
            .iter()
            .flat_map(|a| points.iter().map(move |b| product(a, b)))
            .collect();
        Gram::new(values, points.len()).unwrap()
    }

    fn clusters(points: &[[f64; 2]], count: usize, seed: u64) -> Vec<Vec<usize>> {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        let mut clusters = gram(points).clusters(count, &mut generator);
        for members in &mut clusters {
            members.sort_unstable();
        }
        clusters.sort();
        clusters
    }

    const POINTS: [[f64; 2]; 4] = [[0., 0.], [1., 0.], [4., 4.], [5., 4.]];

    #[test]
    fn the_distance_to_a_centre_follows_from_inner_products() {
        let gram = gram(&POINTS);
        let spread = gram.mean_product(&[2, 3]);
        assert!((gram.to_centre(0, &[2, 3], spread) - 36.25).abs() < 1e-12);
    }

    #[test]
    fn groups_are_found_from_any_seed() {
        for seed in 0..20 {
            assert_eq!(clusters(&POINTS, 2, seed), [vec![0, 1], vec![2, 3]]);
        }
    }

    #[test]
    fn every_cluster_has_a_member_even_among_equal_points() {
        for count in 1..=5 {
            let found = clusters(&[[1.0, 2.0]; 5], count, 3);
            assert_eq!(found.len(), count);
            assert!(found.iter().all(|members| !members.is_empty()));
            assert_eq!(found.iter().map(Vec::len).sum::<usize>(), 5);
        }
    }

    #[test]
    fn there_are_never_more_clusters_than_points() {
        assert_eq!(clusters(&POINTS, 9, 0).len(), 4);
        assert_eq!(clusters(&POINTS[..1], 3, 0), [vec![0]]);
        assert!(Gram::new(vec![], 0).is_none());
        assert!(Gram::new(vec![1.0; 3], 2).is_none());
    }

    #[test]
    fn the_same_seed_gives_the_same_clusters() {
        let points: Vec<[f64; 2]> = (0..60)
            .map(|i| [f64::from(i * 37 % 61), f64::from(i * 53 % 59)])
            .collect();
        assert_eq!(clusters(&points, 7, 5), clusters(&points, 7, 5));
    }
}
