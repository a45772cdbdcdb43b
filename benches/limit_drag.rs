//! What one step of dragging a limit costs on a large test set: verdicts, counts, and the whole window frame of Results and
//! Inspect, without a graphics card. Inspect shows a picture, its overlay with contours, and the list of its regions.
//! `cargo bench --bench limit_drag [-- PICTURES]`; 10,000 pictures with maps of 256 x 256 unless told otherwise.

#![expect(clippy::print_stdout, reason = "a benchmark prints its findings")]

#[path = "support/made_up.rs"]
mod made_up;

use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::{Context, Pos2, RawInput, Rect, Ui, vec2};
use flawscope::app::inspect_panel::{InspectView, inspect_ui};
use flawscope::app::results_panel::{ResultsView, results_ui};
use flawscope::app::state::{LimitEdit, LimitsInForce, State};
use flawscope::app::textures::Textures;
use flawscope::app::theme;
use flawscope::metrics::{AreaRule, Combination, DefectCells, ImageRow, MapExtent, RegionTable};
use flawscope::worker::message::RunSummary;
use made_up::{Noise, SIDE, row};
use rayon::prelude::*;

const STEPS: usize = 500;
const GOAL: Duration = Duration::from_millis(16);

fn main() {
    let pictures = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let pictures: usize = pictures.unwrap_or(10_000);
    let rows: Vec<ImageRow> = (0..pictures).map(row).collect();
    let regions = regions(&rows);
    let run = Arc::new(made_up::run(rows, Some(regions)));
    println!("goal: a drag step under {} ms", GOAL.as_millis());
    let area = |combination| {
        LimitEdit::Area(AreaRule {
            combination,
            pixels: 40.0,
        })
    };
    let t2: fn(f32) -> LimitEdit = LimitEdit::Fail;
    let pixel: fn(f32) -> LimitEdit = LimitEdit::Pixel;
    for (name, combination, edit) in [
        ("T2, score only", Combination::ScoreOnly, t2),
        ("T2, score and area", Combination::ScoreAndArea, t2),
        (
            "pixel limit, score or area",
            Combination::ScoreOrArea,
            pixel,
        ),
    ] {
        let mut bench = Bench::new(&run);
        bench.state.edit_limits(&area(combination), 0.0);
        bench.drag(name, edit);
    }
}

/// The window of a run, without a screen.
struct Bench {
    state: State,
    results: ResultsView,
    inspect: InspectView,
    textures: Textures,
    ctx: Context,
}

impl Bench {
    fn new(run: &Arc<RunSummary>) -> Self {
        let ctx = Context::default();
        theme::install(&ctx);
        let mut inspect = InspectView::default();
        inspect.viewer.region_list = true;
        Self {
            state: State {
                limits: LimitsInForce::of(run),
                run: Some(Arc::clone(run)),
                ..State::default()
            },
            results: ResultsView::default(),
            inspect,
            textures: Textures::default(),
            ctx,
        }
    }

    /// Moves a limit across the scores, once for each frame, in both places.
    fn drag(&mut self, name: &str, edit: fn(f32) -> LimitEdit) {
        for _ in 0..2 {
            self.frames();
            self.answer_requests();
        }
        let (mut verdicts, mut results, mut inspect) = (Vec::new(), Vec::new(), Vec::new());
        for step in 0..STEPS {
            let value = 0.3 + 0.5 * step as f32 / STEPS as f32;
            let started = Instant::now();
            self.state.edit_limits(&edit(value), step as f64 / 60.0);
            let judged = started.elapsed();
            let [shown_results, shown_inspect] = self.frames();
            verdicts.push(judged);
            results.push(judged + shown_results);
            inspect.push(judged + shown_inspect);
        }
        println!("{name}, {STEPS} steps:");
        report("verdicts and counts", verdicts);
        report("with the frame of Results", results);
        report("with the frame of Inspect", inspect);
    }

    /// Gives the window the pictures it asked for, off the clock.
    fn answer_requests(&mut self) {
        for request in self.textures.take_requests() {
            let preview = Arc::new(made_up::preview(&request, 4 * SIDE, bumps));
            self.textures.insert(request.key, Ok(preview));
        }
    }

    /// One frame of Results and one of Inspect, down to the triangles.
    fn frames(&mut self) -> [Duration; 2] {
        let (state, textures) = (&self.state, &mut self.textures);
        let (results, inspect) = (&mut self.results, &mut self.inspect);
        [
            frame(&self.ctx, |ui| {
                let _ = results_ui(ui, state, results);
            }),
            frame(&self.ctx, |ui| {
                let _ = inspect_ui(ui, state, inspect, textures);
            }),
        ]
    }
}

fn frame(ctx: &Context, contents: impl FnMut(&mut Ui)) -> Duration {
    let input = RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(1600.0, 1000.0))),
        ..RawInput::default()
    };
    let started = Instant::now();
    let output = ctx.run_ui(input, contents);
    let _ = ctx.tessellate(output.shapes, output.pixels_per_point);
    started.elapsed()
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let within = if at(0.99) <= GOAL.as_secs_f64() * 1e3 {
        "within the goal"
    } else {
        "MISSES THE GOAL"
    };
    println!(
        "  {what:<28} p50 {:7.3} ms   p99 {:7.3} ms   max {:7.3} ms   {within}",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

/// Many bumps, so that there are contours and a list to be made.
fn bumps(at: usize) -> f32 {
    const BUMPS: f32 = 8.0;
    let pitch = std::f32::consts::PI * BUMPS / SIDE as f32;
    let (x, y) = ((at % SIDE) as f32, (at / SIDE) as f32);
    let height = 0.4 + 0.5 * x / SIDE as f32;
    height * ((pitch * x).sin() * (pitch * y).sin()).abs()
}

/// Smooth ground with noise and one bump as high as the score, and the defect below it.
fn map(row: &ImageRow, index: usize) -> (Vec<f32>, Vec<DefectCells>) {
    let mut noise = Noise(index as u32 * 40_503 + 7);
    let (x0, y0) = (40.0 + 170.0 * noise.next(), 40.0 + 170.0 * noise.next());
    let radius = 3.0 + 14.0 * noise.next();
    let mut cells = Vec::new();
    let mut values = Vec::with_capacity(SIDE * SIDE);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let away = ((x as f32 - x0).powi(2) + (y as f32 - y0).powi(2)) / (radius * radius);
            if away < 1.0 {
                cells.push((y * SIDE + x) as u32);
            }
            let ground = 0.1 + 0.08 * noise.next();
            values.push(ground.max(row.score / (1.0 + away)));
        }
    }
    let area = cells.len() as f64;
    let defect = row.is_defective().then_some(DefectCells { area, cells });
    (values, defect.into_iter().collect())
}

fn regions(rows: &[ImageRow]) -> RegionTable {
    let started = Instant::now();
    let swept: Vec<(MapExtent, Vec<DefectCells>, Duration)> = rows
        .par_iter()
        .enumerate()
        .map(|(index, row)| {
            let (values, defects) = map(row, index);
            let started = Instant::now();
            let extent = MapExtent::of(&values, SIDE, &defects);
            (extent, defects, started.elapsed())
        })
        .collect();
    let sweeping: Duration = swept.iter().map(|(_, _, took)| *took).sum();
    let mut table = RegionTable::default();
    for (extent, defects, _) in &swept {
        table.push(1.0, extent, defects);
    }
    let pictures = rows.len().max(1);
    let bytes = 4 * (table.levels.len() + table.defect_levels.len())
        + 8 * (table.pixels_per_cell.len() + table.defect_areas.len())
        + 4 * table.defect_pictures.len();
    println!(
        "{pictures} pictures, maps of {SIDE} x {SIDE}: swept once in {:.2} ms each ({:.1} s in all with making the maps); \
         table {:.1} MiB, {} bytes a picture",
        sweeping.as_secs_f64() * 1e3 / pictures as f64,
        started.elapsed().as_secs_f64(),
        bytes as f64 / f64::from(1 << 20),
        bytes / pictures
    );
    table
}
