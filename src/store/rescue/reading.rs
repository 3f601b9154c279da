//! One walk over all rows that can be read, history first. What cannot be read is counted, and what
//! belongs to another row is not taken.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::alert::Alert;
use crate::engine::ids::{EntryId, IncidentNumber};
use crate::engine::incident::Incident;
use crate::engine::page::Page;
use crate::engine::records::{Archived, Change, Entry, Record};
use crate::store::journal::Commit;
use crate::store::keys::{Key, Kind, describe, last_number};
use crate::store::record::{self, Document, Items, Stored};
use crate::store::rows::{self, Rows};
use crate::store::salvage::Salvaged;
use crate::store::{DocumentKind, DocumentWrite, Error, Partition, load, retention_index, story};

use super::active::Active;
use super::missing::Seen;
use super::survey::Survey;

/// As many timelines are named that lost something.
const NAMED_MAX: usize = 20;

const ENTRIES: &str = "timeline entries";
const RECEIPTS: &str = "receipts";

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
    /// The last entry of each timeline so far; they come in order.
    pub last_entries: BTreeMap<IncidentNumber, EntryId>,
    pub take: &'rows mut Take<'take>,
}

impl Reading<'_, '_> {
    pub fn history(&mut self, active: &Active) -> Result<(), Error> {
        self.each("closed incidents", Kind::ClosedIncident, |it: Incident| {
            vec![Change::Archive(Archived::Incident(it.into()))]
        })?;
        self.each("pages in history", Kind::ClosedPage, |it: Page| {
            vec![Change::Archive(Archived::Page(it.into()))]
        })?;
        self.each("alerts in history", Kind::ClosedAlert, |it: Alert| {
            vec![Change::Archive(Archived::Alert(it.into()))]
        })?;
        self.each(ENTRIES, Kind::Entries, |group: Items<Entry>| {
            let entries = group.0.into_iter();
            entries.map(|it| Change::Entry(it.into())).collect()
        })?;
        self.journal(active)
    }

    /// Receipts, and the entries of incidents that are kept.
    fn journal(&mut self, active: &Active) -> Result<(), Error> {
        let home = Partition::default();
        let mut named = BTreeSet::new();
        for row in self.rows.all(&Key::all(Kind::Story, home)) {
            let read = row.and_then(|row| story::incident_and_commits(self.rows, row));
            let (incident, commits) = self.readable(read)?.unwrap_or_default();
            named.extend(commits.into_iter().map(|commit| (commit, incident)));
        }
        let kept = self.incidents(active)?;
        self.survey.counts.insert(RECEIPTS, 0);
        for row in self.rows.all(&Key::all(Kind::Journal, home)) {
            let read = row.and_then(|(key, value)| {
                let commit: Option<Commit> = rows::read_row(self.rows, &key, &value)?;
                let number = commit.as_ref().map(|it| it.head.commit);
                belongs(&key, number.map(|it| Key::journal(home, it)))?;
                Ok(commit)
            });
            let Some(commit) = self.readable(read)?.flatten() else {
                continue;
            };
            for receipt in commit.history.receipts {
                self.change(RECEIPTS, Change::Receipt(receipt.into()))?;
            }
            for entry in commit.history.entries {
                // Where the story is lost, its incident tells that it is kept.
                let number = commit.head.commit;
                let is_kept =
                    named.remove(&(number, entry.incident)) || kept.contains(&entry.incident);
                // What was moved is met already.
                let last = self.last_entries.get(&entry.incident);
                if is_kept && last.is_none_or(|last| entry.id > *last) {
                    self.change(ENTRIES, Change::Entry(entry.into()))?;
                }
            }
        }
        let lost = named.iter().map(|(commit, incident)| {
            format!("timeline entries of #{incident} in commit {commit}")
        });
        self.survey.missing.extend(lost.take(NAMED_MAX));
        Ok(())
    }

    /// The incidents that are kept, read or not.
    fn incidents(&self, active: &Active) -> Result<BTreeSet<IncidentNumber>, Error> {
        let home = Partition::default();
        let mut found = BTreeSet::new();
        for row in self.rows.all(&Key::all(Kind::ClosedIncident, home)) {
            found.extend(last_number(&row?.0).map(IncidentNumber));
        }
        let open = active.of(Kind::Incident).map(|(key, _)| key);
        found.extend(open.filter_map(last_number).map(IncidentNumber));
        Ok(found)
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
                belongs(&key, changes.first().and_then(home_of))?;
                Ok(changes)
            });
            for change in self.readable(read)?.unwrap_or_default() {
                self.change(name, change)?;
            }
        }
        Ok(())
    }

    pub fn active(&mut self, active: Active) -> Result<(), Error> {
        for (kind, name) in load::ACTIVE {
            for (key, value) in active.of(kind) {
                let read = record::decode(key, value).and_then(|record: Record| {
                    let change = Change::Put(record);
                    belongs(key, home_of(&change))?;
                    Ok(change)
                });
                let Some(change) = self.readable(read)? else {
                    continue;
                };
                // No incident is opened again under its number: what closed it is what was lost.
                let is_closed = matches!(&change, Change::Put(Record::Incident(incident))
                    if self.seen.is_met(incident.number));
                if !is_closed {
                    self.change(name, change)?;
                }
            }
        }
        for error in &active.unreadable {
            self.survey.cannot_read(error);
        }
        self.survey.missing.extend(active.missing);
        Ok(())
    }

    fn change(&mut self, name: &'static str, change: Change) -> Result<(), Error> {
        if let Change::Entry(entry) = &change {
            self.last_entries.insert(entry.incident, entry.id);
        }
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

    /// Counts what cannot be read. What another version wrote is no damage.
    pub fn readable<T>(&mut self, read: Result<T, Error>) -> Result<Option<T>, Error> {
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

/// The key of the row in which a change is kept.
fn home_of(change: &Change) -> Option<Key> {
    let home = Partition::default();
    match change {
        Change::Put(record) => Some(Key::record(home, &record.key())),
        Change::Archive(record) => Some(retention_index::of(record).key(home)),
        Change::Entry(entry) => Some(Key::entries(home, entry.incident, entry.id)),
        Change::Receipt(_) | Change::Drop(_) => None,
    }
}

/// Where a node was lost, a change to it could be taken for one of another row.
fn belongs(key: &[u8], right: Option<Key>) -> Result<(), Error> {
    match right {
        Some(right) if right.as_ref() != key => Err(Error::Damaged {
            key: describe(key),
            cause: format!("the record there belongs to {}", describe(right.as_ref())),
        }),
        Some(_) | None => Ok(()),
    }
}
