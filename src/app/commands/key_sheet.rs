//! The sheet of keys: those of the commands, and those that each view tells about itself.

use eframe::egui::{Frame, Id, Key, Margin, Modal, Modifiers, RichText, ScrollArea, Ui};

use super::super::controls::{from_right, heading, icon_button};
use super::super::icons::Icon;
use super::super::state::State;
use super::super::{gallery, limits, mask_painter, theme, view_controls, viewer};
use super::Answer;
use super::list::{CommandEntry, Group, commands, written};

const COLUMN: f32 = 384.0;
const KEYS: f32 = 156.0;

/// Keys and what they do.
type Row = (String, String);

pub fn key_sheet_ui(ui: &Ui, state: &State) -> Answer {
    let frame = Frame::window(ui.style()).inner_margin(Margin::same(18));
    let area = Modal::default_area(Id::unique("keys")).accessible_name("Keys");
    let modal = Modal::new(Id::unique("keys")).area(area).frame(frame);
    let list = commands(state);
    let shown = modal.show(ui.ctx(), |ui| contents_ui(ui, &sections(&list)));
    let again = [Key::Questionmark, Key::F1].into_iter();
    let again = again.fold(false, |hit, key| {
        hit | ui.input_mut(|input| input.consume_key(Modifiers::NONE, key))
    });
    if shown.should_close() || shown.inner || again {
        return Answer::Closes;
    }
    Answer::Stays
}

/// Returns whether it shall be closed.
fn contents_ui(ui: &mut Ui, sections: &[(&str, Vec<Row>)]) -> bool {
    let window = ui.ctx().content_rect();
    let columns = if window.width() > 2.0 * COLUMN + 110.0 {
        2
    } else {
        1
    };
    ui.set_width(COLUMN * columns as f32 + 24.0);
    let closed = from_right(ui, 28.0, |ui| {
        let closed = icon_button(ui, Icon::Cross, "Close the sheet of keys").clicked();
        ui.with_layout(
            eframe::egui::Layout::left_to_right(eframe::egui::Align::Center),
            |ui| heading(ui, "Keys"),
        );
        closed
    });
    let height = (window.height() - 150.0).max(120.0);
    // A window within the window starts with half the room; the sheet may take all of it.
    let area = ScrollArea::vertical().max_height(height);
    area.min_scrolled_height(height).show(ui, |ui| {
        let split = balance(sections, columns);
        ui.horizontal_top(|ui| {
            let parts = [sections.get(..split), sections.get(split..)];
            for part in parts.into_iter().take(columns) {
                ui.vertical(|ui| {
                    ui.set_width(COLUMN);
                    for (name, rows) in part.unwrap_or_default() {
                        section_ui(ui, name, rows);
                    }
                });
            }
        });
    });
    closed
}

/// How many sections stand in the first column, so that both are about equally long.
fn balance(sections: &[(&str, Vec<Row>)], columns: usize) -> usize {
    let length = |(_, rows): &(&str, Vec<Row>)| rows.len() + 2;
    if columns == 1 {
        return sections.len();
    }
    let all: usize = sections.iter().map(length).sum();
    let mut so_far = 0;
    let fits = sections.iter().take_while(|section| {
        let middle = so_far + length(section) / 2;
        so_far += length(section);
        2 * middle < all
    });
    fits.count()
}

fn section_ui(ui: &mut Ui, name: &str, rows: &[Row]) {
    let palette = theme::palette(ui);
    ui.spacing_mut().item_spacing.y = 4.0;
    ui.add_space(6.0);
    ui.label(RichText::new(name).strong().color(palette.accent));
    for (keys, what) in rows {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().interact_size.y = 18.0;
            ui.allocate_ui(eframe::egui::vec2(KEYS, 18.0), |ui| {
                ui.set_width(KEYS);
                ui.label(
                    RichText::new(keys)
                        .small()
                        .monospace()
                        .color(palette.strong),
                );
            });
            let what = RichText::new(what).color(palette.text);
            ui.add(eframe::egui::Label::new(what).wrap());
        });
    }
    ui.add_space(4.0);
}

/// Group by group what has keys.
fn sections(list: &[CommandEntry]) -> Vec<(&'static str, Vec<Row>)> {
    let of_group = |group: Group| {
        let entries = list.iter().filter(|entry| entry.group == group);
        let rows = entries.filter(|entry| !entry.shortcuts.is_empty()).map(row);
        (group.name(), rows.collect())
    };
    let of_view = |name, rows: &[(&str, &str)]| {
        let rows = rows.iter().map(|&(keys, what)| (keys.into(), what.into()));
        (name, rows.collect())
    };
    let mut sections: Vec<(&str, Vec<Row>)> = Group::ALL.map(of_group).into();
    sections.extend([
        of_view("List of pictures", &gallery::KEYS),
        of_view("Picture", &view_controls::KEYS),
        of_view("Measuring", &viewer::KEYS),
        of_view("Grips of the limits", &limits::KEYS),
        of_view("Painting a mask", &mask_painter::KEYS),
    ]);
    sections
}

fn row(entry: &CommandEntry) -> Row {
    let keys: Vec<String> = entry.shortcuts.iter().copied().map(written).collect();
    (
        keys.join(", "),
        entry.title.trim_end_matches('…').to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::state::State;
    use super::{balance, commands, sections, written};

    #[test]
    fn every_shortcut_is_on_the_sheet() {
        let list = commands(&State::default());
        let sections = sections(&list);
        let keys = sections.iter().flat_map(|(_, rows)| rows);
        let keys: Vec<&str> = keys.flat_map(|(keys, _)| keys.split(", ")).collect();
        for shortcut in list.iter().flat_map(|entry| entry.shortcuts) {
            let shortcut = written(*shortcut);
            assert!(keys.contains(&shortcut.as_str()), "{shortcut}");
        }
        assert!(sections.iter().all(|(_, rows)| !rows.is_empty()));
    }

    #[test]
    fn both_columns_are_about_equally_long() {
        let list = commands(&State::default());
        let sections = sections(&list);
        let split = balance(&sections, 2);
        let lengths = [&sections[..split], &sections[split..]];
        let [first, second] = lengths.map(|part| part.iter().map(|(_, r)| r.len() + 2).sum());
        assert!(usize::abs_diff(first, second) <= 10, "{first} {second}");
        assert_eq!(balance(&sections, 1), sections.len());
        assert_eq!(balance(&[], 2), 0);
    }
}
