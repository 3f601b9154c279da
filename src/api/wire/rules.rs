//! Rules as the API takes and shows them: files, faults, revisions, and what a change does.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::actor::Actor;

/// Files of rules, as they come and go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleFiles {
    pub files: Vec<RuleFile>,
}

/// A file of rule documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// As the folder has it, such as `payments.yaml`.
    pub path: String,
    pub text: String,
}

/// Something wrong in rule documents, with its place and its fix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleFault {
    pub code: String,
    /// `error` or `warning`.
    pub severity: String,
    pub path: String,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    pub message: String,
    pub help: String,
}

/// The rules of a revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Rules {
    pub revision: u64,
    pub author: Actor,
    pub at: String,
    pub message: String,
    pub files: Vec<RuleFile>,
    /// Whether the files are those that were applied.
    pub origin: FilesOrigin,
    /// Keys that stand in the files as `sha256:` and their hash.
    pub hashed_keys: usize,
}

/// A line of the history of rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RevisionLine {
    pub revision: u64,
    pub author: Actor,
    pub at: String,
    pub message: String,
    /// Whether it is in force.
    pub current: bool,
}

/// Where the text of a revision's files comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FilesOrigin {
    /// The files byte for byte as they were applied, without keys in clear.
    AsApplied,
    /// The files are not kept: they mean the same, and comments and layout are lost.
    WrittenAnew,
}

/// What a change of rules did, or would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RulesChange {
    /// The one in force: after a change the new one, else the one that was compared with.
    pub revision: u64,
    /// Sentences such as `policy payments: step 2 waits 10m instead of 5m`.
    pub differences: Vec<String>,
    /// Schedules that name somebody else now, or would.
    pub on_call: Vec<OnCallMove>,
    pub warnings: Vec<RuleFault>,
}

/// A schedule that names somebody else under another rule set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OnCallMove {
    pub schedule: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CheckedRules {
    /// No errors; there may be warnings.
    pub ok: bool,
    pub faults: Vec<RuleFault>,
}
