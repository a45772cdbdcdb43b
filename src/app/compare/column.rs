//! The runs side by side, each with its letter, line and verdicts. Plain data but for the colours.

use eframe::egui::{Color32, Response, Role, Sense, TextStyle, Ui, WidgetInfo, vec2};
use egui_plot::LineStyle;

use super::super::state::State;
use super::super::theme;
use crate::metrics::{DecisionRule, Evaluation, Judgement};
use crate::worker::message::RunSummary;

/// One of the runs that are compared. The open one comes first.
pub struct Column<'a> {
    /// A, B, C: never a colour alone.
    pub letter: char,
    pub colour: Color32,
    pub style: LineStyle,
    pub run: &'a RunSummary,
    pub evaluation: &'a Evaluation,
    pub judgement: &'a Judgement,
    pub rule: DecisionRule,
    /// For each picture of the open run its row here; `None` for the open run itself.
    counterparts: Option<&'a [Option<usize>]>,
}

impl Column<'_> {
    /// The name of its folder.
    pub fn name(&self) -> String {
        let name = self.run.path.file_name();
        name.map_or_else(
            || self.run.path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        )
    }

    /// The row of the open run's picture `index` here, if this run knows the picture.
    pub fn row(&self, index: usize) -> Option<usize> {
        match self.counterparts {
            None => Some(index),
            Some(counterparts) => *counterparts.get(index)?,
        }
    }
}

/// The open run and those beside it that have results.
pub fn columns<'a>(ui: &Ui, state: &'a State) -> Vec<Column<'a>> {
    let palette = theme::palette(ui);
    let looks = [
        ('A', palette.accent, LineStyle::Solid),
        ('B', palette.second, LineStyle::dashed_dense()),
        ('C', palette.third, LineStyle::dotted_dense()),
    ];
    let open = state.run.as_deref().map(|run| {
        let judgement: &Judgement = state.limits.judgement();
        (run, judgement, state.limits.rule().clone(), None)
    });
    let others = state.comparisons.iter().map(|other| {
        let judgement: &Judgement = &other.judgement;
        let rule = other.run.limits.rule();
        let counterparts = Some(other.counterparts.as_slice());
        (other.run.as_ref(), judgement, rule, counterparts)
    });
    let runs = open.into_iter().chain(others);
    let columns = runs.zip(looks).map(|(of, (letter, colour, style))| {
        let (run, judgement, rule, counterparts) = of;
        let evaluation = run.evaluation.as_deref()?;
        Some(Column {
            letter,
            colour,
            style,
            run,
            evaluation,
            judgement,
            rule,
            counterparts,
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
