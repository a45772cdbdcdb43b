//! Inspect: the list of test pictures on the left, the selected picture with its map and verdict in the middle.

use std::sync::Arc;

use eframe::egui::{
    Align, CentralPanel, Frame, Label, Layout, Margin, RichText, Spinner, Stroke, Ui,
};

use super::badge::{verdict_colour, warning_badge};
use super::cached::Same;
use super::colour_bar::ColourBar;
use super::empty_place::{no_run_ui, no_scores_ui};
use super::gallery::{GalleryView, gallery_keys, gallery_ui};
use super::inspect_stage::stage_ui;
use super::limits::drawer_ui;
use super::picture::Picture;
use super::state::{Action, State, last_name};
use super::textures::{Shown, Textures};
use super::verdict::Outcome;
use super::view_controls::{Available, view_controls_ui, view_keys};
use super::viewer::{Measure, PixelReadout, RegionFocus, ViewerSettings, decided_ui, measure_keys};
use super::viewport::Viewport;
use super::{numbers, theme, words};
use crate::metrics::{Evaluation, ImageRow, Verdict};
use crate::worker::message::RunSummary;

/// How the user looks at the pictures. Never reaches the worker.
#[derive(Default)]
pub struct InspectView {
    pub gallery: GalleryView,
    pub viewer: ViewerSettings,
    pub viewport: Viewport,
    /// What lies under the pointer, for the status bar.
    pub readout: Option<PixelReadout>,
    pub measure: Measure,
    pub focus: RegionFocus,
    pub(super) colour_bar: ColourBar,
    /// The run whose first picture was selected.
    greeted: Option<Same<RunSummary>>,
}

impl InspectView {
    /// A picture of this run was chosen elsewhere: the list does not begin with its first.
    pub fn arrive(&mut self, state: &State) {
        self.greeted = state.run.as_ref().map(|run| Same(Arc::clone(run)));
    }

    /// Lists only the pictures of this cell of the confusion matrix; returns the first.
    pub fn show_outcome(&mut self, state: &State, outcome: Outcome) -> Option<usize> {
        self.gallery.show_only(outcome);
        let run = state.run.as_ref()?;
        self.greeted = Some(Same(Arc::clone(run)));
        let listing = self.gallery.listing(state);
        listing.rows.first().copied()
    }
}

pub fn inspect_ui(
    ui: &mut Ui,
    state: &State,
    view: &mut InspectView,
    textures: &mut Textures,
) -> Option<Action> {
    view.readout = None;
    let Some(run) = &state.run else {
        let hint = "Train a model or open a run to look at its pictures";
        return no_run_ui(ui, hint);
    };
    let Some(evaluation) = run.evaluation.as_ref().filter(|e| !e.images.is_empty()) else {
        return no_scores_ui(ui, state, run, "This model has no scored pictures yet");
    };
    let mut action = greet(state, run, view).or_else(|| gallery_keys(ui, state, &mut view.gallery));
    let palette = theme::palette(ui);
    action = gallery_ui(ui, state, run, evaluation, &mut view.gallery, textures).or(action);
    action = drawer_ui(ui, state, run).or(action);
    CentralPanel::default()
        .frame(
            Frame::new()
                .fill(palette.panel)
                .inner_margin(Margin::same(10)),
        )
        .show(ui, |ui| {
            let changed = picture_ui(ui, state, run, evaluation, view, textures);
            action = changed.or(action.take());
        });
    prefetch(state, run, view, textures);
    action
}

/// A run that is shown for the first time starts with the first picture of the list.
fn greet(state: &State, run: &Arc<RunSummary>, view: &mut InspectView) -> Option<Action> {
    let same = Some(Same(Arc::clone(run)));
    if view.greeted == same {
        return None;
    }
    view.greeted = same;
    let listing = view.gallery.listing(state);
    listing.rows.first().copied().map(Action::Select)
}

/// The neighbours in the list, once the picture itself is there.
fn prefetch(state: &State, run: &Arc<RunSummary>, view: &mut InspectView, textures: &mut Textures) {
    let Some(sample) = run.samples.get(state.selected) else {
        return;
    };
    if matches!(textures.picture(Some(&run.path), sample), Shown::Loading) {
        return;
    }
    let listing = view.gallery.listing(state);
    for step in [-1, 1] {
        let neighbour = listing
            .step(state.selected, step)
            .and_then(|index| run.samples.get(index));
        if let Some(sample) = neighbour {
            textures.prefetch(Some(&run.path), sample);
        }
    }
}

fn picture_ui(
    ui: &mut Ui,
    state: &State,
    run: &Arc<RunSummary>,
    evaluation: &Evaluation,
    view: &mut InspectView,
    textures: &mut Textures,
) -> Option<Action> {
    let row = evaluation.images.get(state.selected)?;
    let sample = run.samples.get(state.selected)?;
    ui.spacing_mut().item_spacing.y = 6.0;
    let action = header_ui(ui, state, row, view);
    facts_ui(ui, row, outcome(state, row), state.image_limit());
    let shown = textures.picture(Some(&run.path), sample);
    let (available, image, largest) = match shown {
        Shown::Ready(picture) => {
            let available = Available {
                map: picture.has_map(),
                mask: picture.has_mask(),
            };
            let largest = largest_region(picture, state.pixel_limit());
            (available, Some(picture.size()), largest)
        }
        _ => (Available::UNKNOWN, None, None),
    };
    ui.horizontal_wrapped(|ui| decided_ui(ui, state, run, row.score, largest));
    ui.separator();
    view.measure.look_at(state.selected);
    measure_keys(ui, &mut view.measure);
    let compared: Vec<String> = state
        .comparisons
        .iter()
        .map(|other| last_name(&other.run.path))
        .collect();
    let (settings, viewport) = (&mut view.viewer, &mut view.viewport);
    let keys = view_keys(ui, settings, viewport, compared.len());
    let request = view_controls_ui(ui, settings, viewport, available, &compared).or(keys);
    let stage = match (image, textures.picture(Some(&run.path), sample)) {
        (Some(image), _) => stage_ui(ui, state, (run, sample), view, textures, (image, request)),
        (None, Shown::Failed(message)) => failed_ui(ui, message),
        (None, _) => {
            loading_ui(ui);
            None
        }
    };
    stage.or(action)
}

/// In pixels of the picture; nothing at all is 0, `None`: there is no map.
fn largest_region(picture: &mut Picture, pixel_limit: f32) -> Option<f64> {
    picture.has_map().then(|| {
        let largest = picture.regions(pixel_limit).list.first();
        largest.map_or(0.0, |region| region.area)
    })
}

/// Verdict, name, position in the list.
fn header_ui(ui: &mut Ui, state: &State, row: &ImageRow, view: &mut InspectView) -> Option<Action> {
    let listing = view.gallery.listing(state);
    let verdict = outcome(state, row).verdict;
    let mut action = None;
    ui.horizontal(|ui| {
        verdict_ui(ui, verdict);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            for (text, name, step) in [("›", "Next picture", 1), ("‹", "Previous picture", -1)]
            {
                let button = ui.button(text).accessible_name(name);
                let button = button.on_hover_text(format!("{name} (arrow keys)"));
                if button.clicked() {
                    action = listing.step(state.selected, step).map(Action::Select);
                }
            }
            let position = listing.position(state.selected).map_or_else(
                || "not listed".to_owned(),
                |at| {
                    format!(
                        "{} of {}",
                        words::grouped(at + 1),
                        words::grouped(listing.rows.len())
                    )
                },
            );
            ui.label(
                RichText::new(position)
                    .small()
                    .color(theme::palette(ui).muted),
            );
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let name = RichText::new(&row.path)
                    .size(16.0)
                    .color(theme::palette(ui).strong);
                ui.add(Label::new(name).truncate()).on_hover_text(&row.path);
            });
        });
    });
    action
}

/// What the selected picture is judged to be, beside what it is.
fn outcome(state: &State, row: &ImageRow) -> Outcome {
    Outcome::of(row.truth(), state.limits.judgement(), state.selected)
}

fn verdict_ui(ui: &mut Ui, verdict: Verdict) {
    let colour = verdict_colour(ui, verdict);
    Frame::new()
        .fill(colour.gamma_multiply(0.16))
        .stroke(Stroke::new(1.5, colour))
        .corner_radius(5.0)
        .inner_margin(Margin::symmetric(12, 3))
        .show(ui, |ui| {
            ui.label(
                RichText::new(verdict.word())
                    .size(17.0)
                    .strong()
                    .color(colour),
            );
        });
}

/// Truth, score and limit in words, and what is wrong when verdict and truth disagree.
fn facts_ui(ui: &mut Ui, row: &ImageRow, outcome: Outcome, limit: f32) {
    let palette = theme::palette(ui);
    let fact = |ui: &mut Ui, name: &str, value: &str| {
        ui.spacing_mut().item_spacing.x = 6.0;
        ui.label(RichText::new(name).color(palette.muted));
        ui.label(RichText::new(value).color(palette.strong));
        ui.add_space(10.0);
    };
    ui.horizontal_wrapped(|ui| {
        let truth = if row.is_defective() {
            format!("defective, {}", row.defect)
        } else {
            row.truth().name().to_owned()
        };
        fact(ui, "Truth", &truth);
        fact(ui, "Score", &numbers::score(row.score));
        fact(ui, "Limit", &numbers::score(limit));
        fact(ui, "Score / limit", &format!("{:.2}", row.score / limit));
        let text = match outcome {
            Outcome::OVERKILL => "Overkill: a good picture is rejected",
            Outcome::ESCAPE => "Escape: a defect passes",
            _ => return,
        };
        warning_badge(ui, text, palette.error);
    });
}

fn loading_ui(ui: &mut Ui) {
    ui.add_space((ui.available_height() * 0.4).max(0.0));
    ui.vertical_centered(|ui| {
        ui.add(Spinner::new().size(24.0));
        ui.label(RichText::new("Loading the picture…").color(theme::palette(ui).muted));
    });
}

fn failed_ui(ui: &mut Ui, message: &str) -> Option<Action> {
    let palette = theme::palette(ui);
    ui.add_space((ui.available_height() * 0.3).max(0.0));
    ui.vertical_centered(|ui| {
        ui.set_max_width(560.0);
        ui.label(
            RichText::new("This picture cannot be shown")
                .size(16.0)
                .color(palette.error),
        );
        ui.add(Label::new(RichText::new(message).color(palette.text)).wrap());
        ui.add_space(6.0);
        ui.button("Copy details").clicked()
    })
    .inner
    .then(|| Action::CopyText(message.to_owned()))
}
