//! Whether a key or token that people chose is easily guessed.

use std::collections::BTreeSet;
use std::fmt;

/// Characters of a secret of one's own, and how many of them differ.
const CHARACTERS_MIN: usize = 20;
const DISTINCT_MIN: usize = 8;

/// What is told of a secret instead of the secret itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strength {
    pub characters: usize,
    pub distinct: usize,
}

/// Why a secret is too easily guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    Short(usize),
    Uniform(usize),
}

impl Strength {
    /// Of this secret.
    pub fn of(secret: &str) -> Self {
        Self {
            characters: secret.chars().count(),
            distinct: secret.chars().collect::<BTreeSet<char>>().len(),
        }
    }

    /// `None` if the secret will do.
    pub fn weakness(self) -> Option<Weakness> {
        if self.characters < CHARACTERS_MIN {
            return Some(Weakness::Short(self.characters));
        }
        (self.distinct < DISTINCT_MIN).then_some(Weakness::Uniform(self.distinct))
    }
}

impl fmt::Display for Weakness {
    /// As it continues a sentence about the secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, what, needed) = match self {
            Self::Short(count) => (count, "characters", CHARACTERS_MIN),
            Self::Uniform(count) => (count, "different characters", DISTINCT_MIN),
        };
        write!(formatter, "has {count} {what} and needs {needed}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_short_or_uniform_is_weak() {
        let cases = [
            ("", Some("has 0 characters and needs 20")),
            (
                "0123456789abcdefghi",
                Some("has 19 characters and needs 20"),
            ),
            ("0123456789abcdefghij", None),
            (
                "aaaaaaaaaaaaaaaaaaaabcdefg",
                Some("has 7 different characters and needs 8"),
            ),
            ("aaaaaaaaaaaaaaaaaaaabcdefgh", None),
            ("ééééééééééé", Some("has 11 characters and needs 20")),
        ];
        for (secret, expected) in cases {
            let found = Strength::of(secret).weakness();
            let found = found.map(|weakness| weakness.to_string());
            assert_eq!(found.as_deref(), expected, "{secret}");
        }
    }
}
