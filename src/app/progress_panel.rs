//! A running job: phase, bar, rate, time left; for a training also the loss curve and the warnings.

use eframe::egui::{
    Align, Button, Color32, Label, Layout, RichText, ScrollArea, Spinner, Ui, vec2,
};
use egui_plot::{GridInput, GridMark, HoverPosition, Line, Plot, PlotPoints, log_grid_spacer};

use super::controls::{card, fact, from_right, heading, icon, muted, progress_bar, title};
use super::icons::Icon;
use super::job_progress::{Epoch, JobProgress, PhaseProgress};
use super::state::{Action, Job, title as job_title};
use super::theme;
use super::words;
use crate::worker::message::Command;

/// Losses that span more than this factor are drawn on a logarithmic scale.
const LOG_SPAN: f64 = 20.0;

/// A running training with everything that has been heard of it.
pub fn progress_ui(ui: &mut Ui, job: &Job) -> Option<Action> {
    ui.spacing_mut().item_spacing.y = 12.0;
    let action = header_ui(ui, job);
    let progress = &job.progress;
    card(ui, |ui| {
        phase_ui(ui, progress);
        ui.add_space(6.0);
        phases_ui(ui, progress);
    });
    card(ui, |ui| {
        epoch_ui(ui, progress.epochs().last());
        loss_ui(ui, progress);
    });
    if !progress.warnings().is_empty() {
        warnings_ui(ui, progress.warnings());
    }
    action
}

/// A running job whose result comes in one piece, such as opening a folder.
pub fn waiting_ui(ui: &mut Ui, job: &Job) -> Option<Action> {
    ui.spacing_mut().item_spacing.y = 12.0;
    let action = header_ui(ui, job);
    card(ui, |ui| phase_ui(ui, &job.progress));
    if !job.progress.warnings().is_empty() {
        warnings_ui(ui, job.progress.warnings());
    }
    action
}

fn header_ui(ui: &mut Ui, job: &Job) -> Option<Action> {
    from_right(ui, 46.0, |ui| {
        let text = if job.cancelling {
            "Stopping…"
        } else {
            "Cancel"
        };
        let button = Button::new(text).min_size(vec2(90.0, 34.0));
        let cancelled = ui.add_enabled(!job.cancelling, button).clicked();
        ui.with_layout(Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            title(ui, &job_title(&job.command));
            muted(ui, subtitle(&job.command));
        });
        cancelled.then_some(Action::CancelJob)
    })
}

fn subtitle(command: &Command) -> String {
    match command {
        Command::OpenData { root, .. } => root.display().to_string(),
        Command::MakeSample { out, .. } => out.display().to_string(),
        Command::ListWeights => String::new(),
        Command::Train { config, out } => format!(
            "{} on {}, into {}",
            config.model.name().to_uppercase(),
            super::train_form::backbone_name(config.backbone.kind),
            out.display()
        ),
        Command::OpenRun { path } => path.display().to_string(),
        Command::Evaluate { run, .. } => run.display().to_string(),
    }
}

/// The running phase: name, bar, numbers.
fn phase_ui(ui: &mut Ui, progress: &JobProgress) {
    let Some(phase) = progress.current() else {
        ui.horizontal(|ui| {
            ui.add(Spinner::new());
            ui.label("Starting…");
        });
        return;
    };
    let palette = theme::palette(ui);
    from_right(ui, 24.0, |ui| {
        if let Some(fraction) = phase.fraction() {
            let percent = format!("{:.0} %", fraction * 100.0);
            ui.label(RichText::new(percent).size(16.0).color(palette.strong));
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            heading(ui, phase.phase.name());
        });
    });
    match phase.fraction() {
        Some(fraction) => {
            let size = vec2(ui.available_width(), 8.0);
            progress_bar(ui, fraction, size);
        }
        None => {
            ui.add(Spinner::new());
        }
    }
    muted(ui, phase_numbers(phase));
}

/// `1,240 of 5,640 steps · 38.2 steps/s · about 2 min left`.
fn phase_numbers(phase: &PhaseProgress) -> String {
    let unit = phase.phase.unit();
    let mut parts = vec![match (phase.total, unit) {
        (0, _) => String::new(),
        (total, "bytes") => format!(
            "{} of {}",
            words::bytes(phase.done as f64),
            words::bytes(total as f64)
        ),
        (total, _) => format!(
            "{} of {} {unit}",
            words::grouped(phase.done),
            words::grouped(total)
        ),
    }];
    parts.extend(phase.rate().map(|rate| words::rate(rate, unit)));
    let left = phase.seconds_left().filter(|_| phase.done < phase.total);
    parts.extend(left.map(|seconds| format!("{} left", words::about(seconds))));
    parts.retain(|part| !part.is_empty());
    parts.join("   ·   ")
}

/// The phases so far, as a line of marks.
fn phases_ui(ui: &mut Ui, progress: &JobProgress) {
    let palette = theme::palette(ui);
    let [over @ .., running] = progress.phases() else {
        return;
    };
    ui.horizontal_wrapped(|ui| {
        for phase in over {
            icon(ui, Icon::Check, palette.accent);
            ui.label(
                RichText::new(phase.phase.name())
                    .small()
                    .color(palette.muted),
            );
            ui.add_space(6.0);
        }
        ui.label(
            RichText::new(running.phase.name())
                .small()
                .color(palette.strong),
        );
    });
}

fn epoch_ui(ui: &mut Ui, last: Option<&Epoch>) {
    let Some(last) = last else {
        muted(ui, "The loss is drawn here as soon as training begins");
        return;
    };
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 36.0;
        fact(ui, "Epoch", &format!("{} of {}", last.epoch, last.epochs));
        fact(ui, "Mean loss", &significant(f64::from(last.loss)));
        for (name, value) in &last.quantities {
            fact(ui, &capitalised(name), &format!("{value:.3}"));
        }
    });
    ui.add_space(4.0);
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// Three significant digits.
fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let digits = 2 - value.abs().log10().floor() as i32;
    format!("{value:.*}", digits.clamp(0, 6) as usize)
}

/// A number beside a grid line: without zeros that say nothing.
fn tick(value: f64) -> String {
    let text = significant(value);
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Loss by step, logarithmic where it falls by orders of magnitude.
fn loss_ui(ui: &mut Ui, progress: &JobProgress) {
    let losses = progress.losses();
    if losses.is_empty() {
        return;
    }
    let palette = theme::palette(ui);
    let scale = Scale::of(losses);
    let points: PlotPoints<'_> = losses
        .iter()
        .map(|[x, y]| [*x, scale.to_plot(*y)])
        .collect();
    Plot::new("loss")
        .height(plot_height(ui, progress))
        .show_crosshair(false)
        .grid_color(palette.outline)
        .y_grid_spacer(move |input| scale.grid(input))
        .show_grid([false, true])
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .x_axis_label("Step")
        .y_axis_label(scale.label())
        .y_axis_formatter(move |mark: GridMark, _| tick(scale.to_loss(mark.value)))
        .label_formatter(move |hover| match hover {
            HoverPosition::NearDataPoint { position, .. } => Some(format!(
                "Step {:.0}
Loss {}",
                position.x,
                significant(scale.to_loss(position.y))
            )),
            HoverPosition::Elsewhere { .. } => None,
        })
        .show(ui, |plot| {
            let color: Color32 = palette.accent;
            plot.line(Line::new("Loss", points).color(color).width(1.6));
        });
}

/// What is left of the window, with room for warnings below.
fn plot_height(ui: &Ui, progress: &JobProgress) -> f32 {
    let below = if progress.warnings().is_empty() {
        72.0
    } else {
        190.0
    };
    let left = ui.ctx().content_rect().bottom() - ui.cursor().top() - below;
    left.clamp(180.0, 480.0)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    Linear,
    Logarithmic,
}

impl Scale {
    fn of(losses: &[[f64; 2]]) -> Self {
        let values = losses.iter().map(|[_, loss]| *loss);
        let (least, most) = values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), loss| {
                (least.min(loss), most.max(loss))
            });
        if least > 0.0 && most / least > LOG_SPAN {
            Self::Logarithmic
        } else {
            Self::Linear
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Linear => "Loss",
            Self::Logarithmic => "Loss (log scale)",
        }
    }

    /// Where the horizontal lines stand: at powers of ten and their multiples, or at round numbers.
    fn grid(self, input: GridInput) -> Vec<GridMark> {
        if self == Self::Linear {
            return log_grid_spacer(10)(input);
        }
        let (bottom, top) = input.bounds;
        let decades = bottom.floor() as i32..=top.ceil() as i32;
        let marks = decades.flat_map(|decade| {
            (1..10).map(move |multiple| GridMark {
                value: f64::from(decade) + f64::from(multiple).log10(),
                step_size: if multiple == 1 { 1.0 } else { 0.1 },
            })
        });
        marks
            .filter(|mark| (bottom..=top).contains(&mark.value))
            .collect()
    }

    fn to_plot(self, loss: f64) -> f64 {
        match self {
            Self::Linear => loss,
            Self::Logarithmic => loss.log10(),
        }
    }

    fn to_loss(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => 10.0_f64.powf(value),
        }
    }
}

fn warnings_ui(ui: &mut Ui, warnings: &[String]) {
    const ROW_HEIGHT: f32 = 20.0;
    card(ui, |ui| {
        let palette = theme::palette(ui);
        ui.horizontal(|ui| {
            icon(ui, Icon::Warning, palette.warning);
            heading(ui, &words::count(warnings.len(), "warning"));
        });
        ScrollArea::vertical()
            .id_salt("warnings")
            .max_height(ROW_HEIGHT * 6.0)
            .auto_shrink([false, true])
            .show_rows(ui, ROW_HEIGHT, warnings.len(), |ui, rows| {
                for warning in &warnings[rows] {
                    ui.add(Label::new(warning).truncate().selectable(true));
                }
            });
    });
}

#[cfg(test)]
mod tests {
    use super::{Scale, capitalised, phase_numbers, significant, tick};
    use crate::app::job_progress::JobProgress;
    use crate::progress::{Phase, Progress};

    #[test]
    fn numbers_of_a_phase_say_how_far_how_fast_how_long() {
        let mut job = JobProgress::new(0.0);
        let (phase, total) = (Phase::Scoring, 83);
        job.apply(Progress::Phase { phase, total }, 0.0);
        let text = |job: &JobProgress| phase_numbers(job.current().unwrap());
        assert_eq!(text(&job), "0 of 83 pictures");
        job.apply(Progress::Step { done: 20 }, 10.0);
        assert_eq!(
            text(&job),
            "20 of 83 pictures   ·   2.0 pictures/s   ·   about 30 s left"
        );
        job.apply(Progress::Step { done: 83 }, 40.0);
        assert!(!text(&job).contains("left"), "{}", text(&job));
    }

    #[test]
    fn losses_over_orders_of_magnitude_get_a_logarithmic_scale() {
        let falling = [[0.0, 290.0], [1.0, 0.7]];
        assert_eq!(Scale::of(&falling), Scale::Logarithmic);
        for losses in [
            &[[0.0, 3.0], [1.0, 2.0]][..],
            &[[0.0, 3.0], [1.0, -0.1]],
            &[[0.0, 3.0], [1.0, 0.0]],
            &[],
        ] {
            assert_eq!(Scale::of(losses), Scale::Linear);
        }
        let scale = Scale::Logarithmic;
        assert!((scale.to_loss(scale.to_plot(290.0)) - 290.0).abs() < 1e-9);
    }

    #[test]
    fn three_digits_say_enough() {
        for (value, text) in [
            (290.4, "290"),
            (0.6591, "0.659"),
            (12.34, "12.3"),
            (0.0, "0"),
            (-1.234, "-1.23"),
            (1e-9, "0.000000"),
        ] {
            assert_eq!(significant(value), text);
        }
        for (value, text) in [
            (100.0, "100"),
            (10.0, "10"),
            (1.0, "1"),
            (0.5, "0.5"),
            (0.0, "0"),
        ] {
            assert_eq!(tick(value), text);
        }
        assert_eq!(capitalised("radius"), "Radius");
        assert_eq!(capitalised(""), "");
    }
}
