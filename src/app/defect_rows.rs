//! The rows of the training form for models that learn from defects: which real ones, where they may be, and how the
//! simulated ones are made.

use eframe::egui::{Align2, Button, Label, RichText, Role, TextEdit, Ui, vec2};

use super::controls::{form_row, from_right, icon, segment, small_button};
use super::icons::Icon;
use super::state::{Action, OpenData, Pick, Place, State};
use super::taught_sheet::TaughtSheet;
use super::taught_words::PURELY_SYNTHETIC;
use super::train_form::{TrainForm, preset_name};
use super::train_plan::{SeenDefects, obstacle};
use super::train_rows::named;
use super::{theme, words};
use crate::config::Recipe;
use crate::data::augment::ForegroundRule;

pub fn defect_rows_ui(
    ui: &mut Ui,
    state: &State,
    data: &OpenData,
    form: &mut TrainForm,
    sheet: &mut TaughtSheet,
) -> Option<Action> {
    let mut action = seen_row(ui, data);
    product_row(ui, state, data, form);
    action = textures_row(ui, form).or(action);
    recipe_row(ui, form);
    examples_row(ui, state, data, form, sheet).or(action)
}

fn seen_row(ui: &mut Ui, data: &OpenData) -> Option<Action> {
    let seen = SeenDefects::of(data);
    let pressed = form_row(ui, "Seen defects", "", |ui| {
        let text = match seen.ticked() {
            0 => "None ticked".to_owned(),
            ticked => format!("{} ticked", words::grouped(ticked)),
        };
        ui.label(RichText::new(text).color(theme::palette(ui).strong));
        small_button(ui, "Tick and paint in Data").clicked()
    });
    below_row(ui, |ui| seen_note_ui(ui, data, &seen));
    pressed.then_some(Action::Go(Place::Data))
}

/// Under the control of a row, in the place of its hint.
fn below_row(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    // The row leaves room for the next one.
    ui.add_space(-10.0);
    form_row(ui, "", "", |ui| ui.vertical(contents));
}

/// Of which types they are, or what it means that there are none.
fn seen_note_ui(ui: &mut Ui, data: &OpenData, seen: &SeenDefects) {
    ui.spacing_mut().item_spacing.y = 2.0;
    if seen.usable() > 0 {
        small(ui, &of_types(&seen.types));
        small(ui, "Learned from, and never tested with");
    } else {
        warning_line(ui, PURELY_SYNTHETIC);
        let hint = if data.defective().next().is_none() {
            "This data set has no defective pictures to tick"
        } else {
            "Tick a few defects in Data and paint their masks where they have none; ten are usual"
        };
        small(ui, hint);
    }
    if seen.without_mask > 0 {
        let verb = if seen.without_mask == 1 {
            "has"
        } else {
            "have"
        };
        let text = format!(
            "{} of them {verb} no mask",
            words::grouped(seen.without_mask)
        );
        warning_line(
            ui,
            &format!("{text}: nothing is learned there until one is painted"),
        );
    }
}

/// `4 scratch, 6 dent`.
fn of_types(types: &[(String, usize)]) -> String {
    let types: Vec<String> = types
        .iter()
        .map(|(name, count)| format!("{} {name}", words::grouped(*count)))
        .collect();
    types.join(", ")
}

fn small(ui: &mut Ui, text: &str) {
    let color = theme::palette(ui).muted;
    ui.add(Label::new(RichText::new(text).small().color(color)).wrap());
}

fn warning_line(ui: &mut Ui, text: &str) {
    let color = theme::palette(ui).warning;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        icon(ui, Icon::Warning, color);
        ui.add(Label::new(RichText::new(text).small().color(color)).wrap());
    });
}

fn product_row(ui: &mut Ui, state: &State, data: &OpenData, form: &mut TrainForm) {
    let config = form.run_config(data);
    let taught = state.taught.as_ref();
    let reason = taught.and_then(|taught| taught.product_reason(&config));
    let hint = match reason {
        Some(reason) => words::capitalised(reason),
        None => rule_hint(form.foreground).to_owned(),
    };
    form_row(ui, "Product", &hint, |ui| rule_ui(ui, &mut form.foreground));
}

/// The choice of how the product is told from its background.
pub fn rule_ui(ui: &mut Ui, chosen: &mut ForegroundRule) {
    ui.horizontal_wrapped(|ui| {
        for rule in ForegroundRule::ALL {
            segment(ui, chosen, rule, rule_name(rule)).on_hover_text(rule_hint(rule));
        }
    });
}

fn rule_name(rule: ForegroundRule) -> &'static str {
    match rule {
        ForegroundRule::Automatic => "Automatic",
        ForegroundRule::Everything => "Whole picture",
        ForegroundRule::Bright => "Bright",
        ForegroundRule::Dark => "Dark",
        ForegroundRule::Colourful => "Colourful",
        ForegroundRule::Pale => "Pale",
    }
}

fn rule_hint(rule: ForegroundRule) -> &'static str {
    match rule {
        ForegroundRule::Automatic => {
            "Defects are simulated on the product; where it is, the good pictures tell"
        }
        ForegroundRule::Everything => {
            "Defects are simulated anywhere: the product fills the picture"
        }
        ForegroundRule::Bright => "Defects are simulated on a bright product before dark ground",
        ForegroundRule::Dark => "Defects are simulated on a dark product before bright ground",
        ForegroundRule::Colourful => {
            "Defects are simulated on a colourful product before grey, black or white ground"
        }
        ForegroundRule::Pale => {
            "Defects are simulated on a grey, black or white product before colourful ground"
        }
    }
}

fn textures_row(ui: &mut Ui, form: &mut TrainForm) -> Option<Action> {
    let hint = if form.textures.trim().is_empty() {
        "None needed. Pictures of surfaces, such as DTD, make simulated defects more varied"
    } else {
        "Simulated defects are made of these pictures as well"
    };
    form_row(ui, "Textures", hint, |ui| {
        from_right(ui, 28.0, |ui| {
            let choose = ui.button("Choose…").clicked();
            if !form.textures.is_empty() && ui.button("Clear").clicked() {
                form.textures.clear();
            }
            let size = vec2(ui.available_width(), ui.spacing().interact_size.y);
            let field = TextEdit::singleline(&mut form.textures)
                .hint_text("None")
                .align(Align2::LEFT_CENTER);
            let drawn = ui.add_sized(size, field);
            named(&drawn, Role::TextInput, "Folder of textures");
            choose.then_some(Action::Pick(Pick::TextureFolder))
        })
    })
}

fn recipe_row(ui: &mut Ui, form: &mut TrainForm) {
    let mut chosen = form.recipe();
    let mut hint = recipe_hint(chosen).to_owned();
    if form.recipe.is_some() {
        let own = recipe_name(form.preset.recipe());
        let preset = preset_name(form.preset);
        hint = format!("Chosen by hand; {preset} takes {own}. {hint}");
    }
    form_row(ui, "Recipe", &hint, |ui| {
        for recipe in [Recipe::Refined, Recipe::Published] {
            segment(ui, &mut chosen, recipe, recipe_name(recipe))
                .on_hover_text(recipe_hint(recipe));
        }
    });
    if chosen != form.recipe() {
        form.choose_recipe(chosen);
    }
}

fn recipe_name(recipe: Recipe) -> &'static str {
    match recipe {
        Recipe::Published => "Published",
        Recipe::Refined => "Refined",
    }
}

fn recipe_hint(recipe: Recipe) -> &'static str {
    match recipe {
        Recipe::Published => "Defects are made as in the paper, for comparing with its numbers",
        Recipe::Refined => {
            "Scratches, stains and soft edges that look more like defects of the product"
        }
    }
}

/// The way to the sheet of examples, and what became of it last.
fn examples_row(
    ui: &mut Ui,
    state: &State,
    data: &OpenData,
    form: &TrainForm,
    sheet: &mut TaughtSheet,
) -> Option<Action> {
    let current = state
        .taught
        .as_ref()
        .filter(|taught| taught.drawn.is_ok() && taught.is_of(&form.run_config(data)));
    let obstacle = obstacle(state, form).filter(|_| current.is_none() && state.drawing().is_none());
    let hint = match (&state.taught, &obstacle) {
        _ if state.drawing().is_some() => "Drawing…",
        (_, Some(obstacle)) => obstacle,
        (Some(taught), _) if taught.drawn.is_err() => "The drawing failed; look why, or try again",
        (Some(_), _) if current.is_none() => "Drawn with earlier settings",
        (Some(_), _) => "Drawn with these settings",
        (None, _) => "Examples of what the network will be shown, to look at before training",
    };
    let pressed = form_row(ui, "Examples", hint, |ui| {
        let button = Button::new("Show what it is taught");
        ui.add_enabled(obstacle.is_none(), button).clicked()
    });
    pressed.then(|| sheet.open(state, data, form)).flatten()
}

#[cfg(test)]
mod tests {
    use super::of_types;

    #[test]
    fn seen_defects_are_counted_by_type() {
        let types = [("dent".to_owned(), 6), ("scratch".to_owned(), 4)];
        assert_eq!(of_types(&types), "6 dent, 4 scratch");
        assert_eq!(of_types(&[]), "");
    }
}
