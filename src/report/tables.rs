//! What stands beside the page for spreadsheets and programs: one row per picture, and every number as JSON.

use anyhow::Result;
use serde_json::{Value, json};

use super::facts::{CONFIDENCE, Facts, interval};
use crate::metrics::{Rate, Truth, Verdict};

/// `path,label,defect,score,verdict` with a row for every picture.
pub fn csv(facts: &Facts<'_>) -> String {
    let mut text = String::from("path,label,defect,score,verdict\n");
    for (index, row) in facts.evaluation.images.iter().enumerate() {
        let score = row.score.to_string();
        let cells = [
            row.path.as_str(),
            &row.label,
            &row.defect,
            &score,
            facts.verdict(index).word(),
        ];
        text.push_str(&cells.map(quoted).join(","));
        text.push('\n');
    }
    text
}

/// As RFC 4180 has it.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

pub fn json(facts: &Facts<'_>) -> Result<Vec<u8>> {
    let evaluation = facts.evaluation;
    let tally = &facts.judgement.tally;
    let counts: serde_json::Map<String, Value> = Truth::ALL
        .iter()
        .map(|&truth| {
            let verdicts: serde_json::Map<String, Value> = Verdict::ALL
                .iter()
                .map(|&verdict| {
                    let count = tally.count(truth, verdict);
                    (verdict.word().to_lowercase(), json!(count))
                })
                .collect();
            (truth.name().to_owned(), Value::Object(verdicts))
        })
        .collect();
    let types: Vec<Value> = facts
        .types
        .iter()
        .map(|recall| json!({ "defect": recall.name, "caught": rate(recall.caught()) }))
        .collect();
    let all = json!({
        "run": facts.name,
        "product": facts.product,
        "program_version": facts.meta.program_version,
        "model_sha256": facts.checksum,
        "scored": facts.scored,
        "settings": facts.meta.config,
        "protocol": evaluation.protocol,
        "limits": facts.meta.limits,
        "calibration_scores": facts.meta.calibration_scores,
        "proof": facts.proof,
        "confidence": CONFIDENCE,
        "counts": counts,
        "overkill": rate(tally.overkill()),
        "escapes": rate(tally.escapes()),
        "review": rate(tally.review()),
        "caught_by_type": types,
        "defect_sizes": facts.sizes,
        "numbers": {
            "image_auroc": evaluation.image.auroc,
            "image_average_precision": evaluation.image.average_precision,
            "image_f1_max_oracle": evaluation.image.f1_max,
            "pixel_auroc": evaluation.pixel_at_input.auroc,
            "pixel_average_precision": evaluation.pixel_at_input.average_precision,
            "aupro": evaluation.pixel_at_input.aupro,
            "pixel_auroc_original_size": evaluation.pixel_at_original.auroc,
            "pixel_average_precision_original_size": evaluation.pixel_at_original.average_precision,
            "aupro_original_size": evaluation.pixel_at_original.aupro,
        },
    });
    let mut bytes = serde_json::to_vec_pretty(&all)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn rate(rate: Rate) -> Value {
    json!({
        "events": rate.events,
        "of": rate.of,
        "share": rate.share(),
        "interval": interval(rate),
    })
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn commas_and_quotes_do_not_break_the_table() {
        assert_eq!(quoted("test/good/000.png"), "test/good/000.png");
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("say \"no\""), "\"say \"\"no\"\"\"");
    }
}
