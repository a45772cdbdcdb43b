//! One part on the belt under the lamps, and the picture taken of it.

use rand::{Rng, RngExt};

use super::camera::{Camera, SAMPLES};
use super::light::{Grid, Lighting};
use super::part::{Part, Surface};
use super::texture::{Colour, Point, fractal, noise, turned};

/// Everything that makes one picture, except the sensor's noise.
#[derive(Debug, Clone)]
pub struct Scene {
    pub part: Part,
    pub camera: Camera,
    lighting: Lighting,
    belt: Belt,
}

/// The stretch of felt under the part.
#[derive(Debug, Clone, Copy)]
struct Belt {
    seed: u32,
    /// Direction in which the fibres run, in radians.
    grain: f32,
}

impl Scene {
    pub fn draw(rng: &mut impl Rng) -> Self {
        Self {
            part: Part::draw(rng),
            camera: Camera::draw(rng),
            lighting: Lighting::draw(rng),
            belt: Belt {
                seed: rng.random(),
                grain: rng.random_range(-0.1..0.1),
            },
        }
    }

    /// Noise-free pixel values, 0 to 255, row-major, `size * size` of them.
    pub fn photograph(&self, size: usize) -> Vec<Colour> {
        let side = size * SAMPLES;
        let scale = self.camera.scale(size);
        let softness = 0.7 / scale;
        let mut surfaces = Vec::with_capacity(side * side);
        for y in 0..side {
            for x in 0..side {
                let place = self.camera.part_from_sample(size, x, y);
                let surface = self.part.surface(place, softness);
                surfaces.push(
                    surface
                        .unwrap_or_else(|| self.belt.surface(x as f32 / scale, y as f32 / scale)),
                );
            }
        }
        let grid = Grid {
            side,
            scale,
            centre: self.camera.centre(size),
            surfaces,
        };
        self.camera.expose(&self.lighting.shade(&grid), size)
    }
}

impl Belt {
    /// Dark felt: short fibres, a slow unevenness, here and there a brighter lint.
    fn surface(self, x: f32, y: f32) -> Surface {
        let p: Point = turned([x, y], self.grain);
        let fibres = noise([p[0] * 34.0, p[1] * 110.0], self.seed);
        let pile = fractal([p[0] * 60.0, p[1] * 60.0], 2, self.seed ^ 0x33);
        let slow = fractal([p[0] * 2.2, p[1] * 2.2], 2, self.seed ^ 0x66);
        let level = 1.0 + 0.22 * fibres + 0.30 * pile + 0.16 * slow;
        Surface {
            height: 0.003 * pile,
            albedo: [0.020 * level, 0.024 * level, 0.026 * level],
            shine: 0.0,
            polish: 4.0,
            grooved: 0.0,
        }
    }
}
