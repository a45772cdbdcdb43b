//! Says which rule decided about the picture, in the words of the rule itself. Decides nothing.

use eframe::egui::Ui;

use super::super::badge::{badge, verdict_colour};
use super::super::state::State;
use super::super::{numbers, theme};
use crate::metrics::{Combination, DecisionRule, Region, Verdict};
use crate::worker::message::RunSummary;

/// One badge for the score, one for the area where the rule asks for it.
pub fn decided_ui(ui: &mut Ui, state: &State, run: &RunSummary, score: f32, largest: Option<f64>) {
    let rule = state.limits.rule();
    let region = run.regions.as_deref().map_or(Region::Unknown, |table| {
        table.region(state.selected, rule.pixel.value, rule.area)
    });
    let muted = theme::palette(ui).muted;
    let (text, verdict) = by_score(rule, score);
    let overruled = rule.verdict(score, region) != verdict;
    let colour = if overruled {
        muted
    } else {
        verdict_colour(ui, verdict)
    };
    badge(ui, &text, colour).on_hover_text("What the two limits say about the image score");
    if let Some((text, verdict)) = by_area(rule, region, largest) {
        let colour = verdict.map_or(muted, |verdict| verdict_colour(ui, verdict));
        badge(ui, &text, colour).on_hover_text(rule.area.combination.meaning());
    }
}

fn by_score(rule: &DecisionRule, score: f32) -> (String, Verdict) {
    let verdict = rule.of_score(score);
    let (t1, t2) = (
        numbers::score(rule.pass_below()),
        numbers::score(rule.fail_from()),
    );
    let shown = numbers::score(score);
    let word = verdict.word();
    let text = match verdict {
        Verdict::Fail => format!("score {shown} ≥ T2 {t2}: {word}"),
        Verdict::Review => format!("T1 {t1} ≤ score {shown} < T2 {t2}: {word}"),
        Verdict::Pass if rule.review.is_some() => format!("score {shown} < T1 {t1}: {word}"),
        Verdict::Pass => format!("score {shown} < T2 {t2}: {word}"),
    };
    (text, verdict)
}

/// What the smallest area says, and the verdict it forces.
fn by_area(
    rule: &DecisionRule,
    region: Region,
    largest: Option<f64>,
) -> Option<(String, Option<Verdict>)> {
    if rule.area.is_off() {
        return None;
    }
    let smallest = format!("{:.0} px", rule.area.pixels);
    let shown = largest.map_or_else(String::new, |area| format!(" {area:.0} px"));
    let forced = match (rule.area.combination, region) {
        (Combination::ScoreAndArea, Region::TooSmall) => Some(Verdict::Pass),
        (Combination::ScoreOrArea, Region::LargeEnough) => Some(Verdict::Fail),
        _ => None,
    };
    let mut text = match region {
        Region::LargeEnough => format!("largest region{shown} ≥ {smallest}"),
        Region::TooSmall if largest == Some(0.0) => "no region at the pixel limit".to_owned(),
        Region::TooSmall => format!("largest region{shown} below {smallest}"),
        Region::Unknown => "regions not measured: the score decides".to_owned(),
    };
    if let Some(verdict) = forced {
        text = format!("{text}: {}", verdict.word());
    }
    Some((text, forced))
}

#[cfg(test)]
mod tests {
    use super::{by_area, by_score};
    use crate::metrics::{AreaRule, Combination, DecisionRule, Limit, Region, Verdict};

    fn rule(combination: Combination) -> DecisionRule {
        DecisionRule::single(Limit::manual(2.0), Limit::manual(1.0)).with_area(AreaRule {
            combination,
            pixels: 50.0,
        })
    }

    #[test]
    fn the_score_is_told_against_the_limit_that_decided() {
        let banded = rule(Combination::ScoreOnly).with_review(Some(Limit::manual(1.0)));
        let texts = [0.5, 1.5, 2.0].map(|score| by_score(&banded, score).0);
        assert_eq!(
            texts,
            [
                "score 0.5000 < T1 1.000: PASS",
                "T1 1.000 ≤ score 1.500 < T2 2.000: REVIEW",
                "score 2.000 ≥ T2 2.000: FAIL"
            ]
        );
        let (text, _) = by_score(&rule(Combination::ScoreOnly), 1.5);
        assert_eq!(text, "score 1.500 < T2 2.000: PASS");
    }

    #[test]
    fn the_area_is_told_only_where_it_has_a_say() {
        let said = |combination, region, largest| by_area(&rule(combination), region, largest);
        let off = said(Combination::ScoreOnly, Region::LargeEnough, Some(420.0));
        assert_eq!(off, None);
        let large = said(Combination::ScoreOrArea, Region::LargeEnough, Some(420.0));
        assert_eq!(
            large,
            Some((
                "largest region 420 px ≥ 50 px: FAIL".to_owned(),
                Some(Verdict::Fail)
            ))
        );
        let speck = said(Combination::ScoreAndArea, Region::TooSmall, None);
        let (text, verdict) = speck.unwrap();
        assert_eq!(text, "largest region below 50 px: PASS");
        assert_eq!(verdict, Some(Verdict::Pass));
        let unknown = said(Combination::ScoreOrArea, Region::Unknown, None);
        assert_eq!(unknown.unwrap().1, None);
    }
}
