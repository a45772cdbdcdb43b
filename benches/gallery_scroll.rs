//! What a frame of Inspect costs while its gallery is scrolled, jumped through, filtered and judged anew, and how much
//! memory that takes, without a graphics card. `cargo bench --bench gallery_scroll [-- PICTURES]`; 10,000 and 100,000
//! pictures unless told otherwise. Thumbnails are answered between the frames; decoding them is not measured.

#![expect(clippy::print_stdout, reason = "a benchmark prints its findings")]

#[path = "support/made_up.rs"]
mod made_up;

use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::{
    Context, Event, Key, Modifiers, MouseWheelSource, MouseWheelUnit, Pos2, RawInput, Rect,
    TouchPhase, pos2, vec2,
};
use flawscope::app::inspect_panel::{InspectView, inspect_ui};
use flawscope::app::state::{Action, LimitEdit, LimitsInForce, State};
use flawscope::app::textures::Textures;
use flawscope::app::theme;
use flawscope::metrics::ImageRow;
use flawscope::worker::message::RunSummary;
use made_up::SIDE;

const FRAMES: usize = 300;
/// Over the gallery's pictures.
const POINTER: Pos2 = pos2(140.0, 700.0);
/// Seven rows of the strip at once: a hasty hand.
const WHEEL: f32 = -400.0;

fn main() {
    let asked = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let sizes = asked.map_or_else(|| vec![10_000, 100_000], |pictures| vec![pictures]);
    println!("{FRAMES} frames of 1600 x 1000 points for each line; one core; no graphics card");
    for pictures in sizes {
        let rows: Vec<ImageRow> = (0..pictures).map(made_up::row).collect();
        let run = Arc::new(made_up::run(rows, None));
        println!("{pictures} pictures, {} before the window", memory());
        for arrangement in ["Strip", "Grid"] {
            Bench::new(&run, arrangement).measure(arrangement);
        }
    }
}

/// Inspect on a run, without a screen.
struct Bench {
    state: State,
    inspect: InspectView,
    textures: Textures,
    ctx: Context,
    /// Frames so far.
    frames: usize,
}

impl Bench {
    fn new(run: &Arc<RunSummary>, arrangement: &str) -> Self {
        let ctx = Context::default();
        theme::install(&ctx);
        let mut bench = Self {
            state: State {
                limits: LimitsInForce::of(run),
                run: Some(Arc::clone(run)),
                ..State::default()
            },
            inspect: InspectView::default(),
            textures: Textures::default(),
            ctx,
            frames: 0,
        };
        bench.settings(&format!("{{\"arrangement\": \"{arrangement}\"}}"));
        bench
    }

    /// As they are kept between sessions.
    fn settings(&mut self, text: &str) {
        self.inspect.gallery.settings = serde_json::from_str(text).expect("settings");
    }

    fn measure(mut self, arrangement: &str) {
        println!("  {arrangement}");
        let opened = self.frame(vec![Event::PointerMoved(POINTER)]);
        println!("    {:<34} {:8.2} ms", "first frame", milliseconds(opened));
        self.phase("at rest", |_, _| Vec::new());
        self.phase("wheel", |_, _| vec![wheel()]);
        self.phase("End, Page up, Home, arrows", |_, step| {
            let keys = [
                Key::End,
                Key::PageUp,
                Key::Home,
                Key::ArrowDown,
                Key::ArrowRight,
            ];
            vec![press(keys[step % keys.len()])]
        });
        self.phase("a letter more or less to search", |bench, step| {
            let search = ["crack", "crack/0", "0"][step % 3];
            search.clone_into(&mut bench.inspect.gallery.settings.filter.search);
            Vec::new()
        });
        self.inspect.gallery.settings.filter.search.clear();
        self.phase("another defect type", |bench, step| {
            let defect = ["crack", "dent", "good"][step % 3].to_owned();
            bench.inspect.gallery.settings.filter.defect = Some(defect);
            Vec::new()
        });
        self.settings(&format!("{{\"arrangement\": \"{arrangement}\"}}"));
        self.phase("T2 dragged", Self::drag);
        self.settings(&format!(
            "{{\"arrangement\": \"{arrangement}\", \"sort\": \"ClosestToLimit\"}}"
        ));
        self.phase("T2 dragged, order near the limit", Self::drag);
        println!("    {} with the window", memory());
    }

    /// One step of T2 across the scores.
    fn drag(&mut self, step: usize) -> Vec<Event> {
        let value = 0.3 + 0.5 * step as f32 / FRAMES as f32;
        let now = self.frames as f64 / 60.0;
        self.state.edit_limits(&LimitEdit::Fail(value), now);
        Vec::new()
    }

    /// Frames that each begin with `change`, whose cost counts.
    fn phase(&mut self, name: &str, mut change: impl FnMut(&mut Self, usize) -> Vec<Event>) {
        let times = (0..FRAMES).map(|step| {
            let started = Instant::now();
            let events = change(self, step);
            let changed = started.elapsed();
            changed + self.frame(events)
        });
        report(name, times.collect());
    }

    /// One frame down to its triangles; what it asked for is answered afterwards, off the clock.
    fn frame(&mut self, events: Vec<Event>) -> Duration {
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(1600.0, 1000.0))),
            time: Some(self.frames as f64 / 60.0),
            events,
            ..RawInput::default()
        };
        self.frames += 1;
        let (state, inspect, textures) = (&self.state, &mut self.inspect, &mut self.textures);
        let mut action = None;
        let started = Instant::now();
        let output = self.ctx.run_ui(input, |ui| {
            action = inspect_ui(ui, state, inspect, textures).or(action.take());
        });
        let _ = self.ctx.tessellate(output.shapes, output.pixels_per_point);
        let took = started.elapsed();
        if let Some(Action::Select(picture)) = action {
            self.state.selected = picture;
        }
        for request in self.textures.take_requests() {
            let preview = Arc::new(made_up::preview(&request, SIDE, |_| 0.2));
            self.textures.insert(request.key, Ok(preview));
        }
        took
    }
}

fn wheel() -> Event {
    Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta: vec2(0.0, WHEEL),
        source: MouseWheelSource::Wheel,
        phase: TouchPhase::Move,
        modifiers: Modifiers::NONE,
    }
}

fn press(key: Key) -> Event {
    Event::Key {
        key,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: Modifiers::NONE,
    }
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| milliseconds(times[((times.len() - 1) as f64 * share) as usize]);
    let (half, most, longest) = (at(0.5), at(0.99), at(1.0));
    println!("    {what:<34} p50 {half:7.2} ms   p99 {most:7.2} ms   max {longest:7.2} ms");
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// What the process holds in memory, where the system tells.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    kilobytes.map_or_else(
        || "memory not known".to_owned(),
        |kilobytes: f64| format!("{:.0} MiB resident", kilobytes / 1024.0),
    )
}
