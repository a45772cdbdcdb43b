//! What the held-out good pictures prove at the limit in force, in one sentence, with what it does not cover.

use eframe::egui::{Label, RichText, Ui};

use super::super::theme;
use crate::metrics::{Combination, DecisionRule, what_it_proves};
use crate::worker::message::RunSummary;

const CONFIDENCE: f64 = 0.95;

/// The sentence, and the caveats below it.
pub fn proof_ui(ui: &mut Ui, run: &RunSummary, rule: &DecisionRule) {
    let palette = theme::palette(ui);
    let sentence = what_it_proves(&run.calibration_scores, rule.fail_from(), CONFIDENCE).sentence();
    let sentence = RichText::new(unbroken(&sentence)).color(palette.strong);
    ui.add(Label::new(sentence).wrap()).on_hover_text(
        "Exact binomial bound (Clopper and Pearson). It holds for parts like the held-out ones, and for a limit that was \
         fixed before looking at them or comes from their order; moved about until it pleases, it proves less",
    );
    for caveat in caveats(rule) {
        ui.add(Label::new(RichText::new(caveat).small().color(palette.warning)).wrap());
    }
}

/// Where the sentence says less than it seems to.
fn caveats(rule: &DecisionRule) -> impl Iterator<Item = &'static str> {
    let area = (rule.area.combination == Combination::ScoreOrArea).then_some(
        "The sentence is about the score alone: the area rule can fail further good pictures, and nothing is proven about it",
    );
    let oracle =
        rule.fail.origin.looks_at_test_set().then_some(
            "T2 was chosen on the test pictures, so the rates measured on them flatter it",
        );
    area.into_iter().chain(oracle)
}

/// Keeps each per cent sign on the line of its number.
pub fn unbroken(text: &str) -> String {
    text.replace(" %", "\u{a0}%")
}

#[cfg(test)]
mod tests {
    use super::caveats;
    use crate::metrics::{AreaRule, Combination, DecisionRule, Limit, LimitOrigin};

    #[test]
    fn only_what_the_sentence_does_not_cover_is_warned_of() {
        let rule = DecisionRule::single(Limit::manual(1.0), Limit::manual(0.5));
        let with = |combination| AreaRule {
            combination,
            pixels: 20.0,
        };
        assert_eq!(caveats(&rule).count(), 0);
        let forgiving = rule.clone().with_area(with(Combination::ScoreAndArea));
        assert_eq!(caveats(&forgiving).count(), 0, "it only rejects less");
        let strict = rule.clone().with_area(with(Combination::ScoreOrArea));
        assert_eq!(caveats(&strict).count(), 1);
        let oracle = Limit {
            value: 1.0,
            origin: LimitOrigin::Oracle,
        };
        assert_eq!(caveats(&strict.with_fail(oracle)).count(), 2);
    }
}
