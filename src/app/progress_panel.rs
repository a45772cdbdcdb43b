//! A running job: phase, bar, rate, time left; for a training also the loss curve and the warnings.

use eframe::egui::{Align, Button, Label, Layout, RichText, ScrollArea, Spinner, Ui, vec2};

use super::controls::{card, from_right, heading, icon, muted, progress_bar, title};
use super::icons::Icon;
use super::job_progress::{JobProgress, PhaseProgress};
use super::loss_plot::losses_ui;
use super::state::{Action, Job, title as job_title};
use super::{taught_words, theme, words};
use crate::worker::message::Command;

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
        let below = if progress.warnings().is_empty() {
            72.0
        } else {
            190.0
        };
        losses_ui(ui, progress, below);
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

/// A running job in one card, for places that have a title of their own.
pub fn job_card_ui(ui: &mut Ui, job: &Job) -> Option<Action> {
    card(ui, |ui| {
        phase_ui(ui, &job.progress);
        ui.add_space(4.0);
        ui.horizontal(|ui| cancel_ui(ui, job)).inner
    })
}

fn header_ui(ui: &mut Ui, job: &Job) -> Option<Action> {
    from_right(ui, 46.0, |ui| {
        let action = cancel_ui(ui, job);
        ui.with_layout(Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            title(ui, &job_title(&job.command));
            muted(ui, subtitle(&job.command));
        });
        action
    })
}

fn cancel_ui(ui: &mut Ui, job: &Job) -> Option<Action> {
    let text = if job.cancelling {
        "Stopping…"
    } else {
        "Cancel"
    };
    let button = Button::new(text).min_size(vec2(90.0, 34.0));
    let cancel = ui
        .add_enabled(!job.cancelling, button)
        .on_hover_text(what_cancelling_keeps(&job.command));
    cancel.clicked().then_some(Action::CancelJob)
}

fn what_cancelling_keeps(command: &Command) -> &'static str {
    match command.training() {
        Some(_) => "What was learned so far is kept, and the training can go on later",
        None => "Stops at once; nothing is changed",
    }
}

fn subtitle(command: &Command) -> String {
    if let Some((config, out)) = command.training() {
        let seen = config.defects.as_ref().map_or_else(String::new, |defects| {
            format!(". {}", taught_words::chosen(&defects.seen))
        });
        return format!(
            "{} on {}, into {}{seen}",
            config.model.title(),
            super::train_form::backbone_name(config.backbone.kind),
            out.display()
        );
    }
    let path = match command {
        Command::OpenData { root: path, .. }
        | Command::OpenRun { path }
        | Command::OpenComparison { path } => path,
        Command::MakeSample { out, .. } | Command::WriteReport { out, .. } => out,
        Command::Evaluate { run, .. }
        | Command::DiscardTraining { run }
        | Command::SaveLimits { run, .. } => run,
        Command::ListWeights
        | Command::PreviewAugmentation { .. }
        | Command::Train { .. }
        | Command::Resume { .. } => {
            return String::new();
        }
    };
    path.display().to_string()
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
    if let Some(device) = progress.device() {
        let line = RichText::new(format!("On {device}")).small();
        ui.add(Label::new(line.color(palette.muted)).truncate());
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
    use super::phase_numbers;
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
}
