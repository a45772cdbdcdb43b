//! The menu of ways to come to T2, each with the limit it would give, or with why it cannot.

use std::sync::Arc;

use eframe::egui::containers::menu::{MenuButton, MenuConfig};
use eframe::egui::style::StyleModifier;
use eframe::egui::{Button, DragValue, Label, PopupCloseBehavior, RichText, Ui};

use super::super::badge::warning_badge;
use super::super::cached::{Cached, Same};
use super::super::state::LimitEdit;
use super::super::{numbers, theme};
use crate::metrics::{DecisionRule, Limit, Truth, Way, propose};
use crate::worker::message::RunSummary;

/// What each way asks of the user, and what came of it last.
#[derive(Debug)]
pub struct WaysView {
    /// These three in per cent.
    quantile: f64,
    false_rejects: f64,
    confidence: f64,
    overkill: f64,
    escape: f64,
    proposals: Cached<Asked, Vec<Proposal>>,
}

/// What the proposals are made from.
type Asked = (Same<RunSummary>, [Way; 5]);

/// The limit a way leads to, or why it leads to none.
type Proposal = Result<Limit, String>;

impl Default for WaysView {
    fn default() -> Self {
        Self {
            quantile: 99.5,
            false_rejects: 1.0,
            confidence: 95.0,
            overkill: 1.0,
            escape: 10.0,
            proposals: Cached::default(),
        }
    }
}

impl WaysView {
    fn ways(&self) -> [Way; 5] {
        [
            Way::HeldOutMaximum,
            Way::HeldOutQuantile {
                quantile: self.quantile / 100.0,
            },
            Way::FalseRejectBound {
                false_rejects: self.false_rejects / 100.0,
                confidence: self.confidence / 100.0,
            },
            Way::Cost {
                overkill: self.overkill,
                escape: self.escape,
            },
            Way::BestF1,
        ]
    }
}

pub fn ways_ui(
    ui: &mut Ui,
    rule: &DecisionRule,
    run: &Arc<RunSummary>,
    view: &mut WaysView,
) -> Option<LimitEdit> {
    let stays = MenuConfig::new()
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        // Buttons and fields look like such, not like the entries of a menu.
        .style(StyleModifier::default());
    let menu = MenuButton::new("Set T2 by…").config(stays);
    let (_, shown) = menu.ui(ui, |ui| {
        ui.set_width(430.0);
        menu_ui(ui, run, view)
    });
    let limit = shown.and_then(|shown| shown.inner)?;
    Some(LimitEdit::Rule(rule.clone().with_fail(limit)))
}

fn menu_ui(ui: &mut Ui, run: &Arc<RunSummary>, view: &mut WaysView) -> Option<Limit> {
    let inputs = (Same(Arc::clone(run)), view.ways());
    let proposals = view.proposals.get(inputs, |(run, ways)| {
        let test = labelled(&run.0);
        let propose = |way: &Way| propose(*way, &run.0.calibration_scores, &test);
        let told = |way| propose(way).map_err(|error| error.to_string());
        ways.iter().map(told).collect()
    });
    let proposals = proposals.clone();
    let mut chosen = None;
    for (way, proposal) in view.ways().into_iter().zip(proposals) {
        ui.horizontal(|ui| {
            let name = name(way);
            let set = ui.add_enabled(proposal.is_ok(), Button::new("Set"));
            if set.accessible_name(format!("Set T2 by {name}")).clicked() {
                chosen = proposal.as_ref().ok().cloned();
                ui.close();
            }
            ui.label(RichText::new(name).color(theme::palette(ui).strong));
            inputs_ui(ui, way, view);
        });
        outcome_ui(ui, way, &proposal);
        ui.add_space(4.0);
    }
    chosen
}

/// Scores of the test pictures that somebody has labelled, with whether each is defective.
fn labelled(run: &RunSummary) -> Vec<(f32, bool)> {
    let rows = run.evaluation.iter().flat_map(|e| e.images.iter());
    rows.filter(|row| row.truth() != Truth::Unlabelled)
        .map(|row| (row.score, row.is_defective()))
        .collect()
}

fn name(way: Way) -> &'static str {
    match way {
        Way::HeldOutMaximum => "maximum of the held-out good pictures",
        Way::HeldOutQuantile { .. } => "quantile of the held-out good pictures",
        Way::FalseRejectBound { .. } => "a proven bound on false rejects",
        Way::Cost { .. } => "lowest cost",
        Way::BestF1 => "best F1",
    }
}

fn inputs_ui(ui: &mut Ui, way: Way, view: &mut WaysView) {
    let muted = theme::palette(ui).muted;
    let percent = |ui: &mut Ui, value: &mut f64, name: &str| {
        let field = DragValue::new(value).range(0.0..=100.0).speed(0.1);
        ui.add(field.max_decimals(3).suffix(" %"))
            .accessible_name(name)
            .on_hover_text(name);
    };
    let cost = |ui: &mut Ui, value: &mut f64, name: &str| {
        let field = DragValue::new(value).range(0.0..=1e9).speed(0.1);
        ui.add(field).accessible_name(name).on_hover_text(name);
    };
    match way {
        Way::HeldOutMaximum => {}
        Way::HeldOutQuantile { .. } => percent(ui, &mut view.quantile, "Quantile"),
        Way::FalseRejectBound { .. } => {
            percent(ui, &mut view.false_rejects, "False rejects at most");
            ui.label(RichText::new("at").color(muted));
            percent(ui, &mut view.confidence, "Confidence");
        }
        Way::Cost { .. } => {
            ui.label(RichText::new("overkill").color(muted));
            cost(ui, &mut view.overkill, "Cost of an overkill");
            ui.label(RichText::new("escape").color(muted));
            cost(ui, &mut view.escape, "Cost of an escape");
            warning(ui, "looks at the test set");
        }
        Way::BestF1 => warning(ui, "oracle"),
    }
}

fn warning(ui: &mut Ui, text: &str) {
    let hint = "Chosen on the test pictures themselves: the rates measured on them flatter it";
    warning_badge(ui, text, theme::palette(ui).warning).on_hover_text(hint);
}

/// What would come of it, or in one sentence why nothing can.
fn outcome_ui(ui: &mut Ui, way: Way, proposal: &Result<Limit, String>) {
    let palette = theme::palette(ui);
    let (text, colour) = match proposal {
        Ok(limit) => (
            format!("T2 would be {}", numbers::score(limit.value)),
            palette.muted,
        ),
        Err(why) => (capitalised(why), palette.warning),
    };
    let text = RichText::new(text).small().color(colour);
    let label = ui.add(Label::new(text).wrap());
    if matches!(way, Way::FalseRejectBound { .. }) {
        label.on_hover_text("Exact, from the order of the held-out scores");
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters
        .next()
        .map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}

#[cfg(test)]
mod tests {
    use super::{WaysView, capitalised};
    use crate::metrics::Way;

    #[test]
    fn per_cents_become_shares() {
        let ways = WaysView::default().ways();
        let bound = Way::FalseRejectBound {
            false_rejects: 0.01,
            confidence: 0.95,
        };
        assert_eq!(ways[1], Way::HeldOutQuantile { quantile: 0.995 });
        assert_eq!(ways[2], bound);
    }

    #[test]
    fn sentences_begin_with_a_capital() {
        assert_eq!(capitalised("proving 1 %"), "Proving 1 %");
        assert_eq!(capitalised(""), "");
    }
}
