//! Lines around what lies above a limit or is marked by a mask, as loose segments in any order.

use crate::score_map::ScoreMap;

/// A line between two points `[x, y]`; pixel `i` covers `i..i + 1`.
pub type Segment = [[f32; 2]; 2];

/// The contour around everything at or above `limit` (marching squares between pixel centres), in map pixels. Regions at
/// the border are closed just outside it.
pub fn contour(map: &ScoreMap, limit: f32) -> Vec<Segment> {
    let mut segments = Vec::new();
    for row in 0..=map.height() {
        for column in 0..=map.width() {
            cell(map, limit, column, row, &mut segments);
        }
    }
    segments
}

/// The cell whose lower right corner is the centre of pixel (`column`, `row`).
fn cell(map: &ScoreMap, limit: f32, column: usize, row: usize, segments: &mut Vec<Segment>) {
    let (x, y) = (column as f32 - 0.5, row as f32 - 0.5);
    let corners = [[x, y], [x + 1.0, y], [x + 1.0, y + 1.0], [x, y + 1.0]];
    let above = |dx: usize, dy: usize| height_above(map, limit, column + dx, row + dy);
    let heights = [above(0, 0), above(1, 0), above(1, 1), above(0, 1)];
    let mut crossings = Vec::new();
    for (from, to) in [(0, 1), (1, 2), (2, 3), (3, 0)] {
        if (heights[from] >= 0.0) != (heights[to] >= 0.0) {
            let share = heights[from] / (heights[from] - heights[to]);
            let along = |axis: usize| {
                corners[from][axis] + (corners[to][axis] - corners[from][axis]) * share
            };
            crossings.push([along(0), along(1)]);
        }
    }
    segments.extend(crossings.chunks_exact(2).map(|pair| [pair[0], pair[1]]));
}

/// How far a score lies above the limit; indices start at one, and outside the map everything lies a little below.
fn height_above(map: &ScoreMap, limit: f32, column: usize, row: usize) -> f32 {
    const OUTSIDE: f32 = -1e-3;
    let inside = column.checked_sub(1).zip(row.checked_sub(1));
    inside
        .and_then(|(x, y)| map.at(x, y))
        .map_or(OUTSIDE * limit.abs().max(1e-3), |score| score - limit)
}

/// The border between marked and unmarked pixels, in mask pixels; straight runs are one segment. `mask` is row-major.
pub fn mask_outline(mask: &[bool], width: usize, height: usize) -> Vec<Segment> {
    let marked = |x: usize, y: usize| {
        // Indices start at one, so that the pixels just outside can be asked for.
        let inside = (1..=width).contains(&x) && (1..=height).contains(&y);
        inside && mask.get((y - 1) * width + x - 1).copied().unwrap_or(false)
    };
    let mut segments = Vec::new();
    for line in 0..=height {
        let edge = |i: usize| marked(i + 1, line) != marked(i + 1, line + 1);
        runs(width, edge, |from, to| {
            segments.push([[from, line as f32], [to, line as f32]]);
        });
    }
    for line in 0..=width {
        let edge = |i: usize| marked(line, i + 1) != marked(line + 1, i + 1);
        runs(height, edge, |from, to| {
            segments.push([[line as f32, from], [line as f32, to]]);
        });
    }
    segments
}

/// Calls `emit` with start and end of each run of positions on the edge.
fn runs(length: usize, edge: impl Fn(usize) -> bool, mut emit: impl FnMut(f32, f32)) {
    let mut start = None;
    for position in 0..=length {
        match (position < length && edge(position), start) {
            (true, None) => start = Some(position),
            (false, Some(from)) => {
                emit(from as f32, position as f32);
                start = None;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(segments: &[Segment]) -> f32 {
        segments
            .iter()
            .map(|[a, b]| (a[0] - b[0]).hypot(a[1] - b[1]))
            .sum()
    }

    #[test]
    fn a_straight_edge_is_found_between_the_pixels_where_the_scores_cross_the_limit() {
        let map = ScoreMap::new(4, 1, vec![0.0, 0.0, 1.0, 1.0]).unwrap();
        let segments = contour(&map, 0.25);
        let leftmost = segments
            .iter()
            .flatten()
            .map(|point| point[0])
            .fold(f32::MAX, f32::min);
        assert!((leftmost - 1.75).abs() < 1e-6, "{leftmost}");
    }

    #[test]
    fn maps_all_above_or_all_below_have_a_frame_or_nothing() {
        let map = ScoreMap::new(5, 4, vec![1.0; 20]).unwrap();
        assert!(contour(&map, 2.0).is_empty());
        assert!(!contour(&map, 0.5).is_empty());
        assert!(contour(&map, f32::INFINITY).is_empty());
    }

    #[test]
    fn every_end_of_a_contour_meets_another() {
        let values = (0..64).map(|i| ((i * 37) % 11) as f32).collect();
        let segments = contour(&ScoreMap::new(8, 8, values).unwrap(), 5.5);
        let mut ends: Vec<_> = segments
            .iter()
            .flatten()
            .map(|p| p.map(|v| (v * 4096.0).round() as i64))
            .collect();
        ends.sort_unstable();
        assert!(!ends.is_empty());
        assert!(
            ends.chunks(2).all(|pair| pair[0] == pair[1]),
            "an open contour"
        );
    }

    #[test]
    fn a_marked_rectangle_has_four_sides() {
        let mask: Vec<bool> = (0..5 * 4)
            .map(|i| (1..4).contains(&(i % 5)) && (1..3).contains(&(i / 5)))
            .collect();
        let segments = mask_outline(&mask, 5, 4);
        assert_eq!(segments.len(), 4);
        assert_eq!(length(&segments), 10.0);
    }

    #[test]
    fn masks_at_the_border_are_closed_and_empty_ones_have_no_outline() {
        assert_eq!(length(&mask_outline(&[true; 6], 3, 2)), 10.0);
        assert!(mask_outline(&[false; 6], 3, 2).is_empty());
    }
}
