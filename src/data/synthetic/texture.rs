//! Noise and blending for surfaces drawn by code: pure functions of a position and a seed.

/// A point or vector in the plane.
pub type Point = [f32; 2];

/// Linear colour, each channel from 0 to about 1.
pub type Colour = [f32; 3];

/// 0 below `from`, 1 above `to`, smooth between; falls instead when `from > to`.
pub fn smoothstep(from: f32, to: f32, x: f32) -> f32 {
    let t = ((x - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// `a` at 0, `b` at 1.
pub fn mix(a: f32, b: f32, amount: f32) -> f32 {
    a + (b - a) * amount
}

pub fn mix_colour(a: Colour, b: Colour, amount: f32) -> Colour {
    [
        mix(a[0], b[0], amount),
        mix(a[1], b[1], amount),
        mix(a[2], b[2], amount),
    ]
}

pub fn length(p: Point) -> f32 {
    (p[0] * p[0] + p[1] * p[1]).sqrt()
}

/// The point turned about the origin. With y pointing down, positive angles turn clockwise on screen.
pub fn turned(p: Point, angle: f32) -> Point {
    let (sin, cos) = angle.sin_cos();
    [p[0] * cos - p[1] * sin, p[0] * sin + p[1] * cos]
}

/// Distance from `p` to the segment `a`–`b`, and where along it (0 to 1) the nearest point lies.
pub fn segment_distance(p: Point, a: Point, b: Point) -> (f32, f32) {
    let along = [b[0] - a[0], b[1] - a[1]];
    let from_a = [p[0] - a[0], p[1] - a[1]];
    let squared = along[0] * along[0] + along[1] * along[1];
    let t = if squared > 0.0 {
        ((from_a[0] * along[0] + from_a[1] * along[1]) / squared).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (
        length([from_a[0] - along[0] * t, from_a[1] - along[1] * t]),
        t,
    )
}

/// Smooth noise with one feature per unit, from -1 to 1.
pub fn noise(p: Point, seed: u32) -> f32 {
    let (x, y) = (below(p[0]), below(p[1]));
    let (fx, fy) = (p[0] - x as f32, p[1] - y as f32);
    let (wx, wy) = (fx * fx * (3.0 - 2.0 * fx), fy * fy * (3.0 - 2.0 * fy));
    let top = mix(lattice(x, y, seed), lattice(x + 1, y, seed), wx);
    let bottom = mix(lattice(x, y + 1, seed), lattice(x + 1, y + 1, seed), wx);
    mix(top, bottom, wy)
}

/// Noise summed over `octaves`, each twice as fine and half as strong; about -1 to 1.
pub fn fractal(p: Point, octaves: u32, seed: u32) -> f32 {
    let mut sum = 0.0;
    let mut scale = 1.0;
    let mut weight = 0.5;
    for octave in 0..octaves {
        sum += weight
            * noise(
                [p[0] * scale, p[1] * scale],
                seed.wrapping_add(octave * 101),
            );
        scale *= 2.03;
        weight *= 0.5;
    }
    sum
}

/// The whole number at or below `x`. `f32::floor` is a call into the C library on plain x86-64.
fn below(x: f32) -> i32 {
    let truncated = x as i32;
    truncated - i32::from((truncated as f32) > x)
}

/// A value from -1 to 1 that belongs to one lattice point.
fn lattice(x: i32, y: i32, seed: u32) -> f32 {
    let mut h = seed
        .wrapping_add((x as u32).wrapping_mul(0x9E37_79B1))
        .wrapping_add((y as u32).wrapping_mul(0x85EB_CA77));
    h ^= h >> 15;
    h = h.wrapping_mul(0x2C1B_3C6D);
    h ^= h >> 12;
    h = h.wrapping_mul(0x297A_2D39);
    h ^= h >> 15;
    (h >> 8) as f32 / 8_388_608.0 - 1.0
}

#[cfg(test)]
mod tests {
    use super::{fractal, noise, segment_distance, smoothstep};

    #[test]
    fn smoothstep_rises_or_falls_between_its_ends() {
        assert_eq!(smoothstep(1.0, 2.0, 0.5), 0.0);
        assert_eq!(smoothstep(1.0, 2.0, 1.5), 0.5);
        assert_eq!(smoothstep(2.0, 1.0, 0.5), 1.0);
    }

    #[test]
    fn noise_is_bounded_repeatable_and_continuous() {
        for i in 0..2000 {
            let p = [i as f32 * 0.13 - 90.0, i as f32 * -0.07 + 11.0];
            assert!(noise(p, 3).abs() <= 1.0 && fractal(p, 4, 3).abs() <= 1.0);
            assert_eq!(noise(p, 3), noise(p, 3));
            assert!((noise(p, 3) - noise([p[0] + 1e-3, p[1]], 3)).abs() < 0.01);
        }
        assert_ne!(noise([0.5, 0.5], 1), noise([0.5, 0.5], 2));
    }

    #[test]
    fn distance_to_a_segment_includes_its_ends() {
        assert_eq!(
            segment_distance([0.0, 1.0], [-1.0, 0.0], [1.0, 0.0]),
            (1.0, 0.5)
        );
        assert_eq!(
            segment_distance([4.0, 4.0], [0.0, 0.0], [1.0, 0.0]),
            (5.0, 1.0)
        );
        assert_eq!(
            segment_distance([3.0, 4.0], [0.0, 0.0], [0.0, 0.0]),
            (5.0, 0.0)
        );
    }
}
