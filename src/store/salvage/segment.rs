//! The segments of sled's log: the messages that can be read of each, and the places where there
//! must have been more.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::Hole;
use super::message::{self, Head, Message, SEGMENT_BYTES};

/// Where a disk does not give a segment, it is asked for its parts.
const PIECE_BYTES: usize = 4 * 1024;

/// All of a log that was read.
#[derive(Default)]
pub struct Log {
    pub messages: Vec<Message>,
    pub gaps: Vec<Gap>,
}

/// A place of the file that holds something unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    pub hole: Hole,
    /// The moment from which on it stands; 0 where that is lost too.
    pub from: u64,
}

/// A segment and where it lies.
#[derive(Clone, Copy)]
pub struct Place {
    pub start: u64,
    pub bytes: usize,
}

/// Where the segments of a file lie.
pub fn places(file: &File) -> io::Result<Vec<Place>> {
    let length = file.metadata()?.len();
    let starts = (0..length).step_by(SEGMENT_BYTES);
    let places = starts.map(|start| {
        let present = usize::try_from(length - start).unwrap_or(SEGMENT_BYTES);
        let bytes = present.min(SEGMENT_BYTES);
        Place { start, bytes }
    });
    Ok(places.collect())
}

/// The head of a segment; `None` if it is not right or cannot be read.
pub fn head(file: &File, place: Place) -> Option<Head> {
    let mut bytes = [0; message::SEGMENT_HEAD_BYTES];
    file.read_exact_at(&mut bytes, place.start).ok()?;
    Head::read(&bytes)
}

/// All messages of these segments, and where there must have been more.
pub fn read(file: &File, places: &[Place]) -> Log {
    let mut buffer = vec![0; SEGMENT_BYTES];
    let mut log = Log::default();
    let mut segments = Vec::new();
    for place in places {
        let bytes = &mut buffer[..place.bytes];
        // What the disk does not give is told, whatever stood there.
        let unread = read_in_pieces(
            |bytes, at| file.read_exact_at(bytes, at),
            bytes,
            place.start,
        );
        log.gaps
            .extend(unread.into_iter().map(|hole| Gap { hole, from: 0 }));
        segments.push(Segment::read(bytes, place.start));
    }
    let newest = segments.iter().filter_map(|segment| segment.newest).max();
    for segment in segments {
        log.gaps.extend(segment.gaps);
        // What follows the newest message of all is what the segment held before.
        let is_last = segment.newest.is_some() && segment.newest == newest;
        // A segment that was begun when the process ended holds no whole message.
        let is_begun = segment.newest.is_none() && segment.begins > newest;
        let is_known = is_last || is_begun;
        log.gaps.extend(segment.tail.filter(|_| !is_known));
        log.messages.extend(segment.messages);
    }
    log.messages.sort_by_key(|message| message.moment);
    log.messages.dedup_by_key(|message| message.moment);
    log
}

/// Fills a buffer, with zeros where the disk gives nothing; says where that is.
fn read_in_pieces(
    read: impl Fn(&mut [u8], u64) -> io::Result<()>,
    bytes: &mut [u8],
    start: u64,
) -> Vec<Hole> {
    let mut holes: Vec<Hole> = Vec::new();
    if read(bytes, start).is_ok() {
        return holes;
    }
    let mut at = start;
    for piece in bytes.chunks_mut(PIECE_BYTES) {
        if read(piece, at).is_err() {
            piece.fill(0);
            match holes.last_mut().filter(|hole| hole.end() == at) {
                Some(before) => before.bytes += piece.len() as u64,
                None => holes.push(Hole::new(at, piece.len())),
            }
        }
        at += piece.len() as u64;
    }
    holes
}

/// What a segment holds.
#[derive(Default)]
struct Segment {
    messages: Vec<Message>,
    gaps: Vec<Gap>,
    /// What follows its last message.
    tail: Option<Gap>,
    newest: Option<u64>,
    /// The moment of its head.
    begins: Option<u64>,
}

impl Segment {
    fn read(bytes: &[u8], start: u64) -> Self {
        let mut segment = Self {
            begins: Head::read(bytes).map(|head| head.moment),
            ..Self::default()
        };
        let mut at = message::SEGMENT_HEAD_BYTES;
        let mut skipped = 0;
        let mut until = 0;
        while at < bytes.len() {
            let Some(found) = message::read(bytes, at, start) else {
                skipped += 1;
                at += 1;
                continue;
            };
            let moment = found.message.moment;
            // Older messages behind newer ones are what the segment held before, cut anywhere.
            if skipped > 0 && Some(moment) > segment.newest {
                segment.gaps.push(Gap {
                    hole: Hole::new(start + (at - skipped) as u64, skipped),
                    from: moment - skipped as u64,
                });
            }
            if Some(moment) > segment.newest {
                (segment.newest, until) = (Some(moment), found.message.until);
            }
            (at, skipped) = (found.end, 0);
            segment.messages.push(found.message);
        }
        segment.note_head(bytes, start);
        // What was never written is zero.
        let is_empty = segment.messages.is_empty() && is_zero(bytes);
        if skipped >= message::HEAD_BYTES_MAX && !is_empty {
            let offset = start + (bytes.len() - skipped) as u64;
            segment.tail = Some(Gap {
                hole: Hole::new(offset, skipped),
                from: until,
            });
        }
        segment
    }

    /// A head that is not right is a hole, but for that of a segment that was never begun.
    fn note_head(&mut self, bytes: &[u8], start: u64) {
        let head = &bytes[..bytes.len().min(message::SEGMENT_HEAD_BYTES)];
        let is_blank = head.iter().all(|byte| *byte == 0) && self.messages.is_empty();
        if self.begins.is_some() || is_blank {
            return;
        }
        let first = self.messages.first().map_or(0, |first| first.moment);
        self.gaps.push(Gap {
            hole: Hole::new(start, head.len()),
            from: message::segment_of(first),
        });
    }
}

/// Whether nothing follows the head of a segment.
fn is_zero(bytes: &[u8]) -> bool {
    let mut body = bytes.iter().skip(message::SEGMENT_HEAD_BYTES);
    body.all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_part_that_the_disk_does_not_give_the_rest_is_read() {
        let file: Vec<u8> = (0..100_000_u32).map(|at| at.to_le_bytes()[0] | 1).collect();
        let start = 8_192;
        // One sector that cannot be read, and a stretch of two.
        let bad = [16_384..16_896, 40_000..45_000];
        let read = |bytes: &mut [u8], at: u64| {
            let at = usize::try_from(at).unwrap();
            let asked = at..at + bytes.len();
            let is_bad =
                |bad: &std::ops::Range<usize>| bad.start < asked.end && asked.start < bad.end;
            if bad.iter().any(is_bad) {
                return Err(io::Error::other("input/output error"));
            }
            bytes.copy_from_slice(&file[asked]);
            Ok(())
        };
        let mut bytes = vec![9; 60_000];
        let holes = read_in_pieces(read, &mut bytes, start);
        assert_eq!(holes, [Hole::new(16_384, 4_096), Hole::new(36_864, 8_192)]);
        for (index, byte) in bytes.iter().enumerate() {
            let at = start + index as u64;
            let is_lost = holes.iter().any(|it| it.offset <= at && at < it.end());
            let expected = if is_lost { 0 } else { file[index + 8_192] };
            assert_eq!(*byte, expected, "{at}");
        }
        let mut whole = vec![0; 8_192];
        assert_eq!(read_in_pieces(read, &mut whole, 0), []);
        assert_eq!(whole, file[..8_192]);
    }
}
