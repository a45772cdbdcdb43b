//! The protocols of several runs, fact by fact: what differs comes first and is named, so that numbers are not compared
//! blindly.

use serde::Serialize;

use super::Compared;
use crate::metrics::protocol_facts;

/// One fact of all runs: what it is called, and what each run says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fact {
    pub name: String,
    pub values: Vec<String>,
    pub differs: bool,
}

/// Every fact any run tells, those that differ first, otherwise in the order of the first run.
pub fn facts(runs: &[Compared<'_>]) -> Vec<Fact> {
    let told: Vec<_> = runs
        .iter()
        .map(|run| protocol_facts(run.evaluation, run.rule))
        .collect();
    joined(&told)
}

/// In what the runs differ.
pub fn differences_sentence(facts: &[Fact]) -> String {
    let differing = facts.iter().filter(|fact| fact.differs);
    let names: Vec<String> = differing
        .map(|fact| within_a_sentence(&fact.name))
        .collect();
    if names.is_empty() {
        return "The same in all runs".to_owned();
    }
    format!("They differ in: {}", names.join(", "))
}

/// Capital letters stay where they are all there is: `T1`, `SHA-256`.
fn within_a_sentence(name: &str) -> String {
    let words = name.split(' ').map(|word| {
        if word.chars().any(char::is_lowercase) {
            word.to_lowercase()
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Measured while the pictures were scored: told, but no part of how the numbers came about.
const MEASURED: [&str; 1] = ["Speed"];

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
        .map(|name| {
            let values: Vec<String> = told.iter().map(|facts| value(facts, name)).collect();
            Fact {
                name: name.clone(),
                differs: !MEASURED.contains(&name.as_str())
                    && values.iter().any(|value| Some(value) != values.first()),
                values,
            }
        })
        .collect();
    facts.sort_by_key(|fact| !fact.differs);
    facts
}

#[cfg(test)]
mod tests {
    use super::{differences_sentence, joined};

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
        assert!(!facts[2].differs);
    }

    #[test]
    fn differences_are_named_in_a_sentence() {
        let same = [told(&[("Seed", "0")]), told(&[("Seed", "0")])];
        let sentence = differences_sentence(&joined(&same));
        assert_eq!(sentence, "The same in all runs");
        let other = told(&[("Seed", "1"), ("Backbone SHA-256", "5c"), ("T1", "0.5")]);
        let sentence = differences_sentence(&joined(&[same[0].clone(), other]));
        assert_eq!(sentence, "They differ in: seed, backbone SHA-256, T1");
    }

    #[test]
    fn another_speed_is_told_and_is_no_other_protocol() {
        let facts = joined(&[told(&[("Speed", "20")]), told(&[("Speed", "21")])]);
        assert_eq!(facts[0].values, ["20", "21"]);
        assert_eq!(differences_sentence(&facts), "The same in all runs");
    }
}
