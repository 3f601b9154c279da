//! The known word that was probably meant.

/// More words than these are not listed in a cure.
const WORDS_SHOWN: usize = 12;

/// A cure for an unknown word: the nearest known one, or the list of them after `lead`.
pub fn cure<'word>(word: &str, known: impl IntoIterator<Item = &'word str>, lead: &str) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(nearest) = nearest(word, &known) {
        return format!("did you mean `{nearest}`?");
    }
    list(&known, lead)
}

/// The known words after `lead`, as a cure.
pub fn list(known: &[&str], lead: &str) -> String {
    if known.is_empty() {
        return "there are none yet; add it".to_owned();
    }
    let shown: Vec<String> = known
        .iter()
        .take(WORDS_SHOWN)
        .map(|word| format!("`{word}`"))
        .collect();
    let rest = match known.len().saturating_sub(WORDS_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{lead} {}{rest}", shown.join(", "))
}

/// The nearest of the known words, if it is near enough to have been meant.
pub fn nearest<'word>(word: &str, known: &[&'word str]) -> Option<&'word str> {
    let word: Vec<char> = word.to_lowercase().chars().take(64).collect();
    let allowed = (word.len() / 3).clamp(1, 3);
    known
        .iter()
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= 12)
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), *candidate))
        .filter(|(steps, _)| *steps <= allowed)
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, candidate)| candidate)
}

/// Insertions, removals, replacements and swaps of neighbours that make one word the other.
fn distance(one: &[char], other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, left) in one.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, right) in other.iter().enumerate() {
            let replaced = row[j] + usize::from(left != right);
            let mut steps = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            let is_swap = i > 0 && j > 0 && *left == other[j - 1] && one[i - 1] == *right;
            if is_swap {
                steps = steps.min(before[j - 1] + 1);
            }
            next.push(steps);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[other.len()]
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
            assert_eq!(cure(word, known, "the keys are"), expected);
        }
        assert_eq!(cure("ana", [], "users are"), "there are none yet; add it");
    }
}
