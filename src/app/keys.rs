//! Keys that work in every place. Keys of one place are read there.

use eframe::egui::{Key, KeyboardShortcut, Modifiers, Ui};

use super::state::{Action, Pick, Place};

/// What the keys pressed in this frame ask for.
pub fn pressed(ui: &Ui, place: Place) -> Option<Action> {
    const CTRL: Modifiers = Modifiers::COMMAND;
    let shortcuts = [
        // Before Ctrl+O, which would match it too.
        (
            CTRL.plus(Modifiers::SHIFT),
            Key::O,
            Action::Pick(Pick::RunFolder),
        ),
        (CTRL, Key::O, Action::Pick(Pick::DataFolder)),
        (CTRL, Key::Num1, Action::Go(Place::Data)),
        (CTRL, Key::Num2, Action::Go(Place::Train)),
        (CTRL, Key::Num3, Action::Go(Place::Inspect)),
        (CTRL, Key::Num4, Action::Go(Place::Results)),
        (CTRL, Key::Num5, Action::Go(Place::Compare)),
    ];
    let hit = |modifiers, key| {
        let shortcut = KeyboardShortcut::new(modifiers, key);
        ui.input_mut(|input| input.consume_shortcut(&shortcut))
    };
    let limits = [
        // Before Ctrl+Z, which would match it too.
        (CTRL.plus(Modifiers::SHIFT), Key::Z, Action::RedoLimits),
        (CTRL, Key::Z, Action::UndoLimits),
        (CTRL, Key::Y, Action::RedoLimits),
        (CTRL, Key::S, Action::SaveLimits),
        (CTRL, Key::E, Action::Pick(Pick::ReportFile)),
    ];
    // While text is typed these keys belong to the text; elsewhere than on a run they mean nothing.
    let on_run = place.needs_run() && !ui.ctx().egui_wants_keyboard_input();
    let mut pressed = shortcuts
        .into_iter()
        .chain(limits.into_iter().filter(|_| on_run));
    pressed.find_map(|(modifiers, key, action)| hit(modifiers, key).then_some(action))
}
