//! What pressing the button will do with these pictures, and what the result can prove.

use std::path::Path;

use eframe::egui::{Align2, FontId, Label, RichText, Sense, Ui, vec2};

use super::controls::{card, heading, muted};
use super::state::OpenData;
use super::taught_words::PURELY_SYNTHETIC;
use super::theme;
use super::train_form::TrainForm;
use super::train_plan::{SeenDefects, Share, proven_false_rejects, steps};
use super::words;
use crate::config::{ModelConfig, PrnConfig};

pub fn outlook_ui(ui: &mut Ui, data: &OpenData, form: &TrainForm, out: &Path) {
    card(ui, |ui| {
        heading(ui, "What will happen");
        for (index, step) in outlook(data, form, out).iter().enumerate() {
            step_ui(ui, index + 1, &step.what, &step.why);
        }
    });
}

/// What an epoch goes through.
fn epoch_shows(form: &TrainForm) -> String {
    match form.model_config() {
        ModelConfig::Prn(PrnConfig {
            epoch_pictures: Some(pictures),
            ..
        }) => format!("of {} good and defective ones", words::grouped(pictures)),
        _ => "over all of them".to_owned(),
    }
}

struct Step {
    what: String,
    why: String,
}

fn outlook(data: &OpenData, form: &TrainForm, out: &Path) -> Vec<Step> {
    let share = Share::of(data);
    let category = data.category();
    let all = category.map_or(0, |category| category.judged().count());
    let unlabelled = category.map_or(0, |category| category.unlabelled().count());
    let seen = seen_defects(data, form);
    let test = all - seen.unwrap_or(0).min(all);
    let proven = proven_false_rejects(share.held_out) * 100.0;
    let step = |what: String, why: String| Step { what, why };
    let mut outlook = vec![step(
        format!(
            "{} train the model",
            words::count(share.training, "good picture")
        ),
        format!(
            "{} {}{}; the last one counts, whatever the test pictures say",
            words::count(form.model_config().epochs(), "epoch"),
            epoch_shows(form),
            steps(form, data).map_or_else(String::new, |steps| {
                format!(", {} in all", words::count(steps, "step"))
            }),
        ),
    )];
    match seen {
        Some(0) => outlook.push(step(
            "Defects are simulated on them".to_owned(),
            format!("{PURELY_SYNTHETIC}. What real defects look like is not learned"),
        )),
        Some(seen) => outlook.push(step(
            format!(
                "{} and simulated ones are learned from",
                words::count(seen, "seen defect")
            ),
            "The seen ones are varied and brought onto good pictures, and are left out of the test"
                .to_owned(),
        )),
        None => {}
    }
    if let Some(rotation) = form.model_config().rotation() {
        outlook.push(step(
            format!(
                "Each is seen in {} turned by up to {} degrees",
                words::count(rotation.draws, "version"),
                rotation.degrees
            ),
            "Drawn once from the seed. A part that lies slightly turned then still counts as good"
                .to_owned(),
        ));
    }
    outlook.extend([
        step(
            format!(
                "{} are held out and set the limit",
                words::count(share.held_out, "good picture")
            ),
            format!(
                "None of them rejected proves at most {proven:.1} % false rejects at 95 % confidence; proving 1 % takes 299 pictures"
            ),
        ),
        scored(test, unlabelled),
        step(
            "Inspect and Results open".to_owned(),
            format!(
                "Everything is kept in {}. A cancelled training is kept there, too, and can go on later",
                out.display()
            ),
        ),
    ]);
    outlook
}

/// What is scored in the end: test pictures measure the result, unlabelled ones do not.
fn scored(test: usize, unlabelled: usize) -> Step {
    let (tested, others) = (
        words::count(test, "test picture"),
        words::count(unlabelled, "unlabelled picture"),
    );
    let verb = if test + unlabelled == 1 { "is" } else { "are" };
    let (who, why) = match (test, unlabelled) {
        (_, 0) => (
            tested,
            "They measure the result and touch neither the model nor its limit",
        ),
        (0, _) => (
            others,
            "Nobody has judged them, so nothing measures the result. They touch neither the model nor its limit",
        ),
        _ => (
            format!("{tested} and {others}"),
            "The test pictures measure the result, the unlabelled ones do not. None touches the model or its limit",
        ),
    };
    Step {
        what: format!("{who} {verb} scored with it"),
        why: why.to_owned(),
    }
}

/// How many real defects are learned from; `None` for models that learn from good pictures alone.
fn seen_defects(data: &OpenData, form: &TrainForm) -> Option<usize> {
    let learns = form.model.learns_from_defects();
    learns.then(|| SeenDefects::of(data).usable())
}

fn step_ui(ui: &mut Ui, number: usize, what: &str, why: &str) {
    let palette = theme::palette(ui);
    ui.horizontal_top(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(22.0, 22.0), Sense::hover());
        ui.painter()
            .circle_filled(rect.center(), 11.0, palette.accent.gamma_multiply(0.2));
        ui.painter().text(
            rect.center(),
            Align2::CENTER_CENTER,
            number,
            FontId::proportional(12.0),
            palette.accent,
        );
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            ui.add(Label::new(RichText::new(what).color(palette.strong)).wrap());
            muted(ui, why);
        });
    });
}

#[cfg(test)]
mod tests {
    use super::scored;

    #[test]
    fn only_pictures_with_a_known_truth_measure_the_result() {
        let without = scored(83, 0);
        assert_eq!(without.what, "83 test pictures are scored with it");
        assert!(without.why.starts_with("They measure"));
        let both = scored(83, 1200);
        let what = "83 test pictures and 1,200 unlabelled pictures are scored with it";
        assert_eq!(both.what, what);
        assert!(both.why.contains("the unlabelled ones do not"));
        let alone = scored(0, 1);
        assert_eq!(alone.what, "1 unlabelled picture is scored with it");
        assert!(alone.why.contains("nothing measures the result"));
        assert_eq!(scored(0, 0).what, "0 test pictures are scored with it");
    }
}
