//! Many small pictures on one sheet, each as it is and with its mask's outline. Chooses none of them.

use std::io::Cursor;

use anyhow::{Context, Result};
use image::{ImageFormat, Rgb, RgbImage};

use super::letters;
use super::outline::mask_outline;

const PAPER: Rgb<u8> = Rgb([250, 250, 250]);
const INK: Rgb<u8> = Rgb([30, 34, 40]);
const FAINT: Rgb<u8> = Rgb([200, 204, 210]);
const OUTLINE: Rgb<u8> = Rgb([255, 220, 0]);
const OUTLINE_EDGE: Rgb<u8> = Rgb([20, 20, 20]);
/// Between and around things, in pixels.
const GAP: u32 = 12;
/// Between the two views of one example.
const SEAM: u32 = 2;
/// Pixels of a letter's pixel.
const SMALL: u32 = 2;
const LARGE: u32 = 3;
/// Room for a line of text of a scale, with the space below it.
const fn line(scale: u32) -> u32 {
    letters::HEIGHT as u32 * scale + GAP / 2
}

/// One example on the sheet.
#[derive(Debug, Clone, Copy)]
pub struct Tile<'a> {
    /// Row-major interleaved RGB.
    pub rgb: &'a [u8],
    pub width: usize,
    pub height: usize,
    /// Row-major, one value a pixel; what is marked gets an outline.
    pub mask: &'a [bool],
    /// Below the two views; letters other than ASCII become boxes.
    pub caption: &'a str,
    /// Neighbours of the same group stand together below its name.
    pub group: &'a str,
}

/// A sheet of examples as PNG: a heading, then each group with `columns` examples a row. A tile whose lengths do not fit
/// its size is an error.
pub fn contact_sheet_png(heading: &str, tiles: &[Tile], columns: usize) -> Result<Vec<u8>> {
    let sheet = contact_sheet(heading, tiles, columns)?;
    let mut png = Cursor::new(Vec::new());
    sheet
        .write_to(&mut png, ImageFormat::Png)
        .context("encoding the contact sheet")?;
    Ok(png.into_inner())
}

fn contact_sheet(heading: &str, tiles: &[Tile], columns: usize) -> Result<RgbImage> {
    let plan = Plan::new(heading, tiles, columns.max(1));
    let mut sheet = RgbImage::from_pixel(plan.width, plan.height, PAPER);
    write(&mut sheet, (GAP, GAP), heading, LARGE, plan.width);
    for (group, top) in plan.groups.iter().zip(&plan.tops) {
        let name = group.first().map_or("", |tile| tile.group);
        rule(&mut sheet, top - GAP / 2);
        write(&mut sheet, (GAP, *top), name, SMALL, plan.width);
        for (i, tile) in group.iter().enumerate() {
            let (column, row) = ((i % plan.columns) as u32, (i / plan.columns) as u32);
            let corner = (
                GAP + column * (plan.cell.0 + GAP),
                top + line(SMALL) + row * plan.cell.1,
            );
            place(&mut sheet, tile, corner, plan.cell.0)?;
        }
    }
    Ok(sheet)
}

/// Where everything goes.
struct Plan<'a> {
    width: u32,
    height: u32,
    columns: usize,
    /// Size of the largest example with both views and its caption.
    cell: (u32, u32),
    groups: Vec<&'a [Tile<'a>]>,
    /// Where each group's name starts.
    tops: Vec<u32>,
}

impl<'a> Plan<'a> {
    fn new(heading: &str, tiles: &'a [Tile<'a>], columns: usize) -> Self {
        let most = |of: fn(&Tile) -> usize| tiles.iter().map(of).max().unwrap_or(0) as u32;
        let cell = (
            2 * most(|tile| tile.width) + SEAM,
            most(|tile| tile.height) + GAP / 2 + line(SMALL) + GAP / 2,
        );
        let groups: Vec<&[Tile]> = tiles.chunk_by(|a, b| a.group == b.group).collect();
        let mut bottom = GAP + line(LARGE) + GAP;
        let tops = groups.iter().map(|group| {
            let top = bottom;
            let rows = group.len().div_ceil(columns) as u32;
            bottom += line(SMALL) + rows * cell.1 + GAP;
            top
        });
        let tops = tops.collect();
        let used = columns.min(groups.iter().map(|group| group.len()).max().unwrap_or(0));
        let examples = GAP + used as u32 * (cell.0 + GAP);
        let text = 2 * GAP + text_width(heading, LARGE);
        Self {
            width: examples.max(text),
            height: bottom,
            columns,
            cell,
            groups,
            tops,
        }
    }
}

fn text_width(text: &str, scale: u32) -> u32 {
    (text.chars().count() * letters::ADVANCE) as u32 * scale
}

/// Both views of a tile and its caption.
fn place(sheet: &mut RgbImage, tile: &Tile, (left, top): (u32, u32), width: u32) -> Result<()> {
    let (columns, rows) = (tile.width as u32, tile.height as u32);
    let picture = RgbImage::from_raw(columns, rows, tile.rgb.to_vec())
        .filter(|_| tile.mask.len() == tile.width * tile.height)
        .filter(|picture| picture.as_raw().len() == tile.rgb.len())
        .with_context(|| format!("the pixels of `{}` do not fit its size", tile.caption))?;
    let second = left + columns + SEAM;
    for corner in [left, second] {
        image::imageops::replace(sheet, &picture, i64::from(corner), i64::from(top));
    }
    outline(sheet, tile, (second, top));
    let below = (left, top + rows + GAP / 2);
    write(sheet, below, tile.caption, SMALL, left + width);
    Ok(())
}

/// The mask's outline: a light line just outside what is marked, with a dark one beside it, to be seen on any ground.
fn outline(sheet: &mut RgbImage, tile: &Tile, (left, top): (u32, u32)) {
    for (reach, colour) in [(1.0, OUTLINE_EDGE), (0.0, OUTLINE)] {
        for [from, to] in mask_outline(tile.mask, tile.width, tile.height) {
            let low = [from[0].min(to[0]) - reach, from[1].min(to[1]) - reach];
            let high = [from[0].max(to[0]) + reach, from[1].max(to[1]) + reach];
            let last = [tile.width - 1, tile.height - 1];
            let span = |axis: usize| {
                let end = last[axis] as f32;
                low[axis].clamp(0.0, end) as u32..=high[axis].clamp(0.0, end) as u32
            };
            for y in span(1) {
                for x in span(0) {
                    sheet.put_pixel(left + x, top + y, colour);
                }
            }
        }
    }
}

/// A line of text, cut off with two dots where it would pass `right`.
fn write(sheet: &mut RgbImage, (left, top): (u32, u32), text: &str, scale: u32, right: u32) {
    let room = (right.saturating_sub(left) / (letters::ADVANCE as u32 * scale)) as usize;
    let cut = text.chars().count() > room;
    let mut shown: String = text
        .chars()
        .take(if cut { room.saturating_sub(2) } else { room })
        .collect();
    if cut {
        shown.push_str("..");
    }
    for (column, row) in letters::pixels(&shown) {
        for dot in 0..scale * scale {
            let x = left + column as u32 * scale + dot % scale;
            let y = top + row as u32 * scale + dot / scale;
            if let Some(pixel) = sheet.get_pixel_mut_checked(x, y) {
                *pixel = INK;
            }
        }
    }
}

fn rule(sheet: &mut RgbImage, y: u32) {
    for x in GAP..sheet.width().saturating_sub(GAP) {
        if let Some(pixel) = sheet.get_pixel_mut_checked(x, y) {
            *pixel = FAINT;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tile<'a>(mask: &'a [bool], group: &'a str, rgb: &'a [u8]) -> Tile<'a> {
        Tile {
            rgb,
            width: 30,
            height: 20,
            mask,
            caption: group,
            group,
        }
    }

    fn count(sheet: &RgbImage, colour: Rgb<u8>) -> usize {
        sheet.pixels().filter(|pixel| **pixel == colour).count()
    }

    #[test]
    fn each_example_is_shown_twice_and_outlined_once() {
        let mask: Vec<bool> = (0..600)
            .map(|i| (5..10).contains(&(i % 30)) && i / 30 == 8)
            .collect();
        let tiles = [tile(&mask, "seen", &[90; 1800])];
        let sheet = contact_sheet("Examples", &tiles, 4).unwrap();
        let grey = count(&sheet, Rgb([90; 3]));
        let outlined = count(&sheet, OUTLINE);
        // Five pixels in a row: the line takes the row, the one below, and a column more.
        assert_eq!(outlined, 2 * 6);
        assert_eq!(grey, 2 * 600 - outlined - count(&sheet, OUTLINE_EDGE));
        let plain =
            contact_sheet("Examples", &[tile(&[false; 600], "good", &[90; 1800])], 4).unwrap();
        assert_eq!(
            (count(&plain, OUTLINE), count(&plain, Rgb([90; 3]))),
            (0, 1200)
        );
    }

    #[test]
    fn groups_start_on_a_row_of_their_own_and_rows_are_filled() {
        let mask = [false; 600];
        let groups = ["good", "good", "good", "seen", "seen"];
        let tiles: Vec<Tile> = groups
            .iter()
            .map(|group| tile(&mask, group, &[90; 1800]))
            .collect();
        let sheet = contact_sheet("x", &tiles, 2).unwrap();
        assert_eq!(count(&sheet, Rgb([90; 3])), 5 * 1200);
        let three_rows = contact_sheet("x", &tiles[..3], 2).unwrap();
        assert_eq!(sheet.width(), three_rows.width());
        let cell = 20 + GAP + line(SMALL);
        assert_eq!(
            sheet.height() - three_rows.height(),
            line(SMALL) + cell + GAP
        );
    }

    #[test]
    fn sheets_without_examples_and_long_captions_are_fine_and_wrong_sizes_are_not() {
        assert!(contact_sheet_png("No examples", &[], 3).is_ok());
        assert!(contact_sheet("", &[], 0).is_ok());
        let long = "a caption that is much longer than two small pictures are wide";
        let mask = [false; 600];
        let mut wrong = tile(&mask, long, &[90; 1800]);
        assert!(contact_sheet_png(long, &[wrong], 1).is_ok());
        wrong.rgb = &[90; 1799];
        assert!(contact_sheet_png(long, &[wrong], 1).is_err());
        wrong = tile(&mask[1..], "x", &[90; 1800]);
        assert!(contact_sheet_png(long, &[wrong], 1).is_err());
    }

    #[test]
    fn the_file_is_a_picture_of_the_sheet() {
        let mask = [true; 600];
        let tiles = [tile(&mask, "seen", &[90; 1800])];
        let png = contact_sheet_png("Examples", &tiles, 1).unwrap();
        let read = image::load_from_memory(&png).unwrap().to_rgb8();
        assert_eq!(read, contact_sheet("Examples", &tiles, 1).unwrap());
    }
}
