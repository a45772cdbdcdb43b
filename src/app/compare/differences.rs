//! The protocols under each other: what differs comes first and is named, so that numbers are not compared blindly.

use eframe::egui::{Grid, Label, RichText, Ui};

use super::super::controls;
use super::super::number_table::protocol_facts;
use super::super::theme;
use super::column::{Column, letter_ui};

/// One fact of all runs: what it is called, and what each run says.
#[derive(Debug, Clone, PartialEq)]
struct Fact {
    name: String,
    values: Vec<String>,
}

impl Fact {
    fn differs(&self) -> bool {
        self.values.windows(2).any(|pair| pair[0] != pair[1])
    }
}

pub fn protocols_ui(ui: &mut Ui, columns: &[Column<'_>]) {
    let palette = theme::palette(ui);
    let facts = facts(columns);
    let differing: Vec<String> = facts
        .iter()
        .filter(|fact| fact.differs())
        .map(|fact| fact.name.to_lowercase())
        .collect();
    ui.horizontal_wrapped(|ui| {
        controls::heading(ui, "Protocols");
        controls::muted(ui, said(&differing));
    });
    Grid::new("compared protocols")
        .num_columns(columns.len() + 1)
        .spacing([18.0, 4.0])
        .striped(true)
        .show(ui, |ui| {
            ui.label("");
            for column in columns {
                letter_ui(ui, column.letter, column.colour);
            }
            ui.end_row();
            for fact in &facts {
                let (mark, colour) = if fact.differs() {
                    (" (differs)", palette.strong)
                } else {
                    ("", palette.muted)
                };
                ui.label(RichText::new(format!("{}{mark}", fact.name)).color(colour));
                for value in &fact.values {
                    let text = controls::shortened(value, 48);
                    let label = Label::new(RichText::new(text).color(colour));
                    ui.add(label).on_hover_text(value);
                }
                ui.end_row();
            }
        });
}

fn said(differing: &[String]) -> String {
    match differing {
        [] => "The same in all runs".to_owned(),
        names => format!("They differ in: {}", names.join(", ")),
    }
}

/// Every fact any run tells, those that differ first, otherwise in the order of the first run.
fn facts(columns: &[Column<'_>]) -> Vec<Fact> {
    let told: Vec<Vec<[String; 3]>> = columns
        .iter()
        .map(|column| {
            let evaluation = column.evaluation;
            protocol_facts(
                column.run,
                &evaluation.protocol,
                evaluation.images_per_second,
            )
        })
        .collect();
    joined(&told)
}

fn joined(told: &[Vec<[String; 3]>]) -> Vec<Fact> {
    let mut names: Vec<&String> = Vec::new();
    for [name, ..] in told.iter().flatten() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let value = |facts: &Vec<[String; 3]>, name: &String| {
        let found = facts.iter().find(|[other, ..]| other == name);
        found.map_or_else(|| "–".to_owned(), |[_, value, _]| value.clone())
    };
    let mut facts: Vec<Fact> = names
        .into_iter()
        .map(|name| Fact {
            name: name.clone(),
            values: told.iter().map(|facts| value(facts, name)).collect(),
        })
        .collect();
    facts.sort_by_key(|fact| !fact.differs());
    facts
}

#[cfg(test)]
mod tests {
    use super::{joined, said};

    fn told(facts: &[(&str, &str)]) -> Vec<[String; 3]> {
        let fact =
            |(name, value): &(&str, &str)| [(*name).to_owned(), (*value).to_owned(), String::new()];
        facts.iter().map(fact).collect()
    }

    #[test]
    fn what_differs_comes_first_and_what_is_missing_is_a_dash() {
        let a = told(&[("Model", "cfa"), ("Seed", "0"), ("Input", "224")]);
        let b = told(&[
            ("Model", "cfa"),
            ("Seed", "1"),
            ("Input", "224"),
            ("Unlabelled", "3"),
        ]);
        let facts = joined(&[a, b]);
        let names: Vec<&str> = facts.iter().map(|fact| fact.name.as_str()).collect();
        assert_eq!(names, ["Seed", "Unlabelled", "Model", "Input"]);
        assert_eq!(facts[1].values, ["–", "3"]);
        assert!(!facts[2].differs());
    }

    #[test]
    fn differences_are_named_in_a_sentence() {
        assert_eq!(said(&[]), "The same in all runs");
        let names = ["seed".to_owned(), "input".to_owned()];
        assert_eq!(said(&names), "They differ in: seed, input");
    }
}
