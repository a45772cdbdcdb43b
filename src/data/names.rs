//! What the names of folders say: good, defective, mask, test. Guesses only; the user's word goes first.

/// What one folder name says about the pictures in it. Several may be true, none may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) good: bool,
    pub(super) defective: bool,
    pub(super) mask: bool,
    pub(super) test: bool,
    pub(super) train: bool,
    /// Every word says something known or nothing at all (`images`, numbers): no defect type hides in the name.
    pub(super) plain: bool,
}

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
const TEST: [&str; 7] = ["eval", "evaluation", "holdout", "test", "testing", "val", "validation"];
const TRAIN: [&str; 3] = ["train", "training", "trainset"];
/// Words that turn the next one round.
const NOT: [&str; 4] = ["no", "non", "not", "without"];
const NEUTRAL: [&str; 14] = [
    "and", "data", "files", "images", "image", "img", "imgs", "parts", "part", "photos", "pictures", "rgb", "samples",
    "set",
];

impl Meaning {
    pub(super) fn of(name: &str) -> Self {
        let words = words(name);
        let mut meaning = Self {
            plain: true,
            ..Self::default()
        };
        for (i, word) in words.iter().enumerate() {
            let word = word.as_str();
            let negated = i > 0 && NOT.contains(&words[i - 1].as_str());
            let freed = words.get(i + 1).is_some_and(|next| next == "free");
            let ground_truth = word == "truth" && i > 0 && words[i - 1] == "ground";
            if GOOD.contains(&word) {
                meaning.good |= !negated;
                meaning.defective |= negated;
            } else if DEFECTIVE.contains(&word) {
                meaning.defective |= !(negated || freed);
                meaning.good |= negated || freed;
            } else if MASK.contains(&word) || ground_truth {
                meaning.mask = true;
            } else if TEST.contains(&word) {
                meaning.test = true;
            } else if TRAIN.contains(&word) {
                meaning.train = true;
            } else {
                meaning.plain &= is_neutral(word);
            }
        }
        meaning
    }

    /// The whole name says "good" and nothing else: `good`, `OK parts`, but not `good_but_scratched`.
    pub(super) fn is_good(self) -> bool {
        self.good && !self.defective && !self.mask && self.plain
    }

    /// The name says nothing about its pictures: `images`, `rgb`, `01`.
    pub(super) fn is_silent(self) -> bool {
        self == Self {
            plain: true,
            ..Self::default()
        }
    }
}

fn is_neutral(word: &str) -> bool {
    NEUTRAL.contains(&word)
        || NOT.contains(&word)
        || word == "ground"
        || word == "free"
        || word.chars().all(char::is_numeric)
}

/// What a folder of masks is about: its name without the words that say "mask", to compare with a defect's folder.
pub(super) fn subject(name: &str) -> String {
    let is_mask = |word: &String| MASK.contains(&word.as_str()) || word == "ground" || word == "truth";
    let words: Vec<String> = words(name).into_iter().filter(|word| !is_mask(word)).collect();
    words.join(" ")
}

/// Lower-case words of a name: parted at punctuation, at digits, and where capitals begin (`TestGood`, `NGparts` stays).
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut last = ' ';
    for c in name.chars() {
        let begins =
            !c.is_alphanumeric() || c.is_numeric() != last.is_numeric() || (c.is_uppercase() && last.is_lowercase());
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
    use super::{Meaning, subject, words};

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
    fn masks_are_about_what_is_left_of_their_name() {
        assert_eq!(subject("Crack_masks"), subject("crack"));
        assert_eq!(subject("ground_truth"), "");
    }

    #[test]
    fn the_other_meanings_are_known_too() {
        assert!(Meaning::of("not ok").defective);
        assert!(Meaning::of("ground_truth").mask && Meaning::of("GT").mask && Meaning::of("crack masks").mask);
        assert!(Meaning::of("good_test").test && Meaning::of("good_test").good);
        assert!(Meaning::of("train").train);
        assert!(Meaning::of("images 01").is_silent() && !Meaning::of("scratch").is_silent());
    }
}
