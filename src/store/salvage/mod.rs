//! The rows of a database that sled may not open, read from its log without sled.
//!
//! sled gives up on a log with damage in its middle, or leaves out what stood behind it. Here every
//! message whose checksum is right counts, wherever it lies; files are only read. The form is that
//! of sled 0.34 (decision 0034).

mod message;
mod segment;
mod tail;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde::Serialize;

pub use self::tail::tear;

use self::message::{Leaf, Link, Message, Node, Value, What};
use super::Error;
use super::ahead::{Ahead, Merged};
use super::keys::{Key, describe};
use super::rows::Rows;

/// What the log says, as far as it can be read.
pub struct Salvaged {
    file: File,
    rows: BTreeMap<Vec<u8>, Place>,
    /// What the write-ahead log says of rows, which is newer.
    ahead: Ahead<Vec<u8>>,
    /// Where messages must have been that cannot be read.
    pub holes: Vec<Hole>,
    /// Changes to rows of which it is lost to which rows.
    pub lost_changes: u64,
}

/// A part of the file that holds something unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Hole {
    /// Where in the file it begins.
    pub offset: u64,
    pub bytes: u64,
}

/// Where a value lies in the file, and when it was written.
#[derive(Clone, Copy)]
struct Place {
    moment: u64,
    at: u64,
    length: usize,
}

/// A node of the tree: how it was last written as a whole, and what changed since.
#[derive(Default)]
struct Page {
    base: Option<Message>,
    links: Vec<Message>,
}

impl Page {
    /// When it was written as a whole; what has lost that is older than all.
    fn moment(&self) -> u64 {
        self.base.as_ref().map_or(0, |base| base.moment)
    }
}

impl Salvaged {
    /// Reads the file of a database, which took over all up to this batch.
    pub fn read(path: &Path, settled: Option<u64>) -> io::Result<Self> {
        let file = File::open(path)?;
        let mut log = segment::read(&file, &segment::places(&file)?);
        tail::cut(&file, &mut log, settled);
        let mut salvaged = Self {
            file,
            rows: BTreeMap::new(),
            ahead: Ahead::default(),
            holes: log.gaps.iter().map(|gap| gap.hole).collect(),
            lost_changes: 0,
        };
        let mut pages: Vec<Page> = pages(log.messages).into_values().collect();
        pages.sort_by_key(Page::moment);
        for page in pages {
            salvaged.add(&page);
        }
        salvaged.holes = joined(salvaged.holes);
        Ok(salvaged)
    }

    /// Whether nothing at all could be read.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.ahead.has_nothing_fresh()
    }

    /// Adds what the write-ahead log says of a row.
    pub fn put(&mut self, key: Key, value: Option<Vec<u8>>) {
        self.ahead.add(key, value);
    }

    /// Adds what a page holds. Where pages speak of the same key the newest is right.
    fn add(&mut self, page: &Page) {
        let Some(base) = &page.base else {
            // Of which rows the changes are only the node says.
            self.lost_changes += page.links.len() as u64;
            return;
        };
        let leaf = match body(&self.file, base).as_deref().and_then(Node::read) {
            Some(Node::Leaf(leaf)) => leaf,
            // It only leads to leaves.
            Some(Node::Index) => return,
            None => {
                self.damage(base.at, base.length);
                return;
            }
        };
        self.forget_older(&leaf, base.moment);
        for (key, value) in &leaf.rows {
            self.set(key.clone(), *value, base);
        }
        for message in &page.links {
            match body(&self.file, message).as_deref().and_then(Link::read) {
                Some(Link::Other) => {}
                Some(Link::Set(rest, value)) => match leaf.key(&rest) {
                    Some(key) => self.set(key, value, message),
                    None => self.lost_changes += 1,
                },
                Some(Link::Remove(rest)) => match leaf.key(&rest) {
                    Some(key) => self.remove(&key, message),
                    None => self.lost_changes += 1,
                },
                None => self.damage(message.at, message.length),
            }
        }
    }

    /// A page says all that there was in its range.
    fn forget_older(&mut self, leaf: &Leaf, moment: u64) {
        let within = self.rows.range::<[u8], _>(leaf.bounds());
        let older = within.filter(|(_, place)| place.moment < moment);
        let older: Vec<Vec<u8>> = older.map(|(key, _)| key.clone()).collect();
        for key in older {
            self.rows.remove(&key);
        }
    }

    fn set(&mut self, key: Vec<u8>, value: Value, message: &Message) {
        let place = Place {
            moment: message.moment,
            at: message.at + value.at as u64,
            length: value.length,
        };
        let known = self.rows.entry(key).or_insert(place);
        if known.moment <= place.moment {
            *known = place;
        }
    }

    fn remove(&mut self, key: &[u8], message: &Message) {
        let is_older = |place: &Place| place.moment < message.moment;
        if self.rows.get(key).is_some_and(is_older) {
            self.rows.remove(key);
        }
    }

    fn damage(&mut self, offset: u64, length: usize) {
        self.holes.push(Hole::new(offset, length));
    }

    fn value(&self, key: &[u8], place: Place) -> Result<Vec<u8>, Error> {
        bytes(&self.file, place.at, place.length).map_err(|error| Error::Read {
            what: describe(key),
            cause: error.to_string(),
        })
    }
}

impl Rows for Salvaged {
    type Bytes = Vec<u8>;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        if let Some(known) = self.ahead.get(&Key::read(key)) {
            return Ok(known);
        }
        let place = self.rows.get(key);
        place.map(|place| self.value(key, *place)).transpose()
    }

    fn range<'a>(
        &'a self,
        from: &Key,
        to: &Key,
    ) -> impl DoubleEndedIterator<Item = Result<(Vec<u8>, Vec<u8>), Error>> + use<'a> {
        let bounds = (
            Bound::Included(from.as_ref().to_vec()),
            Bound::Excluded(to.as_ref().to_vec()),
        );
        let rows = self.rows.range(bounds);
        let rows = rows.map(|(key, place)| Ok((key.clone(), self.value(key, *place)?)));
        Merged::new(self.ahead.range(from, to), rows)
    }

    /// Nothing changes what was read.
    fn hold(&self) -> impl Sized {}
}

impl Hole {
    fn new(offset: u64, length: usize) -> Self {
        Self {
            offset,
            bytes: length as u64,
        }
    }

    fn end(self) -> u64 {
        self.offset + self.bytes
    }
}

/// Holes in their order, none of which lies in another.
fn joined(mut holes: Vec<Hole>) -> Vec<Hole> {
    holes.sort_by_key(|hole| hole.offset);
    let mut joined: Vec<Hole> = Vec::new();
    for hole in holes {
        match joined
            .last_mut()
            .filter(|before| hole.offset < before.end())
        {
            Some(before) => before.bytes = before.end().max(hole.end()) - before.offset,
            None => joined.push(hole),
        }
    }
    joined
}

fn bytes(file: &File, at: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}

/// The body of a message; `None` if the disk no longer gives it.
fn body(file: &File, message: &Message) -> Option<Vec<u8>> {
    bytes(file, message.at, message.length).ok()
}

/// Where the heads of batches stand, in their order.
#[cfg(test)]
pub fn batch_heads(path: &Path) -> Vec<Hole> {
    let file = File::open(path).unwrap();
    let messages = segment::read(&file, &segment::places(&file).unwrap()).messages;
    let heads = messages.iter().filter(|it| it.what == What::Manifest);
    let places = heads.map(|it| {
        let length = usize::try_from(it.until - it.moment).unwrap();
        Hole::new(it.at + it.length as u64 - length as u64, length)
    });
    places.collect()
}

fn pages(messages: Vec<Message>) -> HashMap<u64, Page> {
    let mut pages: HashMap<u64, Page> = HashMap::new();
    for message in messages {
        match message.what {
            What::Node => {
                let page = Page {
                    base: Some(message),
                    links: Vec::new(),
                };
                pages.insert(page.base.as_ref().map_or(0, |base| base.page), page);
            }
            What::Link => pages.entry(message.page).or_default().links.push(message),
            What::Free => {
                pages.remove(&message.page);
            }
            What::Manifest | What::Filling | What::Other => {}
        }
    }
    pages
}
