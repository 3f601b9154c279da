//! The audit log: administrative acts, each durable in the same commit as what it tells of.
//!
//! Entries are never changed and never removed, and each carries the hash of the one before it, so
//! that whoever does either is found out. What people do with incidents stands in the incidents'
//! own timelines; here is only what they do in somebody else's name.

use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::input::Actor;
use crate::engine::time::Timestamp;
use crate::runtime::handle::{RecordOf, RecordOfRules};
use crate::store::{self, DocumentKind, DocumentWrite, Store};
use crate::text::{hash, hex};

use super::credentials::document;
use super::wire::audit::{ANCHOR, Action, AuditEntry};
use super::wire::{self, List};

/// Gives entries their ids and links them, in the order in which they are made durable.
#[derive(Clone, Debug, Default)]
pub struct AuditLog {
    end: Arc<Mutex<ChainEnd>>,
}

/// After which entry the chain goes on.
#[derive(Debug)]
struct ChainEnd {
    /// 0 before the first one.
    id: u64,
    hash: String,
}

impl Default for ChainEnd {
    /// Nothing is chained yet.
    fn default() -> Self {
        Self {
            id: 0,
            hash: ANCHOR.to_owned(),
        }
    }
}

impl AuditLog {
    /// Goes on after the last entry of the store. One that cannot be read stops no start: the next
    /// entry names the hash of its bytes, and a verification finds it.
    pub fn load(store: &dyn Store) -> Result<Self, store::Error> {
        let newest = store.documents(DocumentKind::Audit, None, 1)?;
        let Some((name, bytes)) = newest.first() else {
            return Ok(Self::default());
        };
        let id = numbered(name)?;
        let hash = read(name, bytes).map_or_else(
            |error| {
                report(&error);
                hex::encode(&hash::sha256(bytes))
            },
            |entry| entry.hash,
        );
        Ok(Self {
            end: Arc::new(Mutex::new(ChainEnd { id, hash })),
        })
    }

    /// An act of the router itself.
    pub fn by_router(&self, action: Action, at: Timestamp) -> AuditEvent {
        AuditEvent {
            audit_log: self.clone(),
            at,
            actor: Actor::router(),
            token: None,
            action,
            subject: String::new(),
            detail: String::new(),
        }
    }

    /// Entries below an id, newest first. What cannot be read is left out and reported: one damaged
    /// entry hides no others.
    pub fn entries(
        store: &dyn Store,
        before: Option<u64>,
        limit: usize,
    ) -> Result<List<AuditEntry>, store::Error> {
        let before = before.map(document_name);
        let documents = store.documents(DocumentKind::Audit, before.as_deref(), limit)?;
        let entries = documents.iter().map(|(name, bytes)| read(name, bytes));
        let items = entries.filter_map(|entry| entry.inspect_err(report).ok());
        let items = items.collect();
        let last = documents.last().filter(|_| documents.len() >= limit);
        let next = last.map(|(name, _)| numbered(name)).transpose()?;
        Ok(List {
            items,
            next: next.map(|id| id.to_string()),
        })
    }
}

/// The entry about an act that is about to happen.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    audit_log: AuditLog,
    at: Timestamp,
    actor: Actor,
    /// The id of the token; none for the first admin token and the router itself.
    token: Option<String>,
    action: Action,
    subject: String,
    detail: String,
}

impl AuditEvent {
    /// By whom, with which token.
    pub fn by(mut self, actor: Actor, token: Option<&str>) -> Self {
        self.actor = actor;
        self.token = token.map(str::to_owned);
        self
    }

    /// What is changed.
    pub fn on(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    /// How, and why.
    pub fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// The entry, if the request is done.
    pub fn once_done<T>(self) -> RecordOf<T> {
        Box::new(move |_| self.write())
    }

    /// The entry about what comes of it.
    pub fn about<T>(self, subject: impl FnOnce(&T) -> String + Send + 'static) -> RecordOf<T> {
        Box::new(move |result| self.on(subject(result)).write())
    }

    /// The entry about the revision that comes of it.
    pub fn on_revision(self) -> RecordOfRules {
        Box::new(move |revision| self.on(format!("revision {revision}")).write())
    }

    /// The entry as the next one of the chain, to be kept with what it tells of. Only a turn of the
    /// driver may do this: an entry that is linked and then not committed would leave a gap, and
    /// one that is committed after its successor a fork.
    fn write(self) -> DocumentWrite {
        let end = self.audit_log.end.lock();
        let mut end = end.unwrap_or_else(PoisonError::into_inner);
        let entry = AuditEntry {
            id: end.id + 1,
            at: self.at.to_string(),
            actor: wire::actor::Actor::from(&self.actor),
            token: self.token,
            action: self.action,
            subject: self.subject,
            detail: self.detail,
            previous: end.hash.clone(),
            hash: String::new(),
        };
        let entry = entry.sealed();
        let write = document(DocumentKind::Audit, &document_name(entry.id), &entry);
        (end.id, end.hash) = (entry.id, entry.hash);
        write
    }
}

fn document_name(id: u64) -> String {
    format!("{id:020}")
}

fn numbered(name: &str) -> Result<u64, store::Error> {
    name.parse().map_err(|error| damaged(name, &error))
}

/// An entry, if it is where its id says.
fn read(name: &str, bytes: &[u8]) -> Result<AuditEntry, store::Error> {
    let entry: AuditEntry = serde_json::from_slice(bytes).map_err(|error| damaged(name, &error))?;
    match document_name(entry.id) == name {
        true => Ok(entry),
        false => Err(damaged(name, &format_args!("its id is {}", entry.id))),
    }
}

fn report(error: &store::Error) {
    tracing::error!(%error, "an audit entry cannot be read and is left out");
}

fn damaged(name: &str, cause: &dyn std::fmt::Display) -> store::Error {
    store::Error::Damaged {
        key: format!("audit {name}"),
        cause: cause.to_string(),
    }
}
