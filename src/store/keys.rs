//! Where things lie in the one ordered tree: `kind · partition · id`, every number big-endian, so
//! that the order of the keys is the order of the ids.
//!
//! Keys stay short whatever names people choose: sled writes a node of long keys to a file of its
//! own that it never syncs (see `docs/decisions/0021`).

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::engine::ids::{AlertId, EntryId, IncidentNumber, PageId};
use crate::engine::records::RecordKey;
use crate::engine::time::Timestamp;

pub use super::kind::Kind;
use super::{DocumentKind, Partition};

/// A key, or the beginning that several keys share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key(Vec<u8>);

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Names longer than this are cut and told apart by a hash.
const NAME_BYTES_MAX: usize = 160;

impl Key {
    /// All rows of a kind in a partition.
    pub fn all(kind: Kind, partition: Partition) -> Self {
        Self(vec![kind as u8]).bytes(&partition.0.to_be_bytes())
    }

    /// A key as it was read.
    pub fn read(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// Where all rows begin and end.
    pub fn everything() -> (Self, Self) {
        (Self(Vec::new()), Self(vec![u8::MAX]))
    }

    pub fn progress() -> Self {
        Self(vec![Kind::Progress as u8])
    }

    pub fn clocks(partition: Partition) -> Self {
        Self::all(Kind::Clocks, partition)
    }

    /// All documents of a kind.
    pub fn documents(kind: DocumentKind) -> Self {
        Self(vec![Kind::Document as u8, kind as u8])
    }

    pub fn document(kind: DocumentKind, name: &str) -> Self {
        Self::documents(kind).name(name)
    }

    /// An active record.
    pub fn record(partition: Partition, key: &RecordKey) -> Self {
        let of = |kind| Self::all(kind, partition);
        match key {
            RecordKey::Alert(id) => of(Kind::Alert).number(id.0),
            RecordKey::Incident(number) => of(Kind::Incident).number(number.0),
            RecordKey::Page(id) => of(Kind::Page).number(id.0),
            RecordKey::Group(text) => of(Kind::Group).name(text),
            RecordKey::Person(user) => of(Kind::Person).name(user.as_str()),
            RecordKey::Channel(name) => of(Kind::Channel).name(name.as_str()),
            RecordKey::Sender(address) => of(Kind::Sender).name(address),
            RecordKey::Silence(id) => of(Kind::Silence).number(id.0),
            RecordKey::Override(id) => of(Kind::Override).number(id.0),
            RecordKey::PolicySnapshot(pinned) => {
                let revision = of(Kind::PolicySnapshot).number(pinned.revision.0);
                revision.name(pinned.name.as_str())
            }
            RecordKey::Counters => of(Kind::Counters),
            RecordKey::Jump => of(Kind::Jump),
            RecordKey::Task(id) => of(Kind::Task).number(id.0),
            RecordKey::Provider(name) => of(Kind::Provider).name(name.as_str()),
            RecordKey::Dependent(number) => of(Kind::Dependent).number(number.0),
            RecordKey::StatusComponent(key) => of(Kind::StatusComponent).name(&key.to_string()),
            RecordKey::StatusPost(key) => {
                let number = of(Kind::StatusPost).number(key.number);
                number.name(key.page.as_str())
            }
            RecordKey::ServiceAlert(alert) => of(Kind::ServiceAlert).number(alert.0),
        }
    }

    /// Which checkpoint is the last whole one.
    pub fn checkpoint() -> Self {
        Self(vec![Kind::Checkpoint as u8])
    }

    /// What a commit changed of active records, of whichever partition.
    pub fn active_changes(commit: u64) -> Self {
        Self::all(Kind::ActiveChanges, Partition::default()).number(commit)
    }

    /// A part of a checkpoint of active records, of all partitions.
    pub fn slice(checkpoint: u64, number: u64) -> Self {
        let all = Self::all(Kind::Slice, Partition::default());
        all.number(checkpoint).number(number)
    }

    /// What a commit added to history.
    pub fn journal(partition: Partition, commit: u64) -> Self {
        Self::all(Kind::Journal, partition).number(commit)
    }

    /// The entries of which `first` has the lowest id.
    pub fn entries(partition: Partition, incident: IncidentNumber, first: EntryId) -> Self {
        Self::index(Kind::Entries, partition, incident).number(first.0)
    }

    pub fn closed_incident(partition: Partition, number: IncidentNumber) -> Self {
        Self::all(Kind::ClosedIncident, partition).number(number.0)
    }

    pub fn closed_page(partition: Partition, id: PageId) -> Self {
        Self::all(Kind::ClosedPage, partition).number(id.0)
    }

    pub fn closed_alert(partition: Partition, id: AlertId) -> Self {
        Self::all(Kind::ClosedAlert, partition).number(id.0)
    }

    /// All rows of a kind that belong to an incident.
    pub fn index(kind: Kind, partition: Partition, incident: IncidentNumber) -> Self {
        Self::all(kind, partition).number(incident.0)
    }

    /// The incident to which a row of a kind belongs, and that has a number of its own behind it.
    pub fn incident(&self) -> Option<IncidentNumber> {
        let (rest, _) = self.0.split_last_chunk::<8>()?;
        last_number(rest).map(IncidentNumber)
    }

    /// History of one kind by the time after which it is no longer kept.
    pub fn by_age(partition: Partition, at: Timestamp, what: u8, id: u64) -> Self {
        // The sign is turned so that moments before 1970 come first.
        let ordered = at.0.cast_unsigned() ^ (1 << 63);
        let moment = Self::all(Kind::ByAge, partition).number(ordered);
        moment.bytes(&[what]).number(id)
    }

    /// All that did not fit into some row.
    pub fn continuations() -> Self {
        Self(vec![Kind::Continuation as u8])
    }

    /// Where the continuations of rows begin and end that are written once and never changed.
    pub fn continuations_of_unchanged() -> (Self, Self) {
        let of = |kind| Self::continuations().bytes(&[kind as u8]);
        (of(Kind::Journal), of(Kind::Slice).end())
    }

    /// Part `part`, from 1, of what did not fit into the row under this key.
    pub fn continuation(&self, part: u32) -> Self {
        let row = Self::continuations().bytes(&self.0);
        row.bytes(&part.to_be_bytes())
    }

    /// The next key that there can be.
    pub fn after(&self) -> Self {
        self.clone().bytes(&[0])
    }

    /// Adds a number at the end.
    pub fn number(self, number: u64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    /// The least key that is greater than every key that begins with this one.
    pub fn end(&self) -> Self {
        let mut end = self.0.clone();
        while let Some(last) = end.pop() {
            if let Some(next) = last.checked_add(1) {
                end.push(next);
                break;
            }
        }
        Self(end)
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn name(self, name: &str) -> Self {
        if name.len() <= NAME_BYTES_MAX {
            return self.bytes(name.as_bytes());
        }
        let cut = &name.as_bytes()[..NAME_BYTES_MAX];
        self.bytes(cut).bytes(&hash(name).to_be_bytes())
    }
}

/// FNV-1a of 128 bits. It tells long names apart that begin alike; its form must never change.
fn hash(name: &str) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    name.bytes().fold(BASIS, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(PRIME)
    })
}

/// The number with which a key ends.
pub fn last_number(key: &[u8]) -> Option<u64> {
    key.last_chunk().copied().map(u64::from_be_bytes)
}

/// The parts of a key made by [`Key::by_age`]: when, what, which.
pub fn read_by_age(key: &[u8]) -> Option<(Timestamp, u8, u64)> {
    let (rest, id) = key.split_last_chunk()?;
    let (what, moment) = rest.split_last()?;
    let ordered = last_number(moment)?;
    let at = Timestamp((ordered ^ (1 << 63)).cast_signed());
    Some((at, *what, u64::from_be_bytes(*id)))
}

/// The key of the row that a continuation continues, and which part it is.
pub fn read_continuation(key: &[u8]) -> Option<(&[u8], u32)> {
    let (row, part) = key.get(1..)?.split_last_chunk()?;
    Some((row, u32::from_be_bytes(*part)))
}

/// A key as people can read it in a message: kind, partition, and the id as number or text.
pub fn describe(key: &[u8]) -> String {
    let Some((kind, rest)) = key.split_first() else {
        return "(empty)".to_owned();
    };
    let mut text = match Kind::from_byte(*kind) {
        Some(kind) => format!("{kind:?}"),
        None => format!("kind {kind}"),
    };
    let Some((partition, id)) = rest.split_first_chunk() else {
        return text;
    };
    let _ = write!(text, "/{}", u32::from_be_bytes(*partition));
    let is_text = !id.is_empty() && id.iter().all(u8::is_ascii_graphic);
    if is_text {
        let _ = write!(text, "/{}", String::from_utf8_lossy(id));
    } else if id.len().is_multiple_of(8) {
        for number in id.chunks_exact(8).filter_map(last_number) {
            let _ = write!(text, "/{number}");
        }
    } else {
        let _ = write!(text, "/{id:02x?}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: Partition = Partition(0);

    #[test]
    fn keys_sort_as_their_ids_do() {
        let ids = [0, 1, 255, 256, u64::MAX];
        let keys = ids.map(|id| Key::journal(HOME, id));
        assert!(keys.is_sorted());
        let moments = [i64::MIN, -1, 0, 1, i64::MAX];
        let keys = moments.map(|at| Key::by_age(HOME, Timestamp(at), 2, 7));
        assert!(keys.is_sorted());
    }

    #[test]
    fn every_kind_has_a_byte_of_its_own() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_byte(kind as u8), Some(kind));
        }
    }

    #[test]
    fn an_end_is_beyond_every_key_that_begins_alike_and_before_the_next() {
        let story = |partition, number| Key::index(Kind::Story, partition, IncidentNumber(number));
        let last = story(Partition(u32::MAX), u64::MAX);
        assert!(last.clone().number(u64::MAX) < last.end());
        assert_eq!(story(HOME, 7).end(), story(HOME, 8));
    }

    #[test]
    fn what_a_key_was_made_from_can_be_read_back() {
        let key = Key::by_age(HOME, Timestamp(-5), 3, 9);
        let read = read_by_age(key.as_ref());
        assert_eq!(read, Some((Timestamp(-5), 3, 9)));
        let row = Key::closed_page(HOME, PageId(3));
        let continuation = row.continuation(2);
        let read = read_continuation(continuation.as_ref());
        assert_eq!(read, Some((row.as_ref(), 2)));
    }

    #[test]
    fn long_names_make_short_keys_that_differ() {
        let long = "x".repeat(100_000);
        let first = Key::record(HOME, &RecordKey::Group(format!("{long}a").into()));
        let second = Key::record(HOME, &RecordKey::Group(format!("{long}b").into()));
        assert_ne!(first, second);
        assert!(first.as_ref().len() < 200);
    }

    #[test]
    fn a_key_reads_as_kind_partition_and_id() {
        let cases = [
            (Key::journal(HOME, 12), "Journal/0/12"),
            (
                Key::entries(Partition(3), IncidentNumber(1042), EntryId(8)),
                "Entries/3/1042/8",
            ),
            (
                Key::record(HOME, &RecordKey::Person("ana".into())),
                "Person/0/ana",
            ),
            (Key::record(HOME, &RecordKey::Counters), "Counters/0"),
        ];
        for (key, text) in cases {
            assert_eq!(describe(key.as_ref()), text);
        }
    }
}
