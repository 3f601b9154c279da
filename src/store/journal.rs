//! The journal: what each commit adds to history, in one value that is never changed.
//!
//! Receipts and entries of timelines stay where their commit put them. Receipts are found by their
//! ids, which grow with the commits; the entries of an incident by its story, which names commits
//! (`story.rs`).

use std::borrow::Borrow;

use serde::{Deserialize, Serialize};

use crate::engine::ids::ReceiptId;
use crate::engine::records::{Entry, Receipt};
use crate::engine::time::Timestamp;

use super::keys::{Key, Kind, describe, last_number};
use super::packed::{self, OnlyHead, Packed};
use super::record::{self, Stored};
use super::rows::{self, Rows};
use super::{Error, Partition};

/// What is known of a commit without its history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its number, as in its key.
    pub commit: u64,
    /// The moment of its newest receipt, if it has any: its age counts from there. One without goes
    /// with those before it, whatever the clock said when it was made.
    pub newest: Option<Timestamp>,
    /// How many receipts it has.
    pub receipts: u32,
    /// The id that follows those of all receipts so far.
    pub next_receipt: ReceiptId,
    /// The last commit before it that has receipts; 0 if there was none.
    pub receipts_before: u64,
}

/// The history of a commit, owned or borrowed.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct CommitHistory<R, E> {
    pub receipts: Vec<R>,
    pub entries: Vec<E>,
}

/// One entry of the journal.
#[derive(Debug, PartialEq)]
pub struct Commit {
    pub head: Head,
    pub history: CommitHistory<Receipt, Entry>,
}

impl Stored for Commit {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        let Packed { head, plain } = Stored::read(bytes)?;
        let history = CommitHistory::read(&plain)?;
        Ok(Self { head, history })
    }
}

/// Where the journal of a partition ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    next_receipt: ReceiptId,
    /// The last commit that has receipts; 0 if there is none.
    with_receipts: u64,
}

impl Tail {
    /// As it is in these rows.
    pub fn of(rows: &impl Rows, partition: Partition) -> Result<Self, Error> {
        let last = rows.all(&Key::all(Kind::Journal, partition)).next_back();
        let Some((key, value)) = last.transpose()? else {
            return Ok(Self::default());
        };
        let OnlyHead(head) = record::decode(key.as_ref(), value.as_ref())?;
        Ok(Self::after(&head))
    }

    fn after(head: &Head) -> Self {
        Self {
            next_receipt: head.next_receipt,
            with_receipts: head.last_with_receipts(),
        }
    }

    /// The value of the next commit; the tail is then behind it. It is written in this room before
    /// it is packed.
    pub fn append<R, E>(
        &mut self,
        commit: u64,
        history: &CommitHistory<R, E>,
        room: &mut Vec<u8>,
    ) -> Result<Vec<u8>, Error>
    where
        R: Borrow<Receipt> + Serialize,
        E: Serialize,
    {
        let receipts = history.receipts.iter().map(Borrow::borrow);
        let last = receipts.clone().map(|it| it.id.0 + 1).max();
        record::empty(room);
        *room = record::extend(std::mem::take(room), history)?;
        let head = Head {
            commit,
            newest: receipts.map(|it| it.at).max(),
            receipts: u32::try_from(history.receipts.len()).unwrap_or(u32::MAX),
            next_receipt: self.next_receipt.max(ReceiptId(last.unwrap_or_default())),
            receipts_before: self.with_receipts,
        };
        *self = Self::after(&head);
        packed::pack(&head, room)
    }
}

impl Head {
    /// This commit, or the last one before it, that has receipts.
    fn last_with_receipts(&self) -> u64 {
        if self.receipts > 0 {
            self.commit
        } else {
            self.receipts_before
        }
    }
}

/// One commit; `None` if it was purged.
pub fn read(rows: &impl Rows, partition: Partition, commit: u64) -> Result<Option<Commit>, Error> {
    let key = Key::journal(partition, commit);
    let read: Option<Commit> = rows::read(rows, &key)?;
    match read {
        Some(read) if read.head.commit != commit => Err(misplaced(&key, read.head.commit)),
        read => Ok(read),
    }
}

/// Whether it is older than all that the journal holds.
pub fn is_purged(rows: &impl Rows, partition: Partition, commit: u64) -> Result<bool, Error> {
    let first = rows.all(&Key::all(Kind::Journal, partition)).next();
    let first = first.transpose()?.map(|(key, _)| Key::read(key.as_ref()));
    Ok(first.is_none_or(|first| Key::journal(partition, commit) < first))
}

fn misplaced(key: &Key, commit: u64) -> Error {
    Error::Damaged {
        key: describe(key.as_ref()),
        cause: format!("the record there belongs to commit {commit}"),
    }
}

/// The head of the last commit up to this one.
fn head_up_to(rows: &impl Rows, partition: Partition, commit: u64) -> Result<Option<Head>, Error> {
    let (all, next) = (Key::all(Kind::Journal, partition), commit.saturating_add(1));
    let last = rows.range(&all, &Key::journal(partition, next)).next_back();
    last.transpose()?
        .map(|(key, value)| record::decode(key.as_ref(), value.as_ref()).map(|OnlyHead(head)| head))
        .transpose()
}

/// The last commit that has receipts below this id; 0 if there is none.
fn with_receipts_below(
    rows: &impl Rows,
    partition: Partition,
    id: ReceiptId,
) -> Result<u64, Error> {
    let mut commits = rows.all(&Key::all(Kind::Journal, partition));
    let number = |row: Option<Result<_, _>>| -> Result<Option<u64>, Error> {
        let (key, _): (_, _) = match row.transpose()? {
            Some(row) => row,
            None => return Ok(None),
        };
        Ok(last_number(AsRef::<[u8]>::as_ref(&key)))
    };
    let (first, last) = (number(commits.next())?, number(commits.next_back())?);
    let Some(first) = first else { return Ok(0) };
    let (mut low, mut high) = (first, last.unwrap_or(first));
    // The first commit after which the id was given, or the last one.
    while low < high {
        let middle = low + (high - low) / 2;
        match head_up_to(rows, partition, middle)? {
            Some(head) if head.next_receipt >= id => high = middle,
            Some(_) | None => low = middle + 1,
        }
    }
    let head = head_up_to(rows, partition, low)?;
    Ok(head.map_or(0, |head| head.last_with_receipts()))
}

/// Commits with receipts, newest first, from the last one that has any below this id.
pub fn receipts_back<'rows, R: Rows>(
    rows: &'rows R,
    partition: Partition,
    before: Option<ReceiptId>,
) -> Result<impl Iterator<Item = Result<Commit, Error>> + use<'rows, R>, Error> {
    let below = before.unwrap_or(ReceiptId(u64::MAX));
    let mut next = with_receipts_below(rows, partition, below)?;
    Ok(std::iter::from_fn(move || {
        let commit = std::mem::take(&mut next);
        if commit == 0 {
            return None;
        }
        // What is older than one that was purged was purged before.
        let read = read(rows, partition, commit).transpose()?;
        if let Ok(read) = &read {
            next = read.head.receipts_before;
        }
        Some(read)
    }))
}

/// A commit as it lies in the journal.
pub struct Row {
    pub head: Head,
    /// How many rows continue it.
    pub parts: u32,
    /// Of all its rows.
    pub bytes: u64,
}

/// All commits, oldest first.
pub fn all<'rows, R: Rows>(
    rows: &'rows R,
    partition: Partition,
) -> impl Iterator<Item = Result<Row, Error>> + use<'rows, R> {
    rows.all(&Key::all(Kind::Journal, partition)).map(|row| {
        let (key, value) = row?;
        let (key, value) = (key.as_ref(), value.as_ref());
        let OnlyHead(head) = record::decode(key, value)?;
        Ok(Row {
            head,
            parts: record::further_parts(value),
            bytes: rows::bytes_of(rows, key, value)?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::samples;

    fn value() -> Vec<u8> {
        let history = CommitHistory {
            receipts: vec![samples::receipt(6, samples::START)],
            entries: samples::entries(),
        };
        let mut tail = Tail {
            next_receipt: ReceiptId(4),
            with_receipts: 2,
        };
        tail.append(9, &history, &mut Vec::new()).unwrap()
    }

    #[test]
    fn the_form_of_a_commit_is_as_pinned() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/store/v3/journal.hex"
        );
        if std::env::var_os("REVEILLE_BLESS").is_some() {
            std::fs::write(path, hex::encode(value()) + "\n").unwrap();
        }
        let golden = hex::decode(std::fs::read_to_string(path).unwrap().trim()).unwrap();
        let commit: Commit = record::decode(b"", &golden).unwrap();
        assert_eq!(
            (
                commit.head.commit,
                commit.head.receipts,
                commit.head.receipts_before
            ),
            (9, 1, 2)
        );
        assert_eq!(commit.head.next_receipt, ReceiptId(7));
        assert_eq!(commit.head.newest, Some(samples::START));
        assert_eq!(
            commit.history.receipts,
            [samples::receipt(6, samples::START)]
        );
        assert_eq!(commit.history.entries, samples::entries());
    }

    #[test]
    fn the_next_receipt_and_the_last_one_are_known_whatever_a_commit_has() {
        let mut tail = Tail::default();
        let nothing: CommitHistory<Receipt, Entry> = CommitHistory {
            receipts: Vec::new(),
            entries: Vec::new(),
        };
        let some = |ids: &[u64]| CommitHistory::<Receipt, Entry> {
            receipts: ids
                .iter()
                .map(|id| samples::receipt(*id, samples::START))
                .collect(),
            entries: Vec::new(),
        };
        let mut head = |commit, history| {
            let value = tail.append(commit, &history, &mut Vec::new()).unwrap();
            let read: Commit = record::decode(b"", &value).unwrap();
            (read.head.next_receipt.0, read.head.receipts_before)
        };
        assert_eq!(head(1, nothing), (0, 0));
        assert_eq!(head(2, some(&[1, 2])), (3, 0));
        assert_eq!(head(3, some(&[])), (3, 2));
        assert_eq!(head(4, some(&[3])), (4, 2));
        assert_eq!(head(5, some(&[])), (4, 4));
    }
}
