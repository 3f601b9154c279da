//! Reading history and documents from the rows.

use crate::engine::ids::{EntryId, IncidentNumber, ReceiptId};
use crate::engine::incident::Incident;
use crate::engine::records::{Entry, Receipt};

use super::keys::{Key, Kind, last_number};
use super::record::{Document, Stored};
use super::rows::{self, Rows};
use super::{Cursor, DocumentKind, Error, Partition, Span};

/// One receipt: it can only be in the value with the highest first id that is not above its own.
pub fn receipt(
    rows: &impl Rows,
    partition: Partition,
    id: ReceiptId,
) -> Result<Option<Receipt>, Error> {
    let Some(after) = id.0.checked_add(1) else {
        return Ok(None);
    };
    let older = receipts(rows, partition, Some(Cursor(after)), 1)?;
    Ok(older.into_iter().find(|receipt| receipt.id == id))
}

/// Receipts, newest first.
pub fn receipts(
    rows: &impl Rows,
    partition: Partition,
    before: Option<Cursor>,
    limit: usize,
) -> Result<Vec<Receipt>, Error> {
    let all = Key::all(Kind::Receipts, partition);
    let end = before.map_or(all.end(), |Cursor(id)| {
        Key::receipts(partition, ReceiptId(id))
    });
    let mut found = Vec::new();
    for row in rows.range(&all, &end).rev() {
        if found.len() >= limit {
            break;
        }
        let (key, value) = row?;
        let group: Vec<Receipt> =
            rows::read_row(rows, key.as_ref(), value.as_ref())?.unwrap_or_default();
        let older = group.into_iter().rev();
        let older = older.filter(|it| before.is_none_or(|Cursor(id)| it.id.0 < id));
        found.extend(older.take(limit - found.len()));
    }
    Ok(found)
}

/// The story of an incident, oldest first.
pub fn entries(
    rows: &impl Rows,
    partition: Partition,
    incident: IncidentNumber,
    after: Option<EntryId>,
    limit: usize,
) -> Result<Vec<Entry>, Error> {
    let story = Key::story(partition, incident);
    let from = first_with_later(rows, partition, incident, after)?;
    let mut found = Vec::new();
    for row in rows.range(&from, &story.end()) {
        if found.len() >= limit {
            break;
        }
        let (key, value) = row?;
        let group: Vec<Entry> =
            rows::read_row(rows, key.as_ref(), value.as_ref())?.unwrap_or_default();
        let later = group.into_iter();
        let later = later.filter(|entry| after.is_none_or(|after| entry.id > after));
        found.extend(later.take(limit - found.len()));
    }
    Ok(found)
}

/// The first value that can hold an entry after `after`: the one in which `after` itself is.
fn first_with_later(
    rows: &impl Rows,
    partition: Partition,
    incident: IncidentNumber,
    after: Option<EntryId>,
) -> Result<Key, Error> {
    let story = Key::story(partition, incident);
    let Some(EntryId(after)) = after else {
        return Ok(story);
    };
    let next = Key::entries(partition, incident, EntryId(after.saturating_add(1)));
    match rows.range(&story, &next).next_back().transpose()? {
        Some((key, _)) => Ok(Key::read(key.as_ref())),
        None => Ok(story),
    }
}

/// Closed incidents, highest number first.
pub fn closed_incidents(
    rows: &impl Rows,
    partition: Partition,
    before: Option<Cursor>,
    limit: usize,
) -> Result<Vec<Incident>, Error> {
    let all = Key::all(Kind::ClosedIncident, partition);
    let end = before.map_or(all.end(), |Cursor(number)| {
        Key::closed_incident(partition, IncidentNumber(number))
    });
    newest(rows, &all, &end, limit)
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

/// One document.
pub fn document(
    rows: &impl Rows,
    kind: DocumentKind,
    name: &str,
) -> Result<Option<Vec<u8>>, Error> {
    let document: Option<Document> = rows::read(rows, &Key::document(kind, name))?;
    Ok(document.map(|document| document.bytes))
}

/// Documents of a kind, last name first.
pub fn documents(
    rows: &impl Rows,
    kind: DocumentKind,
    before: Option<&str>,
    limit: usize,
) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let all = Key::documents(kind);
    let end = before.map_or(all.end(), |name| Key::document(kind, name));
    let found: Vec<Document> = newest(rows, &all, &end, limit)?;
    Ok(found.into_iter().map(|it| (it.name, it.bytes)).collect())
}

fn newest<T: Stored>(
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
