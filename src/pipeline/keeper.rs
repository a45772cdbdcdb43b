//! Keeps an unfinished training on disk: when it is cancelled, and now and then, so that a power cut costs little.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::models::{Detector, StepReport};
use crate::store::model_file::EpochRecord;
use crate::store::training_state::{self, TrainingState};

/// A training is kept at least so often, unless writing it takes long.
const INTERVAL: Duration = Duration::from_secs(60);
/// At most this share of the time goes into writing.
const SHARE: u32 = 20;

/// A training's state, and where and when it was last written.
pub struct Keeper {
    /// Where the training stands. Its tensors are filled in for the moment of writing only.
    pub state: TrainingState,
    path: PathBuf,
    /// In words, for errors; `None` before the first time.
    written: Option<String>,
    last: Instant,
    /// How long writing took.
    cost: Duration,
}

impl Keeper {
    /// For a training that begins, or goes on, with `state`.
    pub fn new(state: TrainingState, path: PathBuf) -> Self {
        let written = path.is_file().then(|| place(&state));
        Self {
            state,
            path,
            written,
            last: Instant::now(),
            cost: Duration::ZERO,
        }
    }

    /// Whether it is time to write.
    pub fn is_due(&self) -> bool {
        self.last.elapsed() > INTERVAL.max(self.cost * SHARE)
    }

    /// Writes where the training stands, with everything it needs to go on.
    pub fn save(&mut self, detector: &dyn Detector) -> Result<()> {
        let started = Instant::now();
        self.state.tensors = detector.training_state()?.into_iter().collect();
        let written = training_state::save(&self.path, &self.state);
        self.state.tensors.clear();
        written.context("keeping the training, so that it can be resumed")?;
        self.written = Some(place(&self.state));
        self.last = Instant::now();
        self.cost = started.elapsed();
        Ok(())
    }

    /// Where the last good state is, in a sentence.
    pub fn last_kept(&self) -> String {
        match &self.written {
            Some(place) => format!(
                "The last good state, {place}, is kept in {}",
                self.path.display()
            ),
            None => "It had not been kept yet".to_owned(),
        }
    }

    /// Takes a step's report into the account of the epoch.
    pub fn add(&mut self, report: &StepReport) {
        let account = &mut self.state.account;
        account.loss.add(report.loss);
        if let Some(part) = report.part {
            account
                .parts
                .entry(part.to_owned())
                .or_default()
                .add(report.loss);
        }
        for &(name, value) in &report.quantities {
            account.quantities.insert(name.to_owned(), value);
        }
    }

    /// Closes the epoch's account and goes to the next one.
    pub fn end_epoch(&mut self) -> EpochRecord {
        let account = std::mem::take(&mut self.state.account);
        let mut quantities = account.quantities;
        let parts = account.parts.into_iter();
        quantities.extend(parts.map(|(part, sum)| (part, sum.mean())));
        self.state.cursor.epoch += 1;
        self.state.cursor.batch = 0;
        let record = EpochRecord {
            epoch: self.state.cursor.epoch,
            loss: Some(account.loss.mean()),
            quantities,
        };
        self.state.history.push(record.clone());
        record
    }
}

fn place(state: &TrainingState) -> String {
    let cursor = state.cursor;
    format!(
        "from before step {} of batch {} in epoch {}",
        cursor.step + 1,
        cursor.batch + 1,
        cursor.epoch + 1
    )
}
