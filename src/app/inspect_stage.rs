//! The room below the view controls of Inspect: the views, the colour bar and the list of regions beside them, the tool
//! line below. Lays out; each part draws itself.

use eframe::egui::{CornerRadius, Rect, RichText, Ui, UiBuilder, Vec2, pos2, vec2};

use super::badge::warning_badge;
use super::colour_bar;
use super::inspect_panel::InspectView;
use super::limits::pixel_limit_value_ui;
use super::state::{Action, State};
use super::textures::{Shown, Textures};
use super::theme;
use super::viewer::{
    ColourScale, Listed, REGION_LIST_WIDTH, Scale, Stage, Subject, TOOL_LINE_HEIGHT, ZoomRequest,
    compared_subjects, region_list_ui, tool_line_ui, viewer_ui,
};
use crate::data::Sample;
use crate::worker::message::RunSummary;

/// Below the colour bar, for the typed pixel limit.
const LIMIT_ROOM: f32 = 92.0;
const GAP: f32 = 8.0;
/// In a window too low for it the stage is cut off at the bottom, not squeezed.
const LEAST_HEIGHT: f32 = 200.0;

/// Where the parts lie.
struct Rooms {
    views: Rect,
    bar: Rect,
    /// Empty when the list is hidden.
    list: Rect,
    tools: Rect,
}

impl Rooms {
    fn of(area: Rect, has_list: bool) -> Self {
        let bottom = (area.bottom() - TOOL_LINE_HEIGHT - GAP).max(area.top() + 1.0);
        let list_width = if has_list {
            REGION_LIST_WIDTH + GAP
        } else {
            0.0
        };
        let list = area.right() - list_width;
        let bar = list - colour_bar::WIDTH;
        let views = (bar - GAP).max(area.left() + 60.0);
        let column = |left: f32, right: f32| {
            Rect::from_min_max(pos2(left, area.top()), pos2(right.max(left), bottom))
        };
        Self {
            views: column(area.left(), views),
            bar: column(bar, list),
            list: column(list + GAP, area.right()),
            tools: Rect::from_min_max(pos2(area.left(), bottom + GAP), area.max),
        }
    }
}

/// Draws everything once the picture itself is there; `image` is its size in image pixels.
pub fn stage_ui(
    ui: &mut Ui,
    state: &State,
    (run, sample): (&RunSummary, &Sample),
    view: &mut InspectView,
    textures: &mut Textures,
    (image, request): (Vec2, Option<ZoomRequest>),
) -> Option<Action> {
    let mut area = ui.available_rect_before_wrap();
    area.max.y = area.max.y.max(area.top() + LEAST_HEIGHT);
    ui.advance_cursor_after_rect(area);
    let rooms = Rooms::of(area, view.viewer.region_list);
    let scale = Scale::in_force(state, run);
    let open = Subject {
        run: &run.path,
        sample,
        name: String::new(),
        scale,
    };
    let stage = Stage {
        open: &open,
        compared: &compared_subjects(state),
        settings: &view.viewer,
        image,
        pixels_per_mm: state.limits.pixels_per_mm(),
        request,
    };
    view.readout = within(ui, rooms.views, |ui| {
        viewer_ui(
            ui,
            &stage,
            textures,
            &mut view.viewport,
            &mut view.measure,
            &mut view.focus,
        )
    });
    if view.viewer.colours == ColourScale::Stretched {
        stretched_ui(ui, rooms.views);
    }
    beside_ui(ui, state, (run, sample), view, textures, &rooms)
}

/// The colour bar, the list and the tool line, which speak of the open run's map.
fn beside_ui(
    ui: &mut Ui,
    state: &State,
    (run, sample): (&RunSummary, &Sample),
    view: &mut InspectView,
    textures: &mut Textures,
    rooms: &Rooms,
) -> Option<Action> {
    let Shown::Ready(picture) = textures.picture(Some(&run.path), sample) else {
        return None;
    };
    let mut scale = Scale::in_force(state, run);
    let pixels_per_mm = state.limits.pixels_per_mm();
    if view.viewer.colours == ColourScale::Stretched {
        scale.ends = picture.extremes().unwrap_or(scale.ends);
    }
    let bar = within(ui, rooms.bar, |ui| bar_ui(ui, state, run, view, scale));
    let smallest_cells = picture.smallest_cells(scale.smallest);
    let regions = &picture.regions(scale.pixel_limit).list;
    let before = view.focus.clone();
    if view.viewer.region_list {
        let listed = Listed {
            regions,
            smallest_cells,
            pixels_per_mm,
            picture: &sample.id,
        };
        within(ui, rooms.list, |ui| {
            region_list_ui(ui, &listed, &mut view.focus);
        });
    } else {
        view.focus.hovered = None;
    }
    let tools = within(ui, rooms.tools, |ui| {
        let settings = &mut view.viewer;
        tool_line_ui(ui, settings, &mut view.measure, regions, pixels_per_mm)
    });
    if view.focus != before {
        // The views were painted before the list was asked.
        ui.ctx().request_repaint();
    }
    tools.or(bar)
}

fn bar_ui(
    ui: &mut Ui,
    state: &State,
    run: &RunSummary,
    view: &mut InspectView,
    scale: Scale,
) -> Option<Action> {
    ui.set_width(colour_bar::WIDTH);
    let settings = &view.viewer;
    let height = ui.available_height() - LIMIT_ROOM;
    let dragged = view.colour_bar.ui(
        ui,
        height,
        settings.palette,
        scale,
        settings.only_above_limit,
    );
    let muted = theme::palette(ui).muted;
    ui.label(RichText::new("Pixel limit").small().color(muted));
    pixel_limit_value_ui(ui, state, run).or(dragged)
}

/// In the corner of the views, so that nothing moves when the colours are stretched.
fn stretched_ui(ui: &mut Ui, views: Rect) {
    let corner = views.left_bottom() + vec2(8.0, -32.0);
    let room = Rect::from_min_size(corner, vec2((views.width() - 16.0).max(1.0), 24.0));
    within(ui, room, |ui| {
        let palette = theme::palette(ui);
        let ground = ui.painter().add(eframe::egui::Shape::Noop);
        let text = "stretched: colours are not comparable between pictures";
        let badge = warning_badge(ui, text, palette.warning);
        let fill =
            eframe::egui::Shape::rect_filled(badge.rect, CornerRadius::same(4), palette.panel);
        ui.painter().set(ground, fill);
    });
}

fn within<T>(ui: &mut Ui, room: Rect, add: impl FnOnce(&mut Ui) -> T) -> T {
    ui.scope_builder(UiBuilder::new().max_rect(room), add).inner
}
