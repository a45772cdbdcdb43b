//! Finds a command by some of its letters in order, and says how well they fit. Plain data.

/// What a letter at the beginning of a word is worth; any other letter is worth 1.
const WORD_START: i32 = 8;
/// What a letter right after the one found before is worth on top.
const JOINED: i32 = 8;

/// How well the letters of `query` are found in `text`, in any case and in this order; `None`: not all of them are there.
/// Spaces of the query are ignored. Nothing fits everything with 0.
pub fn score(query: &str, text: &str) -> Option<i32> {
    let mut query = lowered(query).into_iter().filter(|c| !c.is_whitespace());
    let text = lowered(text);
    let Some(first) = query.next() else {
        return Some(0);
    };
    let worth = worth(&text);
    let found = |letter| {
        text.iter()
            .zip(&worth)
            .map(move |(&c, &w)| (c == letter).then_some(w))
    };
    // For each place the best score of what was found so far with its last letter there.
    let mut best: Vec<Option<i32>> = found(first).collect();
    for letter in query {
        let mut reached = vec![None; text.len()];
        let mut earlier = None;
        let mut before = None;
        for ((slot, here), &last) in reached.iter_mut().zip(found(letter)).zip(&best) {
            let joined = before.map(|score: i32| score + JOINED);
            *slot = here.and_then(|w| joined.max(earlier).map(|score| score + w));
            earlier = earlier.max(before);
            before = last;
        }
        best = reached;
    }
    best.into_iter().max().flatten()
}

fn lowered(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// For each letter what finding it is worth.
fn worth(text: &[char]) -> Vec<i32> {
    let mut in_word = false;
    let each = text.iter().map(|c| {
        let starts = c.is_alphanumeric() && !in_word;
        in_word = c.is_alphanumeric();
        if starts { WORD_START } else { 1 }
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::score;

    fn ranked<'a>(query: &str, texts: &[&'a str]) -> Vec<&'a str> {
        let mut found: Vec<(i32, &str)> = texts
            .iter()
            .filter_map(|text| Some((score(query, text)?, *text)))
            .collect();
        found.sort_by_key(|(score, _)| -score);
        found.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn letters_must_come_in_order_but_in_any_case() {
        assert!(score("gtr", "Go to Results").is_some());
        assert!(score("RESULTS", "Go to Results").is_some());
        assert_eq!(score("rtg", "Go to Results"), None);
        assert_eq!(score("x", "Go to Results"), None);
        assert_eq!(score("a", ""), None);
        assert_eq!(score("", "anything"), Some(0));
        assert_eq!(score("   ", ""), Some(0), "spaces ask for nothing");
    }

    #[test]
    fn beginnings_of_words_and_letters_in_a_row_rank_first() {
        let texts = [
            "Close the compared runs",
            "Open run folder…",
            "Write report…",
        ];
        assert_eq!(ranked("run", &texts)[0], "Close the compared runs");
        assert_eq!(ranked("orf", &texts), ["Open run folder…"]);
        let texts = ["Make everything smaller", "Save the limits in the model"];
        assert_eq!(ranked("slm", &texts)[0], "Save the limits in the model");
        let texts = ["Try the sample data set", "Go to Data"];
        assert_eq!(ranked("go data", &texts), ["Go to Data"]);
    }

    #[test]
    fn the_best_way_through_the_text_counts_not_the_first() {
        let whole_word = score("report", "r e p or t Write report");
        assert!(whole_word > score("report", "r e p or t"));
        assert_eq!(whole_word, score("report", "Write report"));
    }

    #[test]
    fn other_alphabets_are_letters_too() {
        assert!(score("ÜBER", "über Öl").is_some());
        assert!(score("öl", "über Öl") > score("el", "über Öl").or(Some(0)));
    }
}
