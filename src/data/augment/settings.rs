//! Every choice in the recipes for defects, with where the published numbers come from. Draws nothing.

use serde::{Deserialize, Serialize};

use super::Source;

/// How an epoch is made up and how its defects are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AugmentSettings {
    /// The share of the real slots, 0 to 1, that show a seen defect as it is; the others show an extended one.
    pub raw_share: f32,
    /// How often an epoch shows the same seen picture as it is, at most.
    pub raw_repeats: usize,
    /// The chance that a good picture is turned, and by up to how many degrees.
    pub good_turn: Turn,
    pub extended: ExtendedSettings,
    pub simulated: SimulatedSettings,
}

/// A turn about the middle of the picture, now and then.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// 0 to 1.
    pub chance: f32,
    /// Uniform in plus or minus this.
    pub degrees: f32,
}

/// How seen defects are varied and brought onto good pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtendedSettings {
    /// How many different operations are drawn from the list of ten.
    pub operations: usize,
    /// Strongest lens distortion.
    pub lens: f32,
    /// The chance that noise, blur, shift with scale and turn, or uneven strips happen when they are drawn.
    pub shape_chance: f32,
    /// The same for contrast with sharpness, and for hue with saturation.
    pub colour_chance: f32,
    /// Shift in shares of the sides, change of size as a share, and degrees.
    pub shift: f32,
    pub scale: f32,
    pub degrees: f32,
    /// A defect stays in its place when more than this share of it lies on the product.
    pub in_place_share: f32,
    /// What becomes of the parts of a moved defect that lie beside the product.
    pub beside_product: BesideProduct,
}

/// What becomes of the parts of a defect that lie beside the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BesideProduct {
    Kept,
    /// Unless nothing would be left.
    CutOff,
}

/// How defects are made up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulatedSettings {
    /// How often each source is drawn, relative to the others that there are.
    pub sources: SourceShares,
    /// The chance that the good picture is turned first.
    pub turn: Turn,
    /// Noise lattices have 2^0 to 2^this cells each way.
    pub finest_lattice: u32,
    /// Where the noise exceeds this, there is the defect.
    pub noise_limit: f32,
    /// How much of the good picture shines through, from and to.
    pub shine_through: [f32; 2],
    /// Operations on a texture, out of the list of ten.
    pub operations: usize,
    /// Rows and columns of the grid in which the picture itself is shuffled.
    pub grid: [usize; 2],
    /// The chance that only a few of the noise's regions are kept, and at most how many.
    pub few_regions_chance: f32,
    pub few_regions: usize,
    /// The chance that a procedural defect is a mark with a shape of its own: a scratch, a crack, a stain, specks, a dent.
    pub marks_chance: f32,
    /// The chance that the colours of a procedural texture are close to the product's.
    pub related_colours_chance: f32,
    /// Smallest and largest defect as a share of the picture.
    pub area: [f32; 2],
    /// Least change of the defect's mean colour and contrast, in levels of 255; fainter ones are drawn again. Another
    /// piece of the same grain changes neither.
    pub least_change: f32,
    pub edges: Edges,
}

/// How a simulated defect ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edges {
    /// From one pixel to the next.
    Hard,
    /// Over about two pixels, as a lens draws them.
    Soft,
}

/// How often each source is drawn, relative to the others that there are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceShares {
    /// The picture itself, cut into a grid and shuffled.
    pub shuffled: f32,
    /// Textures and marks drawn by code.
    pub procedural: f32,
    /// Other good pictures; left out when there is only one.
    pub other_good: f32,
    /// The user's folder of textures; when there is none, its share goes to those drawn by code.
    pub folder: f32,
}

impl SourceShares {
    pub fn of(&self, source: Source) -> f32 {
        match source {
            Source::Shuffled => self.shuffled,
            Source::Procedural => self.procedural,
            Source::OtherGood => self.other_good,
            Source::Folder => self.folder,
        }
    }

    /// Everything from one source.
    #[must_use]
    pub fn only(source: Source) -> Self {
        let share = |of| if of == source { 1.0 } else { 0.0 };
        Self {
            shuffled: share(Source::Shuffled),
            procedural: share(Source::Procedural),
            other_good: share(Source::OtherGood),
            folder: share(Source::Folder),
        }
    }
}

impl AugmentSettings {
    /// PRN (Zhang et al. 2023) with the operations and their strengths as in the public
    /// re-implementation; simulated defects after DRAEM (Zavrtanik et al. 2021) and, for the shuffled
    /// source, `MemSeg` (Yang et al. 2022). Where no folder of textures is given, those drawn by code stand in.
    /// One repair: half of the real slots are always extended, also for small data sets.
    pub fn published() -> Self {
        Self {
            raw_share: 0.5,
            raw_repeats: 5,
            good_turn: Turn {
                chance: 0.0,
                degrees: 0.0,
            },
            extended: ExtendedSettings {
                operations: 3,
                lens: 1.0,
                shape_chance: 0.2,
                colour_chance: 0.3,
                shift: 0.0625,
                scale: 0.2,
                degrees: 45.0,
                in_place_share: 2.0 / 3.0,
                beside_product: BesideProduct::Kept,
            },
            simulated: SimulatedSettings {
                sources: SourceShares {
                    shuffled: 0.5,
                    procedural: 0.0,
                    other_good: 0.0,
                    folder: 0.5,
                },
                turn: Turn {
                    chance: 0.3,
                    degrees: 90.0,
                },
                finest_lattice: 5,
                noise_limit: 0.5,
                shine_through: [0.0, 0.8],
                operations: 3,
                grid: [4, 8],
                few_regions_chance: 0.0,
                few_regions: 3,
                marks_chance: 0.0,
                related_colours_chance: 0.0,
                area: [0.0, 1.0],
                least_change: 0.0,
                edges: Edges::Hard,
            },
        }
    }

    /// The published recipe with defects that look more like those of the product at hand.
    ///
    /// - A part of the procedural sources are marks with a shape of their own, in tones near the product's.
    /// - Most noise masks keep at most three of their regions: a part rarely has forty defects.
    /// - Defects that nobody could see, or of a handful of pixels, or as large as the product, are drawn again.
    /// - Edges are as soft as a lens makes them; a hard edge would give every simulated defect away.
    /// - Pictures are turned by a few degrees only: the good ones never are, so a picture on its side would be one
    ///   more thing that only defective pictures show, and for most products it would be a defect.
    pub fn refined() -> Self {
        let published = Self::published();
        Self {
            extended: ExtendedSettings {
                beside_product: BesideProduct::CutOff,
                ..published.extended
            },
            simulated: SimulatedSettings {
                sources: SourceShares {
                    shuffled: 0.3,
                    procedural: 0.3,
                    other_good: 0.15,
                    folder: 0.25,
                },
                turn: Turn {
                    chance: 0.3,
                    degrees: 10.0,
                },
                few_regions_chance: 0.85,
                marks_chance: 0.6,
                related_colours_chance: 0.85,
                area: [0.000_3, 0.15],
                least_change: 12.0,
                edges: Edges::Soft,
                ..published.simulated
            },
            ..published
        }
    }

    /// What makes no sense about these settings, if anything.
    pub fn problem(&self) -> Option<&'static str> {
        let share = |value: f32| (0.0..=1.0).contains(&value);
        let turn = |turn: Turn| share(turn.chance) && (0.0..=180.0).contains(&turn.degrees);
        let (extended, simulated) = (&self.extended, &self.simulated);
        let chances = [
            self.raw_share,
            extended.shape_chance,
            extended.colour_chance,
            extended.in_place_share,
            simulated.few_regions_chance,
            simulated.marks_chance,
            simulated.related_colours_chance,
        ];
        let sources = simulated.sources;
        let shares = Source::ALL.map(|source| sources.of(source));
        let rules = [
            (
                chances.iter().all(|&c| share(c)),
                "chances and shares must be from 0 to 1",
            ),
            (
                turn(self.good_turn) && turn(simulated.turn),
                "turns must have a chance from 0 to 1 and 0 to 180 degrees",
            ),
            (
                shares.iter().all(|&s| share(s)) && sources.shuffled + sources.procedural > 0.0,
                "shares of sources must be from 0 to 1, and the picture itself or drawn textures must have one",
            ),
            (
                within(simulated.shine_through, 0.9),
                "at most nine tenths of the good picture may shine through, the lower number first",
            ),
            (
                within(simulated.area, 1.0) && simulated.area[1] > 0.0,
                "the smallest and largest defect must be shares of the picture, the smaller first",
            ),
            (
                simulated.finest_lattice <= 7 && (0.0..0.9).contains(&simulated.noise_limit),
                "noise needs at most 2^7 cells and a limit from 0 to below 0.9",
            ),
            (
                simulated.grid.iter().all(|side| (1..=32).contains(side)),
                "the grid for shuffling needs 1 to 32 rows and columns",
            ),
            (
                (0.0..=64.0).contains(&simulated.least_change),
                "the least change of a defect must be from 0 to 64 levels",
            ),
            (
                simulated.few_regions > 0,
                "at least one region of a defect must be kept",
            ),
            (
                (0.0..=1.0).contains(&extended.lens)
                    && (0.0..=0.5).contains(&extended.shift)
                    && (0.0..=0.5).contains(&extended.scale)
                    && (0.0..=180.0).contains(&extended.degrees),
                "seen defects may be shifted and scaled by at most half, bent by 1 and turned by 180 degrees",
            ),
        ];
        rules
            .iter()
            .find(|(holds, _)| !holds)
            .map(|(_, text)| *text)
    }
}

fn within([low, high]: [f32; 2], most: f32) -> bool {
    0.0 <= low && low <= high && high <= most
}

#[cfg(test)]
mod tests {
    use super::AugmentSettings;

    #[test]
    fn both_presets_make_sense_and_survive_saving() {
        for settings in [AugmentSettings::published(), AugmentSettings::refined()] {
            assert_eq!(settings.problem(), None);
            let json = serde_json::to_string(&settings).expect("json");
            let read: AugmentSettings = serde_json::from_str(&json).expect("the same");
            assert_eq!(read, settings);
            assert!(
                serde_json::from_str::<AugmentSettings>(&json.replace("lens", "lense")).is_err()
            );
        }
    }

    #[test]
    fn nonsense_is_named() {
        let broken: [fn(&mut AugmentSettings); 8] = [
            |s| s.raw_share = 1.5,
            |s| s.good_turn.degrees = f32::NAN,
            |s| (s.simulated.sources.shuffled, s.simulated.sources.procedural) = (0.0, 0.0),
            |s| s.simulated.shine_through = [0.5, 0.2],
            |s| s.simulated.area = [0.0, 0.0],
            |s| s.simulated.grid = [0, 8],
            |s| s.simulated.few_regions = 0,
            |s| s.extended.scale = 1.0,
        ];
        for change in broken {
            let mut settings = AugmentSettings::published();
            change(&mut settings);
            assert!(settings.problem().is_some());
        }
    }
}
