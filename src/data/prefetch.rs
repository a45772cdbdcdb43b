//! A thread that makes things ahead of their use, in order. What they are is its caller's business.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, bounded};

/// Things in order, made ahead on a thread of its own. Dropping it stops and joins the thread.
pub struct Prefetch<T> {
    receiver: Option<Receiver<T>>,
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl<T: Send + 'static> Prefetch<T> {
    /// Calls `make` until it gives `None`. So many things may lie ready while one is in use, and one more is being made.
    /// `make` is told when nobody waits any longer.
    pub fn start(
        name: &str,
        ahead: usize,
        mut make: impl FnMut(&AtomicBool) -> Option<T> + Send + 'static,
    ) -> Result<Self> {
        let (sender, receiver) = bounded(ahead);
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let work = move || {
            while !flag.load(Ordering::Relaxed) {
                let made = make(&flag);
                if made.is_none_or(|thing| sender.send(thing).is_err()) {
                    return;
                }
            }
        };
        let thread = Builder::new()
            .name(name.to_owned())
            .spawn(work)
            .with_context(|| format!("starting the thread `{name}`"))?;
        Ok(Self {
            receiver: Some(receiver),
            thread: Some(thread),
            stop,
        })
    }
}

impl<T> Iterator for Prefetch<T> {
    type Item = T;

    /// Waits for the next thing. `None` when there is none, and when the thread ended by a panic.
    fn next(&mut self) -> Option<T> {
        self.receiver.as_ref()?.recv().ok()
    }
}

impl<T> Drop for Prefetch<T> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Closes the channel, so that a thread waiting to hand something over wakes up.
        self.receiver = None;
        if let Some(thread) = self.thread.take() {
            // Whoever waited for a thing that never came has told of the panic.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::Prefetch;

    #[test]
    fn things_come_in_order_and_end() {
        let mut rest = 0..5;
        let things = Prefetch::start("count", 2, move |_| rest.next()).unwrap();
        assert_eq!(things.collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn no_more_is_made_than_may_lie_ready() {
        let made = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&made);
        let mut things = Prefetch::start("count", 1, move |_| {
            Some(counter.fetch_add(1, Ordering::Relaxed))
        })
        .unwrap();
        assert_eq!(things.next(), Some(0));
        std::thread::sleep(std::time::Duration::from_millis(50));
        // One used, one ready, one in the making's hand.
        assert!(made.load(Ordering::Relaxed) <= 3);
        drop(things);
    }

    #[test]
    fn a_panic_ends_the_things() {
        let mut things = Prefetch::<u8>::start("panic", 1, |_| panic!("as planned")).unwrap();
        assert_eq!(things.next(), None);
    }
}
