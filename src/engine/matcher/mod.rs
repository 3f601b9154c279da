//! Alertmanager's matchers: `=` `!=` `=~` `!~`, anchored regular expressions, and a missing label
//! equals the empty string.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::event::Text;

/// One condition on one field.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Matcher {
    pub name: Text,
    pub operator: Operator,
    pub value: Text,
    /// Compiled and anchored, for the two operators that need it.
    regex: Option<regex::Regex>,
}

/// The four operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    #[serde(rename = "=")]
    Equal,
    #[serde(rename = "!=")]
    NotEqual,
    #[serde(rename = "=~")]
    Match,
    #[serde(rename = "!~")]
    NotMatch,
}

/// What can be matched: an event's labels and fields under one lookup.
pub trait Fields {
    /// The value under a name; a missing one is the empty string.
    fn field(&self, name: &str) -> &str;
}

/// Why a matcher is not accepted: the regular expression does not parse or is too large.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("matcher {matcher} is not accepted: {cause}")]
pub struct MatcherError {
    pub matcher: String,
    pub cause: String,
}

impl Matcher {
    /// A matcher; compiles the regular expression where there is one.
    pub fn new(name: &str, operator: Operator, value: &str) -> Result<Self, MatcherError> {
        let regex = match operator {
            Operator::Equal | Operator::NotEqual => None,
            Operator::Match | Operator::NotMatch => Some(Self::anchored(name, operator, value)?),
        };
        Ok(Self {
            name: name.into(),
            operator,
            value: value.into(),
            regex,
        })
    }

    /// Reads Alertmanager's text form, such as `severity=~"critical|error"`; quotes may be left out
    /// around simple values.
    pub fn parse(text: &str) -> Result<Self, MatcherError> {
        Err(MatcherError {
            matcher: text.to_owned(),
            cause: "not built yet".to_owned(),
        })
    }

    /// Whether the fields satisfy this condition.
    pub fn matches(&self, fields: &dyn Fields) -> bool {
        let value = fields.field(&self.name);
        match self.operator {
            Operator::Equal => value == &*self.value,
            Operator::NotEqual => value != &*self.value,
            Operator::Match => self
                .regex
                .as_ref()
                .is_some_and(|regex| regex.is_match(value)),
            Operator::NotMatch => !self
                .regex
                .as_ref()
                .is_some_and(|regex| regex.is_match(value)),
        }
    }

    fn anchored(name: &str, operator: Operator, value: &str) -> Result<regex::Regex, MatcherError> {
        regex::RegexBuilder::new(&format!("^(?:{value})$"))
            .dot_matches_new_line(true)
            .size_limit(1 << 20)
            .build()
            .map_err(|error| MatcherError {
                matcher: format!("{name}{operator}\"{value}\""),
                cause: error.to_string(),
            })
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.operator, &self.value) == (&other.name, other.operator, &other.value)
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Match => "=~",
            Self::NotMatch => "!~",
        })
    }
}

impl fmt::Display for Matcher {
    /// The text form that [`Matcher::parse`] reads.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}{}{:?}",
            self.name, self.operator, &*self.value
        )
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
