//! Text of others, fit to be shown: on one line, without what moves a cursor or turns text around.
//!
//! Labels are kept, matched and grouped as they were sent; whoever shows one calls this first.

/// The text on one line: every control character and every invisible sign that turns the direction
/// of writing becomes a blank, and blanks are joined.
pub fn one_line(text: &str) -> String {
    text.split(|letter: char| letter.is_whitespace() || is_unwanted(letter))
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Control characters, signs that turn the direction of writing, and line separators.
pub fn is_unwanted(letter: char) -> bool {
    letter.is_control() || is_invisible(letter)
}

fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}'
    ) || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_one_line_that_steers_nothing() {
        let cases = [
            ("a\r\n b\tc", "a b c"),
            ("\u{1b}[31mred\u{0}", "[31mred"),
            ("abc\u{202e}fed\u{61c}\u{200f}", "abc fed"),
            (" \u{2028} ", ""),
            ("größer 👩‍🚒", "größer 👩‍🚒"),
        ];
        for (text, shown) in cases {
            assert_eq!(one_line(text), shown, "{text:?}");
        }
    }
}
