//! Draws a place of the window for a run on disk and gives its texts in the order in which a screen reader meets them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui::{Role, Ui};
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use flawscope::app::compare::{CompareView, compare_ui};
use flawscope::app::inspect_panel::{InspectView, inspect_ui};
use flawscope::app::results_panel::{ResultsView, results_ui};
use flawscope::app::state::{Action, Comparison, LimitsInForce, State};
use flawscope::app::textures::Textures;
use flawscope::app::theme;
use flawscope::store::open_run;

#[derive(Debug, Clone, Copy)]
pub enum Place {
    Results,
    Inspect,
    Compare,
}

struct Window {
    place: Place,
    state: State,
    results: ResultsView,
    inspect: InspectView,
    compare: CompareView,
    textures: Textures,
}

impl Window {
    fn ui(&mut self, ui: &mut Ui) {
        theme::install(ui.ctx());
        let (state, textures) = (&self.state, &mut self.textures);
        let action = match self.place {
            Place::Results => results_ui(ui, state, &mut self.results),
            Place::Inspect => inspect_ui(ui, state, &mut self.inspect, textures),
            Place::Compare => compare_ui(ui, state, &mut self.compare, textures),
        };
        match action {
            // Inspect begins with the first picture of its list.
            Some(Action::Select(index)) => self.state.selected = index,
            other => assert!(other.is_none(), "nobody asked for {other:?}"),
        }
    }
}

/// One text, or one value with its name.
#[derive(Debug)]
struct Spoken {
    name: String,
    value: String,
    number: Option<f64>,
}

/// Everything a place says.
pub struct Labels(Vec<Spoken>);

impl Labels {
    /// The run at `open`, at the limits in its model, and others beside it.
    pub fn of(place: Place, open: &Path, others: &[PathBuf]) -> Self {
        let run = open_run(open).unwrap();
        let beside = |path: &PathBuf| Comparison::with(&run, Arc::new(open_run(path).unwrap()));
        let state = State {
            limits: LimitsInForce::of(&run),
            comparisons: others.iter().map(beside).collect(),
            run: Some(Arc::new(run)),
            ..State::default()
        };
        let window = Window {
            place,
            state,
            results: ResultsView::default(),
            inspect: InspectView::default(),
            compare: CompareView::default(),
            textures: Textures::default(),
        };
        // High enough that nothing is scrolled out of sight.
        let mut harness = Harness::builder()
            .with_size([1500.0, 4200.0])
            .build_ui_state(|ui, window: &mut Window| window.ui(ui), window);
        harness.run_steps(4);
        let nodes = harness.root().children_recursive();
        Self(nodes.filter_map(|node| spoken(&node)).collect())
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|spoken| spoken.name.as_str())
    }

    /// The texts that follow the text `name` after the text `heading`.
    pub fn after(&self, heading: &str, name: &str) -> Vec<&str> {
        let mut texts = self.texts();
        let found = texts.by_ref().any(|text| text == heading);
        assert!(found, "no {heading:?} among {:#?}", self.0);
        let found = texts.by_ref().any(|text| text == name);
        assert!(found, "no {name:?} after {heading:?} among {:#?}", self.0);
        texts.collect()
    }

    /// The only kind of text that contains `part`.
    pub fn with(&self, part: &str) -> &str {
        let found = self.texts().find(|text| text.contains(part));
        found.unwrap_or_else(|| panic!("no {part:?} among {:#?}", self.0))
    }

    pub fn says(&self, text: &str) -> bool {
        self.texts().any(|said| said == text)
    }

    /// How many texts contain `part`.
    pub fn counted(&self, part: &str) -> usize {
        self.texts().filter(|text| text.contains(part)).count()
    }

    /// What the field `name` shows.
    pub fn field(&self, name: &str) -> String {
        let found = self.0.iter().find(|spoken| {
            spoken.name == name && (spoken.number.is_some() || !spoken.value.is_empty())
        });
        let Some(spoken) = found else {
            panic!("no field {name:?} among {:#?}", self.0);
        };
        match spoken.number {
            Some(number) if spoken.value.is_empty() => number.to_string(),
            _ => spoken.value.clone(),
        }
    }
}

fn spoken(node: &egui_kittest::Node<'_>) -> Option<Spoken> {
    let node = node.accesskit_node();
    // Spaces that keep a per cent sign on its line are spaces all the same.
    let plain = |text: Option<String>| text.unwrap_or_default().replace('\u{a0}', " ");
    let (name, value) = (plain(node.label()), plain(node.value()));
    let (name, value) = match node.role() {
        Role::Label => (if value.is_empty() { name } else { value }, String::new()),
        _ => (name, value),
    };
    let number = node.numeric_value();
    let is_said = node.role() == Role::Label || !name.is_empty() || !value.is_empty();
    is_said.then_some(Spoken {
        name,
        value,
        number,
    })
}
