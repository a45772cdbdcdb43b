//! The card about seen defects: which pictures a model may learn from, and where their masks come from.

use eframe::egui::{Align, Checkbox, ComboBox, DragValue, Layout, RichText, ScrollArea, Ui, vec2};

use super::badge::warning_badge;
use super::controls::{card, from_right, heading, muted};
use super::seen_tile::{HEIGHT, Tile, WIDTH, tile_ui};
use super::state::{Action, MaskKind, OpenData};
use super::textures::Textures;
use super::{theme, words};
use crate::data::{Sample, draw_seen};

/// How many pictures the paper that introduced PRN takes from each product.
const DRAWN: usize = 10;
const GAP: f32 = 8.0;
/// Rows of pictures in view at once.
const ROWS: f32 = 3.4;

/// Which pictures are listed, and the seed of the next draw.
#[derive(Debug, Default)]
pub struct SeenView {
    /// `None` lists all types.
    defect: Option<String>,
    only_seen: bool,
    seed: u64,
}

/// Nothing where there is no defective picture.
pub fn seen_card_ui(
    ui: &mut Ui,
    data: &OpenData,
    view: &mut SeenView,
    textures: &mut Textures,
) -> Option<Action> {
    data.defective().next()?;
    card(ui, |ui| {
        heading(ui, "Seen defects");
        muted(
            ui,
            "PRN learns from a few defects with masks. Pictures ticked here are never used for testing.",
        );
        match data.annotated.get(&data.category)?.notes.as_ref() {
            None => {
                muted(ui, "Reading what was ticked before…");
                None
            }
            Some(Err(message)) => broken_ui(ui, message),
            Some(Ok(_)) => contents_ui(ui, data, view, textures),
        }
    })
}

/// The notes cannot be understood and are left as they are.
fn broken_ui(ui: &mut Ui, message: &str) -> Option<Action> {
    let error = theme::palette(ui).error;
    ui.label(RichText::new("What was ticked and painted before cannot be read").color(error));
    muted(ui, message);
    let copy = ui.button("Copy details").clicked();
    copy.then(|| Action::CopyText(message.to_owned()))
}

fn contents_ui(
    ui: &mut Ui,
    data: &OpenData,
    view: &mut SeenView,
    textures: &mut Textures,
) -> Option<Action> {
    let mut action = controls_ui(ui, data, view);
    warnings_ui(ui, data);
    let listed: Vec<&Sample> = data
        .defective()
        .filter(|sample| {
            view.defect
                .as_ref()
                .is_none_or(|defect| *defect == sample.defect)
        })
        .filter(|sample| !view.only_seen || data.is_seen(&sample.id))
        .collect();
    if listed.is_empty() {
        muted(ui, "No picture is ticked here");
        return action;
    }
    ui.spacing_mut().item_spacing = vec2(GAP, GAP);
    let columns = ((ui.available_width() + GAP) / (WIDTH + GAP))
        .floor()
        .max(1.0) as usize;
    let rows = listed.len().div_ceil(columns);
    ScrollArea::vertical()
        .id_salt("seen defects")
        .max_height(ROWS * (HEIGHT + GAP))
        // The place scrolls too: what is left of its view says nothing about the room there is.
        .min_scrolled_height(ROWS * (HEIGHT + GAP))
        .auto_shrink([false, true])
        .show_rows(ui, HEIGHT, rows, |ui, range| {
            // The bar of the list must not lie on the last column.
            let width = (ui.available_width() - GAP * (columns - 1) as f32) / columns as f32;
            for row in range {
                ui.horizontal(|ui| {
                    for sample in listed.iter().skip(row * columns).take(columns) {
                        let tile = Tile {
                            sample,
                            seen: data.is_seen(&sample.id),
                            kind: data.mask_kind(sample),
                            problem: problem(data, sample),
                        };
                        action = tile_ui(ui, &tile, width, data, textures).or(action.take());
                    }
                });
            }
        });
    action
}

fn problem<'a>(data: &'a OpenData, sample: &Sample) -> Option<&'a str> {
    let notes = data.notes()?;
    notes.broken.get(&sample.id).map(String::as_str)
}

/// Filters on the left, drawing on the right.
fn controls_ui(ui: &mut Ui, data: &OpenData, view: &mut SeenView) -> Option<Action> {
    let seen = data.seen();
    from_right(ui, 30.0, |ui| {
        let mut action = None;
        let clear = eframe::egui::Button::new("Clear");
        let clear = ui.add_enabled(!seen.is_empty(), clear);
        if clear.on_hover_text("Tick no picture").clicked() {
            action = Some(Action::SetSeen(Vec::new()));
        }
        ui.add(
            DragValue::new(&mut view.seed)
                .range(0..=9999)
                .prefix("seed "),
        )
        .accessible_name("Seed of the draw")
        .on_hover_text("The same seed draws the same pictures again");
        let draw = ui.button(format!("Draw {DRAWN}"));
        let hint = "Ticks ten pictures with masks instead of those ticked now, spread over the defect types";
        if draw.on_hover_text(hint).clicked() {
            action = Some(Action::SetSeen(drawn(data, view.seed)));
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            filters_ui(ui, data, view);
            let all = data.defective().count();
            let text = format!(
                "{} of {} ticked",
                words::grouped(seen.len()),
                words::grouped(all)
            );
            ui.label(RichText::new(text).color(theme::palette(ui).strong));
        });
        action
    })
}

fn filters_ui(ui: &mut Ui, data: &OpenData, view: &mut SeenView) {
    let mut types: Vec<&str> = data
        .defective()
        .map(|sample| sample.defect.as_str())
        .collect();
    types.sort_unstable();
    types.dedup();
    let chosen = view.defect.clone();
    ComboBox::from_id_salt("seen type")
        .width(170.0)
        .selected_text(chosen.as_deref().unwrap_or("All defect types"))
        .show_ui(ui, |ui| {
            ui.selectable_value(&mut view.defect, None, "All defect types");
            for name in types {
                ui.selectable_value(&mut view.defect, Some(name.to_owned()), name);
            }
        })
        .response
        .accessible_name("Defect type");
    ui.add(Checkbox::new(&mut view.only_seen, "Ticked only"));
}

/// A draw among the pictures whose mask can be used, painted ones included.
fn drawn(data: &OpenData, seed: u64) -> Vec<String> {
    let mut samples: Vec<Sample> = data.defective().cloned().collect();
    for sample in &mut samples {
        match data.mask_kind(sample) {
            MaskKind::Own => {}
            MaskKind::Painted => sample.masks = vec![sample.image.clone()],
            MaskKind::Broken | MaskKind::Missing => sample.masks.clear(),
        }
    }
    draw_seen(&samples, DRAWN, seed)
}

/// What would make the training or its numbers worthless.
fn warnings_ui(ui: &mut Ui, data: &OpenData) {
    let warning = theme::palette(ui).warning;
    for text in warnings(data) {
        warning_badge(ui, &text, warning);
    }
}

fn warnings(data: &OpenData) -> Vec<String> {
    let mut warnings = Vec::new();
    let seen: Vec<&Sample> = data
        .defective()
        .filter(|sample| data.is_seen(&sample.id))
        .collect();
    let has_mask = |kind| matches!(kind, MaskKind::Own | MaskKind::Painted);
    let bare = seen
        .iter()
        .filter(|sample| !has_mask(data.mask_kind(sample)))
        .count();
    if bare > 0 {
        let (number, verb) = (
            words::count(bare, "ticked picture"),
            plural(bare, "has", "have"),
        );
        warnings.push(format!(
            "{number} {verb} no mask: nothing is learned from {} until one is painted",
            plural(bare, "it", "them")
        ));
    }
    if seen.len() == data.defective().count() {
        warnings.push("Every defect is ticked: none is left to test with".to_owned());
    }
    let gone = data.notes().map_or(0, |notes| notes.seen.len()) - seen.len();
    if gone > 0 {
        warnings.push(format!(
            "{} {} no longer in this data set",
            words::count(gone, "ticked picture"),
            plural(gone, "is", "are")
        ));
    }
    warnings
}

fn plural<'a>(number: usize, one: &'a str, many: &'a str) -> &'a str {
    if number == 1 { one } else { many }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::{drawn, warnings};
    use crate::app::state::{Annotated, MaskKind, OpenData};
    use crate::data::check::CheckReport;
    use crate::data::image::Orientation;
    use crate::data::{Category, Dataset, Label, LayoutKind, OpenOptions, Sample};
    use crate::worker::annotations::Notes;

    fn sample(number: usize, masks: usize) -> Sample {
        Sample {
            id: format!("{number:02}.png"),
            image: "x.png".into(),
            masks: vec!["m.png".into(); masks],
            label: Label::Defective,
            defect: "dent".to_owned(),
            orientation: Orientation::Ignore,
        }
    }

    /// Three pictures with masks of their own, one without.
    fn data(notes: Notes) -> OpenData {
        let category = Category {
            name: "part".to_owned(),
            train: Vec::new(),
            test: (0..4).map(|i| sample(i, usize::from(i < 3))).collect(),
        };
        let annotated = Annotated {
            folder: "/notes".into(),
            notes: Some(Ok(notes)),
        };
        OpenData {
            dataset: Arc::new(Dataset {
                root: "/data".into(),
                layout: LayoutKind::Mvtec,
                categories: vec![category],
                folders: Vec::new(),
                findings: Vec::new(),
            }),
            report: Arc::new(CheckReport::default()),
            options: OpenOptions::default(),
            category: 0,
            annotated: BTreeMap::from([(0, annotated)]),
        }
    }

    fn seen(ids: &[&str]) -> Notes {
        Notes {
            seen: ids.iter().map(|&id| id.to_owned()).collect(),
            ..Notes::default()
        }
    }

    #[test]
    fn ticked_pictures_without_a_mask_are_warned_about_until_one_is_painted() {
        let mut notes = seen(&["00.png", "03.png"]);
        let told = warnings(&data(notes.clone()));
        assert_eq!(
            told,
            ["1 ticked picture has no mask: nothing is learned from it until one is painted"]
        );
        notes.painted.insert("03.png".to_owned());
        assert!(warnings(&data(notes)).is_empty());
    }

    #[test]
    fn ticking_everything_leaves_nothing_to_test_with() {
        let told = warnings(&data(seen(&["00.png", "01.png", "02.png", "03.png"])));
        assert_eq!(told.len(), 2);
        assert!(told[1].contains("none is left"));
    }

    #[test]
    fn pictures_that_are_gone_are_told_and_no_longer_seen() {
        let data = data(seen(&["00.png", "lost.png"]));
        assert_eq!(data.seen(), ["00.png"]);
        assert_eq!(
            warnings(&data),
            ["1 ticked picture is no longer in this data set"]
        );
    }

    #[test]
    fn only_masks_that_can_be_used_are_drawn() {
        let mut notes = Notes::default();
        notes.painted.insert("03.png".to_owned());
        notes
            .broken
            .insert("01.png".to_owned(), "changed".to_owned());
        let data = data(notes);
        assert_eq!(drawn(&data, 0), ["00.png", "02.png", "03.png"]);
        let kinds: Vec<MaskKind> = data.defective().map(|s| data.mask_kind(s)).collect();
        let own = MaskKind::Own;
        assert_eq!(kinds, [own, MaskKind::Broken, own, MaskKind::Painted]);
    }
}
