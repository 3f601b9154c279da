//! `backup`: everything that the running server keeps, in one file.
//!
//! The file has its name only once all of it is on disk and verified; until then it is called
//! `.partial`. Nobody but its owner may read it.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::progress_bar::BytesBar;
use super::remote::{Call, Download};
use super::report::{Failure, Report};
use crate::app::backup::{self, Manifest};

/// About how many bytes come.
const ESTIMATE: &str = "x-reveille-backup-bytes";

#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The file to write; it must not exist yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Takes one. A file that is not whole is removed.
pub async fn run(arguments: &BackupArgs, context: &Context) -> Result<Report, Failure> {
    let file = &*arguments.file;
    if file.symlink_metadata().is_ok() {
        let file = file.display();
        let words = format!("{file} exists already; name a new file, such as one with the date");
        return Err(Failure::Usage(words));
    }
    let remote = context.remote()?;
    let mut partial = file.as_os_str().to_owned();
    partial.push(".partial");
    let partial = Path::new(&partial);
    // Held until it has its name: nobody else writes it meanwhile.
    let mut out = create(partial).map_err(|error| unwritten(partial, &error))?;
    let taken = match remote.download(Call::get(&["v1", "backup"])).await {
        Ok(download) => receive(download, &mut out, partial).await,
        Err(failure) => Err(failure),
    };
    match taken.and_then(|manifest| finish(partial, file).map(|()| manifest)) {
        Ok(manifest) => Ok(report(file, &manifest, "backed up")),
        Err(failure) => {
            // Told already is why; that this was left over would be told by the next one.
            let _ = fs::remove_file(partial);
            Err(failure)
        }
    }
}

/// What a backup holds.
pub fn report(file: &Path, manifest: &Manifest, done: &str) -> Report {
    let value = json!({ "file": file, "manifest": manifest });
    let text = format!(
        "{done}: {}, of {}, commit {}, {} rows, {} bytes\nSHA-256 of its content {}",
        file.display(),
        manifest.made_at,
        manifest.commits,
        manifest.rows,
        manifest.bytes,
        manifest.sha256
    );
    Report::new(value, text)
}

/// Writes what comes, makes it durable and verifies it.
async fn receive(
    mut download: Download<'_>,
    out: &mut File,
    partial: &Path,
) -> Result<Manifest, Failure> {
    let failed = |error: io::Error| unwritten(partial, &error);
    let bar = BytesBar::new(download.number(ESTIMATE), "receiving");
    let mut bytes = 0;
    while let Some(part) = download.next().await? {
        out.write_all(part.as_ref()).map_err(failed)?;
        bytes += part.as_ref().len() as u64;
        bar.at(bytes);
    }
    out.sync_all().map_err(failed)?;
    drop(bar);
    let bar = BytesBar::new(Some(bytes), "verifying");
    let verified = backup::verify(partial, &mut |_, bytes| bar.at(bytes));
    verified.map_err(Failure::Server)
}

/// Makes the file, or empties what an earlier attempt left. Whoever has it is alone with it.
fn create(partial: &Path) -> io::Result<File> {
    let busy = || io::Error::other("another backup is being written to it");
    // One that has a second name is whole: the command was killed when it had just given it that.
    if fs::symlink_metadata(partial).is_ok_and(|it| !it.is_file() || it.nlink() != 1) {
        fs::remove_file(partial)?;
    }
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(partial)?;
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => busy(),
        TryLockError::Error(error) => error,
    })?;
    // It may have got its name before the lock was free.
    if fs::metadata(partial)?.ino() != file.metadata()?.ino() {
        return Err(busy());
    }
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.set_len(0)?;
    Ok(file)
}

/// Gives it its name, for good. A file that came meanwhile is not replaced.
fn finish(partial: &Path, file: &Path) -> Result<(), Failure> {
    let linked = fs::hard_link(partial, file).and_then(|()| fs::remove_file(partial));
    let renamed = linked.or_else(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Err(error),
        // Not every file system has links.
        _ if file.symlink_metadata().is_err() => fs::rename(partial, file),
        _ => Err(error),
    });
    let parent = file.parent().filter(|it| !it.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let durable = renamed.and_then(|()| File::open(parent)?.sync_all());
    durable.map_err(|error| unwritten(file, &error))
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::NotSo(format!("failed to write {}: {error}", path.display()))
}
