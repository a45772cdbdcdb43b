//! What a model that learns from defects would be taught, as it was drawn last. Plain data.

use std::fmt;
use std::sync::Arc;

use super::{Job, State};
use crate::config::RunConfig;
use crate::worker::message::{Augmentation, Command};

/// Examples that were asked for, and what came of it.
#[derive(Clone)]
pub struct Taught {
    /// The settings they were drawn with; the seed may be another than the training's.
    pub config: Box<RunConfig>,
    /// The error is the whole story.
    pub drawn: Result<Arc<Augmentation>, String>,
    /// What was left out, and why.
    pub warnings: Vec<String>,
    /// Masks were painted or removed since.
    pub masks_changed: bool,
}

impl Taught {
    /// Whether these settings would give the same kinds of examples, whatever the seed.
    pub fn is_of(&self, config: &RunConfig) -> bool {
        !self.masks_changed && is_about_the_same(&self.config, config)
    }

    /// Where the product is taken to be and why, unless that may have changed since.
    pub fn product_reason(&self, config: &RunConfig) -> Option<&str> {
        let rule = |config: &RunConfig| config.defects.as_ref().map(|defects| defects.foreground);
        let same = is_same_product(&self.config, config) && rule(&self.config) == rule(config);
        let drawn = self.drawn.as_ref().ok().filter(|_| same)?;
        Some(&drawn.reason)
    }
}

fn is_same_product(a: &RunConfig, b: &RunConfig) -> bool {
    (&a.data, &a.open, &a.category, a.input) == (&b.data, &b.open, &b.category, b.input)
}

fn is_about_the_same(a: &RunConfig, b: &RunConfig) -> bool {
    is_same_product(a, b) && a.defects == b.defects
}

/// Without the pixels.
impl fmt::Debug for Taught {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let drawn = self.drawn.as_ref().map(|drawn| drawn.examples.len());
        f.debug_struct("Taught")
            .field("drawn", &drawn)
            .field("warnings", &self.warnings)
            .field("masks_changed", &self.masks_changed)
            .finish_non_exhaustive()
    }
}

impl State {
    /// The job that draws examples now.
    pub fn drawing(&self) -> Option<&Job> {
        self.job
            .as_ref()
            .filter(|job| matches!(job.command, Command::PreviewAugmentation { .. }))
    }

    /// Takes in what became of the job that was to draw examples.
    pub(super) fn taught(&mut self, ended: Job, drawn: Result<Arc<Augmentation>, String>) {
        let warnings = ended.progress.warnings().to_vec();
        if let Command::PreviewAugmentation { config } = ended.command {
            self.taught = Some(Taught {
                config,
                drawn,
                warnings,
                masks_changed: false,
            });
        }
    }
}
