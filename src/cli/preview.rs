//! `flawscope train --preview-augmentation`: a sheet of what the network would be taught.

use std::path::Path;

use anyhow::{Context, Result};

use super::console::Console;
use super::output;
use crate::config::RunConfig;
use crate::data::augment::{Example, ExampleKind};
use crate::pipeline::{self, Augmentation};
use crate::render::{Tile, contact_sheet_png};
use crate::store::write_bytes;

/// Examples of each kind, and in a row of the sheet.
const COUNT: usize = 8;
const COLUMNS: usize = 4;

pub fn run(config: &RunConfig, out: &Path) -> Result<()> {
    let console = Console::new();
    let augmentation = pipeline::preview_augmentation(config, COUNT, &console)?
        .finished()
        .context("the preview was cancelled")?;
    write_bytes(out, &sheet(config, &augmentation)?)?;
    output::line(&format!("Foreground          {}", augmentation.reason));
    output::line(&format!(
        "Examples            {} with {} seen defects, in {}",
        augmentation.examples.len(),
        augmentation.seen,
        out.display()
    ));
    Ok(())
}

/// As PNG.
fn sheet(config: &RunConfig, augmentation: &Augmentation) -> Result<Vec<u8>> {
    let category = config.category.as_deref();
    let name = category.or_else(|| config.data.file_name()?.to_str());
    let heading = format!(
        "What {} is taught on {}, seed {}",
        config.model.title(),
        name.unwrap_or("this data set"),
        config.seed
    );
    let captions: Vec<String> = augmentation.examples.iter().map(Example::caption).collect();
    let products = augmentation.products.iter().map(|(frame, mask)| Tile {
        rgb: frame.rgb(),
        width: frame.width(),
        height: frame.height(),
        mask,
        caption: "where the product is taken to be",
        group: "product",
    });
    let examples = augmentation.examples.iter().zip(&captions);
    let examples = examples.map(|(example, caption)| Tile {
        rgb: example.frame.rgb(),
        width: example.frame.width(),
        height: example.frame.height(),
        mask: &example.mask,
        caption,
        group: group(example.kind),
    });
    let tiles: Vec<Tile> = products.chain(examples).collect();
    contact_sheet_png(&heading, &tiles, COLUMNS)
}

fn group(kind: ExampleKind) -> &'static str {
    match kind {
        ExampleKind::Good => "good",
        ExampleKind::Seen => "seen",
        ExampleKind::Extended => "extended",
        ExampleKind::Simulated(_) => "simulated",
    }
}
