//! The keys of commands. Keys that belong to one view are read there.

use std::cmp::Reverse;

use eframe::egui::{Event, KeyboardShortcut, Ui};

use super::super::state::{Action, State};
use super::list::{CommandEntry, Typing, commands};

/// What the keys pressed in this frame ask for. While a question is open they are left to it.
pub fn pressed(ui: &Ui, state: &State) -> Option<Action> {
    let is_press = |event: &Event| matches!(event, Event::Key { pressed: true, .. });
    let any = ui.input(|input| input.events.iter().any(is_press));
    let asked = ui.memory(|memory| memory.top_modal_layer().is_some());
    if !any || asked {
        return None;
    }
    let typing = if ui.ctx().text_edit_focused() {
        Typing::Yes
    } else {
        Typing::No
    };
    let list = commands(state);
    let listening = list
        .iter()
        .filter(|entry| entry.scope.listens(state.place, typing));
    let mut shortcuts: Vec<(&CommandEntry, &KeyboardShortcut)> = listening
        .flat_map(|entry| entry.shortcuts.iter().map(move |keys| (entry, keys)))
        .collect();
    // Those with Shift first: Ctrl+O would match Ctrl+Shift+O, too.
    shortcuts.sort_by_key(|(_, keys)| Reverse(keys.modifiers.shift));
    let mut hit = shortcuts
        .into_iter()
        .filter(|(_, keys)| ui.input_mut(|input| input.consume_shortcut(keys)));
    hit.next().map(|(entry, _)| entry.chosen())
}
