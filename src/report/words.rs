//! How scores, shares, counts and times are written in the report: as in the window.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::metrics::Rate;

/// Stands where a number is undefined.
pub const NOT_AVAILABLE: &str = "n/a";

/// A raw score with four significant digits.
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

/// One decimal in per cent. Only an exact 0 or 1 is written as 0.0 % or 100.0 %.
pub fn percent(value: f64) -> String {
    let shown = format!("{:.1} %", 100.0 * value);
    match shown.as_str() {
        "0.0 %" if value > 0.0 => "< 0.1 %".to_owned(),
        "100.0 %" if value < 1.0 => "> 99.9 %".to_owned(),
        _ => shown,
    }
}

/// `percent` of a counted rate, or "n/a" of nothing.
pub fn rate(rate: Rate) -> String {
    rate.share()
        .map_or_else(|| NOT_AVAILABLE.to_owned(), percent)
}

/// `1 picture`, `1,200 pictures`.
pub fn count(number: usize, singular: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {singular}{plural}", grouped(number))
}

/// Thousands set apart by a comma.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// An area in pixels of the picture, and in square millimetres once somebody measured the scale.
pub fn area(pixels: f64, pixels_per_mm: Option<f64>) -> String {
    let whole = format!("{} px", grouped(pixels.round().max(0.0) as usize));
    match pixels_per_mm {
        None => whole,
        Some(scale) => format!("{whole} ({} mm²)", score((pixels / (scale * scale)) as f32)),
    }
}

/// `2026-11-26 00:33 UTC`; `None` before 1970.
pub fn date(time: SystemTime) -> Option<String> {
    let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute) = (seconds / 3600 % 24, seconds / 60 % 60);
    Some(format!(
        "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02} UTC"
    ))
}

/// Year, month and day of a day since 1970, in 400-year cycles that begin on 1 March 0000 (Hinnant's algorithm).
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let of_month = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month, of_month)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::{area, count, date, metric, percent, rate, score};
    use crate::metrics::Rate;

    #[test]
    fn numbers_read_as_in_the_window() {
        assert_eq!(score(1.23456), "1.235");
        assert_eq!(score(1.5e-7), "1.500e-7");
        assert_eq!(metric(None), "n/a");
        assert_eq!(percent(0.9999), "> 99.9 %");
        assert_eq!(rate(Rate { events: 0, of: 0 }), "n/a");
        assert_eq!(count(1, "picture"), "1 picture");
        assert_eq!(count(12_345, "picture"), "12,345 pictures");
        assert_eq!(area(1500.0, None), "1,500 px");
        assert_eq!(area(100.0, Some(10.0)), "100 px (1.000 mm²)");
    }

    #[test]
    fn times_are_written_in_utc() {
        let at = |seconds| date(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        assert_eq!(at(0), "1970-01-01 00:00 UTC");
        assert_eq!(at(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(at(1_795_653_219), "2026-11-26 00:33 UTC");
    }
}
