//! Guesses what each folder of the plain layout holds. The user's corrections go first.

use std::path::Path;

use super::Found;
use crate::data::layout::{OpenOptions, Role};
use crate::data::listing::counted;
use crate::data::names::{Meaning, Word};
use crate::data::sample::{Finding, Severity};

/// What the name of a folder says about its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guess {
    Clear(Role),
    /// Unlabelled where another folder is known to be good; else it may be the good one.
    Production,
    /// `test` or `val` without a word about good or defective.
    Mixed,
    /// The name may be that of a defect type, or mean nothing.
    Unknown,
}

/// One role for each folder, in the same order.
pub(super) fn assign(
    root: &Path,
    folders: &[Found],
    options: &OpenOptions,
    findings: &mut Vec<Finding>,
) -> Vec<Role> {
    let corrected: Vec<Option<Role>> = folders
        .iter()
        .map(|folder| options.roles.get(&folder.key).copied())
        .collect();
    for key in options
        .roles
        .keys()
        .filter(|key| !folders.iter().any(|folder| folder.key == **key))
    {
        let text = "this folder was given a role, but there are no pictures in it";
        findings.push(Finding::new(Severity::Warning, &root.join(key), text));
    }
    let mut guesses: Vec<Guess> = folders
        .iter()
        .map(|folder| from_path(&folder.key))
        .collect();
    for (guess, role) in guesses.iter_mut().zip(&corrected) {
        if let Some(role) = role {
            *guess = Guess::Clear(*role);
        }
    }
    if !guesses.contains(&Guess::Clear(Role::Good)) {
        choose_good(folders, &corrected, &mut guesses, findings);
    }
    let roles = folders
        .iter()
        .zip(guesses)
        .map(|(folder, guess)| settle(folder, guess, findings));
    roles.collect()
}

/// Reads a folder's path from its end: the last part that says good or defective decides, masks go before all. What a
/// name says about nobody having looked counts where no part says more: `bad/unknown` holds defects of some type.
fn from_path(key: &str) -> Guess {
    let meanings: Vec<Meaning> = key
        .split('/')
        .filter(|part| *part != ".")
        .map(Meaning::of)
        .collect();
    let anywhere = |word: Word| meanings.iter().any(|meaning| meaning.says(word));
    if anywhere(Word::Mask) {
        return Guess::Clear(Role::Masks);
    }
    let tests = anywhere(Word::Test);
    let mut named = meanings.is_empty();
    let mut unlabelled = None;
    for meaning in meanings.iter().rev() {
        match (meaning.says(Word::Good), meaning.says(Word::Defective)) {
            (true, true) => return Guess::Unknown,
            (false, true) => return Guess::Clear(Role::Defective),
            (true, false) if tests => return Guess::Clear(Role::GoodTest),
            (true, false) => return Guess::Clear(Role::Good),
            (false, false) => {}
        }
        unlabelled = unlabelled.or(unlabelled_by(meaning, named));
        // A folder of another name inside `train` may hold anything; `train` itself holds good pictures.
        named |= meaning.says(Word::Unknown) || meaning.says(Word::Production);
        if !named && meaning.says(Word::Train) && !anywhere(Word::Unlabelled) {
            return Guess::Clear(Role::Good);
        }
    }
    if let Some(guess) = unlabelled {
        return guess;
    }
    if tests && !named {
        Guess::Mixed
    } else {
        Guess::Unknown
    }
}

/// What one part of a path says about nobody having looked. Everything in `unsorted` is unsorted, but a `production` that
/// has folders with names of their own in it, such as defect types, was sorted.
fn unlabelled_by(meaning: &Meaning, has_named_inside: bool) -> Option<Guess> {
    if meaning.is_unlabelled() {
        Some(Guess::Clear(Role::Unlabelled))
    } else {
        (meaning.is_production() && !has_named_inside).then_some(Guess::Production)
    }
}

/// Picks the good folder where no name says which it is. What the user has said is never changed.
fn choose_good(
    folders: &[Found],
    corrected: &[Option<Role>],
    guesses: &mut [Guess],
    findings: &mut Vec<Finding>,
) {
    let free = |i: usize| corrected[i].is_none();
    if let Some(tests) =
        (0..guesses.len()).find(|&i| free(i) && guesses[i] == Guess::Clear(Role::GoodTest))
    {
        // Good pictures are named only below `test`: they are all there is to train on.
        guesses[tests] = Guess::Clear(Role::Good);
        return;
    }
    let unknown: Vec<usize> = (0..guesses.len())
        .filter(|&i| matches!(guesses[i], Guess::Unknown | Guess::Production))
        .collect();
    if let Some(&root) = unknown.iter().find(|&&i| folders[i].key == ".") {
        guesses[root] = Guess::Clear(Role::Good);
        return;
    }
    // The first of the largest; `max_by_key` alone would take the last.
    let Some(&largest) = unknown
        .iter()
        .rev()
        .max_by_key(|&&i| folders[i].pictures.len())
    else {
        return;
    };
    let severity = if folders.len() == 1 {
        Severity::Note
    } else {
        Severity::Warning
    };
    let count = counted(folders[largest].pictures.len(), "picture", "pictures");
    let text = format!(
        "taken for the folder of good pictures, because no name says which it is and this one has the most ({count})"
    );
    findings.push(Finding::new(severity, &folders[largest].path, text));
    for i in unknown {
        guesses[i] = Guess::Clear(if i == largest {
            Role::Good
        } else {
            Role::Ignored
        });
    }
}

fn settle(folder: &Found, guess: Guess, findings: &mut Vec<Finding>) -> Role {
    let mut ignore = |text: &str| {
        findings.push(Finding::new(Severity::Warning, &folder.path, text));
        Role::Ignored
    };
    match guess {
        Guess::Clear(role) => role,
        Guess::Production => Role::Unlabelled,
        Guess::Mixed => ignore(
            "not used: the name does not say whether these are good or defective; give it a role, which may be to be only scored",
        ),
        // Beside folders with telling names, pictures directly in the root may be anything.
        Guess::Unknown if folder.key == "." => {
            ignore("pictures directly in this folder are not used; give it a role")
        }
        Guess::Unknown => Role::Defective,
    }
}

#[cfg(test)]
mod tests {
    use super::{Guess, Role, from_path};

    #[test]
    fn paths_are_read_from_their_end() {
        let clear = [
            ("good", Role::Good),
            ("train", Role::Good),
            ("train/images", Role::Good),
            ("good/cam left", Role::Good),
            ("test/good", Role::GoodTest),
            ("good_test", Role::GoodTest),
            ("train/bad", Role::Defective),
            ("bad/scratch", Role::Defective),
            ("NG", Role::Defective),
            ("bad/masks", Role::Masks),
            ("ground_truth/bad", Role::Masks),
            ("unlabelled", Role::Unlabelled),
            ("to_check/monday", Role::Unlabelled),
            ("test/unsorted", Role::Unlabelled),
            ("train/unlabelled", Role::Unlabelled),
            ("unlabelled/train", Role::Unlabelled),
            ("train_unlabelled", Role::Unlabelled),
            ("unsorted/ok", Role::Good),
            ("good/unsorted", Role::Good),
            ("bad/unknown", Role::Defective),
            ("good/production", Role::Good),
            ("production/NG", Role::Defective),
            ("unsorted/masks", Role::Masks),
        ];
        for (path, role) in clear {
            assert_eq!(from_path(path), Guess::Clear(role), "{path}");
        }
        for path in [
            ".",
            "scratch",
            "test/scratch",
            "train/cam left",
            "good and bad",
            "production/scratch",
            "production line 3",
            "train_production",
            "unknown scratch",
        ] {
            assert_eq!(from_path(path), Guess::Unknown, "{path}");
        }
        for path in ["test", "val/images"] {
            assert_eq!(from_path(path), Guess::Mixed, "{path}");
        }
        for path in ["production", "Production/2024-05", "test/production"] {
            assert_eq!(from_path(path), Guess::Production, "{path}");
        }
    }
}
