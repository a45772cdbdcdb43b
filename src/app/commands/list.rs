//! The list of commands, as it is now: names, keys, and why one cannot be used. Draws nothing and does nothing.

use std::path::Path;

use eframe::egui::{Key, KeyboardShortcut, ModifierNames, Modifiers};

use super::super::state::{Action, Pick, Place, State, last_name};
use super::{Step, WindowAction};

/// Where a command stands in the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    File,
    View,
    Limits,
    Go,
    Help,
}

impl Group {
    pub const ALL: [Self; 5] = [Self::File, Self::View, Self::Limits, Self::Go, Self::Help];

    pub fn name(self) -> &'static str {
        match self {
            Self::File => "File",
            Self::View => "View",
            Self::Limits => "Limits",
            Self::Go => "Go",
            Self::Help => "Help",
        }
    }
}

/// Where the keys of a command are listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Anywhere,
    /// Not while text is typed, which may hold the key's own letter.
    NotTyping,
    /// In the places of a run, and not while text is typed: it has its own undo.
    OnRun,
    InInspect,
}

impl Scope {
    pub fn listens(self, place: Place, typing: Typing) -> bool {
        let free = typing == Typing::No;
        match self {
            Self::Anywhere => true,
            Self::NotTyping => free,
            Self::OnRun => free && place.needs_run(),
            Self::InInspect => free && place == Place::Inspect,
        }
    }
}

/// Whether the keys go into a text field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typing {
    Yes,
    No,
}

/// One thing that can be asked for.
#[derive(Debug, Clone)]
pub struct CommandEntry {
    pub title: String,
    /// What the title leaves out, such as a whole path; may be empty.
    pub detail: String,
    pub group: Group,
    /// The first stands in menus; all of them work.
    pub shortcuts: &'static [KeyboardShortcut],
    pub scope: Scope,
    /// Or why not, in a few words.
    pub enabled: Result<(), &'static str>,
    pub action: Action,
}

impl CommandEntry {
    fn new(group: Group, title: impl Into<String>, action: Action) -> Self {
        Self {
            title: title.into(),
            detail: String::new(),
            group,
            shortcuts: &[],
            scope: Scope::Anywhere,
            enabled: Ok(()),
            action,
        }
    }

    fn keys(mut self, scope: Scope, shortcuts: &'static [KeyboardShortcut]) -> Self {
        self.scope = scope;
        self.shortcuts = shortcuts;
        self
    }

    fn when(mut self, enabled: Result<(), &'static str>) -> Self {
        self.enabled = self.enabled.and(enabled);
        self
    }

    fn about(mut self, path: &Path) -> Self {
        self.detail = path.display().to_string();
        self
    }

    /// What choosing it asks for: itself, or to be told why it is not possible.
    pub fn chosen(&self) -> Action {
        match self.enabled {
            Ok(()) => self.action.clone(),
            Err(reason) => Action::Explain {
                title: format!("Not possible now: {}", self.title.trim_end_matches('…')),
                reason,
            },
        }
    }
}

/// A shortcut as it is written on keys.
pub fn written(shortcut: KeyboardShortcut) -> String {
    let key = match shortcut.logical_key {
        Key::Questionmark => "?",
        Key::Plus => "+",
        Key::Minus => "-",
        Key::Equals => "=",
        key => key.name(),
    };
    let held = ModifierNames::NAMES.format(&shortcut.modifiers, cfg!(target_os = "macos"));
    if held.is_empty() {
        key.to_owned()
    } else {
        format!("{held}+{key}")
    }
}

const fn plain(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::NONE, key)
}

const fn shift(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::SHIFT, key)
}

const fn ctrl(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}

const fn ctrl_shift(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), key)
}

/// What the window's state allows, or why not.
struct Allowed {
    idle: Result<(), &'static str>,
    run: Result<(), &'static str>,
    scored: Result<(), &'static str>,
}

impl Allowed {
    fn now(state: &State) -> Self {
        let evaluation = state.run.as_ref().and_then(|run| run.evaluation.as_ref());
        let scored = evaluation.is_some_and(|evaluation| !evaluation.images.is_empty());
        let run = unless(state.run.is_none(), "train a model or open a run first");
        Self {
            idle: unless(state.is_busy(), "another job is running"),
            run,
            scored: run.and(unless(!scored, "the open run has no scored pictures yet")),
        }
    }
}

fn unless(obstacle: bool, reason: &'static str) -> Result<(), &'static str> {
    if obstacle { Err(reason) } else { Ok(()) }
}

/// Every command, group by group.
pub fn commands(state: &State) -> Vec<CommandEntry> {
    let allowed = Allowed::now(state);
    let mut list = opening(&allowed);
    list.extend(recents(state, &allowed));
    list.extend(jobs(state, &allowed));
    list.extend(view());
    list.extend(limits(state, &allowed));
    list.extend(places(&allowed));
    list.extend(steps(&allowed));
    list.extend(help());
    list
}

fn opening(allowed: &Allowed) -> Vec<CommandEntry> {
    let entry = |title, action| CommandEntry::new(Group::File, title, action).when(allowed.idle);
    vec![
        entry("Open data folder…", Action::Pick(Pick::DataFolder))
            .keys(Scope::Anywhere, const { &[ctrl(Key::O)] }),
        entry("Open run folder…", Action::Pick(Pick::RunFolder))
            .keys(Scope::Anywhere, const { &[ctrl_shift(Key::O)] }),
        entry("Open model file…", Action::Pick(Pick::ModelFile)),
        entry("Try the sample data set", Action::TrySample),
    ]
}

fn recents(state: &State, allowed: &Allowed) -> Vec<CommandEntry> {
    let entry = |what: &str, path: &Path, action| {
        let title = format!("Open {what} {}", last_name(path));
        CommandEntry::new(Group::File, title, action)
            .about(path)
            .when(allowed.idle)
    };
    let data = state.recent.data().iter();
    let data = data.map(|path| entry("data set", path, Action::OpenFolder(path.clone())));
    let runs = state.recent.runs().iter();
    let runs = runs.map(|path| entry("run", path, Action::OpenRun(path.clone())));
    data.chain(runs).collect()
}

fn jobs(state: &State, allowed: &Allowed) -> Vec<CommandEntry> {
    let entry = |title, action| CommandEntry::new(Group::File, title, action);
    let run = state.run.as_ref().map(|run| run.path.clone());
    let none_compared = unless(state.comparisons.is_empty(), "no run is compared");
    let nothing_runs = unless(!state.is_busy(), "no job is running");
    vec![
        entry("Add a run to compare…", Action::Pick(Pick::ComparedRun))
            .when(allowed.run.and(allowed.idle)),
        entry("Close the compared runs", Action::CloseComparisons).when(none_compared),
        entry(
            "Score the test pictures again",
            Action::Evaluate(run.unwrap_or_default()),
        )
        .when(allowed.run.and(allowed.idle)),
        entry("Cancel the running job", Action::CancelJob).when(nothing_runs),
        entry("Write report…", Action::Pick(Pick::ReportFile))
            .keys(Scope::OnRun, const { &[ctrl(Key::E)] })
            .when(allowed.scored.and(allowed.idle)),
        entry("Quit", Action::Window(WindowAction::Quit))
            .keys(Scope::Anywhere, const { &[ctrl(Key::Q)] }),
    ]
}

fn view() -> Vec<CommandEntry> {
    let entry = |title, action| CommandEntry::new(Group::View, title, Action::Window(action));
    vec![
        entry("Make everything larger", WindowAction::Enlarge).keys(
            Scope::Anywhere,
            const { &[ctrl(Key::Plus), ctrl(Key::Equals)] },
        ),
        entry("Make everything smaller", WindowAction::Shrink)
            .keys(Scope::Anywhere, const { &[ctrl(Key::Minus)] }),
        entry("Natural size", WindowAction::NaturalSize)
            .keys(Scope::Anywhere, const { &[ctrl(Key::Num0)] }),
        entry("Switch between light and dark", WindowAction::SwitchTheme)
            .keys(Scope::Anywhere, const { &[ctrl_shift(Key::L)] }),
    ]
}

fn limits(state: &State, allowed: &Allowed) -> Vec<CommandEntry> {
    let entry = |title, action| CommandEntry::new(Group::Limits, title, action).when(allowed.run);
    let limits = &state.limits;
    let run = state.run.as_ref();
    let saved = unless(
        run.is_some_and(|run| limits.are_saved(run)),
        "the model has these limits",
    );
    let proposed = unless(
        run.is_some_and(|run| *limits.rule() == run.proposed),
        "these are the proposed limits",
    );
    vec![
        entry("Undo the last change of the limits", Action::UndoLimits)
            .keys(Scope::OnRun, const { &[ctrl(Key::Z)] })
            .when(unless(!limits.can_undo(), "no change to undo")),
        entry("Redo the change of the limits", Action::RedoLimits)
            .keys(Scope::OnRun, const { &[ctrl(Key::Y), ctrl_shift(Key::Z)] })
            .when(unless(!limits.can_redo(), "no change to redo")),
        entry("Reset the limits to the proposed ones", Action::ResetLimits).when(proposed),
        entry("Save the limits in the model", Action::SaveLimits)
            .keys(Scope::OnRun, const { &[ctrl(Key::S)] })
            .when(saved.and(allowed.idle)),
    ]
}

fn places(allowed: &Allowed) -> Vec<CommandEntry> {
    let entry = |place: Place| {
        let title = format!("Go to {}", place.name());
        let keys: &'static [KeyboardShortcut] = match place {
            Place::Data => const { &[ctrl(Key::Num1)] },
            Place::Train => const { &[ctrl(Key::Num2)] },
            Place::Inspect => const { &[ctrl(Key::Num3)] },
            Place::Results => const { &[ctrl(Key::Num4)] },
            Place::Compare => const { &[ctrl(Key::Num5)] },
        };
        let enabled = if place.needs_run() {
            allowed.run
        } else {
            Ok(())
        };
        CommandEntry::new(Group::Go, title, Action::Go(place))
            .keys(Scope::Anywhere, keys)
            .when(enabled)
    };
    Place::ALL.into_iter().map(entry).collect()
}

fn steps(allowed: &Allowed) -> Vec<CommandEntry> {
    let entry =
        |title, step| CommandEntry::new(Group::Go, title, Action::Step(step)).when(allowed.scored);
    vec![
        entry("Next picture", Step::NextPicture),
        entry("Previous picture", Step::PreviousPicture),
        entry("Next overkill or escape", Step::NextError)
            .keys(Scope::InInspect, const { &[plain(Key::N)] }),
        entry("Previous overkill or escape", Step::PreviousError)
            .keys(Scope::InInspect, const { &[shift(Key::N)] }),
    ]
}

fn help() -> Vec<CommandEntry> {
    let entry = |title, action| CommandEntry::new(Group::Help, title, Action::Window(action));
    vec![
        entry("Find a command…", WindowAction::ShowPalette).keys(
            Scope::Anywhere,
            const { &[ctrl(Key::K), ctrl_shift(Key::P)] },
        ),
        entry("Keys", WindowAction::ShowKeys).keys(
            Scope::NotTyping,
            const { &[plain(Key::Questionmark), plain(Key::F1)] },
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::Path;

    use super::super::super::state::{Action, Place, State};
    use super::{CommandEntry, Scope, Typing, commands, written};

    fn entry(state: &State, title: &str) -> CommandEntry {
        let list = commands(state).into_iter();
        let mut found = list.filter(|entry| entry.title == title);
        found.next().unwrap_or_else(|| panic!("no {title}"))
    }

    #[test]
    fn no_two_commands_share_keys_or_a_name() {
        let list = commands(&State::default());
        let keys = list.iter().flat_map(|entry| entry.shortcuts);
        let keys: Vec<String> = keys.copied().map(written).collect();
        let different: HashSet<&String> = keys.iter().collect();
        assert_eq!(different.len(), keys.len(), "{keys:?}");
        let names: HashSet<&str> = list.iter().map(|entry| entry.title.as_str()).collect();
        assert_eq!(names.len(), list.len());
    }

    #[test]
    fn an_empty_window_says_why_it_cannot() {
        let state = State::default();
        for title in ["Go to Results", "Write report…", "Next picture"] {
            let entry = entry(&state, title);
            assert_eq!(entry.enabled, Err("train a model or open a run first"));
            assert!(matches!(entry.chosen(), Action::Explain { .. }));
        }
        assert_eq!(
            entry(&state, "Go to Train").chosen(),
            Action::Go(Place::Train)
        );
        assert_eq!(
            entry(&state, "Cancel the running job").enabled,
            Err("no job is running")
        );
    }

    #[test]
    fn each_recent_folder_is_a_command_with_its_whole_path() {
        let mut state = State::default();
        state.recent.remember_data(Path::new("/data/line 3"));
        state.recent.remember_run(Path::new("/runs/lid-cfa"));
        let data = entry(&state, "Open data set line 3");
        assert_eq!(data.detail, "/data/line 3");
        assert_eq!(data.action, Action::OpenFolder("/data/line 3".into()));
        let run = entry(&state, "Open run lid-cfa");
        assert_eq!(run.action, Action::OpenRun("/runs/lid-cfa".into()));
    }

    #[test]
    fn keys_are_left_to_text_that_is_typed() {
        let typing = Typing::Yes;
        assert!(Scope::Anywhere.listens(Place::Data, typing));
        for scope in [Scope::NotTyping, Scope::OnRun, Scope::InInspect] {
            assert!(!scope.listens(Place::Inspect, typing));
            assert!(scope.listens(Place::Inspect, Typing::No));
        }
        assert!(!Scope::OnRun.listens(Place::Data, Typing::No));
        assert!(!Scope::InInspect.listens(Place::Results, Typing::No));
    }

    #[test]
    #[cfg(not(target_os = "macos"))]
    fn keys_are_written_as_on_the_keyboard() {
        let state = State::default();
        let all = |title: &str| {
            let keys: Vec<String> = entry(&state, title)
                .shortcuts
                .iter()
                .copied()
                .map(written)
                .collect();
            keys.join(" ")
        };
        assert_eq!(all("Open run folder…"), "Ctrl+Shift+O");
        assert_eq!(all("Make everything larger"), "Ctrl++ Ctrl+=");
        assert_eq!(all("Keys"), "? F1");
    }
}
