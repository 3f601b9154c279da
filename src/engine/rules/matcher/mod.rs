//! Alertmanager's matchers: `=` `!=` `=~` `!~`, anchored regular expressions, and a missing label
//! equals the empty string.

mod operator;
mod pattern;
mod re2;
mod text;

#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::engine::event::Text;
pub use operator::Operator;
use pattern::Pattern;
pub use text::{quote, quote_unless_plain};

/// One condition on one field.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Matcher {
    pub name: Text,
    pub operator: Operator,
    pub value: Text,
    /// The compiled value.
    pattern: Pattern,
}

/// What can be matched: an event's labels and fields under one lookup.
pub trait Fields {
    /// The value under a name; a missing one is the empty string.
    fn field(&self, name: &str) -> &str;
}

/// Why a matcher is not accepted: the text does not parse, or the regular expression in it does
/// not or is too large.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("matcher {matcher} is not accepted: {cause}")]
pub struct MatcherError {
    pub matcher: String,
    pub cause: String,
}

impl Matcher {
    /// A matcher; compiles the regular expression where there is one.
    pub fn new(name: &str, operator: Operator, value: &str) -> Result<Self, MatcherError> {
        let error = |cause| MatcherError {
            matcher: text::written(name, operator, value),
            cause,
        };
        if name.is_empty() {
            return Err(error("the label name is missing".to_owned()));
        }
        Ok(Self {
            name: name.into(),
            operator,
            value: value.into(),
            pattern: Pattern::new(operator, value).map_err(error)?,
        })
    }

    /// Reads Alertmanager's text form, such as `severity=~"critical|error"`; quotes may be left out
    /// around simple values, and are needed around names such as `"my label"`.
    ///
    /// ```
    /// use reveille::engine::matcher::{Matcher, Operator};
    ///
    /// let matcher = Matcher::parse("severity =~ critical|error")?;
    /// assert_eq!(matcher.operator, Operator::Match);
    /// assert_eq!(matcher.to_string(), r#"severity=~"critical|error""#);
    /// # Ok::<(), reveille::engine::matcher::MatcherError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, MatcherError> {
        let error = |cause| MatcherError {
            matcher: text.to_owned(),
            cause,
        };
        let of = |parts: text::Parts| Self::new(&parts.name, parts.operator, &parts.value);
        let readings = text::read(text).map_err(error)?;
        let classic = readings.classic.map_err(error).and_then(of);
        classic.or_else(|refused| {
            readings
                .newer
                .ok()
                .and_then(|newer| of(newer).ok())
                .ok_or(refused)
        })
    }

    /// The newer reading of a text, where it is another matcher than the one that
    /// [`Matcher::parse`] reads. Alertmanager takes it in its strict mode.
    pub fn other_reading(text: &str) -> Option<Self> {
        let of = |parts: text::Parts| Self::new(&parts.name, parts.operator, &parts.value).ok();
        let readings = text::read(text).ok()?;
        let classic = readings.classic.ok().and_then(of)?;
        let newer = readings.newer.ok().and_then(of)?;
        (classic != newer).then_some(newer)
    }

    /// Whether the fields satisfy this condition.
    pub fn matches(&self, fields: &dyn Fields) -> bool {
        self.pattern.matches(fields.field(&self.name)) != self.operator.negates()
    }

    /// Whether a missing label, or an empty value, satisfies this condition.
    pub fn matches_empty(&self) -> bool {
        self.pattern.matches("") != self.operator.negates()
    }

    /// The words that the value lists, sorted, where it is such a list; whether or not the operator
    /// negates.
    pub fn words(&self) -> Option<&[Text]> {
        match &self.pattern {
            Pattern::OneOf(words) => Some(words),
            Pattern::Regex(_) => None,
        }
    }

    /// The values that satisfy this condition, sorted, where these are a list.
    pub fn values(&self) -> Option<&[Text]> {
        self.words().filter(|_| !self.operator.negates())
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.operator, &self.value) == (&other.name, other.operator, &other.value)
    }
}

impl fmt::Display for Matcher {
    /// The text form that [`Matcher::parse`] reads.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&text::written(&self.name, self.operator, &self.value))
    }
}

impl From<Matcher> for String {
    fn from(matcher: Matcher) -> Self {
        matcher.to_string()
    }
}

impl TryFrom<String> for Matcher {
    type Error = MatcherError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}
