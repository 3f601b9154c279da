//! Finding rows of history.

use crate::engine::ids::EntryId;

use super::keys::{Key, last_number};
use super::record::Stored;
use super::rows::{self, Rows};
use super::{Error, Span};

/// Of rows that end in the id of their first entry, the first that can hold one after `after`: the
/// one in which `after` itself is.
pub fn first_with_later(rows: &impl Rows, all: &Key, after: Option<EntryId>) -> Result<Key, Error> {
    let Some(EntryId(after)) = after else {
        return Ok(all.clone());
    };
    let next = all.clone().number(after.saturating_add(1));
    match rows.range(all, &next).next_back().transpose()? {
        Some((key, _)) => Ok(Key::read(key.as_ref())),
        None => Ok(all.clone()),
    }
}

/// What an index names, by the ids at the end of its keys.
pub fn indexed<T: Stored>(
    rows: &impl Rows,
    index: &Key,
    span: Span,
    limit: usize,
    key_of: impl Fn(u64) -> Key,
) -> Result<Vec<T>, Error> {
    let mut found = Vec::new();
    let mut read = |id: u64| -> Result<(), Error> {
        found.extend(rows::read(rows, &key_of(id))?);
        Ok(())
    };
    match span {
        Span::After(id) => {
            let Some(first) = id.checked_add(1) else {
                return Ok(found);
            };
            let from = index.clone().number(first);
            ids(rows.range(&from, &index.end()), limit).try_for_each(|id| read(id?))?;
        }
        Span::Before(id) => {
            let to = index.clone().number(id);
            ids(rows.range(index, &to).rev(), limit).try_for_each(|id| read(id?))?;
        }
    }
    Ok(found)
}

/// The ids at the end of the keys.
fn ids<B: AsRef<[u8]>>(
    rows: impl Iterator<Item = Result<(B, B), Error>>,
    limit: usize,
) -> impl Iterator<Item = Result<u64, Error>> {
    let keys = rows.take(limit);
    keys.filter_map(|row| match row {
        Ok((key, _)) => last_number(key.as_ref()).map(Ok),
        Err(error) => Some(Err(error)),
    })
}

/// The last of these rows, last first.
pub fn newest<T: Stored>(
    rows: &impl Rows,
    from: &Key,
    to: &Key,
    limit: usize,
) -> Result<Vec<T>, Error> {
    let mut found = Vec::new();
    for row in rows.range(from, to).rev().take(limit) {
        let (key, value) = row?;
        found.extend(rows::read_row(rows, key.as_ref(), value.as_ref())?);
    }
    Ok(found)
}
