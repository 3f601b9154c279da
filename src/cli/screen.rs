//! The last station of whatever commands print: nothing that a server or a file says moves the
//! cursor, changes colours or turns a line around.
//!
//! Fields of answers were put on one line each where they were laid out
//! ([`present::table::clean`](super::render::table::clean)), so the line breaks that arrive here
//! are our own.

use serde_json::Value;

use crate::text::is_unwanted;

use super::context::Look;

/// Text as it may be printed: what steers a terminal becomes its escape, such as `\u{1b}`. Line
/// breaks, tabs and, where there is colour, colours stay.
pub fn printable(text: &str, look: Look) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let colour = if look.has_colour { colour(rest) } else { 0 };
        if colour > 0 {
            shown.push_str(&rest[..colour]);
            rest = &rest[colour..];
            continue;
        }
        if is_unwanted(letter) && !matches!(letter, '\n' | '\t') {
            shown.extend(letter.escape_unicode());
        } else {
            shown.push(letter);
        }
        rest = &rest[letter.len_utf8()..];
    }
    shown
}

/// JSON as it may be printed: the same value, with what steers a terminal as escapes of JSON.
pub fn json(value: &Value) -> String {
    let written = format!("{value:#}");
    let mut shown = String::with_capacity(written.len());
    for letter in written.chars() {
        // Outside of texts there are no other control characters than the line breaks of the form.
        if is_unwanted(letter) && letter != '\n' {
            let mut units = [0; 2];
            let units = letter.encode_utf16(&mut units).iter();
            shown.extend(units.map(|unit| format!("\\u{unit:04x}")));
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// The bytes of a colour at the start of a text, as tables and faults are painted.
fn colour(text: &str) -> usize {
    let Some(rest) = text.strip_prefix("\u{1b}[") else {
        return 0;
    };
    let is_part = |letter: char| letter.is_ascii_digit() || letter == ';';
    let end = rest.find(|letter| !is_part(letter));
    match end.filter(|end| rest[*end..].starts_with('m')) {
        Some(end) => "\u{1b}[".len() + end + 1,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_steers_a_terminal_is_printed_as_its_escape() {
        let painted = Look {
            has_colour: true,
            ..Look::PLAIN
        };
        let cases = [
            ("a\n\tb größer 👩‍🚒", Look::PLAIN, "a\n\tb größer 👩‍🚒"),
            (
                "\u{1b}[31mred\r\u{7f}",
                Look::PLAIN,
                "\\u{1b}[31mred\\u{d}\\u{7f}",
            ),
            (
                "\u{9b}2J\u{2028}\u{202e}",
                Look::PLAIN,
                "\\u{9b}2J\\u{2028}\\u{202e}",
            ),
            (
                "\u{1b}[1;31mred\u{1b}[0m",
                painted,
                "\u{1b}[1;31mred\u{1b}[0m",
            ),
            (
                "\u{1b}[2J\u{1b}]0;x\u{7}",
                painted,
                "\\u{1b}[2J\\u{1b}]0;x\\u{7}",
            ),
            ("\u{1b}[31", painted, "\\u{1b}[31"),
        ];
        for (text, look, expected) in cases {
            assert_eq!(printable(text, look), expected, "{text:?}");
        }
    }

    #[test]
    fn json_is_printed_as_the_same_value_without_what_steers_a_terminal() {
        let value = json!({"a\u{202e}": ["x\u{1b}\u{9b}\u{7f}\u{2028}\n\"\\", 1, null]});
        let printed = json(&value);
        assert!(!printed.contains(|letter| letter != '\n' && is_unwanted(letter)));
        assert_eq!(serde_json::from_str::<Value>(&printed).ok(), Some(value));
    }
}
