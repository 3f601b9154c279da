//! A batch as rows: which keys one commit sets and removes.
//!
//! What several changes of a batch do to one record is settled first, so that only the last form
//! is written. Receipts of a commit share values, and so do the entries of one incident.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::engine::ids::{EntryId, IncidentNumber, ReceiptId};
use crate::engine::records::{Change, Entry, Receipt, Record, RecordKey};

use super::keys::Key;
use super::record::{self, Group, Progress, StoredClocks, VALUE_BYTES_MAX};
use super::{Batch, Error, Partition, retention_index};

/// The rows of one commit in one buffer, which is used again for the next.
#[derive(Default)]
pub struct Writes {
    bytes: Vec<u8>,
    rows: Vec<Row>,
    /// Bytes of history that these rows add.
    history_bytes: u64,
    /// How many parts continue each row that needs any; kept from commit to commit.
    continued: BTreeMap<Vec<u8>, u32>,
}

struct Row {
    key: Range<usize>,
    /// `None` removes.
    value: Option<Range<usize>>,
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
        self.bytes.clear();
        self.rows.clear();
        self.history_bytes = 0;
    }

    /// Keys, each with its value or `None` to remove it, in the order in which they count.
    pub fn rows(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.rows.iter().map(|row| {
            let value = row.value.clone().map(|value| &self.bytes[value]);
            (&self.bytes[row.key.clone()], value)
        })
    }

    /// Bytes of history that these rows add.
    pub fn history_bytes(&self) -> u64 {
        self.history_bytes
    }

    /// Adds all that a batch says.
    pub fn add_batch(&mut self, partition: Partition, batch: &Batch) -> Result<(), Error> {
        let settled = Settled::of(&batch.changes);
        for (key, record) in &settled.active {
            let key = Key::record(partition, key);
            match record {
                Some(record) => self.put(&key, |bytes| record::encode_record(record, bytes))?,
                None => self.remove(&key),
            }
        }
        for record in settled.archived.values() {
            self.archive(partition, record)?;
        }
        self.add_receipts(partition, &settled.receipts)?;
        self.add_entries(partition, &settled.entries)?;
        self.add_documents(batch)?;
        let clocks = StoredClocks::from(batch.clocks);
        self.put(&Key::clocks(partition), |bytes| {
            record::encode(&clocks, bytes)
        })
    }

    /// Sets how far the store got.
    pub fn put_progress(&mut self, progress: &Progress) -> Result<(), Error> {
        self.put(&Key::progress(), |bytes| record::encode(progress, bytes))
    }

    /// Removes a row and what continues it.
    pub fn remove(&mut self, key: &Key) {
        let key_range = self.append(key.as_ref());
        self.rows.push(Row {
            key: key_range,
            value: None,
        });
        self.set_parts(key, 0);
    }

    fn archive(&mut self, partition: Partition, record: &Record) -> Result<(), Error> {
        let Some(aged) = retention_index::of(record) else {
            // Only incidents, pages and alerts have a history.
            return Ok(());
        };
        let key = aged.key(partition);
        let before = self.bytes.len();
        self.put(&key, |bytes| record::encode_record(record, bytes))?;
        for index in retention_index::index_keys(partition, record) {
            self.put_index(&index);
        }
        self.history_bytes += (self.bytes.len() - before) as u64;
        Ok(())
    }

    fn add_receipts(
        &mut self,
        partition: Partition,
        receipts: &BTreeMap<ReceiptId, &Arc<Receipt>>,
    ) -> Result<(), Error> {
        let mut group = Group::new();
        let mut write = |(first, value): (u64, &[u8])| {
            self.put_history(&Key::receipts(partition, ReceiptId(first)), value);
        };
        for (id, receipt) in receipts {
            group.push(id.0, &***receipt, &mut write)?;
        }
        group.finish(write);
        Ok(())
    }

    fn add_entries(
        &mut self,
        partition: Partition,
        entries: &BTreeMap<(IncidentNumber, EntryId), &Arc<Entry>>,
    ) -> Result<(), Error> {
        let mut group = Group::new();
        let mut current = IncidentNumber(0);
        for ((incident, id), entry) in entries {
            if *incident != current {
                group.finish(|filled| self.put_story(partition, current, filled));
                current = *incident;
            }
            let write = |filled: record::Filled<'_>| self.put_story(partition, current, filled);
            group.push(id.0, &***entry, write)?;
        }
        group.finish(|filled| self.put_story(partition, current, filled));
        Ok(())
    }

    fn put_story(
        &mut self,
        partition: Partition,
        incident: IncidentNumber,
        (first, value): record::Filled<'_>,
    ) {
        self.put_history(&Key::entries(partition, incident, EntryId(first)), value);
    }

    fn add_documents(&mut self, batch: &Batch) -> Result<(), Error> {
        for write in &batch.documents {
            let key = Key::document(write.kind, &write.name);
            match &write.bytes {
                Some(document) => self.put(&key, |bytes| {
                    record::encode_document(&write.name, document, bytes);
                    Ok(())
                })?,
                None => self.remove(&key),
            }
        }
        Ok(())
    }

    fn put_history(&mut self, key: &Key, value: &[u8]) {
        let range = self.append(value);
        self.history_bytes += (key.as_ref().len() + value.len()) as u64;
        self.put_value(key, range);
    }

    fn put_index(&mut self, key: &Key) {
        let value = self.append(&[]);
        self.put_value(key, value);
    }

    fn put(
        &mut self,
        key: &Key,
        encode: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let start = self.bytes.len();
        encode(&mut self.bytes)?;
        self.put_value(key, start..self.bytes.len());
        Ok(())
    }

    /// Sets a row to a value that lies in the buffer, in several rows if it is too long for one.
    fn put_value(&mut self, key: &Key, value: Range<usize>) {
        let parts = value.len().saturating_sub(1) / VALUE_BYTES_MAX;
        let parts = u32::try_from(parts).expect("no batch of 24 TiB fits into memory");
        if parts > 0 {
            record::set_further_parts(&mut self.bytes[value.clone()], parts);
        }
        let mut key_range = self.append(key.as_ref());
        for part in 0..=parts {
            let start = value.start + part as usize * VALUE_BYTES_MAX;
            let end = value.end.min(start + VALUE_BYTES_MAX);
            if part > 0 {
                key_range = self.append(key.continuation(part).as_ref());
            }
            self.rows.push(Row {
                key: key_range.clone(),
                value: Some(start..end),
            });
        }
        self.set_parts(key, parts);
    }

    /// Notes how many parts continue a row now, and removes those that it no longer has.
    fn set_parts(&mut self, key: &Key, parts: u32) {
        let before = if parts == 0 {
            self.continued.remove(key.as_ref())
        } else {
            self.continued.insert(key.as_ref().to_vec(), parts)
        };
        for part in parts + 1..=before.unwrap_or(0) {
            let key = self.append(key.continuation(part).as_ref());
            self.rows.push(Row { key, value: None });
        }
    }

    fn append(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }
}

/// The last word of a batch on each record.
#[derive(Default)]
struct Settled<'batch> {
    /// `None` removes.
    active: BTreeMap<RecordKey, Option<&'batch Record>>,
    archived: BTreeMap<RecordKey, &'batch Record>,
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
