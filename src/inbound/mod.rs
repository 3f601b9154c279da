//! One file per format: bytes become events plus faults. Pure; never panics.
//!
//! What is good is kept and what is not is reported. Each file describes its format whole: its
//! word, how it is read, how large a body may be and how its senders are answered.

pub mod alertmanager;
pub mod alertmanager_api;
mod batch;
mod dedup;
mod details;
mod faults;
mod fields;
pub mod generic;
mod json;
mod json_path;
mod json_text;
mod labels;
mod limits;
mod links;
mod moment;
pub mod native;
pub mod pagerduty;
mod prometheus;
pub mod statuspage;

use std::sync::Arc;

use serde_json::Value;

use crate::engine::event::{Event, Fault};
use crate::engine::records::Receipt;
use crate::engine::ruleset::Integration;
use crate::engine::time::Timestamp;

use self::batch::Batch;

/// All formats. A new one is a file and a line here.
pub static FORMATS: &[&Descriptor] = &[
    &native::FORMAT,
    &alertmanager::FORMAT,
    &alertmanager_api::FORMAT,
    &pagerduty::FORMAT,
    &statuspage::FORMAT,
    &generic::FORMAT,
];

/// All that differs between formats.
pub struct Descriptor {
    /// The word of rule documents.
    pub word: &'static str,
    /// Whether each integration describes it by a mapping of its own.
    pub is_mapped: bool,
    /// Reads the root of a body; the error is of one that is of the wrong kind.
    read: fn(Source<'_>, &Value, &mut Batch) -> Result<(), Fault>,
    pub body_limit: BodyLimit,
    /// The length that senders of this format expect of a key, if they do.
    pub key_characters: Option<usize>,
    /// `None` for a sender that expects our own answers.
    pub answers: Option<Answers>,
}

/// Which of the process settings bounds a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLimit {
    Ordinary,
    Alertmanager,
}

/// How the program answers that a sender believes to speak to.
pub struct Answers {
    /// At least one event is durable; the faults are of what could not be used.
    pub stored: fn(&[Arc<Receipt>], &[Fault]) -> Answer,
    /// Nothing of the request could be used, or it held nothing.
    pub nothing_usable: fn(&Parsed) -> Answer,
    /// Nothing was stored.
    pub refused: fn(Refused<'_>) -> Answer,
}

/// An answer in the form of another program.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    /// As JSON; `None` for an answer without a body.
    pub body: Option<Value>,
}

/// A request of which nothing was stored.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'request> {
    pub status: u16,
    pub detail: &'request str,
    /// The same request may be taken later.
    pub is_temporary: bool,
}

/// The format with this word.
pub fn of(word: &str) -> &'static Descriptor {
    let same = FORMATS.iter().find(|format| format.word == word);
    same.copied().unwrap_or(&generic::FORMAT)
}

/// What could be read from a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The usable events, each with the faults that were mended in it.
    pub events: Vec<Event>,
    /// What could not be used at all. With no event this means 400.
    pub faults: Vec<Fault>,
}

/// Reads a body in the integration's format.
pub fn parse(integration: &Integration, body: &[u8], now: Timestamp) -> Parsed {
    of(integration.format).parse(Source {
        integration,
        body,
        now,
    })
}

/// Who posted what, and when.
#[derive(Clone, Copy, Debug)]
pub struct Source<'request> {
    pub integration: &'request Integration,
    pub body: &'request [u8],
    pub now: Timestamp,
}

impl Descriptor {
    /// Reads a body in this format.
    pub fn parse(&self, source: Source<'_>) -> Parsed {
        let parsed = json::read(source.body).and_then(|document| {
            let mut batch = Batch::new(document.mended);
            (self.read)(source, &document.root, &mut batch)?;
            Ok(batch.finish())
        });
        parsed.unwrap_or_else(|fault| Parsed {
            events: Vec::new(),
            faults: vec![fault],
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
