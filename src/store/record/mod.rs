//! Stored forms: how records become bytes and are read again.
//!
//! A value is one byte of format number, four bytes that say how many further parts it has, and
//! then the record as postcard writes it by the engine's own serde derive (why:
//! `docs/decisions/0045`). Entries of one incident share values, one after the other.
//! The tree below keeps checksums, so values carry none of their own.
//!
//! postcard writes neither names of fields nor of variants: their order is what is stored.
//! `tests/fixtures/store/v<format>/` pins the form of every kind. Whoever changes a form raises
//! [`FORMAT`], adds a folder, and keeps the old ones readable: the types as they were, and how the
//! present ones are made of them.

use postcard::ser_flavors::Flavor;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Error;
use super::keys::describe;

/// The number of the form in which values are written.
pub const FORMAT: u8 = 3;

/// The lowest format that can be read. Those below were JSON, of builds before the first version.
const FORMAT_MIN: u8 = 3;

/// The number of the layout of keys.
pub const LAYOUT: u32 = 3;

/// Bytes of the head of a value: format number, number of further parts.
const HEAD_BYTES: usize = 5;

/// Bytes of a value in one row; what is longer is continued in further rows.
///
/// sled writes a node of more than 128 KiB to a file of its own that it never syncs. A leaf has
/// at most about 20 rows, so that rows of this size can never make such a node.
pub const VALUE_BYTES_MAX: usize = 6 * 1024;

/// The head of a value that no further parts continue.
const HEAD: [u8; HEAD_BYTES] = [FORMAT, 0, 0, 0, 0];

/// What a value can be read as.
pub trait Stored: Sized {
    fn read(bytes: &[u8]) -> Result<Self, String>;
}

impl<T: DeserializeOwned> Stored for T {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        match take(bytes)? {
            (value, []) => Ok(value),
            (_, rest) => Err(format!("{} bytes follow its end", rest.len())),
        }
    }
}

/// Reads a value from the beginning of these bytes; also what follows it.
pub fn take<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8]), String> {
    postcard::take_from_bytes(bytes).map_err(|error| match error {
        postcard::Error::DeserializeUnexpectedEnd => "it ends too early".to_owned(),
        error => error.to_string(),
    })
}

/// Several items that share a value.
#[derive(Debug)]
pub struct Items<T>(pub Vec<T>);

impl<T: DeserializeOwned> Stored for Items<T> {
    fn read(mut bytes: &[u8]) -> Result<Self, String> {
        let mut items = Vec::new();
        while !bytes.is_empty() {
            let (item, rest) = take(bytes)?;
            items.push(item);
            bytes = rest;
        }
        Ok(Self(items))
    }
}

/// A document with its name, which the key may hold only in part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Stored for Document {
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
    /// Batches of rows so far: those of commits, and others between them.
    pub batches: u64,
    /// Bytes of history, for the cap on disk use.
    pub history_bytes: u64,
}

impl Progress {
    /// Whether its keys are laid out as this version knows.
    pub fn check_layout(&self) -> Result<(), String> {
        if self.layout == LAYOUT {
            return Ok(());
        }
        Err(format!(
            "its layout has number {}, this version knows {LAYOUT}; run the version that wrote it",
            self.layout
        ))
    }
}

/// A value in the present format.
pub fn encode(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    encode_behind(Vec::new(), value)
}

/// A value in the present format, behind these bytes.
pub fn encode_behind(mut bytes: Vec<u8>, value: &impl Serialize) -> Result<Vec<u8>, Error> {
    bytes.extend_from_slice(&HEAD);
    extend(bytes, value)
}

/// A document as a value.
pub fn encode_document(name: &str, document: &[u8]) -> Vec<u8> {
    let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
    [&HEAD[..], &length.to_be_bytes(), name.as_bytes(), document].concat()
}

/// Values in which items of one commit share rows, each with the id of its first item: one is
/// filled up, then the next begins.
pub fn encode_groups<'item, T: Serialize + 'item>(
    items: impl IntoIterator<Item = (u64, &'item T)>,
) -> Result<Vec<(u64, Vec<u8>)>, Error> {
    let mut groups: Vec<(u64, Vec<u8>)> = Vec::new();
    for (id, item) in items {
        let item = extend(Vec::new(), item)?;
        match groups.last_mut() {
            Some((_, group)) if group.len() + item.len() <= VALUE_BYTES_MAX => group.extend(item),
            _ => groups.push((id, [&HEAD[..], &item].concat())),
        }
    }
    Ok(groups)
}

/// Adds a value to these bytes.
pub fn extend(bytes: Vec<u8>, value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let written = postcard::serialize_with_flavor(value, Bytes(bytes));
    written.map_err(|error| Error::Commit {
        cause: error.to_string(),
    })
}

/// Room for values that is kept to be used again.
pub const ROOM_BYTES_MAX: usize = 1024 * 1024;

/// Empties these bytes and keeps their room, unless it is large: the allocator gives what is freed
/// of such a length back to the system, which fills it with zeros for the next value.
pub fn empty(bytes: &mut Vec<u8>) {
    bytes.clear();
    bytes.shrink_to(ROOM_BYTES_MAX);
}

/// Where postcard writes. Its own way to add to a vector does so byte by byte.
struct Bytes(Vec<u8>);

impl Flavor for Bytes {
    type Output = Vec<u8>;

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.0)
    }
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
        FORMAT_MIN..=FORMAT => T::read(rest).map_err(damaged),
        found @ 1..FORMAT_MIN => Err(Error::Older {
            key: describe(key),
            found: u32::from(found),
        }),
        found => Err(Error::Newer {
            key: describe(key),
            found: u32::from(found),
            known: u32::from(FORMAT),
        }),
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

#[cfg(test)]
mod tests;
