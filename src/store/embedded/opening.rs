//! How the database is opened: once as it is, and, if it is damaged, once more after a repair that
//! loses nothing that was acknowledged.

use std::path::Path;

use crate::store::directory::Directory;
use crate::store::keys::Key;
use crate::store::record::Progress;
use crate::store::{Error, Failure, Tree, repair, rows, salvage};

/// Opens the database; if it is damaged, puts a copy aside and tries once more without snapshots.
/// Says whether that was needed.
pub fn open_guarded(
    directory: &Directory,
    cache_bytes: u64,
    acknowledged: Option<u64>,
) -> Result<(Tree, bool), Error> {
    let database = directory.database();
    repair::set_aside_unfinished_snapshots(&database)
        .map_err(|error| directory.open_error(&error))?;
    if acknowledged.is_some() && !database.join("db").exists() {
        return Err(directory.open_error(&with_hint(directory, "the database is missing")));
    }
    refuse_to_cut(directory, acknowledged)?;
    let cause = match attempt(&database, cache_bytes, acknowledged) {
        Ok(tree) => return Ok((tree, false)),
        Err(Failure::Other(cause)) => return Err(directory.open_error(&cause)),
        Err(Failure::Damaged(cause)) => cause,
    };
    repair::prepare_second_attempt(directory).map_err(|error| {
        let cause = format!("{cause}; no repair was tried: {error}");
        directory.open_error(&with_hint(directory, &cause))
    })?;
    match attempt(&database, cache_bytes, acknowledged) {
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
fn refuse_to_cut(directory: &Directory, acknowledged: Option<u64>) -> Result<(), Error> {
    let database = directory.database();
    // Without a marker somebody wants to go on with what there is, or there is nothing yet.
    let Some(acknowledged) = acknowledged.filter(|_| database.join("db").exists()) else {
        return Ok(());
    };
    // What cannot be read at all the opening tells better.
    let Ok(Some(tear)) = salvage::tear(&database, acknowledged) else {
        return Ok(());
    };
    let cause = format!(
        "{} is damaged at one place: {} commits were acknowledged, {} are before it, and a start \
         would remove the intact ones after it; nothing was changed",
        database.join("db").display(),
        tear.acknowledged,
        tear.commits
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

fn attempt(database: &Path, cache_bytes: u64, acknowledged: Option<u64>) -> Result<Tree, Failure> {
    let tree = Tree::open(database, cache_bytes)?;
    check_progress(&tree, acknowledged)?;
    Ok(tree)
}

/// A database that lost acknowledged commits looks healthy from inside.
fn check_progress(tree: &Tree, acknowledged: Option<u64>) -> Result<(), Failure> {
    let progress: Option<Progress> = match rows::read(tree, &Key::progress()) {
        Ok(progress) => progress,
        Err(error @ (Error::Newer { .. } | Error::Older { .. })) => {
            return Err(Failure::Other(error.to_string()));
        }
        Err(error) => return Err(Failure::Damaged(error.to_string())),
    };
    match (progress, acknowledged) {
        (None, None) if tree.is_empty() => Ok(()),
        (None, _) => Err(Failure::Damaged(
            "the database has lost its first record".to_owned(),
        )),
        (Some(progress), acknowledged) => {
            progress.check_layout().map_err(Failure::Other)?;
            check_commits(progress, acknowledged)
        }
    }
}

/// Whether all commits are there that were acknowledged.
fn check_commits(progress: Progress, acknowledged: Option<u64>) -> Result<(), Failure> {
    match acknowledged {
        Some(acknowledged) if progress.commits < acknowledged => Err(Failure::Damaged(format!(
            "{acknowledged} commits were acknowledged and only {} are in the database",
            progress.commits
        ))),
        Some(_) | None => Ok(()),
    }
}
