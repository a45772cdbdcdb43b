//! The worst false rejects and escapes, each as it is and with its heatmap, small enough to travel inside the page.

use std::io::Cursor;

use anyhow::{Context, Result};
use image::{ImageFormat, RgbImage};

use super::data_uri;
use super::facts::Facts;
use super::source::Source;
use crate::data::Sample;
use crate::data::image::{Geometry, Size, read_picture};
use crate::metrics::{Truth, Verdict};
use crate::render::{export_overlay_png, fitted, shrink_rgb};
use crate::store::maps::MapReader;

/// How many of each kind are shown.
const MOST: usize = 6;
/// Longest side, in pixels.
const SIDE: usize = 280;

/// One picture of the report.
pub struct Example {
    /// Its row.
    pub index: usize,
    /// The picture and its heatmap as addresses, or why they cannot be shown.
    pub shown: Result<[String; 2], String>,
}

/// The pictures that tell most about the limits.
pub struct Examples {
    /// Good pictures that fail, the highest score first.
    pub overkill: Vec<Example>,
    /// Defective pictures that pass, the lowest score first.
    pub escapes: Vec<Example>,
}

pub fn examples(source: &Source, facts: &Facts<'_>) -> Examples {
    let maps = source.maps().map_err(|error| format!("{error:#}"));
    let score = |&index: &usize| facts.evaluation.images[index].score;
    let mut overkill = facts.rows(Truth::Good, Verdict::Fail);
    overkill.sort_by(|a, b| score(b).total_cmp(&score(a)));
    let mut escapes = facts.rows(Truth::Defective, Verdict::Pass);
    escapes.sort_by(|a, b| score(a).total_cmp(&score(b)));
    let shown = |rows: Vec<usize>| {
        let rows = rows.into_iter().take(MOST);
        rows.map(|index| Example {
            index,
            shown: example(source, facts, maps.as_ref(), index),
        })
        .collect()
    };
    Examples {
        overkill: shown(overkill),
        escapes: shown(escapes),
    }
}

fn example(
    source: &Source,
    facts: &Facts<'_>,
    maps: Result<&MapReader, &String>,
    index: usize,
) -> Result<[String; 2], String> {
    let maps = maps.map_err(Clone::clone)?;
    let sample = source.record.samples.get(index);
    let sample = sample.ok_or("the evaluation does not name its file")?;
    drawn(facts, maps, sample).map_err(|error| format!("{error:#}"))
}

fn drawn(facts: &Facts<'_>, maps: &MapReader, sample: &Sample) -> Result<[String; 2]> {
    let picture = read_picture(&sample.image, sample.orientation)?;
    let map = maps.read(&sample.id)?;
    let whole = (picture.width(), picture.height());
    let (width, height) = fitted(whole.0, whole.1, SIDE);
    let rgb = shrink_rgb(&picture.to_rgb8(), whole, (width, height))?;
    let small = Size { width, height };
    let (rect, placed) = Geometry::new(&facts.meta.input, small).map_on_image(&map);
    let heat = export_overlay_png(
        &rgb,
        (width, height),
        &placed,
        (rect.left, rect.top),
        facts.meta.limits.scale,
        facts.rule.pixel.value,
    )?;
    Ok([data_uri::png(&png(rgb, small)?), data_uri::png(&heat)])
}

fn png(rgb: Vec<u8>, size: Size) -> Result<Vec<u8>> {
    let picture = RgbImage::from_raw(size.width as u32, size.height as u32, rgb);
    let picture = picture.context("the picture's pixels do not fit its size")?;
    let mut file = Cursor::new(Vec::new());
    picture
        .write_to(&mut file, ImageFormat::Png)
        .context("encoding a picture")?;
    Ok(file.into_inner())
}
