//! The note about a training that did not come to its end, and the ways on: go on, start again, discard.

use eframe::egui::{Align, Button, Label, Layout, Ui, vec2};

use super::controls::{
    Answer, Question, card, from_right, heading, icon, muted, path_label, primary, question_ui,
};
use super::icons::Icon;
use super::state::{Action, Ending, State, UnfinishedTraining, product};
use super::{taught_words, theme};
use crate::worker::message::InterruptedTraining;

/// What the user is asked to confirm, because it throws work away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    StartAgain,
    Discard,
}

pub fn unfinished_ui(
    ui: &mut Ui,
    state: &State,
    unfinished: &UnfinishedTraining,
    asking: &mut Option<Asking>,
) -> Option<Action> {
    card(ui, |ui| {
        let mut action = title_ui(ui, unfinished);
        if let Ending::Failed(story) = &unfinished.ending {
            ui.add(Label::new(story).wrap());
        }
        if let Some(kept) = &unfinished.kept {
            muted(ui, standing(kept));
        }
        seen_ui(ui, unfinished);
        if let Some(kept) = &unfinished.kept {
            path_label(ui, &kept.run.display().to_string());
        }
        ui.horizontal_wrapped(|ui| {
            ui.add_enabled_ui(!state.is_busy(), |ui| {
                action = ways_on_ui(ui, unfinished, asking).or(action.take());
            });
            if let Ending::Failed(story) = &unfinished.ending
                && ui.button("Copy details").clicked()
            {
                action = Some(Action::CopyText(story.clone()));
            }
        });
        ask_ui(ui, unfinished, asking).or(action)
    })
}

/// Which defects it learns from; going on keeps to them, whatever is ticked by now.
fn seen_ui(ui: &mut Ui, unfinished: &UnfinishedTraining) {
    if let Some(defects) = &unfinished.config.defects {
        let said = muted(ui, taught_words::chosen(&defects.seen));
        if let Some(ids) = taught_words::listed(&defects.seen) {
            said.on_hover_text(ids);
        }
    }
}

fn title_ui(ui: &mut Ui, unfinished: &UnfinishedTraining) -> Option<Action> {
    let palette = theme::palette(ui);
    let (shape, color, text) = match unfinished.ending {
        Ending::Failed(_) => (Icon::Cross, palette.error, "The training failed"),
        Ending::Cancelled => (Icon::Note, palette.accent, "The training was cancelled"),
        Ending::Found => (Icon::Note, palette.accent, "This training is not finished"),
    };
    from_right(ui, 28.0, |ui| {
        let mut dismiss = ui.button("Dismiss");
        if unfinished.kept.is_some() {
            dismiss = dismiss.on_hover_text("Hides this note; the training stays in its folder");
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            icon(ui, shape, color);
            heading(ui, text);
        });
        dismiss.clicked().then_some(Action::ForgetUnfinished)
    })
}

fn ways_on_ui(
    ui: &mut Ui,
    unfinished: &UnfinishedTraining,
    asking: &mut Option<Asking>,
) -> Option<Action> {
    let Some(kept) = &unfinished.kept else {
        let again = ui.button("Start again").clicked();
        return again.then(|| start_again(unfinished));
    };
    let go_on = primary(ui, "Go on").min_size(vec2(96.0, 28.0));
    let go_on = ui.add(go_on).clicked();
    for (question, name) in [
        (Asking::StartAgain, "Start again…"),
        (Asking::Discard, "Discard…"),
    ] {
        if ui.add(Button::new(name)).clicked() {
            *asking = Some(question);
        }
    }
    go_on.then(|| Action::Resume(kept.clone()))
}

fn start_again(unfinished: &UnfinishedTraining) -> Action {
    Action::Train {
        config: unfinished.config.clone(),
        out: unfinished.out.clone(),
    }
}

/// How far a training came.
fn standing(kept: &InterruptedTraining) -> String {
    let config = &kept.config;
    let (done, all) = (kept.epochs, config.model.epochs());
    let progress = match done {
        done if done >= all => format!("all {all} epochs are done, only its limits are missing"),
        0 => format!("it stopped in the first of {all} epochs"),
        done => format!("{done} of {all} epochs are done"),
    };
    let (model, product) = (config.model.title(), product(config));
    format!("{model} on {product}: {progress}. It can go on where it stopped")
}

/// Asks before what was learned is thrown away.
fn ask_ui(ui: &Ui, unfinished: &UnfinishedTraining, asking: &mut Option<Asking>) -> Option<Action> {
    let (asked, kept) = (asking.as_ref().copied()?, unfinished.kept.as_ref()?);
    let (title, consequence, yes) = match asked {
        Asking::StartAgain => (
            "Start again from the beginning?",
            "What was learned so far is replaced by the new training",
            "Start again",
        ),
        Asking::Discard => (
            "Discard this training?",
            "What was learned so far is deleted. A finished model in the folder stays",
            "Discard",
        ),
    };
    let question = Question {
        title,
        consequence,
        path: Some(&kept.run.display().to_string()),
        yes,
        no: "Keep it",
    };
    let answer = question_ui(ui, "unfinished", &question)?;
    *asking = None;
    (answer == Answer::Yes).then(|| match asked {
        Asking::StartAgain => start_again(unfinished),
        Asking::Discard => Action::DiscardTraining(kept.run.clone()),
    })
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::standing;
    use crate::config::RunConfig;
    use crate::worker::message::InterruptedTraining;

    #[test]
    fn it_is_said_how_far_a_training_came() {
        let config = RunConfig::first_look(Path::new("/data/bottle"));
        let all = config.model.epochs();
        let said = |epochs| {
            standing(&InterruptedTraining {
                run: PathBuf::from("/runs/bottle-cfa"),
                config: config.clone(),
                epochs,
            })
        };
        let expected = format!("CFA on bottle: it stopped in the first of {all} epochs.");
        assert!(said(0).starts_with(&expected), "{}", said(0));
        assert!(said(2).contains(&format!("2 of {all} epochs are done")));
        assert!(said(all).contains("limits are missing"));
    }
}
