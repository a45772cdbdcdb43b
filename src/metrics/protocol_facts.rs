//! How the numbers of a run came about, fact by fact, in words.

use super::{AreaRule, DecisionRule, Evaluation, Limit, wording};

/// Name and value, and the whole value where it was shortened. The limits are those of `rule`.
pub fn protocol_facts(evaluation: &Evaluation, rule: &DecisionRule) -> Vec<[String; 3]> {
    let protocol = &evaluation.protocol;
    let fact = |name: &str, value: String| [name.to_owned(), value, String::new()];
    let hash = |name: &str, value: &str| [name.to_owned(), shortened_hash(value), value.to_owned()];
    let seen = wording::seen_defects(protocol.seen.as_deref());
    let mut facts = vec![
        fact("Model", protocol.model.clone()),
        fact("Backbone", protocol.backbone.clone()),
        fact(
            "Input",
            format!(
                "{}, {} × {} px",
                protocol.input, protocol.input_width, protocol.input_height
            ),
        ),
        fact("Epochs", format!("{}, always the last", protocol.epochs)),
        fact("Seed", protocol.seed.to_string()),
        fact(
            "Trained on",
            wording::count(protocol.training_pictures, "good picture"),
        ),
        fact(
            "Held out",
            wording::count(protocol.calibration_pictures, "good picture"),
        ),
        fact(
            "Tested on",
            format!(
                "{} good, {} defective",
                protocol.test_good, protocol.test_defective
            ),
        ),
        fact("T1", rule.review.as_ref().map_or_else(no_band, limit)),
        fact("T2", limit(&rule.fail)),
        fact("Pixel limit", limit(&rule.pixel)),
        fact("Second rule", second_rule(rule.area)),
        fact(
            "Speed",
            wording::rate(evaluation.images_per_second, "pictures"),
        ),
        fact("Device", protocol.device.clone()),
        hash("Backbone SHA-256", &protocol.backbone_sha256),
        hash("Training data SHA-256", &protocol.data_fingerprint),
        fact("Program", format!("Flawscope {}", protocol.program_version)),
    ];
    if let Some(said) = seen {
        let ids = protocol.seen.as_deref().unwrap_or_default();
        let whole = match ids {
            [] => String::new(),
            ids => format!("{said}: {}", ids.join(", ")),
        };
        let before = facts.iter().position(|[name, ..]| name == "Tested on");
        let before = before.unwrap_or(facts.len());
        facts.insert(before, ["Seen defects".to_owned(), said, whole]);
    }
    if protocol.unlabelled > 0 {
        let pictures = wording::count(protocol.unlabelled, "picture");
        facts.push(fact(
            "Unlabelled",
            format!("{pictures}, scored and counted in no number"),
        ));
    }
    for (count, name) in [
        (protocol.without_mask, "Without a mask"),
        (protocol.unreadable, "Unreadable"),
    ] {
        if count > 0 {
            facts.push(fact(name, wording::count(count, "test picture")));
        }
    }
    facts
}

fn limit(limit: &Limit) -> String {
    let value = wording::score(limit.value);
    format!("{value}, {}", limit.origin.describe())
}

fn no_band() -> String {
    "none: no REVIEW band".to_owned()
}

fn second_rule(rule: AreaRule) -> String {
    if rule.is_off() {
        return "none: regions are only shown".to_owned();
    }
    let area = wording::area(rule.pixels.max(1.0), None);
    format!("{}, from {area} on", rule.combination.name().to_lowercase())
}

fn shortened_hash(hash: &str) -> String {
    let start: String = hash.chars().take(12).collect();
    format!("{start}…")
}

#[cfg(test)]
mod tests {
    use super::{second_rule, shortened_hash};
    use crate::metrics::{AreaRule, Combination};

    #[test]
    fn a_hash_is_shortened_by_characters() {
        assert_eq!(shortened_hash("0123456789abcdef"), "0123456789ab…");
    }

    #[test]
    fn the_second_rule_is_told_with_its_smallest_area() {
        let rule = |combination| AreaRule {
            combination,
            pixels: 40.0,
        };
        let off = second_rule(rule(Combination::ScoreOnly));
        assert_eq!(off, "none: regions are only shown");
        let on = second_rule(rule(Combination::ScoreOrArea));
        assert_eq!(on, "score or area, from 40 px on");
    }
}
