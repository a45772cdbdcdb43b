//! How scores, shares, counts and areas are written for people: the same in the window and in a report. Numbers that programs
//! read are written elsewhere.

use super::{Combination, DecisionRule, Rate};

/// Stands where a number is undefined.
pub const NOT_AVAILABLE: &str = "n/a";

/// A raw score with four significant digits: scores are of any magnitude, depending on the model.
pub fn score(value: f32) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let magnitude = value.abs().log10().floor() as i32;
    if !(-4..7).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let decimals = (3 - magnitude).max(0) as usize;
    format!("{value:.decimals$}")
}

/// A metric between 0 and 1 with four decimals, or "n/a".
pub fn metric(value: Option<f64>) -> String {
    value.map_or_else(|| NOT_AVAILABLE.to_owned(), |value| format!("{value:.4}"))
}

/// A share of a whole in per cent, or "n/a" when there is no whole.
pub fn share(part: usize, whole: usize) -> String {
    if whole == 0 {
        return NOT_AVAILABLE.to_owned();
    }
    percent(part as f64 / whole as f64)
}

/// One decimal in per cent. Only an exact 0 or 1 is written as 0.0 % or 100.0 %.
pub fn percent(value: f64) -> String {
    let shown = format!("{:.1} %", 100.0 * value);
    match shown.as_str() {
        "0.0 %" if value > 0.0 => "< 0.1 %".to_owned(),
        "100.0 %" if value < 1.0 => "> 99.9 %".to_owned(),
        _ => shown,
    }
}

/// Such as "2.1 % to 48.4 %", the exact interval of a counted rate at 95 % confidence; "n/a" of nothing. Per cent signs stay
/// on the line of their number.
pub fn interval(rate: Rate) -> String {
    rate.interval().map_or_else(
        || NOT_AVAILABLE.to_owned(),
        |interval| {
            let (low, high) = (percent(interval.low), percent(interval.high));
            unbroken(&format!("{low} to {high}"))
        },
    )
}

/// Keeps each per cent sign on the line of its number.
pub fn unbroken(text: &str) -> String {
    text.replace(" %", "\u{a0}%")
}

/// `1 picture`, `12 pictures`; the plural is the singular with an `s`.
pub fn count(number: usize, singular: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {singular}{plural}", grouped(number))
}

/// Thousands set apart by a comma: `12,345`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `12.3 pictures/s`, or the time for one when it takes longer than a second: `1.8 s a picture`.
pub fn rate(per_second: f64, unit: &str) -> String {
    if unit == "bytes" {
        return format!("{}/s", bytes(per_second));
    }
    if per_second >= 1.0 {
        return format!("{per_second:.1} {unit}/s");
    }
    format!("{:.1} s a {}", 1.0 / per_second, unit.trim_end_matches('s'))
}

/// `12.3 MB`, in powers of a thousand.
pub fn bytes(number: f64) -> String {
    match number {
        number if number < 1e3 => format!("{number:.0} B"),
        number if number < 1e6 => format!("{:.0} kB", number / 1e3),
        number if number < 1e9 => format!("{:.1} MB", number / 1e6),
        number => format!("{:.1} GB", number / 1e9),
    }
}

/// What a training without any seen defect is, and what does not follow from it.
pub const PURELY_SYNTHETIC: &str = "Purely synthetic: the published numbers of PRN do not apply";

/// The seen defects behind measured numbers: `None` for models that learn from good pictures alone.
pub fn seen_defects(seen: Option<&[String]>) -> Option<String> {
    Some(match seen? {
        [] => PURELY_SYNTHETIC.to_owned(),
        ids => format!(
            "{} learned from and left out of the test set",
            count(ids.len(), "seen defect")
        ),
    })
}

/// An area of the picture in square millimetres once there is a scale, else in pixels.
pub fn area(pixels: f64, pixels_per_mm: Option<f64>) -> String {
    match pixels_per_mm {
        None => format!("{} px", grouped(pixels.round() as usize)),
        Some(per_mm) => format!("{} mm²", score((pixels / (per_mm * per_mm)) as f32)),
    }
}

/// What makes a picture fail, both rules as one.
pub fn rule_sentence(rule: &DecisionRule, pixels_per_mm: Option<f64>) -> String {
    let area = area(rule.area.pixels.max(1.0), pixels_per_mm);
    let region = format!("a region of at least {area} lies above the pixel limit");
    let band = rule.review.as_ref().map_or("", |_| "; REVIEW from T1 on");
    match rule.area.combination {
        Combination::ScoreOnly => {
            format!("FAIL when the score reaches T2{band}; regions are only shown")
        }
        Combination::ScoreAndArea => format!(
            "FAIL when the score reaches T2 and {region}{band}; without such a region PASS, whatever the score"
        ),
        Combination::ScoreOrArea => {
            format!("FAIL when the score reaches T2, or when {region}{band}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AreaRule, Combination, DecisionRule, Limit};
    use super::{area, bytes, count, grouped, metric, percent, rate, rule_sentence, score, share};

    #[test]
    fn scores_keep_four_significant_digits() {
        assert_eq!(score(1.23456), "1.235");
        assert_eq!(score(640.18), "640.2");
        assert_eq!(score(12345.6), "12346");
        assert_eq!(score(0.001_234_56), "0.001235");
        assert_eq!(score(0.0), "0");
        assert_eq!(score(1.5e-7), "1.500e-7");
        assert_eq!(score(-2.5), "-2.500");
    }

    #[test]
    fn an_undefined_number_is_never_a_zero() {
        assert_eq!(metric(None), "n/a");
        assert_eq!(share(0, 0), "n/a");
        assert_eq!(metric(Some(0.99843)), "0.9984");
    }

    #[test]
    fn rounding_never_claims_perfection() {
        assert_eq!(percent(0.0), "0.0 %");
        assert_eq!(percent(0.0002), "< 0.1 %");
        assert_eq!(percent(0.9999), "> 99.9 %");
        assert_eq!(percent(1.0), "100.0 %");
        assert_eq!(share(1, 63), "1.6 %");
    }

    #[test]
    fn counts_agree_with_their_noun() {
        assert_eq!(count(0, "picture"), "0 pictures");
        assert_eq!(count(1, "picture"), "1 picture");
        assert_eq!(count(3629, "picture"), "3,629 pictures");
    }

    #[test]
    fn thousands_are_set_apart() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn both_rules_stand_in_one_sentence() {
        assert!(
            rule_sentence(&rule(Combination::ScoreAndArea), None).starts_with(
                "FAIL when the score reaches T2 and a region of at least 25 px lies above the pixel limit"
            )
        );
        let band = rule(Combination::ScoreOnly).with_review(Some(Limit::manual(0.7)));
        assert!(rule_sentence(&band, None).contains("REVIEW from T1 on"));
        let or = rule_sentence(&rule(Combination::ScoreOrArea), Some(10.0));
        assert!(
            or.contains("or when a region of at least 0.2500 mm²"),
            "{or}"
        );
    }

    #[test]
    fn slow_rates_are_told_as_time_for_one() {
        assert_eq!(rate(12.34, "pictures"), "12.3 pictures/s");
        assert_eq!(rate(0.5, "steps"), "2.0 s a step");
        assert_eq!(rate(2.5e6, "bytes"), "2.5 MB/s");
    }

    #[test]
    fn sizes_use_the_unit_that_fits() {
        assert_eq!(bytes(999.0), "999 B");
        assert_eq!(bytes(45_000.0), "45 kB");
        assert_eq!(bytes(1.2e9), "1.2 GB");
    }

    #[test]
    fn areas_are_told_in_the_unit_there_is() {
        assert_eq!(area(1234.4, None), "1,234 px");
        assert_eq!(area(50.0, Some(10.0)), "0.5000 mm²");
    }

    fn rule(combination: Combination) -> DecisionRule {
        DecisionRule::single(Limit::manual(1.0), Limit::manual(0.5)).with_area(AreaRule {
            combination,
            pixels: 25.0,
        })
    }
}
