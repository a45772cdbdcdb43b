//! What the limit does to the test pictures: the confusion matrix in words, the two rates, recall by defect type, and
//! what the held-out pictures prove.

use eframe::egui::{
    Align2, CornerRadius, FontId, Grid, Label, Rect, RichText, Role, Sense, Stroke, StrokeKind,
    TextStyle, Ui, WidgetInfo, pos2, vec2,
};

use super::recall::{DefectRecall, recall_by_defect};
use super::verdict::Outcome;
use super::{controls, numbers, theme, words};
use crate::metrics::{Confusion, Evaluation, Truth, Verdict, pictures_to_prove, rate_bound};
use crate::worker::message::RunSummary;

const CELL_HEIGHT: f32 = 62.0;
const HEAD: f32 = 74.0;
const GOOD_PASSED: Outcome = Outcome::new(Truth::Good, Verdict::Pass);
const CAUGHT: Outcome = Outcome::new(Truth::Defective, Verdict::Fail);

/// The four cells with truth on the left and verdict on top, and the two rates below.
pub fn confusion_ui(ui: &mut Ui, confusion: Confusion) {
    controls::heading(ui, "At this limit");
    matrix_ui(ui, confusion);
    ui.add_space(6.0);
    rate_ui(
        ui,
        "Overkill rate",
        confusion.overkill_rate(),
        confusion.good_failed,
        confusion.good(),
        "good pictures rejected",
    );
    rate_ui(
        ui,
        "Escape rate",
        confusion.escape_rate(),
        confusion.defective_passed,
        confusion.defective(),
        "defective pictures passed",
    );
}

fn matrix_ui(ui: &mut Ui, confusion: Confusion) {
    let palette = theme::palette(ui);
    let width = ((ui.available_width() - HEAD - 6.0) / 2.0).max(60.0);
    let (room, _) = ui.allocate_exact_size(
        vec2(HEAD + 2.0 * width + 6.0, 20.0 + 2.0 * CELL_HEIGHT + 6.0),
        Sense::hover(),
    );
    let small = TextStyle::Small.resolve(ui.style());
    let cells = [
        (GOOD_PASSED, confusion.good_passed, "passed"),
        (
            Outcome::OVERKILL,
            confusion.good_failed,
            "rejected: overkill",
        ),
        (
            Outcome::ESCAPE,
            confusion.defective_passed,
            "passed: escapes",
        ),
        (CAUGHT, confusion.defective_failed, "rejected: caught"),
    ];
    for (column, (word, colour)) in [("PASS", palette.pass), ("FAIL", palette.fail)]
        .into_iter()
        .enumerate()
    {
        let x = room.left() + HEAD + (width + 6.0) * column as f32 + width / 2.0;
        ui.painter().text(
            pos2(x, room.top() + 8.0),
            Align2::CENTER_CENTER,
            word,
            small.clone(),
            colour,
        );
    }
    for (line, word) in ["good", "defective"].into_iter().enumerate() {
        let y = room.top() + 20.0 + (CELL_HEIGHT + 6.0) * line as f32 + CELL_HEIGHT / 2.0;
        ui.painter().text(
            pos2(room.left(), y),
            Align2::LEFT_CENTER,
            word,
            small.clone(),
            palette.text,
        );
    }
    for (index, (outcome, count, word)) in cells.into_iter().enumerate() {
        let corner = room.min
            + vec2(
                HEAD + (width + 6.0) * (index % 2) as f32,
                20.0 + (CELL_HEIGHT + 6.0) * (index / 2) as f32,
            );
        cell_ui(
            ui,
            Rect::from_min_size(corner, vec2(width, CELL_HEIGHT)),
            outcome,
            count,
            word,
        );
    }
}

fn cell_ui(ui: &Ui, rect: Rect, outcome: Outcome, count: usize, word: &str) {
    let palette = theme::palette(ui);
    let response = ui.interact(
        rect,
        ui.scope_id().with(("cell", outcome.name())),
        Sense::hover(),
    );
    let spoken = format!("{} {}", outcome.name(), count);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &spoken));
    response.on_hover_text(outcome.explanation());
    let alarm = outcome.is_error() && count > 0;
    let colour = if alarm { palette.error } else { palette.strong };
    let fill = if alarm {
        palette.error.gamma_multiply(0.12)
    } else {
        palette.button.gamma_multiply(0.5)
    };
    let border = if alarm {
        palette.error.gamma_multiply(0.6)
    } else {
        palette.outline
    };
    let radius = CornerRadius::same(5);
    ui.painter().rect_filled(rect, radius, fill);
    ui.painter()
        .rect_stroke(rect, radius, Stroke::new(1.0, border), StrokeKind::Inside);
    let number = FontId::proportional(24.0);
    let middle = rect.center();
    ui.painter().text(
        middle - vec2(0.0, 9.0),
        Align2::CENTER_CENTER,
        words::grouped(count),
        number,
        colour,
    );
    let small = TextStyle::Small.resolve(ui.style());
    let words_colour = if alarm { palette.error } else { palette.muted };
    ui.painter().text(
        middle + vec2(0.0, 17.0),
        Align2::CENTER_CENTER,
        word,
        small,
        words_colour,
    );
}

fn rate_ui(ui: &mut Ui, name: &str, rate: Option<f64>, part: usize, whole: usize, what: &str) {
    let palette = theme::palette(ui);
    let value = rate.map_or_else(|| numbers::NOT_AVAILABLE.to_owned(), numbers::percent);
    let bound = rate_bound(part, whole).map_or_else(
        || {
            format!(
                "The test set has no {}",
                what.split(' ').next().unwrap_or(what)
            )
        },
        |bound| {
            format!(
                "{part} of {whole} {what}; at most {} at 95 % confidence",
                numbers::percent(bound)
            )
        },
    );
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 1.0);
        ui.horizontal(|ui| {
            ui.label(RichText::new(name).color(palette.text));
            ui.label(RichText::new(value).size(16.0).color(palette.strong));
        });
        let bound = RichText::new(unbroken(&bound)).small().color(palette.muted);
        ui.add(Label::new(bound).wrap());
    });
}

/// Keeps each per cent sign on the line of its number.
fn unbroken(text: &str) -> String {
    text.replace(" %", "\u{a0}%")
}

/// One line for each defect type, the worst caught first.
pub fn recall_ui(ui: &mut Ui, evaluation: &Evaluation, limit: f32) {
    controls::heading(ui, "Caught by defect type");
    let recall = recall_by_defect(&evaluation.images, limit);
    if recall.is_empty() {
        controls::muted(ui, "The test set has no defective pictures");
        return;
    }
    let palette = theme::palette(ui);
    Grid::new("recall")
        .num_columns(4)
        .spacing(vec2(16.0, 8.0))
        .show(ui, |ui| {
            for (name, hint) in [
                ("Defect type", ""),
                ("Caught", "Pictures at or above the limit"),
                ("", ""),
                (
                    "Weakest",
                    "The lowest score among them: a limit at or below it catches all of this type",
                ),
            ] {
                let head = ui.label(RichText::new(name).small().color(palette.muted));
                if !hint.is_empty() {
                    head.on_hover_text(hint);
                }
            }
            ui.end_row();
            for defect in &recall {
                recall_row(ui, defect);
                ui.end_row();
            }
        });
}

fn recall_row(ui: &mut Ui, defect: &DefectRecall) {
    let palette = theme::palette(ui);
    let all = defect.caught == defect.pictures;
    ui.label(RichText::new(&defect.defect).color(palette.text));
    let text = format!("{} of {}", defect.caught, defect.pictures);
    ui.label(RichText::new(text).color(if all { palette.strong } else { palette.error }));
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(90.0, 8.0), Sense::hover());
        let radius = CornerRadius::same(4);
        ui.painter().rect_filled(rect, radius, palette.button);
        let filled = Rect::from_min_size(
            rect.min,
            vec2(rect.width() * defect.share() as f32, rect.height()),
        );
        ui.painter()
            .rect_filled(filled, radius, palette.defect_class);
        let share = numbers::share(defect.caught, defect.pictures);
        ui.label(RichText::new(share).small().color(palette.muted));
    });
    ui.label(RichText::new(numbers::score(defect.weakest)).color(palette.text));
}

/// What the held-out good pictures say about good pictures to come, at this limit.
pub fn proof_ui(ui: &mut Ui, run: &RunSummary, limit: f32) {
    controls::heading(ui, "What the held-out pictures prove");
    let palette = theme::palette(ui);
    for (index, sentence) in proof(&run.calibration_scores, limit)
        .into_iter()
        .enumerate()
    {
        let colour = if index == 0 {
            palette.strong
        } else {
            palette.muted
        };
        let sentence = RichText::new(unbroken(&sentence)).color(colour);
        ui.add(Label::new(sentence).wrap());
    }
}

/// Sentences, the most important first.
fn proof(held_out: &[f32], limit: f32) -> Vec<String> {
    let count = held_out.len();
    let failed = held_out.iter().filter(|&&score| score >= limit).count();
    let Some(bound) = rate_bound(failed, count) else {
        return vec![
            "No good pictures were held out, so nothing is known about false rejects to come"
                .to_owned(),
        ];
    };
    let pictures = words::count(count, "held-out good picture");
    let proves = if count == 1 { "proves" } else { "prove" };
    let mut sentences = vec![format!(
        "{pictures} {proves} at most {} false rejects at 95 % confidence",
        numbers::percent(bound)
    )];
    sentences.push(if failed == 0 {
        "All of them pass at this limit. They must be a fair sample of the good parts to come"
            .to_owned()
    } else {
        format!("At this limit {failed} of them would be rejected")
    });
    let needed = pictures_to_prove(0.01);
    if failed == 0 && count < needed {
        sentences.push(format!(
            "To prove 1 % takes {needed} held-out good pictures that all pass"
        ));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::proof;

    #[test]
    fn what_is_proven_follows_the_limit() {
        let held_out: Vec<f32> = (0..21).map(|i| i as f32 / 100.0).collect();
        let sentences = proof(&held_out, 0.5);
        assert_eq!(
            sentences[0],
            "21 held-out good pictures prove at most 13.3 % false rejects at 95 % confidence"
        );
        assert_eq!(
            sentences[2],
            "To prove 1 % takes 299 held-out good pictures that all pass"
        );
        let sentences = proof(&held_out, 0.19);
        assert_eq!(
            sentences[0],
            "21 held-out good pictures prove at most 27.1 % false rejects at 95 % confidence"
        );
        assert_eq!(sentences[1], "At this limit 2 of them would be rejected");
    }

    #[test]
    fn nothing_held_out_proves_nothing() {
        assert_eq!(proof(&[], 0.5).len(), 1);
    }
}
