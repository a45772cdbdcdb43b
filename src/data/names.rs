//! What the names of folders say: good, defective, unlabelled, mask, test. Guesses only; the user's word goes first.

use std::collections::BTreeSet;

/// What one word of a folder name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Word {
    Good,
    Defective,
    /// That nobody has looked at the pictures yet.
    Unlabelled,
    /// Where the pictures were taken, which hints at unlabelled ones and is no promise.
    Production,
    Mask,
    Test,
    Train,
    /// Nothing: `images`, a number.
    Neutral,
    /// Something, but nobody knows what: a camera, or a defect type.
    Unknown,
}

/// What a folder name says about the pictures in it: what its words say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meaning(BTreeSet<Word>);

const GOOD: [&str; 14] = [
    "conforming",
    "goods",
    "good",
    "golden",
    "gut",
    "io",
    "nominal",
    "normal",
    "ok",
    "pass",
    "passed",
    "reference",
    "正常",
    "良品",
];
const DEFECTIVE: [&str; 32] = [
    "abnormal",
    "anomalies",
    "anomalous",
    "anomaly",
    "bad",
    "broken",
    "damaged",
    "defect",
    "defective",
    "defects",
    "error",
    "errors",
    "fail",
    "failed",
    "faulty",
    "fehler",
    "ko",
    "ng",
    "nio",
    "nogood",
    "nok",
    "nonconforming",
    "notgood",
    "notok",
    "reject",
    "rejected",
    "rejects",
    "schlecht",
    "scrap",
    "不良",
    "不良品",
    "缺陷",
];
const UNLABELLED: [&str; 14] = [
    "unbekannt",
    "uncategorised",
    "uncategorized",
    "unchecked",
    "unclassified",
    "ungeprüft",
    "uninspected",
    "unknown",
    "unlabeled",
    "unlabelled",
    "unreviewed",
    "unsorted",
    "unsortiert",
    "未标注",
];
/// Say "unlabelled" after `to`: `to_check`.
const TO_DO: [&str; 5] = ["check", "inspect", "label", "review", "sort"];
/// Say "unlabelled" when they are turned round: `not sorted`, `no labels`.
const DONE: [&str; 9] = [
    "checked",
    "classified",
    "inspected",
    "label",
    "labeled",
    "labelled",
    "labels",
    "reviewed",
    "sorted",
];
const PRODUCTION: [&str; 2] = ["production", "produktion"];
const MASK: [&str; 12] = [
    "annotation",
    "annotations",
    "groundtruth",
    "gt",
    "label",
    "labels",
    "mask",
    "masks",
    "segmentation",
    "segmentations",
    "maske",
    "masken",
];
const TEST: [&str; 7] = [
    "eval",
    "evaluation",
    "holdout",
    "test",
    "testing",
    "val",
    "validation",
];
const TRAIN: [&str; 3] = ["train", "training", "trainset"];
/// Words that turn the next one round.
const NOT: [&str; 4] = ["no", "non", "not", "without"];
const NEUTRAL: [&str; 14] = [
    "and", "data", "files", "images", "image", "img", "imgs", "parts", "part", "photos",
    "pictures", "rgb", "samples", "set",
];

impl Meaning {
    pub(super) fn of(name: &str) -> Self {
        let words = words(name);
        let before = |i: usize| {
            i.checked_sub(1)
                .and_then(|i| words.get(i))
                .map_or("", String::as_str)
        };
        let after = |i: usize| words.get(i + 1).map_or("", String::as_str);
        Self(
            (0..words.len())
                .map(|i| Word::of(&words[i], before(i), after(i)))
                .collect(),
        )
    }

    pub(super) fn says(&self, word: Word) -> bool {
        self.0.contains(&word)
    }

    /// The whole name says "good" and nothing else: `good`, `OK parts`, but not `good_but_scratched`.
    pub(super) fn is_good(&self) -> bool {
        self.says(Word::Good) && self.says_only(&[Word::Good, Word::Test, Word::Train])
    }

    /// The whole name says that nobody has judged the pictures: `unlabelled`, `to_check 2`, but not `unknown scratch`.
    pub(super) fn is_unlabelled(&self) -> bool {
        let words = [Word::Unlabelled, Word::Production, Word::Test, Word::Train];
        self.says(Word::Unlabelled) && self.says_only(&words)
    }

    /// The whole name says where the pictures were taken and not what they show: `production`, `Production 2024-05`.
    pub(super) fn is_production(&self) -> bool {
        self.says(Word::Production) && self.says_only(&[Word::Production, Word::Test])
    }

    fn says_only(&self, words: &[Word]) -> bool {
        let allowed = |word: &Word| *word == Word::Neutral || words.contains(word);
        self.0.iter().all(allowed)
    }

    /// The name says nothing about its pictures: `images`, `rgb`, `01`.
    pub(super) fn is_silent(&self) -> bool {
        self.0.iter().all(|word| *word == Word::Neutral)
    }
}

impl Word {
    /// What a word says between its neighbours: `not good` is defective, `defect free` and `no defect` are good,
    /// `to check` is unlabelled.
    fn of(word: &str, before: &str, after: &str) -> Self {
        let negated = NOT.contains(&before);
        if GOOD.contains(&word) {
            if negated { Self::Defective } else { Self::Good }
        } else if DEFECTIVE.contains(&word) {
            if negated || after == "free" {
                Self::Good
            } else {
                Self::Defective
            }
        } else if UNLABELLED.contains(&word)
            || (before == "to" && TO_DO.contains(&word))
            || (negated && DONE.contains(&word))
        {
            Self::Unlabelled
        } else if PRODUCTION.contains(&word) {
            Self::Production
        } else if MASK.contains(&word) || (before == "ground" && word == "truth") {
            Self::Mask
        } else if TEST.contains(&word) {
            Self::Test
        } else if TRAIN.contains(&word) {
            Self::Train
        } else if is_neutral(word) {
            Self::Neutral
        } else {
            Self::Unknown
        }
    }
}

fn is_neutral(word: &str) -> bool {
    NEUTRAL.contains(&word)
        || NOT.contains(&word)
        || ["free", "ground", "to"].contains(&word)
        || word.chars().all(char::is_numeric)
}

/// What a folder of masks is about: its name without the words that say "mask", to compare with a defect's folder.
pub(super) fn subject(name: &str) -> String {
    let is_mask =
        |word: &String| MASK.contains(&word.as_str()) || word == "ground" || word == "truth";
    let words: Vec<String> = words(name)
        .into_iter()
        .filter(|word| !is_mask(word))
        .collect();
    words.join(" ")
}

/// Lower-case words of a name: parted at punctuation, at digits, and where capitals begin (`TestGood`, `NGparts` stays).
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut last = ' ';
    for c in name.chars() {
        let begins = !c.is_alphanumeric()
            || c.is_numeric() != last.is_numeric()
            || (c.is_uppercase() && last.is_lowercase());
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
        last = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::{Meaning, Word, subject, words};

    #[test]
    fn names_are_parted_where_people_part_them() {
        assert_eq!(words("TestGood_02-Äö"), ["test", "good", "02", "äö"]);
        assert_eq!(words("OK"), ["ok"]);
        assert_eq!(words("ng12"), ["ng", "12"]);
        assert!(words("__").is_empty());
    }

    #[test]
    fn good_names_are_known_in_many_spellings() {
        for name in [
            "good",
            "Good",
            "OK",
            "ok parts",
            "normal_images",
            "good1",
            "defect-free",
            "no defects",
            "良品",
        ] {
            assert!(Meaning::of(name).is_good(), "{name}");
        }
        for name in [
            "bad",
            "NG",
            "ko",
            "not good",
            "no_good",
            "NOK",
            "good_but_scratched",
            "goods mask",
            "crack",
            "",
        ] {
            assert!(!Meaning::of(name).is_good(), "{name}");
        }
    }

    #[test]
    fn unlabelled_names_are_known_in_many_spellings_and_defect_types_are_not_among_them() {
        for name in [
            "unlabelled",
            "Unlabeled",
            "UNSORTED_02",
            "unknown",
            "to_check",
            "ToCheck",
            "to label",
            "not sorted",
            "no labels",
            "unsorted production images",
            "unlabelled_test",
        ] {
            assert!(Meaning::of(name).is_unlabelled(), "{name}");
        }
        for name in [
            "unknown scratch",
            "unknown defect",
            "good unsorted",
            "check",
            "sorted",
            "labels",
            "production",
            "unlabelled masks",
            "",
        ] {
            assert!(!Meaning::of(name).is_unlabelled(), "{name}");
        }
        for name in ["production", "Produktion 2024-05-01", "test_production"] {
            assert!(Meaning::of(name).is_production(), "{name}");
        }
        for name in [
            "production good",
            "production line",
            "train_production",
            "unlabelled",
        ] {
            assert!(!Meaning::of(name).is_production(), "{name}");
        }
    }

    #[test]
    fn masks_are_about_what_is_left_of_their_name() {
        assert_eq!(subject("Crack_masks"), subject("crack"));
        assert_eq!(subject("ground_truth"), "");
    }

    #[test]
    fn the_other_meanings_are_known_too() {
        let says = |name: &str, word| Meaning::of(name).says(word);
        assert!(says("not ok", Word::Defective) && !says("not ok", Word::Good));
        assert!(
            says("ground_truth", Word::Mask)
                && says("GT", Word::Mask)
                && says("crack masks", Word::Mask)
        );
        assert!(says("good_test", Word::Test) && says("good_test", Word::Good));
        assert!(says("train", Word::Train) && says("cam2", Word::Unknown));
        assert!(Meaning::of("images 01").is_silent() && !Meaning::of("scratch").is_silent());
    }
}
