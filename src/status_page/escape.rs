//! Text within HTML, XML and SVG: no character of it becomes mark-up, and none is there that XML
//! forbids.

use crate::text::clean::is_unsafe;

/// The text for element content and for attributes in double quotes.
pub fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter if is_unsafe(letter) || is_forbidden(letter) => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// Whether XML 1.0 knows no such character, not even escaped.
fn is_forbidden(letter: char) -> bool {
    let is_blank = matches!(letter, '\t' | '\n' | '\r');
    (letter < ' ' && !is_blank) || matches!(letter, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stays_that_is_markup_or_that_xml_forbids() {
        let text = "<a b=\"c\" d='e'>&amp;\u{0}\u{b}\u{ffff}\u{202e}é\n]]>";
        let expected = "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;é\n]]&gt;";
        assert_eq!(xml(text), expected);
    }
}
