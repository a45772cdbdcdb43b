//! What comes in from the desktop: dropped paths, and the wish to close the window while a training runs.

use std::path::PathBuf;

use eframe::egui::{
    Align2, Color32, CornerRadius, FontId, Id, LayerId, Order, Stroke, StrokeKind, Ui,
    ViewportCommand,
};

use super::controls::{Answer, Question, question_ui};
use super::state::{Action, COMPARED, State, last_name};
use super::theme;
use super::user_folders::is_free;
use crate::data::OpenOptions;
use crate::data::synthetic::SampleSettings;
use crate::worker::is_run;
use crate::worker::message::Command;

/// What opening this path means: a run, or else a data set. A single picture stands for its folder.
pub fn command_for(path: PathBuf) -> Command {
    if is_run(&path) {
        return Command::OpenRun { path };
    }
    let root = match path.parent() {
        Some(parent) if path.is_file() => parent.to_path_buf(),
        _ => path,
    };
    Command::OpenData {
        root,
        options: OpenOptions::default(),
    }
}

/// Draws the sample data set, or opens it when it was drawn before.
pub fn sample_command(out: PathBuf, settings: SampleSettings) -> Command {
    if is_free(&out) {
        Command::MakeSample { out, settings }
    } else {
        Command::OpenData {
            root: out,
            options: OpenOptions::default(),
        }
    }
}

/// Opens what was dropped onto the window in this frame.
pub fn dropped(ui: &Ui) -> Option<Action> {
    let paths: Vec<PathBuf> = ui.input(|input| {
        let dropped = input.raw.dropped_files.iter();
        dropped.map(|file| file.path().to_path_buf()).collect()
    });
    (!paths.is_empty()).then_some(Action::OpenDropped(paths))
}

/// What opening several paths at once means: the first, and when that is a run, the next runs beside it.
pub fn commands_for(paths: Vec<PathBuf>) -> Vec<Command> {
    let mut paths = paths.into_iter();
    let Some(first) = paths.next().map(command_for) else {
        return Vec::new();
    };
    let beside = matches!(first, Command::OpenRun { .. });
    let runs = paths.filter(|path| beside && is_run(path)).take(COMPARED);
    let runs = runs.map(|path| Command::OpenComparison { path });
    std::iter::once(first).chain(runs).collect()
}

/// While something hovers over the window: what dropping it would do.
pub fn drop_hint_ui(ui: &Ui) {
    let (any, hovered): (bool, Vec<PathBuf>) = ui.input(|input| {
        let files = &input.raw.hovered_files;
        let paths = files.iter().filter_map(|file| file.path.clone());
        (!files.is_empty(), paths.collect())
    });
    if !any {
        return;
    }
    let palette = theme::palette(ui);
    let layer = LayerId::new(Order::Foreground, Id::unique("drop hint"));
    let painter = ui.ctx().layer_painter(layer);
    let area = ui.ctx().content_rect();
    painter.rect_filled(area, 0, Color32::from_black_alpha(170));
    painter.rect_stroke(
        area.shrink(16.0),
        CornerRadius::same(12),
        Stroke::new(2.0, palette.accent),
        StrokeKind::Inside,
    );
    painter.text(
        area.center(),
        Align2::CENTER_CENTER,
        drop_hint(&hovered),
        FontId::proportional(20.0),
        Color32::WHITE,
    );
}

/// Names what hovers, as far as the desktop tells.
fn drop_hint(hovered: &[PathBuf]) -> String {
    match hovered {
        [] => "Drop a folder of pictures, a run folder or a model file".to_owned(),
        [one] => format!("Drop to open {}", last_name(one)),
        [first, others @ ..] => format!(
            "Drop to open {}, and of {} more the runs to compare it with",
            last_name(first),
            others.len()
        ),
    }
}

/// Asks before a running training or a painted mask is lost with the window.
#[derive(Debug, Default)]
pub struct Closing {
    asking: bool,
    agreed: bool,
}

impl Closing {
    /// `painting` is the picture whose mask has strokes that are not saved.
    pub fn ui(&mut self, ui: &Ui, state: &State, painting: Option<&str>) -> Option<Action> {
        let loses = state.training().is_some() || painting.is_some();
        let requested = ui.input(|input| input.viewport().close_requested());
        if requested && !self.agreed && loses {
            ui.ctx().send_viewport_cmd(ViewportCommand::CancelClose);
            self.asking = true;
        }
        if !self.asking || !loses {
            self.asking = false;
            return None;
        }
        let question = question(state, painting);
        let answer = question_ui(ui, "closing", &question)?;
        self.asking = false;
        if answer == Answer::No {
            return None;
        }
        self.agreed = true;
        ui.ctx().send_viewport_cmd(ViewportCommand::Close);
        Some(Action::CancelJob)
    }
}

fn question<'a>(state: &State, painting: Option<&'a str>) -> Question<'a> {
    if state.training().is_none() {
        return Question {
            title: "A mask is not saved",
            consequence: "Closing the window discards what you painted",
            path: painting,
            yes: "Discard and close",
            no: "Keep painting",
        };
    }
    Question {
        title: "A training is running",
        consequence: consequence(state),
        path: None,
        yes: "Stop it and close",
        no: "Keep training",
    }
}

/// What closing the window does to the running training.
fn consequence(state: &State) -> &'static str {
    let job = state.training();
    let begun = job.is_some_and(|job| job.progress.has_begun_to_learn());
    if begun {
        "Closing the window stops it. What it has learned so far is kept: open its run folder to go on later"
    } else {
        "Closing the window stops it. It has not begun to learn, so nothing is lost but the preparation"
    }
}

#[cfg(test)]
mod tests {
    use super::{command_for, commands_for, drop_hint, sample_command};
    use crate::data::synthetic::SampleSettings;
    use crate::worker::message::Command;

    #[test]
    fn paths_open_as_what_they_are() {
        let root = tempfile::tempdir().unwrap();
        let run = root.path().join("run");
        std::fs::create_dir(&run).unwrap();
        std::fs::write(run.join("model.safetensors"), b"").unwrap();
        std::fs::write(root.path().join("part.png"), b"").unwrap();
        assert!(matches!(command_for(run.clone()), Command::OpenRun { path } if path == run));
        let model = run.join("model.safetensors");
        assert!(matches!(command_for(model.clone()), Command::OpenRun { path } if path == model));
        for data in [root.path().to_path_buf(), root.path().join("part.png")] {
            assert!(
                matches!(command_for(data), Command::OpenData { root: of, .. } if of == root.path())
            );
        }
    }

    #[test]
    fn of_several_runs_the_first_opens_and_two_are_compared() {
        let root = tempfile::tempdir().unwrap();
        let run = |name: &str| {
            let run = root.path().join(name);
            std::fs::create_dir(&run).unwrap();
            std::fs::write(run.join("model.safetensors"), b"").unwrap();
            run
        };
        let runs = ["a", "b", "c", "d"].map(run);
        let commands = commands_for(runs.to_vec());
        assert!(matches!(&commands[0], Command::OpenRun { path } if *path == runs[0]));
        let compared: Vec<_> = commands[1..]
            .iter()
            .map(|command| match command {
                Command::OpenComparison { path } => path.clone(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(compared, runs[1..3]);
        let data = commands_for(vec![root.path().to_path_buf(), runs[0].clone()]);
        assert_eq!(data.len(), 1, "nothing stands beside a data set");
        assert!(commands_for(Vec::new()).is_empty());
    }

    #[test]
    fn what_hovers_is_named_as_far_as_it_is_known() {
        let paths = ["/runs/lid".into(), "/runs/cup".into()];
        assert!(drop_hint(&[]).contains("a run folder"));
        assert_eq!(drop_hint(&paths[..1]), "Drop to open lid");
        assert!(drop_hint(&paths).contains("of 1 more"));
    }

    #[test]
    fn a_path_that_does_not_exist_is_left_to_the_job_to_complain_about() {
        let path = std::path::PathBuf::from("/no/such/folder");
        assert!(
            matches!(command_for(path.clone()), Command::OpenData { root, .. } if root == path)
        );
    }

    #[test]
    fn the_sample_is_drawn_once_and_opened_afterwards() {
        let root = tempfile::tempdir().unwrap();
        let out = root.path().join("sample");
        let settings = SampleSettings::default();
        assert!(matches!(
            sample_command(out.clone(), settings),
            Command::MakeSample { .. }
        ));
        std::fs::create_dir_all(out.join("part")).unwrap();
        assert!(matches!(
            sample_command(out, settings),
            Command::OpenData { .. }
        ));
    }
}
