//! The four operators of matchers.

use std::fmt;

use serde::{Deserialize, Serialize};

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

impl Operator {
    /// The sign between name and value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Match => "=~",
            Self::NotMatch => "!~",
        }
    }

    /// Whether the condition holds where the value does not match.
    pub fn negates(self) -> bool {
        match self {
            Self::Equal | Self::Match => false,
            Self::NotEqual | Self::NotMatch => true,
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
