//! Configured sources of events, and how the words of a generic one are read.

use std::collections::BTreeMap;

use crate::engine::event::Labels;
use crate::engine::ids::IntegrationName;
use crate::engine::time::Duration;

/// JSON pointers to one text: the first that leads to a text that is not blank wins.
pub type Pointers = Vec<String>;

/// A configured source of events.
#[derive(Clone, Debug)]
pub struct Integration {
    pub name: IntegrationName,
    /// The word of the format in which it posts.
    pub format: &'static str,
    /// How events are read, for the format that leaves it to each integration.
    pub mapping: Option<Box<GenericMapping>>,
    /// Added to each event where the sender has no label of that name.
    pub labels: Labels,
    /// A report of a moment older than this is kept and shown, and pages nobody.
    pub max_age: Duration,
    /// Alerts of which no report came for so long are over; routes may say otherwise.
    pub resolve_after: Option<Duration>,
    /// SHA-256 of the keys that open it. Keys made through the API stand beside these.
    pub key_hashes: Vec<[u8; 32]>,
    /// Names that it had before: alerts under them are its own.
    pub was: Vec<IntegrationName>,
}

/// What becomes of an event whose action the mapping does not list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unlisted {
    /// It triggers, with a fault: an unknown word never keeps an alert from paging.
    #[default]
    Trigger,
    Ignore,
    /// It is no event; the sender is told.
    Refuse,
}

/// How any JSON body becomes events: RFC 6901 pointers and value maps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GenericMapping {
    /// Pointer to an array of events; without it the body is one event.
    pub each: Option<String>,
    /// Pointers to the text that tells trigger, acknowledge and resolve apart.
    pub action: Pointers,
    /// From the text at `action` to one of ours.
    pub actions: BTreeMap<String, crate::engine::event::Action>,
    /// What a text at `action` is that `actions` does not list.
    pub unlisted: Unlisted,
    /// One or more pointers whose values together make the dedup key.
    pub dedup_key: Vec<String>,
    pub summary: Pointers,
    pub severity: Pointers,
    /// From the text at `severity` to a severity; a text that is not here is taken as sent.
    pub severities: BTreeMap<String, String>,
    pub source: Pointers,
    pub component: Pointers,
    pub group: Pointers,
    pub class: Pointers,
    pub service: Pointers,
    /// RFC 3339 text, or seconds or milliseconds since 1970.
    pub occurred_at: Pointers,
    /// Idempotency id.
    pub id: Pointers,
    /// Label name to pointer.
    pub labels: BTreeMap<String, String>,
    /// Pointer to an object whose scalar members all become labels.
    pub labels_from: Option<String>,
    /// Link text to pointer.
    pub links: BTreeMap<String, String>,
    pub details: Option<String>,
}
