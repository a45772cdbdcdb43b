//! The menu of all commands, opened by a button of the rail.

use eframe::egui::{Button, Popup, Response, RichText, Ui};

use super::super::state::{Action, State};
use super::super::theme;
use super::list::{CommandEntry, Group, commands, written};

/// The menu that hangs on `button`.
pub fn menu_ui(button: &Response, state: &State) -> Option<Action> {
    let mut asked = None;
    Popup::menu(button).accessible_name("Menu").show(|ui| {
        let list = commands(state);
        for group in Group::ALL {
            ui.menu_button(group.name(), |ui| {
                ui.set_min_width(300.0);
                for entry in list.iter().filter(|entry| entry.group == group) {
                    if entry_ui(ui, entry) {
                        asked = Some(entry.action.clone());
                        ui.close();
                    }
                }
            });
        }
    });
    asked
}

/// Returns whether it was chosen.
fn entry_ui(ui: &mut Ui, entry: &CommandEntry) -> bool {
    let mut button = Button::new(entry.title.as_str());
    if let Some(keys) = entry.shortcuts.first() {
        let muted = theme::palette(ui).muted;
        button = button.shortcut_text(RichText::new(written(*keys)).small().color(muted));
    }
    let response = ui.add_enabled(entry.enabled.is_ok(), button);
    let response = response.accessible_name(entry.title.as_str());
    let response = match entry.enabled {
        Err(reason) => response.on_disabled_hover_text(format!("Not possible: {reason}")),
        Ok(()) if entry.detail.is_empty() => response,
        Ok(()) => response.on_hover_text(entry.detail.as_str()),
    };
    response.clicked()
}
