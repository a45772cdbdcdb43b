//! The left rail: the places, the menu, the messages and the theme.

use eframe::egui::{
    Align2, CornerRadius, FontId, Frame, Margin, Panel, Popup, Rect, Response, Role, Sense,
    ThemePreference, Ui, WidgetInfo, pos2, vec2,
};

use super::commands::menu_ui;
use super::icons::{self, Icon};
use super::state::{Action, Place, State};
use super::theme::{self, RADIUS};
use super::toasts::message_list_ui;

const WIDTH: f32 = 84.0;

pub fn rail_ui(ui: &mut Ui, state: &State) -> Option<Action> {
    let palette = theme::palette(ui);
    let frame = Frame::new()
        .fill(palette.rail)
        .inner_margin(Margin::symmetric(8, 12));
    Panel::left("rail")
        .exact_size(WIDTH)
        .resizable(false)
        .frame(frame)
        .show(ui, |ui| {
            let heights = Heights::in_room(ui.available_height());
            ui.spacing_mut().item_spacing.y = heights.gap;
            let mut action = None;
            for place in Place::ALL {
                action = place_ui(ui, state, place, heights.place).or(action);
            }
            let bottom = eframe::egui::Layout::bottom_up(eframe::egui::Align::Center);
            ui.with_layout(bottom, |ui| {
                theme_ui(ui, heights.other);
                action = messages_ui(ui, state, heights.other).or(action.take());
                let menu = item_ui(ui, Icon::Menu, "Menu", false, heights.other);
                let hint = "All commands. Ctrl+K finds one by its name";
                let menu = menu.on_hover_text(hint);
                action = menu_ui(&menu, state).or(action.take());
            });
            action
        })
        .inner
}

/// Of the rail's items, in points.
#[derive(Debug, Clone, Copy)]
struct Heights {
    place: f32,
    other: f32,
    gap: f32,
}

impl Heights {
    /// Closer together in a low window.
    fn in_room(room: f32) -> Self {
        let roomy = Self {
            place: 58.0,
            other: 54.0,
            gap: 6.0,
        };
        let places = Place::ALL.len() as f32;
        let needed = places * roomy.place + 3.0 * roomy.other + (places + 3.0) * roomy.gap;
        if room >= needed {
            return roomy;
        }
        Self {
            place: 50.0,
            other: 50.0,
            gap: 1.0,
        }
    }
}

fn place_ui(ui: &mut Ui, state: &State, place: Place, height: f32) -> Option<Action> {
    let open = !place.needs_run() || state.run.is_some();
    let response = ui
        .add_enabled_ui(open, |ui| {
            let selected = state.place == place;
            item_ui(ui, glyph(place), place.name(), selected, height)
        })
        .inner;
    let response = if open {
        response.on_hover_text(format!("{} (Ctrl+{})", place.name(), place as usize + 1))
    } else {
        response.on_disabled_hover_text("Train a model or open a run first")
    };
    response.clicked().then_some(Action::Go(place))
}

fn glyph(place: Place) -> Icon {
    match place {
        Place::Data => Icon::Folder,
        Place::Train => Icon::Learning,
        Place::Inspect => Icon::Magnifier,
        Place::Results => Icon::Bars,
        Place::Compare => Icon::SideBySide,
    }
}

/// An icon over its word, across the rail.
fn item_ui(ui: &mut Ui, icon: Icon, name: &str, selected: bool, height: f32) -> Response {
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, ui.is_enabled(), selected, name));
    let palette = theme::palette(ui);
    let hovered = response.hovered() || response.has_focus();
    let painter = ui.painter();
    if selected || hovered {
        let fill = if selected {
            palette.accent.gamma_multiply(0.16)
        } else {
            palette.button
        };
        painter.rect_filled(rect, CornerRadius::same(RADIUS), fill);
    }
    if selected {
        let mark = Rect::from_min_size(rect.left_top() + vec2(0.0, 10.0), vec2(3.0, height - 20.0));
        painter.rect_filled(mark, CornerRadius::same(2), palette.accent);
    }
    let color = match (ui.is_enabled(), selected || hovered) {
        (false, _) => palette.muted.gamma_multiply(0.55),
        (true, true) => palette.strong,
        (true, false) => palette.muted,
    };
    let picture =
        Rect::from_center_size(pos2(rect.center().x, rect.top() + 21.0), vec2(24.0, 24.0));
    icons::paint(painter, picture, icon, color);
    painter.text(
        pos2(rect.center().x, rect.bottom() - 7.0),
        Align2::CENTER_BOTTOM,
        name,
        FontId::proportional(12.5),
        color,
    );
    response
}

fn theme_ui(ui: &mut Ui, height: f32) {
    let preference = ui.ctx().options(|options| options.theme_preference);
    let icon = match preference {
        ThemePreference::System => Icon::HalfDisc,
        ThemePreference::Light => Icon::Sun,
        ThemePreference::Dark => Icon::Moon,
    };
    let button = item_ui(ui, icon, "Theme", false, height);
    Popup::menu(&button).accessible_name("Theme").show(|ui| {
        let mut chosen = preference;
        for (choice, name) in [
            (ThemePreference::System, "As the system"),
            (ThemePreference::Light, "Light"),
            (ThemePreference::Dark, "Dark"),
        ] {
            ui.selectable_value(&mut chosen, choice, name);
        }
        if chosen != preference {
            ui.ctx().set_theme(chosen);
        }
    });
}

fn messages_ui(ui: &mut Ui, state: &State, height: f32) -> Option<Action> {
    let button = item_ui(ui, Icon::Bell, "Messages", false, height);
    if !state.messages.is_empty() {
        let palette = theme::palette(ui);
        let center = pos2(button.rect.center().x + 13.0, button.rect.top() + 10.0);
        ui.painter().circle_filled(center, 8.0, palette.accent);
        ui.painter().text(
            center,
            Align2::CENTER_CENTER,
            state.messages.len().min(99),
            FontId::proportional(10.5),
            palette.on_accent,
        );
    }
    message_list_ui(&button, state)
}
