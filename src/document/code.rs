//! The codes of what can be wrong with a document: stable words that programs compare.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// The stable name of a kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])* $name,)+
        }

        impl Code {
            /// All of them.
            #[cfg(test)]
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word that users see and programs compare.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

codes! {
    /// A page about all regions of which nothing is left out.
    AllRegions = "all-regions",
    /// A condition that excludes what there never is.
    AlwaysMatches = "always-matches",
    /// A contact address does not fit its medium.
    BadAddress = "bad-address",
    BadChoice = "bad-choice",
    BadDate = "bad-date",
    BadDuration = "bad-duration",
    BadHandoff = "bad-handoff",
    BadKeyHash = "bad-key-hash",
    BadKeyName = "bad-key-name",
    BadMatcher = "bad-matcher",
    BadName = "bad-name",
    BadNumber = "bad-number",
    BadPointer = "bad-pointer",
    /// Something that only a route beneath the root can have.
    BadRoot = "bad-root",
    /// Something in the settings of the process.
    BadSetting = "bad-setting",
    BadTarget = "bad-target",
    BadTime = "bad-time",
    BadZone = "bad-zone",
    /// A contact whose medium no channel carries.
    ContactWithoutChannel = "contact-without-channel",
    DuplicateKey = "duplicate-key",
    DuplicateName = "duplicate-name",
    EmptyList = "empty-list",
    EmptyValue = "empty-value",
    EmptyWindow = "empty-window",
    /// A zone that does not follow daylight-saving time, where a place is meant.
    FixedZone = "fixed-zone",
    /// A web address in a network that webhooks may not reach.
    ForbiddenAddress = "forbidden-address",
    /// A word of Alertmanager, with ours as the help.
    ForeignWord = "foreign-word",
    KeyLength = "key-length",
    KeyUnset = "key-unset",
    LiteralKey = "literal-key",
    MissingKey = "missing-key",
    /// A condition on something that nothing ever is.
    NeverMatches = "never-matches",
    NoFallback = "no-fallback",
    NoRoute = "no-route",
    NotAList = "not-a-list",
    NotAMap = "not-a-map",
    NotANumber = "not-a-number",
    NotATruthValue = "not-a-truth-value",
    NotAscending = "not-ascending",
    NotText = "not-text",
    /// The bundled time zones are older than the system's.
    OldTimeZones = "old-time-zones",
    PolicyWithoutAnybody = "policy-without-anybody",
    RepeatedKey = "repeated-key",
    /// The root route pages nobody, so what matches nothing goes unheard.
    RootPagesNobody = "root-pages-nobody",
    RotationIncomplete = "rotation-incomplete",
    ScheduleWithoutAnybody = "schedule-without-anybody",
    SecondRoute = "second-route",
    /// The text is not YAML or TOML.
    Syntax = "syntax",
    TooMany = "too-many",
    TooManyFaults = "too-many-faults",
    /// Turns and windows of a layer that leave somebody out or always fall to the same person.
    UnevenTurns = "uneven-turns",
    /// A matcher that Alertmanager's two parsers read differently.
    TwoReadings = "two-readings",
    UnknownChannel = "unknown-channel",
    UnknownContact = "unknown-contact",
    UnknownKey = "unknown-key",
    UnknownPolicy = "unknown-policy",
    /// A severity that looks like a slip.
    UnknownSeverity = "unknown-severity",
    UnknownSchedule = "unknown-schedule",
    UnknownUser = "unknown-user",
    UnnamedRoute = "unnamed-route",
    /// A value without quotes that YAML readers take for a number or a truth value.
    Unquoted = "unquoted",
    SharedContact = "shared-contact",
    UnreachableRoute = "unreachable-route",
    /// A part of YAML that rules do not use.
    UnusedYaml = "unused-yaml",
    UserWithoutContacts = "user-without-contacts",
    /// A key that is easily guessed.
    WeakKey = "weak-key",
    /// A zone that the system's database lacks.
    ZoneNotInSystem = "zone-not-in-system",
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
