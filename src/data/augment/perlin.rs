//! Perlin's gradient noise: the shapes of simulated defects. Perlin 1985, with the fade of his 2002 revision.

use std::f32::consts::{SQRT_2, TAU};

use super::draw::Draw;
use crate::data::image::Size;

/// Smooth noise with unit gradients on a lattice of `(rows + 1) x (columns + 1)` points.
pub(super) struct Perlin {
    rows: usize,
    columns: usize,
    gradients: Vec<[f32; 2]>,
}

impl Perlin {
    /// A lattice with this many cells down and across.
    pub(super) fn draw(rows: usize, columns: usize, draw: &mut Draw) -> Self {
        let angles = (0..(rows + 1) * (columns + 1)).map(|_| draw.between(0.0, TAU));
        Self::from_angles(rows, columns, angles)
    }

    fn from_angles(rows: usize, columns: usize, angles: impl Iterator<Item = f32>) -> Self {
        Self {
            rows,
            columns,
            gradients: angles.map(|angle| [angle.cos(), angle.sin()]).collect(),
        }
    }

    /// The noise at `u` cells down and `v` cells across; 0 outside the lattice.
    pub(super) fn at(&self, u: f32, v: f32) -> f32 {
        let inside = u >= 0.0 && v >= 0.0 && u < self.rows as f32 && v < self.columns as f32;
        if !inside {
            return 0.0;
        }
        let (row, column) = (u as usize, v as usize);
        let (fu, fv) = (u - row as f32, v - column as f32);
        let top = row * (self.columns + 1) + column;
        let bottom = top + self.columns + 1;
        let corner =
            |at: usize, du: f32, dv: f32| self.gradients[at][0] * du + self.gradients[at][1] * dv;
        let (wu, wv) = (fade(fu), fade(fv));
        let left = lerp(corner(top, fu, fv), corner(bottom, fu - 1.0, fv), wu);
        let right = lerp(
            corner(top + 1, fu, fv - 1.0),
            corner(bottom + 1, fu - 1.0, fv - 1.0),
            wu,
        );
        SQRT_2 * lerp(left, right, wv)
    }

    /// Where the noise, turned about its centre, exceeds `limit`, asked only where `wanted`. It is made for the next
    /// powers of two, which every lattice divides, and the middle is kept.
    pub(super) fn above(&self, size: Size, degrees: f32, limit: f32, wanted: &[bool]) -> Vec<bool> {
        let (width, height) = (
            size.width.next_power_of_two(),
            size.height.next_power_of_two(),
        );
        let (down, across) = (
            self.rows as f32 / height as f32,
            self.columns as f32 / width as f32,
        );
        let margin = (
            ((width - size.width) / 2) as f32,
            ((height - size.height) / 2) as f32,
        );
        let centre = ((width - 1) as f32 / 2.0, (height - 1) as f32 / 2.0);
        let (sin, cos) = degrees.to_radians().sin_cos();
        let mut marked = vec![false; size.pixels()];
        for (y, row) in marked.chunks_exact_mut(size.width).enumerate() {
            let wanted = &wanted[y * size.width..];
            let dy = y as f32 + margin.1 - centre.1;
            for (x, mark) in row.iter_mut().enumerate().filter(|(x, _)| wanted[*x]) {
                let dx = x as f32 + margin.0 - centre.0;
                let (column, row) = (
                    centre.0 + cos * dx + sin * dy,
                    centre.1 - sin * dx + cos * dy,
                );
                *mark = self.at(row * down, column * across) > limit;
            }
        }
        marked
    }
}

fn fade(t: f32) -> f32 {
    t * t * t * (t * (t * 6.0 - 15.0) + 10.0)
}

fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

#[cfg(test)]
mod tests {
    use super::{Draw, Perlin, Size};

    const ANGLES: [f32; 9] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.5, 1.5];
    const EIGHT: Size = Size {
        width: 8,
        height: 8,
    };

    fn example() -> Perlin {
        Perlin::from_angles(2, 2, ANGLES.into_iter())
    }

    #[test]
    fn eight_by_eight_samples_of_two_by_two_cells_are_the_published_formulas() {
        let noise = example();
        let values: Vec<f32> = (0..64)
            .map(|i| noise.at((i / 8) as f32 / 4.0, (i % 8) as f32 / 4.0))
            .collect();
        let close = |got: &[f32], wanted: [f32; 8]| {
            for (got, wanted) in got.iter().zip(wanted) {
                assert!((got - wanted).abs() < 2e-6, "{got} instead of {wanted}");
            }
        };
        close(
            &values[..8],
            [
                0.0, -0.092_389, -0.297_505, -0.266_709, 0.0, 0.166_872, -0.023_980, -0.195_817,
            ],
        );
        close(
            &values[24..32],
            [
                0.423_578, 0.512_344, 0.598_843, 0.484_082, 0.266_498, 0.121_493, 0.127_031,
                0.083_736,
            ],
        );
        assert!((values.iter().sum::<f32>() + 1.379_814).abs() < 1e-5);
        let max = values.iter().copied().fold(f32::MIN, f32::max);
        assert!((max - 0.703_569).abs() < 2e-6);
        assert_eq!(values.iter().filter(|&&v| v > 0.5).count(), 5);
        assert_eq!(values.iter().filter(|&&v| v > 0.2).count(), 19);
        let count = |limit| {
            let marked = noise.above(EIGHT, 0.0, limit, &[true; 64]);
            marked.iter().filter(|&&m| m).count()
        };
        assert_eq!((count(0.5), count(0.2)), (5, 19));
    }

    #[test]
    fn only_wanted_places_are_marked_and_turning_keeps_what_stays_inside() {
        let noise = example();
        assert!(!noise.above(EIGHT, 30.0, -2.0, &[false; 64]).contains(&true));
        let still = noise.above(EIGHT, 0.0, 0.2, &[true; 64]);
        let mut turned = noise.above(EIGHT, 180.0, 0.2, &[true; 64]);
        turned.reverse();
        // The first row and column lie on the lattice's edge: rounding decides whether they are inside.
        let inner = (0..64).filter(|i| i % 8 > 0 && i / 8 > 0);
        assert!(inner.into_iter().all(|i| still[i] == turned[i]));
    }

    #[test]
    fn sizes_that_no_power_of_two_divides_are_cut_from_the_next_one() {
        let mut draw = Draw::new(3, 0);
        for (width, height) in [
            (192, 192),
            (224, 224),
            (320, 256),
            (341, 256),
            (1, 1),
            (5, 90),
        ] {
            let size = Size { width, height };
            let noise = Perlin::draw(16, 8, &mut draw);
            let marked = noise.above(size, 0.0, 0.0, &vec![true; size.pixels()]);
            assert_eq!(marked.len(), size.pixels());
            if size.pixels() > 1000 {
                let share = marked.iter().filter(|&&m| m).count() as f32 / size.pixels() as f32;
                assert!((0.3..0.7).contains(&share), "{size}: {share}");
            }
        }
    }
}
