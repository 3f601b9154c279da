//! Providers' status pages: what the documents of a page say, kind by kind. Pure; never panics.
//!
//! Each kind of page is one file in `kinds` and one line in [`KINDS`]. A kind says at which
//! addresses its documents are, recognises them by their shape, and makes a [`StatusReport`] of
//! them. Whoever asks for the documents, and what follows from a report, is elsewhere.

pub mod catalogue;
pub mod closing_words;
pub mod draft;
pub mod feed;
pub mod fields;
pub mod kinds;
pub mod links;
pub mod mapping;
pub mod moment;
pub mod plain_text;
pub mod statuspage_shape;

use crate::engine::event::Text;
use crate::engine::status_report::StatusReport;
use crate::engine::time::{Duration, Timestamp};

pub use kinds::KINDS;

/// All that differs between kinds of status pages.
pub struct StatusKind {
    /// The word of rule documents.
    pub word: &'static str,
    /// As people know it.
    pub name: &'static str,
    /// Where its documents are, the one first that tells how things are now.
    pub documents: fn(&StatusAddress) -> Vec<StatusDocument>,
    /// Whether an answer at the first address is of this kind, by the shape of its body alone.
    pub recognises: fn(&StatusAnswer<'_>) -> bool,
    /// Reads the documents, in their order; `None` is one that was not had. The first is always
    /// there.
    pub read: fn(&StatusLook<'_>) -> Result<StatusReport, StatusUnreadable>,
    /// How often it is asked unless the rules say otherwise.
    pub every: Duration,
    /// Single components flip within minutes on such pages: what is down counts at the second look.
    pub flips: bool,
}

/// One document of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusDocument {
    pub url: String,
    /// Without it nothing can be said. The first always is.
    pub is_required: bool,
}

impl StatusDocument {
    pub fn required(url: String) -> Self {
        let is_required = true;
        Self { url, is_required }
    }

    pub fn optional(url: String) -> Self {
        let is_required = false;
        Self { url, is_required }
    }
}

/// What the address of a page was answered with.
#[derive(Clone, Copy, Debug)]
pub struct StatusAnswer<'body> {
    pub status: u16,
    pub body: &'body [u8],
}

/// The documents of a page at one look.
#[derive(Clone, Copy, Debug)]
pub struct StatusLook<'look> {
    pub address: &'look StatusAddress,
    pub answers: &'look [Option<StatusAnswer<'look>>],
    pub now: Timestamp,
}

impl StatusLook<'_> {
    /// The name of a page that tells none.
    pub fn host(&self) -> Text {
        self.address.host.as_str().into()
    }
}

/// Why nothing can be said about a page: it is *unknown*, which is neither well nor broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatusUnreadable {
    /// 404 or 410 where the page was.
    #[error("the page is gone: it answered {0}")]
    Gone(u16),
    #[error("it answered {0}")]
    Status(u16),
    /// A 200 whose body is not of the kind.
    #[error("what it answered is not of the kind {kind}: {problem}")]
    Shape { kind: &'static str, problem: String },
    /// It promises to be made anew all the time, and has not been.
    #[error(
        "the page was made at {generated_at} and has not been made anew for more than {age_max}"
    )]
    Stale {
        generated_at: Timestamp,
        age_max: Duration,
    },
    /// More than half of what it lists.
    #[error("{skipped} of {total} records could not be read")]
    TooManyBad { skipped: usize, total: usize },
}

/// The address of a page, in parts: `https://status.example.com` and `/path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusAddress {
    pub scheme: String,
    /// Host, and port where one is written.
    pub host: String,
    /// Begins with a slash and does not end with one; empty for the root.
    pub path: String,
    /// What follows the question mark, if anything does.
    pub query: Option<String>,
}

impl StatusAddress {
    /// `https://status.example.com/a/` → scheme, host, path. `None` without scheme or host.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once("://")?;
        let rest = rest.split('#').next().unwrap_or_default();
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query.to_owned())),
            None => (rest, None),
        };
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        (!host.is_empty()).then(|| Self {
            scheme: scheme.to_ascii_lowercase(),
            host: host.to_ascii_lowercase(),
            path: path.trim_end_matches('/').to_owned(),
            query,
        })
    }

    /// The last part of the path, or else the first part of the host.
    pub fn last_part(&self) -> &str {
        let host = || self.host.split('.').next();
        let part = self.path.rsplit('/').find(|part| !part.is_empty());
        part.or_else(host).unwrap_or_default()
    }

    /// An address on the same host; `path` begins with a slash.
    pub fn on_host(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.host)
    }

    /// An address beneath the page; `path` begins with a slash.
    pub fn beneath(&self, path: &str) -> String {
        format!("{}://{}{}{path}", self.scheme, self.host, self.path)
    }

    /// The address as it was given.
    pub fn whole(&self) -> String {
        let query = self.query.as_deref().map(|query| format!("?{query}"));
        self.beneath(&query.unwrap_or_default())
    }
}

/// The kind with this word.
pub fn kind(word: &str) -> Option<&'static StatusKind> {
    KINDS.iter().copied().find(|kind| kind.word == word)
}
