//! Active records and clocks as they are kept: what each commit changed of them, in one value, and
//! behind that the checkpoint, which holds all of them as they were at some commit.
//!
//! Nothing of it is changed in its place. A checkpoint is made beside the commits
//! (`checkpoint.rs`), and then the changes that it holds are no longer needed.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::keys::{Key, Kind, describe};
use super::packed::{self, Packed};
use super::record;
use super::rows::{self, Rows};
use super::{Error, Partition};

/// Keys and values one after the other, in the order of the keys. A value is a stored form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemList(Vec<u8>);

/// What an item says of its key; `None` if it has no value any more.
pub type Value<'items> = Option<&'items [u8]>;

/// One of them.
pub struct Item<'items> {
    pub key: &'items [u8],
    pub value: Value<'items>,
    /// Where the next one begins.
    pub next: usize,
}

impl ItemList {
    /// Adds an item whose key comes after all others.
    pub fn push(&mut self, key: &[u8], value: Value<'_>) {
        let length = value.map_or(0, |value| value.len() + 1);
        self.0
            .push(u8::try_from(key.len()).expect("keys are shorter than 200 bytes"));
        self.0.extend_from_slice(key);
        let length = u32::try_from(length).expect("no record of 4 GiB fits into a request");
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(value.unwrap_or_default());
    }

    /// Adds a record whose key comes after all others.
    pub fn push_record(&mut self, key: &[u8], record: &impl Serialize) -> Result<(), Error> {
        self.push(key, Some(&[]));
        let value = self.0.len();
        self.0 = record::encode_behind(std::mem::take(&mut self.0), record)?;
        let length = u32::try_from(self.0.len() - value + 1);
        let length = length.expect("no record of 4 GiB fits into a request");
        self.0[value - 4..value].copy_from_slice(&length.to_le_bytes());
        Ok(())
    }

    /// The item that begins there; `None` at the end.
    pub fn at(&self, at: usize) -> Result<Option<Item<'_>>, String> {
        let cut = || "an item of it ends too early".to_owned();
        let rest = self.0.get(at..).ok_or_else(cut)?;
        let Some((length, rest)) = rest.split_first() else {
            return Ok(None);
        };
        let (key, rest) = rest
            .split_at_checked(usize::from(*length))
            .ok_or_else(cut)?;
        let (length, rest) = rest.split_first_chunk().ok_or_else(cut)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (value, rest) = match length.checked_sub(1) {
            Some(length) => {
                let (value, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
                (Some(value), rest)
            }
            None => (None, rest),
        };
        let next = self.0.len() - rest.len();
        Ok(Some(Item { key, value, next }))
    }

    /// Calls for each item.
    fn each(
        &self,
        mut visit: impl FnMut(&[u8], Value<'_>) -> Result<(), Error>,
        damaged: impl Fn(String) -> Error,
    ) -> Result<(), Error> {
        let mut at = 0;
        while let Some(item) = self.at(at).map_err(&damaged)? {
            visit(item.key, item.value)?;
            at = item.next;
        }
        Ok(())
    }

    pub fn bytes(&self) -> usize {
        self.0.len()
    }

    /// Forgets the items and keeps their room, unless it is large.
    pub fn clear(&mut self) {
        record::empty(&mut self.0);
    }

    /// As it is kept: lists one after the other are the list of all their items.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One value with items: what a commit changed, or a slice of a checkpoint.
pub struct Slice {
    key: Key,
    pub items: ItemList,
}

impl Slice {
    /// Reads what lies under a key; `None` if nothing does. What lies there must be of this number,
    /// or it was meant for another key.
    pub fn read(rows: &impl Rows, key: Key) -> Result<Option<Self>, Error> {
        let read: Option<Packed<Key>> = rows::read(rows, &key)?;
        let Some(Packed { head, plain }) = read else {
            return Ok(None);
        };
        if head != key {
            return Err(Error::Damaged {
                key: describe(key.as_ref()),
                cause: format!("the record there belongs to {}", describe(head.as_ref())),
            });
        }
        let items = ItemList(plain);
        Ok(Some(Self { key, items }))
    }

    /// The value under this key.
    pub fn pack(key: &Key, items: &ItemList) -> Result<Vec<u8>, Error> {
        packed::pack(key, &items.0)
    }

    pub fn damaged(&self, cause: String) -> Error {
        Error::Damaged {
            key: describe(self.key.as_ref()),
            cause,
        }
    }

    pub fn each(
        &self,
        visit: impl FnMut(&[u8], Value<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.items.each(visit, |cause| self.damaged(cause))
    }
}

/// What is known of the last checkpoint that is whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Which it is, from 1; 0 if there was none yet.
    pub number: u64,
    /// How many slices it has.
    pub slices: u64,
    /// The last commit whose changes it holds.
    pub until: u64,
    /// Of its slices as they are stored.
    pub bytes: u64,
}

impl Checkpoint {
    pub fn read(rows: &impl Rows) -> Result<Self, Error> {
        Ok(rows::read(rows, &Key::checkpoint())?.unwrap_or_default())
    }

    /// One of its slices.
    pub fn slice(&self, rows: &impl Rows, number: u64) -> Result<Slice, Error> {
        let key = Key::slice(self.number, number);
        Slice::read(rows, key.clone())?.ok_or_else(|| missing(&key))
    }

    /// The commits whose changes it does not hold.
    pub fn later(&self, commits: u64) -> RangeInclusive<u64> {
        self.until.saturating_add(1)..=commits
    }
}

/// What a commit changed. That it is there must be known.
pub fn changes(rows: &impl Rows, commit: u64) -> Result<Slice, Error> {
    let key = Key::active_changes(commit);
    Slice::read(rows, key.clone())?.ok_or_else(|| missing(&key))
}

fn missing(key: &Key) -> Error {
    Error::Damaged {
        key: describe(key.as_ref()),
        cause: "it is missing".to_owned(),
    }
}

/// All records and clocks, each with its key and its stored form, after so many commits. Every
/// commit behind the checkpoint must be there: a gap would go unnoticed otherwise.
pub fn all(
    rows: &impl Rows,
    commits: u64,
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let checkpoint = Checkpoint::read(rows)?;
    let mut changed: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
    for commit in checkpoint.later(commits) {
        changes(rows, commit)?.each(|key, value| {
            changed.insert(key.to_vec(), value.map(<[u8]>::to_vec));
            Ok(())
        })?;
    }
    for number in 0..checkpoint.slices {
        checkpoint
            .slice(rows, number)?
            .each(|key, value| match value {
                Some(value) if !changed.contains_key(key) => visit(key, value),
                Some(_) | None => Ok(()),
            })?;
    }
    for (key, value) in changed {
        if let Some(value) = value {
            visit(&key, &value)?;
        }
    }
    Ok(())
}

/// Of which partition a record is.
pub fn partition_of(key: &[u8]) -> Option<Partition> {
    let bytes = key.get(1..5)?.try_into().ok()?;
    Some(Partition(u32::from_be_bytes(bytes)))
}

/// Bytes of the changes that no checkpoint holds, as they are stored.
pub fn bytes_of_changes(rows: &impl Rows, after: u64) -> Result<u64, Error> {
    let all = Key::all(Kind::ActiveChanges, Partition::default());
    let mut bytes = 0;
    for row in rows.range(&Key::active_changes(after.saturating_add(1)), &all.end()) {
        let (key, value) = row?;
        bytes += rows::bytes_of(rows, key.as_ref(), value.as_ref())?;
    }
    Ok(bytes)
}

/// Rows that no checkpoint needs any more, or not yet: changes that the last one holds, and slices
/// of others. So many at most.
pub fn outdated(
    rows: &impl Rows,
    checkpoint: &Checkpoint,
    limit: usize,
) -> Result<Vec<(Key, u32)>, Error> {
    let home = Partition::default();
    let (changes, slices) = (
        Key::all(Kind::ActiveChanges, home),
        Key::all(Kind::Slice, home),
    );
    let held = rows.range(
        &changes,
        &Key::active_changes(checkpoint.until.saturating_add(1)),
    );
    let older = rows.range(&slices, &Key::slice(checkpoint.number, 0));
    let newer = rows.range(&Key::slice(checkpoint.number + 1, 0), &slices.end());
    let rows = held.chain(older).chain(newer).take(limit);
    rows.map(|row| {
        let (key, value) = row?;
        let parts = record::further_parts(value.as_ref());
        Ok((Key::read(key.as_ref()), parts))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_as_they_were_added() {
        let mut items = ItemList::default();
        items.push(b"a", Some(b"first"));
        items.push(b"bc", None);
        items.push(b"d", Some(b""));
        let mut found = Vec::new();
        let visit = |key: &[u8], value: Value<'_>| {
            found.push((key.to_vec(), value.map(<[u8]>::to_vec)));
            Ok(())
        };
        items.each(visit, |cause| panic!("{cause}")).unwrap();
        let expected: [(&[u8], Option<&[u8]>); 3] =
            [(b"a", Some(b"first")), (b"bc", None), (b"d", Some(b""))];
        let expected = expected.map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec)));
        assert_eq!(found, expected);
    }

    #[test]
    fn items_that_end_too_early_are_noticed() {
        let mut items = ItemList::default();
        items.push(b"key", Some(b"value"));
        for end in 1..items.bytes() {
            let cut = ItemList(items.0[..end].to_vec());
            assert!(cut.at(0).is_err(), "{end}");
        }
    }
}
