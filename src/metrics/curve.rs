//! Curves to draw, and the thinning that keeps them small however many pixels made them. Areas are computed elsewhere.

use serde::{Deserialize, Serialize};

/// One vertex of a curve and the limit that makes it (predict anomalous when score >= limit).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub x: f64,
    pub y: f64,
    /// Infinite at the first vertex, where nothing is called anomalous; saved as null.
    pub limit: Option<f32>,
}

impl Point {
    pub(super) fn at(x: f64, y: f64, limit: f32) -> Self {
        Self {
            x,
            y,
            limit: Some(limit),
        }
    }

    /// Along the axes, so that one step of a staircase is as long as it looks.
    fn distance(&self, other: &Self) -> f64 {
        (self.x - other.x).abs() + (self.y - other.y).abs()
    }
}

/// A curve to draw, in order of falling limit. Thinned for drawing; areas are computed from all vertices.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    pub points: Vec<Point>,
}

impl Curve {
    /// The working point at `limit`: the last vertex made by a limit at or above it. `None` for an empty curve.
    pub fn at_limit(&self, limit: f32) -> Option<Point> {
        let reached = |point: &Point| point.limit.is_none_or(|own| own >= limit);
        let count = self.points.partition_point(reached);
        self.points.get(count.checked_sub(1)?).copied()
    }
}

/// Most vertices a finished curve has.
pub const MOST_POINTS: usize = 512;

/// Collects the vertices of a curve and thins them as they come, in memory that does not grow with their number.
///
/// A curve of at most [`MOST_POINTS`] vertices is kept whole. Beyond that a vertex is dropped while it is within
/// `tolerance` of the last kept one; when the curve leaves that neighbourhood, the vertex before the jump (the corner) is
/// kept as well as the one after. First and last vertex always stay.
#[derive(Debug)]
pub(super) struct Tracer {
    kept: Vec<Point>,
    /// The newest vertex, while it is too close to the last kept one.
    pending: Option<Point>,
    tolerance: f64,
}

/// Thinning starts with this tolerance: far below what a screen shows.
const FINEST: f64 = 1.0 / 8192.0;
const COARSER: f64 = 1.25;

impl Tracer {
    /// Starts where nothing is called anomalous.
    pub(super) fn from(x: f64, y: f64) -> Self {
        Self {
            kept: vec![Point { x, y, limit: None }],
            pending: None,
            tolerance: 0.0,
        }
    }

    pub(super) fn push(&mut self, point: Point) {
        self.offer(point);
        while self.kept.len() > 8 * MOST_POINTS {
            self.thin();
        }
    }

    pub(super) fn finish(mut self) -> Curve {
        self.kept.extend(self.pending.take());
        while self.kept.len() > MOST_POINTS {
            self.thin();
            self.kept.extend(self.pending.take());
        }
        Curve { points: self.kept }
    }

    fn offer(&mut self, point: Point) {
        if let Some(corner) = self.pending.take()
            && self.is_far(&point)
        {
            self.kept.push(corner);
        }
        if self.is_far(&point) {
            self.kept.push(point);
        } else {
            self.pending = Some(point);
        }
    }

    fn is_far(&self, point: &Point) -> bool {
        self.kept
            .last()
            .is_none_or(|last| last.distance(point) > self.tolerance)
    }

    fn thin(&mut self) {
        self.tolerance = (self.tolerance * COARSER).max(FINEST);
        let points = std::mem::take(&mut self.kept);
        let newest = self.pending.take();
        for point in points.into_iter().chain(newest) {
            self.offer(point);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Curve, FINEST, MOST_POINTS, Point, Tracer};

    fn traced(points: impl IntoIterator<Item = (f64, f64)>) -> Vec<Point> {
        let mut tracer = Tracer::from(0.0, 0.0);
        for (i, (x, y)) in points.into_iter().enumerate() {
            tracer.push(Point::at(x, y, -(i as f32)));
        }
        tracer.finish().points
    }

    /// How far `x, y` is from the nearest segment, in x at equal y or the other way round.
    fn distance_to(points: &[Point], (x, y): (f64, f64)) -> f64 {
        let to_segment = |pair: &[Point]| {
            let (a, b) = (pair[0], pair[1]);
            let (dx, dy) = (b.x - a.x, b.y - a.y);
            let length = dx * dx + dy * dy;
            let t = (((x - a.x) * dx + (y - a.y) * dy) / length).clamp(0.0, 1.0);
            (a.x + t * dx - x).hypot(a.y + t * dy - y)
        };
        points
            .windows(2)
            .map(to_segment)
            .fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn a_short_curve_is_kept_whole() {
        let stairs: Vec<_> = (1..512)
            .map(|i| (f64::from(i / 2) / 256.0, f64::from((i + 1) / 2) / 256.0))
            .collect();
        let points = traced(stairs.clone());
        assert_eq!(points.len(), 512);
        assert!(
            points[1..]
                .iter()
                .zip(stairs)
                .all(|(point, (x, y))| point.x == x && point.y == y)
        );
    }

    #[test]
    fn a_long_curve_is_thinned_but_passes_near_every_vertex() {
        let count = 300_000;
        let bow: Vec<_> = (1..=count)
            .map(|i| {
                let x = f64::from(i) / f64::from(count);
                (x, x.powf(0.2))
            })
            .collect();
        let points = traced(bow.clone());
        assert!(
            (256..=MOST_POINTS).contains(&points.len()),
            "{} points",
            points.len()
        );
        assert_eq!(points.first().unwrap().limit, None);
        assert_eq!(
            (points.last().unwrap().x, points.last().unwrap().y),
            (1.0, 1.0)
        );
        let worst = bow
            .iter()
            .step_by(97)
            .map(|&point| distance_to(&points, point))
            .fold(0.0, f64::max);
        assert!(worst < 0.003, "{worst}");
    }

    #[test]
    fn the_corner_of_a_perfect_ranking_survives_thinning() {
        let up = (1..=50_000).map(|i| (0.0, f64::from(i) / 50_000.0));
        let right = (1..=50_000).map(|i| (f64::from(i) / 50_000.0, 1.0));
        let points = traced(up.chain(right));
        assert!(points.len() <= MOST_POINTS);
        assert!(points.iter().any(|point| point.x < 0.01 && point.y == 1.0));
        assert!(distance_to(&points, (0.0, 1.0)) < 0.003);
    }

    #[test]
    fn a_lonely_spike_survives_thinning() {
        let flat = |x: i32| (f64::from(x) / 50_000.0, 0.0);
        let points = traced(
            (1..25_000)
                .map(flat)
                .chain([(0.5, 0.9)])
                .chain((25_001..50_000).map(flat)),
        );
        assert!(points.iter().any(|point| point.y == 0.9));
        assert!(distance_to(&points, (0.5 - FINEST, 0.0)) < 0.003);
    }

    #[test]
    fn however_wild_a_curve_is_it_ends_up_short() {
        let points = traced((1..200_000).map(|i| (f64::from(i) / 200_000.0, f64::from(i % 2))));
        assert!(points.len() <= MOST_POINTS);
    }

    #[test]
    fn the_working_point_is_the_last_vertex_at_or_above_the_limit() {
        let curve = Curve {
            points: traced([(0.1, 0.5), (0.2, 0.6)]),
        };
        let x_at = |limit| curve.at_limit(limit).map(|point| point.x);
        assert_eq!(x_at(0.5), Some(0.0));
        assert_eq!(x_at(0.0), Some(0.1));
        assert_eq!(x_at(-0.5), Some(0.1));
        assert_eq!(x_at(-9.0), Some(0.2));
        assert_eq!(Curve::default().at_limit(0.0), None);
    }
}
