//! What the layout needs of an ordered tree, and how a value that spans several rows is read.

use super::keys::{Key, describe};
use super::record::{self, Stored};
use super::{Error, keys};

/// Rows in the order of their keys.
pub trait Rows {
    /// Bytes of a key or a value.
    type Bytes: AsRef<[u8]>;

    fn get(&self, key: &[u8]) -> Result<Option<Self::Bytes>, Error>;

    /// Keys and values from `from` up to, not including, `to`.
    fn range<'a>(
        &'a self,
        from: &Key,
        to: &Key,
    ) -> impl DoubleEndedIterator<Item = Result<(Self::Bytes, Self::Bytes), Error>> + use<'a, Self>;

    /// No batch is applied while this lives: what is read is from between two batches.
    #[must_use]
    fn hold(&self) -> impl Sized;

    /// All rows whose keys begin so.
    fn all<'a>(
        &'a self,
        beginning: &Key,
    ) -> impl DoubleEndedIterator<Item = Result<(Self::Bytes, Self::Bytes), Error>> + use<'a, Self>
    {
        self.range(beginning, &beginning.end())
    }
}

/// Reads one value; `None` if there is no such row.
pub fn read<T: Stored>(rows: &impl Rows, key: &Key) -> Result<Option<T>, Error> {
    match rows.get(key.as_ref())? {
        Some(head) => read_row(rows, key.as_ref(), head.as_ref()),
        None => Ok(None),
    }
}

/// Reads the value of a row that was found; `None` if it has gone meanwhile.
pub fn read_row<T: Stored>(rows: &impl Rows, key: &[u8], head: &[u8]) -> Result<Option<T>, Error> {
    if record::further_parts(head) == 0 {
        return record::decode(key, head).map(Some);
    }
    let _hold = rows.hold();
    match rows.get(key)? {
        Some(head) => record::decode(key, &joined(rows, key, head.as_ref())?).map(Some),
        None => Ok(None),
    }
}

/// Bytes of a row and of the values that continue it: as many as it added to history. A part that
/// is missing counts for nothing, so that what is damaged can be purged as well.
pub fn bytes_of(rows: &impl Rows, key: &[u8], head: &[u8]) -> Result<u64, Error> {
    let mut bytes = key.len() + head.len();
    for part in 1..=record::further_parts(head) {
        let continuation = Key::read(key).continuation(part);
        let value = rows.get(continuation.as_ref())?;
        bytes += value.map_or(0, |value| value.as_ref().len());
    }
    Ok(bytes as u64)
}

fn joined(rows: &impl Rows, key: &[u8], head: &[u8]) -> Result<Vec<u8>, Error> {
    let mut whole = head.to_vec();
    for part in 1..=record::further_parts(head) {
        let continuation = Key::read(key).continuation(part);
        let Some(bytes) = rows.get(continuation.as_ref())? else {
            return Err(Error::Damaged {
                key: describe(key),
                cause: format!("part {part} of it is missing"),
            });
        };
        whole.extend_from_slice(bytes.as_ref());
    }
    Ok(whole)
}

/// How many parts continue each row that needs any, and that may change.
pub fn continued(rows: &impl Rows) -> Result<std::collections::BTreeMap<Vec<u8>, u32>, Error> {
    let mut continued = std::collections::BTreeMap::new();
    // Those that are never changed are the most by far.
    let (before, after) = Key::continuations_of_unchanged();
    let all = Key::continuations();
    let rest = rows
        .range(&all, &before)
        .chain(rows.range(&after, &all.end()));
    for row in rest {
        let (key, _) = row?;
        // Parts come in order, so the last one seen is their number.
        if let Some((row, part)) = keys::read_continuation(key.as_ref()) {
            continued.insert(row.to_vec(), part);
        }
    }
    Ok(continued)
}
