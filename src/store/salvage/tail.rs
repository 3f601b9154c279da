//! Where a log ends: what was begun and not finished when the process ended did not happen, and is
//! no damage.
//!
//! The parts of a batch reach the file in any order, its head last of all. A batch is begun only
//! once the one before it is whole in the file. So behind the last batch that must be whole the
//! first gap is the end of the log, as sled takes it, and in front of that it is damage.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::body;
use super::message::{self, Head, Link, Message, Node, Value, What};
use super::segment::{self, Log, Place};
use crate::store::keys::Key;
use crate::store::record::{Progress, decode};

/// Drops what stands behind the end of the log.
pub fn cut(file: &File, log: &mut Log, settled: Option<u64>) {
    if let Some(whole_until) = whole_until(file, &log.messages, settled.unwrap_or(0)) {
        let first = log.messages.partition_point(|it| it.moment < whole_until);
        let mut end = End::at(whole_until);
        if let Some(last) = log.messages[..first]
            .last()
            .filter(|it| it.until == whole_until)
        {
            end = End::of(last);
        }
        let behind = log.messages[first..].iter();
        let followed = behind.take_while(|next| {
            let is_followed = end.is_followed_by(next.moment);
            if is_followed {
                end = End::of(next);
            }
            is_followed
        });
        let kept = first + followed.count();
        log.messages.truncate(kept);
        // Also where nothing follows: a process that was killed while it wrote leaves half of it.
        log.gaps.retain(|gap| gap.from < end.until);
    }
    cut_unfinished_batch(file, &mut log.messages);
}

/// Where a message ends in the order of all.
#[derive(Clone, Copy)]
struct End {
    until: u64,
    /// The end of its segment.
    segment: u64,
    /// Whether the next message stands in the next segment.
    is_full: bool,
}

impl End {
    fn of(message: &Message) -> Self {
        let end = Self::in_segment(message.moment, message.until);
        let is_filled = message.what == What::Filling;
        Self {
            is_full: end.is_full || is_filled,
            ..end
        }
    }

    /// The end of a message that is lost; whether its segment was filled after it is not known.
    fn at(until: u64) -> Self {
        Self {
            is_full: true,
            ..Self::in_segment(until.saturating_sub(1), until)
        }
    }

    fn in_segment(moment: u64, until: u64) -> Self {
        let segment = message::segment_of(moment) + message::SEGMENT_BYTES as u64;
        Self {
            until,
            segment,
            is_full: until + message::HEAD_BYTES_MAX as u64 > segment,
        }
    }

    /// Whether nothing can have stood between this and a message at a moment.
    fn is_followed_by(self, moment: u64) -> bool {
        let first_of_next = self.segment + message::SEGMENT_HEAD_BYTES as u64;
        moment == self.until || (self.is_full && moment == first_of_next)
    }
}

/// The moment up to which all must be whole: the end of the last batch that was durable, or after
/// which another one was begun. `None` if it is not there.
fn whole_until(file: &File, messages: &[Message], settled: u64) -> Option<u64> {
    let mut found = None;
    let (_, before) = newest_batches(file, messages);
    let wanted = before.unwrap_or(0).max(settled);
    for (index, message) in messages.iter().enumerate().rev() {
        let Some(batches) = batches(file, message) else {
            continue;
        };
        if batches < wanted {
            break;
        }
        found = Some(index);
    }
    let index = found?;
    // Rows of a batch are written in no particular order; its head names the last of them.
    let manifest = messages[..index]
        .iter()
        .rev()
        .find(|it| it.what == What::Manifest)?;
    let last = last_of_batch(file, manifest)?;
    (last >= messages[index].moment).then_some(last + 1)
}

/// The last batch that the database took over, if the message says so.
fn batches(file: &File, message: &Message) -> Option<u64> {
    let key = Key::progress();
    let is_short = message.length < PROGRESS_BYTES_MAX;
    let (value, bytes) = match message.what {
        What::Link if is_short => {
            let bytes = body(file, message)?;
            // The first node of all has the row, and its keys have nothing left out.
            match Link::read(&bytes)? {
                Link::Set(rest, value) if rest == key.as_ref() => (value, bytes),
                Link::Set(..) | Link::Remove(_) | Link::Other => return None,
            }
        }
        What::Node => {
            let bytes = body(file, message)?;
            let Node::Leaf(leaf) = Node::read(&bytes)? else {
                return None;
            };
            let (first, value) = leaf.rows.first()?;
            if first != key.as_ref() {
                return None;
            }
            (*value, bytes)
        }
        What::Link | What::Free | What::Manifest | What::Filling | What::Other => return None,
    };
    let Value { at, length } = value;
    let progress: Progress = decode(key.as_ref(), bytes.get(at..at + length)?).ok()?;
    Some(progress.batches)
}

/// A change to the row that says how many batches there were is shorter.
const PROGRESS_BYTES_MAX: usize = 512;

/// The last moment of a batch.
fn last_of_batch(file: &File, manifest: &Message) -> Option<u64> {
    let last = body(file, manifest)?;
    last.try_into().ok().map(u64::from_le_bytes)
}

/// A batch of which the end was never written did not happen.
fn cut_unfinished_batch(file: &File, messages: &mut Vec<Message>) {
    let Some(until) = messages.last().map(|message| message.until) else {
        return;
    };
    let manifests = messages.iter().enumerate().rev();
    for (index, manifest) in manifests.filter(|(_, message)| message.what == What::Manifest) {
        let Some(last) = last_of_batch(file, manifest) else {
            continue;
        };
        if last >= until {
            messages.truncate(index);
        }
        return;
    }
}

/// A damaged place at which sled ends the log, though what stands behind it was acknowledged.
/// To open the log there means to write zeros over all behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tear {
    /// The last batch in front of it.
    pub before: u64,
    /// The last batch that must be there.
    pub settled: u64,
}

/// Looks for such a place as sled would, in the last segments of the log in a folder.
pub fn tear(database: &Path, settled: u64) -> io::Result<Option<Tear>> {
    let file = File::open(database.join("db"))?;
    let mut heads: Vec<(u64, Place)> = Vec::new();
    let mut headless = Vec::new();
    let mut stable = snapshot(database)?;
    for place in segment::places(&file)? {
        match segment::head(&file, place) {
            Some(Head {
                moment,
                stable: known,
            }) => {
                stable = stable.max(known);
                heads.push((moment, place));
            }
            None => headless.push(place),
        }
    }
    heads.sort_by_key(|(moment, _)| *moment);
    let lowest = message::segment_of(stable);
    let first = heads.partition_point(|(moment, _)| *moment < lowest);
    let last: Vec<Place> = heads[first..].iter().map(|(_, place)| *place).collect();
    let mut whole = contiguous(&file, &heads[first..], lowest);
    cut_unfinished_batch(&file, &mut whole);
    let end = whole.last().map_or(lowest, |message| message.until);
    let ends = last.into_iter().chain(headless).collect::<Vec<_>>();
    let mut behind = segment::read(&file, &ends).messages;
    behind.retain(|message| message.moment >= end);
    let (Some(newest), second) = newest_batches(&file, &behind) else {
        return Ok(None);
    };
    let earlier = heads[..first].iter().rev();
    let before = newest_batches(&file, &whole).0.or_else(|| {
        let mut earlier = earlier.map(|(_, place)| segment::read(&file, &[*place]).messages);
        earlier.find_map(|messages| newest_batches(&file, &messages).0)
    });
    let before = before.unwrap_or(0);
    // One after which another was begun was durable.
    let settled = settled.max(second.unwrap_or(0));
    let is_lost = before < settled && before < newest;
    Ok(is_lost.then_some(Tear { before, settled }))
}

/// The moment up to which the newest snapshot says all; sled looks for the end behind it.
fn snapshot(database: &Path) -> io::Result<u64> {
    let mut newest = 0;
    for file in fs::read_dir(database)? {
        let name = file?.file_name();
        let moment = name.to_str().and_then(|name| name.strip_prefix("snap."));
        let moment = moment.and_then(|moment| u64::from_str_radix(moment, 16).ok());
        newest = newest.max(moment.unwrap_or(0));
    }
    Ok(newest)
}

/// The messages from a segment on that follow each other without a gap.
fn contiguous(file: &File, heads: &[(u64, Place)], lowest: u64) -> Vec<Message> {
    let mut whole: Vec<Message> = Vec::new();
    // As if a full segment stood before the first one.
    let mut end = End {
        until: lowest,
        segment: lowest,
        is_full: true,
    };
    for (moment, place) in heads {
        if !end.is_full || *moment != end.segment {
            break;
        }
        for message in segment::read(file, &[*place]).messages {
            if end.is_followed_by(message.moment) {
                end = End::of(&message);
                whole.push(message);
            }
        }
    }
    whole
}

/// The last batch of which messages tell, and the last one before it.
fn newest_batches(file: &File, messages: &[Message]) -> (Option<u64>, Option<u64>) {
    let mut told = messages.iter().rev().filter_map(|it| batches(file, it));
    let newest = told.next();
    let before = told.find(|batches| Some(*batches) < newest);
    (newest, before)
}
