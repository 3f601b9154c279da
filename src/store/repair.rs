//! What is done to the files of a database that does not open, before it is tried once more.
//!
//! sled can rebuild its snapshots from its log, so they may go; nothing else is touched, and not
//! before a copy of everything is safe.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::directory::{Directory, sync_directory};

/// Moves a snapshot out of the way that was being written when the process ended: sled would take
/// it for a whole one.
pub fn set_aside_unfinished_snapshots(database: &Path) -> io::Result<()> {
    for path in snapshots(database)? {
        if path.extension().is_some_and(|end| end == "generating") {
            // Its new name must not begin as those of snapshots do.
            fs::rename(&path, database.join("unfinished-snapshot"))?;
        }
    }
    Ok(())
}

/// Copies the database aside and removes its snapshots. Fails if there is a copy already: a
/// supervisor that starts again and again must not fill the disk with copies.
pub fn prepare_second_attempt(directory: &Directory) -> io::Result<()> {
    let copy = directory.damaged_copy();
    if copy.exists() {
        let text = format!(
            "{} already exists from an earlier attempt; move it away so that another can be made",
            copy.display()
        );
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
    }
    let unfinished = copy.with_extension("damaged.partial");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    copy_folder(&directory.database(), &unfinished)?;
    fs::rename(&unfinished, &copy)?;
    sync_directory(directory.path())?;
    for path in snapshots(&directory.database())? {
        fs::remove_file(path)?;
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for file in fs::read_dir(from)? {
        let file = file?;
        let target = to.join(file.file_name());
        if file.metadata()?.is_dir() {
            copy_folder(&file.path(), &target)?;
        } else {
            fs::copy(file.path(), &target)?;
            fs::File::open(&target)?.sync_all()?;
        }
    }
    sync_directory(to)
}

fn snapshots(database: &Path) -> io::Result<Vec<PathBuf>> {
    let files = match fs::read_dir(database) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for file in files {
        let file = file?;
        if file.file_name().as_encoded_bytes().starts_with(b"snap.") {
            found.push(file.path());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let files = fs::read_dir(folder).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    fn database_with(files: &[&str]) -> (tempfile::TempDir, Directory) {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::claim(temporary.path()).unwrap();
        fs::create_dir_all(directory.database().join("blobs")).unwrap();
        for file in files {
            fs::write(directory.database().join(file), file).unwrap();
        }
        (temporary, directory)
    }

    #[test]
    fn an_unfinished_snapshot_is_moved_aside_and_a_finished_one_stays() {
        let (_temporary, directory) = database_with(&["db", "snap.0A", "snap.0B.generating"]);
        set_aside_unfinished_snapshots(&directory.database()).unwrap();
        let names = names(&directory.database());
        assert_eq!(names, ["blobs", "db", "snap.0A", "unfinished-snapshot"]);
    }

    #[test]
    fn a_second_attempt_has_a_whole_copy_aside_and_no_snapshots() {
        let (_temporary, directory) = database_with(&["conf", "db", "snap.0A"]);
        prepare_second_attempt(&directory).unwrap();
        assert_eq!(names(&directory.database()), ["blobs", "conf", "db"]);
        let copied = names(&directory.damaged_copy());
        assert_eq!(copied, ["blobs", "conf", "db", "snap.0A"]);
        let error = prepare_second_attempt(&directory).unwrap_err();
        assert!(error.to_string().contains("move it away"), "{error}");
    }
}
