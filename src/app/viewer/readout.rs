//! What lies under the pointer, in words. Looks nothing up on the screen.

use std::fmt;

use eframe::egui::Pos2;

use super::super::numbers;
use super::super::picture::Picture;
use super::Scale;

/// What lies under the pointer, for the status bar.
#[derive(Debug, Clone, PartialEq)]
pub struct PixelReadout {
    pub x: usize,
    pub y: usize,
    pub rgb: [u8; 3],
    /// Raw score; `None` where the map does not reach.
    pub score: Option<f32>,
    /// Score divided by the pixel limit.
    pub over_limit: Option<f32>,
    /// Number in the list, from 1, and area in pixels of the picture.
    pub region: Option<(usize, f64)>,
    pub pixels_per_mm: Option<f64>,
}

impl PixelReadout {
    /// `at` in image pixels; `None` outside the picture.
    pub fn of(
        picture: &mut Picture,
        scale: Scale,
        pixels_per_mm: Option<f64>,
        at: Pos2,
    ) -> Option<Self> {
        if at.x < 0.0 || at.y < 0.0 {
            return None;
        }
        let (x, y) = (at.x as usize, at.y as usize);
        let score = picture.score_at(x, y);
        Some(Self {
            x,
            y,
            rgb: picture.colour_at(x, y)?,
            score,
            over_limit: score.map(|score| score / scale.pixel_limit),
            region: picture.region_at(scale.pixel_limit, x, y),
            pixels_per_mm,
        })
    }
}

impl fmt::Display for PixelReadout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "x {}  y {}", self.x, self.y)?;
        if let Some(scale) = self.pixels_per_mm {
            let mm = |pixels: usize| (pixels as f64 + 0.5) / scale;
            write!(f, "  ({:.2}, {:.2} mm)", mm(self.x), mm(self.y))?;
        }
        match self.rgb {
            [r, g, b] if r == g && g == b => write!(f, "  grey {r}")?,
            [r, g, b] => write!(f, "  RGB {r} {g} {b}")?,
        }
        match (self.score, self.over_limit) {
            (Some(score), Some(ratio)) => {
                write!(f, "  score {}  {ratio:.2} × limit", numbers::score(score))?;
            }
            _ => write!(f, "  no score here")?,
        }
        if let Some((number, area)) = self.region {
            write!(
                f,
                "  region {number}, {}",
                area_text(area, self.pixels_per_mm)
            )?;
        }
        Ok(())
    }
}

/// An area in pixels of the picture, and in square millimetres when there is a scale.
pub fn area_text(area: f64, pixels_per_mm: Option<f64>) -> String {
    match pixels_per_mm {
        Some(scale) => format!("{area:.0} px, {:.3} mm²", area / (scale * scale)),
        None => format!("{area:.0} px"),
    }
}

#[cfg(test)]
mod tests {
    use super::PixelReadout;

    #[test]
    fn the_readout_says_where_there_is_no_score() {
        let mut readout = PixelReadout {
            x: 12,
            y: 7,
            rgb: [1, 2, 3],
            score: Some(0.75),
            over_limit: Some(1.5),
            region: None,
            pixels_per_mm: None,
        };
        assert_eq!(
            readout.to_string(),
            "x 12  y 7  RGB 1 2 3  score 0.7500  1.50 × limit"
        );
        readout.region = Some((2, 50.0));
        readout.pixels_per_mm = Some(10.0);
        readout.rgb = [9; 3];
        assert_eq!(
            readout.to_string(),
            "x 12  y 7  (1.25, 0.75 mm)  grey 9  score 0.7500  1.50 × limit  region 2, 50 px, 0.500 mm²"
        );
        readout.score = None;
        assert!(readout.to_string().contains("no score here"));
    }
}
