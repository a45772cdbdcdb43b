//! Where a limit came from, in data and in words. How each is computed stands in `limit` and `proposal`.

use serde::{Deserialize, Serialize};

/// Where a limit came from. Printed beside every number that depends on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LimitOrigin {
    /// The largest score of `pictures` good pictures that were held out of training.
    HeldOutMaximum { pictures: usize },
    /// A quantile (0 to 1) of the scores of `pictures` held-out good pictures.
    HeldOutQuantile { quantile: f64, pictures: usize },
    /// The lowest limit for which `pictures` held-out good pictures prove with this confidence (0 to 1) that at most the
    /// share `false_rejects` (0 to 1) of good pictures to come will fail.
    FalseRejectBound {
        false_rejects: f64,
        confidence: f64,
        pictures: usize,
    },
    /// Set by hand.
    Manual,
    /// The lowest cost on the test set itself, with these costs of one good picture that fails and of one defective picture
    /// that passes: chosen like the oracle.
    Cost { overkill: f64, escape: f64 },
    /// Best F1 on the test set itself: never a deployed limit.
    Oracle,
}

impl LimitOrigin {
    /// In words, such as "maximum of 21 held-out good pictures".
    pub fn describe(&self) -> String {
        match self {
            Self::HeldOutMaximum { pictures } => format!("maximum of {}", held_out(*pictures)),
            Self::HeldOutQuantile { quantile, pictures } => {
                format!(
                    "{} % quantile of {}",
                    percent(*quantile),
                    held_out(*pictures)
                )
            }
            Self::FalseRejectBound {
                false_rejects,
                confidence,
                pictures,
            } => format!(
                "at most {} % false rejects at {} % confidence, from {}",
                percent(*false_rejects),
                percent(*confidence),
                held_out(*pictures)
            ),
            Self::Manual => "set by hand".to_owned(),
            Self::Cost { overkill, escape } => {
                format!("lowest cost on the test set: overkill {overkill}, escape {escape}")
            }
            Self::Oracle => "oracle: best F1 on the test set".to_owned(),
        }
    }

    /// Whether the pictures it is judged on were looked at to choose it. Such a limit flatters itself.
    pub fn looks_at_test_set(&self) -> bool {
        matches!(self, Self::Cost { .. } | Self::Oracle)
    }

    pub(super) fn from_held_out(quantile: Option<f64>, pictures: usize) -> Self {
        match quantile {
            None => Self::HeldOutMaximum { pictures },
            Some(quantile) => Self::HeldOutQuantile { quantile, pictures },
        }
    }
}

fn held_out(pictures: usize) -> String {
    let plural = if pictures == 1 { "" } else { "s" };
    format!("{pictures} held-out good picture{plural}")
}

/// A share in percent with as many decimals as it needs, at most six: 0.995 is 99.5.
pub(super) fn percent(share: f64) -> String {
    let text = format!("{:.6}", share * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::LimitOrigin;

    const PROVEN: LimitOrigin = LimitOrigin::FalseRejectBound {
        false_rejects: 0.01,
        confidence: 0.95,
        pictures: 299,
    };
    const CHEAPEST: LimitOrigin = LimitOrigin::Cost {
        overkill: 1.0,
        escape: 12.5,
    };

    #[test]
    fn origins_are_told_in_words() {
        let told = |origin: LimitOrigin| origin.describe();
        let quantile =
            |quantile, pictures| told(LimitOrigin::HeldOutQuantile { quantile, pictures });
        assert_eq!(
            told(LimitOrigin::HeldOutMaximum { pictures: 21 }),
            "maximum of 21 held-out good pictures"
        );
        assert_eq!(
            told(LimitOrigin::HeldOutMaximum { pictures: 1 }),
            "maximum of 1 held-out good picture"
        );
        assert_eq!(
            quantile(0.995, 60),
            "99.5 % quantile of 60 held-out good pictures"
        );
        assert_eq!(
            quantile(0.9, 60),
            "90 % quantile of 60 held-out good pictures"
        );
        assert_eq!(
            quantile(1.0, 60),
            "100 % quantile of 60 held-out good pictures"
        );
        assert_eq!(
            quantile(0.0, 60),
            "0 % quantile of 60 held-out good pictures"
        );
        assert_eq!(
            told(PROVEN),
            "at most 1 % false rejects at 95 % confidence, from 299 held-out good pictures"
        );
        assert_eq!(
            told(CHEAPEST),
            "lowest cost on the test set: overkill 1, escape 12.5"
        );
        assert_eq!(told(LimitOrigin::Manual), "set by hand");
        assert_eq!(told(LimitOrigin::Oracle), "oracle: best F1 on the test set");
    }

    #[test]
    fn only_limits_chosen_on_test_pictures_count_as_such() {
        assert!(LimitOrigin::Oracle.looks_at_test_set());
        assert!(CHEAPEST.looks_at_test_set());
        for honest in [
            PROVEN,
            LimitOrigin::Manual,
            LimitOrigin::HeldOutMaximum { pictures: 3 },
            LimitOrigin::HeldOutQuantile {
                quantile: 0.9,
                pictures: 3,
            },
        ] {
            assert!(!honest.looks_at_test_set());
        }
    }

    #[test]
    fn origins_are_saved_under_their_own_names() {
        let saved = serde_json::to_string(&PROVEN).unwrap();
        assert_eq!(
            saved,
            r#"{"kind":"false-reject-bound","false_rejects":0.01,"confidence":0.95,"pictures":299}"#
        );
        assert_eq!(serde_json::from_str::<LimitOrigin>(&saved).unwrap(), PROVEN);
        let saved = serde_json::to_string(&CHEAPEST).unwrap();
        assert_eq!(saved, r#"{"kind":"cost","overkill":1.0,"escape":12.5}"#);
        assert_eq!(
            serde_json::from_str::<LimitOrigin>(&saved).unwrap(),
            CHEAPEST
        );
    }

    #[test]
    fn origins_of_older_files_are_still_read() {
        for (saved, origin) in [
            (
                r#"{"kind":"held-out-maximum","pictures":21}"#,
                LimitOrigin::HeldOutMaximum { pictures: 21 },
            ),
            (
                r#"{"kind":"held-out-quantile","quantile":0.995,"pictures":60}"#,
                LimitOrigin::HeldOutQuantile {
                    quantile: 0.995,
                    pictures: 60,
                },
            ),
            (r#"{"kind":"manual"}"#, LimitOrigin::Manual),
            (r#"{"kind":"oracle"}"#, LimitOrigin::Oracle),
        ] {
            assert_eq!(serde_json::from_str::<LimitOrigin>(saved).unwrap(), origin);
            assert_eq!(serde_json::to_string(&origin).unwrap(), saved);
        }
    }
}
