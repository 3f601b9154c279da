//! A backup of the embedded store, beside its commits.

use std::io::Write;

use crate::engine::time::Timestamp;
use crate::store::backup::{self, BackupWriter, Cut, Manifest};
use crate::store::{Error, SledStore};

/// While this lives, checkpoints stand still and the tap may be open. The database goes on taking
/// over what is in the log.
struct BackupUnderWay<'store>(&'store SledStore);

impl Drop for BackupUnderWay<'_> {
    fn drop(&mut self) {
        self.0.tree.close_tap();
        self.0.checkpoint_steps().are_held = false;
    }
}

impl SledStore {
    /// Makes one. Its rows are copied first; then the hash of the state is computed of what no step
    /// of a checkpoint has removed meanwhile.
    pub(super) fn make_backup(
        &self,
        made_at: Timestamp,
        out: &mut dyn Write,
    ) -> Result<Manifest, Error> {
        let _under_way = self.begin_backup()?;
        // What is in the database need not be looked up in front of it.
        self.settle()?;
        self.tree.open_tap(self.backups.tap_bytes);
        let mut writer = BackupWriter::begin(out, self.backups.frame_bytes)?;
        let before = self.writer().changed_bytes;
        backup::copy_rows(&self.tree, &mut writer, || self.may_go_on(before))?;
        let (commits, rest) = {
            // No row is added while the writer is held: this is the cut.
            let held = self.writer();
            held.check()?;
            let rest = self.tree.drain_tap();
            self.tree.close_tap();
            (held.progress.commits, rest)
        };
        let rest = rest.map_err(|overrun| Error::backup(&overrun))?;
        backup::write_tapped(rest, &mut writer)?;
        writer.finish(Cut {
            commits,
            made_at,
            state_hash: self.state_hash(commits)?,
        })
    }

    /// Without checkpoints the database grows by what is changed: whoever takes a backup very
    /// slowly must not fill the disk.
    fn may_go_on(&self, before: u64) -> Result<(), Error> {
        let changed_bytes = self.writer().changed_bytes.saturating_sub(before);
        let most = self.backups.changed_bytes;
        if changed_bytes <= most {
            return Ok(());
        }
        Err(Error::backup(&format_args!(
            "over {} MiB of open records were changed while it was written: let what takes it be \
             faster, or make it when less is going on; nothing else was disturbed",
            most >> 20
        )))
    }

    /// The hash of the state after so many commits, of which no checkpoint may hold a later one.
    fn state_hash(&self, commits: u64) -> Result<String, Error> {
        backup::state_hash(&self.tree, commits)
    }

    /// How many commits there are, and the hash of the state after them; nobody else may be using
    /// the store.
    pub(in crate::store) fn reached(&self) -> Result<(u64, String), Error> {
        let commits = self.writer().progress.commits;
        Ok((commits, self.state_hash(commits)?))
    }

    fn begin_backup(&self) -> Result<BackupUnderWay<'_>, Error> {
        let mut steps = self.checkpoint_steps();
        if steps.are_held {
            return Err(Error::BackupUnderWay);
        }
        steps.are_held = true;
        Ok(BackupUnderWay(self))
    }
}
