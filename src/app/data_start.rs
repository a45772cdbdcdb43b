//! How to begin: drop or choose a folder, type a path, take the sample, or go on with something recent.

use std::path::{Path, PathBuf};

use eframe::egui::{
    Align, Align2, Button, CornerRadius, Frame, Key, Label, Layout, Margin, Rect, RichText, Shape,
    Stroke, TextEdit, Ui, UiBuilder, pos2, vec2,
};

use super::controls::{
    card, from_right, heading, icon, icon_button, muted, path_label, primary, title,
};
use super::data_panel::DataView;
use super::icons::Icon;
use super::state::{Action, Pick, State, last_name};
use super::theme::{self, RADIUS};

const WIDTH: f32 = 760.0;

pub fn start_ui(ui: &mut Ui, state: &State, view: &mut DataView) -> Option<Action> {
    let room = ui.available_rect_before_wrap();
    let width = room.width().min(WIDTH);
    let left = room.left() + (room.width() - width) / 2.0;
    let column = Rect::from_min_size(pos2(left, room.top()), vec2(width, room.height()));
    ui.scope_builder(UiBuilder::new().max_rect(column), |ui| {
        ui.set_width(width);
        ui.spacing_mut().item_spacing.y = 12.0;
        ui.add_space((room.height() * 0.06).min(48.0));
        heading_ui(ui, state, view);
        let mut action = None;
        action = drop_zone_ui(ui, state, view).or(action);
        action = sample_ui(ui, state).or(action);
        ui.spacing_mut().item_spacing.x = 12.0;
        ui.columns(2, |columns| {
            for column in &mut *columns {
                column.spacing_mut().item_spacing.x = 8.0;
            }
            action = recent_data_ui(&mut columns[0], state).or(action.take());
            action = runs_ui(&mut columns[1], state).or(action.take());
        });
        action
    })
    .inner
}

fn heading_ui(ui: &mut Ui, state: &State, view: &mut DataView) {
    if let Some(data) = &state.data {
        let back = format!("Back to {}", last_name(&data.dataset.root));
        if ui.link(back).clicked() {
            view.choose_another = false;
        }
    }
    title(ui, "Start with pictures of good parts");
    muted(
        ui,
        "Flawscope learns what good parts look like. It expects a folder of good pictures, with defective ones in \
         folders of their own if you have any; MVTec AD folders are recognised as they are.",
    );
}

fn drop_zone_ui(ui: &mut Ui, state: &State, view: &mut DataView) -> Option<Action> {
    let palette = theme::palette(ui);
    let frame = Frame::new()
        .fill(palette.card)
        .corner_radius(CornerRadius::same(RADIUS + 2))
        .inner_margin(Margin::symmetric(24, 20));
    let mut action = None;
    let drawn = frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.vertical_centered(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(44.0, 44.0), eframe::egui::Sense::hover());
            super::icons::paint(ui.painter(), rect, Icon::Drop, palette.accent);
            heading(ui, "Drop a folder of pictures here");
            let choose = primary(ui, "Choose a folder…").min_size(vec2(180.0, 34.0));
            let hint = "Ctrl+O";
            if ui
                .add_enabled(!state.is_busy(), choose)
                .on_hover_text(hint)
                .clicked()
            {
                action = Some(Action::Pick(Pick::DataFolder));
            }
        });
        ui.add_space(4.0);
        action = path_field_ui(ui, state, view).or(action.take());
    });
    dashed(ui, drawn.response.rect);
    action
}

/// A path can always be typed, also where the desktop has no file dialog.
fn path_field_ui(ui: &mut Ui, state: &State, view: &mut DataView) -> Option<Action> {
    from_right(ui, 28.0, |ui| {
        let path = typed_path(&view.path);
        let ready = path.is_some() && !state.is_busy();
        let open = ui.add_enabled(ready, Button::new("Open"));
        let field = ui.add_sized(
            vec2(ui.available_width(), ui.spacing().interact_size.y),
            TextEdit::singleline(&mut view.path)
                .hint_text("or paste a path and press Enter")
                .align(Align2::LEFT_CENTER),
        );
        field.widget_info(|| {
            eframe::egui::WidgetInfo::labeled(eframe::egui::Role::TextInput, true, "Folder path")
        });
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        ((entered || open.clicked()) && ready)
            .then_some(path)
            .flatten()
            .map(Action::OpenPath)
    })
}

/// What was meant by the typed text: without quotes around it, with `~` for the home folder.
pub fn typed_path(text: &str) -> Option<PathBuf> {
    let text = text.trim().trim_matches(['"', '\'']);
    let text = text.strip_prefix("file://").unwrap_or(text);
    if text.is_empty() {
        return None;
    }
    if let Some(rest) = text.strip_prefix("~/") {
        return std::env::home_dir().map(|home| home.join(rest));
    }
    Some(PathBuf::from(text))
}

fn dashed(ui: &Ui, rect: Rect) {
    let corners = [
        rect.left_top(),
        rect.right_top(),
        rect.right_bottom(),
        rect.left_bottom(),
        rect.left_top(),
    ];
    let stroke = Stroke::new(1.5, theme::palette(ui).muted);
    ui.painter()
        .extend(Shape::dashed_line(&corners, stroke, 6.0, 5.0));
}

fn sample_ui(ui: &mut Ui, state: &State) -> Option<Action> {
    card(ui, |ui| {
        from_right(ui, 40.0, |ui| {
            let button = Button::new("Try the sample data set").min_size(vec2(0.0, 32.0));
            let tried = ui.add_enabled(!state.is_busy(), button).clicked();
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                heading(ui, "No pictures at hand?");
                muted(
                    ui,
                    "A printed metal part with five kinds of defects, drawn in seconds",
                );
            });
            tried.then_some(Action::TrySample)
        })
    })
}

fn recent_data_ui(ui: &mut Ui, state: &State) -> Option<Action> {
    card(ui, |ui| {
        heading(ui, "Recent folders");
        if state.recent.data().is_empty() {
            muted(ui, "Folders you open are listed here");
        }
        recent_rows_ui(ui, state, state.recent.data(), Action::OpenFolder)
    })
}

fn runs_ui(ui: &mut Ui, state: &State) -> Option<Action> {
    card(ui, |ui| {
        heading(ui, "Trained models and runs");
        let mut action = recent_rows_ui(ui, state, state.recent.runs(), Action::OpenRun);
        if state.recent.runs().is_empty() {
            muted(ui, "Open what was trained before, here or elsewhere");
        }
        ui.add_enabled_ui(!state.is_busy(), |ui| {
            ui.horizontal(|ui| {
                if ui
                    .button("Run folder…")
                    .on_hover_text("Ctrl+Shift+O")
                    .clicked()
                {
                    action = Some(Action::Pick(Pick::RunFolder));
                }
                if ui.button("Model file…").clicked() {
                    action = Some(Action::Pick(Pick::ModelFile));
                }
            });
        });
        action
    })
}

fn recent_rows_ui(
    ui: &mut Ui,
    state: &State,
    paths: &[PathBuf],
    open: impl Fn(PathBuf) -> Action,
) -> Option<Action> {
    let mut action = None;
    for path in paths {
        match recent_row_ui(ui, path, !state.is_busy()) {
            Some(Pressed::Open) => action = Some(open(path.clone())),
            Some(Pressed::Forget) => action = Some(Action::ForgetRecent(path.clone())),
            None => {}
        }
    }
    action
}

enum Pressed {
    Open,
    Forget,
}

fn recent_row_ui(ui: &mut Ui, path: &Path, enabled: bool) -> Option<Pressed> {
    let accent = theme::palette(ui).accent;
    let mut pressed = None;
    from_right(ui, 38.0, |ui| {
        let forget = format!("Forget {}", last_name(path));
        if icon_button(ui, Icon::Cross, &forget).clicked() {
            pressed = Some(Pressed::Forget);
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            icon(ui, Icon::Folder, theme::palette(ui).muted);
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                let name = RichText::new(last_name(path)).color(accent);
                let link = Label::new(name)
                    .truncate()
                    .sense(eframe::egui::Sense::click());
                if ui.add_enabled(enabled, link).clicked() {
                    pressed = Some(Pressed::Open);
                }
                path_label(ui, &path.display().to_string());
            });
        });
    });
    pressed
}

#[cfg(test)]
mod tests {
    use super::typed_path;
    use std::path::PathBuf;

    #[test]
    fn pasted_paths_lose_quotes_and_blanks() {
        for typed in [
            "/data/a b",
            " /data/a b\n",
            "\"/data/a b\"",
            "file:///data/a b",
        ] {
            assert_eq!(typed_path(typed), Some(PathBuf::from("/data/a b")));
        }
        assert_eq!(typed_path("  "), None);
        assert_eq!(typed_path("\"\""), None);
    }

    #[test]
    fn a_tilde_is_the_home_folder() {
        let home = std::env::home_dir().unwrap();
        assert_eq!(typed_path("~/parts"), Some(home.join("parts")));
    }
}
