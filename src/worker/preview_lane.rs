//! Decodes what the user looks at on a thread of its own: newest request first, full pictures before thumbnails.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::Sender;

use super::message::{Detail, Event, PreviewKey, PreviewRequest};
use super::{Previews, Wake, panic_text};

/// Waiting requests of each kind; beyond that the oldest gives way. A screen of thumbnails fits.
const FULL_CAPACITY: usize = 8;
const THUMBNAIL_CAPACITY: usize = 256;

/// The window's side of the preview thread.
pub(super) struct PreviewLane {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Shared {
    /// The queue's own operations cannot panic half-way, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a request; `None` when the lane closes.
    fn take(&self) -> Option<PreviewRequest> {
        let mut queue = self.lock();
        loop {
            if queue.closed {
                return None;
            }
            if let Some(request) = queue.pop() {
                return Some(request);
            }
            queue = self
                .changed
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl PreviewLane {
    pub(super) fn spawn(
        previews: Box<dyn Previews>,
        events: Sender<Event>,
        wake: Wake,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let inbox = Arc::clone(&shared);
        let thread = Builder::new()
            .name("flawscope-preview".to_owned())
            .spawn(move || work(previews.as_ref(), &inbox, &events, &wake))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    pub(super) fn request(&self, request: PreviewRequest) -> Option<PreviewKey> {
        let displaced = self.shared.lock().push(request);
        self.shared.changed.notify_one();
        displaced
    }

    /// Closes the queue; the thread ends after the picture in hand.
    pub(super) fn stop(&self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_one();
    }
}

impl Drop for PreviewLane {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            // Panics were caught per picture; there is nobody left to tell about others.
            let _ = thread.join();
        }
    }
}

fn work(previews: &dyn Previews, shared: &Shared, events: &Sender<Event>, wake: &Wake) {
    while let Some(request) = shared.take() {
        let loaded = catch_unwind(AssertUnwindSafe(|| previews.load(&request)));
        let result = loaded.unwrap_or_else(|panic| Err(panic_text(panic.as_ref())));
        let key = request.key;
        shared.lock().in_hand = None;
        if events
            .send(Event::Preview {
                key,
                result: result.map(Arc::new),
            })
            .is_err()
        {
            return;
        }
        wake();
    }
}

/// What waits, newest at the back.
#[derive(Default)]
struct Queue {
    full: VecDeque<PreviewRequest>,
    thumbnails: VecDeque<PreviewRequest>,
    /// The picture being decoded: asking for it again would decode it twice.
    in_hand: Option<PreviewKey>,
    closed: bool,
}

impl Queue {
    /// Adds a request, or moves it to the front when it waits already. Returns the key that had to give way.
    fn push(&mut self, request: PreviewRequest) -> Option<PreviewKey> {
        if self.in_hand.as_ref() == Some(&request.key) {
            return None;
        }
        let (waiting, capacity) = match request.key.detail {
            Detail::Full => (&mut self.full, FULL_CAPACITY),
            Detail::Thumbnail => (&mut self.thumbnails, THUMBNAIL_CAPACITY),
        };
        waiting.retain(|other| other.key != request.key);
        waiting.push_back(request);
        if waiting.len() > capacity {
            return waiting.pop_front().map(|oldest| oldest.key);
        }
        None
    }

    fn pop(&mut self) -> Option<PreviewRequest> {
        let request = self
            .full
            .pop_back()
            .or_else(|| self.thumbnails.pop_back())?;
        self.in_hand = Some(request.key.clone());
        Some(request)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::time::Duration;

    use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

    use super::{FULL_CAPACITY, PreviewLane, Queue, THUMBNAIL_CAPACITY};
    use crate::data::image::Orientation;
    use crate::data::{Label, Sample};
    use crate::worker::Previews;
    use crate::worker::message::{Detail, Event, Preview, PreviewKey, PreviewRequest};

    fn request(name: &str, detail: Detail) -> PreviewRequest {
        PreviewRequest {
            key: PreviewKey {
                run: None,
                sample: name.to_owned(),
                detail,
            },
            sample: Sample {
                id: name.to_owned(),
                image: PathBuf::from(name),
                masks: Vec::new(),
                label: Label::Good,
                defect: "good".to_owned(),
                orientation: Orientation::Ignore,
            },
        }
    }

    fn preview() -> Preview {
        Preview {
            width: 1,
            height: 1,
            rgb: vec![0; 3],
            image_width: 1,
            image_height: 1,
            mask: None,
            map: None,
            map_rect: [0.0, 0.0, 1.0, 1.0],
        }
    }

    /// Says what it was asked for and waits for leave before each picture.
    struct Gated {
        asked: Sender<String>,
        leave: Receiver<()>,
    }

    impl Previews for Gated {
        fn load(&self, request: &PreviewRequest) -> Result<Preview, String> {
            self.asked.send(request.sample.id.clone()).unwrap();
            self.leave.recv().unwrap();
            match request.sample.id.as_str() {
                "panics" => panic!("odd picture"),
                "broken" => Err("broken.png is cut short".to_owned()),
                _ => Ok(preview()),
            }
        }
    }

    struct Bench {
        lane: PreviewLane,
        asked: Receiver<String>,
        leave: Sender<()>,
        events: Receiver<Event>,
    }

    fn bench() -> Bench {
        let (asked_sender, asked) = unbounded();
        let (leave, leave_receiver) = unbounded();
        let (sender, events) = bounded(64);
        let gated = Gated {
            asked: asked_sender,
            leave: leave_receiver,
        };
        let lane = PreviewLane::spawn(Box::new(gated), sender, Arc::new(|| {})).unwrap();
        Bench {
            lane,
            asked,
            leave,
            events,
        }
    }

    impl Bench {
        fn next_asked(&self) -> String {
            self.asked.recv_timeout(Duration::from_secs(5)).unwrap()
        }

        fn next_result(&self) -> Result<Arc<Preview>, String> {
            match self.events.recv_timeout(Duration::from_secs(5)).unwrap() {
                Event::Preview { result, .. } => result,
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn the_newest_request_comes_first_and_full_pictures_before_thumbnails() {
        let bench = bench();
        bench.lane.request(request("first", Detail::Thumbnail));
        assert_eq!(bench.next_asked(), "first");
        for (name, detail) in [
            ("old", Detail::Thumbnail),
            ("full old", Detail::Full),
            ("full new", Detail::Full),
            ("new", Detail::Thumbnail),
            ("first", Detail::Thumbnail),
        ] {
            assert!(bench.lane.request(request(name, detail)).is_none());
        }
        for _ in 0..5 {
            bench.leave.send(()).unwrap();
        }
        let order: Vec<String> = (0..4).map(|_| bench.next_asked()).collect();
        assert_eq!(order, ["full new", "full old", "new", "old"]);
        for _ in 0..5 {
            assert!(bench.next_result().is_ok());
        }
        assert!(
            bench.asked.try_recv().is_err(),
            "the picture in hand was not decoded twice"
        );
    }

    #[test]
    fn a_picture_that_fails_or_panics_is_an_answer_too() {
        let bench = bench();
        for name in ["broken", "panics", "sound"] {
            bench.lane.request(request(name, Detail::Full));
            bench.next_asked();
            bench.leave.send(()).unwrap();
            let result = bench.next_result();
            match name {
                "broken" => assert_eq!(result.unwrap_err(), "broken.png is cut short"),
                "panics" => assert!(result.unwrap_err().contains("odd picture")),
                _ => assert!(result.is_ok()),
            }
        }
    }

    #[test]
    fn asking_again_moves_a_request_to_the_front_without_doubling_it() {
        let mut queue = Queue::default();
        for name in ["a", "b", "a"] {
            assert!(queue.push(request(name, Detail::Thumbnail)).is_none());
        }
        let order: Vec<String> = std::iter::from_fn(|| queue.pop())
            .map(|r| r.sample.id)
            .collect();
        assert_eq!(order, ["a", "b"]);
    }

    #[test]
    fn the_oldest_request_gives_way_when_too_many_wait() {
        for (detail, capacity) in [
            (Detail::Full, FULL_CAPACITY),
            (Detail::Thumbnail, THUMBNAIL_CAPACITY),
        ] {
            let mut queue = Queue::default();
            for i in 0..capacity {
                assert!(queue.push(request(&i.to_string(), detail)).is_none());
            }
            let displaced = queue.push(request("one more", detail)).unwrap();
            assert_eq!(displaced.sample, "0");
        }
    }

    #[test]
    fn dropping_joins_with_requests_still_waiting() {
        let bench = bench();
        bench.lane.request(request("in hand", Detail::Full));
        bench.next_asked();
        bench.lane.request(request("waiting", Detail::Full));
        bench.leave.send(()).unwrap();
        let Bench {
            lane,
            asked,
            leave,
            events,
        } = bench;
        drop(leave);
        drop(events);
        drop(lane);
        drop(asked);
    }
}
