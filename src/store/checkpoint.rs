//! A new checkpoint, made beside the commits: the last one merged with what was changed since, a
//! slice at a time. However often a record was changed since, it is written once.
//!
//! Nothing is decoded for it: keys and stored forms are copied. What is held in memory is one slice
//! of the last checkpoint, the changes of a few commits, and of each changed record its key.

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;

use super::Error;
use super::active::{self, Checkpoint, Item, ItemList, Slice};
use super::keys::Key;
use super::rows::Rows;

/// A slice is full when its items are as long as this.
const SLICE_BYTES: usize = 24 * 1024;

/// The changes of so many commits are kept unpacked. Keys of records that were changed together
/// mostly follow each other, so that few are enough.
const COMMITS_UNPACKED: usize = 32;

/// One step reads what so many commits changed.
const COMMITS_OF_STEP: usize = 16;

/// A checkpoint that is being made.
pub struct Merge {
    /// The last one.
    last: Checkpoint,
    /// The one that is made.
    new: Checkpoint,
    /// The commits of which it is still to be read what they changed.
    unread: RangeInclusive<u64>,
    /// Keys that were changed since the last one, each with the commit that did so last.
    changed: BTreeMap<Vec<u8>, u64>,
    unpacked: VecDeque<(u64, Read)>,
    /// What is read of the last one at present.
    current: Option<Read>,
    /// Which of its slices is read next.
    next_slice: u64,
}

/// What a merge does next.
pub enum Step {
    /// It reads what was changed; there is nothing to write yet.
    Reading,
    /// A slice under its key.
    Slice(Key, Vec<u8>),
    /// All slices are written.
    Whole(Checkpoint),
}

/// ItemList that are read one after the other.
struct Read {
    slice: Slice,
    at: usize,
}

impl Read {
    fn new(slice: Slice) -> Self {
        Self { slice, at: 0 }
    }

    /// The item at which it stands.
    fn peek(&self) -> Result<Option<Item<'_>>, Error> {
        let item = self.slice.items.at(self.at);
        item.map_err(|cause| self.slice.damaged(cause))
    }

    /// The value of a key; those that are asked for come in the order of the items.
    fn find(&mut self, wanted: &[u8]) -> Result<active::Value<'_>, Error> {
        while let Some(item) = self.peek()?.filter(|item| item.key < wanted) {
            self.at = item.next;
        }
        match self.peek()? {
            Some(item) if item.key == wanted => Ok(item.value),
            Some(_) | None => Err(self.slice.damaged(format!(
                "it lost what it said of {}",
                super::keys::describe(wanted)
            ))),
        }
    }
}

impl Merge {
    /// Begins a checkpoint of the records as they are after this commit.
    pub fn begin(rows: &impl Rows, until: u64) -> Result<Self, Error> {
        let last = Checkpoint::read(rows)?;
        Ok(Self {
            last,
            unread: last.later(until),
            new: Checkpoint {
                number: last.number + 1,
                slices: 0,
                until,
                bytes: 0,
            },
            changed: BTreeMap::new(),
            unpacked: VecDeque::new(),
            current: None,
            next_slice: 0,
        })
    }

    /// What is to be written next.
    pub fn step(&mut self, rows: &impl Rows) -> Result<Step, Error> {
        if !self.unread.is_empty() {
            self.read_changes(rows)?;
            return Ok(Step::Reading);
        }
        let items = self.next_items(rows)?;
        if items.is_empty() {
            return Ok(Step::Whole(self.new));
        }
        let key = Key::slice(self.new.number, self.new.slices);
        let value = Slice::pack(&key, &items)?;
        self.new.slices += 1;
        self.new.bytes += value.len() as u64;
        Ok(Step::Slice(key, value))
    }

    /// The next items in the order of their keys, about as many as a slice has; none at the end.
    pub fn next_items(&mut self, rows: &impl Rows) -> Result<ItemList, Error> {
        while !self.unread.is_empty() {
            self.read_changes(rows)?;
        }
        let mut items = ItemList::default();
        while items.bytes() < SLICE_BYTES {
            if !self.add_next(rows, &mut items)? {
                break;
            }
        }
        Ok(items)
    }

    fn read_changes(&mut self, rows: &impl Rows) -> Result<(), Error> {
        for commit in self.unread.by_ref().take(COMMITS_OF_STEP) {
            active::changes(rows, commit)?.each(|key, _| {
                self.changed.insert(key.to_vec(), commit);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Adds the record with the next key; false if there is none. One that was removed adds
    /// nothing.
    fn add_next(&mut self, rows: &impl Rows, items: &mut ItemList) -> Result<bool, Error> {
        self.read_on(rows)?;
        let Some(current) = &mut self.current else {
            return self.add_changed(rows, items);
        };
        let Some(Item { key, value, next }) = current.peek()? else {
            return self.add_changed(rows, items);
        };
        let changed = self.changed.first_key_value();
        match changed.map(|(changed, _)| key.cmp(changed)) {
            None | Some(Ordering::Less) => items.push(key, value),
            // What it is now comes next.
            Some(Ordering::Equal) => {}
            Some(Ordering::Greater) => return self.add_changed(rows, items),
        }
        current.at = next;
        Ok(true)
    }

    fn add_changed(&mut self, rows: &impl Rows, items: &mut ItemList) -> Result<bool, Error> {
        let Some((key, commit)) = self.changed.pop_first() else {
            return Ok(false);
        };
        let value = self.unpacked(rows, commit)?.find(&key)?;
        if value.is_some() {
            items.push(&key, value);
        }
        Ok(true)
    }

    /// Goes on to the next slice of the last checkpoint when one was read to its end.
    fn read_on(&mut self, rows: &impl Rows) -> Result<(), Error> {
        loop {
            if let Some(current) = &self.current
                && current.peek()?.is_some()
            {
                return Ok(());
            }
            self.current = None;
            if self.next_slice >= self.last.slices {
                return Ok(());
            }
            let slice = self.last.slice(rows, self.next_slice)?;
            self.current = Some(Read::new(slice));
            self.next_slice += 1;
        }
    }

    fn unpacked(&mut self, rows: &impl Rows, commit: u64) -> Result<&mut Read, Error> {
        let known = self.unpacked.iter().position(|(known, _)| *known == commit);
        let index = match known {
            Some(index) => index,
            None => {
                if self.unpacked.len() >= COMMITS_UNPACKED {
                    self.unpacked.pop_front();
                }
                let read = Read::new(active::changes(rows, commit)?);
                self.unpacked.push_back((commit, read));
                self.unpacked.len() - 1
            }
        };
        Ok(&mut self.unpacked[index].1)
    }
}
