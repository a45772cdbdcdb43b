//! The palette: a field in which a few letters find any command, and the list of what they find.

use eframe::egui::{
    Align2, CornerRadius, FontId, Frame, Id, Key, Margin, Modal, Modifiers, Rect, Response, Role,
    ScrollArea, Sense, TextEdit, TextStyle, Ui, WidgetInfo, pos2, vec2,
};

use super::super::controls::{muted, shortened};
use super::super::state::State;
use super::super::theme::{self, RADIUS};
use super::Answer;
use super::fuzzy;
use super::list::{CommandEntry, commands, written};

const WIDTH: f32 = 600.0;
const ROW: f32 = 34.0;
const LIST: f32 = 374.0;
/// What finding the letters in the title is worth more than finding them in the rest.
const IN_TITLE: i32 = 1000;

/// What was typed, and which of the found commands is marked.
#[derive(Debug, Default)]
pub struct PaletteView {
    query: String,
    marked: usize,
    /// Whether the marked row must be brought into view.
    moved: bool,
}

pub fn palette_ui(ui: &Ui, state: &State, view: &mut PaletteView) -> Answer {
    let area = Modal::default_area(Id::unique("palette"))
        .anchor(Align2::CENTER_TOP, vec2(0.0, 72.0))
        .accessible_name("Commands");
    let frame = Frame::window(ui.style()).inner_margin(Margin::same(10));
    let modal = Modal::new(Id::unique("palette")).area(area).frame(frame);
    let list = commands(state);
    let shown = modal.show(ui.ctx(), |ui| {
        let room = ui.ctx().content_rect().width() - 48.0;
        ui.set_width(WIDTH.min(room));
        contents_ui(ui, &list, view)
    });
    if shown.should_close() {
        return Answer::Closes;
    }
    shown.inner
}

fn contents_ui(ui: &mut Ui, list: &[CommandEntry], view: &mut PaletteView) -> Answer {
    if closes(ui) {
        return Answer::Closes;
    }
    let steps = steps(ui);
    let field = TextEdit::singleline(&mut view.query)
        .hint_text("Find a command, a place or a folder opened lately")
        .desired_width(f32::INFINITY)
        .margin(Margin::symmetric(10, 8));
    let field = ui.add(field).accessible_name("Find a command");
    if field.changed() {
        view.marked = 0;
        view.moved = true;
    }
    field.request_focus();
    // Only now: letters and Enter may arrive together.
    let found = found(list, &view.query);
    view.step(steps, found.len());
    let mut answer = entered(ui, list, &found, view);
    ui.add_space(2.0);
    if found.is_empty() {
        muted(ui, "No command has these letters in this order");
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    let height = LIST.min(ui.ctx().content_rect().height() - 190.0);
    ScrollArea::vertical().max_height(height).show(ui, |ui| {
        for (at, entry) in found
            .iter()
            .filter_map(|&index| list.get(index))
            .enumerate()
        {
            let row = row_ui(ui, entry, at == view.marked);
            if at == view.marked && view.moved {
                row.scroll_to_me(None);
            }
            if row.clicked() && entry.enabled.is_ok() {
                answer = Answer::Chosen(entry.action.clone());
            }
        }
    });
    view.moved = false;
    answer
}

impl PaletteView {
    /// Moves the mark by so many rows of a list of this length.
    fn step(&mut self, rows: isize, listed: usize) {
        let before = self.marked;
        let last = listed.saturating_sub(1);
        self.marked = self.marked.saturating_add_signed(rows).min(last);
        self.moved |= self.marked != before;
    }
}

fn hit(ui: &Ui, modifiers: Modifiers, key: Key) -> bool {
    ui.input_mut(|input| input.consume_key(modifiers, key))
}

/// The keys that opened the palette, once more.
fn closes(ui: &Ui) -> bool {
    let shifted = Modifiers::COMMAND.plus(Modifiers::SHIFT);
    hit(ui, Modifiers::COMMAND, Key::K) || hit(ui, shifted, Key::P)
}

/// Rows down, before the field sees the keys.
fn steps(ui: &Ui) -> isize {
    isize::from(hit(ui, Modifiers::NONE, Key::ArrowDown))
        - isize::from(hit(ui, Modifiers::NONE, Key::ArrowUp))
}

fn entered(ui: &Ui, list: &[CommandEntry], found: &[usize], view: &PaletteView) -> Answer {
    let marked = found.get(view.marked).and_then(|&index| list.get(index));
    match marked {
        Some(entry) if hit(ui, Modifiers::NONE, Key::Enter) && entry.enabled.is_ok() => {
            Answer::Chosen(entry.action.clone())
        }
        _ => Answer::Stays,
    }
}

/// The commands that have these letters, best first; those that fit equally well stay in their order.
fn found(list: &[CommandEntry], query: &str) -> Vec<usize> {
    let fit = |entry: &CommandEntry| {
        let in_title = fuzzy::score(query, &entry.title).map(|score| score + IN_TITLE);
        let rest = format!("{} {} {}", entry.group.name(), entry.title, entry.detail);
        in_title.max(fuzzy::score(query, &rest))
    };
    let fits = list.iter().enumerate();
    let mut fits: Vec<(i32, usize)> = fits
        .filter_map(|(index, entry)| Some((fit(entry)?, index)))
        .collect();
    fits.sort_by_key(|&(score, _)| -score);
    fits.into_iter().map(|(_, index)| index).collect()
}

fn row_ui(ui: &mut Ui, entry: &CommandEntry, marked: bool) -> Response {
    let size = vec2(ui.available_width(), ROW);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let enabled = entry.enabled.is_ok();
    response
        .widget_info(|| WidgetInfo::selected(Role::ListBoxOption, enabled, marked, spoken(entry)));
    let palette = theme::palette(ui);
    if marked || response.hovered() {
        let fill = if marked {
            palette.accent.gamma_multiply(0.18)
        } else {
            palette.button.gamma_multiply(0.6)
        };
        let corners = CornerRadius::same(RADIUS);
        ui.painter().rect_filled(rect, corners, fill);
    }
    paint_row(ui, rect.shrink2(vec2(10.0, 0.0)), entry);
    response
}

/// The group, the title, and at the right the keys or why it is not possible.
fn paint_row(ui: &Ui, rect: Rect, entry: &CommandEntry) {
    const GROUP: f32 = 52.0;
    let palette = theme::palette(ui);
    let (painter, middle) = (ui.painter(), rect.center().y);
    let body = TextStyle::Body.resolve(ui.style());
    let small = TextStyle::Small.resolve(ui.style());
    let at = |x| pos2(x, middle);
    let text = |x, align, text: &str, font: &FontId, colour| {
        painter.text(at(x), align, text, font.clone(), colour)
    };
    let group = entry.group.name();
    text(
        rect.left(),
        Align2::LEFT_CENTER,
        group,
        &small,
        palette.muted,
    );
    let keys = entry.shortcuts.first().copied().map(written);
    let (note, title) = match entry.enabled {
        Ok(()) => (keys.unwrap_or_default(), palette.strong),
        Err(reason) => (reason.to_owned(), palette.muted),
    };
    let right = text(
        rect.right(),
        Align2::RIGHT_CENTER,
        &note,
        &small,
        palette.muted,
    );
    let left = rect.left() + GROUP;
    let title = text(left, Align2::LEFT_CENTER, &entry.title, &body, title);
    let room = (right.left() - title.right() - 24.0) / (0.55 * small.size);
    if room > 8.0 {
        let detail = shortened(&entry.detail, room as usize);
        let x = title.right() + 12.0;
        text(x, Align2::LEFT_CENTER, &detail, &small, palette.muted);
    }
}

/// The row as a screen reader says it.
fn spoken(entry: &CommandEntry) -> String {
    let note = match entry.enabled {
        Ok(()) => entry.shortcuts.first().copied().map(written),
        Err(reason) => Some(format!("not possible: {reason}")),
    };
    let parts = [
        Some(entry.title.clone()),
        Some(entry.group.name().to_owned()),
        note,
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::super::state::State;
    use super::{commands, found};

    fn first(state: &State, query: &str) -> String {
        let list = commands(state);
        found(&list, query)
            .first()
            .map_or_else(String::new, |&index| list[index].title.clone())
    }

    #[test]
    fn a_few_letters_find_the_command() {
        let state = State::default();
        for (query, title) in [
            ("results", "Go to Results"),
            ("gi", "Go to Inspect"),
            ("report", "Write report…"),
            ("dark", "Switch between light and dark"),
            ("undo", "Undo the last change of the limits"),
            ("", "Open data folder…"),
            ("zzz", ""),
        ] {
            assert_eq!(first(&state, query), title, "{query}");
        }
    }

    #[test]
    fn folders_opened_lately_are_found_by_name_and_by_path() {
        let mut state = State::default();
        state.recent.remember_run(Path::new("/runs/night/lid-cfa"));
        assert_eq!(first(&state, "lid"), "Open run lid-cfa");
        assert_eq!(first(&state, "night/lid"), "Open run lid-cfa");
    }
}
