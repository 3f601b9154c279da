//! A batch as rows: which keys one commit sets and removes.
//!
//! What several changes of a batch do to one record is settled first, so that only the last form
//! is written. Receipts and entries go into the journal, active records into the changes of the
//! commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::ids::{EntryId, IncidentNumber, ReceiptId};
use crate::engine::records::{Archived, Change, Entry, Receipt, Record, RecordKey};

use super::active::{ItemList, Slice};
use super::journal::{self, CommitHistory};
use super::keys::Key;
use super::record::{self, Progress, VALUE_BYTES_MAX};
use super::rows::Rows;
use super::{Batch, Clocks, Error, Partition, retention_index, story};

/// Where the history of a partition ends.
#[derive(Default)]
pub struct Ends {
    tail: journal::Tail,
    pub stories: story::Stories,
}

impl Ends {
    /// As it is in these rows.
    pub fn of(rows: &impl Rows, partition: Partition) -> Result<Self, Error> {
        Ok(Self {
            tail: journal::Tail::of(rows, partition)?,
            stories: story::Stories::of(rows, partition)?,
        })
    }
}

/// The rows of one commit.
#[derive(Default)]
pub struct Writes {
    /// Keys, each with its value or `None` to remove it.
    pub rows: Vec<(Key, Option<Vec<u8>>)>,
    /// Bytes of history that these rows add.
    pub history_bytes: u64,
    /// Bytes of what a commit changed of active records.
    pub changed_bytes: u64,
    /// How many parts continue each row that needs any; kept from commit to commit.
    continued: BTreeMap<Vec<u8>, u32>,
    /// Room in which values are written before they are packed; also kept.
    items: ItemList,
    history: Vec<u8>,
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
        self.changed_bytes = 0;
    }

    /// Adds all that a batch says, as this commit; the rows are those of the store.
    pub fn add_batch(
        &mut self,
        rows: &impl Rows,
        (partition, commit): (Partition, u64),
        ends: &mut Ends,
        batch: &Batch,
    ) -> Result<(), Error> {
        let settled = Settled::of(&batch.changes);
        self.items.clear();
        add_changed(&mut self.items, partition, &settled.active, batch.clocks)?;
        let key = Key::active_changes(commit);
        self.changed_bytes = self.append(&key, Slice::pack(&key, &self.items)?);
        for record in settled.archived.values() {
            let key = retention_index::of(record).key(partition);
            self.put_history(key, encode_archived(record)?);
            for index in retention_index::index_keys(partition, record) {
                self.put_history(index, Vec::new());
            }
        }
        let history = CommitHistory {
            receipts: settled.receipts.into_values().map(Arc::as_ref).collect(),
            entries: settled.entries.into_values().map(Arc::as_ref).collect(),
        };
        for own in (history.entries).chunk_by(|one, next| one.incident == next.incident) {
            let first = (own[0].incident, own[0].id);
            let part = ends.stories.add(rows, partition, first, commit)?;
            self.put(part.key, record::encode(&part.commits)?);
        }
        let value = ends.tail.append(commit, &history, &mut self.history)?;
        self.history_bytes += self.append(&Key::journal(partition, commit), value);
        for write in &batch.documents {
            let key = Key::document(write.kind, &write.name);
            match &write.bytes {
                Some(document) => self.put(key, record::encode_document(&write.name, document)),
                None => self.remove(key),
            }
        }
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

    /// Sets a row that is never changed. How many bytes it has.
    pub fn append(&mut self, key: &Key, value: Vec<u8>) -> u64 {
        let bytes = key.as_ref().len() + value.len();
        let (head, _) = self.split(key, value);
        self.rows.push((key.clone(), Some(head)));
        bytes as u64
    }

    /// Removes a row that was never changed, and what continues it.
    pub fn remove_appended(&mut self, key: Key, parts: u32) {
        for part in 1..=parts {
            self.rows.push((key.continuation(part), None));
        }
        self.rows.push((key, None));
    }

    /// Sets a row of history.
    pub fn put_history(&mut self, key: Key, value: Vec<u8>) {
        self.history_bytes += (key.as_ref().len() + value.len()) as u64;
        self.put(key, value);
    }

    /// Sets a row to a value.
    pub fn put(&mut self, key: Key, value: Vec<u8>) {
        let (head, parts) = self.split(&key, value);
        self.set_parts(&key, parts);
        self.rows.push((key, Some(head)));
    }

    /// Puts what is too long for one row into rows that continue it. Gives what is for the row
    /// itself, and how many continue it.
    fn split(&mut self, key: &Key, mut value: Vec<u8>) -> (Vec<u8>, u32) {
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
        (value, parts)
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

/// Adds what a commit changes of active records and clocks, in the order of the keys.
fn add_changed(
    items: &mut ItemList,
    partition: Partition,
    records: &BTreeMap<RecordKey, Option<&Record>>,
    clocks: Clocks,
) -> Result<(), Error> {
    let records = records.iter();
    let mut records: Vec<_> = records
        .map(|(key, record)| (Key::record(partition, key), *record))
        .collect();
    records.sort_by(|one, other| one.0.cmp(&other.0));
    // Its kind is lower than theirs.
    items.push_record(Key::clocks(partition).as_ref(), &clocks)?;
    for (key, record) in records {
        match record {
            Some(record) => items.push_record(key.as_ref(), record)?,
            None => items.push(key.as_ref(), None),
        }
    }
    Ok(())
}

/// History has rows of its own for each kind.
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
