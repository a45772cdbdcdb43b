//! Inspect and Results on a hand-made run, driven as a user would: keys, clicks, typed values; read by their labels.

mod compare;
mod fake_run;
mod gallery;
mod inspect;
mod limits;
mod look;
mod results;
mod snapshots;
#[path = "../support/soft_renderer.rs"]
mod soft_renderer;
mod viewing;

use std::sync::Arc;

use eframe::egui::{CentralPanel, Frame, Panel, Ui};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use flawscope::app::compare::{CompareView, compare_ui};
use flawscope::app::inspect_panel::{InspectView, inspect_ui};
use flawscope::app::results_panel::{ResultsView, results_ui};
use flawscope::app::state::{Action, LimitsInForce, Pick, Place, State};
use flawscope::app::textures::Textures;
use flawscope::app::theme;
use flawscope::worker::message::{Preview, PreviewRequest, RunSummary};

/// The two places with as much of the window around them as they need.
struct Window {
    state: State,
    inspect: InspectView,
    compare: CompareView,
    results: ResultsView,
    textures: Textures,
    copied: Option<String>,
    /// What the desktop's dialog was asked for.
    picked: Option<Pick>,
    /// How often the limits were asked to be saved.
    saved: usize,
    requests: Vec<PreviewRequest>,
}

impl Window {
    fn new(place: Place, run: RunSummary) -> Self {
        let state = State {
            place,
            limits: LimitsInForce::of(&run),
            run: Some(Arc::new(run)),
            ..State::default()
        };
        Self {
            state,
            inspect: InspectView::default(),
            compare: CompareView::default(),
            results: ResultsView::default(),
            textures: Textures::default(),
            copied: None,
            picked: None,
            saved: 0,
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
                Place::Compare => {
                    compare_ui(ui, &self.state, &mut self.compare, &mut self.textures)
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
            Action::InspectPicture(index) => {
                self.inspect.arrive(&self.state);
                self.state.selected = index;
                self.state.place = Place::Inspect;
            }
            Action::Pick(pick) => self.picked = Some(pick),
            Action::CloseComparison(index) => {
                self.state.comparisons.remove(index);
            }
            Action::EditLimits(edit) => self.state.edit_limits(&edit, 0.0),
            Action::ResetLimits => self.state.reset_limits(0.0),
            Action::UndoLimits => self.state.undo_limits(),
            Action::RedoLimits => self.state.redo_limits(),
            Action::SaveLimits => self.saved += 1,
            Action::ShowOutcome(outcome) => {
                let first = self.inspect.show_outcome(&self.state, outcome);
                self.state.selected = first.expect("a picture");
                self.state.place = Place::Inspect;
            }
            Action::CopyText(text) => self.copied = Some(text),
            other => panic!("unexpected action {other:?}"),
        }
    }

    /// Answers what was asked for since last time.
    fn answer(&mut self, load: impl Fn(&PreviewRequest, f32) -> Preview) {
        let run = self.state.run.clone().expect("a run is open");
        for request in std::mem::take(&mut self.requests) {
            let rows = run.evaluation.iter().flat_map(|e| e.images.iter());
            let row = rows.into_iter().find(|row| row.path == request.sample.id);
            let preview = load(&request, row.expect("a row for each sample").score);
            self.textures.insert(request.key, Ok(Arc::new(preview)));
        }
    }

    fn selected_name(&self) -> &str {
        let run = self.state.run.as_ref().expect("a run is open");
        &run.samples[self.state.selected].id
    }
}

type Driver = Harness<'static, Window>;

fn driver(place: Place) -> Driver {
    let mut harness = driver_of(Window::new(place, fake_run::run()), [1200.0, 800.0]);
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

/// Whether some widget or text on screen is called this.
fn shows(harness: &Driver, text: &str) -> bool {
    harness.query_all_by_label_contains(text).next().is_some()
}

/// The names of the list's rows, from top to bottom.
fn listed(harness: &Driver) -> Vec<String> {
    let rows = harness.query_all_by_role(eframe::egui::Role::ListBoxOption);
    let names = rows.filter_map(|row| row.accesskit_node().label());
    names
        .map(|name| name.split(", ").next().unwrap_or_default().to_owned())
        .collect()
}
