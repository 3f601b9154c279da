//! A batch as rows: which keys one commit sets and removes.
//!
//! What several changes of a batch do to one record is settled first, so that only the last form
//! is written. Receipts of a commit share values, and so do the entries of one incident.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::ids::{EntryId, IncidentNumber, ReceiptId};
use crate::engine::records::{Archived, Change, Entry, Receipt, Record, RecordKey};

use super::keys::Key;
use super::record::{self, Progress, VALUE_BYTES_MAX};
use super::{Batch, Error, Partition, retention_index};

/// The rows of one commit.
#[derive(Default)]
pub struct Writes {
    /// Keys, each with its value or `None` to remove it.
    pub rows: Vec<(Key, Option<Vec<u8>>)>,
    /// Bytes of history that these rows add.
    pub history_bytes: u64,
    /// How many parts continue each row that needs any; kept from commit to commit.
    continued: BTreeMap<Vec<u8>, u32>,
}

impl Writes {
    /// Begins with what the tree holds in several rows.
    pub fn new(continued: BTreeMap<Vec<u8>, u32>) -> Self {
        Self {
            continued,
            ..Self::default()
        }
    }

    /// Forgets the rows; keeps what is known of the tree.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.history_bytes = 0;
    }

    /// Adds all that a batch says.
    pub fn add_batch(&mut self, partition: Partition, batch: &Batch) -> Result<(), Error> {
        let settled = Settled::of(&batch.changes);
        for (key, record) in &settled.active {
            let key = Key::record(partition, key);
            match record {
                Some(record) => self.put(key, record::encode(record)?),
                None => self.remove(key),
            }
        }
        for record in settled.archived.values() {
            let key = retention_index::of(record).key(partition);
            self.put_history(key, encode_archived(record)?);
            for index in retention_index::index_keys(partition, record) {
                self.put_history(index, Vec::new());
            }
        }
        let receipts = settled.receipts.iter();
        for (first, group) in record::encode_groups(receipts.map(|(id, it)| (id.0, &***it)))? {
            self.put_history(Key::receipts(partition, ReceiptId(first)), group);
        }
        let entries: Vec<_> = settled.entries.values().copied().collect();
        self.add_entries(partition, &entries)?;
        for write in &batch.documents {
            let key = Key::document(write.kind, &write.name);
            match &write.bytes {
                Some(document) => self.put(key, record::encode_document(&write.name, document)),
                None => self.remove(key),
            }
        }
        self.put(Key::clocks(partition), record::encode(&batch.clocks)?);
        Ok(())
    }

    /// Sets how far the store got.
    pub fn put_progress(&mut self, progress: &Progress) -> Result<(), Error> {
        self.put(Key::progress(), record::encode(progress)?);
        Ok(())
    }

    /// Removes a row and what continues it.
    pub fn remove(&mut self, key: Key) {
        self.set_parts(&key, 0);
        self.rows.push((key, None));
    }

    fn add_entries(&mut self, partition: Partition, entries: &[&Arc<Entry>]) -> Result<(), Error> {
        for story in entries.chunk_by(|one, next| one.incident == next.incident) {
            let incident = story[0].incident;
            for (first, group) in record::encode_groups(story.iter().map(|it| (it.id.0, &***it)))? {
                self.put_history(Key::entries(partition, incident, EntryId(first)), group);
            }
        }
        Ok(())
    }

    fn put_history(&mut self, key: Key, value: Vec<u8>) {
        self.history_bytes += (key.as_ref().len() + value.len()) as u64;
        self.put(key, value);
    }

    /// Sets a row to a value, in several rows if it is too long for one.
    fn put(&mut self, key: Key, mut value: Vec<u8>) {
        let parts = value.len().saturating_sub(1) / VALUE_BYTES_MAX;
        let parts = u32::try_from(parts).expect("no batch of 24 TiB fits into memory");
        if parts > 0 {
            record::set_further_parts(&mut value, parts);
        }
        for (part, bytes) in (0..).zip(value.chunks(VALUE_BYTES_MAX)).skip(1) {
            self.rows
                .push((key.continuation(part), Some(bytes.to_vec())));
        }
        value.truncate(VALUE_BYTES_MAX);
        self.set_parts(&key, parts);
        self.rows.push((key, Some(value)));
    }

    /// Notes how many parts continue a row now, and removes those that it no longer has.
    fn set_parts(&mut self, key: &Key, parts: u32) {
        let before = if parts == 0 {
            self.continued.remove(key.as_ref())
        } else {
            self.continued.insert(key.as_ref().to_vec(), parts)
        };
        for part in parts + 1..=before.unwrap_or(0) {
            self.rows.push((key.continuation(part), None));
        }
    }
}

/// History has rows of their own for each kind.
fn encode_archived(record: &Archived) -> Result<Vec<u8>, Error> {
    match record {
        Archived::Incident(incident) => record::encode(incident),
        Archived::Page(page) => record::encode(page),
        Archived::Alert(alert) => record::encode(alert),
    }
}

/// The last word of a batch on each record.
#[derive(Default)]
struct Settled<'batch> {
    /// `None` removes.
    active: BTreeMap<RecordKey, Option<&'batch Record>>,
    archived: BTreeMap<RecordKey, &'batch Archived>,
    receipts: BTreeMap<ReceiptId, &'batch Arc<Receipt>>,
    entries: BTreeMap<(IncidentNumber, EntryId), &'batch Arc<Entry>>,
}

impl<'batch> Settled<'batch> {
    fn of(changes: &'batch [Change]) -> Self {
        let mut settled = Self::default();
        for change in changes {
            match change {
                Change::Put(record) => {
                    settled.active.insert(record.key(), Some(record));
                }
                Change::Drop(key) => {
                    settled.active.insert(key.clone(), None);
                }
                Change::Archive(record) => {
                    settled.active.insert(record.key(), None);
                    settled.archived.insert(record.key(), record);
                }
                Change::Receipt(receipt) => {
                    settled.receipts.insert(receipt.id, receipt);
                }
                Change::Entry(entry) => {
                    settled.entries.insert((entry.incident, entry.id), entry);
                }
            }
        }
        settled
    }
}
