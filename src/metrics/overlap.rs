//! Per-region overlap: how much of each ground-truth region is found at which false-positive rate.
//! Bergmann et al. 2021, IJCV 129, section on evaluation metrics.

use super::curve::{Curve, Point, Tracer};
use super::sweep::{Defect, Rank, sweep};

/// The curve of mean overlap over the false-positive rate, and the normalised area below it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RegionOverlap {
    /// From 0 to 1; a random score gets half of the rate it is cut at.
    pub(super) area: f64,
    pub(super) curve: Curve,
}

impl RegionOverlap {
    /// Cuts the area at the false-positive rate `up_to`, exactly, between two vertices if need be. A small region counts
    /// as much as a large one. `None` without regions or without good pixels. Both slices must be sorted.
    pub(super) fn new(
        good: &[Rank],
        defects: &[Defect],
        sizes: &[usize],
        up_to: f64,
    ) -> Option<Self> {
        if good.is_empty() || defects.is_empty() {
            return None;
        }
        let mut tracer = Tracer::from(0.0, 0.0);
        let mut area = 0.0;
        let mut counted = 0;
        let mut found = 0.0; // regions, summed over their found shares
        let mut last = Vertex {
            rate: 0.0,
            overlap: 0.0,
        };
        for cut in sweep(good, defects) {
            for defect in &defects[counted..cut.defective] {
                found += 1.0 / sizes[defect.region as usize] as f64;
            }
            counted = cut.defective;
            let vertex = Vertex {
                rate: cut.good as f64 / good.len() as f64,
                overlap: if counted == defects.len() {
                    1.0
                } else {
                    found / sizes.len() as f64
                },
            };
            area += area_between(last, vertex, up_to);
            tracer.push(Point::at(vertex.rate, vertex.overlap, cut.limit));
            last = vertex;
        }
        Some(Self {
            area: area / up_to,
            curve: tracer.finish(),
        })
    }
}

#[derive(Debug, Clone, Copy)]
struct Vertex {
    rate: f64,
    overlap: f64,
}

/// The trapezoid below the segment from `a` to `b`, as far as it lies left of `up_to`.
fn area_between(a: Vertex, b: Vertex, up_to: f64) -> f64 {
    let width = b.rate.min(up_to) - a.rate;
    if width <= 0.0 {
        return 0.0;
    }
    let end = a.overlap + (b.overlap - a.overlap) * (width / (b.rate - a.rate));
    width * f64::midpoint(a.overlap, end)
}
