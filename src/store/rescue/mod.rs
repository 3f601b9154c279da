//! What can still be read of a data directory, and a new one made of it. The old one is only read.

mod active;
mod missing;
mod reading;
mod survey;
mod target;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use self::active::Active;
use self::missing::{Seen, lost_changes, lost_clocks, lost_commits, lost_marker};
use self::reading::{Reading, Take};
pub use self::survey::Survey;
use self::target::Target;
use super::directory::Directory;
use super::keys::Key;
use super::new_directory::{NewDirectory, parent};
use super::record::Progress;
use super::rows;
use super::salvage::Salvaged;
use super::{Error, Options, marker, wal};

/// Files beside the database that belong to it.
const SECRETS: [&str; 2] = ["admin-token", "first-key"];

/// Says what of a data directory can be read.
pub fn check(path: &Path) -> Result<Survey, Error> {
    let old = Old::open(path)?;
    old.survey(old.active()?, &mut |_| Ok(()))
}

/// Writes all that can be read into a new data directory, which must not exist yet.
pub fn save(path: &Path, new: &Path, options: Options) -> Result<Survey, Error> {
    let directory = NewDirectory::absent(new)?;
    let new = directory.path();
    let old = Old::open(path)?;
    if is_within(path, new).map_err(|error| Error::open(new, &error))? {
        let within = format!("it is inside {}, which is only read", path.display());
        return Err(Error::open(new, &within));
    }
    if old.rows.is_empty() {
        return Err(old.nothing());
    }
    let partial = directory.begin()?;
    let saved = old.fill(partial, options).and_then(|mut survey| {
        survey.left_behind =
            take_over(path, partial, &directory).map_err(|error| Error::open(new, &error))?;
        Ok(survey)
    });
    saved.map_err(|error| directory.discard(error))
}

/// Whether a path that does not exist yet lies in a directory.
fn is_within(directory: &Path, new: &Path) -> io::Result<bool> {
    Ok(parent(new)
        .canonicalize()?
        .starts_with(directory.canonicalize()?))
}

/// Copies what lies beside the database, and gives the new directory its name. Gives what could not
/// be read: a new one of these is made more easily than a database.
fn take_over(path: &Path, partial: &Path, directory: &NewDirectory) -> io::Result<Vec<String>> {
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
    directory.finish()?;
    Ok(left_behind)
}

/// How far a store got, if that can be read, and what is active in it.
type Present = (Result<Option<Progress>, Error>, Active);

/// Adds what only the write-ahead log has. Says what must have been in it and is not.
fn add_log(rows: &mut Salvaged, directory: &Path) -> io::Result<Option<String>> {
    let progress: Result<Option<Progress>, Error> = rows::read(rows, &Key::progress());
    // Without that number all is taken that the log has: it is never older than the database.
    let batches = progress.ok().flatten().map(|progress| progress.batches);
    let found = wal::read_all(directory)?;
    let mut next = batches.unwrap_or(0) + 1;
    let mut missing = None;
    for frame in found {
        if batches.is_some_and(|batches| frame.number <= batches) {
            continue;
        }
        if frame.number != next && missing.is_none() {
            let last = frame.number - 1;
            missing = Some(format!("batches {next} to {last} of the write-ahead log"));
        }
        next = frame.number + 1;
        for (key, value) in frame.rows {
            rows.put(key, value);
        }
    }
    Ok(missing)
}

/// A data directory that nobody else uses.
struct Old {
    database: PathBuf,
    /// With what only the write-ahead log has.
    rows: Salvaged,
    /// What is not in that log.
    missing: Option<String>,
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
            Error::open(path, &format!("{cause}: {}: {error}", file.display()))
        })?;
        let directory = Directory::claim(path).map_err(|error| match error {
            Error::Open { directory, cause } => {
                let help = "run as the user of the service, or copy the directory first and name \
                            the copy";
                Error::open(&directory, &format!("{cause}; {help}"))
            }
            other @ (Error::Locked { .. }
            | Error::Fenced { .. }
            | Error::Commit { .. }
            | Error::Read { .. }
            | Error::Damaged { .. }
            | Error::Newer { .. }
            | Error::Older { .. }
            | Error::Backup { .. }
            | Error::BackupUnderWay
            | Error::BackupFile { .. }) => other,
        })?;
        let reached = marker::read_whole(&directory.marker());
        let mut rows = Salvaged::read(&file, reached.map(|it| it.settled))
            .map_err(|error| Error::open(path, &format!("{}: {error}", file.display())))?;
        let missing = add_log(&mut rows, path).map_err(|error| Error::open(path, &error))?;
        Ok(Self {
            acknowledged: reached.map(|it| it.commits),
            missing,
            rows,
            database: file,
            directory,
        })
    }

    /// Fills a new directory.
    fn fill(&self, partial: &Path, options: Options) -> Result<Survey, Error> {
        let active = self.active()?;
        let mut target = Target::open(partial, options, active.1.clocks())?;
        let survey = self.survey(active, &mut |piece| target.take(piece))?;
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

    /// How far it got, and what is active in it.
    fn active(&self) -> Result<Present, Error> {
        let progress: Result<Option<Progress>, Error> = rows::read(&self.rows, &Key::progress());
        match progress {
            Err(error @ (Error::Newer { .. } | Error::Older { .. })) => Err(error),
            progress => {
                let known = progress.as_ref().ok().copied().flatten();
                let checked = known.map_or(Ok(()), |known| known.check_layout());
                checked.map_err(|cause| self.directory.open_error(&cause))?;
                Ok((progress, Active::read(&self.rows, known)?))
            }
        }
    }

    /// Reads everything, history first.
    fn survey(&self, (progress, active): Present, take: &mut Take<'_>) -> Result<Survey, Error> {
        let survey = Survey {
            database: self.database.clone(),
            damaged: self.rows.holes.clone(),
            ..Survey::default()
        };
        let mut reading = Reading {
            rows: &self.rows,
            survey,
            seen: Seen::default(),
            last_entries: BTreeMap::new(),
            take,
        };
        let clocks = active.clocks();
        let progress = reading.readable(progress)?.flatten();
        reading.history(&active)?;
        reading.active(active)?;
        reading.documents()?;
        let Reading {
            mut survey, seen, ..
        } = reading;
        let missing = &mut survey.missing;
        missing.extend(self.missing.clone());
        missing.extend(lost_changes(self.rows.lost_changes));
        missing.extend(lost_marker(self.acknowledged, &self.directory.marker()));
        missing.extend(lost_commits(progress, self.acknowledged));
        missing.extend(seen.missing());
        missing.extend(lost_clocks(progress, clocks.is_some()));
        Ok(survey)
    }
}

#[cfg(test)]
mod tests;
