//! Text of others, safe to show: nothing in it moves a cursor, changes colours, starts a line or
//! turns text around.
//!
//! Labels are kept, matched and grouped as they were sent; whoever shows one calls this first.

/// The text on one line: every unwanted character becomes a blank, and blanks are joined.
pub fn one_line(text: &str) -> String {
    text.split(|letter: char| letter.is_whitespace() || is_unwanted(letter))
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The text with a blank for every unwanted character, and none around it.
pub fn blanked(text: &str) -> String {
    let blank = |letter| if is_unwanted(letter) { ' ' } else { letter };
    text.chars()
        .map(blank)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// The text with an escape such as `\u{1b}` for every unwanted character.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_unwanted(letter) {
            escaped.extend(letter.escape_unicode());
        } else {
            escaped.push(letter);
        }
    }
    escaped
}

/// Whether a character must not be shown: it controls a terminal, ends a line, turns the direction
/// of writing, or cannot be seen at all.
pub fn is_unwanted(letter: char) -> bool {
    let is_invisible = matches!(
        letter,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}'
    );
    letter.is_control() || is_line_break(letter) || turns_direction(letter) || is_invisible
}

/// Whether a character ends a line or sets text apart; harmless as a blank.
pub fn is_line_break(letter: char) -> bool {
    matches!(
        letter,
        '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Whether a character may not even be kept: a control character that is no line break, or one
/// that shows the text after it in another order. Marks of one letter, as right-to-left languages
/// need them, may be kept.
pub fn is_unsafe(letter: char) -> bool {
    turns_direction(letter) || (letter.is_control() && !is_line_break(letter))
}

fn turns_direction(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_one_line_that_steers_nothing() {
        let cases = [
            ("a\r\n b\tc", "a b c", "a   b c", r"a\u{d}\u{a} b\u{9}c"),
            (
                "\u{1b}[31mred\u{0}",
                "[31mred",
                "[31mred",
                r"\u{1b}[31mred\u{0}",
            ),
            (
                "abc\u{202e}fed\u{61c}\u{200f}",
                "abc fed",
                "abc fed",
                r"abc\u{202e}fed\u{61c}\u{200f}",
            ),
            (" \u{2028} ", "", "", r" \u{2028} "),
            ("größer 👩‍🚒", "größer 👩‍🚒", "größer 👩‍🚒", "größer 👩‍🚒"),
        ];
        for (text, line, blank, escape) in cases {
            assert_eq!(one_line(text), line, "{text:?}");
            assert_eq!(blanked(text), blank, "{text:?}");
            assert_eq!(escaped(text), escape, "{text:?}");
        }
    }

    #[test]
    fn what_may_not_be_kept_may_not_be_shown_either() {
        for letter in char::MIN..=char::MAX {
            let is_less = is_unsafe(letter) || is_line_break(letter);
            assert!(!is_less || is_unwanted(letter), "{letter:?}");
            assert!(!is_unsafe(letter) || !is_line_break(letter), "{letter:?}");
        }
    }
}
