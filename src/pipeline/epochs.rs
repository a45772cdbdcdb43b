//! The loop over epochs, batches and steps. It can begin anywhere and stop anywhere: what a step does follows from the
//! model's state, the seed and the step's place alone.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde::Serialize;

use super::keeper::Keeper;
use super::lessons::Lessons;
use crate::models::{Detector, StepReport, Turn};
use crate::progress::{Monitor, Phase, Progress};

/// How often progress within a batch is told.
const TELL_EVERY: Duration = Duration::from_millis(50);

/// The size of a training.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub epochs: usize,
    /// Optimiser steps that a batch is good for.
    pub steps: usize,
}

/// Where a step's time goes, in seconds, on average. Nothing a result depends on.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StepTimes {
    pub steps: usize,
    /// For the batch to be ready.
    pub waiting: f64,
    /// What the model says of its own parts.
    pub parts: BTreeMap<&'static str, f64>,
}

impl StepTimes {
    fn add(&mut self, report: &StepReport) {
        self.steps += 1;
        for &(part, seconds) in &report.seconds {
            *self.parts.entry(part).or_default() += seconds;
        }
    }

    fn averaged(mut self) -> Self {
        let steps = self.steps.max(1) as f64;
        self.waiting /= steps;
        self.parts
            .values_mut()
            .for_each(|seconds| *seconds /= steps);
        self
    }
}

/// Trains from where the keeper's state stands to the end. `None`: cancelled, and kept to be resumed.
pub fn run_epochs(
    detector: &mut dyn Detector,
    lessons: &mut dyn Lessons,
    plan: Plan,
    keeper: &mut Keeper,
    monitor: &dyn Monitor,
) -> Result<Option<StepTimes>> {
    let (batches, steps) = (lessons.batches(), plan.steps);
    let mut times = StepTimes::default();
    monitor.report(Progress::Phase {
        phase: Phase::Training,
        total: plan.epochs * batches * steps,
    });
    let mut told = Instant::now();
    while keeper.state.cursor.epoch < plan.epochs {
        let epoch = keeper.state.cursor.epoch;
        for batch in keeper.state.cursor.batch..batches {
            let asked = Instant::now();
            let lesson = lessons.batch(epoch, batch)?;
            times.waiting += asked.elapsed().as_secs_f64();
            let mut sum = (0.0, 0);
            while keeper.state.cursor.step < steps {
                if monitor.should_stop() {
                    keeper.save(detector)?;
                    return Ok(None);
                }
                let step = keeper.state.cursor.step;
                let at = keeper.state.cursor;
                let turn = Turn { at, batches };
                let report = detector.train_step(&lesson, turn)?;
                times.add(&report);
                check(
                    &report,
                    (epoch * batches + batch) * steps + step,
                    epoch,
                    keeper,
                )?;
                keeper.add(&report);
                keeper.state.cursor.step += 1;
                sum = (sum.0 + f64::from(report.loss), sum.1 + 1);
                if told.elapsed() > TELL_EVERY {
                    told = Instant::now();
                    monitor.report(Progress::Step {
                        done: (epoch * batches + batch) * steps + step + 1,
                    });
                }
                if keeper.is_due() {
                    keeper.save(detector)?;
                }
            }
            let done = (epoch * batches + batch + 1) * steps;
            // A training taken up behind the last step of a batch has nothing to tell of it.
            if sum.1 > 0 {
                monitor.report(Progress::Loss {
                    step: done,
                    loss: (sum.0 / f64::from(sum.1)) as f32,
                });
            }
            monitor.report(Progress::Step { done });
            keeper.state.cursor.step = 0;
            keeper.state.cursor.batch = batch + 1;
        }
        let record = keeper.end_epoch();
        monitor.report(Progress::Epoch {
            epoch: record.epoch,
            epochs: plan.epochs,
            loss: record.loss.unwrap_or(f32::NAN),
            quantities: record.quantities.into_iter().collect(),
        });
    }
    Ok(Some(times.averaged()))
}

/// Stops a training that went wrong.
fn check(report: &StepReport, step: usize, epoch: usize, keeper: &Keeper) -> Result<()> {
    if report.loss.is_finite() {
        return Ok(());
    }
    let part = report
        .part
        .map(|part| format!(" of {part}"))
        .unwrap_or_default();
    bail!(
        "the loss{part} became {} in step {} (epoch {}); no model was saved. {}. A lower learning rate usually helps",
        report.loss,
        step + 1,
        epoch + 1,
        keeper.last_kept()
    )
}
