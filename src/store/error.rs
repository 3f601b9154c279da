//! Why the store did not do as asked, and what to do about it.

use std::path::{Path, PathBuf};

use super::Epoch;

/// Why the store did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "the data directory {} is in use by another process{}; stop it or choose another --data",
        directory.display(),
        holder.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
    )]
    Locked {
        directory: PathBuf,
        holder: Option<u32>,
    },
    #[error("another owner has claimed the partition (epoch {current:?}, ours {ours:?})")]
    Fenced { ours: Epoch, current: Epoch },
    /// Sticky: after it nothing more is accepted.
    #[error("failed to make a batch durable: {cause}")]
    Commit { cause: String },
    #[error(
        "failed to read {what}: {cause}; restore a backup, or save what can be read into a new \
         directory with `reveille store save`"
    )]
    Read { what: String, cause: String },
    #[error(
        "record {key} is damaged: {cause}; restore a backup, or save what can be read into a new \
         directory with `reveille store save`"
    )]
    Damaged { key: String, cause: String },
    /// A newer version wrote it.
    #[error(
        "record {key} has format {found}, and this version reads formats up to {known}: \
         a newer version wrote it; run that version, or restore a backup from before it ran"
    )]
    Newer { key: String, found: u32, known: u32 },
    /// A build before the first version wrote it.
    #[error(
        "record {key} has format {found}, of a build before the first version, which no version \
         reads; begin with an empty data directory (--data)"
    )]
    Older { key: String, found: u32 },
    #[error("failed to make a backup: {cause}")]
    Backup { cause: String },
    #[error("another backup is being made; wait until it is done")]
    BackupUnderWay,
    #[error("{} cannot be restored: {cause}", file.display())]
    BackupFile { file: PathBuf, cause: String },
    #[error("failed to open the store in {}: {cause}", directory.display())]
    Open { directory: PathBuf, cause: String },
}

impl Error {
    /// An opening failed.
    pub fn open(directory: &Path, cause: &impl ToString) -> Self {
        Self::Open {
            directory: directory.to_owned(),
            cause: cause.to_string(),
        }
    }

    /// A backup was not made.
    pub fn backup(cause: &impl ToString) -> Self {
        Self::Backup {
            cause: cause.to_string(),
        }
    }

    /// Nothing is accepted after a failure.
    pub fn refuse_after(failed: Option<&String>) -> Result<(), Self> {
        failed.map_or(Ok(()), |cause| {
            let cause = format!("an earlier batch failed: {cause}");
            Err(Self::Commit { cause })
        })
    }
}
