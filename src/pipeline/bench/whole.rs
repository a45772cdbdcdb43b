//! Whole workflows: a training, and a folder of pictures scored.

use std::path::Path;

use anyhow::Result;

use super::super::predict::{PredictRequest, predict};
use super::super::train::train;
use super::sheet::{Sheet, Work};
use super::timer::Timing;
use crate::config::{ModelName, RunConfig};
use crate::progress::{Monitor, Progress};

/// Passes on only the wish to stop: what the workflow reports is not what is measured.
struct Quiet<'a>(&'a dyn Monitor);

impl Monitor for Quiet<'_> {
    fn report(&self, _: Progress) {}

    fn should_stop(&self) -> bool {
        self.0.should_stop()
    }
}

/// Trains on the sample once and scores its test pictures again and again. `None`: cancelled.
pub fn measure(
    sheet: &mut Sheet<'_>,
    name: ModelName,
    config: &RunConfig,
    folder: &Path,
) -> Result<Option<()>> {
    let config = super::model::settings(name, config);
    let run = folder.join(name.name());
    let quiet = Quiet(sheet.timer.monitor);
    let Some(trained) = train(&config, &run, &quiet)?.finished() else {
        return Ok(None);
    };
    let (title, epochs) = (name.title(), trained.epochs);
    let work = Work::new(
        format!("{title}: whole training, {epochs} epochs"),
        "picture",
    );
    let whole = Timing::once(trained.seconds);
    sheet.add(work.of(trained.training_pictures), whole);

    let request = PredictRequest {
        model: trained.model,
        input: config.data.clone(),
        out: folder.join("scored"),
        weights: config.backbone.weights.clone(),
        device: config.device,
    };
    let Some(scored) = predict(&request, &quiet)?.finished() else {
        return Ok(None);
    };
    let work = Work::new(
        format!("{title}: a folder scored, results written"),
        "picture",
    );
    sheet.measure(work.of(scored.pictures.len()), || {
        predict(&request, &quiet)?;
        Ok(())
    })
}
