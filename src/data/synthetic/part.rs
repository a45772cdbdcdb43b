//! The part: a turned aluminium bearing cover with screws, a printed anodised ring, ribs and a bore. It says what the
//! surface is like at any place, in part radii with y pointing down; light and camera are elsewhere.

use std::f32::consts::{PI, TAU};

use rand::{Rng, RngExt};

use super::marks::Mark;
use super::print::{Print, clockwise_from_top};
use super::texture::{Colour, Point, fractal, length, mix, mix_colour, noise, smoothstep, turned};

/// What light meets at one place.
#[derive(Debug, Clone, Copy)]
pub struct Surface {
    /// Above the belt, in part radii.
    pub height: f32,
    pub albedo: Colour,
    /// Strength of the highlight.
    pub shine: f32,
    /// Sharpness of the highlight: the exponent.
    pub polish: f32,
    /// 1 where lathe grooves draw the highlight out across them, 0 where it is round.
    pub grooved: f32,
}

/// One individual part: how it came off the machine, and what happened to it since.
#[derive(Debug, Clone)]
pub struct Part {
    seed: u32,
    anodising: Colour,
    /// How far each screw was turned; `None` where the screw is missing.
    pub screws: [Option<f32>; SCREWS],
    pub print: Print,
    /// A rib and the span of radii over which it broke off.
    pub broken_rib: Option<BrokenRib>,
    pub marks: Vec<Mark>,
}

#[derive(Debug, Clone, Copy)]
pub struct BrokenRib {
    pub index: usize,
    pub from: f32,
    pub to: f32,
}

pub const SCREWS: usize = 6;
pub const RIBS: usize = 10;
/// No place of the part is higher above the belt, in part radii.
pub const TALLEST: f32 = 0.205;
/// The ribs reach from the hub to the printed ring.
pub const RIB_RADII: [f32; 2] = [0.238, 0.394];

const SCREW_CIRCLE: f32 = 0.852;
const COUNTERBORE: f32 = 0.083;
const SCREW_HEAD: f32 = 0.068;
const NOTCH_RADIUS: f32 = 0.055;
const RIB_HALF_WIDTH: f32 = 0.021;

/// The lathe's path: radius and height, straight between the points.
const PROFILE: [Point; 22] = [
    [0.000, 0.000],
    [0.100, 0.000],
    [0.104, 0.185],
    [0.120, 0.205],
    [0.220, 0.205],
    [0.236, 0.190],
    [0.242, 0.085],
    [0.388, 0.085],
    [0.394, 0.158],
    [0.402, 0.168],
    [0.408, 0.168],
    [0.412, 0.120],
    [0.450, 0.120],
    [0.454, 0.168],
    [0.706, 0.168],
    [0.715, 0.160],
    [0.719, 0.112],
    [0.740, 0.112],
    [0.745, 0.140],
    [0.962, 0.140],
    [0.996, 0.108],
    [1.000, 0.108],
];

const ALUMINIUM: Colour = [0.18, 0.18, 0.178];
const FRACTURE: Colour = [0.26, 0.255, 0.25];

impl Part {
    /// A good part: no two are alike in screw angles, lathe marks and shade of the anodising.
    pub fn draw(rng: &mut impl Rng) -> Self {
        let shade = rng.random_range(0.92..1.08);
        let hue = rng.random_range(-0.006..0.006);
        Self {
            seed: rng.random(),
            anodising: [
                (0.018 + 0.5 * hue) * shade,
                0.040 * shade,
                (0.082 - hue) * shade,
            ],
            screws: std::array::from_fn(|_| Some(rng.random_range(0.0..PI / 3.0))),
            print: Print::default(),
            broken_rib: None,
            marks: Vec::new(),
        }
    }

    /// The surface at `p`, or `None` where the belt shows. `softness` is the width over which printed edges blend.
    pub fn surface(&self, p: Point, softness: f32) -> Option<Surface> {
        let radius = length(p);
        if radius > 1.0 || length([p[0], p[1] - 1.0]) < NOTCH_RADIUS {
            return None;
        }
        let mut surface = self.sound_surface(p, radius, softness);
        for mark in &self.marks {
            surface = mark.inflicted(p, surface)?;
        }
        Some(surface)
    }

    fn sound_surface(&self, p: Point, radius: f32, softness: f32) -> Surface {
        let height = profile(radius);
        match radius {
            r if r < 0.102 => self.bore(p, radius),
            r if r < 0.239 => self.lathed(p, radius, height),
            r if r < 0.391 => self.ribs(p, radius, height),
            r if r > 0.411 && r < 0.451 => rubber(radius),
            r if r < 0.717 => self.label(p, height, softness),
            r if (r - SCREW_CIRCLE).abs() < COUNTERBORE + 0.01 => self.screw(p, radius, height),
            _ => self.lathed(p, radius, height),
        }
    }

    /// Bare turned metal: fine rings that differ from part to part.
    fn lathed(&self, p: Point, radius: f32, height: f32) -> Surface {
        let sweep = clockwise_from_top(p);
        let fine = noise([radius * 74.0, sweep * 2.0 + 40.0], self.seed);
        let coarse = noise([radius * 23.0, 7.0], self.seed ^ 0x51);
        let cast = fractal([p[0] * 5.0, p[1] * 5.0], 3, self.seed ^ 0x77);
        let grain = 1.0 + 0.085 * fine + 0.03 * coarse + 0.03 * cast;
        Surface {
            height,
            albedo: ALUMINIUM.map(|channel| channel * grain),
            shine: 1.45 * grain,
            polish: 60.0,
            grooved: 1.0,
        }
    }

    /// The hole in the middle with its keyway: dark, a little light on its floor.
    fn bore(&self, p: Point, radius: f32) -> Surface {
        let speck = 1.0 + 0.2 * noise([p[0] * 60.0, p[1] * 60.0], self.seed);
        Surface {
            height: profile(radius),
            albedo: [0.035 * speck, 0.034 * speck, 0.033 * speck],
            shine: 0.02,
            polish: 8.0,
            grooved: 0.0,
        }
    }

    /// The cast floor between hub and printed ring, and the ribs across it.
    fn ribs(&self, p: Point, radius: f32, floor: f32) -> Surface {
        let spacing = TAU / RIBS as f32;
        let sweep = clockwise_from_top(p).rem_euclid(TAU);
        let index = (sweep / spacing).round();
        let across = (sweep - index * spacing) * radius;
        let rib = smoothstep(RIB_HALF_WIDTH + 0.006, RIB_HALF_WIDTH - 0.006, across.abs());
        let sand = fractal([p[0] * 46.0, p[1] * 46.0], 3, self.seed ^ 0x1234);
        let broken = self.broken_rib.is_some_and(|broken| {
            let ragged = 0.010 * noise([across * 90.0, radius * 40.0], self.seed ^ 0x99);
            broken.index == index as usize % RIBS
                && (broken.from..broken.to).contains(&(radius + ragged))
        });
        let (top, shade) = if broken {
            (floor + 0.006 + 0.010 * sand, 0.8)
        } else {
            (0.150, 1.0)
        };
        let grain = (0.78 + 0.20 * sand) * mix(1.0, 1.4 * shade, rib);
        Surface {
            height: mix(floor, top.max(floor), rib) + 0.0022 * sand,
            albedo: ALUMINIUM.map(|channel| 1.05 * channel * grain),
            shine: 0.16,
            polish: 10.0,
            grooved: 0.0,
        }
    }

    /// The anodised ring and what is printed on it.
    fn label(&self, p: Point, height: f32, softness: f32) -> Surface {
        let blasted = 1.0 + 0.16 * fractal([p[0] * 95.0, p[1] * 95.0], 2, self.seed ^ 0x4242);
        let ink = self.print.ink(p, softness);
        let base = self.anodising.map(|channel| channel * blasted);
        let orange = mix_colour(base, [0.62, 0.13, 0.012], 0.96 * ink.orange);
        Surface {
            height,
            albedo: mix_colour(orange, [0.66, 0.66, 0.63], 0.95 * ink.white),
            shine: 0.10 * blasted,
            polish: 9.0,
            grooved: 0.0,
        }
    }

    /// The flange near the screw circle: a counterbore with a socket-head screw, or turned metal between them.
    fn screw(&self, p: Point, radius: f32, height: f32) -> Surface {
        let spacing = TAU / SCREWS as f32;
        let index = (clockwise_from_top(p) / spacing - 0.5).round();
        let local = turned(p, -(index + 0.5) * spacing);
        let local = [local[0], local[1] + SCREW_CIRCLE];
        let distance = length(local);
        if distance > COUNTERBORE {
            return self.lathed(p, radius, height);
        }
        let head = self
            .screws
            .get(index.rem_euclid(SCREWS as f32) as usize)
            .copied()
            .flatten();
        match head {
            Some(turn) if distance < SCREW_HEAD => screw_head(turned(local, turn), distance),
            _ => counterbore(distance, head.is_none()),
        }
    }
}

fn profile(radius: f32) -> f32 {
    let next = PROFILE
        .partition_point(|point| point[0] <= radius)
        .clamp(1, PROFILE.len() - 1);
    let ([r0, h0], [r1, h1]) = (PROFILE[next - 1], PROFILE[next]);
    mix(h0, h1, ((radius - r0) / (r1 - r0)).clamp(0.0, 1.0))
}

/// The black sealing ring in its groove.
fn rubber(radius: f32) -> Surface {
    let across = (radius - 0.431) / 0.0175;
    Surface {
        height: 0.122 + 0.034 * (1.0 - across * across).max(0.0).sqrt(),
        albedo: [0.016, 0.016, 0.017],
        shine: 0.16,
        polish: 18.0,
        grooved: 0.0,
    }
}

/// A black socket-head screw, in its own turned coordinates.
fn screw_head(local: Point, distance: f32) -> Surface {
    let hexagon = (0..3)
        .map(|side| turned(local, side as f32 * PI / 3.0)[0].abs())
        .fold(0.0, f32::max);
    let socket = smoothstep(0.037, 0.032, hexagon);
    let bevel = smoothstep(SCREW_HEAD - 0.016, SCREW_HEAD, distance);
    let black = mix(0.026, 0.008, socket);
    Surface {
        height: 0.138 - 0.018 * bevel - 0.055 * socket,
        albedo: [black, black, 1.05 * black],
        shine: mix(0.22, 0.02, socket),
        polish: 16.0,
        grooved: 0.0,
    }
}

/// The floor around a screw head, with the threaded hole where the screw is missing.
fn counterbore(distance: f32, open: bool) -> Surface {
    let hole = if open {
        smoothstep(0.046, 0.040, distance)
    } else {
        0.0
    };
    let bright = mix(0.24, 0.01, hole);
    Surface {
        height: mix(0.085, 0.0, hole),
        albedo: [bright, bright, bright],
        shine: mix(0.7, 0.02, hole),
        polish: 9.0,
        grooved: 0.0,
    }
}

/// Freshly broken metal: dull and rough.
pub fn fracture(height: f32, p: Point, seed: u32) -> Surface {
    let rough = fractal([p[0] * 70.0, p[1] * 70.0], 3, seed);
    Surface {
        height: height + 0.012 * rough,
        albedo: FRACTURE.map(|channel| channel * (1.0 + 0.5 * rough)),
        shine: 0.25,
        polish: 12.0,
        grooved: 0.0,
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::{PROFILE, Part, SCREW_CIRCLE, TALLEST, profile};

    fn part() -> Part {
        Part::draw(&mut ChaCha8Rng::seed_from_u64(4))
    }

    #[test]
    fn the_belt_shows_outside_the_rim_and_in_the_notch() {
        assert!(part().surface([0.0, -0.99], 0.004).is_some());
        assert!(part().surface([0.0, -1.01], 0.004).is_none());
        assert!(part().surface([0.0, 0.99], 0.004).is_none());
    }

    #[test]
    fn the_profile_runs_outwards_and_no_place_is_taller_than_stated() {
        assert!(PROFILE.windows(2).all(|pair| pair[0][0] < pair[1][0]));
        assert!(PROFILE.iter().all(|point| point[1] <= TALLEST));
        assert_eq!(profile(0.05), 0.0);
        assert_eq!(profile(0.17), TALLEST);
        let part = part();
        for i in 0..40_000 {
            let p = [
                (i % 200) as f32 / 100.0 - 1.0,
                (i / 200) as f32 / 100.0 - 1.0,
            ];
            let height = part.surface(p, 0.004).map_or(0.0, |surface| surface.height);
            assert!((-0.02..=TALLEST + 0.01).contains(&height), "{p:?} {height}");
        }
    }

    #[test]
    fn a_missing_screw_leaves_a_hole() {
        let mut part = part();
        let [sin, cos] = [0.5, 0.75f32.sqrt()];
        let centre = [SCREW_CIRCLE * sin, -SCREW_CIRCLE * cos];
        let head = part.surface(centre, 0.004).unwrap().height;
        part.screws[0] = None;
        assert!(head > 0.05);
        assert_eq!(part.surface(centre, 0.004).unwrap().height, 0.0);
    }
}
