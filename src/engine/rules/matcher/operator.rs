//! The four operators of matchers.

use crate::engine::words::words;

words! {
    /// The four operators.
    pub enum Operator {
        Equal = "=",
        NotEqual = "!=",
        Match = "=~",
        NotMatch = "!~",
    }
}

impl Operator {
    /// Whether the condition holds where the value does not match.
    pub fn negates(self) -> bool {
        match self {
            Self::Equal | Self::Match => false,
            Self::NotEqual | Self::NotMatch => true,
        }
    }
}
