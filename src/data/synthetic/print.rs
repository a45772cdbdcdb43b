//! What is printed on the part, along a ring: an orange band with a name on it, a type designation, ticks and frame lines.

use std::f32::consts::PI;

use super::texture::{Point, length, segment_distance, smoothstep, turned};

/// Where one stamp landed relative to where it should be.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Offset {
    /// In part radii.
    pub shift: Point,
    /// In radians.
    pub turn: f32,
}

impl Offset {
    /// The place on the artwork that ended up at `p`.
    fn artwork_from_part(self, p: Point) -> Point {
        turned([p[0] - self.shift[0], p[1] - self.shift[1]], -self.turn)
    }
}

/// What can be printed in the wrong place, each with a stamp of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Print {
    /// The orange band.
    pub band: Offset,
    /// The white name on the band.
    pub name: Offset,
    /// The white type designation below.
    pub designation: Offset,
}

/// How much of each ink covers a place, from 0 to 1.
pub struct Ink {
    pub orange: f32,
    pub white: f32,
}

const MIDDLE: f32 = 0.583;
const BAND_HALF_HEIGHT: f32 = 0.066;
const BAND_HALF_ANGLE: f32 = 1.13;
const FRAME_RADII: [f32; 2] = [0.488, 0.678];
const STROKE: f32 = 0.0085;
const LETTER_WIDTH: f32 = 0.062;
const LETTER_HEIGHT: f32 = 0.084;
const ADVANCE: f32 = 0.098;

const NAME: &str = "FLAWSCOPE";
const DESIGNATION: &str = "FC-80 24NM";

impl Print {
    /// Ink at a place in part radii; `softness` is the width over which an edge blends.
    pub fn ink(&self, p: Point, softness: f32) -> Ink {
        Ink {
            orange: cover(band_distance(self.band.artwork_from_part(p)), softness),
            white: cover(self.white_distance(p), softness),
        }
    }

    /// Signed distance to the nearest white stroke: frame lines, ticks or text (negative inside).
    fn white_distance(&self, p: Point) -> f32 {
        let radius = length(p);
        let frame = FRAME_RADII
            .iter()
            .map(|frame| (radius - frame).abs() - 0.45 * STROKE)
            .fold(f32::INFINITY, f32::min);
        let name = self.name.artwork_from_part(p);
        let designation = self.designation.artwork_from_part(p);
        let upper = [clockwise_from_top(name) * MIDDLE, length(name) - MIDDLE];
        let lower = [
            designation[0].atan2(designation[1]) * MIDDLE,
            MIDDLE - length(designation),
        ];
        frame
            .min(tick_distance(clockwise_from_top(p), radius))
            .min(text_distance(NAME, upper))
            .min(text_distance(DESIGNATION, lower))
    }
}

fn cover(distance: f32, softness: f32) -> f32 {
    smoothstep(softness, -softness, distance)
}

/// Signed distance to the orange band around the upper text (negative inside).
fn band_distance(p: Point) -> f32 {
    let radius = length(p);
    let beyond_end = (clockwise_from_top(p).abs() - BAND_HALF_ANGLE).max(0.0) * MIDDLE;
    beyond_end.hypot(radius - MIDDLE) - BAND_HALF_HEIGHT
}

/// The angle of a point seen from the centre, from -π to π, 0 at the top.
pub fn clockwise_from_top(p: Point) -> f32 {
    p[0].atan2(-p[1])
}

/// Two scales of ticks, left and right, every fifth one longer.
fn tick_distance(angle: f32, radius: f32) -> f32 {
    const STEP: f32 = PI / 45.0;
    const FIRST: f32 = 23.0 * STEP;
    const LAST: f32 = 27.0 * STEP;
    let side = angle.abs();
    if !(0.56..0.70).contains(&radius) {
        return f32::INFINITY;
    }
    let nearest = ((side - FIRST) / STEP)
        .round()
        .clamp(0.0, ((LAST - FIRST) / STEP).round());
    let across = (side - FIRST - nearest * STEP) * radius;
    let inner = if nearest as i32 % 2 == 0 {
        0.585
    } else {
        0.625
    };
    let (distance, _) = segment_distance([across, radius], [0.0, inner], [0.0, 0.668]);
    distance - 0.7 * STROKE
}

/// Signed distance to a line of text centred at the origin, x to the right and y up.
fn text_distance(text: &str, p: Point) -> f32 {
    let count = text.len() as f32;
    let slot = p[0] / ADVANCE + count / 2.0;
    if slot < -0.5 || slot > count + 0.5 || p[1].abs() > LETTER_HEIGHT {
        return f32::INFINITY;
    }
    let index = slot.floor().clamp(0.0, count - 1.0);
    let letter = text.as_bytes().get(index as usize).copied().unwrap_or(b' ');
    let centre = (index + 0.5 - count / 2.0) * ADVANCE;
    let local = [p[0] - centre, p[1]];
    strokes(letter)
        .windows(2)
        .filter(|pair| pair[0] != LIFT && pair[1] != LIFT)
        .map(|pair| segment_distance(local, placed(pair[0]), placed(pair[1])).0)
        .fold(f32::INFINITY, f32::min)
        - STROKE
}

/// Lifts the pen between two strokes of a letter.
const LIFT: (i8, i8) = (-1, -1);

/// A pen position on the 4 x 6 letter grid, as an offset from the letter's centre.
fn placed((column, row): (i8, i8)) -> Point {
    [
        (f32::from(column) / 4.0 - 0.5) * LETTER_WIDTH,
        (f32::from(row) / 6.0 - 0.5) * LETTER_HEIGHT,
    ]
}

/// The pen's way through one letter: columns 0 to 4 from the left, rows 0 to 6 from the bottom.
fn strokes(letter: u8) -> &'static [(i8, i8)] {
    match letter {
        b'A' => &[(0, 0), (2, 6), (4, 0), LIFT, (1, 2), (3, 2)],
        b'C' => &[
            (4, 5),
            (3, 6),
            (1, 6),
            (0, 5),
            (0, 1),
            (1, 0),
            (3, 0),
            (4, 1),
        ],
        b'E' => &[(4, 6), (0, 6), (0, 0), (4, 0), LIFT, (0, 3), (3, 3)],
        b'F' => &[(4, 6), (0, 6), (0, 0), LIFT, (0, 3), (3, 3)],
        b'L' => &[(0, 6), (0, 0), (4, 0)],
        b'M' => &[(0, 0), (0, 6), (2, 3), (4, 6), (4, 0)],
        b'N' => &[(0, 0), (0, 6), (4, 0), (4, 6)],
        b'O' | b'0' => &[
            (1, 0),
            (0, 1),
            (0, 5),
            (1, 6),
            (3, 6),
            (4, 5),
            (4, 1),
            (3, 0),
            (1, 0),
        ],
        b'P' => &[(0, 0), (0, 6), (3, 6), (4, 5), (4, 4), (3, 3), (0, 3)],
        b'S' => &[
            (4, 5),
            (3, 6),
            (1, 6),
            (0, 5),
            (0, 4),
            (4, 2),
            (4, 1),
            (3, 0),
            (1, 0),
            (0, 1),
        ],
        b'W' => &[(0, 6), (1, 0), (2, 4), (3, 0), (4, 6)],
        b'2' => &[(0, 5), (1, 6), (3, 6), (4, 5), (4, 4), (0, 0), (4, 0)],
        b'4' => &[(3, 0), (3, 6), (0, 2), (4, 2)],
        b'8' => &[
            (1, 3),
            (0, 4),
            (0, 5),
            (1, 6),
            (3, 6),
            (4, 5),
            (4, 4),
            (3, 3),
            (1, 3),
            (0, 2),
            (0, 1),
            (1, 0),
            (3, 0),
            (4, 1),
            (4, 2),
            (3, 3),
        ],
        b'-' => &[(1, 3), (3, 3)],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::{DESIGNATION, MIDDLE, NAME, Offset, Print, strokes};

    #[test]
    fn every_letter_of_the_label_has_strokes_on_the_grid() {
        for letter in NAME
            .bytes()
            .chain(DESIGNATION.bytes())
            .filter(|&l| l != b' ')
        {
            assert!(strokes(letter).len() > 1, "{}", letter as char);
            assert!(strokes(letter).iter().all(|&(x, y)| x <= 4 && y <= 6));
        }
    }

    #[test]
    fn the_band_lies_on_top_and_moves_with_its_stamp() {
        let print = Print::default();
        assert_eq!(print.ink([0.0, -MIDDLE], 0.001).orange, 1.0);
        assert_eq!(print.ink([0.0, MIDDLE], 0.001).orange, 0.0);
        let moved = Print {
            band: Offset {
                shift: [0.0, -0.2],
                turn: 0.0,
            },
            ..print
        };
        assert_eq!(moved.ink([0.0, -MIDDLE], 0.001).orange, 0.0);
        assert_eq!(moved.ink([0.0, -MIDDLE - 0.2], 0.001).orange, 1.0);
    }

    #[test]
    fn there_is_no_ink_off_the_label_ring() {
        for i in 0..100 {
            let angle = i as f32 * 0.0628;
            for radius in [0.2, 0.43, 0.73, 0.9] {
                let ink = Print::default().ink([radius * angle.sin(), radius * angle.cos()], 0.004);
                assert_eq!((ink.orange, ink.white), (0.0, 0.0), "radius {radius}");
            }
        }
    }
}
