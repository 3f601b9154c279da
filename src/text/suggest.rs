//! The known word that was probably meant.

use strsim::osa_distance;

use super::truncate::{listed, prefix};

/// More words than these are not listed.
const WORDS_SHOWN: usize = 12;
/// More of a word is not compared.
const WORD_CHARACTERS_MAX: usize = 64;

/// Help for an unknown word: the nearest known one, or the list of them after `lead`.
pub fn help<'word>(word: &str, known: impl IntoIterator<Item = &'word str>, lead: &str) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(nearest) = nearest(word, &known) {
        return format!("did you mean `{nearest}`?");
    }
    list(&known, lead)
}

/// The known words after `lead`.
pub fn list(known: &[&str], lead: &str) -> String {
    if known.is_empty() {
        return "there are none yet; add it".to_owned();
    }
    let shown: Vec<String> = known
        .iter()
        .take(WORDS_SHOWN)
        .map(|word| format!("`{word}`"))
        .collect();
    format!("{lead} {}", listed(&shown, ", ", known.len()))
}

/// The nearest of the known words, if it is near enough to have been meant.
pub fn nearest<'word>(word: &str, known: &[&'word str]) -> Option<&'word str> {
    let word = prefix(word, WORD_CHARACTERS_MAX).to_lowercase();
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    known
        .iter()
        .map(|candidate| (osa_distance(&word, &candidate.to_lowercase()), *candidate))
        .filter(|(steps, _)| *steps <= allowed)
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_names_the_word_that_was_meant_and_anything_else_lists_the_words() {
        let known = ["matchers", "policy", "group_by"];
        let cases = [
            ("polciy", "did you mean `policy`?"),
            ("matcher", "did you mean `matchers`?"),
            ("Group_By", "did you mean `group_by`?"),
            ("banana", "the keys are `matchers`, `policy`, `group_by`"),
        ];
        for (word, expected) in cases {
            assert_eq!(help(word, known, "the keys are"), expected);
        }
        assert_eq!(help("ana", [], "users are"), "there are none yet; add it");
    }
}
