//! A view of its own in the Train place: what the network will be shown, to be looked at before it is trained. Draws
//! nothing itself; the examples come from the worker.

mod large;
mod pictures;
mod tiles;

use eframe::egui::{
    Align, Button, CentralPanel, Frame, Key, Label, Layout, Margin, Modifiers, Panel, RichText,
    ScrollArea, Ui, vec2,
};

use super::controls::{card, from_right, heading, icon, muted, primary, title};
use super::defect_rows::rule_ui;
use super::icons::Icon;
use super::progress_panel::job_card_ui;
use super::state::{Action, OpenData, State, Taught, product};
use super::taught_words::PURELY_SYNTHETIC;
use super::train_form::TrainForm;
use super::train_plan::obstacle;
use super::{theme, words};
use crate::data::augment::ForegroundRule;
use crate::worker::message::Augmentation;
use large::large_ui;
use pictures::{Group, Outlines, Pictures};
use tiles::tiles_ui;

/// How the examples are looked at.
#[derive(Default)]
pub struct TaughtSheet {
    open: bool,
    /// How often others were asked for. Changes the examples' seed, never the training's.
    others: u64,
    outlines: Outlines,
    /// The picture that is shown large.
    large: Option<usize>,
    pictures: Option<Pictures>,
}

impl TaughtSheet {
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Opens the view; asks for examples where there are none for these settings.
    pub fn open(&mut self, state: &State, data: &OpenData, form: &TrainForm) -> Option<Action> {
        self.open = true;
        self.large = None;
        let taught = state.taught.as_ref();
        let there = taught
            .is_some_and(|taught| taught.drawn.is_ok() && taught.is_of(&form.run_config(data)));
        let draw = !there && obstacle(state, form).is_none();
        draw.then(|| self.draw(data, form))
    }

    fn draw(&mut self, data: &OpenData, form: &TrainForm) -> Action {
        self.large = None;
        let mut config = form.run_config(data);
        config.seed = config.seed.wrapping_add(self.others);
        Action::PreviewAugmentation(Box::new(config))
    }
}

pub fn sheet_ui(
    ui: &mut Ui,
    state: &State,
    data: &OpenData,
    form: &mut TrainForm,
    sheet: &mut TaughtSheet,
) -> Option<Action> {
    let frame = |top, bottom| {
        let ground = theme::palette(ui).panel;
        Frame::new().fill(ground).inner_margin(Margin {
            left: 24,
            right: 24,
            top,
            bottom,
        })
    };
    let (above, below) = (frame(16, 10), frame(6, 0));
    let head = Panel::top("taught head").resizable(false).frame(above);
    let action = head
        .show(ui, |ui| head_ui(ui, state, data, form, sheet))
        .inner;
    let body = CentralPanel::default().frame(below);
    let action = body
        .show(ui, |ui| {
            let scroll = ScrollArea::vertical().auto_shrink(false);
            scroll
                .show(ui, |ui| body_ui(ui, state, data, form, sheet))
                .inner
        })
        .inner
        .or(action);
    let escaped = ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
    if escaped {
        sheet.open = false;
    }
    action
}

/// Stays in view: whose examples these are, the ways on, and whether they are still true.
fn head_ui(
    ui: &mut Ui,
    state: &State,
    data: &OpenData,
    form: &TrainForm,
    sheet: &mut TaughtSheet,
) -> Option<Action> {
    let obstacle = obstacle(state, form);
    let taught = state.taught.as_ref().filter(|_| state.drawing().is_none());
    let shown = taught.and_then(|taught| Some((taught, taught.drawn.as_ref().ok()?)));
    let mut action = from_right(ui, 34.0, |ui| {
        if ui.button("Close").on_hover_text("Esc").clicked() {
            sheet.open = false;
        }
        let action = shown.and_then(|_| looking_ui(ui, data, form, sheet, obstacle.as_deref()));
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let product = product(&form.run_config(data));
            title(
                ui,
                &format!("What {} is taught on {product}", form.model.title()),
            );
        });
        action
    });
    if let Some((taught, drawn)) = shown {
        muted(ui, summary(taught, drawn));
        if !taught.is_of(&form.run_config(data)) {
            action = outdated_ui(ui, data, form, sheet, obstacle.as_deref()).or(action);
        }
    }
    action
}

/// How what is there is looked at, and the way to more of it.
fn looking_ui(
    ui: &mut Ui,
    data: &OpenData,
    form: &TrainForm,
    sheet: &mut TaughtSheet,
    obstacle: Option<&str>,
) -> Option<Action> {
    let others = ui
        .add_enabled(obstacle.is_none(), Button::new("Draw others"))
        .on_hover_text("From another seed, for looking only; the training keeps its own")
        .on_disabled_hover_text(obstacle.unwrap_or_default());
    let mut drawn = sheet.outlines == Outlines::Drawn;
    let switch = ui.checkbox(&mut drawn, "Outlines");
    let hint = "What is marked as defective. Point at a picture for the other view of it";
    if switch.on_hover_text(hint).changed() {
        sheet.outlines = sheet.outlines.other();
    }
    others.clicked().then(|| {
        sheet.others += 1;
        sheet.draw(data, form)
    })
}

/// `24 examples, 10 seen defects, drawn from seed 3`.
fn summary(taught: &Taught, drawn: &Augmentation) -> String {
    let seen = match drawn.seen {
        0 => "no seen defects".to_owned(),
        seen => words::count(seen, "seen defect"),
    };
    format!(
        "{}   ·   {seen}   ·   drawn from seed {}",
        words::count(drawn.examples.len(), "example"),
        taught.config.seed
    )
}

/// Something that matters was changed after the examples were drawn.
fn outdated_ui(
    ui: &mut Ui,
    data: &OpenData,
    form: &TrainForm,
    sheet: &mut TaughtSheet,
    obstacle: Option<&str>,
) -> Option<Action> {
    ui.horizontal(|ui| {
        let palette = theme::palette(ui);
        icon(ui, Icon::Warning, palette.warning);
        let text = "These examples are of earlier settings";
        ui.label(RichText::new(text).color(palette.warning));
        let again = ui
            .add_enabled(obstacle.is_none(), Button::new("Draw again"))
            .on_disabled_hover_text(obstacle.unwrap_or_default());
        again.clicked().then(|| sheet.draw(data, form))
    })
    .inner
}

fn body_ui(
    ui: &mut Ui,
    state: &State,
    data: &OpenData,
    form: &mut TrainForm,
    sheet: &mut TaughtSheet,
) -> Option<Action> {
    ui.spacing_mut().item_spacing.y = 10.0;
    if let Some(job) = state.drawing() {
        return job_card_ui(ui, job);
    }
    match &state.taught {
        None => nothing_ui(ui, state, data, form, sheet),
        Some(taught) => match &taught.drawn {
            Err(story) => failed_ui(ui, state, data, form, sheet, story),
            Ok(drawn) => {
                warnings_ui(ui, &taught.warnings);
                let TaughtSheet {
                    pictures,
                    large,
                    outlines,
                    ..
                } = sheet;
                let pictures = Pictures::of(pictures, drawn);
                *large = match *large {
                    Some(index) => large_ui(ui, pictures, index, *outlines),
                    None => groups_ui(ui, drawn, pictures, form, *outlines),
                };
                None
            }
        },
    }
}

/// The first drawing was cancelled, or could not begin.
fn nothing_ui(
    ui: &mut Ui,
    state: &State,
    data: &OpenData,
    form: &TrainForm,
    sheet: &mut TaughtSheet,
) -> Option<Action> {
    ui.add_space(ui.available_height() * 0.25);
    ui.vertical_centered(|ui| {
        heading(ui, "No examples are drawn");
        muted(
            ui,
            "They show which defects the network learns to find, and take a few seconds",
        );
        ui.add_space(6.0);
        draw_button_ui(ui, state, data, form, sheet, "Draw examples")
    })
    .inner
}

fn failed_ui(
    ui: &mut Ui,
    state: &State,
    data: &OpenData,
    form: &TrainForm,
    sheet: &mut TaughtSheet,
    story: &str,
) -> Option<Action> {
    card(ui, |ui| {
        ui.horizontal(|ui| {
            icon(ui, Icon::Cross, theme::palette(ui).error);
            heading(ui, "The examples could not be drawn");
        });
        ui.add(Label::new(story).wrap());
        ui.horizontal(|ui| {
            let action = draw_button_ui(ui, state, data, form, sheet, "Try again");
            let copy = ui.add(Button::new("Copy details").min_size(vec2(0.0, 34.0)));
            let copy = copy.clicked().then(|| Action::CopyText(story.to_owned()));
            action.or(copy)
        })
        .inner
    })
}

fn draw_button_ui(
    ui: &mut Ui,
    state: &State,
    data: &OpenData,
    form: &TrainForm,
    sheet: &mut TaughtSheet,
    name: &str,
) -> Option<Action> {
    let obstacle = obstacle(state, form);
    let button = primary(ui, name);
    let draw = ui
        .add_enabled(obstacle.is_none(), button)
        .on_disabled_hover_text(obstacle.as_deref().unwrap_or_default());
    draw.clicked().then(|| sheet.draw(data, form))
}

/// What was left out, and why.
fn warnings_ui(ui: &mut Ui, warnings: &[String]) {
    if warnings.is_empty() {
        return;
    }
    card(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        ui.horizontal(|ui| {
            icon(ui, Icon::Warning, theme::palette(ui).warning);
            heading(ui, &words::count(warnings.len(), "warning"));
        });
        ScrollArea::vertical()
            .id_salt("warnings")
            .max_height(96.0)
            .auto_shrink([false, true])
            .show(ui, |ui| {
                for warning in warnings {
                    ui.add(Label::new(warning).wrap().selectable(true));
                }
            });
    });
}

/// Returns the picture to be shown large.
fn groups_ui(
    ui: &mut Ui,
    drawn: &Augmentation,
    pictures: &mut Pictures,
    form: &mut TrainForm,
    outlines: Outlines,
) -> Option<usize> {
    let mut pressed = None;
    for group in Group::ALL {
        let there = !pictures.range(group).is_empty();
        if !there && group != Group::Seen {
            continue;
        }
        card(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 6.0;
            heading(ui, group.name());
            if there {
                muted(ui, explanation(group, drawn));
            } else {
                let warning = theme::palette(ui).warning;
                ui.label(RichText::new(PURELY_SYNTHETIC).color(warning));
                muted(
                    ui,
                    "Tick a few defects in Data and paint their masks where they have none",
                );
            }
            if group == Group::Product {
                rule_ui(ui, &mut form.foreground);
            }
            pressed = tiles_ui(ui, pictures, group, outlines).or(pressed);
        });
    }
    ui.add_space(10.0);
    pressed
}

/// What the pictures of a group are.
fn explanation(group: Group, drawn: &Augmentation) -> String {
    let text = match group {
        Group::Product => {
            let found = words::capitalised(&drawn.reason);
            let rule = match drawn.rule {
                ForegroundRule::Everything => {
                    ". Defects are simulated anywhere in it; if there is a background, choose here"
                }
                _ => ". Defects are simulated inside the outline; if it is wrong, choose here",
            };
            return format!("{found}{rule}");
        }
        Group::Good => "Taught as good, as they are",
        Group::Seen => "Real defects as they are",
        Group::Extended => "Real defects, varied and brought onto good pictures",
        Group::Simulated => "Made up on good pictures; below each, what it is made of",
    };
    text.to_owned()
}
