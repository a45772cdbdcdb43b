//! Notes about data sets on a thread of their own, in the order they were given: painting works while a training runs,
//! and the window never waits for the disk. The last thread to end, so that nothing that was asked to be kept is lost.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{Builder, JoinHandle};

use anyhow::{Context, Result, anyhow};
use crossbeam_channel::{Receiver, Sender, unbounded};

use super::annotations::{Answer, Notes, Order, Task};
use super::message::Event;
use super::{Wake, panic_text};
use crate::data::Sample;
use crate::data::image::{Mask, load_mask, read_mask, read_size};
use crate::store::annotations::Annotations;

/// The window's side of the thread.
pub(super) struct AnnotationLane {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl AnnotationLane {
    pub(super) fn spawn(events: Sender<Event>, wake: Wake) -> io::Result<Self> {
        // Unbounded: each order is one click of the user.
        let (orders, inbox) = unbounded();
        let thread = Builder::new()
            .name("flawscope-notes".to_owned())
            .spawn(move || work(&inbox, &events, &wake))?;
        Ok(Self {
            orders: Some(orders),
            thread: Some(thread),
        })
    }

    pub(super) fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // The thread outlives its inbox.
            let _ = orders.send(order);
        }
    }

    /// Closes the inbox; the thread ends after everything in it.
    pub(super) fn stop(&mut self) {
        self.orders = None;
    }
}

impl Drop for AnnotationLane {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            // Panics were caught per order; there is nobody left to tell about others.
            let _ = thread.join();
        }
    }
}

fn work(inbox: &Receiver<Order>, events: &Sender<Event>, wake: &Wake) {
    for order in inbox {
        let done = catch_unwind(AssertUnwindSafe(|| carry_out(&order)));
        let result = done.unwrap_or_else(|panic| Err(anyhow!(panic_text(panic.as_ref()))));
        let answer = Event::Annotated {
            order,
            result: result.map_err(|error| format!("{error:#}")),
        };
        // A window that is gone hears nothing, but what it asked to be kept is still written.
        if events.send(answer).is_ok() {
            wake();
        }
    }
}

/// Reads the notes anew each time: another window may have changed them.
fn carry_out(order: &Order) -> Result<Answer> {
    let mut annotations = Annotations::open(&order.folder)?;
    match &order.task {
        Task::Open { samples } => return Ok(Answer::Opened(notes(&annotations, samples))),
        Task::SetSeen { ids } => annotations.set_seen(ids.iter().cloned())?,
        Task::ReadPainted { sample } => return painted(&annotations, sample).map(Answer::Mask),
        Task::ReadOwn { sample } => return own(sample).map(Answer::Mask),
        Task::SaveMask { sample, mask } => annotations.save_mask(sample, mask)?,
        Task::RemoveMask { sample } => annotations.remove_mask(&sample.id)?,
    }
    Ok(Answer::Done)
}

/// Also finds out which painted masks no longer belong to their picture.
fn notes(annotations: &Annotations, samples: &[Sample]) -> Notes {
    let mut notes = Notes {
        seen: annotations.seen.iter().cloned().collect(),
        ..Notes::default()
    };
    for sample in samples {
        match annotations.mask_of(sample) {
            Ok(None) => {}
            Ok(Some(_)) => {
                notes.painted.insert(sample.id.clone());
            }
            Err(error) => {
                notes.broken.insert(sample.id.clone(), format!("{error:#}"));
            }
        }
    }
    notes
}

fn painted(annotations: &Annotations, sample: &Sample) -> Result<Mask> {
    let path = annotations.mask_of(sample)?;
    let path = path.with_context(|| format!("{} has no painted mask any more", sample.id))?;
    read_mask(&path)
}

/// The data set's own mask at the picture's own size.
fn own(sample: &Sample) -> Result<Mask> {
    let size = read_size(&sample.image, sample.orientation)?;
    load_mask(&sample.masks, size)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::time::Duration;

    use crossbeam_channel::{Receiver, bounded};

    use super::{AnnotationLane, Answer, Order, Task};
    use crate::data::image::{Mask, Orientation, testing};
    use crate::data::{Label, Sample};
    use crate::store::annotations::Annotations;
    use crate::worker::message::Event;

    struct Bench {
        home: tempfile::TempDir,
        lane: AnnotationLane,
        events: Receiver<Event>,
    }

    fn bench() -> Bench {
        let (sender, events) = bounded(4);
        Bench {
            home: tempfile::tempdir().unwrap(),
            lane: AnnotationLane::spawn(sender, Arc::new(|| {})).unwrap(),
            events,
        }
    }

    impl Bench {
        fn folder(&self) -> PathBuf {
            self.home.path().join("notes")
        }

        fn ask(&self, task: Task) -> Result<Answer, String> {
            let folder = self.folder();
            self.lane.order(Order { folder, task });
            match self.events.recv_timeout(Duration::from_secs(5)).unwrap() {
                Event::Annotated { result, .. } => result,
                other => panic!("{other:?}"),
            }
        }
    }

    fn sample(folder: &Path) -> Sample {
        let (image, mask) = (folder.join("a.png"), folder.join("a_mask.png"));
        testing::write_png(&image, 6, 4, 1);
        testing::write_mask(&mask, 6, 4, [0, 0, 2, 2]);
        Sample {
            id: "a.png".to_owned(),
            image,
            masks: vec![mask],
            label: Label::Defective,
            defect: "crack".to_owned(),
            orientation: Orientation::Ignore,
        }
    }

    #[test]
    fn a_mask_is_kept_read_back_and_removed() {
        let bench = bench();
        let sample = sample(bench.home.path());
        let own = bench.ask(Task::ReadOwn {
            sample: sample.clone(),
        });
        let Ok(Answer::Mask(own)) = own else {
            panic!("{own:?}")
        };
        assert_eq!(own.marked(), 4);
        let mask = Mask::new(6, 4, (0..24).map(|i| i == 5).collect()).unwrap();
        let save = Task::SaveMask {
            sample: sample.clone(),
            mask: Arc::new(mask.clone()),
        };
        assert_eq!(bench.ask(save), Ok(Answer::Done));
        let read = Task::ReadPainted {
            sample: sample.clone(),
        };
        assert_eq!(bench.ask(read.clone()), Ok(Answer::Mask(mask)));
        let remove = Task::RemoveMask {
            sample: sample.clone(),
        };
        assert_eq!(bench.ask(remove), Ok(Answer::Done));
        assert!(bench.ask(read).unwrap_err().contains("no painted mask"));
    }

    #[test]
    fn opening_tells_what_is_seen_painted_and_no_longer_fits() {
        let bench = bench();
        let sample = sample(bench.home.path());
        let ids = vec!["a.png".to_owned()];
        assert_eq!(bench.ask(Task::SetSeen { ids }), Ok(Answer::Done));
        let mask = Mask::new(6, 4, (0..24).map(|i| i == 5).collect()).unwrap();
        let save = Task::SaveMask {
            sample: sample.clone(),
            mask: Arc::new(mask),
        };
        bench.ask(save).unwrap();
        let open = Task::Open {
            samples: vec![sample.clone()],
        };
        let Ok(Answer::Opened(notes)) = bench.ask(open.clone()) else {
            panic!("not opened")
        };
        assert!(notes.seen.contains("a.png") && notes.painted.contains("a.png"));
        testing::write_png(&sample.image, 6, 4, 2);
        let Ok(Answer::Opened(notes)) = bench.ask(open) else {
            panic!("not opened")
        };
        assert!(notes.painted.is_empty());
        assert!(notes.broken["a.png"].contains("has changed"));
    }

    #[test]
    fn a_broken_manifest_is_an_answer() {
        let bench = bench();
        std::fs::create_dir(bench.folder()).unwrap();
        std::fs::write(bench.folder().join("annotations.json"), "[").unwrap();
        let open = Task::Open { samples: vec![] };
        assert!(bench.ask(open).unwrap_err().contains("annotations.json"));
    }

    #[test]
    fn what_was_asked_for_is_kept_even_when_the_window_closes_at_once() {
        let bench = bench();
        let folder = bench.folder();
        for number in 0..20 {
            let ids = (0..=number).map(|i| format!("{i:02}.png")).collect();
            let task = Task::SetSeen { ids };
            let folder = folder.clone();
            bench.lane.order(Order { folder, task });
        }
        let Bench { lane, events, home } = bench;
        drop(events);
        drop(lane);
        assert_eq!(Annotations::open(folder).unwrap().seen.len(), 20);
        drop(home);
    }
}
