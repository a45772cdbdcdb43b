//! Writes pictures of both places into the folder named by `FLAWSCOPE_LOOK`, to be looked at by people. With test data
//! at hand they show real bottles, with maps made from the masks.

use std::path::Path;
use std::sync::Arc;

use eframe::egui::{
    Event, Key, Modifiers, MouseWheelSource, MouseWheelUnit, Theme, TouchPhase, pos2, vec2,
};
use egui_kittest::kittest::Queryable;
use flawscope::app::state::{Comparison, Place};
use flawscope::score_map::ScoreMap;
use flawscope::worker::message::{Detail, Preview, PreviewRequest};

use super::{Driver, Window, driver_of, fake_run};

fn save(harness: &mut Driver, folder: &Path, name: &str) {
    let picture = harness.render().expect("the window can be drawn");
    picture
        .save(folder.join(name.to_lowercase()))
        .expect("the folder can be written");
}

#[test]
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn pictures_to_look_at() {
    let Ok(folder) = std::env::var("FLAWSCOPE_LOOK") else {
        println!("skipped: FLAWSCOPE_LOOK is not set");
        return;
    };
    let folder = Path::new(&folder);
    for (size, name) in [([1000.0, 650.0], "small"), ([1600.0, 1000.0], "large")] {
        for theme in [Theme::Dark, Theme::Light] {
            inspect_pictures(folder, size, name, theme);
            gallery_pictures(folder, size, name, theme);
            results_pictures(folder, size, name, theme);
            compare_pictures(folder, size, name, theme);
        }
    }
}

fn inspect_pictures(folder: &Path, size: [f32; 2], name: &str, theme: Theme) {
    let mut harness = open(Place::Inspect, size, theme);
    save(
        &mut harness,
        folder,
        &format!("inspect-{name}-{theme:?}-0.png"),
    );
    harness.state_mut().state.selected = 11;
    harness
        .state_mut()
        .inspect
        .viewer
        .toggle_pane(flawscope::app::viewer::Pane::Map);
    settle(&mut harness);
    harness.hover_at(pos2(0.45 * size[0], 0.6 * size[1]));
    for _ in 0..4 {
        wheel(&mut harness, 70.0);
    }
    save(
        &mut harness,
        folder,
        &format!("inspect-{name}-{theme:?}-1.png"),
    );
}

/// The grid with several pictures chosen.
fn gallery_pictures(folder: &Path, size: [f32; 2], name: &str, theme: Theme) {
    let mut harness = open(Place::Inspect, size, theme);
    harness.get_by_label("Grid").click();
    settle(&mut harness);
    for key in [Key::ArrowRight, Key::ArrowDown] {
        harness.key_press(key);
        harness.run_steps(3);
    }
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    settle(&mut harness);
    save(
        &mut harness,
        folder,
        &format!("gallery-{name}-{theme:?}-chosen.png"),
    );
    harness.key_press(Key::Escape);
    for cell in ["Escapes ", "Overkill "] {
        harness.get_by_label_contains(cell).click();
        harness.run_steps(3);
    }
    settle(&mut harness);
    save(
        &mut harness,
        folder,
        &format!("gallery-{name}-{theme:?}-errors.png"),
    );
}

fn results_pictures(folder: &Path, size: [f32; 2], name: &str, theme: Theme) {
    let mut harness = open(Place::Results, size, theme);
    harness.hover_at(pos2(size[0] / 2.0, size[1] - 60.0));
    for page in 0..4 {
        save(
            &mut harness,
            folder,
            &format!("results-{name}-{theme:?}-{page}.png"),
        );
        wheel(&mut harness, 170.0 - size[1]);
    }
}

fn compare_pictures(folder: &Path, size: [f32; 2], name: &str, theme: Theme) {
    let mut harness = open(Place::Compare, size, theme);
    for (index, other) in ["lid-cfa-7", "lid-cflow-line-3-night-shift-2026-11-24"]
        .into_iter()
        .enumerate()
    {
        let open = harness.state().state.run.clone().expect("a run is open");
        let mut run = (*open).clone();
        run.path = Path::new("/runs").join(other);
        if let Some(evaluation) = run.evaluation.as_mut().map(Arc::make_mut) {
            evaluation.protocol.seed = 7 + index as u64;
            for (i, row) in evaluation.images.iter_mut().enumerate() {
                row.score *= 0.75 + 0.5 * ((i * 7 + index * 5) % 10) as f32 / 10.0;
            }
        }
        let state = &mut harness.state_mut().state;
        let compared = Comparison::with(&open, Arc::new(run));
        state.comparisons.push(compared);
    }
    settle(&mut harness);
    harness.hover_at(pos2(size[0] / 2.0, 120.0));
    for page in 0..2 {
        let file = format!("compare-{name}-{theme:?}-{page}.png");
        save(&mut harness, folder, &file);
        wheel(&mut harness, 170.0 - size[1]);
    }
}

fn wheel(harness: &mut Driver, points: f32) {
    harness.event(Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta: vec2(0.0, points),
        source: MouseWheelSource::Wheel,
        phase: TouchPhase::Move,
        modifiers: Modifiers::NONE,
    });
    harness.run_steps(8);
}

fn open(place: Place, size: [f32; 2], theme: Theme) -> Driver {
    let run = match std::env::var("FLAWSCOPE_TEST_DATA") {
        Ok(root) => bottles(&Path::new(&root).join("bottle_256")),
        Err(_) => fake_run::run(),
    };
    let mut harness = driver_of(Window::new(place, run), size);
    harness.ctx.set_theme(theme);
    settle(&mut harness);
    harness
}

fn settle(harness: &mut Driver) {
    for _ in 0..4 {
        harness.run_steps(2);
        harness.state_mut().answer(|request, score| {
            bottle(request, score).unwrap_or_else(|| fake_run::preview(request, score))
        });
    }
    harness.run_steps(2);
}

fn bottles(root: &Path) -> flawscope::worker::message::RunSummary {
    let mut rows = Vec::new();
    for (defect, count, base) in [
        ("broken_large", 20, 1.0),
        ("broken_small", 22, 0.8),
        ("contamination", 21, 0.62),
        ("good", 20, 0.3),
    ] {
        for i in 0..count {
            let wave = ((i * 7 + count) % 11) as f32 / 11.0;
            let score = if defect == "good" {
                base + 0.29 * wave * wave
            } else {
                base + 0.7 * wave * wave - 0.04
            };
            rows.push(fake_run::row(defect, i, score));
        }
    }
    rows.sort_by(|a, b| a.path.cmp(&b.path));
    fake_run::run_of(root, rows)
}

/// The real picture, with a map made from its mask.
fn bottle(request: &PreviewRequest, score: f32) -> Option<Preview> {
    let picture = image::open(&request.sample.image).ok()?.to_rgb8();
    let mask_path = request
        .sample
        .image
        .to_str()?
        .replace("/test/", "/ground_truth/")
        .replace(".png", "_mask.png");
    let mask = image::open(mask_path).ok().map(|mask| mask.to_luma8());
    let full = request.key.detail == Detail::Full;
    let picture = if full {
        picture
    } else {
        image::imageops::thumbnail(&picture, 96, 96)
    };
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let map = full.then(|| map_of(mask.as_ref(), width, height, score));
    Some(Preview {
        width,
        height,
        rgb: picture.into_raw(),
        image_width: 256,
        image_height: 256,
        mask: mask
            .filter(|_| full)
            .map(|mask| mask.pixels().map(|p| p.0[0] > 127).collect()),
        map: map.flatten().map(Arc::new),
        map_rect: [0.0, 0.0, width as f32, height as f32],
    })
}

fn map_of(
    mask: Option<&image::GrayImage>,
    width: usize,
    height: usize,
    score: f32,
) -> Option<ScoreMap> {
    let blurred = mask.map(|mask| image::imageops::blur(mask, 7.0));
    let peak = blurred
        .as_ref()
        .and_then(|m| m.pixels().map(|p| p.0[0]).max())
        .unwrap_or(255)
        .max(1);
    let values = (0..height).flat_map(|y| {
        let blurred = &blurred;
        (0..width).map(move |x| {
            let wave = (x as f32 * 0.11 + y as f32 * 0.05).sin()
                * (y as f32 * 0.09 - x as f32 * 0.03).cos();
            let mark = blurred
                .as_ref()
                .map_or(0, |m| m.get_pixel(x as u32, y as u32).0[0]);
            let quiet = 0.2 + 0.05 * wave;
            quiet + (score - quiet).max(0.0) * f32::from(mark) / f32::from(peak)
        })
    });
    ScoreMap::new(width, height, values.collect())
}
