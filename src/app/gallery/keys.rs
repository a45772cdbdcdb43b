//! The keys of the gallery: walking through the list, and choosing several pictures.

use eframe::egui::{Key, Modifiers, Ui};

use super::super::state::{Action, State};
use super::GalleryView;

/// As the sheet of keys tells them.
pub const KEYS: [(&str, &str); 6] = [
    ("Left, Right", "Previous and next picture"),
    ("Up, Down", "One row up or down"),
    ("Page Up, Page Down", "One page up or down"),
    ("Home, End", "First and last picture"),
    ("Ctrl+A", "Choose all listed pictures"),
    ("Escape", "Choose none"),
];

/// What the keys pressed in this frame ask for, unless the user is typing.
pub fn gallery_keys(ui: &Ui, state: &State, view: &mut GalleryView) -> Option<Action> {
    if ui.ctx().egui_wants_keyboard_input() {
        return None;
    }
    choose_keys(ui, state, view);
    let columns = view.scroll.columns() as isize;
    let page = view.scroll.page();
    let steps = [
        (Key::ArrowRight, 1),
        (Key::ArrowDown, columns),
        (Key::ArrowLeft, -1),
        (Key::ArrowUp, -columns),
        (Key::PageDown, page),
        (Key::PageUp, -page),
        (Key::Home, isize::MIN),
        (Key::End, isize::MAX),
    ];
    let pressed = |key| ui.input(|i| i.modifiers.is_none() && i.key_pressed(key));
    let (_, step) = steps.into_iter().find(|(key, _)| pressed(*key))?;
    view.listing(state)
        .step(state.selected, step)
        .map(Action::Select)
}

/// Ctrl+A chooses all that is listed, Escape nothing.
fn choose_keys(ui: &Ui, state: &State, view: &mut GalleryView) {
    if ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::A)) {
        view.listing(state);
        let listing = view.listing.value();
        if let Some(all) = &listing {
            view.selection.choose_all(all);
        }
    }
    let chosen = !view.selection.is_empty();
    if chosen && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
        view.selection.clear();
    }
}
