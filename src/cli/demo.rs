//! `flawscope demo`: the whole road on the built-in sample, to see that everything works and what to expect.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;

use super::arguments::DemoArguments;
use super::console::Console;
use super::{eval, output, train};
use crate::config::{DeviceChoice, RunConfig};
use crate::data::synthetic::SampleSettings;
use crate::pipeline::{self, EvaluateRequest, SeenPolicy};

pub fn run(arguments: &DemoArguments) -> Result<()> {
    if let Some(out) = &arguments.out {
        return demo(out, arguments.json);
    }
    let folder = tempfile::tempdir().context("making a temporary folder for the demo")?;
    demo(folder.path(), arguments.json)
}

fn demo(out: &Path, json: bool) -> Result<()> {
    let started = std::time::Instant::now();
    let sample = out.join("sample");
    {
        let console = Console::new();
        pipeline::draw_sample(&sample, SampleSettings::default(), &console)?
            .finished()
            .context("drawing the sample was cancelled")?;
    }
    let run = out.join("run");
    let trained = train::train_with_console(&RunConfig::first_look(&sample), &run)?;
    let evaluation = eval::evaluate_with_console(&EvaluateRequest {
        seen: SeenPolicy::Refuse,
        run: run.clone(),
        data: None,
        category: None,
        weights: None,
        device: DeviceChoice::Auto,
    })?;
    let seconds = started.elapsed().as_secs_f64();
    if json {
        return output::json(
            &json!({ "seconds": seconds, "train": trained, "evaluation": evaluation }),
        );
    }
    train::print(&trained);
    eval::verdicts_of(&run, &evaluation)?;
    output::line(&format!("Whole demo          {seconds:.0} s"));
    Ok(())
}
