//! `flawscope sample`.

use anyhow::{Context, Result};

use super::arguments::SampleArguments;
use super::console::Console;
use super::output;
use crate::data::synthetic::SampleSettings;
use crate::pipeline;

pub fn run(arguments: &SampleArguments) -> Result<()> {
    let settings = match arguments.count {
        Some(count) => SampleSettings::with_count(count),
        None => SampleSettings::default(),
    };
    let settings = SampleSettings {
        seed: arguments.seed,
        ..settings
    };
    let summary = {
        let console = Console::new();
        pipeline::draw_sample(&arguments.out, settings, &console)?
            .finished()
            .context("drawing the sample was cancelled")?
    };
    output::line(&format!(
        "{} pictures in {}",
        summary.pictures,
        summary.root.display()
    ));
    Ok(())
}
