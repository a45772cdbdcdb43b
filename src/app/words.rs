//! Numbers as people say them: durations, counts, rates, file sizes.

pub use crate::metrics::wording::{bytes, count, grouped, rate};

/// `8 s`, `1 min 25 s`, `2 h 5 min`. Negative and endless durations are `0 s` and `a long time`.
pub fn duration(seconds: f64) -> String {
    if seconds > 1e8 || seconds.is_nan() {
        return "a long time".to_owned();
    }
    let seconds = seconds.round().max(0.0) as u64;
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest} s"),
        (0, _) => format!("{minutes} min {rest} s"),
        _ => format!("{hours} h {minutes} min"),
    }
}

/// An estimate, rounded so that it does not flicker: to 5 s below two minutes, to minutes above.
pub fn about(seconds: f64) -> String {
    if seconds < 5.0 {
        return "a few seconds".to_owned();
    }
    let step = if seconds < 120.0 { 5.0 } else { 60.0 };
    let rounded = (seconds / step).round() * step;
    match rounded {
        rounded if (120.0..3600.0).contains(&rounded) => format!("about {:.0} min", rounded / 60.0),
        rounded => format!("about {}", duration(rounded)),
    }
}

/// With a capital at its beginning.
pub fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::{about, capitalised, duration};

    #[test]
    fn durations_name_their_two_largest_units() {
        let cases = [
            (-1.0, "0 s"),
            (59.4, "59 s"),
            (85.0, "1 min 25 s"),
            (7512.0, "2 h 5 min"),
            (f64::INFINITY, "a long time"),
            (f64::NAN, "a long time"),
        ];
        for (seconds, text) in cases {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn estimates_are_round() {
        let cases = [
            (2.0, "a few seconds"),
            (43.0, "about 45 s"),
            (83.0, "about 1 min 25 s"),
            (119.0, "about 2 min"),
            (500.0, "about 8 min"),
            (3599.0, "about 1 h 0 min"),
            (f64::INFINITY, "about a long time"),
        ];
        for (seconds, text) in cases {
            assert_eq!(about(seconds), text);
        }
    }

    #[test]
    fn names_begin_with_a_capital() {
        assert_eq!(capitalised("radius"), "Radius");
        assert_eq!(capitalised("élan"), "Élan");
        assert_eq!(capitalised(""), "");
    }
}
