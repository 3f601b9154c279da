//! Text of others inside Slack's markup, within Slack's limits.
//!
//! In every kind of text object `<`, `>` and `&` are the only signs by which markup can call a
//! channel, name a person or make a link; with these escaped, no label can. A limit is kept after
//! escaping and never cuts an entity. What formats (bold, code, quotes) stays on where our own text
//! is [`escaped`], and is switched off in text of others, which is [`literal`].

/// Our own text as markup, which may format; at most `units` long. Also what a `plain_text` object
/// takes.
pub(super) fn escaped(text: &str, units: usize) -> String {
    within(text, units, escape)
}

/// Text of others as markup that shows just this text, every sign of it; at most `units` long.
pub(super) fn literal(text: &str, units: usize) -> String {
    within(text, units, |letter| match letter {
        '*' | '_' | '~' | '`' | '>' => format!("{JOINER}{}", escape(letter)),
        other => escape(other),
    })
}

/// A word joiner: not seen, but what follows it neither begins a line or a word nor ends one.
const JOINER: char = '\u{2060}';

fn within(text: &str, units: usize, escape: fn(char) -> String) -> String {
    let whole: String = text.chars().map(escape).collect();
    if length(&whole) <= units {
        return whole;
    }
    let mut kept = String::new();
    let mut room = units.saturating_sub(1);
    for letter in text.chars() {
        let next = escape(letter);
        let Some(rest) = room.checked_sub(length(&next)) else {
            break;
        };
        room = rest;
        kept.push_str(&next);
    }
    kept.push('…');
    kept
}

/// A link; without one if the address is too long or could end the markup.
pub(super) fn link(href: &str, text: &str, units: usize) -> String {
    let address: String = href
        .chars()
        .map(|letter| match letter {
            '&' => "&amp;".to_owned(),
            '<' => "%3C".to_owned(),
            '>' => "%3E".to_owned(),
            '|' => "%7C".to_owned(),
            other => other.to_string(),
        })
        .collect();
    let room = units.saturating_sub(length(&address) + "<|>".len());
    if room < LINK_TEXT_MIN {
        return literal(text, units);
    }
    // A bar would begin nothing here, but a reader of the raw text might think so.
    let text = text.replace('|', "/");
    format!("<{address}|{}>", literal(&text, room))
}

const LINK_TEXT_MIN: usize = 10;

/// Lines one after the other, as many as fit whole.
pub(super) fn lines(lines: impl IntoIterator<Item = String>, units: usize) -> String {
    let mut text = String::new();
    for line in lines {
        let separator = usize::from(!text.is_empty());
        if length(&text) + separator + length(&line) > units {
            break;
        }
        if separator > 0 {
            text.push('\n');
        }
        text.push_str(&line);
    }
    text
}

/// Slack does not say what it counts; UTF-16 units are never fewer than what people count.
pub(super) fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

fn escape(letter: char) -> String {
    match letter {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn calls_names_and_links_in_foreign_text_are_only_text() {
        let cases = [
            ("<!channel> look", "&lt;!channel&gt; look"),
            ("<@U024BE7LH>", "&lt;@U024BE7LH&gt;"),
            (
                "<https://evil.example|login>",
                "&lt;https://evil.example|login&gt;",
            ),
            ("a && b", "a &amp;&amp; b"),
            ("&lt;!here&gt;", "&amp;lt;!here&amp;gt;"),
        ];
        for (text, expected) in cases {
            assert_eq!(escaped(text, 100), expected);
        }
    }

    #[test]
    fn what_would_format_is_shown_in_text_of_others() {
        let cases = [
            ("*.a.example and *.b", "^*.a.example and ^*.b"),
            ("*/5 * * * *", "^*/5 ^* ^* ^* ^*"),
            ("_a_ ~b~ `c`", "^_a^_ ^~b^~ ^`c^`"),
            ("> quoted", "^&gt; quoted"),
            ("<!here> & all", "&lt;!here^&gt; &amp; all"),
        ];
        for (text, expected) in cases {
            assert_eq!(literal(text, 100), expected.replace('^', "\u{2060}"));
        }
        assert_eq!(literal("ab*cd", 4), "ab…", "a joiner never stands alone");
        assert_eq!(escaped("Run `x`", 100), "Run `x`");
    }

    #[test]
    fn a_cut_leaves_entities_and_letters_whole() {
        let cases = [
            ("abcdef", 6, "abcdef"),
            ("abcdefg", 6, "abcde…"),
            ("ab&cd", 6, "ab…"),
            ("a&b", 7, "a&amp;b"),
            ("😀😀😀", 5, "😀😀…"),
        ];
        for (text, units, expected) in cases {
            assert_eq!(escaped(text, units), expected, "{text}");
        }
    }

    #[test]
    fn a_link_cannot_be_broken_out_of() {
        let found = link("https://a.example/?x=1&y=<|>", "a|b <!here>", 200);
        let expected = "<https://a.example/?x=1&amp;y=%3C%7C%3E|a/b &lt;!here\u{2060}&gt;>";
        assert_eq!(found, expected);
        let long = format!("https://a.example/{}", "x".repeat(200));
        assert_eq!(link(&long, "runbook", 100), "runbook");
    }

    #[test]
    fn lines_are_kept_whole() {
        let three = ["one", "two", "three"].map(str::to_owned);
        assert_eq!(lines(three.clone(), 100), "one\ntwo\nthree");
        assert_eq!(lines(three, 8), "one\ntwo");
    }

    proptest! {
        #[test]
        fn nothing_is_longer_than_its_limit_or_keeps_a_bracket(text: String, units in 1..200usize) {
            for found in [escaped(&text, units), literal(&text, units)] {
                prop_assert!(length(&found) <= units);
                prop_assert!(!found.contains(['<', '>']));
            }
        }
    }
}
