//! The settings a run depends on and the hashes that pin what it was made of.

use anyhow::Result;
use serde_json::Value;

use super::facts::Facts;
use super::html::{pairs, section};

pub fn settings(facts: &Facts) -> Result<String> {
    let model = &facts.source.model;
    let config = &model.meta.config;
    let backbone = &model.meta.backbone;
    let carried = if backbone.embedded {
        "carried inside the model file"
    } else {
        "kept outside the model file"
    };
    let fact = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let hashes = [
        fact("Model identity, whatever its limits", model.identity()),
        fact("Model file with these limits", &model.checksum),
        fact(
            &format!("Weights of {}", backbone.kind.name()),
            &format!("{} ({carried})", backbone.sha256),
        ),
        fact(
            "Training pictures, names and contents",
            &model.meta.provenance.data_fingerprint,
        ),
    ];
    let programs = [
        fact("Trained by", &flawscope(&model.meta.program_version)),
        fact("Scored by", &flawscope(&facts.protocol().program_version)),
        fact("Reported by", &flawscope(env!("CARGO_PKG_VERSION"))),
    ];
    // By way of text, so that a short number stays as short as it was written.
    let values: Value = serde_json::from_str(&serde_json::to_string(config)?)?;
    let mut rows = Vec::new();
    flatten("", &values, &mut rows);
    let body = format!(
        "<div class=\"hashes\">{}</div>\n{}<div class=\"settings\">{}</div>\n",
        pairs("SHA-256", &hashes),
        pairs("Programs", &programs),
        pairs("Settings of the run", &rows)
    );
    Ok(section("settings", "Settings and hashes", &body))
}

fn flawscope(version: &str) -> String {
    format!("Flawscope {version}")
}

/// One row for each setting, named by the way to it.
fn flatten(name: &str, value: &Value, rows: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (field, value) in fields {
                let name = if name.is_empty() {
                    field.clone()
                } else {
                    format!("{name}.{field}")
                };
                flatten(&name, value, rows);
            }
        }
        value => rows.push((name.to_owned(), plain(value))),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(fields) if fields.is_empty() => "none".to_owned(),
        Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::flatten;
    use serde_json::json;

    #[test]
    fn settings_are_named_by_the_way_to_them() {
        let mut rows = Vec::new();
        let value = json!({"a": {"b": 0.1, "c": [1, 2]}, "d": null, "e": {}});
        flatten("", &value, &mut rows);
        let rows: Vec<_> = rows.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(
            rows,
            [
                ("a.b", "0.1"),
                ("a.c", "1, 2"),
                ("d", "not set"),
                ("e", "none")
            ]
        );
    }
}
