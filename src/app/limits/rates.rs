//! Overkill, escapes and REVIEW as rates with exact intervals, large beside the matrix and short in heads.

use eframe::egui::{Color32, Label, RichText, Ui, vec2};

use super::super::{numbers, theme};
use super::interval_bar::{interval_bar, interval_words};
use crate::metrics::{Rate, Tally, Truth, Verdict};

/// One rate in words.
struct Named {
    name: &'static str,
    rate: Rate,
    what: &'static str,
    /// Instead of a number where there is nothing to count.
    nothing: &'static str,
    colour: Color32,
}

fn named(ui: &Ui, tally: &Tally) -> [Named; 3] {
    let palette = theme::palette(ui);
    [
        Named {
            name: "Overkill",
            rate: tally.overkill(),
            what: "good pictures fail",
            nothing: "The test set has no good pictures",
            colour: palette.fail,
        },
        Named {
            name: "Escapes",
            rate: tally.escapes(),
            what: "defective pictures pass",
            nothing: "The test set has no defective pictures",
            colour: palette.error,
        },
        Named {
            name: "Review",
            rate: tally.review(),
            what: "pictures need a person",
            nothing: "The test set has no pictures",
            colour: palette.review,
        },
    ]
}

/// Room for the name of a rate and its value.
const LABELS: f32 = 116.0;

/// Each rate on two lines: value and interval, then the counts.
pub fn rates_ui(ui: &mut Ui, tally: &Tally) {
    let palette = theme::palette(ui);
    for named in named(ui, tally) {
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing = vec2(8.0, 1.0);
            ui.horizontal(|ui| {
                ui.label(RichText::new(named.name).color(palette.text));
                ui.label(
                    RichText::new(value(named.rate))
                        .size(16.0)
                        .color(palette.strong),
                );
                // The bars stand under each other.
                ui.add_space((LABELS - ui.min_rect().width()).max(0.0));
                let width = ui.available_width().clamp(40.0, 150.0);
                interval_bar(ui, named.rate, named.colour, width);
            });
            let words = counts(&named);
            ui.add(Label::new(RichText::new(words).small().color(palette.muted)).wrap());
        });
    }
}

fn counts(named: &Named) -> String {
    let Rate { events, of } = named.rate;
    if of == 0 {
        return named.nothing.to_owned();
    }
    let interval = interval_words(named.rate);
    format!(
        "{events} of {of} {}; 95\u{a0}% interval {interval}",
        named.what
    )
}

fn value(rate: Rate) -> String {
    numbers::share(rate.events, rate.of)
}

/// The same rates on one line that wraps.
pub fn tally_line_ui(ui: &mut Ui, tally: &Tally) {
    let palette = theme::palette(ui);
    for named in named(ui, tally) {
        let is_error = named.name != "Review" && named.rate.events > 0;
        let colour = if is_error {
            palette.error
        } else {
            palette.strong
        };
        ui.label(RichText::new(named.name).color(palette.muted));
        let value = RichText::new(value(named.rate)).size(16.0).color(colour);
        ui.label(value).on_hover_text(counts(&named));
        ui.add_space(6.0);
    }
    let words = [Verdict::Pass, Verdict::Review, Verdict::Fail].map(|verdict| {
        let count = super::super::words::grouped(tally.judged(verdict));
        format!("{count} {}", verdict.word())
    });
    ui.label(RichText::new(words.join(", ")).color(palette.muted));
    let unlabelled = tally.pictures(Truth::Unlabelled);
    if unlabelled > 0 {
        let text = format!("({unlabelled} unlabelled)");
        ui.label(RichText::new(text).color(palette.muted));
    }
}
