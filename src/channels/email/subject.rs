//! The subject of a mail, as encoded words (RFC 2047) that every reader puts back together.
//!
//! The base64 form is not used: a widespread library (GMime, seen in notmuch) drops what follows a
//! word whose base64 is padded, and long titles in Cyrillic or Japanese lose their tails. The Q
//! form has no padding. A word holds whole characters and at most 75 bytes.

use super::text;
use crate::engine::decision::SendRequest;
use crate::engine::page::PageKind;

/// What a word costs beside its text: `=?utf-8?q?` and `?=`.
const FRAME: (&str, &str) = ("=?utf-8?q?", "?=");

/// Bytes of a word, frame included.
const WORD_BYTES_MAX: usize = 75;

/// The subject. Two bundled pages get different ones: some readers join mails by it alone.
pub fn subject(order: &SendRequest) -> String {
    let text = text::subject(&order.message);
    match order.message.kind {
        PageKind::Bundle => format!("{text} (page {})", order.page),
        PageKind::Page | PageKind::Update { .. } | PageKind::Copy => text,
    }
}

/// The text as it may stand in a header. Text without anything to encode stays as it is.
pub fn encoded(text: &str) -> String {
    let is_plain = |letter: char| letter == ' ' || letter.is_ascii_graphic();
    if text.chars().all(is_plain) && !text.contains("=?") {
        return text.to_owned();
    }
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for letter in text.chars() {
        let piece = quoted(letter);
        if FRAME.0.len() + word.len() + piece.len() + FRAME.1.len() > WORD_BYTES_MAX {
            words.push(std::mem::take(&mut word));
        }
        word.push_str(&piece);
    }
    words.push(word);
    let framed = words
        .iter()
        .map(|word| format!("{}{word}{}", FRAME.0, FRAME.1));
    framed.collect::<Vec<_>>().join("\r\n ")
}

/// One character in the Q form, with the letters that may stand in any header.
fn quoted(letter: char) -> String {
    match letter {
        ' ' => "_".to_owned(),
        '!' | '*' | '+' | '-' | '/' => letter.to_string(),
        letter if letter.is_ascii_alphanumeric() => letter.to_string(),
        letter => {
            let mut bytes = [0; 4];
            let bytes = letter.encode_utf8(&mut bytes).bytes();
            bytes.map(|byte| format!("={byte:02X}")).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Each word read by itself, as the strictest reader does.
    fn read(header: &str) -> String {
        let words = header.split("\r\n ").map(|word| {
            assert!(word.len() <= WORD_BYTES_MAX, "{word}");
            let inner = word.strip_prefix(FRAME.0).expect("a word");
            let inner = inner.strip_suffix(FRAME.1).expect("a word");
            let (mut bytes, mut rest) = (Vec::new(), inner.bytes());
            while let Some(byte) = rest.next() {
                bytes.push(match byte {
                    b'_' => b' ',
                    b'=' => {
                        let digits = [rest.next().expect("hex"), rest.next().expect("hex")];
                        let digits = std::str::from_utf8(&digits).expect("hex");
                        u8::from_str_radix(digits, 16).expect("hex")
                    }
                    byte => byte,
                });
            }
            String::from_utf8(bytes).expect("whole characters in each word")
        });
        words.collect()
    }

    #[test]
    fn text_in_ascii_stays_as_it_is_unless_it_looks_encoded() {
        assert_eq!(encoded("[HIGH] #1042 disk full"), "[HIGH] #1042 disk full");
        assert_eq!(read(&encoded("=?utf-8?q?x?=")), "=?utf-8?q?x?=");
    }

    #[test]
    fn long_titles_of_any_script_keep_their_tails() {
        for title in [
            "[HIGH] #1042 диск переполнен на сервере базы данных номер один в Москве",
            "[HIGH] #1042 データベースサーバーのディスクがいっぱいです。至急対応してください",
            "a\u{65e5}\u{672c}\u{8a9e}\u{306e}\u{30c6}\u{30b9}\u{30c8}",
            "caf\u{e9}",
        ] {
            assert_eq!(read(&encoded(title)), title);
        }
    }

    proptest! {
        #[test]
        fn every_text_is_read_back_word_by_word(text in "\\PC{0,200}") {
            let header = encoded(&text);
            let is_encoded = header.starts_with(FRAME.0);
            let back = if is_encoded { read(&header) } else { header };
            prop_assert_eq!(back, text);
        }
    }
}
