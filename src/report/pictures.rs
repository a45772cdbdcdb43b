//! The worst false rejects and escapes, each as it is and with its heatmap, small enough to travel inside the page. A file
//! that is missing becomes a note in its place.

use anyhow::{Context, Result, anyhow};
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use super::data_uri;
use super::facts::Facts;
use crate::data::Sample;
use crate::data::image::{Geometry, Mask, Size, read_picture};
use crate::progress::{Monitor, Progress};
use crate::render::{fitted, mask_outline, outlined_rgb, overlay_rgb, shrink_rgb};

/// Longest side of a shown picture, in pixels.
const SIDE: usize = 256;
/// Of the JPEG files, 1 to 100.
const QUALITY: u8 = 88;
/// Between a defect and its outline, in shown pixels.
const RIM: usize = 3;

/// A picture of the report, or why it cannot be shown.
pub type Shown = Result<Image, String>;

/// One embedded picture.
#[derive(Debug)]
pub struct Image {
    /// A `data:` address.
    pub address: String,
    pub width: usize,
    pub height: usize,
}

/// Two views of one picture.
#[derive(Debug)]
pub struct Views {
    /// Its row.
    pub index: usize,
    /// As it is, with the outline of its mask where it has one.
    pub picture: Shown,
    /// With its heatmap and the contour at the pixel limit.
    pub heatmap: Shown,
}

/// The views of each kind of error, the worst first.
#[derive(Debug, Default)]
pub struct Pictures {
    pub overkill: Vec<Views>,
    pub escapes: Vec<Views>,
}

/// Draws all that is shown; `None` when the monitor asked to stop.
pub fn shown(facts: &Facts, monitor: &dyn Monitor) -> Option<Pictures> {
    let mut done = facts.rows().len();
    let mut drawn = |rows: &[usize]| -> Option<Vec<Views>> {
        let views = rows.iter().map(|&index| {
            if monitor.should_stop() {
                return None;
            }
            let views = views(facts, index);
            done += 1;
            monitor.report(Progress::Step { done });
            Some(views)
        });
        views.collect()
    };
    Some(Pictures {
        overkill: drawn(facts.overkill.shown())?,
        escapes: drawn(facts.escapes.shown())?,
    })
}

fn views(facts: &Facts, index: usize) -> Views {
    let small = facts
        .source
        .record
        .samples
        .get(index)
        .context("the evaluation does not say which file this is")
        .and_then(Small::read)
        .map_err(|error| format!("{error:#}"));
    let view = |draw: &dyn Fn(&Small) -> Result<Image>| {
        let small = small.as_ref().map_err(Clone::clone)?;
        draw(small).map_err(|error| format!("{error:#}"))
    };
    Views {
        index,
        picture: view(&|small| small.marked()),
        heatmap: view(&|small| small.heated(facts)),
    }
}

/// A picture shrunk for the page.
struct Small<'a> {
    sample: &'a Sample,
    whole: Size,
    size: (usize, usize),
    rgb: Vec<u8>,
}

impl<'a> Small<'a> {
    fn read(sample: &'a Sample) -> Result<Self> {
        let picture = read_picture(&sample.image, sample.orientation)?;
        let whole = picture.size();
        let size = fitted(whole.width, whole.height, SIDE);
        let from = (whole.width, whole.height);
        Ok(Self {
            sample,
            whole,
            size,
            rgb: shrink_rgb(&picture.to_rgb8(), from, size)?,
        })
    }

    /// A mask that cannot be read is left out: the picture itself matters more.
    fn marked(&self) -> Result<Image> {
        let mask = self.sample.mask(self.whole).ok().flatten();
        let Some(mask) = mask.filter(Mask::marks_something) else {
            return embedded(&self.rgb, self.size);
        };
        let (width, height) = self.size;
        let mask = mask.resized(Size { width, height }).into_values();
        let outline = mask_outline(&grown(&mask, width, height), width, height);
        embedded(&outlined_rgb(&self.rgb, self.size, &outline)?, self.size)
    }

    fn heated(&self, facts: &Facts) -> Result<Image> {
        let source = &facts.source;
        let maps = source.maps.as_ref().map_err(|error| anyhow!("{error}"))?;
        let map = maps.read(&self.sample.id)?;
        let small = Size {
            width: self.size.0,
            height: self.size.1,
        };
        // The preset's shares of a picture hold for the small copy, too.
        let (rect, placed) = Geometry::new(&source.model.meta.input, small).map_on_image(&map);
        let overlay = overlay_rgb(
            &self.rgb,
            self.size,
            &placed,
            (rect.left, rect.top),
            facts.limits().scale,
            facts.rule.pixel.value,
        )?;
        embedded(&overlay, self.size)
    }
}

/// The mask with a rim around it, so that the outline of a speck does not cover the speck.
fn grown(mask: &[bool], width: usize, height: usize) -> Vec<bool> {
    let mut grown = vec![false; mask.len()];
    let marked = mask.iter().enumerate().filter(|(_, marked)| **marked);
    for (index, _) in marked {
        let (x, y) = (index % width, index / width);
        for row in y.saturating_sub(RIM)..(y + RIM + 1).min(height) {
            let (from, to) = (x.saturating_sub(RIM), (x + RIM + 1).min(width));
            if let Some(cells) = grown.get_mut(row * width + from..row * width + to) {
                cells.fill(true);
            }
        }
    }
    grown
}

fn embedded(rgb: &[u8], (width, height): (usize, usize)) -> Result<Image> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, QUALITY)
        .encode(rgb, width as u32, height as u32, ExtendedColorType::Rgb8)
        .context("encoding a picture")?;
    Ok(Image {
        address: data_uri::jpeg(&file),
        width,
        height,
    })
}

#[cfg(test)]
mod tests {
    use super::{RIM, grown};

    #[test]
    fn a_rim_is_as_wide_everywhere_and_stops_at_the_borders() {
        let mut mask = vec![false; 20 * 10];
        mask[0] = true;
        mask[5 * 20 + 12] = true;
        let grown = grown(&mask, 20, 10);
        let side = 2 * RIM + 1;
        let corner = (RIM + 1) * (RIM + 1);
        assert_eq!(grown.iter().filter(|g| **g).count(), side * side + corner);
        assert!(super::grown(&[], 0, 0).is_empty());
    }
}
