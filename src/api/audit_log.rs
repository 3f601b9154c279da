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

/// An entry, if it is where its id says, in the form in which it is written: another form of the
/// same words has the same hash, and yet somebody wrote it.
fn read(name: &str, bytes: &[u8]) -> Result<AuditEntry, store::Error> {
    let entry: AuditEntry = serde_json::from_slice(bytes).map_err(|error| damaged(name, &error))?;
    let written = document(DocumentKind::Audit, &document_name(entry.id), &entry);
    if written.name != name {
        return Err(damaged(name, &format_args!("its id is {}", entry.id)));
    }
    if written.bytes.as_deref() != Some(bytes) {
        return Err(damaged(
            name,
            &"it is not in the form in which entries are written",
        ));
    }
    Ok(entry)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Batch, MemoryStore, Partition};

    fn act(log: &AuditLog, subject: &str) -> DocumentWrite {
        let event = log.by_router(Action::KeyMade, Timestamp(0)).on(subject);
        event.once_done::<()>()(&())
    }

    fn commit(store: &MemoryStore, documents: Vec<DocumentWrite>) {
        let partition = Partition::default();
        let epoch = store.claim(partition).unwrap();
        let batch = Batch {
            documents,
            ..Batch::default()
        };
        store.commit(partition, epoch, &batch).unwrap();
    }

    /// Three acts, each entry of which is stored.
    fn filled() -> MemoryStore {
        let store = MemoryStore::new();
        let log = AuditLog::load(&store).unwrap();
        commit(&store, (0..3).map(|_| act(&log, "key k")).collect());
        store
    }

    #[test]
    fn each_entry_names_the_hash_of_the_one_before_also_over_a_restart() {
        let store = filled();
        let log = AuditLog::load(&store).unwrap();
        commit(&store, vec![act(&log, "key l")]);
        let mut entries = AuditLog::entries(&store, None, 10).unwrap().items;
        entries.reverse();
        let mut previous = ANCHOR;
        for (id, entry) in (1..).zip(&entries) {
            assert_eq!((entry.id, &*entry.previous), (id, previous));
            assert_eq!(entry.computed_hash(), entry.hash);
            previous = &entry.hash;
        }
        assert_eq!(entries.len(), 4);
    }

    #[test]
    fn a_change_of_any_stored_byte_shows() {
        let document = act(&AuditLog::default(), "key k");
        let bytes = document.bytes.unwrap();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                let shows = read(&document.name, &changed)
                    .map_or(true, |entry| entry.computed_hash() != entry.hash);
                assert!(shows, "{}", String::from_utf8_lossy(&changed));
            }
        }
    }

    #[test]
    fn an_entry_that_cannot_be_read_stops_no_start_and_hides_no_others() {
        let store = filled();
        let before_chains = br#"{"at":0,"action":"key_made"}"#.to_vec();
        let damaged = DocumentWrite {
            kind: DocumentKind::Audit,
            name: document_name(4),
            bytes: Some(before_chains.clone()),
        };
        commit(&store, vec![damaged]);
        let log = AuditLog::load(&store).unwrap();
        commit(&store, vec![act(&log, "key l")]);
        let first = AuditLog::entries(&store, None, 2).unwrap();
        let ids = |list: &List<AuditEntry>| list.items.iter().map(|it| it.id).collect::<Vec<_>>();
        assert_eq!((ids(&first), first.next.as_deref()), (vec![5], Some("4")));
        let expected = hex::encode(&hash::sha256(before_chains));
        assert_eq!(first.items[0].previous, expected);
        let rest = AuditLog::entries(&store, Some(4), 2).unwrap();
        assert_eq!(ids(&rest), [3, 2]);
    }

    #[test]
    fn an_entry_under_the_number_of_another_one_is_not_taken_for_it() {
        let store = filled();
        let documents = store.documents(DocumentKind::Audit, None, 2).unwrap();
        let [(third, third_bytes), (second, second_bytes)] = &documents[..] else {
            panic!("{documents:?}");
        };
        let write = |name: &str, bytes: &[u8]| DocumentWrite {
            kind: DocumentKind::Audit,
            name: name.to_owned(),
            bytes: Some(bytes.to_vec()),
        };
        commit(
            &store,
            vec![write(second, third_bytes), write(third, second_bytes)],
        );
        let listed = AuditLog::entries(&store, None, 10).unwrap().items;
        let [first] = &listed[..] else {
            panic!("{listed:?}");
        };
        assert_eq!(first.id, 1);
    }
}
