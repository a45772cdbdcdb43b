//! The gallery of test pictures: as a strip of rows or a grid of tiles, filtered, sorted, several chosen at once. Only what
//! is in view is laid out; lists are made again only when what they depend on changes.

mod filter;
mod filters_ui;
mod index;
mod keys;
mod list;
mod listing;
mod order;
mod selection;
mod selection_bar;
mod settings;
mod tile;

use std::sync::Arc;

use eframe::egui::{Frame, Margin, Panel, Ui};

use super::cached::{Cached, Same};
use super::state::{Action, State};
use super::textures::Textures;
use super::theme;
use super::verdict::Outcome;
use crate::metrics::{Evaluation, Judgement};
use crate::worker::message::RunSummary;

pub use filter::Filter;
pub use keys::{KEYS, gallery_keys};
pub use listing::Listing;
pub use order::Sort;
pub use settings::{Arrangement, GallerySettings};

use index::Index;
use list::{Scroll, list_ui};
use selection::Selection;

/// What a list depends on besides the evaluation.
type ListInputs = (Same<Judgement>, Vec<Same<Judgement>>, Sort, Filter);

/// Order, filters, position and choice of pictures.
#[derive(Default)]
pub struct GalleryView {
    pub settings: GallerySettings,
    selection: Selection,
    /// Those of the run that is shown.
    evaluation: Option<Same<Evaluation>>,
    index: Index,
    found: Cached<String, Option<Vec<bool>>>,
    listing: Cached<ListInputs, Listing>,
    scroll: Scroll,
}

impl GalleryView {
    /// What is listed at the limits in force.
    pub fn listing(&mut self, state: &State) -> &Listing {
        let run = state.run.as_deref();
        if let Some(evaluation) = run.and_then(|run| run.evaluation.as_ref()) {
            self.follow(evaluation);
        }
        let rows = run.and_then(|run| run.evaluation.as_ref());
        let rows = rows.map_or(&[][..], |evaluation| &evaluation.images);
        let search = self.settings.filter.search.clone();
        let found = self.found.get(search, |text| filter::found(rows, text));
        let sort = self.settings.sort_with(&state.comparisons);
        let judgement = Same(Arc::clone(state.limits.judgement()));
        let compared = match sort {
            Sort::Disagreement => state.comparisons.as_slice(),
            _ => &[],
        };
        let compared = compared.iter().map(|c| Same(Arc::clone(&c.judgement)));
        let filter = self.settings.filter.clone();
        let index = &self.index;
        let inputs = (judgement, compared.collect(), sort, filter);
        self.listing.get(inputs, |(judgement, _, sort, filter)| {
            let order = order::of(*sort, index, state);
            Listing::of(index, &order, &judgement.0, filter, found.as_deref())
        })
    }

    /// Another evaluation has other pictures: what was gathered and chosen of the last one is forgotten.
    fn follow(&mut self, evaluation: &Arc<Evaluation>) {
        let same = Some(Same(Arc::clone(evaluation)));
        if self.evaluation != same {
            self.evaluation = same;
            self.index = Index::of(&evaluation.images);
            self.found = Cached::default();
            self.listing = Cached::default();
            self.selection.clear();
        }
    }

    /// Lists only the pictures of this cell of the confusion matrix.
    pub fn show_only(&mut self, outcome: Outcome) {
        self.settings.filter = Filter {
            outcomes: vec![outcome],
            ..Filter::default()
        };
    }
}

/// The gallery at the left of Inspect.
pub fn gallery_ui(
    ui: &mut Ui,
    state: &State,
    run: &Arc<RunSummary>,
    evaluation: &Evaluation,
    view: &mut GalleryView,
    textures: &mut Textures,
) -> Option<Action> {
    let frame = Frame::new()
        .fill(theme::palette(ui).panel)
        .inner_margin(Margin::same(10));
    // Each arrangement keeps its own width.
    let (name, width, widest) = match view.settings.arrangement {
        Arrangement::Strip => ("gallery panel", 286.0, 420.0),
        Arrangement::Grid => ("gallery grid panel", 452.0, 1000.0),
    };
    Panel::left(name)
        .default_size(width)
        .size_range(230.0..=widest)
        .frame(frame)
        .show(ui, |ui| {
            contents_ui(ui, state, run, evaluation, view, textures)
        })
        .inner
}

fn contents_ui(
    ui: &mut Ui,
    state: &State,
    run: &Arc<RunSummary>,
    evaluation: &Evaluation,
    view: &mut GalleryView,
    textures: &mut Textures,
) -> Option<Action> {
    ui.spacing_mut().item_spacing.y = 6.0;
    filters_ui::filters_ui(ui, state, view);
    let copied = selection_bar::selection_bar_ui(ui, state, evaluation, view);
    let clicked = list_ui(ui, state, run, evaluation, view, textures);
    clicked.or(copied)
}
