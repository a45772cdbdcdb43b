//! The scrolled part of the gallery: which rows are in view, and what a click on a picture does. Only rows in view are made.

use std::sync::Arc;

use eframe::egui::{Id, Modifiers, RichText, ScrollArea, Ui, vec2};

use super::super::state::{Action, State};
use super::super::textures::Textures;
use super::super::theme;
use super::super::verdict::Outcome;
use super::tile::{Tile, grid_tile_ui, strip_tile_ui};
use super::{Arrangement, Filter, GalleryView, Sort};
use crate::metrics::Evaluation;
use crate::worker::message::RunSummary;

const STRIP_ROW: f32 = 58.0;
/// A tile of the grid is at least this wide.
const NARROWEST_TILE: f32 = 124.0;
/// Below the picture of a tile: name, verdict and score, and the margins.
const TILE_TEXT: f32 = 52.0;
/// Kept free at the right for the scroll bar of a grid.
const BAR: f32 = 10.0;

/// Where the list stands, as of the last frame.
#[derive(Default)]
pub struct Scroll {
    offset: f32,
    height: f32,
    cells: Cells,
    /// What was last brought into view: another picture or arrangement is brought again, another order begins at its top.
    brought: Option<InView>,
}

/// What has to be in view, and where.
#[derive(Clone, Copy, PartialEq, Eq)]
struct InView {
    picture: usize,
    sort: Sort,
    columns: usize,
    /// Strip and grid have panels of their own, each with its own scrolling.
    panel: Id,
}

/// How the list is cut into rows.
#[derive(Debug, Clone, Copy)]
struct Cells {
    columns: usize,
    row_height: f32,
}

impl Default for Cells {
    fn default() -> Self {
        Self {
            columns: 1,
            row_height: STRIP_ROW,
        }
    }
}

impl Cells {
    fn of(arrangement: Arrangement, width: f32) -> Self {
        match arrangement {
            Arrangement::Strip => Self::default(),
            Arrangement::Grid => {
                let columns = ((width - BAR) / NARROWEST_TILE).floor().max(1.0);
                Self {
                    columns: columns as usize,
                    row_height: (width - BAR) / columns + TILE_TEXT,
                }
            }
        }
    }

    /// The least scrolling that shows the whole row of the picture at this place.
    fn offset_showing(self, place: usize, offset: f32, height: f32) -> f32 {
        let top = (place / self.columns) as f32 * self.row_height;
        offset.clamp((top + self.row_height - height).min(top), top)
    }
}

impl Scroll {
    pub fn columns(&self) -> usize {
        self.cells.columns
    }

    /// How many pictures a page down moves.
    pub fn page(&self) -> isize {
        let rows = ((self.height / self.cells.row_height) as isize - 1).max(1);
        rows * self.cells.columns as isize
    }
}

/// The list itself, or why it is empty.
pub fn list_ui(
    ui: &mut Ui,
    state: &State,
    run: &Arc<RunSummary>,
    evaluation: &Evaluation,
    view: &mut GalleryView,
    textures: &mut Textures,
) -> Option<Action> {
    let listed = view.listing(state).rows.len();
    if listed == 0 {
        nothing_ui(ui, view);
        return None;
    }
    let area = scroll_area(ui, state, view);
    let cells = view.scroll.cells;
    ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
    let mut clicked = None;
    let rows = listed.div_ceil(cells.columns);
    let output = area.show_rows(ui, cells.row_height, rows, |ui, range| {
        for row in range {
            ui.horizontal(|ui| {
                for place in row * cells.columns..listed.min((row + 1) * cells.columns) {
                    clicked = tile_ui(ui, state, run, evaluation, view, textures, place)
                        .or(clicked.take());
                }
            });
        }
    });
    // The first frame does not know its height yet: the selected row is brought into view again.
    let known = view.scroll.height > 0.0;
    view.scroll.brought = known.then(|| wanted(ui, state, view));
    view.scroll.offset = output.state.clamped_offset().y;
    view.scroll.height = output.inner_rect.height();
    clicked.and_then(|(picture, modifiers)| choose(state, view, picture, modifiers))
}

fn wanted(ui: &Ui, state: &State, view: &GalleryView) -> InView {
    InView {
        picture: state.selected,
        sort: view.settings.sort_with(&state.comparisons),
        columns: view.scroll.cells.columns,
        panel: ui.scope_id(),
    }
}

/// Cuts the list into rows for the room there is, and scrolls to what has to be in view.
fn scroll_area(ui: &Ui, state: &State, view: &mut GalleryView) -> ScrollArea {
    view.scroll.cells = Cells::of(view.settings.arrangement, ui.available_width());
    let area = ScrollArea::vertical().id_salt("gallery").auto_shrink(false);
    let wanted = wanted(ui, state, view);
    match view.scroll.brought {
        Some(brought) if brought == wanted => return area,
        Some(brought) if brought.sort != wanted.sort => {
            return area.vertical_scroll_offset(0.0);
        }
        _ => {}
    }
    let (offset, height, cells) = (view.scroll.offset, view.scroll.height, view.scroll.cells);
    match view.listing(state).position(state.selected) {
        Some(place) => area.vertical_scroll_offset(cells.offset_showing(place, offset, height)),
        None => area,
    }
}

/// One picture; returns it with the keys held when it was clicked.
fn tile_ui(
    ui: &mut Ui,
    state: &State,
    run: &RunSummary,
    evaluation: &Evaluation,
    view: &mut GalleryView,
    textures: &mut Textures,
    place: usize,
) -> Option<(usize, Modifiers)> {
    let index = view.listing(state).rows.get(place).copied()?;
    let row = evaluation.images.get(index)?;
    let tile = Tile {
        row,
        sample: run.samples.get(index)?,
        run: &run.path,
        outcome: Outcome::of(row.truth(), state.limits.judgement(), index),
        selected: index == state.selected,
        chosen: view.selection.contains(index),
    };
    let cells = view.scroll.cells;
    let response = match view.settings.arrangement {
        Arrangement::Strip => {
            let size = vec2(ui.available_width(), cells.row_height);
            strip_tile_ui(ui, &tile, size, textures)
        }
        Arrangement::Grid => {
            let size = vec2(cells.row_height - TILE_TEXT, cells.row_height);
            grid_tile_ui(ui, &tile, size, textures)
        }
    };
    let clicked = response.clicked();
    clicked.then(|| (index, ui.input(|input| input.modifiers)))
}

/// A click looks at the picture; with Ctrl it joins or leaves the chosen ones, with Shift all up to it are chosen.
fn choose(
    state: &State,
    view: &mut GalleryView,
    picture: usize,
    modifiers: Modifiers,
) -> Option<Action> {
    if modifiers.shift {
        if let Some(listing) = view.listing.value() {
            view.selection.extend(picture, state.selected, listing);
        }
        return None;
    }
    if modifiers.command {
        view.selection.toggle(picture, state.selected);
        return None;
    }
    view.selection.clear();
    Some(Action::Select(picture))
}

fn nothing_ui(ui: &mut Ui, view: &mut GalleryView) {
    ui.add_space(24.0);
    ui.vertical_centered(|ui| {
        let text = "No picture matches; clear the filters";
        ui.label(RichText::new(text).color(theme::palette(ui).muted));
        ui.add_space(4.0);
        if ui.button("Show all").clicked() {
            view.settings.filter = Filter::default();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::{Arrangement, BAR, Cells, NARROWEST_TILE, STRIP_ROW};

    #[test]
    fn scrolling_moves_no_further_than_it_must() {
        let height = 3.0 * STRIP_ROW;
        let showing = |place, offset, height| {
            let offset: f32 = Cells::default().offset_showing(place, offset, height);
            offset / STRIP_ROW
        };
        assert_eq!(showing(1, 0.0, height), 0.0, "already in view");
        assert_eq!(showing(5, 0.0, height), 3.0, "from above: at the bottom");
        assert_eq!(showing(2, 500.0, height), 2.0, "from below: at the top");
        assert_eq!(showing(4, 0.0, 10.0), 4.0, "a list lower than a row");
    }

    #[test]
    fn a_grid_has_as_many_columns_as_fit_and_at_least_one() {
        let columns = |width| Cells::of(Arrangement::Grid, width).columns;
        assert_eq!(columns(3.5 * NARROWEST_TILE + BAR), 3);
        assert_eq!(columns(20.0), 1);
        assert_eq!(Cells::of(Arrangement::Strip, 900.0).columns, 1);
        let cells = Cells::of(Arrangement::Grid, 3.0 * NARROWEST_TILE + BAR);
        assert_eq!(cells.offset_showing(7, 9e9, 0.0), 2.0 * cells.row_height);
    }
}
