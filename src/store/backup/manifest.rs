//! The manifest of a backup: what it holds, of when, and by what it can be checked.

use serde::{Deserialize, Serialize};

use crate::engine::time::Timestamp;
use crate::store::record::LAYOUT;

/// The last thing in a backup. Without it a file is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The number of the form of the file.
    pub format: u32,
    /// The version that made it.
    pub version: String,
    /// The number of the layout of keys.
    pub layout: u32,
    /// The commit after which all is as it is in the backup.
    pub commits: u64,
    /// When it was begun, on the wall clock.
    pub made_at: String,
    /// Frames in front of the manifest.
    pub frames: u64,
    /// Rows in them; one that changed meanwhile is there several times.
    pub rows: u64,
    /// Bytes in front of the manifest.
    pub bytes: u64,
    /// SHA-256 over all active records and clocks with their keys, in the order of these.
    pub state_hash: String,
    /// SHA-256 over all bytes in front of the manifest.
    pub sha256: String,
}

/// At what a backup ends.
#[derive(Clone, Debug)]
pub struct Cut {
    pub commits: u64,
    pub made_at: Timestamp,
    pub state_hash: String,
}

impl Manifest {
    /// Whether this version can restore it.
    pub fn check_layout(&self) -> Result<(), String> {
        if self.layout == LAYOUT {
            return Ok(());
        }
        Err(format!(
            "its layout has number {}, this version knows {LAYOUT}; restore it with version {}",
            self.layout, self.version
        ))
    }
}
