//! Strings and numbers of JSON: their grammar, and what of a string can be mended.

use serde::de::IgnoredAny;

/// A string that was read.
pub struct Read {
    pub text: String,
    /// Bytes up to and with the closing quote.
    pub length: usize,
    /// What had to be mended, if anything.
    pub mended: Option<&'static str>,
}

/// Why a string cannot be read.
pub struct Broken {
    pub at: usize,
    /// `None` if the text ends too early.
    pub problem: Option<&'static str>,
}

const LONE_SURROGATE: &str = "contains half a surrogate pair; it was replaced";
const NOT_UTF8: &str = "is not UTF-8; what could not be read was replaced";
const BARE_CONTROL: &str = "contains an unescaped control character";

/// Reads a string whose opening quote stands before `rest`.
pub fn read(rest: &[u8]) -> Result<Read, Broken> {
    let mut bytes = Vec::new();
    let mut mended = None;
    let mut at = 0;
    loop {
        let plain = rest[at..]
            .iter()
            .take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20))
            .count();
        bytes.extend_from_slice(&rest[at..at + plain]);
        at += plain;
        match rest.get(at) {
            None => return Err(Broken { at, problem: None }),
            Some(b'"') => break,
            Some(b'\\') => {
                let (character, length) = escape(rest, at)?;
                if character.is_none() {
                    mended = Some(LONE_SURROGATE);
                }
                let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                at += length;
            }
            Some(control) => {
                mended = Some(BARE_CONTROL);
                bytes.push(*control);
                at += 1;
            }
        }
    }
    let text = String::from_utf8(bytes).unwrap_or_else(|error| {
        mended = Some(NOT_UTF8);
        String::from_utf8_lossy(error.as_bytes()).into_owned()
    });
    Ok(Read {
        text,
        length: at + 1,
        mended,
    })
}

/// The character of the escape at `at` and the length of the escape. Half a surrogate pair is no
/// character.
fn escape(rest: &[u8], at: usize) -> Result<(Option<char>, usize), Broken> {
    let simple = match rest.get(at + 1) {
        None => return Err(Broken { at, problem: None }),
        Some(b'u') => return unicode_escape(rest, at),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(same @ (b'"' | b'\\' | b'/')) => char::from(*same),
        Some(_) => {
            let problem = Some("unknown escape in a string");
            return Err(Broken { at, problem });
        }
    };
    Ok((Some(simple), 2))
}

fn unicode_escape(rest: &[u8], at: usize) -> Result<(Option<char>, usize), Broken> {
    let first = code_unit(rest, at)?;
    if let Some(character) = char::from_u32(first) {
        return Ok((Some(character), 6));
    }
    let is_high = (0xD800..0xDC00).contains(&first);
    if is_high && rest[at + 6..].starts_with(b"\\u") {
        let second = code_unit(rest, at + 6)?;
        if (0xDC00..0xE000).contains(&second) {
            let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
            return Ok((char::from_u32(code), 12));
        }
    }
    Ok((None, 6))
}

/// The four hexadecimal digits after `\u` at `at`.
fn code_unit(rest: &[u8], at: usize) -> Result<u32, Broken> {
    let Some(digits) = rest.get(at + 2..at + 6) else {
        return Err(Broken { at, problem: None });
    };
    digits.iter().try_fold(0, |code, digit| {
        let digit = char::from(*digit).to_digit(16).ok_or(Broken {
            at,
            problem: Some("`\\u` needs four hexadecimal digits"),
        })?;
        Ok(code * 16 + digit)
    })
}

/// Whether a word is a number in JSON's grammar, however large.
pub fn is_number(word: &str) -> bool {
    let begins = word.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    begins && serde_json::from_str::<IgnoredAny>(word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_grammar_of_json() {
        for word in ["0", "-0", "10", "1.5", "1e5", "1E+5", "-1.25e-7", "1e999"] {
            assert!(is_number(word), "{word}");
        }
        for word in [
            "", "-", "01", "1.", ".5", "1e", "+1", "1e5.5", "0x10", "--1", "-true",
        ] {
            assert!(!is_number(word), "{word}");
        }
    }
}
