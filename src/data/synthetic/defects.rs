//! The five kinds of damage the sample data set shows, each from barely visible to plain.

use std::f32::consts::{PI, TAU};

use rand::{Rng, RngExt};

use super::marks::{Chip, Dent, Mark, Scratch, Stain};
use super::part::{BrokenRib, Part, RIB_RADII, RIBS, SCREWS};
use super::print::Offset;
use super::texture::{Point, mix};

/// A kind of damage; the name is the folder's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    Dent,
    MissingPiece,
    PrintShift,
    Scratch,
    Stain,
}

impl Defect {
    /// Sorted by name, as the folders are.
    pub const ALL: [Self; 5] = [
        Self::Dent,
        Self::MissingPiece,
        Self::PrintShift,
        Self::Scratch,
        Self::Stain,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Dent => "dent",
            Self::MissingPiece => "missing_piece",
            Self::PrintShift => "print_shift",
            Self::Scratch => "scratch",
            Self::Stain => "stain",
        }
    }

    /// Parts of one mask closer than this many pixels in a 320-pixel frame belong together: the two sides of a dent
    /// catch the light and its middle may not.
    pub fn gap(self) -> f32 {
        match self {
            Self::Dent => 10.0,
            Self::Stain => 6.0,
            Self::MissingPiece | Self::PrintShift => 4.0,
            Self::Scratch => 2.0,
        }
    }

    /// Damages the part; `severity` runs from 0, barely visible, to 1, plain.
    pub fn inflict(self, part: &mut Part, severity: f32, rng: &mut impl Rng) {
        match self {
            Self::Dent => part.marks.push(Mark::Dent(dent(severity, rng))),
            Self::MissingPiece => remove_piece(part, severity, rng),
            Self::PrintShift => shift_print(part, severity, rng),
            Self::Scratch => part.marks.extend(scratches(severity, rng)),
            Self::Stain => part.marks.push(Mark::Stain(stain(severity, rng))),
        }
    }
}

fn polar(radius: f32, angle: f32) -> Point {
    [radius * angle.sin(), -radius * angle.cos()]
}

fn anywhere(rng: &mut impl Rng) -> f32 {
    rng.random_range(0.0..TAU)
}

/// A knock on the printed ring or on the flange between two screws.
fn dent(severity: f32, rng: &mut impl Rng) -> Dent {
    let radius = mix(0.066, 0.110, severity) * rng.random_range(0.95..1.1);
    let (centre, steepness) = if rng.random_bool(0.35) {
        // Left or right of the print, and deep: the dull ring shows a dent less than bare metal does.
        let side = if rng.random_bool(0.5) { 1.0 } else { -1.0 };
        let centre = polar(
            rng.random_range(0.54..0.63),
            side * rng.random_range(1.25..1.95),
        );
        (centre, mix(0.70, 1.0, severity))
    } else {
        let between = rng.random_range(0..SCREWS) as f32 * TAU / SCREWS as f32;
        let centre = polar(
            rng.random_range(0.83..0.88),
            between + rng.random_range(-0.2..0.2),
        );
        (centre, mix(0.17, 0.30, severity))
    };
    Dent {
        centre,
        radius,
        depth: radius * steepness,
        seed: rng.random(),
    }
}

/// A chip out of the rim, part of a rib, or, among the plain ones, a whole screw.
fn remove_piece(part: &mut Part, severity: f32, rng: &mut impl Rng) {
    let plain = severity > 0.6;
    if plain && rng.random_bool(0.6) {
        let missing = rng.random_range(0..SCREWS);
        part.screws[missing] = None;
    } else if plain || rng.random_bool(0.5) {
        // Not at the notch, where a bite would look like a wider notch.
        let angle = PI + rng.random_range(0.35..TAU - 0.35);
        part.marks.push(Mark::Chip(Chip {
            centre: polar(1.0, angle),
            radius: mix(0.072, 0.15, severity),
            seed: rng.random(),
        }));
    } else {
        let whole = RIB_RADII[1] - RIB_RADII[0];
        let span = mix(0.110, 0.200, severity).min(whole);
        let from = RIB_RADII[0] + rng.random_range(0.0..=1.0) * (whole - span);
        part.broken_rib = Some(BrokenRib {
            index: rng.random_range(0..RIBS),
            from,
            to: from + span,
        });
    }
}

/// One stamp missed: the name on its band, the band with its name, or the type designation.
fn shift_print(part: &mut Part, severity: f32, rng: &mut impl Rng) {
    let side = if rng.random_bool(0.5) { 1.0 } else { -1.0 };
    let offset = Offset {
        // Mostly up or down: along its own arc a stamp would hardly look out of place.
        shift: polar(
            side * mix(0.030, 0.078, severity),
            rng.random_range(-0.6..0.6),
        ),
        turn: rng.random_range(-1.0..1.0) * mix(0.015, 0.05, severity),
    };
    match rng.random_range(0..3) {
        0 => part.print.name = offset,
        1 => {
            part.print.name = offset;
            part.print.band = offset;
        }
        _ => part.print.designation = offset,
    }
}

/// One curved scratch; a plain one has company.
fn scratches(severity: f32, rng: &mut impl Rng) -> Vec<Mark> {
    let around = anywhere(rng);
    let middle = polar(rng.random_range(0.64..0.88), around);
    // Not along the lathe's grooves, among which a scratch would hide.
    let direction = around + rng.random_range(-1.1..1.1);
    let count = if severity > 0.7 {
        rng.random_range(2..4)
    } else {
        1
    };
    (0..count)
        .map(|index| {
            let beside = index as f32 * rng.random_range(0.02..0.05);
            let start = [
                middle[0] + beside * direction.cos(),
                middle[1] + beside * direction.sin(),
            ];
            let half_length = mix(0.11, 0.30, severity) * rng.random_range(0.8..1.1);
            let strength = mix(0.75, 1.0, severity) * if index == 0 { 1.0 } else { 0.7 };
            Mark::Scratch(Scratch {
                path: curve(
                    start,
                    direction + rng.random_range(-0.1..0.1),
                    half_length,
                    rng.random_range(-0.8..0.8),
                ),
                half_width: mix(0.0082, 0.0115, severity),
                strength,
                seed: rng.random(),
            })
        })
        .collect()
}

/// A bent line of 10 legs through `middle`, kept on the part.
fn curve(middle: Point, direction: f32, half_length: f32, bend: f32) -> Vec<Point> {
    const LEGS: i32 = 10;
    (0..=LEGS)
        .map(|leg| {
            let t = leg as f32 / LEGS as f32 * 2.0 - 1.0;
            let heading = direction + 0.5 * bend * t;
            let p = [
                middle[0] + half_length * t * -heading.sin(),
                middle[1] + half_length * t * heading.cos(),
            ];
            let radius = p[0].hypot(p[1]);
            if radius > 0.94 {
                p.map(|x| x * 0.94 / radius)
            } else {
                p
            }
        })
        .collect()
}

/// Oil, rust or coolant on the bright flange; a pale crust on the dark ring.
fn stain(severity: f32, rng: &mut impl Rng) -> Stain {
    let on_flange = rng.random_bool(0.65);
    let (tint, crust) = match rng.random_range(0..3) {
        _ if !on_flange => ([0.45; 3], [0.27, 0.26, 0.22]),
        0 => ([0.40, 0.26, 0.10], [0.0; 3]),
        1 => ([0.50, 0.20, 0.08], [0.03, 0.01, 0.0]),
        _ => ([0.14, 0.16, 0.18], [0.0; 3]),
    };
    let radius = if on_flange { 0.80..0.90 } else { 0.50..0.62 };
    Stain {
        centre: polar(rng.random_range(radius), anywhere(rng)),
        radius: mix(0.088, 0.17, severity) * rng.random_range(0.9..1.1),
        tint,
        crust,
        strength: mix(0.62, 1.0, severity),
        seed: rng.random(),
    }
}
