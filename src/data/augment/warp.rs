//! Moves pixels of a picture and its mask together. Chooses nothing by itself.

use super::Frame;
use super::draw::Draw;
use super::perlin::Perlin;
use crate::data::image::Size;

/// For each pixel of the result, where in the source it comes from.
pub(super) enum Warp {
    /// Turned by an angle and enlarged about the middle, then shifted.
    Similarity(Similarity),
    /// A lens: radii are stretched by `1 + k r^2 + k r^4`, with r in widths from the middle.
    Lens { k: f32, size: Size },
    /// Strips of uneven widths, down and across.
    Strips {
        x: Vec<f32>,
        y: Vec<f32>,
        size: Size,
    },
    /// Smooth random displacement.
    Waves {
        x: Perlin,
        y: Perlin,
        reach: f32,
        size: Size,
    },
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Similarity {
    centre: (f32, f32),
    /// Cosine and sine, divided by the magnification.
    turn: (f32, f32),
    shift: (f32, f32),
}

impl Similarity {
    /// Counterclockwise degrees; the shift in pixels.
    pub(super) fn new(size: Size, degrees: f32, magnification: f32, shift: (f32, f32)) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Self {
            centre: (
                (size.width - 1) as f32 / 2.0,
                (size.height - 1) as f32 / 2.0,
            ),
            turn: (cos / magnification, sin / magnification),
            shift,
        }
    }
}

impl Warp {
    pub(super) fn turn(size: Size, degrees: f32) -> Self {
        Self::Similarity(Similarity::new(size, degrees, 1.0, (0.0, 0.0)))
    }

    /// Five strips each way, each up to `limit` narrower or wider than the others.
    pub(super) fn strips(size: Size, limit: f32, draw: &mut Draw) -> Self {
        let mut edges = || {
            let widths: Vec<f32> = (0..5).map(|_| 1.0 + draw.around_zero(limit)).collect();
            let total: f32 = widths.iter().sum();
            let ends = widths.iter().scan(0.0, |end, width| {
                *end += width / total;
                Some(*end)
            });
            std::iter::once(0.0).chain(ends).collect()
        };
        Self::Strips {
            x: edges(),
            y: edges(),
            size,
        }
    }

    /// Displaced by up to about `reach` pixels, with a few waves across the picture.
    pub(super) fn waves(size: Size, reach: f32, draw: &mut Draw) -> Self {
        Self::Waves {
            x: Perlin::draw(4, 4, draw),
            y: Perlin::draw(4, 4, draw),
            reach,
            size,
        }
    }

    /// The source of a pixel, in pixels.
    fn source(&self, x: f32, y: f32) -> (f32, f32) {
        match self {
            Self::Similarity(s) => {
                let (dx, dy) = (x - s.centre.0 - s.shift.0, y - s.centre.1 - s.shift.1);
                (
                    s.centre.0 + s.turn.0 * dx - s.turn.1 * dy,
                    s.centre.1 + s.turn.1 * dx + s.turn.0 * dy,
                )
            }
            Self::Lens { k, size } => {
                let (cx, cy) = (
                    (size.width - 1) as f32 / 2.0,
                    (size.height - 1) as f32 / 2.0,
                );
                let scale = size.width.max(size.height) as f32;
                let (dx, dy) = ((x - cx) / scale, (y - cy) / scale);
                let r2 = dx * dx + dy * dy;
                let stretch = scale * (1.0 + k * r2 + k * r2 * r2);
                (cx + dx * stretch, cy + dy * stretch)
            }
            Self::Strips { x: xs, y: ys, size } => {
                (strip(x, size.width, xs), strip(y, size.height, ys))
            }
            Self::Waves {
                x: xs,
                y: ys,
                reach,
                size,
            } => {
                let (u, v) = (4.0 * y / size.height as f32, 4.0 * x / size.width as f32);
                (x + reach * xs.at(u, v), y + reach * ys.at(u, v))
            }
        }
    }

    /// Bilinear; mirrored at the border where the source has nothing.
    pub(super) fn frame(&self, frame: &Frame) -> Frame {
        let (right, bottom) = ((frame.width() - 1) as f32, (frame.height() - 1) as f32);
        Frame::from_fn(frame.size(), |x, y| {
            let (x, y) = self.source(x as f32, y as f32);
            sample(frame, mirrored(x, right), mirrored(y, bottom))
        })
    }

    /// The nearest pixel; unmarked where the source has none.
    pub(super) fn mask(&self, mask: &[bool], size: Size) -> Vec<bool> {
        (0..size.pixels())
            .map(|i| {
                let (x, y) = self.source((i % size.width) as f32, (i / size.width) as f32);
                let (x, y) = (x + 0.5, y + 0.5);
                let inside =
                    x >= 0.0 && y >= 0.0 && x < size.width as f32 && y < size.height as f32;
                inside && mask[y as usize * size.width + x as usize]
            })
            .collect()
    }
}

/// Position `x` on strips of equal width comes from strips with these edges.
fn strip(x: f32, length: usize, edges: &[f32]) -> f32 {
    let count = edges.len() - 1;
    let place = (x + 0.5) / length as f32 * count as f32;
    let index = (place as usize).min(count - 1);
    let source = edges[index] + (edges[index + 1] - edges[index]) * (place - index as f32);
    source * length as f32 - 0.5
}

/// Folded back into `0..=last`.
fn mirrored(position: f32, last: f32) -> f32 {
    if (0.0..=last).contains(&position) {
        return position;
    }
    let folded = position.abs() % (2.0 * last).max(1.0);
    folded.min(2.0 * last - folded).clamp(0.0, last)
}

fn sample(frame: &Frame, x: f32, y: f32) -> [u8; 3] {
    let (column, row) = (x as usize, y as usize);
    let (fx, fy) = (x - column as f32, y - row as f32);
    let across = usize::from(column + 1 < frame.width());
    let down = frame.width() * usize::from(row + 1 < frame.height());
    let at = row * frame.width() + column;
    let [a, b, c, d] = [at, at + across, at + down, at + down + across].map(|i| frame.pixel(i));
    std::array::from_fn(|i| {
        let [a, b, c, d] = [a, b, c, d].map(|p| f32::from(p[i]));
        let (top, bottom) = (a + (b - a) * fx, c + (d - c) * fx);
        (top + (bottom - top) * fy + 0.5) as u8
    })
}

/// A symmetry of the rectangle. Those that swap sides need a square.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Symmetry {
    pub(super) mirrored: bool,
    pub(super) upside_down: bool,
    /// Rows become columns, after the mirroring.
    pub(super) transposed: bool,
}

impl Symmetry {
    /// Any symmetry of the rectangle, each as likely.
    pub(super) fn any(size: Size, draw: &mut Draw) -> Self {
        Self {
            mirrored: draw.chance(0.5),
            upside_down: draw.chance(0.5),
            transposed: draw.chance(0.5) && size.width == size.height,
        }
    }

    /// The index a pixel comes from.
    fn source(self, x: usize, y: usize, size: Size) -> usize {
        let (x, y) = if self.transposed { (y, x) } else { (x, y) };
        let column = if self.mirrored { size.width - 1 - x } else { x };
        let row = if self.upside_down {
            size.height - 1 - y
        } else {
            y
        };
        row * size.width + column
    }

    pub(super) fn frame(self, frame: &Frame) -> Frame {
        let size = frame.size();
        Frame::from_fn(size, |x, y| frame.pixel(self.source(x, y, size)))
    }

    pub(super) fn mask(self, mask: &[bool], size: Size) -> Vec<bool> {
        (0..size.pixels())
            .map(|i| mask[self.source(i % size.width, i / size.width, size)])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Draw, Frame, Similarity, Size, Symmetry, Warp, mirrored};

    const SIZE: Size = Size {
        width: 40,
        height: 30,
    };

    fn gradient() -> Frame {
        Frame::from_fn(SIZE, |x, y| [5 * x as u8, 7 * y as u8, 100])
    }

    fn dot(x: usize, y: usize) -> Vec<bool> {
        (0..SIZE.pixels())
            .map(|i| i == y * SIZE.width + x)
            .collect()
    }

    fn place(mask: &[bool]) -> Option<(usize, usize)> {
        let index = mask.iter().position(|&m| m)?;
        Some((index % SIZE.width, index / SIZE.width))
    }

    fn still() -> [Warp; 4] {
        let mut draw = Draw::new(0, 0);
        [
            Warp::turn(SIZE, 0.0),
            Warp::Lens { k: 0.0, size: SIZE },
            Warp::strips(SIZE, 0.0, &mut draw),
            Warp::waves(SIZE, 0.0, &mut draw),
        ]
    }

    #[test]
    fn warps_of_nothing_change_nothing() {
        let (frame, mask) = (gradient(), dot(7, 21));
        for warp in still() {
            assert_eq!(warp.frame(&frame), frame);
            assert_eq!(warp.mask(&mask, SIZE), mask);
        }
    }

    #[test]
    fn picture_and_mask_move_together() {
        let frame = Frame::from_fn(SIZE, |x, y| {
            [if (10..20).contains(&x) && (8..18).contains(&y) {
                255
            } else {
                0
            }; 3]
        });
        let mask: Vec<bool> = frame.rgb().chunks_exact(3).map(|p| p[0] > 127).collect();
        let mut draw = Draw::new(5, 0);
        for warp in [
            Warp::turn(SIZE, 33.0),
            Warp::Similarity(Similarity::new(SIZE, -20.0, 1.2, (3.0, -2.0))),
            Warp::Lens {
                k: -0.7,
                size: SIZE,
            },
            Warp::strips(SIZE, 0.3, &mut draw),
            Warp::waves(SIZE, 4.0, &mut draw),
        ] {
            let moved = warp.frame(&frame);
            let marked = warp.mask(&mask, SIZE);
            let bright = moved.rgb().chunks_exact(3).map(|p| p[0] > 127);
            let differing = bright.zip(&marked).filter(|(a, b)| a != *b).count();
            assert!(marked.contains(&true) && differing < 25, "{differing}");
        }
    }

    #[test]
    fn turns_are_counterclockwise_and_leave_no_black_corners() {
        let warp = Warp::turn(SIZE, 90.0);
        // Right of the middle goes above it.
        let found = place(&warp.mask(&dot(25, 15), SIZE)).expect("inside");
        assert!(
            (19..=21).contains(&found.0) && (8..=10).contains(&found.1),
            "{found:?}"
        );
        let white = Frame::from_fn(SIZE, |_, _| [255; 3]);
        assert_eq!(Warp::turn(SIZE, 45.0).frame(&white), white);
    }

    #[test]
    fn positions_beyond_the_border_are_mirrored() {
        for (position, expected) in [
            (3.5, 3.5),
            (-2.0, 2.0),
            (11.0, 7.0),
            (-10.0, 8.0),
            (19.0, 1.0),
        ] {
            assert_eq!(mirrored(position, 9.0), expected, "{position}");
        }
        assert_eq!((mirrored(4.0, 0.0), mirrored(-0.3, 0.0)), (0.0, 0.0));
    }

    #[test]
    fn symmetries_are_applied_to_picture_and_mask_alike() {
        let mirrored = Symmetry {
            mirrored: true,
            upside_down: false,
            transposed: false,
        };
        assert_eq!(place(&mirrored.mask(&dot(3, 4), SIZE)), Some((36, 4)));
        assert_eq!(mirrored.frame(&gradient()).pixel(0), [195, 0, 100]);
        let mut draw = Draw::new(1, 0);
        for _ in 0..20 {
            assert!(!Symmetry::any(SIZE, &mut draw).transposed);
        }
        let square = Size {
            width: 3,
            height: 3,
        };
        let transposed = Symmetry {
            mirrored: false,
            upside_down: false,
            transposed: true,
        };
        let mask: Vec<bool> = (0..9).map(|i| i == 2).collect();
        assert!(transposed.mask(&mask, square)[6]);
    }
}
