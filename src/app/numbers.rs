//! How scores and shares are written in the window.

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

#[cfg(test)]
mod tests {
    use super::{metric, percent, score, share};

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
}
