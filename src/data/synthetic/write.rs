//! Writes pictures and masks as PNG files. Knows nothing about what they show.

use std::path::Path;

use anyhow::{Context, Result};
use image::ColorType;

/// Writes a square 8-bit RGB picture.
pub fn rgb_png(path: &Path, rgb: &[u8], size: usize) -> Result<()> {
    png(path, rgb, size, ColorType::Rgb8)
}

/// Writes a square mask: 255 where set, 0 elsewhere.
pub fn mask_png(path: &Path, mask: &[bool], size: usize) -> Result<()> {
    let grey: Vec<u8> = mask.iter().map(|&set| if set { 255 } else { 0 }).collect();
    png(path, &grey, size, ColorType::L8)
}

fn png(path: &Path, bytes: &[u8], size: usize, colour: ColorType) -> Result<()> {
    image::save_buffer(path, bytes, size as u32, size as u32, colour)
        .with_context(|| format!("writing {}", path.display()))
}
