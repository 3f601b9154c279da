//! The rows of a database that sled may not open, read from its log without sled.
//!
//! sled gives up on a log with damage in its middle, or leaves out what stood behind it. Here every
//! message whose checksum is right counts, wherever it lies; files are only read. The form is that
//! of sled 0.34 (decision 0034).

mod message;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use serde::Serialize;

use self::message::{Leaf, Link, Message, Node, Value, What};
use super::Error;
use super::keys::{Key, describe};
use super::rows::Rows;

/// Bytes of a segment; sled's default, which is never changed.
const SEGMENT_BYTES: usize = 512 * 1024;

/// What the log says, as far as it can be read.
pub struct Salvaged {
    file: File,
    rows: BTreeMap<Vec<u8>, Place>,
    /// Where messages must have been that cannot be read.
    pub holes: Vec<Hole>,
    /// Changes to rows of which it is lost to which rows.
    pub lost_changes: u64,
    applying: RwLock<()>,
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
    /// Reads the file of a database.
    pub fn read(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let (mut messages, holes) = read_messages(&file)?;
        messages.sort_by_key(|message| message.moment);
        messages.dedup_by_key(|message| message.moment);
        cut_unfinished_batch(&file, &mut messages)?;
        let mut salvaged = Self {
            file,
            rows: BTreeMap::new(),
            holes,
            lost_changes: 0,
            applying: RwLock::new(()),
        };
        let mut pages: Vec<Page> = pages(messages).into_values().collect();
        pages.sort_by_key(Page::moment);
        for page in pages {
            salvaged.add(&page)?;
        }
        salvaged.holes.sort_by_key(|hole| hole.offset);
        Ok(salvaged)
    }

    /// Adds what a page holds. Where pages speak of the same key the newest is right.
    fn add(&mut self, page: &Page) -> io::Result<()> {
        let Some(base) = &page.base else {
            // Of which rows the changes are only the node says.
            self.lost_changes += page.links.len() as u64;
            return Ok(());
        };
        let bytes = self.bytes(base.at, base.length)?;
        let leaf = match Node::read(&bytes) {
            Some(Node::Leaf(leaf)) => leaf,
            // It only leads to leaves.
            Some(Node::Index) => return Ok(()),
            None => {
                self.damage(base.at, base.length);
                return Ok(());
            }
        };
        self.forget_older(&leaf, base.moment);
        for (key, value) in &leaf.rows {
            self.set(key.clone(), *value, base);
        }
        for message in &page.links {
            let bytes = self.bytes(message.at, message.length)?;
            match Link::read(&bytes) {
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
        Ok(())
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

    fn bytes(&self, at: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, at)?;
        Ok(bytes)
    }

    fn value(&self, key: &[u8], place: Place) -> Result<Vec<u8>, Error> {
        self.bytes(place.at, place.length)
            .map_err(|error| Error::Read {
                what: describe(key),
                cause: error.to_string(),
            })
    }
}

impl Rows for Salvaged {
    type Bytes = Vec<u8>;

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
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
        rows.map(|(key, place)| Ok((key.clone(), self.value(key, *place)?)))
    }

    fn hold(&self) -> RwLockReadGuard<'_, ()> {
        self.applying.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hole {
    fn new(offset: u64, length: usize) -> Self {
        Self {
            offset,
            bytes: length as u64,
        }
    }
}

/// All messages, and where there must have been more.
fn read_messages(file: &File) -> io::Result<(Vec<Message>, Vec<Hole>)> {
    let length = file.metadata()?.len();
    let mut segments = Vec::new();
    let mut buffer = vec![0; SEGMENT_BYTES];
    for start in (0..length).step_by(SEGMENT_BYTES) {
        let present = usize::try_from(length - start).unwrap_or(SEGMENT_BYTES);
        let bytes = &mut buffer[..present.min(SEGMENT_BYTES)];
        file.read_exact_at(bytes, start)?;
        segments.push(Segment::read(bytes, start));
    }
    let newest = segments.iter().filter_map(|segment| segment.newest).max();
    let filled = segments.iter().rposition(|it| !it.messages.is_empty());
    let (mut messages, mut holes) = (Vec::new(), Vec::new());
    for (index, segment) in segments.into_iter().enumerate() {
        holes.extend(segment.holes);
        // What follows the newest message of all is no hole, nor is what was never written.
        let is_behind = segment.newest == newest || Some(index) > filled;
        holes.extend(segment.tail.filter(|_| !is_behind));
        messages.extend(segment.messages);
    }
    Ok((messages, holes))
}

/// What a segment holds.
#[derive(Default)]
struct Segment {
    messages: Vec<Message>,
    holes: Vec<Hole>,
    /// What follows its last message.
    tail: Option<Hole>,
    newest: Option<u64>,
}

impl Segment {
    fn read(bytes: &[u8], start: u64) -> Self {
        let mut segment = Self::default();
        let head = &bytes[..bytes.len().min(message::SEGMENT_HEAD_BYTES)];
        if !message::is_head(bytes) && head.iter().any(|byte| *byte != 0) {
            segment.holes.push(Hole::new(start, head.len()));
        }
        let mut at = message::SEGMENT_HEAD_BYTES;
        let mut skipped = 0;
        while at < bytes.len() {
            let Some(found) = message::read(bytes, at, start) else {
                skipped += 1;
                at += 1;
                continue;
            };
            let moment = Some(found.message.moment);
            // Older messages behind newer ones are what the segment held before, cut anywhere.
            if skipped > 0 && moment > segment.newest {
                let hole = Hole::new(start + (at - skipped) as u64, skipped);
                segment.holes.push(hole);
            }
            (at, skipped) = (found.end, 0);
            segment.newest = segment.newest.max(moment);
            segment.messages.push(found.message);
        }
        // A segment that was begun and never filled looks like this.
        let is_empty = segment.messages.is_empty() && is_zero(bytes);
        if skipped >= message::HEAD_BYTES_MAX && !is_empty {
            let offset = start + (bytes.len() - skipped) as u64;
            segment.tail = Some(Hole::new(offset, skipped));
        }
        segment
    }
}

/// Whether nothing follows the head of a segment.
fn is_zero(bytes: &[u8]) -> bool {
    let mut body = bytes.iter().skip(message::SEGMENT_HEAD_BYTES);
    body.all(|byte| *byte == 0)
}

/// A batch of which the end was never written did not happen.
fn cut_unfinished_batch(file: &File, messages: &mut Vec<Message>) -> io::Result<()> {
    let Some(last) = messages.last().map(|message| message.until) else {
        return Ok(());
    };
    let manifests = messages.iter().enumerate().rev();
    for (index, manifest) in manifests.filter(|(_, message)| message.what == What::Manifest) {
        let mut until = [0; 8];
        if manifest.length != until.len() {
            continue;
        }
        file.read_exact_at(&mut until, manifest.at)?;
        if u64::from_le_bytes(until) > last {
            messages.truncate(index);
        }
        return Ok(());
    }
    Ok(())
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
            What::Manifest | What::Other => {}
        }
    }
    pages
}
