//! What the held-out good pictures prove at the limit in force, in one sentence, with what it does not cover.

use eframe::egui::{Label, RichText, Ui};

use super::super::theme;
use crate::metrics::proof::caveats;
use crate::metrics::wording::unbroken;
use crate::metrics::{DecisionRule, what_it_proves};
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
