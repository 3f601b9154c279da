//! Stored forms: how records become bytes and are read again.
//!
//! A value is one byte of format number, four bytes that say how many further parts it has, and
//! then JSON as the engine's own serde derive gives it (why: `docs/decisions/0020`). Receipts and
//! entries of one commit share values, as JSON arrays. The tree below keeps checksums, so values
//! carry none of their own.
//!
//! `tests/fixtures/store/v<format>/` pins the form of every kind. Whoever changes a form raises
//! [`FORMAT`], adds a folder, and keeps the old ones readable.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::engine::records::Record;
use crate::engine::time::{MonotonicTime, Timestamp};

use super::keys::describe;
use super::{Clocks, Error};

/// The number of the form in which values are written; all up to it can be read.
pub const FORMAT: u8 = 2;

/// The number of the layout of keys.
pub const LAYOUT: u32 = 1;

/// Bytes of the head of a value: format number, number of further parts.
const HEAD_BYTES: usize = 5;

/// Bytes of a value in one row; what is longer is continued in further rows.
///
/// sled writes a node of more than 128 KiB to a file of its own that it never syncs. A leaf has
/// at most about 20 rows, so that rows of this size can never make such a node.
pub const VALUE_BYTES_MAX: usize = 6 * 1024;

/// What can be a value.
pub trait Stored: Sized {
    fn write(&self, bytes: &mut Vec<u8>) -> Result<(), String>;
    fn read(bytes: &[u8]) -> Result<Self, String>;
}

impl<T: Serialize + DeserializeOwned> Stored for T {
    fn write(&self, bytes: &mut Vec<u8>) -> Result<(), String> {
        serde_json::to_writer(bytes, self).map_err(|error| error.to_string())
    }

    fn read(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|error| error.to_string())
    }
}

/// A document with its name, which the key may hold only in part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Stored for Document {
    fn write(&self, bytes: &mut Vec<u8>) -> Result<(), String> {
        write_document(&self.name, &self.bytes, bytes);
        Ok(())
    }

    fn read(bytes: &[u8]) -> Result<Self, String> {
        let cut = || "it ends too early".to_owned();
        let (length, rest) = bytes.split_first_chunk().ok_or_else(cut)?;
        let length = u32::from_be_bytes(*length) as usize;
        let (name, bytes) = rest.split_at_checked(length).ok_or_else(cut)?;
        Ok(Self {
            name: String::from_utf8(name.to_vec()).map_err(|error| error.to_string())?,
            bytes: bytes.to_vec(),
        })
    }
}

/// How far the store got; one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub layout: u32,
    /// Commits so far. A tree that has fewer than were acknowledged has lost some.
    pub commits: u64,
    /// Bytes of history, for the cap on disk use.
    pub history_bytes: u64,
}

/// The clocks of a partition as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredClocks {
    wall: Timestamp,
    steady: MonotonicTime,
}

impl From<Clocks> for StoredClocks {
    fn from(clocks: Clocks) -> Self {
        let Clocks { wall, steady } = clocks;
        Self { wall, steady }
    }
}

impl From<StoredClocks> for Clocks {
    fn from(stored: StoredClocks) -> Self {
        let StoredClocks { wall, steady } = stored;
        Self { wall, steady }
    }
}

/// Appends a value in the present format.
pub fn encode(value: &impl Stored, bytes: &mut Vec<u8>) -> Result<(), Error> {
    write_head(bytes);
    value.write(bytes).map_err(|cause| Error::Commit { cause })
}

/// Appends an active record.
pub fn encode_record(record: &Record, bytes: &mut Vec<u8>) -> Result<(), Error> {
    match record {
        Record::Alert(alert) => encode(&**alert, bytes),
        Record::Incident(incident) => encode(&**incident, bytes),
        Record::Page(page) => encode(&**page, bytes),
        Record::Group(group) => encode(&**group, bytes),
        Record::Person(person) => encode(&**person, bytes),
        Record::Channel(channel) => encode(&**channel, bytes),
        Record::Sender(sender) => encode(&**sender, bytes),
        Record::Silence(silence) => encode(&**silence, bytes),
        Record::Override(override_) => encode(&**override_, bytes),
        Record::PolicySnapshot(pinned) => encode(&**pinned, bytes),
        Record::Task(task) => encode(&**task, bytes),
        Record::Counters(counters) => encode(counters, bytes),
        Record::Jump(jump) => encode(jump, bytes),
    }
}

/// Appends a document without copying it first.
pub fn encode_document(name: &str, document: &[u8], bytes: &mut Vec<u8>) {
    write_head(bytes);
    write_document(name, document, bytes);
}

/// Reads a value, all its parts joined.
pub fn decode<T: Stored>(key: &[u8], bytes: &[u8]) -> Result<T, Error> {
    let damaged = |cause: String| Error::Damaged {
        key: describe(key),
        cause,
    };
    let Some((head, rest)) = bytes.split_first_chunk::<HEAD_BYTES>() else {
        return Err(damaged(format!("it has only {} bytes", bytes.len())));
    };
    match head[0] {
        0 => Err(damaged("its format number is 0".to_owned())),
        1..=FORMAT => T::read(rest).map_err(damaged),
        found => Err(Error::Newer {
            key: describe(key),
            found: u32::from(found),
            known: u32::from(FORMAT),
        }),
    }
}

/// Values of one commit that share rows: fills up one, then begins the next.
pub struct Group {
    items: Vec<u8>,
    item: Vec<u8>,
    first: Option<u64>,
}

/// A value with several items, as a JSON array, and the id of its first.
pub type Filled<'group> = (u64, &'group [u8]);

impl Group {
    pub fn new() -> Self {
        Self {
            items: Vec::new(),
            item: Vec::new(),
            first: None,
        }
    }

    /// Adds an item. If it does not fit, `write` gets what was there before.
    pub fn push(
        &mut self,
        id: u64,
        item: &impl Stored,
        write: impl FnMut(Filled<'_>),
    ) -> Result<(), Error> {
        self.item.clear();
        item.write(&mut self.item)
            .map_err(|cause| Error::Commit { cause })?;
        // One comma and the closing bracket.
        if self.items.len() + self.item.len() + 2 > VALUE_BYTES_MAX {
            self.finish(write);
        }
        if self.first.is_none() {
            self.first = Some(id);
            write_head(&mut self.items);
            self.items.push(b'[');
        } else {
            self.items.push(b',');
        }
        self.items.extend_from_slice(&self.item);
        Ok(())
    }

    /// Gives what is left to `write`.
    pub fn finish(&mut self, mut write: impl FnMut(Filled<'_>)) {
        if let Some(first) = self.first.take() {
            self.items.push(b']');
            write((first, &self.items));
        }
        self.items.clear();
    }
}

/// How many rows continue this value.
pub fn further_parts(head: &[u8]) -> u32 {
    let count = head.get(1..HEAD_BYTES).and_then(<[u8]>::first_chunk);
    count.copied().map_or(0, u32::from_be_bytes)
}

/// Writes into the head of a value how many rows continue it.
pub fn set_further_parts(value: &mut [u8], parts: u32) {
    value[1..HEAD_BYTES].copy_from_slice(&parts.to_be_bytes());
}

fn write_head(bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&[FORMAT, 0, 0, 0, 0]);
}

fn write_document(name: &str, document: &[u8], bytes: &mut Vec<u8>) {
    let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(document);
}

#[cfg(test)]
mod tests;
