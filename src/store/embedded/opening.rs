//! How the database is opened: once as it is, and, if it is damaged, once more after a repair that
//! loses nothing that was acknowledged.

use std::path::Path;

use crate::store::directory::Directory;
use crate::store::keys::Key;
use crate::store::marker::Reached;
use crate::store::record::{self, Progress};
use crate::store::wal::{self, LoggedBatch};
use crate::store::{Error, Failure, Tree, repair, rows, salvage};

/// How far the database is, and what it has not got.
#[derive(Default)]
pub struct Behind {
    /// The last batch that is in it.
    pub settled: u64,
    /// Those that only the log has.
    pub batches: Vec<LoggedBatch>,
}

/// Opens the database and puts in front of it what only the write-ahead log has; then all can be
/// read that was acknowledged. Says whether a repair was needed.
pub fn open_whole(
    directory: &Directory,
    cache_bytes: u64,
    reached: Option<Reached>,
) -> Result<(Tree, Behind, bool), Error> {
    let settled = reached.map(|reached| reached.settled);
    let (tree, is_repaired) = open_guarded(directory, cache_bytes, settled)?;
    let progress: Option<Progress> = rows::read(&tree, &Key::progress())?;
    let Some(progress) = progress else {
        // A new database: what is in the log was of another one.
        return Ok((tree, Behind::default(), is_repaired));
    };
    let batches = unsettled(directory, progress, reached.unwrap_or_default().commits)?;
    tree.add(batches.iter().flat_map(|batch| batch.rows.iter().cloned()));
    let settled = progress.batches;
    Ok((tree, Behind { settled, batches }, is_repaired))
}

/// What only the write-ahead log has. With it all is there that was acknowledged.
fn unsettled(
    directory: &Directory,
    progress: Progress,
    acknowledged: u64,
) -> Result<Vec<LoggedBatch>, Error> {
    let refused = |cause: &str| directory.open_error(&with_hint(directory, cause));
    let found = wal::read(directory.path(), progress.batches)
        .map_err(|error| directory.open_error(&error))?;
    if let Some(behind) = found.behind_gap {
        let last = progress.batches + found.frames.len() as u64;
        return Err(refused(&format!(
            "the write-ahead log (wal.0, wal.1) is damaged: batch {behind} is in it, and what \
             follows batch {last} is not"
        )));
    }
    let key = Key::progress();
    let mut rows = found.frames.iter().flat_map(|frame| &frame.rows);
    let last = rows.rfind(|(row, _)| *row == key);
    let last = match last {
        Some((_, Some(value))) => record::decode(key.as_ref(), value)?,
        Some((_, None)) | None => progress,
    };
    if last.commits < acknowledged {
        return Err(refused(&format!(
            "{acknowledged} commits were acknowledged and only {} are in the database and the \
             write-ahead log (wal.0, wal.1)",
            last.commits
        )));
    }
    Ok(found.frames)
}

/// Opens the database; if it is damaged, puts a copy aside and tries once more without snapshots.
/// Says whether that was needed.
fn open_guarded(
    directory: &Directory,
    cache_bytes: u64,
    settled: Option<u64>,
) -> Result<(Tree, bool), Error> {
    let database = directory.database();
    repair::set_aside_unfinished_snapshots(&database)
        .map_err(|error| directory.open_error(&error))?;
    if settled.is_some() && !database.join("db").exists() {
        return Err(directory.open_error(&with_hint(directory, "the database is missing")));
    }
    refuse_to_cut(directory, settled)?;
    let cause = match attempt(&database, cache_bytes, settled) {
        Ok(tree) => return Ok((tree, false)),
        Err(Failure::Other(cause)) => return Err(directory.open_error(&cause)),
        Err(Failure::Damaged(cause)) => cause,
    };
    repair::prepare_second_attempt(directory).map_err(|error| {
        let cause = format!("{cause}; no repair was tried: {error}");
        directory.open_error(&with_hint(directory, &cause))
    })?;
    match attempt(&database, cache_bytes, settled) {
        Ok(tree) => Ok((tree, true)),
        Err(failure) => {
            let copy = directory.damaged_copy();
            let again = failure.cause();
            let cause = format!(
                "{cause}; after a repair: {again}; {} is a copy from before the repair",
                copy.display()
            );
            Err(directory.open_error(&with_hint(directory, &cause)))
        }
    }
}

/// Where a damaged place stands in front of acknowledged commits, sled takes it for the end of its
/// log and writes zeros over all behind it, which `store save` could still have read.
fn refuse_to_cut(directory: &Directory, settled: Option<u64>) -> Result<(), Error> {
    let database = directory.database();
    // Without a marker somebody wants to go on with what there is, or there is nothing yet.
    let Some(settled) = settled.filter(|_| database.join("db").exists()) else {
        return Ok(());
    };
    // What cannot be read at all the opening tells better.
    let Ok(Some(tear)) = salvage::tear(&database, settled) else {
        return Ok(());
    };
    let cause = format!(
        "{} is damaged at one place: it had batch {}, batch {} is the last before that place, and a \
         start would remove the intact ones after it; nothing was changed",
        database.join("db").display(),
        tear.settled,
        tear.before
    );
    Err(directory.open_error(&with_hint(directory, &cause)))
}

fn with_hint(directory: &Directory, cause: &str) -> String {
    let path = directory.path().display();
    format!(
        "{cause}; restore a backup of the whole data directory, or save what can be read: \
         `reveille store check {path}` shows what that is, and `reveille store save {path} NEW` \
         writes it into a new one; if there is nothing to save, remove {} to start over",
        directory.marker().display()
    )
}

fn attempt(database: &Path, cache_bytes: u64, settled: Option<u64>) -> Result<Tree, Failure> {
    let tree = Tree::open(database, cache_bytes)?;
    check_progress(&tree, settled)?;
    Ok(tree)
}

/// A database that lost what it took over looks healthy from inside.
fn check_progress(tree: &Tree, settled: Option<u64>) -> Result<(), Failure> {
    let progress: Option<Progress> = match rows::read(tree, &Key::progress()) {
        Ok(progress) => progress,
        Err(error @ (Error::Newer { .. } | Error::Older { .. })) => {
            return Err(Failure::Other(error.to_string()));
        }
        Err(error) => return Err(Failure::Damaged(error.to_string())),
    };
    match (progress, settled) {
        (None, None) if tree.is_empty() => Ok(()),
        (None, _) => Err(Failure::Damaged(
            "the database has lost its first record".to_owned(),
        )),
        (Some(progress), settled) => {
            progress.check_layout().map_err(Failure::Other)?;
            check_batches(progress, settled)
        }
    }
}

/// Whether all batches are there that the database took over.
fn check_batches(progress: Progress, settled: Option<u64>) -> Result<(), Failure> {
    match settled {
        Some(settled) if progress.batches < settled => Err(Failure::Damaged(format!(
            "{settled} batches were in the database and only {} are there",
            progress.batches
        ))),
        Some(_) | None => Ok(()),
    }
}
