//! How pressing something is: severities as sent, their classes, and the urgency they give.

use crate::engine::words::words;
use serde::{Deserialize, Serialize};

words! {
    /// The normalised severity, matchable as `severity_class`.
    pub enum SeverityClass {
        None = "none",
        Info = "info",
        Warning = "warning",
        Error = "error",
        Critical = "critical",
        /// Missing or not known: treated as urgent.
        Unknown = "unknown",
    }
}

impl SeverityClass {
    /// All of them, as matchers see them.
    pub const ALL: [Self; 6] = [
        Self::Critical,
        Self::Error,
        Self::Warning,
        Self::Info,
        Self::None,
        Self::Unknown,
    ];

    /// The words of a class in any system, in lower case.
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Critical => &[
                "critical",
                "crit",
                "fatal",
                "emergency",
                "emerg",
                "page",
                "p1",
                "sev1",
            ],
            Self::Error => &["error", "err", "high", "major", "p2", "sev2"],
            Self::Warning => &["warning", "warn", "minor", "average", "p3", "sev3"],
            Self::Info => &[
                "info",
                "informational",
                "information",
                "low",
                "notice",
                "p4",
                "sev4",
            ],
            Self::None => &["none", "ok", "debug", "p5", "sev5"],
            Self::Unknown => &[],
        }
    }

    /// All words that have a class.
    pub fn known_words() -> impl Iterator<Item = &'static str> {
        let classes = Self::ALL.into_iter();
        classes.flat_map(|class| class.words().iter().copied())
    }

    /// The class of a severity as sent; common words of other systems are understood.
    pub fn of(severity: &str) -> Self {
        let is_of = |class: &Self| {
            let mut words = class.words().iter();
            words.any(|word| word.eq_ignore_ascii_case(severity))
        };
        Self::ALL.into_iter().find(is_of).unwrap_or(Self::Unknown)
    }

    /// How pressing it is beside others; one that is not known counts as an error.
    pub fn rank(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Info => 1,
            Self::Warning => 2,
            Self::Error | Self::Unknown => 3,
            Self::Critical => 4,
        }
    }

    /// The urgency under `by_severity`: critical, error and unknown are high.
    pub fn urgency(self) -> Urgency {
        match self {
            Self::Critical | Self::Error | Self::Unknown => Urgency::High,
            Self::Warning | Self::Info | Self::None => Urgency::Low,
        }
    }
}

words! {
    /// Whether somebody is to be woken.
    pub enum Urgency {
        Low = "low",
        High = "high",
    }
}

/// How a route decides on urgency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UrgencyRule {
    #[default]
    BySeverity,
    High,
    Low,
}

impl UrgencyRule {
    /// The urgency of an alert with this severity.
    pub fn of(self, severity: &str) -> Urgency {
        match self {
            Self::BySeverity => SeverityClass::of(severity).urgency(),
            Self::High => Urgency::High,
            Self::Low => Urgency::Low,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_severity_is_urgent_and_words_of_other_systems_are_understood() {
        let cases = [
            ("critical", Urgency::High),
            ("ERROR", Urgency::High),
            ("", Urgency::High),
            ("banana", Urgency::High),
            ("warning", Urgency::Low),
            ("info", Urgency::Low),
            ("none", Urgency::Low),
            ("P1", Urgency::High),
        ];
        for (severity, urgency) in cases {
            assert_eq!(UrgencyRule::BySeverity.of(severity), urgency, "{severity}");
        }
        assert_eq!(UrgencyRule::High.of("info"), Urgency::High);
    }
}
