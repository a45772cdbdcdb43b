//! Everything that can be asked for by name: one list feeds the menu, the palette, the sheet of keys and the shortcuts. What a
//! command does is carried out by the app.

mod carry_out;
mod fuzzy;
mod key_sheet;
mod keys;
mod list;
mod menu;
mod palette;

use eframe::egui::Ui;

use super::state::{Action, State};

pub use carry_out::SIZES;
pub use keys::pressed;
pub use menu::menu_ui;

use key_sheet::key_sheet_ui;
use palette::{PaletteView, palette_ui};

/// What a command asks of the window itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowAction {
    ShowPalette,
    ShowKeys,
    Enlarge,
    Shrink,
    NaturalSize,
    SwitchTheme,
    Quit,
}

/// From one picture of the list to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    NextPicture,
    PreviousPicture,
    /// The next picture in the list whose verdict is wrong.
    NextError,
    PreviousError,
}

/// What lies over the window.
#[derive(Debug, Default)]
pub enum Overlay {
    #[default]
    Nothing,
    Palette(PaletteView),
    Keys,
}

impl Overlay {
    pub fn palette() -> Self {
        Self::Palette(PaletteView::default())
    }
}

/// What became of an overlay in this frame.
enum Answer {
    Stays,
    Closes,
    Chosen(Action),
}

/// Draws what lies over the window, and takes it away once it is answered.
pub fn overlay_ui(ui: &Ui, state: &State, overlay: &mut Overlay) -> Option<Action> {
    let answer = match overlay {
        Overlay::Nothing => return None,
        Overlay::Palette(view) => palette_ui(ui, state, view),
        Overlay::Keys => key_sheet_ui(ui, state),
    };
    let action = match answer {
        Answer::Stays => return None,
        Answer::Closes => None,
        Answer::Chosen(action) => Some(action),
    };
    *overlay = Overlay::Nothing;
    action
}
