//! The camera above the belt: where the part lies in the frame, and how light becomes pixel values with blur, vignette,
//! exposure and sensor noise.

use rand::{Rng, RngExt};

use super::texture::{Colour, Point, turned};

/// Samples along one side of a pixel: edges are smooth because each pixel averages a block of samples.
pub const SAMPLES: usize = 2;

/// The part's radius as a share of half the frame.
const FRAME_SHARE: f32 = 0.80;

/// How one picture was taken.
#[derive(Debug, Clone, Copy)]
pub struct Camera {
    /// Where the part's axis lies, in half frames from the middle.
    shift: Point,
    /// How the part is turned, in radians.
    turn: f32,
    zoom: f32,
    /// Standard deviation of the lens blur in pixels of a 320-pixel frame.
    blur: f32,
    exposure: f32,
    vignette: f32,
    /// Standard deviation of the noise of a mid-grey pixel, in levels of 255.
    noise: f32,
}

impl Camera {
    pub fn draw(rng: &mut impl Rng) -> Self {
        Self {
            shift: [
                rng.random_range(-0.015..0.015),
                rng.random_range(-0.015..0.015),
            ],
            turn: rng.random_range(-2.0f32..2.0).to_radians(),
            zoom: rng.random_range(0.993..1.007),
            blur: rng.random_range(0.40..0.65),
            exposure: rng.random_range(0.85..1.15),
            vignette: rng.random_range(0.10..0.18),
            noise: rng.random_range(1.3..2.2),
        }
    }

    /// Samples in one part radius, for a picture of `size` pixels.
    pub fn scale(&self, size: usize) -> f32 {
        0.5 * (size * SAMPLES) as f32 * FRAME_SHARE * self.zoom
    }

    /// Where the part's axis is, in samples.
    pub fn centre(&self, size: usize) -> Point {
        let half = 0.5 * (size * SAMPLES) as f32;
        self.shift.map(|shift| half * (1.0 + shift) - 0.5)
    }

    /// The place on the part under sample (`x`, `y`), in part radii.
    pub fn part_from_sample(&self, size: usize, x: usize, y: usize) -> Point {
        let (centre, scale) = (self.centre(size), self.scale(size));
        turned(
            [
                (x as f32 - centre[0]) / scale,
                (y as f32 - centre[1]) / scale,
            ],
            -self.turn,
        )
    }

    /// Noise-free pixel values, 0 to 255, from linear light sampled finer than the pixels; both row-major.
    pub fn expose(&self, light: &[Colour], size: usize) -> Vec<Colour> {
        let mut pixels = averaged(light, size);
        blur(&mut pixels, size, self.blur * size as f32 / 320.0);
        let half = size as f32 / 2.0;
        for (index, pixel) in pixels.iter_mut().enumerate() {
            let across = [
                (index % size) as f32 / half - 1.0,
                (index / size) as f32 / half - 1.0,
            ];
            let falloff = 1.0 - self.vignette * (across[0] * across[0] + across[1] * across[1]);
            *pixel = pixel.map(|channel| 255.0 * toned(channel * falloff * self.exposure));
        }
        pixels
    }

    /// The 8-bit RGB picture: sensor noise, stronger in bright places, then rounding.
    pub fn digitise(&self, pixels: &[Colour], rng: &mut impl Rng) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(pixels.len() * 3);
        for pixel in pixels {
            let (shared, first) = normal_pair(rng);
            let (second, third) = normal_pair(rng);
            for (channel, own) in pixel.iter().zip([first, second, third]) {
                let deviation = self.noise * (0.55 + 0.9 * (channel / 255.0).max(0.0).sqrt());
                let value = channel + deviation * (0.6 * shared + 0.8 * own);
                bytes.push(value.round().clamp(0.0, 255.0) as u8);
            }
        }
        bytes
    }
}

/// Film-like curve: shadows a little held back, highlights rolled off, then display gamma.
fn toned(light: f32) -> f32 {
    let light = light.max(0.0);
    let rolled = 1.0 - (-1.45 * light).exp();
    (rolled * (0.72 + 0.28 * rolled)).powf(1.0 / 2.2)
}

/// Each pixel is the mean of its block of samples.
fn averaged(light: &[Colour], size: usize) -> Vec<Colour> {
    let side = size * SAMPLES;
    let share = 1.0 / (SAMPLES * SAMPLES) as f32;
    let mut pixels = vec![[0.0; 3]; size * size];
    for (y, row) in light.chunks_exact(side).enumerate() {
        for (x, sample) in row.iter().enumerate() {
            let pixel: &mut Colour = &mut pixels[y / SAMPLES * size + x / SAMPLES];
            for (sum, value) in pixel.iter_mut().zip(sample) {
                *sum += value * share;
            }
        }
    }
    pixels
}

/// Gaussian blur in place, cut off at two pixels: `deviation` stays below one pixel here.
fn blur(pixels: &mut [Colour], size: usize, deviation: f32) {
    let weight = |distance: f32| (-0.5 * (distance / deviation).powi(2)).exp();
    let total = 1.0 + 2.0 * (weight(1.0) + weight(2.0));
    let weights = [1.0 / total, weight(1.0) / total, weight(2.0) / total];
    for y in 0..size {
        blur_line(pixels, size, weights, |i| y * size + i);
    }
    for x in 0..size {
        blur_line(pixels, size, weights, |i| i * size + x);
    }
}

fn blur_line(
    pixels: &mut [Colour],
    size: usize,
    weights: [f32; 3],
    index: impl Fn(usize) -> usize,
) {
    let line: Vec<Colour> = (0..size).map(|i| pixels[index(i)]).collect();
    for i in 0..size {
        let near = |offset: isize| line[(i as isize + offset).clamp(0, size as isize - 1) as usize];
        let (a, b, c, d) = (near(-2), near(-1), near(1), near(2));
        pixels[index(i)] = std::array::from_fn(|k| {
            weights[0] * line[i][k] + weights[1] * (b[k] + c[k]) + weights[2] * (a[k] + d[k])
        });
    }
}

/// Two independent normal deviates (Box and Muller 1958).
fn normal_pair(rng: &mut impl Rng) -> (f32, f32) {
    let radius = (-2.0 * (1.0 - rng.random::<f32>()).ln()).sqrt();
    let angle = std::f32::consts::TAU * rng.random::<f32>();
    (radius * angle.cos(), radius * angle.sin())
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::{Camera, SAMPLES};

    const SIZE: usize = 256;

    #[test]
    fn even_light_gives_an_even_picture_that_darkens_towards_the_corners() {
        let camera = Camera::draw(&mut ChaCha8Rng::seed_from_u64(1));
        let light = vec![[0.3; 3]; (SIZE * SAMPLES).pow(2)];
        let pixels = camera.expose(&light, SIZE);
        let middle = pixels[SIZE / 2 * SIZE + SIZE / 2][0];
        assert!((middle - pixels[SIZE / 2 * SIZE + SIZE / 2 + 9][0]).abs() < 0.5);
        assert!(middle - pixels[0][0] > 5.0);
        assert!(
            pixels
                .iter()
                .flatten()
                .all(|value| (0.0..=255.0).contains(value))
        );
    }

    #[test]
    fn sensor_noise_is_unbiased_and_a_few_levels_strong() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let camera = Camera::draw(&mut rng);
        let bytes = camera.digitise(&vec![[120.0; 3]; SIZE * SIZE], &mut rng);
        let count = bytes.len() as f32;
        let mean = bytes.iter().map(|&byte| f32::from(byte)).sum::<f32>() / count;
        let spread = (bytes
            .iter()
            .map(|&byte| (f32::from(byte) - mean).powi(2))
            .sum::<f32>()
            / count)
            .sqrt();
        assert!((mean - 120.0).abs() < 0.1, "{mean}");
        assert!((1.0..4.0).contains(&spread), "{spread}");
    }

    #[test]
    fn the_part_is_moved_by_a_few_pixels_and_turned_by_a_few_degrees() {
        for seed in 0..50 {
            let camera = Camera::draw(&mut ChaCha8Rng::seed_from_u64(seed));
            let centre = camera.centre(SIZE);
            let middle = (SIZE * SAMPLES) as f32 / 2.0;
            assert!(centre.iter().all(|c| (c - middle).abs() < 0.05 * middle));
            let [x, y] = camera.part_from_sample(SIZE, SIZE * SAMPLES - 1, SIZE);
            assert!(x > 1.1 && y.atan2(x).to_degrees().abs() < 5.0, "{x} {y}");
        }
    }
}
