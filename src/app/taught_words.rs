//! How it is said which defects a model has learned from. They go with every number it gives. No widgets.

pub use crate::metrics::wording::{PURELY_SYNTHETIC, seen_defects as measured};

use super::words;
use crate::config::SeenChoice;

/// The same in a few words, as they stand beside others.
pub fn briefly(seen: Option<&[String]>) -> Option<String> {
    Some(match seen? {
        [] => "purely synthetic".to_owned(),
        ids => format!("{} left out", words::count(ids.len(), "seen defect")),
    })
}

/// The seen defects that a training is to learn from.
pub fn chosen(choice: &SeenChoice) -> String {
    let count = match choice {
        SeenChoice::None => return PURELY_SYNTHETIC.to_owned(),
        SeenChoice::Draw(count) => *count,
        SeenChoice::Listed(ids) => ids.len(),
    };
    format!("Learns from {}", words::count(count, "seen defect"))
}

/// Which they are, one a line, where they are known by name.
pub fn listed(choice: &SeenChoice) -> Option<String> {
    match choice {
        SeenChoice::Listed(ids) => Some(ids.join("\n")),
        SeenChoice::None | SeenChoice::Draw(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{PURELY_SYNTHETIC, briefly, chosen, listed, measured};
    use crate::config::SeenChoice;

    fn ids(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn numbers_tell_what_was_seen_unless_nothing_could_be() {
        assert_eq!(measured(None), None);
        assert_eq!(measured(Some(&[])).as_deref(), Some(PURELY_SYNTHETIC));
        let two = ids(&["a.png", "b.png"]);
        let said = measured(Some(&two)).unwrap();
        assert_eq!(
            said,
            "2 seen defects learned from and left out of the test set"
        );
        let one = briefly(Some(&two[..1]));
        assert_eq!(one.as_deref(), Some("1 seen defect left out"));
        assert_eq!(briefly(None), None);
    }

    #[test]
    fn a_training_tells_what_it_will_see() {
        assert_eq!(chosen(&SeenChoice::None), PURELY_SYNTHETIC);
        assert_eq!(chosen(&SeenChoice::Draw(10)), "Learns from 10 seen defects");
        let two = SeenChoice::Listed(ids(&["a.png", "b.png"]));
        assert_eq!(chosen(&two), "Learns from 2 seen defects");
        assert_eq!(listed(&two).as_deref(), Some("a.png\nb.png"));
        assert_eq!(listed(&SeenChoice::Draw(10)), None);
    }
}
