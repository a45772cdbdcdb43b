//! The second rule: the pixel limit, the smallest area that counts, and how both rules make one verdict, in a sentence.

use eframe::egui::{DragValue, Label, RichText, Ui};

use super::super::badge::origin_badge;
use super::super::state::{Action, LimitEdit, State};
use super::super::{controls, theme, words};
use super::pixel_limit::pixel_limit_value_ui;
use crate::metrics::wording::rule_sentence;
use crate::metrics::{AreaRule, Combination, DecisionRule, ImageRow, Judgement, Verdict};
use crate::worker::message::RunSummary;

pub fn area_rule_ui(ui: &mut Ui, state: &State, run: &RunSummary) -> Option<Action> {
    let rule = state.limits.rule();
    controls::heading(ui, "Second rule: regions");
    let measured = run.regions.is_some();
    let pixel = ui
        .horizontal_wrapped(|ui| {
            ui.label(RichText::new("Pixel limit").color(theme::palette(ui).strong));
            let action = pixel_limit_value_ui(ui, state, run);
            origin_badge(ui, &rule.pixel.origin);
            action
        })
        .inner;
    let edit = ui
        .add_enabled_ui(measured, |ui| {
            ui.horizontal_wrapped(|ui| {
                let combination = combination_ui(ui, rule);
                ui.add_space(10.0);
                combination.or(area_ui(ui, state))
            })
            .inner
        })
        .inner;
    let action = pixel.or(edit.map(Action::EditLimits));
    if measured {
        let sentence = rule_sentence(rule, state.limits.pixels_per_mm());
        let strong = theme::palette(ui).strong;
        ui.add(Label::new(RichText::new(sentence).color(strong)).wrap());
        effect_ui(ui, state, run);
    } else {
        let hint = "Score the run again to use the area rule: this result was made before regions were measured";
        controls::muted(ui, hint);
    }
    action
}

fn combination_ui(ui: &mut Ui, rule: &DecisionRule) -> Option<LimitEdit> {
    let mut area = rule.area;
    for choice in Combination::ALL {
        controls::segment(ui, &mut area.combination, choice, choice.name())
            .on_hover_text(choice.meaning());
    }
    (area != rule.area).then_some(LimitEdit::Area(area))
}

/// In square millimetres once a scale is known, else in pixels of the picture.
fn area_ui(ui: &mut Ui, state: &State) -> Option<LimitEdit> {
    let area = state.limits.rule().area;
    let scale = state.limits.pixels_per_mm();
    let pixels_per_unit = scale.map_or(1.0, |per_mm| per_mm * per_mm);
    let mut value = area.pixels / pixels_per_unit;
    let field = DragValue::new(&mut value)
        .range(0.0..=1e9)
        .speed(if scale.is_some() { 0.01 } else { 0.5 })
        .max_decimals(if scale.is_some() { 4 } else { 0 })
        .update_while_editing(false)
        .suffix(if scale.is_some() { " mm²" } else { " px" });
    ui.label(RichText::new("Smallest area").color(theme::palette(ui).strong));
    let field = ui.add(field).accessible_name("Smallest area");
    let changed = field
        .on_hover_text(
            "Regions smaller than this do not count. Pixels of the picture; mm² once a scale is set in Inspect",
        )
        .changed();
    let pixels = value * pixels_per_unit;
    changed.then_some(LimitEdit::Area(AreaRule { pixels, ..area }))
}

/// How many verdicts the second rule changes.
fn effect_ui(ui: &mut Ui, state: &State, run: &RunSummary) {
    let rule = state.limits.rule();
    if rule.area.is_off() {
        return;
    }
    let rows = run.evaluation.as_ref().map(|e| e.images.as_slice());
    let changed = changed(rows.unwrap_or_default(), state.limits.judgement(), rule);
    let effect = match rule.area.combination {
        Combination::ScoreOrArea => "fails only because of its regions",
        _ => "passes only because its regions are too small",
    };
    let effect = if changed == 1 {
        effect.to_owned()
    } else {
        effect
            .replace("fails", "fail")
            .replace("passes", "pass")
            .replace("its", "their")
    };
    controls::muted(ui, format!("{} {effect}", words::count(changed, "picture")));
}

/// Pictures that the score alone would judge otherwise.
fn changed(rows: &[ImageRow], judgement: &Judgement, rule: &DecisionRule) -> usize {
    let verdicts = rows.iter().zip(&judgement.verdicts);
    let differs = |(row, verdict): &(&ImageRow, &Verdict)| rule.of_score(row.score) != **verdict;
    verdicts.filter(differs).count()
}

#[cfg(test)]
mod tests {
    use super::changed;
    use crate::metrics::{
        AreaRule, Combination, DecisionRule, ImageRow, Judgement, Limit, Tally, Verdict,
    };

    fn rule(combination: Combination) -> DecisionRule {
        DecisionRule::single(Limit::manual(1.0), Limit::manual(0.5)).with_area(AreaRule {
            combination,
            pixels: 25.0,
        })
    }

    #[test]
    fn what_the_second_rule_changes_is_counted() {
        let row = |score| ImageRow {
            path: String::new(),
            label: "good".to_owned(),
            defect: "good".to_owned(),
            score,
        };
        let judgement = Judgement {
            verdicts: vec![Verdict::Pass, Verdict::Fail, Verdict::Pass],
            tally: Tally::default(),
        };
        let rows = [row(0.1), row(2.0), row(2.0)];
        assert_eq!(
            changed(&rows, &judgement, &rule(Combination::ScoreAndArea)),
            1
        );
    }
}
