//! What is written down while measuring.

use anyhow::Result;
use candle_core::Device;
use serde::Serialize;

use super::memory;
use super::timer::{Timer, Timing};
use crate::progress::Progress;

/// A piece of work, and how long it took.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    pub name: String,
    /// What the time is for one of: `picture`, `step`.
    pub unit: &'static str,
    pub seconds: Timing,
    /// Billions of additions and multiplications a second, where they are counted.
    pub gflops: Option<f64>,
    /// Of what the matrix product reaches.
    pub share_of_product: Option<f64>,
    /// The most memory the process has held so far, in bytes.
    pub peak_memory: Option<u64>,
}

/// A piece of work that is to be measured.
pub struct Work {
    pub name: String,
    pub unit: &'static str,
    /// So many of them are done at once.
    pub units: usize,
    /// Additions and multiplications of one of them.
    pub operations: Option<f64>,
}

impl Work {
    pub fn new(name: impl Into<String>, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            unit,
            units: 1,
            operations: None,
        }
    }

    #[must_use]
    pub fn of(self, units: usize) -> Self {
        Self { units, ..self }
    }

    #[must_use]
    pub fn costing(self, operations: f64) -> Self {
        Self {
            operations: Some(operations),
            ..self
        }
    }
}

/// The parts measured so far.
pub struct Sheet<'a> {
    pub timer: Timer<'a>,
    pub device: Device,
    /// What the matrix product reaches, in additions and multiplications a second; 0 until it is known.
    pub product: f64,
    pub parts: Vec<Part>,
}

impl Sheet<'_> {
    /// Measures one more part. `None`: cancelled.
    pub fn measure(
        &mut self,
        work: Work,
        mut run: impl FnMut() -> Result<()>,
    ) -> Result<Option<()>> {
        let device = self.device.clone();
        let timing = self.timer.time(|| {
            run()?;
            // A GPU answers before it is done.
            Ok(device.synchronize()?)
        })?;
        Ok(timing.map(|timing| self.add(work, timing)))
    }

    /// Takes in a part whose runs were timed elsewhere.
    pub fn add(&mut self, work: Work, timing: Timing) {
        let seconds = timing.each(work.units);
        let speed = work
            .operations
            .map(|operations| operations / seconds.median);
        self.parts.push(Part {
            name: work.name,
            unit: work.unit,
            seconds,
            gflops: speed.map(|speed| speed / 1e9),
            share_of_product: speed
                .filter(|_| self.product > 0.0)
                .map(|speed| speed / self.product),
            peak_memory: memory::peak(),
        });
        let done = self.parts.len();
        self.timer.monitor.report(Progress::Step { done });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use candle_core::Device;

    use super::super::timer::{Timer, Timing};
    use super::{Sheet, Work};
    use crate::progress::Silent;

    #[test]
    fn speed_is_told_for_one_unit_and_held_against_the_product() {
        let mut sheet = Sheet {
            timer: Timer {
                time: Duration::ZERO,
                monitor: &Silent,
            },
            device: Device::Cpu,
            product: 4e9,
            parts: Vec::new(),
        };
        let timing = Timing {
            median: 8.0,
            low: 4.0,
            high: 16.0,
            runs: 5,
        };
        sheet.add(Work::new("network", "picture").of(8).costing(2e9), timing);
        let part = &sheet.parts[0];
        assert_eq!((part.seconds.median, part.seconds.low), (1.0, 0.5));
        assert_eq!(part.gflops, Some(2.0));
        assert_eq!(part.share_of_product, Some(0.5));
        sheet.add(Work::new("head", "picture"), timing);
        assert_eq!(sheet.parts[1].gflops, None);
    }
}
