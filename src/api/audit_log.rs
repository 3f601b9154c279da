//! The audit log: administrative acts, each durable in the same commit as what it tells of.
//!
//! Entries are never changed and never removed. What people do with incidents stands in the
//! incidents' own timelines; here is only what they do in somebody else's name.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::engine::input::Actor;
use crate::engine::time::Timestamp;
use crate::runtime::handle::{RecordOf, RecordOfRules};
use crate::store::{self, DocumentKind, DocumentWrite, Store};

use super::credentials::document;
use super::wire;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    TokenMade,
    TokenRevoked,
    KeyMade,
    KeyRevoked,
    RulesApplied,
    SilenceSet,
    SilenceEnded,
    OverrideAdded,
    OverrideRemoved,
    /// An admin said that a clock that had jumped ahead is right.
    ClockConfirmed,
    /// An admin acted in the name of a user.
    ActedAs,
}

/// An entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StoredEntry {
    at: Timestamp,
    actor: Actor,
    /// The id of the token; none for the first admin token and the router itself.
    token: Option<String>,
    action: Action,
    subject: String,
    detail: String,
}

/// An administrative act.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct AuditEntry {
    pub id: u64,
    at: String,
    /// The user or the name of the token; `admin` is the first admin token.
    actor: wire::actor::Actor,
    /// The id of the token.
    token: Option<String>,
    action: Action,
    /// What was changed, such as `silence 3`.
    subject: String,
    /// How, and the cause that was given.
    detail: String,
}

/// Gives entries their ids, in the order in which they are made durable.
#[derive(Clone, Debug, Default)]
pub struct AuditLog {
    last: Arc<AtomicU64>,
}

impl AuditLog {
    /// Goes on after the last entry of the store.
    pub fn load(store: &dyn Store) -> Result<Self, store::Error> {
        let newest = store.documents(DocumentKind::Audit, None, 1)?;
        let Some((name, _)) = newest.first() else {
            return Ok(Self::default());
        };
        let last = name.parse::<u64>().map_err(|error| damaged(name, &error))?;
        Ok(Self {
            last: Arc::new(AtomicU64::new(last)),
        })
    }

    /// An act of the router itself.
    pub fn by_router(&self, action: Action, at: Timestamp) -> AuditEvent {
        AuditEvent {
            audit_log: self.clone(),
            stored: StoredEntry {
                at,
                actor: Actor::router(),
                token: None,
                action,
                subject: String::new(),
                detail: String::new(),
            },
        }
    }

    /// Entries below an id, newest first.
    pub fn entries(
        store: &dyn Store,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, store::Error> {
        let before = before.map(document_name);
        let documents = store.documents(DocumentKind::Audit, before.as_deref(), limit)?;
        let entries = documents.iter();
        entries.map(|(name, bytes)| shown(name, bytes)).collect()
    }

    fn write(&self, stored: &StoredEntry) -> DocumentWrite {
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        document(DocumentKind::Audit, &document_name(id), stored)
    }
}

/// The entry about an act that is about to happen.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    audit_log: AuditLog,
    stored: StoredEntry,
}

impl AuditEvent {
    /// By whom, with which token.
    pub fn by(mut self, actor: Actor, token: Option<&str>) -> Self {
        self.stored.actor = actor;
        self.stored.token = token.map(str::to_owned);
        self
    }

    /// What is changed.
    pub fn on(mut self, subject: impl Into<String>) -> Self {
        self.stored.subject = subject.into();
        self
    }

    /// How, and why.
    pub fn because(mut self, detail: impl Into<String>) -> Self {
        self.stored.detail = detail.into();
        self
    }

    /// The entry, to be kept with what it tells of.
    pub fn write(self) -> DocumentWrite {
        self.audit_log.write(&self.stored)
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
}

fn document_name(id: u64) -> String {
    format!("{id:020}")
}

fn shown(name: &str, bytes: &[u8]) -> Result<AuditEntry, store::Error> {
    let id = name.parse().map_err(|error| damaged(name, &error))?;
    let stored: StoredEntry =
        serde_json::from_slice(bytes).map_err(|error| damaged(name, &error))?;
    Ok(AuditEntry {
        id,
        at: stored.at.to_string(),
        actor: (&stored.actor).into(),
        token: stored.token,
        action: stored.action,
        subject: stored.subject,
        detail: stored.detail,
    })
}

fn damaged(name: &str, cause: &dyn std::fmt::Display) -> store::Error {
    store::Error::Damaged {
        key: format!("audit {name}"),
        cause: cause.to_string(),
    }
}
