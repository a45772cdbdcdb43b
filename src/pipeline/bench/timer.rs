//! Times a piece of work: once to warm up, then again and again until enough is known.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use crate::progress::Monitor;

/// Fewer runs say nothing about their spread.
const LEAST: usize = 5;
/// What takes this many times the time it was given is run no more than once.
const PATIENCE: u32 = 5;

/// How long runs of the same work took, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Timing {
    pub median: f64,
    /// A tenth of the runs were faster.
    pub low: f64,
    /// A tenth of the runs were slower.
    pub high: f64,
    pub runs: usize,
}

impl Timing {
    /// Of a single run.
    pub fn once(seconds: f64) -> Self {
        Self::of(vec![seconds])
    }

    fn of(mut seconds: Vec<f64>) -> Self {
        seconds.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = (share * seconds.len().saturating_sub(1) as f64).round();
            seconds.get(place as usize).copied().unwrap_or(f64::NAN)
        };
        Self {
            median: at(0.5),
            low: at(0.1),
            high: at(0.9),
            runs: seconds.len(),
        }
    }

    /// Of each of `parts` equal parts of the work.
    #[must_use]
    pub fn each(self, parts: usize) -> Self {
        let parts = parts.max(1) as f64;
        Self {
            median: self.median / parts,
            low: self.low / parts,
            high: self.high / parts,
            runs: self.runs,
        }
    }
}

/// Gives each piece of work so much time.
pub struct Timer<'a> {
    pub time: Duration,
    pub monitor: &'a dyn Monitor,
}

impl Timer<'_> {
    /// `None`: cancelled.
    pub fn time(&self, mut work: impl FnMut() -> Result<()>) -> Result<Option<Timing>> {
        let started = Instant::now();
        work()?;
        let first = started.elapsed();
        if first > self.time * PATIENCE {
            let timing = Timing::once(first.as_secs_f64());
            return Ok((!self.monitor.should_stop()).then_some(timing));
        }
        let (started, mut seconds) = (Instant::now(), Vec::new());
        while seconds.len() < LEAST || started.elapsed() < self.time {
            if self.monitor.should_stop() {
                return Ok(None);
            }
            let began = Instant::now();
            work()?;
            seconds.push(began.elapsed().as_secs_f64());
        }
        Ok(Some(Timing::of(seconds)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LEAST, Timer, Timing};
    use crate::progress::{Impatient, Silent};

    #[test]
    fn the_middle_and_the_tenths_are_told() {
        let timing = Timing::of((0..=10).rev().map(f64::from).collect());
        assert_eq!((timing.low, timing.median, timing.high), (1.0, 5.0, 9.0));
        let each = timing.each(2);
        assert_eq!((each.median, each.runs), (2.5, 11));
    }

    #[test]
    fn work_is_warmed_up_and_run_often_enough() {
        let timer = Timer {
            time: Duration::from_nanos(1),
            monitor: &Silent,
        };
        let mut runs = 0;
        let timing = timer
            .time(|| {
                runs += 1;
                Ok(())
            })
            .unwrap();
        // One run where the machine paused in the very first.
        let timed = timing.unwrap().runs;
        assert!((timed, runs) == (LEAST, LEAST + 1) || (timed, runs) == (1, 1));
    }

    #[test]
    fn a_cancelled_measurement_gives_nothing_and_an_error_is_passed_on() {
        let timer = Timer {
            time: Duration::from_secs(9),
            monitor: &Impatient,
        };
        assert_eq!(timer.time(|| Ok(())).unwrap(), None);
        assert!(timer.time(|| anyhow::bail!("broken")).is_err());
    }
}
