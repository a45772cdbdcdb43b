//! Which pixels a stroke or a polygon covers: for each row, from which column to which. Pure geometry in *image* pixels,
//! where pixel `i` covers `i..i + 1`; a pixel belongs to a shape when its centre does.

/// `[x, y]` in image pixels.
pub type Point = [f32; 2];

/// Pixels `start..end` of row `y`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub y: usize,
    pub start: usize,
    pub end: usize,
}

/// The pixels of a picture, `(width, height)`.
pub type Bounds = (usize, usize);

/// All discs of `radius` whose centre lies between `from` and `to`: however fast the pointer moved, there is no gap. The
/// pixel under `to` always belongs to it, however small the radius.
pub fn stroke(from: Point, to: Point, radius: f32, bounds: Bounds) -> Vec<Span> {
    let (top, bottom) = rows(
        from[1].min(to[1]) - radius,
        from[1].max(to[1]) + radius,
        bounds.1,
    );
    let sides = sides(from, to, radius);
    let covered = (top..bottom).filter_map(|y| {
        let middle = y as f32 + 0.5;
        let parts = [
            disc_row(from, radius, middle),
            disc_row(to, radius, middle),
            polygon_row(&sides, middle),
        ];
        // A stroke is convex: between its leftmost and its rightmost point everything belongs to it.
        let (left, right) = parts
            .into_iter()
            .flatten()
            .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
        span(y, left, right, bounds.0)
    });
    let mut spans: Vec<Span> = covered.collect();
    spans.extend(pixel(to, bounds));
    spans
}

/// What lies inside a closed polygon by the even-odd rule. Fewer than three points have no inside.
pub fn polygon(points: &[Point], bounds: Bounds) -> Vec<Span> {
    let ends = |pick: fn(f32, f32) -> f32, start| points.iter().map(|p| p[1]).fold(start, pick);
    let (top, bottom) = rows(ends(f32::min, f32::MAX), ends(f32::max, f32::MIN), bounds.1);
    let mut spans = Vec::new();
    for y in top..bottom {
        let crossings = crossings(points, y as f32 + 0.5);
        for pair in crossings.chunks_exact(2) {
            spans.extend(span(y, pair[0], pair[1], bounds.0));
        }
    }
    spans
}

/// Rows that may hold centres between two heights, clipped to the picture.
fn rows(top: f32, bottom: f32, height: usize) -> (usize, usize) {
    let first = top.floor().max(0.0) as usize;
    let last = bottom.ceil().clamp(0.0, height as f32) as usize;
    (first, last)
}

/// The pixels of a row whose centres lie from `left` to `right`.
fn span(y: usize, left: f32, right: f32, width: usize) -> Option<Span> {
    let start = (left - 0.5).ceil().max(0.0) as usize;
    let end = (right + 0.5).floor().clamp(0.0, width as f32) as usize;
    (start < end).then_some(Span { y, start, end })
}

fn pixel([x, y]: Point, (width, height): Bounds) -> Option<Span> {
    let inside = x >= 0.0 && y >= 0.0 && x < width as f32 && y < height as f32;
    inside.then_some(Span {
        y: y as usize,
        start: x as usize,
        end: x as usize + 1,
    })
}

fn disc_row([x, y]: Point, radius: f32, row: f32) -> Option<(f32, f32)> {
    let half = radius * radius - (row - y) * (row - y);
    (half >= 0.0).then(|| (x - half.sqrt(), x + half.sqrt()))
}

/// The rectangle between the first and the last disc.
fn sides(from: Point, to: Point, radius: f32) -> [Point; 4] {
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let length = dx.hypot(dy).max(f32::MIN_POSITIVE);
    let (across, down) = (-dy / length * radius, dx / length * radius);
    let corner = |[x, y]: Point, side: f32| [x + side * across, y + side * down];
    [
        corner(from, 1.0),
        corner(to, 1.0),
        corner(to, -1.0),
        corner(from, -1.0),
    ]
}

fn polygon_row(points: &[Point], row: f32) -> Option<(f32, f32)> {
    let crossings = crossings(points, row);
    Some((*crossings.first()?, *crossings.last()?))
}

/// Where the edges cross a height, from left to right; always an even number, as each edge owns its upper end only.
fn crossings(points: &[Point], row: f32) -> Vec<f32> {
    let next = points.iter().cycle().skip(1);
    let mut crossings: Vec<f32> = points
        .iter()
        .zip(next)
        .filter(|(a, b)| (a[1] <= row) != (b[1] <= row))
        .map(|(a, b)| a[0] + (row - a[1]) / (b[1] - a[1]) * (b[0] - a[0]))
        .collect();
    crossings.sort_by(f32::total_cmp);
    crossings
}

#[cfg(test)]
mod tests {
    use super::{Bounds, Point, Span, polygon, stroke};

    const BOUNDS: Bounds = (40, 30);

    fn covered(spans: &[Span]) -> Vec<(usize, usize)> {
        let mut pixels: Vec<(usize, usize)> = spans
            .iter()
            .flat_map(|span| (span.start..span.end).map(|x| (x, span.y)))
            .collect();
        pixels.sort_unstable();
        pixels.dedup();
        pixels
    }

    fn every_pixel() -> impl Iterator<Item = (usize, usize)> {
        (0..BOUNDS.0).flat_map(|x| (0..BOUNDS.1).map(move |y| (x, y)))
    }

    fn distance(point: Point, from: Point, to: Point) -> f32 {
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let length = dx * dx + dy * dy;
        let along = (point[0] - from[0]) * dx + (point[1] - from[1]) * dy;
        let share = if length > 0.0 {
            (along / length).clamp(0.0, 1.0)
        } else {
            0.0
        };
        (point[0] - from[0] - share * dx).hypot(point[1] - from[1] - share * dy)
    }

    #[test]
    fn a_stroke_covers_what_lies_within_its_radius_and_nothing_else() {
        for (from, to, radius) in [
            ([5.2, 6.1], [30.7, 22.4], 3.3),
            ([30.0, 4.0], [8.0, 25.0], 1.0),
            ([10.0, 10.0], [10.0, 10.0], 6.5),
            ([4.0, 15.3], [36.0, 15.3], 2.0),
            ([20.4, 2.0], [20.4, 28.0], 2.5),
        ] {
            let pixels = covered(&stroke(from, to, radius, BOUNDS));
            for (x, y) in every_pixel() {
                let off = distance([x as f32 + 0.5, y as f32 + 0.5], from, to) - radius;
                if off.abs() > 1e-3 {
                    let belongs = pixels.binary_search(&(x, y)).is_ok();
                    assert_eq!(belongs, off < 0.0, "{from:?} {to:?} at {x} {y}");
                }
            }
        }
    }

    #[test]
    fn the_smallest_brush_marks_the_pixel_under_the_pointer() {
        let spans = stroke([7.9, 3.2], [7.9, 3.2], 0.1, BOUNDS);
        assert_eq!(covered(&spans), [(7, 3)]);
    }

    #[test]
    fn strokes_outside_the_picture_cover_nothing_and_across_its_edge_only_what_is_inside() {
        assert!(stroke([-20.0, -20.0], [-9.0, -9.0], 4.0, BOUNDS).is_empty());
        assert!(stroke([100.0, 10.0], [140.0, 10.0], 4.0, BOUNDS).is_empty());
        let pixels = covered(&stroke([-5.0, 15.0], [60.0, 15.0], 1.0, BOUNDS));
        assert_eq!(pixels.len(), 2 * 40);
    }

    #[test]
    fn a_polygon_holds_the_pixels_whose_centre_is_inside() {
        let square = [[2.0, 3.0], [6.0, 3.0], [6.0, 5.0], [2.0, 5.0]];
        assert_eq!(covered(&polygon(&square, BOUNDS)).len(), 8);
        let triangle = [[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]];
        assert_eq!(covered(&polygon(&triangle, BOUNDS)).len(), 55);
    }

    #[test]
    fn a_polygon_that_crosses_itself_is_hollow_where_it_overlaps_twice() {
        let frame = [
            [0.0, 0.0],
            [9.0, 0.0],
            [9.0, 9.0],
            [0.0, 9.0],
            [0.0, 0.0],
            [3.0, 3.0],
            [6.0, 3.0],
            [6.0, 6.0],
            [3.0, 6.0],
            [3.0, 3.0],
        ];
        assert_eq!(covered(&polygon(&frame, BOUNDS)).len(), 81 - 9);
    }

    #[test]
    fn points_and_lines_have_no_inside() {
        assert!(polygon(&[], BOUNDS).is_empty());
        assert!(polygon(&[[1.0, 1.0]], BOUNDS).is_empty());
        assert!(polygon(&[[1.0, 1.0], [20.0, 9.0]], BOUNDS).is_empty());
    }

    #[test]
    fn a_polygon_may_reach_beyond_the_picture() {
        let large = [[-9.0, -9.0], [99.0, -9.0], [99.0, 99.0], [-9.0, 99.0]];
        assert_eq!(covered(&polygon(&large, BOUNDS)).len(), 40 * 30);
    }
}
