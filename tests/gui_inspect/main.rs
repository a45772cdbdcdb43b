//! Inspect and Results on a hand-made run, driven as a user would: keys, clicks, typed values; read by their labels.

mod fake_run;
mod look;
#[path = "../support/soft_renderer.rs"]
mod soft_renderer;

use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::{CentralPanel, Frame, Key, Panel, Ui};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use flawscope::app::inspect_panel::{InspectView, inspect_ui};
use flawscope::app::results_panel::{ResultsView, results_ui};
use flawscope::app::state::{Action, Place, State};
use flawscope::app::textures::Textures;
use flawscope::app::theme;
use flawscope::worker::message::{PreviewRequest, RunSummary};

/// The two places with as much of the window around them as they need.
struct Window {
    state: State,
    inspect: InspectView,
    results: ResultsView,
    textures: Textures,
    copied: Option<String>,
    requests: Vec<PreviewRequest>,
}

impl Window {
    fn new(place: Place, run: RunSummary) -> Self {
        let mut state = State {
            place,
            run: Some(Arc::new(run)),
            ..State::default()
        };
        state.reset_limits();
        Self {
            state,
            inspect: InspectView::default(),
            results: ResultsView::default(),
            textures: Textures::default(),
            copied: None,
            requests: Vec::new(),
        }
    }

    fn ui(&mut self, ui: &mut Ui) {
        theme::install(ui.ctx());
        let palette = theme::palette(ui);
        let rail = Frame::new().fill(palette.rail);
        Panel::left("rail")
            .exact_size(84.0)
            .frame(rail)
            .show(ui, |_| {});
        Panel::bottom("status")
            .exact_size(28.0)
            .frame(rail)
            .show(ui, |ui| {
                if let Some(readout) = &self.inspect.readout {
                    ui.small(readout.to_string());
                }
            });
        let action = CentralPanel::default()
            .frame(Frame::new().fill(palette.panel))
            .show(ui, |ui| match self.state.place {
                Place::Inspect => {
                    inspect_ui(ui, &self.state, &mut self.inspect, &mut self.textures)
                }
                _ => results_ui(ui, &self.state, &mut self.results),
            })
            .inner;
        if let Some(action) = action {
            self.carry_out(action);
            ui.ctx().request_repaint();
        }
        self.requests.extend(self.textures.take_requests());
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Go(place) => self.state.place = place,
            Action::Select(index) => self.state.selected = index,
            Action::SetImageLimit(limit) => self.state.image_limit = limit,
            Action::SetPixelLimit(limit) => self.state.pixel_limit = limit,
            Action::ResetLimits => self.state.reset_limits(),
            Action::CopyText(text) => self.copied = Some(text),
            other => panic!("unexpected action {other:?}"),
        }
    }

    /// Answers what was asked for since last time.
    fn answer(
        &mut self,
        load: impl Fn(&PreviewRequest, f32) -> flawscope::worker::message::Preview,
    ) {
        let run = self.state.run.clone().expect("a run is open");
        let evaluation = run.evaluation.as_ref().expect("it is evaluated");
        for request in std::mem::take(&mut self.requests) {
            let row = evaluation
                .images
                .iter()
                .find(|row| row.path == request.sample.id);
            let preview = load(&request, row.expect("a row for each sample").score);
            self.textures.insert(request.key, Ok(Arc::new(preview)));
        }
    }
}

type Driver = Harness<'static, Window>;

fn driver(place: Place, size: [f32; 2]) -> Driver {
    let mut harness = driver_of(Window::new(place, fake_run::run()), size);
    settle(&mut harness);
    harness
}

fn driver_of(window: Window, size: [f32; 2]) -> Driver {
    Harness::builder()
        .with_size(size)
        .renderer(soft_renderer::SoftRenderer::default())
        .build_ui_state(|ui, window: &mut Window| window.ui(ui), window)
}

fn settle(harness: &mut Driver) {
    for _ in 0..4 {
        harness.run_steps(2);
        harness.state_mut().answer(fake_run::preview);
    }
    harness.run_steps(2);
}

#[test]
fn the_arrow_keys_go_through_the_pictures_and_what_is_seen_is_asked_for() {
    let mut window = driver(Place::Inspect, [1280.0, 800.0]);
    let first = window.state().state.selected;
    window.key_press(Key::ArrowDown);
    settle(&mut window);
    let second = window.state().state.selected;
    assert_ne!(first, second);
    window.key_press(Key::ArrowUp);
    settle(&mut window);
    assert_eq!(window.state().state.selected, first);
    assert!(
        window.state().requests.is_empty(),
        "everything in view was delivered"
    );
}

#[test]
fn the_confusion_follows_the_limit_and_reset_brings_the_runs_own_back() {
    let mut window = driver(Place::Results, [1280.0, 800.0]);
    let own = window.state().state.image_limit;
    window
        .get_by_role_and_label(Role::Slider, "Image limit")
        .set_value_accesskit(f64::from(own) * 0.5);
    settle(&mut window);
    assert!(window.state().state.image_limit < own);
    window.get_by_label("Reset the image limit").click();
    settle(&mut window);
    assert_eq!(window.state().state.image_limit, own);
}
