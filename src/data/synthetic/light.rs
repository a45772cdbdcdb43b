//! How the scene is lit: a grid of surfaces becomes linear light. One key light with cast shadows, one fill light, and
//! an even dome that reaches less far into corners.

use rand::{Rng, RngExt};

use super::part::{self, Surface};
use super::texture::{Colour, Point, length, mix, smoothstep};

/// Distance between two looks for something that casts a shadow, in part radii.
const SHADOW_STEP: f32 = 0.018;

/// The scene seen from straight above, sampled finer than the picture's pixels.
pub struct Grid {
    /// Samples along each side.
    pub side: usize,
    /// Samples in one part radius.
    pub scale: f32,
    /// Where the part's axis is, in samples.
    pub centre: Point,
    pub surfaces: Vec<Surface>,
}

/// The lamps above one picture.
#[derive(Debug, Clone, Copy)]
pub struct Lighting {
    key: Lamp,
    fill: Lamp,
    dome: f32,
    /// The side light comes from reads brighter: change of brightness from the middle to the frame's edge.
    slope: Point,
}

#[derive(Debug, Clone, Copy)]
struct Lamp {
    direction: [f32; 3],
    /// Half-way between the lamp and the camera.
    halfway: [f32; 3],
    power: f32,
    tint: Colour,
}

impl Lamp {
    /// `azimuth` clockwise from the right, `elevation` above the belt, both in radians.
    fn new(azimuth: f32, elevation: f32, power: f32, tint: Colour) -> Self {
        let (across, up) = (elevation.cos(), elevation.sin());
        let direction = [across * azimuth.cos(), across * azimuth.sin(), up];
        let norm = (2.0 * (1.0 + up)).sqrt();
        Self {
            direction,
            halfway: [direction[0] / norm, direction[1] / norm, (up + 1.0) / norm],
            power,
            tint,
        }
    }
}

impl Lighting {
    /// Lamps as they stand in one moment: a little warmer, lower or further round than in another.
    pub fn draw(rng: &mut impl Rng) -> Self {
        let azimuth = (-125.0 + rng.random_range(-20.0f32..20.0)).to_radians();
        let elevation = rng.random_range(46.0f32..56.0).to_radians();
        let power = rng.random_range(1.25..1.60);
        let warmth = rng.random_range(-0.02..0.02);
        let tint = [1.02 + warmth, 1.0, 0.97 - warmth];
        let slope = rng.random_range(0.04..0.20);
        let opposite = azimuth + rng.random_range(2.5..3.0);
        Self {
            key: Lamp::new(azimuth, elevation, power, tint),
            fill: Lamp::new(
                opposite,
                0.80,
                rng.random_range(0.35..0.50),
                [0.97, 1.0, 1.04],
            ),
            dome: rng.random_range(0.26..0.34),
            slope: [slope * azimuth.cos(), slope * azimuth.sin()],
        }
    }

    /// Linear light for every sample of the grid, row-major.
    pub fn shade(&self, grid: &Grid) -> Vec<Colour> {
        let heights: Vec<f32> = grid.surfaces.iter().map(|surface| surface.height).collect();
        let open = openness(&heights, grid);
        let half = grid.side as f32 / 2.0;
        let mut light = Vec::with_capacity(heights.len());
        for y in 0..grid.side {
            for x in 0..grid.side {
                let index = y * grid.side + x;
                let across = [(x as f32 - half) / half, (y as f32 - half) / half];
                let level = 1.0 + self.slope[0] * across[0] + self.slope[1] * across[1];
                let lit = self.lit(grid, &heights, x, y);
                let surface = &grid.surfaces[index];
                let normal = normal(&heights, grid, x, y);
                let tangent = tangent(grid, x, y, normal);
                let key = self.key.reflection(surface, normal, tangent);
                let fill = self.fill.reflection(surface, normal, tangent);
                let dome = self.dome * open[index];
                light.push(std::array::from_fn(|c| {
                    let albedo = surface.albedo[c];
                    let lamps =
                        lit * key.seen(&self.key, albedo, c) + fill.seen(&self.fill, albedo, c);
                    level * (lamps + dome * (albedo + 0.10 * surface.shine))
                }));
            }
        }
        light
    }

    /// 1 where the key light arrives, 0 in full shadow: walks towards the lamp and looks for anything higher.
    fn lit(&self, grid: &Grid, heights: &[f32], x: usize, y: usize) -> f32 {
        let direction = self.key.direction;
        let across = direction[0].hypot(direction[1]);
        let rise = direction[2] / across;
        let start = heights[y * grid.side + x];
        let from_axis = [x as f32 - grid.centre[0], y as f32 - grid.centre[1]];
        if length(from_axis) > grid.scale * (1.0 + part::TALLEST / rise) {
            return 1.0;
        }
        let mut distance = SHADOW_STEP;
        let mut blocked = 0.0f32;
        while start + distance * rise < part::TALLEST {
            let reach = distance * grid.scale / across;
            let sx = (x as f32 + direction[0] * reach).max(0.0) as usize;
            let sy = (y as f32 + direction[1] * reach).max(0.0) as usize;
            let height = heights[sy.min(grid.side - 1) * grid.side + sx.min(grid.side - 1)];
            let above = height - start - distance * rise;
            if above > 0.0 {
                blocked = blocked.max(smoothstep(0.0, 0.012 + 0.10 * distance, above));
            }
            distance += SHADOW_STEP;
        }
        1.0 - 0.92 * blocked
    }
}

/// What one surface does with one lamp's light.
struct Reflection {
    /// Cosine of the angle of incidence.
    facing: f32,
    highlight: f32,
}

impl Reflection {
    /// Light of colour channel `c` that reaches the camera overhead.
    fn seen(&self, lamp: &Lamp, albedo: f32, c: usize) -> f32 {
        lamp.power * lamp.tint[c] * (albedo * self.facing + self.highlight)
    }
}

impl Lamp {
    fn reflection(&self, surface: &Surface, normal: [f32; 3], tangent: [f32; 3]) -> Reflection {
        let facing = dot(normal, self.direction).max(0.0);
        let highlight = if surface.grooved < 1.0 {
            dot(normal, self.halfway).max(0.0).powf(surface.polish)
        } else {
            0.0
        };
        let highlight = if surface.grooved > 0.0 {
            let along = dot(tangent, self.halfway);
            let stretched = (1.0 - along * along).max(0.0).powf(surface.polish) * facing.sqrt();
            mix(highlight, stretched, surface.grooved)
        } else {
            highlight
        };
        Reflection {
            facing,
            highlight: 0.42 * surface.shine * highlight,
        }
    }
}

/// The surface's upward normal from height differences.
fn normal(heights: &[f32], grid: &Grid, x: usize, y: usize) -> [f32; 3] {
    let side = grid.side;
    let (left, right) = (x.saturating_sub(1), (x + 1).min(side - 1));
    let (above, below) = (y.saturating_sub(1), (y + 1).min(side - 1));
    let dx =
        (heights[y * side + right] - heights[y * side + left]) * grid.scale / (right - left) as f32;
    let dy = (heights[below * side + x] - heights[above * side + x]) * grid.scale
        / (below - above) as f32;
    normalised([-dx, -dy, 1.0])
}

/// The direction of the lathe's grooves: around the part's axis, along the surface.
fn tangent(grid: &Grid, x: usize, y: usize, normal: [f32; 3]) -> [f32; 3] {
    let around = [grid.centre[1] - y as f32, x as f32 - grid.centre[0], 0.0];
    let off = dot(around, normal);
    normalised(std::array::from_fn(|i| around[i] - off * normal[i]))
}

/// How much of the sky each sample sees, roughly: low places near higher ones see less.
fn openness(heights: &[f32], grid: &Grid) -> Vec<f32> {
    let near = box_mean(heights, grid.side, (0.035 * grid.scale) as usize);
    let far = box_mean(heights, grid.side, (0.11 * grid.scale) as usize);
    heights
        .iter()
        .zip(near.iter().zip(&far))
        .map(|(height, (near, far))| {
            let sunk = 7.0 * (near - height).max(0.0) + 4.5 * (far - height).max(0.0);
            1.0 / (1.0 + sunk)
        })
        .collect()
}

/// Mean over a square window, edges repeated.
fn box_mean(values: &[f32], side: usize, reach: usize) -> Vec<f32> {
    let rows = box_rows(values, side, reach);
    transposed(&box_rows(&transposed(&rows, side), side, reach), side)
}

fn box_rows(values: &[f32], side: usize, reach: usize) -> Vec<f32> {
    let width = (2 * reach + 1) as f32;
    let mut means = Vec::with_capacity(values.len());
    for row in values.chunks_exact(side) {
        let at = |i: isize| row[i.clamp(0, side as isize - 1) as usize];
        let reach = reach as isize;
        let mut sum: f32 = (-reach..=reach).map(at).sum();
        for x in 0..side as isize {
            means.push(sum / width);
            sum += at(x + reach + 1) - at(x - reach);
        }
    }
    means
}

fn transposed(values: &[f32], side: usize) -> Vec<f32> {
    let mut turned = vec![0.0; values.len()];
    for (y, row) in values.chunks_exact(side).enumerate() {
        for (x, &value) in row.iter().enumerate() {
            turned[x * side + y] = value;
        }
    }
    turned
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn normalised(v: [f32; 3]) -> [f32; 3] {
    let norm = dot(v, v).sqrt().max(1e-12);
    v.map(|component| component / norm)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::{Grid, Lighting, Surface, box_mean, openness};

    const SIDE: usize = 64;

    /// A grey plane with a post of height 0.15 in the middle.
    fn scene(post: bool) -> Grid {
        let at = |index: usize| [index % SIDE, index / SIDE];
        let surfaces = (0..SIDE * SIDE).map(|index| Surface {
            height: if post && at(index).iter().all(|i| (28..36).contains(i)) {
                0.15
            } else {
                0.0
            },
            albedo: [0.5; 3],
            shine: 0.0,
            polish: 1.0,
            grooved: 0.0,
        });
        Grid {
            side: SIDE,
            scale: 100.0,
            centre: [32.0; 2],
            surfaces: surfaces.collect(),
        }
    }

    #[test]
    fn a_post_throws_its_shadow_away_from_the_key_light() {
        let lighting = Lighting::draw(&mut ChaCha8Rng::seed_from_u64(3));
        let (bare, post) = (lighting.shade(&scene(false)), lighting.shade(&scene(true)));
        let lost = |x: usize, y: usize| bare[y * SIDE + x][0] - post[y * SIDE + x][0];
        // The key light stands at the top left.
        assert!(lost(39, 42) > 0.2 * bare[42 * SIDE + 39][0]);
        assert!(lost(24, 20) < 0.5 * lost(39, 42));
    }

    #[test]
    fn a_plane_sees_the_whole_sky_and_a_corner_does_not() {
        let grid = scene(true);
        let heights: Vec<f32> = grid.surfaces.iter().map(|surface| surface.height).collect();
        let open = openness(&heights, &grid);
        assert_eq!(open[32 * SIDE + 32], 1.0);
        assert!(open[32 * SIDE + 26] < 0.9);
        assert!(
            openness(&vec![0.1; SIDE * SIDE], &grid)
                .iter()
                .all(|&o| o > 0.999)
        );
    }

    #[test]
    fn the_mean_over_a_window_repeats_the_edge() {
        let means = box_mean(&[0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 9.0], 3, 1);
        assert!((means[4] - 12.0 / 9.0).abs() < 1e-6);
        assert!((means[8] - 4.0).abs() < 1e-6);
    }
}
