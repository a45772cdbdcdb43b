//! One job at a time on a named thread: submit, cancel, join. What a job does is up to [`Jobs`].

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use anyhow::Result;
use crossbeam_channel::{Receiver, Sender, bounded};

use super::message::{Command, Event, JobId};
use super::{Busy, Jobs, Wake, panic_text};
use crate::progress::{Monitor, Progress};

/// The window's side of the job thread.
pub(super) struct JobLane {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
    busy: Arc<AtomicBool>,
    /// The stop flag of the newest job. Each job has its own, so that a late cancel cannot hit the next one.
    stop: Arc<AtomicBool>,
    next: u64,
}

struct Order {
    job: JobId,
    command: Command,
    stop: Arc<AtomicBool>,
}

impl JobLane {
    pub(super) fn spawn(
        jobs: Box<dyn Jobs>,
        events: Sender<Event>,
        wake: Wake,
    ) -> io::Result<Self> {
        // One place: the order given between a job's last event and its return waits there.
        let (orders, inbox) = bounded(1);
        let busy = Arc::new(AtomicBool::new(false));
        let outbox = Outbox {
            events,
            wake,
            busy: Arc::clone(&busy),
        };
        let thread = Builder::new()
            .name("flawscope-job".to_owned())
            .spawn(move || work(jobs.as_ref(), &inbox, &outbox))?;
        Ok(Self {
            orders: Some(orders),
            thread: Some(thread),
            busy,
            stop: Arc::default(),
            next: 1,
        })
    }

    pub(super) fn submit(&mut self, command: Command) -> Result<JobId, Busy> {
        let orders = self.orders.as_ref().ok_or(Busy)?;
        if self.busy.swap(true, Ordering::AcqRel) {
            return Err(Busy);
        }
        let job = JobId(self.next);
        let stop = Arc::new(AtomicBool::new(false));
        let order = Order {
            job,
            command,
            stop: Arc::clone(&stop),
        };
        orders.try_send(order).map_err(|_| Busy)?;
        self.next += 1;
        self.stop = stop;
        Ok(job)
    }

    pub(super) fn cancel(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// Sets the stop flag and closes the inbox; the thread ends after the running job.
    pub(super) fn stop(&mut self) {
        self.cancel();
        self.orders = None;
    }
}

impl Drop for JobLane {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            // A panic in a job was caught; one outside of it has nobody left to tell.
            let _ = thread.join();
        }
    }
}

fn work(jobs: &dyn Jobs, inbox: &Receiver<Order>, outbox: &Outbox) {
    for order in inbox {
        carry_out(jobs, order, outbox);
    }
}

/// Runs one job and makes sure that exactly one closing event leaves, whatever happens in it.
fn carry_out(jobs: &dyn Jobs, order: Order, outbox: &Outbox) {
    let Order { job, command, stop } = order;
    let closed = AtomicBool::new(false);
    let emit = |event: Event| {
        if !event.closes() {
            outbox.send(event);
        } else if !closed.swap(true, Ordering::AcqRel) {
            outbox.close(event);
        }
    };
    let monitor = LaneMonitor {
        job,
        stop: &stop,
        outbox,
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| jobs.run(command, job, &monitor, &emit)));
    emit(match outcome {
        Ok(Ok(())) if stop.load(Ordering::Acquire) => Event::Cancelled { job },
        Ok(Ok(())) => failed(job, "the job ended without a result".to_owned()),
        Ok(Err(error)) => failed(job, format!("{error:#}")),
        Err(panic) => failed(job, panic_text(panic.as_ref())),
    });
}

fn failed(job: JobId, message: String) -> Event {
    Event::Failed { job, message }
}

/// Where a job's events go. A closed channel means that the window is gone, and nobody minds.
struct Outbox {
    events: Sender<Event>,
    wake: Wake,
    busy: Arc<AtomicBool>,
}

impl Outbox {
    fn send(&self, event: Event) {
        if self.events.send(event).is_ok() {
            (self.wake)();
        }
    }

    /// The lane is free before the window hears of it, so that it may answer with the next command at once.
    fn close(&self, event: Event) {
        self.busy.store(false, Ordering::Release);
        self.send(event);
    }
}

/// Turns what a workflow reports into events of its job.
struct LaneMonitor<'a> {
    job: JobId,
    stop: &'a AtomicBool,
    outbox: &'a Outbox,
}

impl Monitor for LaneMonitor<'_> {
    fn report(&self, progress: Progress) {
        self.outbox.send(Event::Progress {
            job: self.job,
            progress,
        });
    }

    fn should_stop(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    use anyhow::{Context, Result, anyhow};
    use crossbeam_channel::{Receiver, bounded};

    use super::JobLane;
    use crate::progress::{Monitor, Phase, Progress};
    use crate::worker::message::{Command, Event, JobId};
    use crate::worker::{Busy, Jobs};

    /// Does what its function does.
    struct Scripted<F>(F);

    impl<F> Jobs for Scripted<F>
    where
        F: Fn(Command, JobId, &dyn Monitor, &dyn Fn(Event)) -> Result<()> + Send,
    {
        fn run(
            &self,
            command: Command,
            job: JobId,
            monitor: &dyn Monitor,
            emit: &dyn Fn(Event),
        ) -> Result<()> {
            (self.0)(command, job, monitor, emit)
        }
    }

    fn lane<F>(capacity: usize, script: F) -> (JobLane, Receiver<Event>, Arc<AtomicUsize>)
    where
        F: Fn(Command, JobId, &dyn Monitor, &dyn Fn(Event)) -> Result<()> + Send + 'static,
    {
        let (sender, events) = bounded(capacity);
        let wakes = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&wakes);
        let wake = Arc::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        let lane = JobLane::spawn(Box::new(Scripted(script)), sender, wake).unwrap();
        (lane, events, wakes)
    }

    fn next(events: &Receiver<Event>) -> Event {
        events.recv_timeout(Duration::from_secs(5)).unwrap()
    }

    /// Works until it is told to stop.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "stands for a job, and jobs may fail"
    )]
    fn endless(_: Command, _: JobId, monitor: &dyn Monitor, _: &dyn Fn(Event)) -> Result<()> {
        while !monitor.should_stop() {
            sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    #[test]
    fn a_job_reports_and_closes_and_the_window_is_woken_each_time() {
        let (mut lane, events, wakes) = lane(8, |_, job, monitor, emit| {
            monitor.report(Progress::Phase {
                phase: Phase::Scoring,
                total: 2,
            });
            emit(Event::WeightsListed {
                job,
                weights: Vec::new(),
                gpus: Ok(Vec::new()),
            });
            Ok(())
        });
        let job = lane.submit(Command::ListWeights).unwrap();
        assert!(matches!(next(&events), Event::Progress { job: of, .. } if of == job));
        assert!(matches!(next(&events), Event::WeightsListed { job: of, .. } if of == job));
        drop(lane);
        assert!(
            events.try_recv().is_err(),
            "nothing follows the closing event"
        );
        assert_eq!(wakes.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_second_job_is_refused_until_the_first_has_closed() {
        let (mut lane, events, _) = lane(8, endless);
        let first = lane.submit(Command::ListWeights).unwrap();
        assert_eq!(lane.submit(Command::ListWeights), Err(Busy));
        lane.cancel();
        assert!(matches!(next(&events), Event::Cancelled { job } if job == first));
        let second = lane.submit(Command::ListWeights).unwrap();
        assert!(second > first);
    }

    #[test]
    fn cancelling_is_answered_within_200_milliseconds() {
        let (mut lane, events, _) = lane(8, endless);
        lane.submit(Command::ListWeights).unwrap();
        sleep(Duration::from_millis(20));
        let asked = Instant::now();
        lane.cancel();
        assert!(matches!(next(&events), Event::Cancelled { .. }));
        assert!(asked.elapsed() < Duration::from_millis(200));
    }

    #[test]
    fn a_cancel_that_comes_too_late_does_not_stop_the_next_job() {
        let (mut lane, events, _) = lane(8, |_, job, monitor, emit| {
            if !monitor.should_stop() {
                emit(Event::WeightsListed {
                    job,
                    weights: Vec::new(),
                    gpus: Ok(Vec::new()),
                });
            }
            Ok(())
        });
        for _ in 0..3 {
            lane.submit(Command::ListWeights).unwrap();
            assert!(matches!(next(&events), Event::WeightsListed { .. }));
            lane.cancel();
        }
    }

    #[test]
    fn a_panic_becomes_a_failure_with_its_text_and_the_lane_lives_on() {
        let (mut lane, events, _) = lane(8, |_, job, _, emit| {
            assert!(job.0 > 1, "bank of {} rows", 7);
            emit(Event::WeightsListed {
                job,
                weights: Vec::new(),
                gpus: Ok(Vec::new()),
            });
            Ok(())
        });
        lane.submit(Command::ListWeights).unwrap();
        let Event::Failed { message, .. } = next(&events) else {
            panic!("not failed")
        };
        assert!(message.contains("bank of 7 rows"), "{message}");
        lane.submit(Command::ListWeights).unwrap();
        assert!(matches!(next(&events), Event::WeightsListed { .. }));
    }

    #[test]
    fn an_error_is_told_whole_outermost_first() {
        let (mut lane, events, _) = lane(8, |_, _, _, _| {
            Err(anyhow!("permission denied")).context("writing /runs/bottle")
        });
        lane.submit(Command::ListWeights).unwrap();
        let Event::Failed { message, .. } = next(&events) else {
            panic!("not failed")
        };
        assert_eq!(message, "writing /runs/bottle: permission denied");
    }

    #[test]
    fn a_job_that_says_nothing_still_closes() {
        let (mut lane, events, _) = lane(8, |_, _, _, _| Ok(()));
        lane.submit(Command::ListWeights).unwrap();
        assert!(matches!(next(&events), Event::Failed { .. }));
    }

    #[test]
    fn only_the_first_closing_event_of_a_job_leaves() {
        let (mut lane, events, _) = lane(8, |_, job, _, emit| {
            emit(Event::WeightsListed {
                job,
                weights: Vec::new(),
                gpus: Ok(Vec::new()),
            });
            Err(anyhow!("afterthought"))
        });
        lane.submit(Command::ListWeights).unwrap();
        assert!(matches!(next(&events), Event::WeightsListed { .. }));
        drop(lane);
        assert!(events.try_recv().is_err());
    }

    #[test]
    fn dropping_waits_until_a_stopped_job_has_saved_its_work() {
        let saved = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&saved);
        let (mut lane, events, _) = lane(1, move |_, _, monitor, _| {
            while !monitor.should_stop() {
                sleep(Duration::from_millis(2));
            }
            sleep(Duration::from_millis(150));
            count.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
        lane.submit(Command::ListWeights).unwrap();
        sleep(Duration::from_millis(20));
        drop(events);
        drop(lane);
        assert_eq!(saved.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn dropping_stops_the_job_and_joins_even_when_the_window_takes_no_events() {
        let (mut lane, events, _) = lane(1, |_, _, monitor, _| {
            while !monitor.should_stop() {
                monitor.report(Progress::Step { done: 1 });
            }
            Ok(())
        });
        lane.submit(Command::ListWeights).unwrap();
        sleep(Duration::from_millis(20));
        let dropped = Instant::now();
        drop(events);
        drop(lane);
        assert!(dropped.elapsed() < Duration::from_secs(1));
    }
}
