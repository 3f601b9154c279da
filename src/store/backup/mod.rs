//! Backups: a file with all rows of the database as they were after one commit, made beside further
//! commits, and a new data directory made of it.
//!
//! A backup is a hot copy plus redo. From the moment at which it begins, each row that is added to
//! the tree is also put into a queue, the tap. Then the rows of the tree are copied in the order of
//! their keys, a piece at a time, and after each piece all that is in the tap follows it. At the
//! end the writer is held for a moment, the tap is emptied once more and closed: that moment is
//! between two commits, and is the cut.
//!
//! Whoever applies the rows of the file in its order gets exactly the tree at the cut. A row is a
//! whole value under its key, so that only the last one of each key counts. If a key was changed
//! after the beginning, the last change before the cut is in the file, from the tap, behind all
//! earlier ones. No copy that stands behind it is older: a row that was drained can be read in the
//! tree already, so that a piece that is begun after it was written has that change or a later one,
//! and a later one would stand in the file as well. If a key was not changed, its one copy is
//! right.
//!
//! Commits wait for nothing but their rows being noted in memory. Only `format.rs` knows the bytes
//! of the file.

mod format;
mod making;
mod manifest;
mod restoring;
#[cfg(test)]
mod tests;

pub use self::format::{BackupLimits, BackupWriter};
pub use self::making::{copy_rows, state_hash, write_tapped};
pub use self::manifest::{Cut, Manifest};
pub use self::restoring::{RestorePhase, Tell, restore, verify};
