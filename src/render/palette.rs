//! The palettes heatmaps are drawn in. The first ones are readable for colour-blind people too.

use serde::{Deserialize, Serialize};

/// From low to high scores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Palette {
    #[default]
    Inferno,
    Cividis,
    Viridis,
    Turbo,
    Grey,
}

impl Palette {
    pub const ALL: [Self; 5] = [
        Self::Inferno,
        Self::Cividis,
        Self::Viridis,
        Self::Turbo,
        Self::Grey,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Inferno => "Inferno",
            Self::Cividis => "Cividis",
            Self::Viridis => "Viridis",
            Self::Turbo => "Turbo",
            Self::Grey => "Grey",
        }
    }

    /// RGB at a share of the way from the low to the high end; shares outside 0 to 1 are those of the ends.
    pub fn colour(self, share: f32) -> [u8; 3] {
        let gradient = match self {
            Self::Inferno => colorous::INFERNO,
            Self::Cividis => colorous::CIVIDIS,
            Self::Viridis => colorous::VIRIDIS,
            Self::Turbo => colorous::TURBO,
            Self::Grey => {
                let grey = (share.clamp(0.0, 1.0) * 255.0).round() as u8;
                return [grey; 3];
            }
        };
        gradient
            .eval_continuous(f64::from(share.clamp(0.0, 1.0)))
            .as_array()
    }

    /// 256 colours in equal steps.
    pub fn table(self) -> Vec<[u8; 3]> {
        (0..=255u8)
            .map(|step| self.colour(f32::from(step) / 255.0))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Palette;

    #[test]
    fn every_palette_gets_brighter_from_its_dark_end_and_stays_at_its_ends_beyond_them() {
        let light = |[r, g, b]: [u8; 3]| 2 * u32::from(r) + 5 * u32::from(g) + u32::from(b);
        for palette in Palette::ALL {
            assert_eq!(palette.colour(-3.0), palette.colour(0.0));
            assert_eq!(palette.colour(7.0), palette.colour(1.0));
            if palette != Palette::Turbo {
                assert!(light(palette.colour(0.0)) < light(palette.colour(0.5)));
                assert!(light(palette.colour(0.5)) < light(palette.colour(1.0)));
            }
        }
    }
}
