//! What was found in the opened folder: layout, categories, counts, sizes, problems.

use std::path::Path;

use eframe::egui::{Align, ComboBox, Layout, Ui, vec2};

use super::controls::{card, fact, from_right, heading, muted, path_label, primary, title};
use super::data_panel::DataView;
use super::data_problems::problems_ui;
use super::data_tables::{categories_ui, contents_ui};
use super::seen_card::seen_card_ui;
use super::state::{Action, OpenData, Place, State, last_name};
use super::textures::Textures;
use super::words;
use crate::data::{Category, FolderRole, LayoutKind, OpenOptions, Role};

pub fn found_ui(
    ui: &mut Ui,
    state: &State,
    data: &OpenData,
    view: &mut DataView,
    textures: &mut Textures,
) -> Option<Action> {
    ui.spacing_mut().item_spacing.y = 12.0;
    let mut action = header_ui(ui, state, data, view);
    action = summary_ui(ui, state, data).or(action);
    if data.dataset.layout == LayoutKind::Folder && !data.dataset.folders.is_empty() {
        action = roles_ui(ui, state, data).or(action);
    }
    if data.dataset.categories.len() > 1 {
        action = categories_ui(ui, data).or(action);
    }
    if let Some(category) = data.category() {
        contents_ui(ui, category);
    }
    action = seen_card_ui(ui, data, &mut view.seen, textures).or(action);
    problems_ui(ui, data).or(action)
}

fn header_ui(ui: &mut Ui, state: &State, data: &OpenData, view: &mut DataView) -> Option<Action> {
    let root = &data.dataset.root;
    from_right(ui, 46.0, |ui| {
        let free = !state.is_busy();
        let train = primary(ui, "Train a model").min_size(vec2(130.0, 34.0));
        let action = ui.add(train).clicked().then_some(Action::Go(Place::Train));
        if ui
            .add_enabled(free, big("Look again"))
            .on_hover_text("Read the folder again")
            .clicked()
        {
            return Some(Action::Reopen(data.options.clone()));
        }
        if ui.add_enabled(free, big("Open another…")).clicked() {
            view.choose_another = true;
        }
        ui.with_layout(Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            title(ui, &last_name(root));
            path_label(ui, &root.display().to_string());
        });
        action
    })
}

fn big(text: &str) -> eframe::egui::Button<'_> {
    eframe::egui::Button::new(text).min_size(vec2(0.0, 34.0))
}

fn summary_ui(ui: &mut Ui, state: &State, data: &OpenData) -> Option<Action> {
    let categories = &data.dataset.categories;
    let pictures = |of: fn(&Category) -> usize| categories.iter().map(of).sum::<usize>();
    card(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 36.0;
            let action = layout_ui(ui, state, data);
            if categories.len() > 1 {
                fact(ui, "Categories", &words::grouped(categories.len()));
            }
            let train = pictures(|category| category.train.len());
            let test = pictures(|category| category.judged().count());
            let unlabelled = pictures(|category| category.unlabelled().count());
            fact(ui, "Training pictures", &words::grouped(train));
            fact(ui, "Test pictures", &words::grouped(test));
            if unlabelled > 0 {
                fact(ui, "Unlabelled pictures", &words::grouped(unlabelled));
            }
            fact(ui, "Picture size", &sizes(data));
            action
        })
        .inner
    })
}

fn layout_ui(ui: &mut Ui, state: &State, data: &OpenData) -> Option<Action> {
    let detected = data.options.layout.is_none();
    let mut chosen = data.dataset.layout;
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        let name = if detected {
            "Layout, as detected"
        } else {
            "Layout, as you chose"
        };
        let color = super::theme::palette(ui).muted;
        let label = ui.label(eframe::egui::RichText::new(name).small().color(color));
        ui.add_enabled_ui(!state.is_busy(), |ui| {
            ComboBox::from_id_salt("layout")
                .selected_text(layout_name(chosen))
                .width(170.0)
                .show_ui(ui, |ui| {
                    for kind in [LayoutKind::Mvtec, LayoutKind::Folder] {
                        ui.selectable_value(&mut chosen, kind, layout_name(kind));
                    }
                })
                .response
                .labelled_by(label.id);
        });
    });
    (chosen != data.dataset.layout).then(|| {
        Action::Reopen(OpenOptions {
            layout: Some(chosen),
            ..OpenOptions::default()
        })
    })
}

fn layout_name(kind: LayoutKind) -> &'static str {
    match kind {
        LayoutKind::Mvtec => "MVTec AD",
        LayoutKind::Folder => "Plain folders",
    }
}

/// `900 × 900`, or the range when sizes differ.
fn sizes(data: &OpenData) -> String {
    let sizes = &data.report.sizes;
    let range = |of: fn(&crate::data::image::Size) -> usize| {
        let values = sizes.iter().map(|(size, _)| of(size));
        Some((values.clone().min()?, values.max()?))
    };
    let (Some(width), Some(height)) = (range(|size| size.width), range(|size| size.height)) else {
        return "n/a".to_owned();
    };
    let side = |(least, most): (usize, usize)| {
        if least == most {
            format!("{least}")
        } else {
            format!("{least} to {most}")
        }
    };
    format!("{} × {}", side(width), side(height))
}

/// The plain folder layout leaves it to the user what each folder is for.
fn roles_ui(ui: &mut Ui, state: &State, data: &OpenData) -> Option<Action> {
    card(ui, |ui| {
        heading(ui, "What the folders hold");
        muted(
            ui,
            "One folder of good pictures is enough to train; correct what was guessed wrong",
        );
        let mut corrected = None;
        ui.add_enabled_ui(!state.is_busy(), |ui| {
            eframe::egui::Grid::new("roles")
                .num_columns(3)
                .spacing(vec2(24.0, 6.0))
                .show(ui, |ui| {
                    for folder in &data.dataset.folders {
                        if let Some(role) = role_row_ui(ui, &data.dataset.root, folder) {
                            corrected = Some((folder.path.clone(), role));
                        }
                        ui.end_row();
                    }
                });
        });
        corrected.map(|(path, role)| Action::Reopen(with_role(data, path, role)))
    })
}

fn role_row_ui(ui: &mut Ui, root: &Path, folder: &FolderRole) -> Option<Role> {
    let name = if folder.path == "." {
        format!("{} (the folder itself)", last_name(root))
    } else {
        folder.path.clone()
    };
    let label = ui.label(name);
    let mut chosen = folder.role;
    ComboBox::from_id_salt(&folder.path)
        .selected_text(role_name(chosen))
        .width(190.0)
        .show_ui(ui, |ui| {
            for role in ROLES {
                ui.selectable_value(&mut chosen, role, role_name(role));
            }
        })
        .response
        .labelled_by(label.id);
    muted(ui, words::count(folder.pictures, "picture"));
    (chosen != folder.role).then_some(chosen)
}

const ROLES: [Role; 6] = [
    Role::Good,
    Role::GoodTest,
    Role::Defective,
    Role::Unlabelled,
    Role::Masks,
    Role::Ignored,
];

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Good => "Good, for training",
        Role::GoodTest => "Good, for testing",
        Role::Defective => "Defective",
        Role::Unlabelled => "Unlabelled, only scored",
        Role::Masks => "Masks of defects",
        Role::Ignored => "Not used",
    }
}

/// All roles as they are shown, with one of them changed: what the user sees is what is read.
fn with_role(data: &OpenData, path: String, role: Role) -> OpenOptions {
    let shown = data.dataset.folders.iter();
    let mut roles: std::collections::BTreeMap<String, Role> = shown
        .map(|folder| (folder.path.clone(), folder.role))
        .collect();
    roles.insert(path, role);
    OpenOptions {
        layout: Some(LayoutKind::Folder),
        roles,
    }
}
