//! Damage that lies on one spot of the part: scratches, dents, stains and chips. Each changes the surface it meets.

use super::part::{Surface, fracture};
use super::texture::{
    Colour, Point, fractal, length, mix, mix_colour, noise, segment_distance, smoothstep,
};

/// One mark; lengths in part radii.
#[derive(Debug, Clone)]
pub enum Mark {
    Scratch(Scratch),
    Dent(Dent),
    Stain(Stain),
    Chip(Chip),
}

/// A groove along a polyline, tapering at both ends.
#[derive(Debug, Clone)]
pub struct Scratch {
    pub path: Vec<Point>,
    pub half_width: f32,
    /// How much bare metal shows, 0 to 1.
    pub strength: f32,
    pub seed: u32,
}

/// A dip with a slightly raised edge.
#[derive(Debug, Clone)]
pub struct Dent {
    pub centre: Point,
    pub radius: f32,
    pub depth: f32,
    pub seed: u32,
}

/// A dried liquid: tinted, darkest at its edge.
#[derive(Debug, Clone)]
pub struct Stain {
    pub centre: Point,
    pub radius: f32,
    /// What shines through of the surface's own colour where the stain is strongest.
    pub tint: Colour,
    /// Colour of what dried on top.
    pub crust: Colour,
    pub strength: f32,
    pub seed: u32,
}

/// A bite out of the rim.
#[derive(Debug, Clone)]
pub struct Chip {
    pub centre: Point,
    pub radius: f32,
    pub seed: u32,
}

impl Mark {
    /// The surface after the damage; `None` where the material is gone.
    pub fn inflicted(&self, p: Point, surface: Surface) -> Option<Surface> {
        match self {
            Self::Scratch(scratch) => Some(scratch.inflicted(p, surface)),
            Self::Dent(dent) => Some(dent.inflicted(p, surface)),
            Self::Stain(stain) => Some(stain.inflicted(p, surface)),
            Self::Chip(chip) => chip.inflicted(p, surface),
        }
    }
}

impl Scratch {
    fn inflicted(&self, p: Point, surface: Surface) -> Surface {
        let (distance, along) = self.nearest(p);
        if distance > 3.0 * self.half_width {
            return surface;
        }
        let taper = smoothstep(0.0, 0.18, along) * smoothstep(1.0, 0.75, along);
        let skips = 0.78 + 0.45 * noise([along * 14.0, 3.0], self.seed);
        let groove =
            smoothstep(1.6 * self.half_width, 0.2 * self.half_width, distance) * taper * skips;
        let bare = (self.strength * groove).clamp(0.0, 1.0);
        Surface {
            height: surface.height - 0.55 * self.half_width * groove * self.strength,
            albedo: mix_colour(surface.albedo, [0.66, 0.66, 0.65], 0.85 * bare),
            shine: mix(surface.shine, 0.65, bare),
            polish: mix(surface.polish, 12.0, bare),
            grooved: surface.grooved * (1.0 - bare),
        }
    }

    /// Distance to the path and how far along it (0 to 1) the nearest point lies.
    fn nearest(&self, p: Point) -> (f32, f32) {
        let legs = self.path.len().saturating_sub(1).max(1) as f32;
        self.path
            .windows(2)
            .enumerate()
            .map(|(leg, ends)| {
                let (distance, t) = segment_distance(p, ends[0], ends[1]);
                (distance, (leg as f32 + t) / legs)
            })
            .fold((f32::INFINITY, 0.0), |best, next| {
                if next.0 < best.0 { next } else { best }
            })
    }
}

impl Dent {
    fn inflicted(&self, p: Point, surface: Surface) -> Surface {
        let Some(t) = warped_distance(p, self.centre, self.radius, 0.22, self.seed) else {
            return surface;
        };
        let dip = (1.0 - t * t).max(0.0).powi(2);
        let lip = smoothstep(0.62, 1.0, t) * smoothstep(1.45, 1.0, t);
        Surface {
            height: surface.height - self.depth * (dip - 0.12 * lip),
            ..surface
        }
    }
}

impl Stain {
    fn inflicted(&self, p: Point, surface: Surface) -> Surface {
        let Some(t) = warped_distance(p, self.centre, self.radius, 0.55, self.seed) else {
            return surface;
        };
        let body = smoothstep(1.04, 0.93, t);
        let edge = smoothstep(0.62, 0.95, t);
        let mottled = 0.8 + 0.45 * fractal([p[0] * 22.0, p[1] * 22.0], 3, self.seed ^ 0xABC);
        let amount = (self.strength * body * (0.62 + 0.38 * edge) * mottled).clamp(0.0, 1.0);
        Surface {
            albedo: std::array::from_fn(|c| {
                let covered = surface.albedo[c] * self.tint[c] + self.crust[c];
                mix(surface.albedo[c], covered, amount)
            }),
            shine: surface.shine * (1.0 - 0.75 * amount),
            ..surface
        }
    }
}

impl Chip {
    fn inflicted(&self, p: Point, surface: Surface) -> Option<Surface> {
        let Some(t) = warped_distance(p, self.centre, self.radius, 0.4, self.seed) else {
            return Some(surface);
        };
        match t {
            t if t < 0.72 => None,
            t if t < 1.0 => Some(fracture(
                mix(0.0, surface.height, (t - 0.72) / 0.28),
                p,
                self.seed,
            )),
            _ => Some(surface),
        }
    }
}

/// Distance from the centre in radii, made irregular by noise; `None` well outside.
fn warped_distance(
    p: Point,
    centre: Point,
    radius: f32,
    irregularity: f32,
    seed: u32,
) -> Option<f32> {
    let local = [(p[0] - centre[0]) / radius, (p[1] - centre[1]) / radius];
    let distance = length(local);
    (distance < 2.2).then(|| {
        distance * (1.0 + irregularity * fractal([local[0] * 1.3, local[1] * 1.3], 3, seed))
    })
}

#[cfg(test)]
mod tests {
    use super::{Chip, Dent, Mark, Scratch, Stain, Surface};

    const METAL: Surface = Surface {
        height: 0.14,
        albedo: [0.2; 3],
        shine: 1.0,
        polish: 40.0,
        grooved: 1.0,
    };

    fn marks() -> [Mark; 4] {
        let (centre, radius, seed) = ([0.5, 0.0], 0.1, 3);
        let scratch = Scratch {
            path: vec![[0.4, 0.0], [0.6, 0.0]],
            half_width: 0.01,
            strength: 1.0,
            seed,
        };
        let dent = Dent {
            centre,
            radius,
            depth: 0.02,
            seed,
        };
        let stain = Stain {
            centre,
            radius,
            tint: [0.3; 3],
            crust: [0.0; 3],
            strength: 1.0,
            seed,
        };
        let chip = Chip {
            centre,
            radius,
            seed,
        };
        [
            Mark::Scratch(scratch),
            Mark::Dent(dent),
            Mark::Stain(stain),
            Mark::Chip(chip),
        ]
    }

    #[test]
    fn marks_leave_the_surface_beside_them_alone() {
        for mark in marks() {
            let beside = mark
                .inflicted([0.5, 0.3], METAL)
                .expect("the surface is still there");
            assert_eq!(
                (beside.height, beside.albedo),
                (METAL.height, METAL.albedo),
                "{mark:?}"
            );
        }
    }

    #[test]
    fn each_mark_changes_what_it_should() {
        let [scratch, dent, stain, chip] = marks().map(|mark| mark.inflicted([0.5, 0.0], METAL));
        assert!(scratch.is_some_and(|s| s.albedo[0] > METAL.albedo[0] && s.height < METAL.height));
        assert!(dent.is_some_and(|s| s.height < METAL.height && s.albedo == METAL.albedo));
        assert!(stain.is_some_and(|s| s.albedo[0] < METAL.albedo[0] && s.height == METAL.height));
        assert!(chip.is_none());
    }

    #[test]
    fn a_scratch_without_length_does_no_harm() {
        for path in [vec![], vec![[0.5, 0.0]], vec![[0.5, 0.0]; 2]] {
            let scratch = Mark::Scratch(Scratch {
                path,
                half_width: 0.01,
                strength: 1.0,
                seed: 1,
            });
            assert!(
                scratch
                    .inflicted([0.5, 0.0], METAL)
                    .is_some_and(|s| s.albedo[0].is_finite())
            );
        }
    }
}
