//! The runs side by side, each with its letter, line and verdicts. Plain data but for the colours.

use eframe::egui::{Color32, Response, Role, Sense, TextStyle, Ui, WidgetInfo, vec2};
use egui_plot::LineStyle;

use super::super::state::State;
use super::super::theme;
use crate::metrics::comparison::{Compared, LETTERS};
use crate::worker::message::RunSummary;

/// One of the runs that are compared. The open one comes first.
pub struct Column<'a> {
    /// A, B, C: never a colour alone.
    pub letter: char,
    pub colour: Color32,
    pub style: LineStyle,
    pub run: &'a RunSummary,
    /// Its numbers and verdicts.
    pub of: Compared<'a>,
}

/// The open run and those beside it that have results.
pub fn columns<'a>(ui: &Ui, state: &'a State) -> Vec<Column<'a>> {
    let palette = theme::palette(ui);
    let looks = [
        (palette.accent, LineStyle::Solid),
        (palette.second, LineStyle::dashed_dense()),
        (palette.third, LineStyle::dotted_dense()),
    ];
    let open = state.run.as_deref().map(|run| {
        let limits = &state.limits;
        (run, run.compared(limits.rule(), limits.judgement(), None))
    });
    let others = state
        .comparisons
        .iter()
        .map(|other| (other.run.as_ref(), other.compared()));
    let runs = open.into_iter().chain(others);
    let columns = runs.zip(LETTERS.into_iter().zip(looks));
    let columns = columns.map(|((run, of), (letter, (colour, style)))| {
        Some(Column {
            letter,
            colour,
            style,
            run,
            of: of?,
        })
    });
    columns.flatten().collect()
}

/// The letter of a run on its colour.
pub fn letter_ui(ui: &mut Ui, letter: char, colour: Color32) -> Response {
    let font = TextStyle::Button.resolve(ui.style());
    let ground = theme::palette(ui).on_accent;
    let galley = ui
        .painter()
        .layout_no_wrap(letter.to_string(), font, ground);
    let (rect, response) = ui.allocate_exact_size(vec2(20.0, 20.0), Sense::hover());
    let name = format!("Run {letter}");
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &name));
    ui.painter().rect_filled(rect, 4.0, colour);
    let at = rect.center() - galley.size() / 2.0;
    ui.painter().galley(at, galley, ground);
    response
}
