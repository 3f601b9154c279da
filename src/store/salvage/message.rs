//! Messages of sled's log, byte by byte: what each is, and what nodes and their changes hold.

use std::ops::Bound;

use crc32fast::Hasher;

/// Bytes before the first message of a segment.
pub const SEGMENT_HEAD_BYTES: usize = 20;
/// A message's head is at most this long, so that in less no message fits.
pub const HEAD_BYTES_MAX: usize = 32;

/// Bytes of a segment, by which moments are counted; sled's default, which is never changed.
pub const SEGMENT_BYTES: usize = 512 * 1024;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A whole node.
    Node,
    /// A change to a node.
    Link,
    /// The node is gone.
    Free,
    /// The head of a batch.
    Manifest,
    /// The rest of the segment stays empty.
    Filling,
    /// Something that holds no rows.
    Other,
}

/// A message whose checksum is right.
#[derive(Clone, Debug)]
pub struct Message {
    pub what: What,
    pub page: u64,
    /// Its place in the order of all messages.
    pub moment: u64,
    /// The place behind it in this order.
    pub until: u64,
    /// Where its body lies in the file.
    pub at: u64,
    pub length: usize,
}

/// A message and where it ends in its segment.
pub struct Found {
    pub message: Message,
    pub end: usize,
}

/// Where a value lies in the body of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    pub at: usize,
    pub length: usize,
}

/// A node as it was written.
pub enum Node {
    Leaf(Leaf),
    Index,
}

/// A node that holds rows.
pub struct Leaf {
    from: Vec<u8>,
    /// Not included; empty where there is no end.
    to: Vec<u8>,
    /// So many bytes of `from` begin every key, and changes leave them out.
    shared: usize,
    pub rows: Vec<(Vec<u8>, Value)>,
}

impl Leaf {
    /// From which key on to which the node says all.
    pub fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        let end = match self.to[..] {
            [] => Bound::Unbounded,
            ref to => Bound::Excluded(to),
        };
        (Bound::Included(&self.from), end)
    }

    /// The whole key of a change; `None` if it belongs to a later form of the node, which is lost.
    pub fn key(&self, rest: &[u8]) -> Option<Vec<u8>> {
        let key = [self.from.get(..self.shared)?, rest].concat();
        let is_within = self.from <= key && (self.to.is_empty() || key < self.to);
        is_within.then_some(key)
    }
}

/// A change to a node. Keys are without the beginning that all keys of the node share.
pub enum Link {
    Set(Vec<u8>, Value),
    Remove(Vec<u8>),
    /// Nodes that merge; the one that is left is written as a whole.
    Other,
}

/// The head of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Where the segment stands in the order of all messages.
    pub moment: u64,
    /// Up to here all was written when the segment was begun.
    pub stable: u64,
}

impl Head {
    /// Reads the head of a segment; `None` if it does not begin as it should.
    pub fn read(segment: &[u8]) -> Option<Self> {
        let (checksum, rest) = segment.split_first_chunk()?;
        let rest = rest.get(..SEGMENT_HEAD_BYTES - checksum.len())?;
        if checksum_of(&[rest]) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let (moment, stable) = rest.split_first_chunk()?;
        // Numbers with a sign, of which all bits but this one are turned; before the first
        // message the second one is below 0.
        let number = |bytes: &[u8; 8]| i64::from_le_bytes(*bytes) ^ i64::MAX;
        Some(Self {
            moment: u64::try_from(number(moment)).ok()?,
            stable: u64::try_from(number(stable.first_chunk()?)).unwrap_or(0),
        })
    }
}

/// The moment at which the segment begins in which this one is.
pub fn segment_of(moment: u64) -> u64 {
    moment - moment % SEGMENT_BYTES as u64
}

/// The message that begins here in a segment, which begins at `start` of the file.
pub fn read(segment: &[u8], at: usize, start: u64) -> Option<Found> {
    let mut cursor = ByteReader {
        bytes: segment.get(at..)?,
        at: 0,
    };
    let checksum = u32::from_le_bytes(*cursor.take(4)?.first_chunk()?);
    let what = match cursor.byte()? {
        2 => What::Filling,
        3 => What::Manifest,
        4 => What::Free,
        8 => What::Node,
        10 => What::Link,
        // A cancelled one, a counter, the list of trees, and what lies in files of its own, of
        // which there are none.
        1 | 5 | 6 | 7 | 9 | 11 => What::Other,
        _ => return None,
    };
    let length = usize::try_from(cursor.number()?).ok()?;
    let segment_number = cursor.number()?;
    let page = cursor.number()?;
    let head = cursor.at;
    let body = cursor.take(length)?;
    if checksum_of(&[body, &cursor.bytes[4..head]]) != checksum {
        return None;
    }
    let moment = segment_number
        .checked_mul(SEGMENT_BYTES as u64)?
        .checked_add(at as u64)?;
    let message = Message {
        what,
        page,
        moment,
        until: moment.checked_add((head + length) as u64)?,
        at: start + (at + head) as u64,
        length,
    };
    let end = at + head + length;
    Some(Found { message, end })
}

/// The plain sum, CRC-32, ends with all bits turned, and sled turns them back.
fn checksum_of(parts: &[&[u8]]) -> u32 {
    let mut sum = Hasher::new();
    for part in parts {
        sum.update(part);
    }
    !sum.finalize()
}

impl Node {
    /// Reads the body of a message.
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut cursor = ByteReader { bytes: body, at: 0 };
        let (_next, _merging_child, _merging) =
            (cursor.number()?, cursor.number()?, cursor.byte()?);
        let shared = usize::from(cursor.byte()?);
        let from = cursor.text()?.to_vec();
        let to = cursor.text()?.to_vec();
        let is_leaf = cursor.byte()? == 0;
        if !is_leaf {
            return Some(Self::Index);
        }
        let count = usize::try_from(cursor.number()?).ok()?;
        let beginning = from.get(..shared)?.to_vec();
        let mut keys = Vec::new();
        for _ in 0..count {
            keys.push([&beginning, cursor.text()?].concat());
        }
        let mut rows = Vec::new();
        for key in keys {
            rows.push((key, cursor.value()?));
        }
        Some(Self::Leaf(Leaf {
            from,
            to,
            shared,
            rows,
        }))
    }
}

impl Link {
    /// Reads the body of a message.
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut cursor = ByteReader { bytes: body, at: 0 };
        match cursor.byte()? {
            0 => Some(Self::Set(cursor.text()?.to_vec(), cursor.value()?)),
            1 => Some(Self::Remove(cursor.text()?.to_vec())),
            2..=4 => Some(Self::Other),
            _ => None,
        }
    }
}

/// Reads one thing after the other.
struct ByteReader<'bytes> {
    bytes: &'bytes [u8],
    at: usize,
}

impl<'bytes> ByteReader<'bytes> {
    fn take(&mut self, length: usize) -> Option<&'bytes [u8]> {
        let end = self.at.checked_add(length)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// A number of one to nine bytes.
    fn number(&mut self) -> Option<u64> {
        Some(match self.byte()? {
            short @ 0..=240 => u64::from(short),
            high @ 241..=248 => 240 + 256 * (u64::from(high) - 241) + u64::from(self.byte()?),
            249 => 2288 + 256 * u64::from(self.byte()?) + u64::from(self.byte()?),
            long => {
                let mut whole = [0; 8];
                let given = self.take(usize::from(long) - 247)?;
                whole[..given.len()].copy_from_slice(given);
                u64::from_le_bytes(whole)
            }
        })
    }

    /// Bytes with their length before them.
    fn text(&mut self) -> Option<&'bytes [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }

    fn value(&mut self) -> Option<Value> {
        let length = self.text()?.len();
        Some(Value {
            at: self.at - length,
            length,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_that_of_the_standard() {
        assert_eq!(!checksum_of(&[b"1234", b"56789"]), 0xcbf4_3926);
    }

    #[test]
    fn numbers_of_every_length_are_read() {
        let cases: [(&[u8], u64); 5] = [
            (&[240], 240),
            (&[241, 0], 240),
            (&[248, 255], 2_287),
            (&[249, 1, 1], 2_288 + 257),
            (&[251, 1, 0, 0, 1], 0x0100_0001),
        ];
        for (bytes, number) in cases {
            assert_eq!(
                ByteReader { bytes, at: 0 }.number(),
                Some(number),
                "{bytes:?}"
            );
        }
        let cut = ByteReader {
            bytes: &[255, 1],
            at: 0,
        }
        .number();
        assert_eq!(cut, None);
    }
}
