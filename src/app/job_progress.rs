//! What has been heard of a running job: phases, rate, time left, losses. Knows neither clock nor widgets.

use std::collections::VecDeque;

use crate::progress::{Phase, Progress};

/// The rate is that of the last seconds, so that it follows the machine without jumping about. Of a training it is that
/// of the last whole batches, however long they take: the steps of a batch may differ in cost many times over.
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
    /// How many losses were heard, and how many of them make one that is kept.
    heard: usize,
    loss_stride: usize,
    last_step: f64,
    epochs: Vec<Epoch>,
    warnings: Vec<String>,
    device: Option<String>,
}

/// One phase, running or over.
#[derive(Debug, Clone)]
pub struct PhaseProgress {
    pub phase: Phase,
    pub done: usize,
    /// 0 when it is not known.
    pub total: usize,
    /// Time and `done` from which the rate follows, oldest first.
    marks: VecDeque<(f64, usize)>,
}

/// What an epoch ended with.
#[derive(Debug, Clone, PartialEq)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: usize,
    pub epochs: usize,
    /// The last step before its end.
    pub step: f64,
    pub loss: f32,
    pub quantities: Vec<(String, f32)>,
}

impl Epoch {
    /// The quantities that are losses of a part of the model.
    pub fn parts(&self) -> impl Iterator<Item = (&str, f32)> {
        self.named(true)
    }

    /// All the others.
    pub fn others(&self) -> impl Iterator<Item = (&str, f32)> {
        self.named(false)
    }

    fn named(&self, is_part: bool) -> impl Iterator<Item = (&str, f32)> {
        let named = self.quantities.iter();
        named
            .filter(move |(name, _)| name.starts_with("scale ") == is_part)
            .map(|(name, value)| (name.as_str(), *value))
    }
}

impl PhaseProgress {
    fn new(phase: Phase, total: usize, now: f64) -> Self {
        // A training that goes on does not begin with its first step.
        let begins_at_zero = phase != Phase::Training;
        Self {
            phase,
            done: 0,
            total,
            marks: begins_at_zero.then_some((now, 0)).into_iter().collect(),
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
        if self.phase != Phase::Training || self.marks.is_empty() {
            self.mark(done, now);
        }
    }

    fn mark(&mut self, done: usize, now: f64) {
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
            heard: 0,
            loss_stride: 1,
            last_step: 0.0,
            epochs: Vec::new(),
            warnings: Vec::new(),
            device: None,
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
            Progress::Loss { step, loss } => {
                if let Some(phase) = self.phases.last_mut() {
                    phase.mark(step, now);
                }
                self.add_loss(step, loss);
            }
            Progress::Epoch {
                epoch,
                epochs,
                loss,
                quantities,
            } => self.epochs.push(Epoch {
                epoch,
                epochs,
                step: self.last_step,
                loss,
                quantities,
            }),
            Progress::Device { line } => self.device = Some(line),
            Progress::Warning { text } => self.warnings.push(text),
            // The scores arrive once more with the finished run; the picture count is in the steps.
            Progress::Scored { .. } => {}
        }
    }

    /// Where the numbers are crunched, and why there.
    pub fn device(&self) -> Option<&str> {
        self.device.as_deref()
    }

    /// When the job was submitted.
    pub fn started(&self) -> f64 {
        self.started
    }

    /// Whether a training came as far as its first step: from then on there is something to lose.
    pub fn has_begun_to_learn(&self) -> bool {
        self.phases
            .iter()
            .any(|phase| phase.phase == Phase::Training)
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

    /// Mean losses of the model's parts that train by themselves, such as CFLOW-AD's scales: name, then step and loss at
    /// the end of each epoch.
    pub fn parts(&self) -> Vec<(&str, Vec<[f64; 2]>)> {
        let last = self.epochs.last();
        let names = last.into_iter().flat_map(Epoch::parts);
        names.map(|(name, _)| (name, self.part(name))).collect()
    }

    fn part(&self, name: &str) -> Vec<[f64; 2]> {
        let values = self.epochs.iter().flat_map(|epoch| {
            let own = epoch.parts().filter(|(part, _)| *part == name);
            own.map(|(_, loss)| [epoch.step, f64::from(loss)])
        });
        values.filter(|[_, loss]| loss.is_finite()).collect()
    }

    fn add_loss(&mut self, step: usize, loss: f32) {
        self.last_step = step as f64;
        if !loss.is_finite() {
            return;
        }
        if self.heard.is_multiple_of(self.loss_stride) {
            self.losses.push([step as f64, f64::from(loss)]);
        }
        self.heard += 1;
        if self.losses.len() >= LOSS_CAPACITY {
            self.loss_stride *= 2;
            let mut index = 0;
            self.losses.retain(|_| {
                index += 1;
                index % 2 == 1
            });
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
        for batch in 0..LOSS_CAPACITY * 5 {
            let step = batch * 168;
            let loss = step as f32;
            job.apply(Progress::Loss { step, loss }, 0.0);
        }
        assert!(job.losses().len() < LOSS_CAPACITY);
        assert!(job.losses().len() > LOSS_CAPACITY / 4);
        assert!(job.losses().iter().all(|[step, loss]| step == loss));
        assert!(job.losses().is_sorted_by(|a, b| a[0] < b[0]));
    }

    fn training(total: usize) -> JobProgress {
        let mut job = JobProgress::new(0.0);
        let phase = Phase::Training;
        job.apply(Progress::Phase { phase, total }, 0.0);
        job
    }

    #[test]
    fn the_time_left_of_a_training_does_not_swing_with_cheap_and_costly_steps() {
        let mut job = training(1680);
        let (mut now, mut done) = (0.0, 0);
        for batch in 0..4 {
            // 128 steps of 0.1 s, then 40 of 1 s: 52.8 s a batch.
            for step in 0..168 {
                now += if step < 128 { 0.1 } else { 1.0 };
                done += 1;
                job.apply(Progress::Step { done }, now);
                let phase = job.current().expect("a phase");
                if batch > 0 {
                    let true_left = 528.0 - now;
                    let left = phase.seconds_left().expect("settled");
                    assert!((left - true_left).abs() < 0.1 * 528.0, "{left} {true_left}");
                }
            }
            let loss = 1.0;
            job.apply(Progress::Loss { step: done, loss }, now);
        }
    }

    #[test]
    fn a_training_that_goes_on_is_not_taken_for_a_fast_one() {
        let mut job = training(2000);
        for step in 0..5 {
            let done = 1001 + step;
            let now = 1.0 + step as f64;
            job.apply(
                Progress::Loss {
                    step: done,
                    loss: 0.5,
                },
                now,
            );
            job.apply(Progress::Step { done }, now);
        }
        let phase = job.current().expect("a phase");
        assert_eq!(
            (phase.rate(), phase.seconds_left()),
            (Some(1.0), Some(995.0))
        );
    }

    #[test]
    fn losses_of_the_models_parts_stand_apart_from_its_other_quantities() {
        let mut job = training(20);
        for epoch in 1..=2 {
            let step = epoch * 10;
            job.apply(Progress::Loss { step, loss: 0.5 }, 0.0);
            let quantities = vec![
                ("radius".to_owned(), 0.6),
                ("scale 1".to_owned(), 1.0 / epoch as f32),
                ("scale 2".to_owned(), f32::NAN),
            ];
            job.apply(
                Progress::Epoch {
                    epoch,
                    epochs: 2,
                    loss: 0.5,
                    quantities,
                },
                0.0,
            );
        }
        let parts = job.parts();
        assert_eq!(parts[0], ("scale 1", vec![[10.0, 1.0], [20.0, 0.5]]));
        assert_eq!(parts[1], ("scale 2", Vec::new()));
        assert_eq!(parts.len(), 2);
        assert!(training(1).parts().is_empty());
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
