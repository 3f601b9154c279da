//! Makes texts from outside safe to show and short enough to keep.
//!
//! Line breaks become spaces, other control characters and those that turn the direction of text
//! are replaced, and what is too long is cut at a character. All but the line breaks is reported.

use std::borrow::Cow;

use crate::engine::event::{Text, limit};
use crate::text::{clean::is_line_break, clean::is_unsafe, shared, truncate};

use super::faults::{Faults, Place};

/// A text on one line, cut to `bytes_max`.
pub fn line(text: &str, bytes_max: usize, place: Place<'_>, faults: &mut Faults) -> Text {
    cut(&clean(text, place, faults), bytes_max, place, faults)
}

/// The value of a label: nothing in it is replaced, it is only cut.
pub fn as_sent(value: &str, place: Place<'_>, faults: &mut Faults) -> Text {
    cut(value, limit::LABEL_VALUE_BYTES, place, faults)
}

fn cut(text: &str, bytes_max: usize, place: Place<'_>, faults: &mut Faults) -> Text {
    if text.len() <= bytes_max {
        return shared(text);
    }
    let kept = &text[..text.floor_char_boundary(bytes_max)];
    faults.add(
        place,
        format_args!("is {} bytes long; {} are kept", text.len(), kept.len()),
    );
    kept.into()
}

/// A summary: one line, cut to its length with `…` at the end.
pub fn summary(text: &str, place: Place<'_>, faults: &mut Faults) -> Text {
    let clean = clean(text.trim(), place, faults);
    let kept = truncate(&clean, limit::SUMMARY_CHARACTERS);
    if kept.len() == clean.len() {
        return kept.into();
    }
    faults.add(
        place,
        format_args!(
            "is {} characters long; {} are kept",
            clean.chars().count(),
            limit::SUMMARY_CHARACTERS
        ),
    );
    kept.into()
}

/// Replaces what must not be shown, and reports it.
pub fn clean<'text>(text: &'text str, place: Place<'_>, faults: &mut Faults) -> Cow<'text, str> {
    // Nearly all texts are of these alone, and bytes are faster to look at than letters.
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_plain || !text.contains(|letter| is_line_break(letter) || is_unsafe(letter)) {
        return Cow::Borrowed(text);
    }
    if text.chars().any(is_unsafe) {
        faults.add(place, "contains control characters; they were replaced");
    }
    let joined = text.replace("\r\n", " ");
    let clean = joined.chars().map(|character| {
        if is_line_break(character) {
            ' '
        } else if is_unsafe(character) {
            char::REPLACEMENT_CHARACTER
        } else {
            character
        }
    });
    Cow::Owned(clean.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary_of(text: &str) -> (Text, usize) {
        let mut faults = Faults::of_event();
        let text = summary(text, Place::At("$"), &mut faults);
        (text, faults.into_list().len())
    }

    #[test]
    fn a_summary_is_one_harmless_line() {
        let cases = [
            ("disk full on db1", "disk full on db1", 0),
            (" a\r\nb\nc\td ", "a b c d", 0),
            ("a\0b\u{1b}[31m\u{7f}", "a\u{fffd}b\u{fffd}[31m\u{fffd}", 1),
            ("a\u{202e}b\u{2028}c", "a\u{fffd}b c", 1),
            ("größer 👩‍🚒", "größer 👩‍🚒", 0),
        ];
        for (text, expected, faults) in cases {
            assert_eq!(summary_of(text), (expected.into(), faults), "{text:?}");
        }
    }

    #[test]
    fn a_long_summary_is_cut_at_a_character_and_shows_it() {
        assert_eq!(summary_of(&"ü".repeat(1_024)).1, 0);
        let (text, faults) = summary_of(&"ü".repeat(1_025));
        assert_eq!(text.chars().count(), 1_024);
        assert!(text.ends_with("ü…"));
        assert_eq!(faults, 1);
    }

    #[test]
    fn a_long_line_is_cut_at_a_character() {
        let mut faults = Faults::of_event();
        let text = line("aüü", 4, Place::Name("$", "a"), &mut faults);
        assert_eq!(&*text, "aü");
        let list = faults.into_list();
        assert_eq!(list[0].problem, "is 5 bytes long; 3 are kept");
    }
}
