//! What a monitor posted, after its format has been read: the same shape for all formats.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::assertions::AssertionId;
use crate::engine::time::Timestamp;
use crate::engine::words::words;
use crate::text::shared::SharedText;

/// Text that is shared between records.
pub type Text = Arc<str>;

/// Limits of one event; what goes beyond is cut and reported as a fault, never refused.
pub mod limit {
    /// Labels kept of one event.
    pub const LABELS: usize = 256;
    /// Bytes of a label name.
    pub const LABEL_NAME_BYTES: usize = 128;
    /// Bytes of a label value.
    pub const LABEL_VALUE_BYTES: usize = 4 * 1024;
    /// Characters of a summary.
    pub const SUMMARY_CHARACTERS: usize = 1_024;
    /// Characters of a dedup key (longer ones are replaced by their hash).
    pub const DEDUP_KEY_CHARACTERS: usize = 255;
    /// Levels of nesting in details.
    pub const NESTING: usize = 64;
    /// Bytes of the details kept, as JSON text.
    pub const DETAILS_BYTES: usize = 16 * 1024;
    /// Links kept of one event.
    pub const LINKS: usize = 20;
}

words! {
    /// What the sender asks for.
    pub enum Action {
        Trigger = "trigger",
        Acknowledge = "acknowledge",
        Resolve = "resolve",
        /// Something was changed, such as a deployment: kept as it is told, about no alert.
        Change = "change",
        /// A mapping says that this is no event: it leaves a receipt and nothing else.
        Ignore = "ignore",
    }
}

/// When the sender speaks: this decides what counts as old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventTime {
    /// The format re-asserts a state: it speaks now. `starts_at` is shown and never makes an event
    /// old; without another word the alert ends at `ends_at`.
    StateAsserted {
        starts_at: Option<Timestamp>,
        ends_at: Option<Timestamp>,
    },
    /// The format reports a moment, if it says which.
    OccurredAt(Option<Timestamp>),
}

impl EventTime {
    /// The time at which the source says that it happened.
    pub fn source_time(self) -> Option<Timestamp> {
        match self {
            Self::StateAsserted { starts_at, .. } => starts_at,
            Self::OccurredAt(moment) => moment,
        }
    }
}

/// Something in a request that was cut, repaired or refused; `path` is a JSON path such as
/// `$[0].labels.host`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub path: String,
    pub problem: String,
}

/// A link that the sender wants shown. Only `http` and `https` links are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub href: Text,
    pub text: Option<Text>,
}

/// Labels, sorted by name, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(from = "std::collections::BTreeMap<SharedText, SharedText>")]
pub struct Labels(Arc<[(Text, Text)]>);

impl Labels {
    /// The value of a label.
    pub fn get(&self, name: &str) -> Option<&Text> {
        let at = self
            .0
            .binary_search_by(|(label, _)| (**label).cmp(name))
            .ok()?;
        Some(&self.0[at].1)
    }

    /// All labels in order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &Text)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<Text>, V: Into<Text>> FromIterator<(N, V)> for Labels {
    /// Of two labels with one name the later wins.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(labels: I) -> Self {
        let sorted: std::collections::BTreeMap<Text, Text> = labels
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Self(sorted.into_iter().collect())
    }
}

impl From<std::collections::BTreeMap<SharedText, SharedText>> for Labels {
    fn from(labels: std::collections::BTreeMap<SharedText, SharedText>) -> Self {
        let labels = labels.into_iter();
        Self(labels.map(|(name, value)| (name.0, value.0)).collect())
    }
}

impl From<std::collections::BTreeMap<Text, Text>> for Labels {
    fn from(labels: std::collections::BTreeMap<Text, Text>) -> Self {
        Self(labels.into_iter().collect())
    }
}

impl Serialize for Labels {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// What an event says of its alert: the part that is kept, shown and matched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    pub summary: Text,
    /// As sent, empty when not sent;
    /// [`SeverityClass`](crate::engine::urgency::SeverityClass) is the normalised form.
    pub severity: Text,
    pub source: Option<Text>,
    pub component: Option<Text>,
    pub group: Option<Text>,
    pub class: Option<Text>,
    pub service: Option<Text>,
    pub labels: Labels,
    /// Free details as JSON text, at most [`limit::DETAILS_BYTES`].
    pub details: Option<Text>,
    pub links: Vec<Link>,
}

/// One event, read from whatever format it came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub action: Action,
    /// Always set by `inbound` for acknowledge and resolve; for a trigger it makes one up as the
    /// format demands, so that the engine always has it.
    pub dedup_key: Text,
    /// Idempotency id of the sender.
    pub id: Option<Text>,
    pub spoken: EventTime,
    /// Which of several senders asserts it, in a format that tells them apart; empty if that one
    /// does not say.
    pub asserted_by: Option<Text>,
    pub content: Arc<Content>,
    /// What was cut or repaired while reading this event.
    pub faults: Vec<Fault>,
}

impl Content {
    fn bytes(&self) -> usize {
        let short = [&self.source, &self.component, &self.group, &self.class];
        let long = [&self.service, &self.details];
        let texts = short.into_iter().chain(long).flatten();
        let texts = texts.chain([&self.summary, &self.severity]);
        let labels = self.labels.iter().flat_map(|(name, value)| [name, value]);
        let links = self.links.iter();
        let links = links.flat_map(|link| [Some(&link.href), link.text.as_ref()]);
        let all = texts.chain(labels).chain(links.flatten());
        all.map(|text| text.len()).sum()
    }
}

impl Event {
    /// An event without an id, by a sender that its format does not tell from others.
    pub fn new(
        action: Action,
        dedup_key: impl Into<Text>,
        spoken: EventTime,
        content: Content,
    ) -> Self {
        Self {
            action,
            dedup_key: dedup_key.into(),
            id: None,
            spoken,
            asserted_by: None,
            content: Arc::new(content),
            faults: Vec::new(),
        }
    }

    /// Bytes of all that it says, about.
    pub fn bytes(&self) -> usize {
        const FRAME: usize = 256;
        let texts = [&self.id, &self.asserted_by].into_iter().flatten();
        let texts: usize = texts.map(|text| text.len()).sum();
        let faults = self.faults.iter();
        let faults: usize = faults.map(|it| it.path.len() + it.problem.len()).sum();
        FRAME + self.dedup_key.len() + self.content.bytes() + texts + faults
    }

    /// Which of the alert's assertions it speaks of, in a format that tells senders apart.
    pub fn assertion(&self) -> Option<AssertionId> {
        let generator = self.asserted_by.clone()?;
        let starts_at = self.spoken.source_time();
        Some(AssertionId {
            generator,
            starts_at,
        })
    }
}
