//! Repetitions: `*`, `+`, `?` and counts, what they may stand behind, and how far they multiply.

use std::fmt;

/// RE2 repeats a part at most so often, nested counts multiplied.
const REPEATS_MAX: u32 = 1_000;

/// A repetition as read; `?` behind it, which makes it lazy, is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repetition {
    Sign(char),
    Counted { least: u32, most: Option<u32> },
}

/// What stands before a repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    /// Nothing: the beginning of the expression, a group or an alternative.
    Missing,
    /// A part that itself repeats something in it so often.
    Part {
        repeats: u32,
    },
    Repeated,
    /// Flags such as `(?i)`, which are nothing by themselves.
    Flags,
}

impl Repetition {
    /// The repetition with which a text begins, and what follows it. Braces that hold no count
    /// mean themselves.
    pub(super) fn read(text: &str) -> Result<Option<(Self, &str)>, String> {
        let (repetition, rest) = match text.chars().next() {
            Some(sign @ ('*' | '+' | '?')) => (Self::Sign(sign), &text[1..]),
            Some('{') => match counted(&text[1..]) {
                Some(counted) => counted,
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        repetition.check()?;
        Ok(Some((repetition, rest.strip_prefix('?').unwrap_or(rest))))
    }

    fn check(self) -> Result<(), String> {
        let Self::Counted { least, most } = self else {
            return Ok(());
        };
        if least > REPEATS_MAX || most.is_some_and(|most| most > REPEATS_MAX) {
            return Err(format!("`{self}` repeats more than {REPEATS_MAX} times"));
        }
        if most.is_some_and(|most| most < least) {
            return Err(format!("`{self}` has its numbers in the wrong order"));
        }
        Ok(())
    }

    /// How often this repeats something within the operand; the cause, if it must not.
    pub(super) fn of(self, operand: Operand) -> Result<u32, String> {
        let repeats = match operand {
            Operand::Part { repeats } => repeats,
            Operand::Missing => {
                return Err(format!(
                    "nothing precedes `{self}`; write a literal `{self}` with a backslash before \
                     it"
                ));
            }
            Operand::Repeated => {
                return Err(format!(
                    "`{self}` repeats a repetition; put parentheses around what it repeats"
                ));
            }
            Operand::Flags => {
                return Err(format!(
                    "`{self}` follows flags; put the flags before what it repeats"
                ));
            }
        };
        let Self::Counted { least, most } = self else {
            return Ok(repeats);
        };
        let times = most.unwrap_or(least);
        if most == Some(0) {
            return Ok(1);
        }
        let total = repeats.saturating_mul(times.max(1));
        if times >= 2 && total > REPEATS_MAX {
            return Err(format!(
                "nested counts repeat a part {total} times; the limit is {REPEATS_MAX}"
            ));
        }
        Ok(total)
    }
}

impl fmt::Display for Repetition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sign(sign) => write!(formatter, "{sign}"),
            Self::Counted { least, most: None } => write!(formatter, "{{{least},}}"),
            Self::Counted {
                least,
                most: Some(most),
            } => write!(formatter, "{{{least},{most}}}"),
        }
    }
}

/// `2}`, `2,}` or `2,3}`.
fn counted(text: &str) -> Option<(Repetition, &str)> {
    let (least, rest) = number(text)?;
    let (most, rest) = match rest.strip_prefix(',') {
        None => (Some(least), rest),
        Some(rest) if rest.starts_with('}') => (None, rest),
        Some(rest) => {
            let (most, rest) = number(rest)?;
            (Some(most), rest)
        }
    };
    Some((Repetition::Counted { least, most }, rest.strip_prefix('}')?))
}

/// A number without leading zeros; one that is too large stays so.
fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|sign: char| !sign.is_ascii_digit());
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some((digits.parse().unwrap_or(u32::MAX), rest))
}
