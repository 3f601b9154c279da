//! What a start is asked to do.

use std::collections::BTreeMap;

use crate::config::Settings;
use crate::document::Diagnostic;
use crate::engine::time::Duration;
use crate::telemetry::Shape;

/// What `serve` was asked for.
pub struct ServeOptions {
    pub settings: Settings,
    /// Found while the settings were read; to be logged when the log is set up.
    pub warnings: Vec<Diagnostic>,
    pub apply: ApplyRules,
    /// For keys in rule documents and the first admin token.
    pub environment: BTreeMap<String, String>,
    /// Of the log.
    pub shape: Shape,
}

/// What a start does when the rules folder differs from the rules in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyRules {
    /// Only into an empty store; otherwise the difference is named.
    IfEmpty,
    /// The folder is put in force.
    Always,
}

/// A length of the settings as the engine counts it.
pub fn millis(length: std::time::Duration) -> Duration {
    Duration(u64::try_from(length.as_millis()).unwrap_or(u64::MAX))
}
