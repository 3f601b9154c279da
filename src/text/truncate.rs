//! Texts that are too long for their place.

use std::borrow::Cow;

use super::hash;

/// Stands where something was cut.
const ELLIPSIS: char = '…';

/// At most so many characters, the last one an ellipsis if something was cut.
pub fn truncate(text: &str, characters_max: usize) -> String {
    if prefix(text, characters_max).len() == text.len() {
        return text.to_owned();
    }
    let kept = prefix(text, characters_max.saturating_sub(1));
    format!("{}{ELLIPSIS}", kept.trim_end())
}

/// The first so many characters, without a sign that there are more.
pub fn prefix(text: &str, characters_max: usize) -> &str {
    let end = text.char_indices().nth(characters_max);
    end.map_or(text, |(end, _)| &text[..end])
}

/// At most so many characters; a longer text ends with its hash, so that texts which differ stay
/// different.
pub fn distinct(text: &str, characters_max: usize) -> Cow<'_, str> {
    if prefix(text, characters_max).len() == text.len() {
        return text.into();
    }
    let mark = format!("{ELLIPSIS}{:016x}", hash::fnv64(&[text]));
    let room = characters_max.saturating_sub(mark.chars().count());
    format!("{}{mark}", prefix(text, room)).into()
}

/// A text in quotes, cut so that messages stay readable.
pub fn quoted(text: &str) -> String {
    const CHARACTERS_MAX: usize = 80;
    match prefix(text, CHARACTERS_MAX) {
        whole if whole.len() == text.len() => format!("{whole:?}"),
        start => format!("{start:?}{ELLIPSIS}"),
    }
}

/// `and 3 more`, if of so many not all are shown.
pub fn more(total: usize, shown: usize) -> Option<String> {
    let more = total.saturating_sub(shown);
    (more > 0).then(|| format!("and {more} more"))
}

/// `a, b and 3 more`.
pub fn listed(shown: &[String], separator: &str, total: usize) -> String {
    let shown_text = shown.join(separator);
    match more(total, shown.len()) {
        Some(more) => format!("{shown_text} {more}"),
        None => shown_text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_at_a_character_and_shows_it() {
        let cases = [
            ("disk full", 9, "disk full"),
            ("disk full", 8, "disk fu…"),
            ("disk full", 6, "disk…"),
            ("äöü", 2, "ä…"),
            ("äöü", 0, "…"),
            ("", 0, ""),
        ];
        for (text, characters_max, expected) in cases {
            assert_eq!(truncate(text, characters_max), expected, "{text:?}");
        }
        assert_eq!(prefix("äöüß", 2), "äö");
        assert_eq!(quoted("a\nb"), r#""a\nb""#);
        assert_eq!(quoted(&"ä".repeat(81)), format!("{:?}…", "ä".repeat(80)));
    }

    #[test]
    fn a_long_text_can_keep_its_identity() {
        let long = |end: &str| "x".repeat(600) + end;
        assert_eq!(distinct("short", 512), "short");
        assert_eq!(distinct(&long("a"), 512).chars().count(), 512);
        assert_ne!(distinct(&long("a"), 512), distinct(&long("b"), 512));
    }
}
