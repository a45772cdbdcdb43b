//! Progress in the terminal: a bar with rate and ETA on stderr, warnings between. Results never come through here.

use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::progress::{Monitor, Phase, Progress};

/// Set by the first Ctrl-C, for every console of the process.
static STOP: AtomicBool = AtomicBool::new(false);

/// Lets the first Ctrl-C stop work in good order; the second ends the program at once.
pub fn listen_for_interrupts() {
    // Where there is nothing to listen to, Ctrl-C ends the program as it always did.
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
}

/// Draws what a workflow reports. On a stderr that is no terminal it prints one line a phase and epoch instead.
pub struct Console {
    bar: ProgressBar,
    phase: Mutex<Option<Phase>>,
}

impl Console {
    pub fn new() -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(8));
        Self {
            bar,
            phase: Mutex::new(None),
        }
    }

    /// A line above the bar, or a plain line where no bar is drawn.
    fn line(&self, text: &str) {
        if self.bar.is_hidden() {
            #[expect(clippy::print_stderr, reason = "the terminal is this file's purpose")]
            {
                eprintln!("{text}");
            }
        } else {
            self.bar.println(text);
        }
    }

    fn start(&self, phase: Phase, total: usize) {
        if self.bar.is_hidden() {
            self.line(phase.name());
        }
        let template = match phase {
            Phase::Downloading => {
                "{msg:<42} {bar:28} {bytes}/{total_bytes} {binary_bytes_per_sec} ETA {eta}"
            }
            _ => "{msg:<42} {bar:28} {pos}/{len} {per_sec} ETA {eta}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("━╸ "));
        }
        self.bar.reset();
        self.bar.set_length(total as u64);
        self.bar.set_message(phase.name());
        if let Ok(mut current) = self.phase.lock() {
            *current = Some(phase);
        }
    }
}

impl Monitor for Console {
    fn report(&self, progress: Progress) {
        match progress {
            Progress::Phase { phase, total } => self.start(phase, total),
            Progress::Step { done } => self.bar.set_position(done as u64),
            Progress::Epoch {
                epoch,
                epochs,
                loss,
                quantities,
            } => {
                let mut line = format!("epoch {epoch}/{epochs}  loss {loss:.4}");
                for (name, value) in quantities {
                    let _ = write!(line, "  {name} {value:.4}");
                }
                self.line(&line);
            }
            Progress::Device { line } => self.line(&format!("device: {line}")),
            Progress::Warning { text } => self.line(&format!("warning: {text}")),
            Progress::Loss { .. } | Progress::Scored { .. } => {}
        }
    }

    fn should_stop(&self) -> bool {
        STOP.load(Ordering::Relaxed)
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
