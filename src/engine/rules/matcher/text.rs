//! The text form of matchers, as Alertmanager reads and writes it.
//!
//! `name OPERATOR value`, with spaces around each part. Names and values stand bare or in double
//! quotes. Alertmanager has two readings, and so has this: where the name is plain the classic one,
//! in which `\"`, `\\` and `\n` are one character each and any other backslash stays, so that
//! `"foo\.bar\b"` is the regular expression that it seems to be; otherwise, or where that gives
//! none, the newer one, in which text in quotes has the escapes of Go and no others.

use std::fmt::Write as _;

use crate::text::is_unwanted;

use super::operator::Operator;

/// The parts of a matcher as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub name: String,
    pub operator: Operator,
    pub value: String,
}

/// What a text can mean. Where both are something, the classic one counts.
#[derive(Debug)]
pub(super) struct Readings {
    pub classic: Result<Parts, String>,
    pub newer: Result<Parts, String>,
}

/// Takes a matcher apart; the cause, if it is none in any reading, or means another thing in each.
pub(super) fn read(text: &str) -> Result<Readings, String> {
    let text = text.trim_matches(is_space);
    if text.starts_with('{') {
        return Err("write one matcher alone, without the braces".to_owned());
    }
    if text.ends_with('}') {
        return Err(
            "a value that ends with '}' needs double quotes; omit braces around matchers"
                .to_owned(),
        );
    }
    let (name, rest) = name(text)?;
    let (operator, rest) = operator(rest.trim_start())?;
    let written = rest.trim_start_matches(is_space);
    refuse_doubtful(written, operator)?;
    let parts = |value| Parts {
        name: name.clone(),
        operator,
        value,
    };
    let newer = newer(written.trim()).map(parts);
    let classic = if is_plain(&name) && !text.starts_with('"') {
        classic(written).map(parts)
    } else {
        // The classic reading knows no such names.
        newer.clone()
    };
    Ok(Readings { classic, newer })
}

/// What both readings take for a space.
fn is_space(character: char) -> bool {
    "\t\n\x0c\r ".contains(character)
}

fn name(text: &str) -> Result<(String, &str), String> {
    let (name, rest) = match text.strip_prefix('"') {
        Some(quoted) => unquote(quoted, newer_escape)?,
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

/// Refuses bare values that Alertmanager would read, and not as they look.
fn refuse_doubtful(text: &str, operator: Operator) -> Result<(), String> {
    let first = text.chars().next();
    if let Some(sign) = first.filter(|sign| "=~!".contains(*sign)) {
        return Err(format!(
            "after {operator} comes '{sign}'; the operators are = != =~ !~, and a value that \
             starts with it needs double quotes"
        ));
    }
    if let Some(quote) = first.filter(|sign| "'`".contains(*sign)) {
        return Err(format!("{quote} is not a quote here; use double quotes"));
    }
    if first != Some('"') && text.contains(',') {
        return Err(in_quotes(','));
    }
    Ok(())
}

fn in_quotes(sign: char) -> String {
    format!("a value with '{sign}' needs double quotes; write each matcher as its own entry")
}

/// A value as the classic parser reads it.
fn classic(text: &str) -> Result<String, String> {
    if let Some(quoted) = text.strip_prefix('"') {
        return alone(unquote(quoted, classic_escape)?);
    }
    // A quote that nothing escapes would end a text that never began.
    match unquote(&format!("{text}\""), classic_escape) {
        Ok((value, "")) => Ok(value),
        // The last backslash took the quote that was put there.
        Err(_) if text.ends_with('\\') => {
            let (value, _) = unquote(&format!("{text}\\\""), classic_escape)?;
            Ok(value)
        }
        Ok(_) | Err(_) => Err(in_quotes('"')),
    }
}

/// A value as the newer parser reads it.
fn newer(text: &str) -> Result<String, String> {
    if let Some(quoted) = text.strip_prefix('"') {
        return alone(unquote(quoted, newer_escape)?);
    }
    if text.is_empty() {
        return Err("the value is missing; the empty text is written \"\"".to_owned());
    }
    match text.chars().find(|sign| ends_bare_name(*sign)) {
        Some(sign) => Err(in_quotes(sign)),
        None => Ok(text.to_owned()),
    }
}

/// A value behind which nothing stands.
fn alone((value, rest): (String, &str)) -> Result<String, String> {
    match rest.trim_start() {
        "" => Ok(value),
        rest => Err(format!(
            "'{rest}' follows the closing quote; write each matcher as its own entry"
        )),
    }
}

/// What a backslash and what stands behind it mean, and the length of the latter.
type Escape = fn(&str) -> Result<(Vec<u8>, usize), String>;

/// Reads up to the closing quote; the text and what stands after the quote.
fn unquote(quoted: &str, escape: Escape) -> Result<(String, &str), String> {
    let mut bytes = Vec::new();
    let mut rest = quoted;
    loop {
        let mut characters = rest.chars();
        match characters.next() {
            None => return Err("the closing quote is missing".to_owned()),
            Some('"') => {
                let text = String::from_utf8(bytes);
                let text = text.map_err(|_| "its escapes are not UTF-8".to_owned())?;
                return Ok((text, characters.as_str()));
            }
            Some('\\') => {
                let (meant, length) = escape(characters.as_str())?;
                bytes.extend(meant);
                rest = &characters.as_str()[length..];
            }
            Some(character) => {
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest = characters.as_str();
            }
        }
    }
}

fn classic_escape(after: &str) -> Result<(Vec<u8>, usize), String> {
    Ok(match after.bytes().next() {
        Some(b'n') => (b"\n".to_vec(), 1),
        Some(sign @ (b'"' | b'\\')) => (vec![sign], 1),
        _ => (b"\\".to_vec(), 0),
    })
}

/// The escapes of Go's texts in double quotes.
fn newer_escape(after: &str) -> Result<(Vec<u8>, usize), String> {
    let sign = after.chars().next();
    let number = |from: usize, length: usize, radix: u32| {
        let digits = after.get(from..from + length)?;
        let is_number = digits.chars().all(|digit| digit.is_digit(radix));
        let number = u32::from_str_radix(digits, radix).ok();
        number.filter(|_| is_number)
    };
    let byte = |number: Option<u32>| Some(vec![u8::try_from(number?).ok()?]);
    let letter = |number: Option<u32>| Some(char::from_u32(number?)?.to_string().into_bytes());
    let (meant, length) = match sign {
        Some('a') => (Some(vec![7]), 1),
        Some('b') => (Some(vec![8]), 1),
        Some('f') => (Some(vec![12]), 1),
        Some('n') => (Some(b"\n".to_vec()), 1),
        Some('r') => (Some(b"\r".to_vec()), 1),
        Some('t') => (Some(b"\t".to_vec()), 1),
        Some('v') => (Some(vec![11]), 1),
        Some('"') => (Some(b"\"".to_vec()), 1),
        Some('\\') => (Some(b"\\".to_vec()), 1),
        Some('x') => (byte(number(1, 2, 16)), 3),
        Some('u') => (letter(number(1, 4, 16)), 5),
        Some('U') => (letter(number(1, 8, 16)), 9),
        Some('0'..='7') => (byte(number(0, 3, 8)), 3),
        _ => (None, 0),
    };
    let shown = sign.map(String::from).unwrap_or_default();
    let unknown = || {
        format!(
            "after a name in quotes, or one that is not plain, '\\{shown}' is not an escape; \
             write a literal backslash twice"
        )
    };
    Ok((meant.ok_or_else(unknown)?, length))
}

/// A matcher in the text that `read` reads. What would be unreadable bare needs the escapes of
/// the newer reading, and with them a name in quotes.
pub(super) fn written(name: &str, operator: Operator, value: &str) -> String {
    let needs_escapes = value.chars().any(|sign| sign != '\n' && is_unwanted(sign));
    let name = if needs_escapes {
        quote(name)
    } else {
        quote_unless_plain(name)
    };
    format!("{name}{operator}{}", quote(value))
}

/// The text in double quotes, as `read` reads it.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            unwanted if is_unwanted(unwanted) => {
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
pub fn quote_unless_plain(name: &str) -> String {
    if is_plain(name) {
        name.to_owned()
    } else {
        quote(name)
    }
}

fn is_plain(name: &str) -> bool {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "_:".contains(character);
    name.starts_with(|first: char| !first.is_ascii_digit()) && name.chars().all(is_plain)
}
