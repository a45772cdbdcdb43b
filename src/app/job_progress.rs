//! What has been heard of a running job: phases, rate, time left, losses. Knows neither clock nor widgets.

use std::collections::VecDeque;

use crate::progress::{Phase, Progress};

/// The rate is that of the last seconds, so that it follows the machine without jumping about.
const RATE_WINDOW: f64 = 12.0;
/// No estimate before this many seconds of a phase.
const SETTLED: f64 = 1.0;
/// Losses kept for drawing; beyond that every second one goes.
const LOSS_CAPACITY: usize = 4096;

/// How far a job has come.
#[derive(Debug, Clone)]
pub struct JobProgress {
    started: f64,
    phases: Vec<PhaseProgress>,
    losses: Vec<[f64; 2]>,
    /// Only every so manieth step's loss is kept.
    loss_stride: usize,
    epochs: Vec<Epoch>,
    warnings: Vec<String>,
}

/// One phase, running or over.
#[derive(Debug, Clone)]
pub struct PhaseProgress {
    pub phase: Phase,
    pub done: usize,
    /// 0 when it is not known.
    pub total: usize,
    /// Time and `done` of the last seconds, oldest first.
    marks: VecDeque<(f64, usize)>,
}

/// What an epoch ended with.
#[derive(Debug, Clone, PartialEq)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: usize,
    pub epochs: usize,
    pub loss: f32,
    pub quantities: Vec<(String, f32)>,
}

impl PhaseProgress {
    fn new(phase: Phase, total: usize, now: f64) -> Self {
        Self {
            phase,
            done: 0,
            total,
            marks: VecDeque::from([(now, 0)]),
        }
    }

    /// From 0 to 1; `None` when the total is not known.
    pub fn fraction(&self) -> Option<f32> {
        (self.total > 0).then(|| (self.done as f32 / self.total as f32).min(1.0))
    }

    /// Units a second over the last seconds; `None` until that means something.
    pub fn rate(&self) -> Option<f64> {
        let (&(from, before), &(to, after)) = (self.marks.front()?, self.marks.back()?);
        let seconds = to - from;
        (seconds >= SETTLED && after > before).then(|| (after - before) as f64 / seconds)
    }

    /// Seconds until this phase is over.
    pub fn seconds_left(&self) -> Option<f64> {
        let left = self
            .total
            .checked_sub(self.done)
            .filter(|_| self.total > 0)?;
        Some(left as f64 / self.rate()?)
    }

    fn step(&mut self, done: usize, now: f64) {
        self.done = done;
        self.marks.push_back((now, done));
        while self.marks.len() > 2
            && self
                .marks
                .get(1)
                .is_some_and(|mark| mark.0 < now - RATE_WINDOW)
        {
            self.marks.pop_front();
        }
    }
}

impl JobProgress {
    pub fn new(now: f64) -> Self {
        Self {
            started: now,
            phases: Vec::new(),
            losses: Vec::new(),
            loss_stride: 1,
            epochs: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub fn apply(&mut self, progress: Progress, now: f64) {
        match progress {
            Progress::Phase { phase, total } => {
                self.phases.push(PhaseProgress::new(phase, total, now));
            }
            Progress::Step { done } => {
                if let Some(phase) = self.phases.last_mut() {
                    phase.step(done, now);
                }
            }
            Progress::Loss { step, loss } => self.add_loss(step, loss),
            Progress::Epoch {
                epoch,
                epochs,
                loss,
                quantities,
            } => self.epochs.push(Epoch {
                epoch,
                epochs,
                loss,
                quantities,
            }),
            Progress::Warning { text } => self.warnings.push(text),
            // The scores arrive once more with the finished run; the picture count is in the steps.
            Progress::Scored { .. } => {}
        }
    }

    /// When the job was submitted.
    pub fn started(&self) -> f64 {
        self.started
    }

    /// The phase that runs now.
    pub fn phase(&self) -> Option<Phase> {
        self.current().map(|current| current.phase)
    }

    pub fn current(&self) -> Option<&PhaseProgress> {
        self.phases.last()
    }

    /// All phases so far, the running one last.
    pub fn phases(&self) -> &[PhaseProgress] {
        &self.phases
    }

    /// Step and loss, in order of steps.
    pub fn losses(&self) -> &[[f64; 2]] {
        &self.losses
    }

    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn add_loss(&mut self, step: usize, loss: f32) {
        if !loss.is_finite() || !step.is_multiple_of(self.loss_stride) {
            return;
        }
        self.losses.push([step as f64, f64::from(loss)]);
        if self.losses.len() >= LOSS_CAPACITY {
            self.loss_stride *= 2;
            let stride = self.loss_stride;
            self.losses
                .retain(|[step, _]| (*step as usize).is_multiple_of(stride));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{JobProgress, LOSS_CAPACITY};
    use crate::progress::{Phase, Progress};

    fn scoring(total: usize) -> JobProgress {
        let mut job = JobProgress::new(0.0);
        job.apply(
            Progress::Phase {
                phase: Phase::Scoring,
                total,
            },
            0.0,
        );
        job
    }

    #[test]
    fn rate_and_time_left_follow_the_last_seconds() {
        let mut job = scoring(100);
        for i in 1..=10 {
            job.apply(Progress::Step { done: i }, i as f64);
        }
        let phase = job.current().expect("a phase");
        assert_eq!(phase.rate(), Some(1.0));
        assert_eq!(phase.seconds_left(), Some(90.0));
        for i in 11..=60 {
            job.apply(Progress::Step { done: i }, 10.0 + (i - 10) as f64 * 0.5);
        }
        let phase = job.current().expect("a phase");
        assert!(
            (phase.rate().expect("settled") - 2.0).abs() < 0.1,
            "{:?}",
            phase.rate()
        );
    }

    #[test]
    fn nothing_is_estimated_from_nothing() {
        let mut job = JobProgress::new(0.0);
        job.apply(Progress::Step { done: 3 }, 1.0);
        assert!(
            job.current().is_none(),
            "a step before any phase is ignored"
        );
        let mut job = scoring(10);
        assert_eq!(job.current().expect("a phase").rate(), None);
        job.apply(Progress::Step { done: 1 }, 0.01);
        assert_eq!(
            job.current().expect("a phase").seconds_left(),
            None,
            "too early"
        );
        job.apply(Progress::Step { done: 1 }, 5.0);
        assert!(job.current().expect("a phase").seconds_left().is_some());
    }

    #[test]
    fn a_phase_without_total_has_no_fraction_and_no_end() {
        let mut job = scoring(0);
        job.apply(Progress::Step { done: 5 }, 5.0);
        let phase = job.current().expect("a phase");
        assert_eq!((phase.fraction(), phase.seconds_left()), (None, None));
        assert_eq!(phase.rate(), Some(1.0));
    }

    #[test]
    fn more_done_than_announced_is_full_not_fuller() {
        let mut job = scoring(4);
        job.apply(Progress::Step { done: 5 }, 5.0);
        let phase = job.current().expect("a phase");
        assert_eq!((phase.fraction(), phase.seconds_left()), (Some(1.0), None));
    }

    #[test]
    fn long_trainings_keep_a_thinned_loss_curve() {
        let mut job = JobProgress::new(0.0);
        for step in 0..LOSS_CAPACITY * 5 {
            let loss = step as f32;
            job.apply(Progress::Loss { step, loss }, 0.0);
        }
        assert!(job.losses().len() < LOSS_CAPACITY);
        assert!(job.losses().len() > LOSS_CAPACITY / 4);
        assert!(job.losses().iter().all(|[step, loss]| step == loss));
        assert!(job.losses().is_sorted_by(|a, b| a[0] < b[0]));
    }

    #[test]
    fn a_loss_that_is_no_number_is_not_drawn() {
        let mut job = JobProgress::new(0.0);
        job.apply(
            Progress::Loss {
                step: 0,
                loss: f32::NAN,
            },
            0.0,
        );
        assert!(job.losses().is_empty());
    }
}
