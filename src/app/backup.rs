//! Backups in files: verified, and restored into a new data directory.

use std::path::Path;

use crate::runtime::clock::wall_now;
use crate::store::{self, Options, Tell};

pub use crate::store::{Manifest, RestorePhase};

/// Reads a backup to its end and says what it holds.
pub fn verify(file: &Path, tell: Tell<'_>) -> Result<Manifest, String> {
    store::verify(file, tell).map_err(|error| error.to_string())
}

/// Makes a data directory, which must not exist or be empty, of a backup.
pub fn restore(file: &Path, data: &Path, tell: Tell<'_>) -> Result<Manifest, String> {
    let restored = store::restore(file, data, Options::default(), wall_now(), tell);
    restored.map_err(|error| error.to_string())
}
