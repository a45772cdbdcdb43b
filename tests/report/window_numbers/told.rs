//! Compares one shown number with one told number at the precision that is shown, and counts how often.

use serde_json::Value;

/// How much was compared.
#[derive(Debug, Default)]
pub struct Told {
    pub count: usize,
}

impl Told {
    /// A text that must be the same.
    pub fn text(&mut self, what: &str, shown: &str, told: &str) {
        assert_eq!(shown, told, "{what}");
        self.count += 1;
    }

    pub fn is(&mut self, what: &str, holds: bool) {
        assert!(holds, "{what}");
        self.count += 1;
    }

    /// `0.9123` or `n/a`; an undefined number is `null`.
    pub fn number(&mut self, what: &str, shown: &str, told: &Value) {
        self.count += 1;
        let Some(told) = told.as_f64() else {
            assert!(told.is_null(), "{what}: {told} is told");
            return assert_eq!(shown, "n/a", "{what} is undefined");
        };
        let (value, digits) = precise(shown).unwrap_or_else(|| panic!("{what}: {shown:?}"));
        let apart = (value - told).abs();
        // A single-precision number is told with more digits than it has.
        let slack = 0.5 * digits + 2e-7 * told.abs() + 1e-12;
        assert!(apart <= slack, "{what}: {shown} is shown, {told} told");
    }

    /// `4.2 %`, `< 0.1 %` or `> 99.9 %` of a share from 0 to 1.
    pub fn percent(&mut self, what: &str, shown: &str, share: &Value) {
        let per_cent = share.as_f64().map(|share| 100.0 * share);
        let is_between = |low, high| per_cent.is_some_and(|told| low < told && told < high);
        match shown {
            "< 0.1 %" => self.is(what, is_between(0.0, 0.05 + 1e-9)),
            "> 99.9 %" => self.is(what, is_between(99.95 - 1e-9, 100.0)),
            _ => {
                let number = shown.strip_suffix(" %").unwrap_or(shown);
                self.number(what, number, &per_cent.map_or(Value::Null, Value::from));
            }
        }
    }

    /// `5 of 24`, with anything behind it.
    pub fn counts(&mut self, what: &str, shown: &str, rate: &Value) {
        let words: Vec<&str> = shown.split_whitespace().collect();
        assert!(words.len() >= 3 && words[1] == "of", "{what}: {shown:?}");
        self.number(what, words[0], &rate["events"]);
        self.number(what, words[2], &rate["of"]);
    }

    /// `2.1 % to 48.4 %`, or `n/a` of nothing.
    pub fn interval(&mut self, what: &str, shown: &str, rate: &Value) {
        let interval = &rate["interval"];
        if interval.is_null() {
            return self.text(what, shown, "n/a");
        }
        let (low, high) = shown
            .split_once(" to ")
            .unwrap_or_else(|| panic!("{what}: {shown:?}"));
        self.percent(what, low, &interval["low"]);
        self.percent(what, high, &interval["high"]);
    }
}

/// The number and the worth of one step of its last digit: `0.91` and 0.01, `1.2e-7` and 1e-8.
fn precise(shown: &str) -> Option<(f64, f64)> {
    let shown = shown.replace(',', "");
    let value: f64 = shown.parse().ok()?;
    let (digits, power) = shown.split_once('e').unwrap_or((&shown, "0"));
    let decimals = digits.split_once('.').map_or(0, |(_, rest)| rest.len());
    let power = power.parse::<i32>().ok()? - i32::try_from(decimals).ok()?;
    Some((value, 10_f64.powi(power)))
}

#[test]
fn a_wrong_digit_is_noticed_and_rounding_is_not() {
    let notices = |shown: &'static str, told: f64| {
        std::panic::catch_unwind(|| Told::default().number("number", shown, &told.into())).is_err()
    };
    assert!(!notices("0.9123", 0.912_34) && !notices("0.9123", 0.912_26));
    assert!(notices("0.9123", 0.912_4) && notices("0.9123", 0.912_2));
    assert!(notices("5", 6.0) && notices("n/a", 0.5) && notices("0.5", 0.56));
    assert!(!notices("1.500e-7", 1.5001e-7) && notices("1.500e-7", 1.51e-7));
}
