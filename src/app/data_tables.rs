//! The categories of a data set and what one of them contains, as tables.

use eframe::egui::{
    Align2, CornerRadius, FontId, Grid, Rect, Response, RichText, Role, Sense, TextStyle, Ui,
    WidgetInfo, pos2, vec2,
};

use super::controls::{card, heading, muted};
use super::state::{Action, OpenData};
use super::theme::{self, RADIUS};
use super::words;
use crate::data::{Category, Label, Sample};

/// Counts of one category.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Counts {
    train: usize,
    test_good: usize,
    defective: usize,
    unlabelled: usize,
    /// Defective pictures with at least one mask.
    with_mask: usize,
    /// Defect types in order of name: pictures and how many of them have a mask.
    types: Vec<(String, usize, usize)>,
}

impl Counts {
    fn of(category: &Category) -> Self {
        let mut counts = Self {
            train: category.train.len(),
            ..Self::default()
        };
        for sample in &category.test {
            match sample.label {
                Label::Good => counts.test_good += 1,
                Label::Defective => counts.add_defective(sample),
                Label::Unlabelled => counts.unlabelled += 1,
            }
        }
        counts.types.sort();
        counts
    }

    fn add_defective(&mut self, sample: &Sample) {
        let masked = usize::from(!sample.masks.is_empty());
        self.defective += 1;
        self.with_mask += masked;
        match self
            .types
            .iter_mut()
            .find(|(name, ..)| *name == sample.defect)
        {
            Some((_, pictures, with_mask)) => {
                *pictures += 1;
                *with_mask += masked;
            }
            None => self.types.push((sample.defect.clone(), 1, masked)),
        }
    }
}

/// What every data set shows of a category. Where there are unlabelled pictures, a column of them follows.
const COLUMNS: [&str; 6] = [
    "Category",
    "Train",
    "Test good",
    "Defective",
    "Types",
    "Masks",
];

/// In the order of the columns, unlabelled pictures last.
fn cells(category: &Category) -> Vec<String> {
    let counts = Counts::of(category);
    let numbers = [
        counts.train,
        counts.test_good,
        counts.defective,
        counts.types.len(),
        counts.with_mask,
        counts.unlabelled,
    ];
    let numbers = numbers.into_iter().map(words::grouped);
    [category.name.clone()].into_iter().chain(numbers).collect()
}

/// One row a category; a click chooses it.
pub fn categories_ui(ui: &mut Ui, data: &OpenData) -> Option<Action> {
    card(ui, |ui| {
        heading(ui, "Categories");
        ui.spacing_mut().item_spacing.y = 0.0;
        let categories = &data.dataset.categories;
        let unlabelled = categories.iter().any(|c| c.unlabelled().next().is_some());
        let mut columns = COLUMNS.to_vec();
        columns.extend(unlabelled.then_some("Unlabelled"));
        row_ui(ui, &columns, Row::Head);
        let mut action = None;
        for (index, category) in categories.iter().enumerate() {
            let cells = cells(category);
            let cells: Vec<&str> = cells
                .iter()
                .map(String::as_str)
                .take(columns.len())
                .collect();
            let kind = if index == data.category {
                Row::Chosen
            } else {
                Row::Plain
            };
            if row_ui(ui, &cells, kind).clicked() {
                action = Some(Action::ChooseCategory(index));
            }
        }
        action
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    Head,
    Plain,
    Chosen,
}

/// The first cell on the left, numbers flush right in columns of equal width.
fn row_ui(ui: &mut Ui, cells: &[&str], kind: Row) -> Response {
    const NUMBER_WIDTH: f32 = 96.0;
    let name = cells.first().copied().unwrap_or_default();
    let right_of = |column: usize| NUMBER_WIDTH * (cells.len() - 1 - column) as f32;
    let sense = if kind == Row::Head {
        Sense::hover()
    } else {
        Sense::click()
    };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 28.0), sense);
    if kind != Row::Head {
        let chosen = kind == Row::Chosen;
        response.widget_info(|| WidgetInfo::selected(Role::Row, ui.is_enabled(), chosen, name));
    }
    let palette = theme::palette(ui);
    let fill = match kind {
        Row::Chosen => Some(palette.accent.gamma_multiply(0.16)),
        Row::Plain if response.hovered() => Some(palette.button),
        _ => None,
    };
    if let Some(fill) = fill {
        ui.painter()
            .rect_filled(rect, CornerRadius::same(RADIUS), fill);
    }
    let (font, color) = match kind {
        Row::Head => (FontId::proportional(12.0), palette.muted),
        Row::Plain => (TextStyle::Body.resolve(ui.style()), palette.text),
        Row::Chosen => (TextStyle::Body.resolve(ui.style()), palette.strong),
    };
    let inner = rect.shrink2(vec2(10.0, 0.0));
    let first = Rect::from_min_max(inner.min, pos2(inner.right() - right_of(0), inner.bottom()));
    ui.painter()
        .with_clip_rect(first.intersect(ui.clip_rect()))
        .text(
            first.left_center(),
            Align2::LEFT_CENTER,
            name,
            font.clone(),
            color,
        );
    for (column, text) in cells.iter().enumerate().skip(1) {
        let right = inner.right() - right_of(column);
        ui.painter().text(
            pos2(right, inner.center().y),
            Align2::RIGHT_CENTER,
            text,
            font.clone(),
            color,
        );
    }
    response
}

/// Every group of pictures in a category with its count, as bars on one scale.
pub fn contents_ui(ui: &mut Ui, category: &Category) {
    let counts = Counts::of(category);
    let most = [counts.train, counts.test_good, counts.unlabelled]
        .into_iter()
        .chain(counts.types.iter().map(|(_, pictures, _)| *pictures))
        .max()
        .unwrap_or(0);
    card(ui, |ui| {
        heading(ui, &format!("Pictures in {}", category.name));
        let palette = theme::palette(ui);
        Grid::new("contents")
            .num_columns(4)
            .spacing(vec2(20.0, 0.0))
            .show(ui, |ui| {
                let good = palette.good_class;
                group_ui(ui, "Good, for training", counts.train, most, good);
                ui.end_row();
                group_ui(ui, "Good, for testing", counts.test_good, most, good);
                ui.end_row();
                for (name, pictures, with_mask) in &counts.types {
                    let name = format!("Defective: {name}");
                    group_ui(ui, &name, *pictures, most, palette.defect_class);
                    muted(ui, masks_text(*pictures, *with_mask));
                    ui.end_row();
                }
                if counts.unlabelled > 0 {
                    let name = "Unlabelled, only scored";
                    group_ui(ui, name, counts.unlabelled, most, palette.muted);
                    muted(ui, "counted in no number");
                    ui.end_row();
                }
            });
        if counts.defective == 0 {
            muted(
                ui,
                "No defective pictures: a model can be trained and its limit set, but nothing measures what it finds",
            );
        }
    });
}

fn group_ui(ui: &mut Ui, name: &str, pictures: usize, most: usize, color: eframe::egui::Color32) {
    const WIDTH: f32 = 260.0;
    ui.label(name);
    let (rect, _) = ui.allocate_exact_size(vec2(WIDTH, 12.0), Sense::hover());
    let share = if most == 0 {
        0.0
    } else {
        pictures as f32 / most as f32
    };
    let bar = Rect::from_min_size(rect.min, vec2((WIDTH * share).max(2.0), rect.height()));
    ui.painter().rect_filled(bar, CornerRadius::same(3), color);
    let strong = theme::palette(ui).strong;
    ui.label(RichText::new(words::grouped(pictures)).color(strong));
}

fn masks_text(pictures: usize, with_mask: usize) -> String {
    match with_mask {
        0 => "no masks: judged as whole pictures".to_owned(),
        all if all == pictures => "all with masks".to_owned(),
        some => format!("{some} of {pictures} with masks"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{COLUMNS, Counts, cells, masks_text};
    use crate::data::image::Orientation;
    use crate::data::{Category, Label, Sample};

    fn sample(defect: &str, masks: usize) -> Sample {
        Sample {
            id: "x".to_owned(),
            image: PathBuf::new(),
            masks: vec![PathBuf::new(); masks],
            label: match defect {
                "good" => Label::Good,
                "unlabelled" => Label::Unlabelled,
                _ => Label::Defective,
            },
            defect: defect.to_owned(),
            orientation: Orientation::Ignore,
        }
    }

    #[test]
    fn pictures_are_counted_by_group_with_their_masks() {
        let category = Category {
            name: "bottle".to_owned(),
            train: vec![sample("good", 0); 3],
            test: vec![
                sample("good", 0),
                sample("dent", 1),
                sample("crack", 2),
                sample("dent", 0),
                sample("unlabelled", 0),
                sample("unlabelled", 0),
            ],
        };
        let counts = Counts::of(&category);
        assert_eq!(
            (
                counts.train,
                counts.test_good,
                counts.defective,
                counts.with_mask
            ),
            (3, 1, 3, 2)
        );
        assert_eq!(counts.unlabelled, 2);
        assert_eq!(
            counts.types,
            [("crack".to_owned(), 1, 1), ("dent".to_owned(), 2, 1)]
        );
        let row = ["bottle", "3", "1", "3", "2", "2", "2"];
        assert_eq!(cells(&category), row);
        assert_eq!(row.len(), COLUMNS.len() + 1);
    }

    #[test]
    fn an_empty_category_counts_nothing() {
        let category = Category {
            name: "empty".to_owned(),
            train: Vec::new(),
            test: Vec::new(),
        };
        assert_eq!(Counts::of(&category), Counts::default());
    }

    #[test]
    fn masks_are_told_in_words() {
        assert_eq!(masks_text(3, 3), "all with masks");
        assert_eq!(masks_text(3, 1), "1 of 3 with masks");
        assert!(masks_text(3, 0).starts_with("no masks"));
    }
}
