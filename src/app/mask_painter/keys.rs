//! The painter's keys.

use eframe::egui::{Key, KeyboardShortcut, Modifiers, Ui};

use super::canvas::Ink;
use super::{MaskPainter, PainterAction, Tool};

/// As the sheet of keys tells them.
pub const KEYS: [(&str, &str); 7] = [
    ("B, E, P", "Brush, eraser, polygon"),
    ("[, ]", "Smaller and larger brush"),
    (
        "Enter",
        "Close the polygon; with Shift, take its inside away",
    ),
    ("Backspace", "Take the last corner away"),
    ("Escape", "Give the polygon up"),
    ("Ctrl+Z, Ctrl+Y", "Undo and redo"),
    ("Ctrl+S", "Save the mask"),
];

/// Carries out what the keys pressed in this frame ask for. Does nothing while the user types or something is awaited.
pub fn pressed(ui: &Ui, painter: &mut MaskPainter) -> Option<PainterAction> {
    if ui.ctx().text_edit_focused() || !painter.is_idle() || painter.pen.is_down() {
        return None;
    }
    let with_command = shortcut(ui, painter);
    let plain = |key| ui.input(|i| !i.modifiers.command && !i.modifiers.alt && i.key_pressed(key));
    for (key, tool) in [
        (Key::B, Tool::Brush),
        (Key::E, Tool::Eraser),
        (Key::P, Tool::Polygon),
    ] {
        if plain(key) {
            painter.tool = tool;
        }
    }
    for (key, direction) in [(Key::OpenBracket, -1.0), (Key::CloseBracket, 1.0)] {
        if plain(key) {
            painter.resize(direction);
        }
    }
    if plain(Key::Enter) {
        painter.close_polygon(polygon_ink(ui));
    }
    if plain(Key::Backspace) {
        painter.polygon.pop();
    }
    if plain(Key::Escape) {
        painter.polygon.clear();
    }
    with_command
}

fn shortcut(ui: &Ui, painter: &mut MaskPainter) -> Option<PainterAction> {
    const CTRL: Modifiers = Modifiers::COMMAND;
    let hit = |modifiers, key| {
        let shortcut = KeyboardShortcut::new(modifiers, key);
        ui.input_mut(|input| input.consume_shortcut(&shortcut))
    };
    // Before Ctrl+Z, which would match it too.
    if hit(CTRL.plus(Modifiers::SHIFT), Key::Z) || hit(CTRL, Key::Y) {
        painter.redo();
    }
    if hit(CTRL, Key::Z) {
        painter.undo();
    }
    if hit(CTRL, Key::S) {
        return painter.save();
    }
    None
}

/// Closing a polygon with Shift held takes its inside away.
pub fn polygon_ink(ui: &Ui) -> Ink {
    if ui.input(|i| i.modifiers.shift) {
        Ink::Erase
    } else {
        Ink::Mark
    }
}
