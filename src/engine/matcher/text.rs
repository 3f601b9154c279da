//! The text form of matchers, as Alertmanager reads and writes it.
//!
//! `name OPERATOR value`, with spaces around each part. Names and values stand bare or in double
//! quotes. In quotes `\"`, `\\`, `\n`, `\r`, `\t`, `\xNN` (ASCII), `\uNNNN` and `\UNNNNNNNN` are
//! one character; any other backslash stays, so that `"foo\.bar\b"` is the regular expression that
//! it seems to be.

use std::fmt::Write as _;

use super::Operator;
use crate::engine::shown;

/// The parts of a matcher as written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub name: String,
    pub operator: Operator,
    pub value: String,
}

/// Takes a matcher apart; the cause, if it is none.
pub(super) fn parse(text: &str) -> Result<Parts, String> {
    let text = text.trim();
    if text.starts_with('{') {
        return Err("one matcher stands alone; leave out the braces".to_owned());
    }
    let (name, rest) = name(text)?;
    let (operator, rest) = operator(rest.trim_start())?;
    let value = value(rest.trim_start(), operator)?;
    Ok(Parts {
        name,
        operator,
        value,
    })
}

fn name(text: &str) -> Result<(String, &str), String> {
    let (name, rest) = match text.strip_prefix('"') {
        Some(quoted) => unquote(quoted)?,
        None => {
            let end = text.find(ends_bare_name).unwrap_or(text.len());
            (text[..end].to_owned(), &text[end..])
        }
    };
    if name.is_empty() {
        return Err("the label name before the operator is missing".to_owned());
    }
    Ok((name, rest))
}

fn ends_bare_name(character: char) -> bool {
    character.is_whitespace() || "{}!=~,\\\"'`".contains(character)
}

fn operator(text: &str) -> Result<(Operator, &str), String> {
    // The longer ones first: `=` begins `=~`.
    let operators = [
        Operator::Match,
        Operator::NotMatch,
        Operator::NotEqual,
        Operator::Equal,
    ];
    operators
        .into_iter()
        .find_map(|operator| Some((operator, text.strip_prefix(operator.as_str())?)))
        .ok_or_else(|| match text.chars().next() {
            Some(other) => format!("after the label name comes '{other}' and not = != =~ or !~"),
            None => "the operator is missing; use = != =~ or !~".to_owned(),
        })
}

fn value(text: &str, operator: Operator) -> Result<String, String> {
    let Some(quoted) = text.strip_prefix('"') else {
        return bare_value(text, operator);
    };
    let (value, rest) = unquote(quoted)?;
    match rest.trim_start() {
        "" => Ok(value),
        rest => Err(format!(
            "'{rest}' stands after the closing quote; each matcher is an entry of its own"
        )),
    }
}

fn bare_value(text: &str, operator: Operator) -> Result<String, String> {
    let first = text.chars().next();
    if let Some(sign) = first.filter(|sign| "=~!".contains(*sign)) {
        return Err(format!(
            "after {operator} comes '{sign}'; the operators are = != =~ !~, and a value that \
             begins so needs double quotes"
        ));
    }
    if let Some(quote) = first.filter(|sign| "'`".contains(*sign)) {
        return Err(format!("{quote} is no quote here; use double quotes"));
    }
    match text.chars().find(|sign| "\",".contains(*sign)) {
        Some(sign) => Err(format!(
            "a value with '{sign}' needs double quotes; each matcher is an entry of its own"
        )),
        None => Ok(text.to_owned()),
    }
}

/// Reads up to the closing quote; the text and what stands after the quote.
fn unquote(quoted: &str) -> Result<(String, &str), String> {
    let mut text = String::new();
    let mut rest = quoted;
    loop {
        let mut characters = rest.chars();
        match characters.next() {
            None => return Err("the closing quote is missing".to_owned()),
            Some('"') => return Ok((text, characters.as_str())),
            Some('\\') => {
                let (character, length) = escape(characters.as_str()).unwrap_or(('\\', 0));
                text.push(character);
                rest = &characters.as_str()[length..];
            }
            Some(character) => {
                text.push(character);
                rest = characters.as_str();
            }
        }
    }
}

/// The character that an escape stands for, and its length without the backslash; `None` where the
/// backslash stands for itself.
fn escape(after_backslash: &str) -> Option<(char, usize)> {
    let numbered = |digits: usize| {
        let hexadecimal = after_backslash.get(1..=digits)?;
        if !hexadecimal.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let character = char::from_u32(u32::from_str_radix(hexadecimal, 16).ok()?)?;
        Some((character, 1 + digits))
    };
    match after_backslash.chars().next()? {
        sign @ ('"' | '\\') => Some((sign, 1)),
        'n' => Some(('\n', 1)),
        'r' => Some(('\r', 1)),
        't' => Some(('\t', 1)),
        // Beyond ASCII `\x` would be a byte in Go and a character in a regular expression.
        'x' => numbered(2).filter(|(character, _)| character.is_ascii()),
        'u' => numbered(4),
        'U' => numbered(8),
        _ => None,
    }
}

/// The text in double quotes, as [`parse`] reads it.
pub(in crate::engine) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            unwanted if shown::is_unwanted(unwanted) => {
                // Writing to a string does not fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(unwanted));
            }
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    quoted
}

/// A name as it is written before an operator: bare where Alertmanager writes it so.
pub(in crate::engine) fn quote_unless_plain(name: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "_:".contains(character);
    let begins_plain = name.starts_with(|first: char| !first.is_ascii_digit());
    if begins_plain && name.chars().all(is_plain) {
        name.to_owned()
    } else {
        quote(name)
    }
}
