//! What can still be read of a data directory, and a new one made of it. The old one is only read.

mod missing;
mod target;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::engine::alert::Alert;
use crate::engine::incident::Incident;
use crate::engine::page::Page;
use crate::engine::records::{Change, Entry, Receipt, Record};

use self::missing::{Seen, lost_changes, lost_clocks, lost_commits, lost_marker};
use self::target::Target;
use super::directory::{Directory, sync_directory};
use super::keys::{Key, Kind, describe};
use super::record::{Document, Progress, Stored, StoredClocks};
use super::rows::{self, Rows};
use super::salvage::{Hole, Salvaged};
use super::{Clocks, DocumentKind, DocumentWrite, Error, Options, Partition, load, marker};

/// As many records that cannot be read are named.
const NAMED_MAX: usize = 20;
/// Files beside the database that belong to it.
const SECRETS: [&str; 2] = ["admin-token", "first-key"];

/// What of a data directory can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// The file that was read.
    pub database: PathBuf,
    /// How many there are of each kind.
    pub counts: BTreeMap<&'static str, u64>,
    /// The places of the file that cannot be read.
    pub damaged: Vec<Hole>,
    /// The first records that cannot be read, with the causes.
    pub unreadable: Vec<String>,
    pub unreadable_total: u64,
    /// What must have been there and is not, in words.
    pub missing: Vec<String>,
    /// Files beside the database that a saving could not take over, with the causes.
    pub left_behind: Vec<String>,
}

impl Survey {
    /// Whether nothing is damaged or missing, as far as one can tell.
    pub fn is_whole(&self) -> bool {
        self.damaged.is_empty() && self.unreadable_total == 0 && self.missing.is_empty()
    }

    fn cannot_read(&mut self, error: &Error) {
        self.unreadable_total += 1;
        if self.unreadable.len() < NAMED_MAX {
            self.unreadable.push(error.to_string());
        }
    }
}

/// Says what of a data directory can be read.
pub fn check(path: &Path) -> Result<Survey, Error> {
    let old = Old::open(path)?;
    old.survey(&mut |_| Ok(()))
}

/// Writes all that can be read into a new data directory, which must not exist yet.
pub fn save(path: &Path, new: &Path, options: Options) -> Result<Survey, Error> {
    // A slash at the end would make `.partial` a file within.
    let new: &Path = &new.components().collect::<PathBuf>();
    if new.symlink_metadata().is_ok() {
        return Err(open_error(new, &"it exists already; name a new one"));
    }
    let old = Old::open(path)?;
    if is_within(path, new).map_err(|error| open_error(new, &error))? {
        let within = format!("it is inside {}, which is only read", path.display());
        return Err(open_error(new, &within));
    }
    if old.rows.is_empty() {
        return Err(old.nothing());
    }
    let mut partial = new.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    if partial.symlink_metadata().is_ok() {
        let left = "it is left over from an earlier attempt; remove it";
        return Err(open_error(&partial, &left));
    }
    let saved = old.fill(&partial, options).and_then(|mut survey| {
        survey.left_behind =
            take_over(path, &partial, new).map_err(|error| open_error(new, &error))?;
        Ok(survey)
    });
    saved.map_err(|error| unsaved(error, new, &partial))
}

/// Removes what was begun and tells so, where it could be what fills the disk.
fn unsaved(error: Error, new: &Path, partial: &Path) -> Error {
    let cause = match error {
        Error::Commit { cause } => cause,
        Error::Open { directory, cause } if directory == new || directory == partial => cause,
        other @ (Error::Open { .. }
        | Error::Locked { .. }
        | Error::Fenced { .. }
        | Error::Read { .. }
        | Error::Damaged { .. }
        | Error::Newer { .. }) => {
            // They tell of the old directory, and nothing of the new one matters beside it.
            let _ = fs::remove_dir_all(partial);
            return other;
        }
    };
    let left = match fs::remove_dir_all(partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            format!(
                "{} is left over and could not be removed: {error}",
                partial.display()
            )
        }
        Ok(()) | Err(_) => "what had been written was removed".to_owned(),
    };
    open_error(new, &format!("{cause}; {left}"))
}

/// Whether a path that does not exist yet lies in a directory.
fn is_within(directory: &Path, new: &Path) -> io::Result<bool> {
    Ok(parent(new)
        .canonicalize()?
        .starts_with(directory.canonicalize()?))
}

fn parent(path: &Path) -> &Path {
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Copies what lies beside the database, and gives the new directory its name. Gives what could not
/// be read: a new one of these is made more easily than a database.
fn take_over(path: &Path, partial: &Path, new: &Path) -> io::Result<Vec<String>> {
    let mut left_behind = Vec::new();
    for name in SECRETS {
        let file = path.join(name);
        match fs::read(&file) {
            Ok(_) => {
                let copy = partial.join(name);
                fs::copy(&file, &copy)?;
                File::open(copy)?.sync_all()?;
            }
            // It was put away, as it should be.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => left_behind.push(format!("{}: {error}", file.display())),
        }
    }
    sync_directory(partial)?;
    fs::rename(partial, new)?;
    sync_directory(parent(new))?;
    Ok(left_behind)
}

/// Something that was read.
enum Piece {
    Change(Change),
    Document(DocumentWrite),
}

/// A data directory that nobody else uses.
struct Old {
    database: PathBuf,
    rows: Salvaged,
    acknowledged: Option<u64>,
    directory: Directory,
}

impl Old {
    fn open(path: &Path) -> Result<Self, Error> {
        let file = path.join("db").join("db");
        // Nothing is made where there is nothing.
        fs::metadata(&file).map_err(|error| {
            let cause = match error.kind() {
                io::ErrorKind::NotFound => "there is no database",
                _ => "run as the user of the service",
            };
            open_error(path, &format!("{cause}: {}: {error}", file.display()))
        })?;
        let directory = Directory::claim(path).map_err(|error| match error {
            Error::Open { directory, cause } => {
                let help = "run as the user of the service, or copy the directory first and name \
                            the copy";
                open_error(&directory, &format!("{cause}; {help}"))
            }
            other @ (Error::Locked { .. }
            | Error::Fenced { .. }
            | Error::Commit { .. }
            | Error::Read { .. }
            | Error::Damaged { .. }
            | Error::Newer { .. }) => other,
        })?;
        let acknowledged = marker::read_whole(&directory.marker());
        let rows = Salvaged::read(&file, acknowledged)
            .map_err(|error| open_error(path, &format!("{}: {error}", file.display())))?;
        Ok(Self {
            acknowledged,
            rows,
            database: file,
            directory,
        })
    }

    /// Fills a new directory.
    fn fill(&self, partial: &Path, options: Options) -> Result<Survey, Error> {
        let mut target = Target::open(partial, options, self.clocks())?;
        let survey = self.survey(&mut |piece| target.take(piece))?;
        if !survey.is_whole() && survey.counts.values().all(|count| *count == 0) {
            return Err(self.nothing());
        }
        target.finish(survey.is_whole())?;
        Ok(survey)
    }

    fn nothing(&self) -> Error {
        let cause = format!(
            "nothing of {} can be read; nothing was written",
            self.database.display()
        );
        self.directory.open_error(&cause)
    }

    fn clocks(&self) -> Option<Clocks> {
        let stored: Option<StoredClocks> =
            rows::read(&self.rows, &Key::clocks(Partition::default())).ok()?;
        stored.map(Into::into)
    }

    /// Reads everything, history first.
    fn survey(&self, take: &mut Take<'_>) -> Result<Survey, Error> {
        let survey = Survey {
            database: self.database.clone(),
            damaged: self.rows.holes.clone(),
            ..Survey::default()
        };
        let mut reading = Reading {
            rows: &self.rows,
            survey,
            seen: Seen::default(),
            take,
        };
        reading.history()?;
        reading.active()?;
        reading.documents()?;
        let progress = reading.progress()?;
        let Reading {
            mut survey, seen, ..
        } = reading;
        let missing = &mut survey.missing;
        missing.extend(lost_changes(self.rows.lost_changes));
        missing.extend(lost_marker(self.acknowledged, &self.directory.marker()));
        missing.extend(lost_commits(progress, self.acknowledged));
        missing.extend(seen.missing());
        missing.extend(lost_clocks(progress, self.clocks().is_some()));
        Ok(survey)
    }
}

type Take<'take> = dyn FnMut(Piece) -> Result<(), Error> + 'take;

/// One walk over all rows.
struct Reading<'rows, 'take> {
    rows: &'rows Salvaged,
    survey: Survey,
    seen: Seen,
    take: &'rows mut Take<'take>,
}

impl Reading<'_, '_> {
    fn history(&mut self) -> Result<(), Error> {
        self.each("closed incidents", Kind::ClosedIncident, |it: Incident| {
            vec![Change::Archive(Record::Incident(it.into()))]
        })?;
        self.each("pages in history", Kind::ClosedPage, |it: Page| {
            vec![Change::Archive(Record::Page(it.into()))]
        })?;
        self.each("alerts in history", Kind::ClosedAlert, |it: Alert| {
            vec![Change::Archive(Record::Alert(it.into()))]
        })?;
        self.each("receipts", Kind::Receipts, |group: Vec<Receipt>| {
            let receipts = group.into_iter();
            receipts.map(|it| Change::Receipt(it.into())).collect()
        })?;
        self.each("timeline entries", Kind::Entries, |group: Vec<Entry>| {
            let entries = group.into_iter();
            entries.map(|it| Change::Entry(it.into())).collect()
        })
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

    fn active(&mut self) -> Result<(), Error> {
        for kind in Kind::ACTIVE {
            for row in self.rows.all(&Key::all(kind, Partition::default())) {
                let read = row.and_then(|(key, value)| {
                    let record = load::record(self.rows, kind, &key, &value)?;
                    let change = record.map(Change::Put);
                    belongs(&key, change.as_ref())?;
                    Ok(change)
                });
                if let Some(change) = self.readable(read)?.flatten() {
                    self.change(name_of(&change), change)?;
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

    fn documents(&mut self) -> Result<(), Error> {
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

    fn progress(&mut self) -> Result<Option<Progress>, Error> {
        let read = rows::read(self.rows, &Key::progress());
        Ok(self.readable(read)?.flatten())
    }

    /// Counts what cannot be read. What a newer version wrote is no damage.
    fn readable<T>(&mut self, read: Result<T, Error>) -> Result<Option<T>, Error> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(error @ Error::Newer { .. }) => Err(error),
            Err(error) => {
                self.survey.cannot_read(&error);
                Ok(None)
            }
        }
    }
}

const DOCUMENTS: [(DocumentKind, &str); 6] = [
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
        Some(Change::Archive(record)) => match record {
            Record::Incident(it) => Key::closed_incident(home, it.number),
            Record::Page(it) => Key::closed_page(home, it.id),
            Record::Alert(it) => Key::closed_alert(home, it.id),
            _ => return Ok(()),
        },
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

fn name_of(change: &Change) -> &'static str {
    let Change::Put(record) = change else {
        return "others";
    };
    match record {
        Record::Alert(_) => "alerts",
        Record::Incident(_) => "incidents",
        Record::Page(_) => "pages",
        Record::Group(_) => "groups",
        Record::Person(_) => "people",
        Record::Channel(_) => "channels",
        Record::Sender(_) => "senders",
        Record::Silence(_) => "silences",
        Record::Override(_) => "overrides",
        Record::PolicySnapshot(_) => "pinned policies",
        Record::Counters(_) => "counters",
        Record::Jump(_) => "jumps of the clock",
        Record::Task(_) => "tasks",
    }
}

fn open_error(directory: &Path, cause: &impl ToString) -> Error {
    Error::Open {
        directory: directory.to_owned(),
        cause: cause.to_string(),
    }
}

#[cfg(test)]
mod tests;
