//! The numbers of the Compare place, and of the command's text, against `flawscope compare --json`.

use serde_json::Value;

use super::labels::Labels;
use super::told::Told;

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub fn check(shown: &Labels, json: &Value, told: &mut Told) {
    assert_eq!(json["test_pictures"]["are_same"], true);
    for line in list(&json["numbers"]) {
        let name = line["name"].as_str().unwrap();
        let mut texts = shown.after("Numbers", name).into_iter();
        for cell in list(&line["cells"]) {
            cell_is(name, &mut texts, cell, told);
        }
    }
    facts(shown, &json["facts"], told);
    pictures(shown, &json["pictures"], told);
}

/// The number, whether it is the best, how far it is from the first run's, and the counts behind it.
fn cell_is<'a>(
    name: &str,
    texts: &mut impl Iterator<Item = &'a str>,
    cell: &Value,
    told: &mut Told,
) {
    let mut next = || texts.next().unwrap();
    let number = next();
    let is_rate = !cell["counts"].is_null();
    if is_rate {
        told.percent(name, number, &cell["value"]);
    } else {
        told.number(name, number, &cell["value"]);
    }
    if cell["is_best"] == true {
        told.text(name, next(), "best");
    }
    if !cell["difference"].is_null() {
        let text = next();
        assert!(text.starts_with(['+', '-']), "{name}: {text}");
        if is_rate {
            let text = text.replace(" points", " %");
            told.percent(name, &text, &cell["difference"]);
        } else {
            told.number(name, text, &cell["difference"]);
        }
    }
    if is_rate {
        told.counts(name, next(), &cell["counts"]);
    }
}

/// Capital letters stay where they are all there is.
fn within_a_sentence(name: &str) -> String {
    let word = |word: &str| {
        if word == word.to_uppercase() {
            word.to_owned()
        } else {
            word.to_lowercase()
        }
    };
    name.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn facts(shown: &Labels, facts: &Value, told: &mut Told) {
    let mut differing = Vec::new();
    for fact in list(facts) {
        let name = fact["name"].as_str().unwrap();
        let mut label = name.to_owned();
        if fact["differs"] == true {
            label.push_str(" (differs)");
            differing.push(within_a_sentence(name));
        }
        let values = shown.after("Protocols", &label);
        for (shown, value) in values.iter().zip(list(&fact["values"])) {
            let value = value.as_str().unwrap();
            if value.chars().count() <= 48 {
                told.text(name, shown, value);
            }
        }
    }
    let sentence = format!("They differ in: {}", differing.join(", "));
    told.is(&sentence, shown.says(&sentence));
}

fn pictures(shown: &Labels, pictures: &Value, told: &mut Told) {
    let (contested, all) = (&pictures["contested"], &pictures["compared"]);
    let sentence = format!("{contested} of {all} pictures get different verdicts");
    told.is(&sentence, shown.says(&sentence));
    for (agreement, letter) in list(&pictures["agreement"]).iter().zip(["B", "C"]) {
        let sentence = format!("agree on {} of {}", agreement["same"], agreement["of"]);
        told.is(&sentence, shown.says(&sentence));
        for pair in list(&agreement["different"]) {
            let word = |name: &str| pair[name].as_str().unwrap();
            let (first, other) = (word("first"), word("other"));
            let badge = format!("A {first}, {letter} {other}: {}", pair["pictures"]);
            told.is(&badge, shown.counted(&badge) > 0);
        }
    }
    let named = list(&pictures["named"]);
    assert_eq!(Value::from(named.len()), *contested);
    // The list shows some of them at a time.
    assert!(named.len() >= 5, "{named:?}");
    for picture in named.iter().take(5) {
        let texts = shown.after("Pictures on which they disagree", &sentence_of(picture));
        let relative = texts.iter().filter(|text| text.parse::<f64>().is_ok());
        for (shown, opinion) in relative.zip(list(&picture["opinions"])) {
            told.number("relative score", shown, &opinion["relative"]);
        }
    }
}

/// `test/dent/003.png, dent: A FAIL, B PASS`.
fn sentence_of(picture: &Value) -> String {
    let opinions = list(&picture["opinions"]).iter().zip(["A", "B", "C"]);
    let said: Vec<String> = opinions
        .map(|(opinion, letter)| format!("{letter} {}", opinion["verdict"].as_str().unwrap()))
        .collect();
    let text = |name: &str| picture[name].as_str().unwrap();
    format!("{}, {}: {}", text("path"), text("defect"), said.join(", "))
}

/// What the command says to people.
pub fn check_text(text: &str, json: &Value, told: &mut Told) {
    for line in list(&json["numbers"]) {
        let name = line["name"].as_str().unwrap();
        let found = text.lines().find_map(|text| text.strip_prefix(name));
        let columns: Vec<&str> = found.unwrap().split("  ").map(str::trim).collect();
        let columns = columns.iter().filter(|column| !column.is_empty());
        for (column, cell) in columns.zip(list(&line["cells"])) {
            let number = column.split([',', ' ']).next().unwrap();
            if cell["counts"].is_null() {
                told.number(name, number, &cell["value"]);
            } else {
                told.percent(name, &format!("{number} %"), &cell["value"]);
            }
            let is_best = cell["is_best"] == true;
            told.is(name, column.contains(" best") == is_best);
        }
    }
    let named = list(&json["pictures"]["named"]);
    for (index, picture) in named.iter().enumerate() {
        let is_named = text.contains(&sentence_of(picture));
        told.is("only so many are named", is_named == (index < 3));
    }
}
