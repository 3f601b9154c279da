//! A new data directory made of a backup: the file is verified first, then written into a database
//! of its own, which is opened as a start opens it and compared with the manifest.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::engine::State;
use crate::engine::time::Timestamp;
use crate::store::directory::Directory;
use crate::store::embedded::settling::Settler;
use crate::store::keys::Key;
use crate::store::marker::{Marker, Reached};
use crate::store::new_directory::NewDirectory;
use crate::store::record::Progress;
use crate::store::{Error, Failure, Options, Partition, SledStore, Store, Tree, rows};

use super::format::{BackupFrame, BackupReader};
use super::manifest::Manifest;

/// What a restore is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestorePhase {
    /// The file is verified.
    Verifying,
    /// It is written into a database.
    Writing,
    /// That is opened and compared.
    Comparing,
}

/// Is told what is being done, and how many bytes of the file that was done with.
pub type Tell<'tell> = &'tell mut dyn FnMut(RestorePhase, u64);

/// Reads a backup from its beginning to its end and says what it holds.
pub fn verify(file: &Path, tell: Tell<'_>) -> Result<Manifest, Error> {
    let refused = |cause: String| unusable(file, cause);
    let mut reader = open(file)?;
    loop {
        tell(RestorePhase::Verifying, reader.bytes());
        match reader.next().map_err(refused)? {
            BackupFrame::Rows(_) => {}
            BackupFrame::Last(manifest) => {
                tell(RestorePhase::Verifying, reader.bytes());
                return Ok(manifest);
            }
        }
    }
}

/// Makes a data directory of a backup; it must not exist, or be empty. What fails leaves nothing
/// behind.
pub fn restore(
    file: &Path,
    data: &Path,
    options: Options,
    now: Timestamp,
    tell: Tell<'_>,
) -> Result<Manifest, Error> {
    let directory = NewDirectory::absent_or_empty(data)?;
    let manifest = verify(file, tell)?;
    let checked = manifest.check_layout();
    checked.map_err(|cause| unusable(file, cause))?;
    let partial = directory.begin()?;
    // The first start makes the reserve, where it finds room for it.
    let options = Options {
        reserve_bytes: 0,
        ..options
    };
    let filled = fill(file, partial, &options, tell).and_then(|written| {
        tell(RestorePhase::Comparing, written.bytes);
        if written != manifest {
            let cause = "it was changed while it was read; restore it again".to_owned();
            return Err(unusable(file, cause));
        }
        let compared = compare(partial, options, now, &manifest)?;
        compared.map_err(|cause| unusable(file, cause))?;
        let finished = directory.finish();
        finished.map_err(|error| Error::open(directory.path(), &error))
    });
    match filled {
        Ok(()) => Ok(manifest),
        Err(error) => Err(directory.discard(error)),
    }
}

fn unusable(file: &Path, cause: String) -> Error {
    Error::BackupFile {
        file: file.to_owned(),
        cause,
    }
}

fn open(file: &Path) -> Result<BackupReader<BufReader<File>>, Error> {
    let opened = File::open(file).map_err(|error| unusable(file, error.to_string()))?;
    let reader = BackupReader::begin(BufReader::with_capacity(1 << 16, opened));
    reader.map_err(|cause| unusable(file, cause))
}

/// Writes all rows into a new database and makes it durable. Gives the manifest that was met.
fn fill(file: &Path, partial: &Path, options: &Options, tell: Tell<'_>) -> Result<Manifest, Error> {
    let directory = Directory::claim(partial)?;
    let database = directory.database();
    let failed = |cause: String| Error::open(partial, &cause);
    let tree = Tree::open(&database, options.cache_bytes);
    let tree = tree.map_err(|failure: Failure| failed(failure.cause()))?;
    let mut reader = open(file)?;
    let manifest = loop {
        tell(RestorePhase::Writing, reader.bytes());
        match reader.next().map_err(|cause| unusable(file, cause))? {
            BackupFrame::Rows(rows) => tree.add_settled(rows, || Ok(())).map_err(failed)?,
            BackupFrame::Last(manifest) => break manifest,
        }
    };
    let progress: Option<Progress> = rows::read(&tree, &Key::progress())?;
    let progress = progress.unwrap_or_default();
    let disk = &*options.disk;
    Settler::of(&tree, &directory, disk)?;
    let reached = Reached {
        commits: manifest.commits,
        settled: progress.batches,
    };
    let written = File::open(database.join("db"))
        .and_then(|database| disk.sync(&database))
        .and_then(|()| Marker::open(&directory.marker(), reached, disk));
    written.map_err(|error| Error::open(partial, &error))?;
    Ok(manifest)
}

/// Opens what was written as a start does, and hands it to the engine. Whether it is what the
/// manifest says.
fn compare(
    partial: &Path,
    options: Options,
    now: Timestamp,
    manifest: &Manifest,
) -> Result<Result<(), String>, Error> {
    let store = SledStore::open(partial, options)?;
    let (commits, state_hash) = store.reached()?;
    if (commits, &state_hash) != (manifest.commits, &manifest.state_hash) {
        return Ok(Err(format!(
            "what was restored is commit {commits} with the state {state_hash}, and the manifest \
             says commit {} with the state {}; please report this",
            manifest.commits, manifest.state_hash
        )));
    }
    let loaded = store.load(Partition::default(), now)?;
    drop(State::load(loaded.records, &loaded.receipts));
    Ok(Ok(()))
}
