//! One walk over all rows that can be read, history first. What cannot be read is counted, and what
//! belongs to another row is not taken.

use crate::engine::alert::Alert;
use crate::engine::incident::Incident;
use crate::engine::page::Page;
use crate::engine::records::{Archived, Change, Entry, Receipt, Record};
use crate::store::keys::{Key, Kind, describe};
use crate::store::record::{Document, Items, Progress, Stored};
use crate::store::rows::{self, Rows};
use crate::store::salvage::Salvaged;
use crate::store::{DocumentKind, DocumentWrite, Error, Partition, load, retention_index};

use super::missing::Seen;
use super::survey::Survey;

/// Something that was read.
pub enum Piece {
    Change(Change),
    Document(DocumentWrite),
}

/// What becomes of each piece.
pub type Take<'take> = dyn FnMut(Piece) -> Result<(), Error> + 'take;

/// One walk over all rows.
pub struct Reading<'rows, 'take> {
    pub rows: &'rows Salvaged,
    pub survey: Survey,
    pub seen: Seen,
    pub take: &'rows mut Take<'take>,
}

impl Reading<'_, '_> {
    pub fn history(&mut self) -> Result<(), Error> {
        self.each("closed incidents", Kind::ClosedIncident, |it: Incident| {
            vec![Change::Archive(Archived::Incident(it.into()))]
        })?;
        self.each("pages in history", Kind::ClosedPage, |it: Page| {
            vec![Change::Archive(Archived::Page(it.into()))]
        })?;
        self.each("alerts in history", Kind::ClosedAlert, |it: Alert| {
            vec![Change::Archive(Archived::Alert(it.into()))]
        })?;
        self.each(
            "receipts",
            Kind::Receipts,
            |Items(group): Items<Receipt>| {
                let receipts = group.into_iter();
                receipts.map(|it| Change::Receipt(it.into())).collect()
            },
        )?;
        self.each(
            "timeline entries",
            Kind::Entries,
            |Items(group): Items<Entry>| {
                let entries = group.into_iter();
                entries.map(|it| Change::Entry(it.into())).collect()
            },
        )
    }

    fn each<T: Stored>(
        &mut self,
        name: &'static str,
        kind: Kind,
        changes: impl Fn(T) -> Vec<Change>,
    ) -> Result<(), Error> {
        self.survey.counts.insert(name, 0);
        for row in self.rows.all(&Key::all(kind, Partition::default())) {
            let read = row.and_then(|(key, value)| {
                let value = rows::read_row(self.rows, &key, &value)?;
                let changes = value.map(&changes).unwrap_or_default();
                belongs(&key, changes.first())?;
                Ok(changes)
            });
            for change in self.readable(read)?.unwrap_or_default() {
                self.change(name, change)?;
            }
        }
        Ok(())
    }

    pub fn active(&mut self) -> Result<(), Error> {
        for (kind, name) in load::ACTIVE {
            for row in self.rows.all(&Key::all(kind, Partition::default())) {
                let read = row.and_then(|(key, value)| {
                    let record: Option<Record> = rows::read_row(self.rows, &key, &value)?;
                    let change = record.map(Change::Put);
                    belongs(&key, change.as_ref())?;
                    Ok(change)
                });
                if let Some(change) = self.readable(read)?.flatten() {
                    self.change(name, change)?;
                }
            }
        }
        Ok(())
    }

    fn change(&mut self, name: &'static str, change: Change) -> Result<(), Error> {
        *self.survey.counts.entry(name).or_default() += 1;
        self.seen.note(&change);
        (self.take)(Piece::Change(change))
    }

    pub fn documents(&mut self) -> Result<(), Error> {
        for (kind, name) in DOCUMENTS {
            self.survey.counts.insert(name, 0);
            for row in self.rows.all(&Key::documents(kind)) {
                let read = row.and_then(|(key, value)| rows::read_row(self.rows, &key, &value));
                let Some(Document { name: of, bytes }) = self.readable(read)?.flatten() else {
                    continue;
                };
                *self.survey.counts.entry(name).or_default() += 1;
                self.seen.note_document(kind, &of);
                (self.take)(Piece::Document(DocumentWrite {
                    kind,
                    name: of,
                    bytes: Some(bytes),
                }))?;
            }
        }
        Ok(())
    }

    pub fn progress(&mut self) -> Result<Option<Progress>, Error> {
        let read = rows::read(self.rows, &Key::progress());
        Ok(self.readable(read)?.flatten())
    }

    /// Counts what cannot be read. What another version wrote is no damage.
    fn readable<T>(&mut self, read: Result<T, Error>) -> Result<Option<T>, Error> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(error @ (Error::Newer { .. } | Error::Older { .. })) => Err(error),
            Err(error) => {
                self.survey.cannot_read(&error);
                Ok(None)
            }
        }
    }
}

/// The kinds of documents, and how their counts are named.
pub const DOCUMENTS: [(DocumentKind, &str); 6] = [
    (DocumentKind::Rules, "revisions of rules"),
    (DocumentKind::Token, "tokens"),
    (DocumentKind::Key, "keys"),
    (DocumentKind::Secret, "secrets"),
    (DocumentKind::Audit, "audited actions"),
    (DocumentKind::KeyFingerprint, "fingerprints of keys"),
];

/// Where a node was lost, a change to it could be taken for one of another row.
fn belongs(key: &[u8], change: Option<&Change>) -> Result<(), Error> {
    let home = Partition::default();
    let right = match change {
        Some(Change::Put(record)) => Key::record(home, &record.key()),
        Some(Change::Archive(record)) => retention_index::of(record).key(home),
        Some(Change::Receipt(receipt)) => Key::receipts(home, receipt.id),
        Some(Change::Entry(entry)) => Key::entries(home, entry.incident, entry.id),
        Some(Change::Drop(_)) | None => return Ok(()),
    };
    if right.as_ref() == key {
        return Ok(());
    }
    Err(Error::Damaged {
        key: describe(key),
        cause: format!("the record there belongs to {}", describe(right.as_ref())),
    })
}
