//! The loop over epochs, batches and steps. It can begin anywhere and stop anywhere: what a step does follows from the
//! model's state, the seed and the step's place alone.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use candle_core::Device;

use super::feature_cache::FeatureCache;
use super::keeper::Keeper;
use crate::data::batch::epoch_order;
use crate::models::{Detector, StepReport, Turn};
use crate::progress::{Monitor, Phase, Progress};

/// How often progress within a batch is told.
const TELL_EVERY: Duration = Duration::from_millis(50);

/// The size of a training.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub epochs: usize,
    /// Pictures in a batch; a last partial batch is dropped, as published.
    pub batch: usize,
    /// How many turns of each picture the cache holds, one after the other.
    pub draws: usize,
    pub seed: u64,
}

/// Trains from where the keeper's state stands to the end. False: cancelled, and kept to be resumed.
pub fn run_epochs(
    detector: &mut dyn Detector,
    cache: &mut FeatureCache,
    device: &Device,
    plan: Plan,
    keeper: &mut Keeper,
    monitor: &dyn Monitor,
) -> Result<bool> {
    let pictures = cache.len() / plan.draws;
    let batches = pictures / plan.batch;
    let steps = detector.steps(plan.batch);
    monitor.report(Progress::Phase {
        phase: Phase::Training,
        total: plan.epochs * batches * steps,
    });
    let mut told = Instant::now();
    while keeper.state.cursor.epoch < plan.epochs {
        let epoch = keeper.state.cursor.epoch;
        let order = epoch_order(pictures, plan.seed, epoch);
        let rest = keeper.state.cursor.batch;
        for (batch, indices) in order.chunks_exact(plan.batch).enumerate().skip(rest) {
            let features = cache.batch(&turned(indices, epoch, plan.draws), device)?;
            let mut sum = (0.0, 0);
            while keeper.state.cursor.step < steps {
                if monitor.should_stop() {
                    keeper.save(detector)?;
                    return Ok(false);
                }
                let step = keeper.state.cursor.step;
                let at = keeper.state.cursor;
                let turn = Turn { at, batches };
                let report = detector.train_step(&features, turn)?;
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
    Ok(true)
}

/// Where in the cache the pictures of a batch are, each in the turn that this epoch sees. Every turn has its epoch.
fn turned(indices: &[usize], epoch: usize, draws: usize) -> Vec<usize> {
    let turned = |&index: &usize| index * draws + (index + epoch) % draws;
    indices.iter().map(turned).collect()
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

#[cfg(test)]
mod tests {
    use super::turned;

    #[test]
    fn every_picture_shows_every_turn_once_in_as_many_epochs() {
        for picture in 0..3 {
            let mut seen: Vec<usize> = (0..4)
                .map(|epoch| turned(&[picture], epoch, 4)[0])
                .collect();
            seen.sort_unstable();
            assert_eq!(seen, (4 * picture..4 * picture + 4).collect::<Vec<_>>());
        }
        assert_eq!(turned(&[5, 2], 7, 1), [5, 2]);
    }
}
