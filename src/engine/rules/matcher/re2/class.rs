//! Sets of characters: brackets, `\d` and its like, and those of Unicode.

use std::fmt::Write as _;

use regex::Regex;

use super::escape;

/// The names in `[[:alpha:]]`.
const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// `\d`, `\pL` and so on at the beginning of a text, and what follows.
pub(super) fn escaped(text: &str) -> Result<Option<(String, &str)>, String> {
    let Some(after) = text.strip_prefix('\\') else {
        return Ok(None);
    };
    let class = match after.chars().next() {
        Some('d') => "[0-9]",
        Some('D') => "[^0-9]",
        // Without the vertical tab.
        Some('s') => r"[\t\n\f\r\x20]",
        Some('S') => r"[^\t\n\f\r\x20]",
        Some('w') => "[0-9A-Za-z_]",
        Some('W') => "[^0-9A-Za-z_]",
        Some(sign @ ('p' | 'P')) => return unicode(&after[1..], sign == 'P').map(Some),
        _ => return Ok(None),
    };
    Ok(Some((class.to_owned(), &after[1..])))
}

/// The class of a category or a script, read from behind `\p`.
fn unicode(text: &str, negated: bool) -> Result<(String, &str), String> {
    let braced = text.strip_prefix('{').map(|rest| rest.split_once('}'));
    let (name, rest) = match braced {
        Some(braced) => braced.ok_or(r"`\p{` needs its `}`")?,
        None => {
            let length = text.chars().next().map_or(0, char::len_utf8);
            text.split_at(length)
        }
    };
    let (plain, negated) = match name.strip_prefix('^') {
        Some(plain) => (plain, !negated),
        None => (name, negated),
    };
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "_- ".contains(sign);
    if !plain.is_empty() && plain.chars().all(is_plain) {
        let sign = if negated { 'P' } else { 'p' };
        let kinds = if is_short_script(plain) {
            &["gc"][..]
        } else {
            &["gc", "sc"]
        };
        let mut classes = kinds
            .iter()
            .map(|kind| format!(r"\{sign}{{{kind}={plain}}}"));
        if let Some(class) = classes.find(|class| Regex::new(class).is_ok()) {
            return Ok((class, rest));
        }
    }
    Err(format!(
        r"`\p{{{name}}}` is unknown; it takes a category such as `Lu` or a script such as `Greek`"
    ))
}

/// Whether it is a script's code of four letters, such as `Grek`, which Go does not know. A few
/// scripts have no longer name.
fn is_short_script(name: &str) -> bool {
    const SHORT: [&str; 6] = ["ahom", "cham", "kawi", "lisu", "thai", "toto"];
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let letters: String = letters.collect::<String>().to_ascii_lowercase();
    letters.len() == 4 && !SHORT.contains(&letters.as_str())
}

/// A class in brackets at the beginning of a text, and what follows.
pub(super) fn bracketed(text: &str) -> Result<(String, &str), String> {
    let mut rest = text.strip_prefix('[').unwrap_or(text);
    let mut written = "[".to_owned();
    if let Some(negated) = rest.strip_prefix('^') {
        rest = negated;
        written.push('^');
    }
    let mut is_first = true;
    loop {
        // A `]` at the beginning means itself.
        if let Some(after) = rest.strip_prefix(']').filter(|_| !is_first) {
            written.push(']');
            return Ok((written, after));
        }
        is_first = false;
        rest = member(rest, &mut written)?;
    }
}

/// Reads one member of a class; the answer is what follows it.
fn member<'text>(text: &'text str, written: &mut String) -> Result<&'text str, String> {
    let named = text
        .strip_prefix("[:")
        .and_then(|named| named.split_once(":]"));
    if let Some((name, rest)) = named {
        if !POSIX.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(format!("`[:{name}:]` is not an RE2 class"));
        }
        let _ = write!(written, "[:{name}:]");
        return Ok(rest);
    }
    if let Some((class, rest)) = escaped(text)? {
        written.push_str(&class);
        return Ok(rest);
    }
    let (low, rest) = single(text)?;
    let high = rest
        .strip_prefix('-')
        .filter(|after| !after.starts_with(']'));
    let (high, rest) = match high {
        Some(after) => single(after)?,
        None => (low, rest),
    };
    if high < low {
        return Err(format!("the range `{low}-{high}` is in the wrong order"));
    }
    let (low, high) = (u32::from(low), u32::from(high));
    // Writing to a string does not fail.
    let _ = write!(written, r"\x{{{low:x}}}-\x{{{high:x}}}");
    Ok(rest)
}

fn single(text: &str) -> Result<(char, &str), String> {
    let mut characters = text.chars();
    match characters.next() {
        None => Err("unclosed class; write a literal `[` as `\\[`".to_owned()),
        Some('\\') => escape::character(characters.as_str()),
        Some(sign) => Ok((sign, characters.as_str())),
    }
}
