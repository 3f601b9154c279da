//! What the value of a matcher is compared with.
//!
//! A regular expression is one of RE2, as in Alertmanager. It has to match the whole value, takes
//! linear time and is limited in size.
//! Most of those that people write only list words (`critical|error`); these become a set, which is
//! faster and which the routing index can look up.

use regex::{Regex, RegexBuilder};

use super::operator::Operator;
use super::re2;
use crate::engine::event::Text;

/// Bytes that a compiled regular expression may take.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// The compiled value of a matcher, whether or not its operator negates.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    /// One of these, sorted.
    OneOf(Vec<Text>),
    /// Anchored at both ends.
    Regex(Regex),
}

impl Pattern {
    /// Compiles a value; the cause, if it does not compile.
    pub fn new(operator: Operator, value: &str) -> Result<Self, String> {
        match operator {
            Operator::Equal | Operator::NotEqual => Ok(Self::OneOf(vec![value.into()])),
            Operator::Match | Operator::NotMatch => match words(value) {
                Some(words) => Ok(Self::OneOf(words)),
                None => anchored(value).map(Self::Regex),
            },
        }
    }

    pub fn matches(&self, value: &str) -> bool {
        match self {
            Self::OneOf(words) => words.binary_search_by(|word| (**word).cmp(value)).is_ok(),
            Self::Regex(regex) => regex.is_match(value),
        }
    }
}

/// The words of a regular expression that only lists words, sorted, each once.
fn words(expression: &str) -> Option<Vec<Text>> {
    let mut words = vec![String::new()];
    let mut characters = expression.chars();
    while let Some(character) = characters.next() {
        let literal = match character {
            '|' => {
                words.push(String::new());
                continue;
            }
            // An escaped sign stands for itself; an escaped letter is a class or an anchor.
            '\\' => characters.next().filter(is_sign)?,
            '.' | '+' | '*' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '^' | '$' => return None,
            plain => plain,
        };
        if let Some(word) = words.last_mut() {
            word.push(literal);
        }
    }
    words.sort_unstable();
    words.dedup();
    Some(words.into_iter().map(Text::from).collect())
}

/// The signs that a backslash makes stand for themselves.
fn is_sign(character: &char) -> bool {
    character.is_ascii() && !character.is_ascii_alphanumeric()
}

/// A regular expression that has to match the whole value. It is read on its own, because `a)|(b`
/// would only become one by the brackets that are put around it.
fn anchored(expression: &str) -> Result<Regex, String> {
    let problem = |cause| format!("the regular expression does not parse: {cause}");
    let translated = re2::translate(expression).map_err(problem)?;
    RegexBuilder::new(&format!("^(?:{translated})$"))
        .size_limit(COMPILED_BYTES_MAX)
        .build()
        .map_err(|error| cause(&error))
}

/// What the `regex` crate does not take although RE2 does; the last line says why, those before it
/// draw the expression.
fn cause(error: &regex::Error) -> String {
    if let regex::Error::CompiledTooBig(limit) = error {
        return format!("the regular expression needs more than {limit} bytes; simplify it");
    }
    let text = error.to_string();
    let line = text.lines().last().unwrap_or_default();
    let problem = line.strip_prefix("error: ").unwrap_or(line);
    format!("the regular expression is not supported: {problem}")
}
