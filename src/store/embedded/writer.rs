//! What the one writer holds, and the rows of a commit or of a purge; after a failure it accepts
//! nothing more.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;

use super::Options;
use super::opening::Behind;
use super::settling::Settler;
use crate::store::active::{self, Checkpoint};
use crate::store::directory::Directory;
use crate::store::keys::Key;
use crate::store::marker::{Marker, Reached};
use crate::store::record::{self, LAYOUT, Progress};
use crate::store::wal::Wal;
use crate::store::writes::{Ends, Writes};
use crate::store::{Batch, Error, Partition, Tree, purge, rows, story};

/// The one writer.
pub struct Writer {
    pub writes: Writes,
    pub progress: Progress,
    /// The last whole checkpoint.
    pub checkpoint: Checkpoint,
    /// Bytes of what was changed since.
    pub changed_bytes: u64,
    /// Where the history of each partition ends.
    ends: BTreeMap<Partition, Ends>,
    /// The first cause of failure; nothing is accepted after it.
    pub failed: Option<String>,
    pub wal: Wal,
    /// The last batch that is in the database.
    pub settled: u64,
    marker: Marker,
}

impl Writer {
    /// For a database with what only the log has in front of it.
    pub fn of(
        tree: &Tree,
        directory: &Directory,
        options: &Options,
        behind: &Behind,
    ) -> Result<Self, Error> {
        let failed = |error: io::Error| directory.open_error(&error);
        let disk = &*options.disk;
        let stored: Option<Progress> = rows::read(tree, &Key::progress())?;
        let progress = stored.unwrap_or(Progress {
            layout: LAYOUT,
            ..Progress::default()
        });
        let checkpoint = Checkpoint::read(tree)?;
        let mut writes = Writes::new(rows::continued(tree)?);
        if stored.is_none() {
            writes.put_progress(&progress)?;
            let added = tree.add_settled(writes.rows.drain(..), || Ok(()));
            added.map_err(|cause| directory.open_error(&cause))?;
            Settler::of(tree, directory, disk)?;
            // A marker without a database would stop the next start.
            disk.sync_folder(directory.path()).map_err(failed)?;
        }
        // The marker last: what it counts must be durable.
        let wal = Wal::open(directory.path(), options.wal_bytes, &behind.batches, disk);
        let wal = wal.map_err(failed)?;
        let reached = Reached {
            commits: progress.commits,
            settled: behind.settled,
        };
        let marker = Marker::open(&directory.marker(), reached, disk).map_err(failed)?;
        Ok(Self {
            writes,
            progress,
            checkpoint,
            changed_bytes: active::bytes_of_changes(tree, checkpoint.until)?,
            ends: BTreeMap::new(),
            failed: None,
            wal,
            settled: behind.settled,
            marker,
        })
    }

    /// Adds the rows to the log.
    pub fn append(&mut self) -> io::Result<()> {
        self.wal.append(self.progress.batches, &self.writes.rows)
    }

    /// Notes how far the store got.
    pub fn note(&self) -> io::Result<()> {
        self.marker.note(Reached {
            commits: self.progress.commits,
            settled: self.settled,
        })
    }

    pub fn check(&self) -> Result<(), Error> {
        Error::refuse_after(self.failed.as_ref())
    }

    /// Turns a failure into one that stays.
    pub fn fail(&mut self, cause: String) -> Error {
        self.failed = Some(cause.clone());
        Error::Commit { cause }
    }

    /// Reads where the history of a partition ends, if that is not known yet.
    pub fn know_ends(&mut self, tree: &Tree, partition: Partition) -> Result<(), Error> {
        if let Entry::Vacant(first) = self.ends.entry(partition) {
            first.insert(Ends::of(tree, partition)?);
        }
        Ok(())
    }

    pub fn compose(
        &mut self,
        tree: &Tree,
        partition: Partition,
        batch: &Batch,
    ) -> Result<(), Error> {
        self.writes.clear();
        self.progress.commits += 1;
        self.progress.batches += 1;
        self.know_ends(tree, partition)?;
        let ends = self.ends.entry(partition).or_default();
        let commit = (partition, self.progress.commits);
        self.writes.add_batch(tree, commit, ends, batch)?;
        self.progress.history_bytes += self.writes.history_bytes;
        self.changed_bytes += self.writes.changed_bytes;
        self.writes.put_progress(&self.progress)
    }

    pub fn compose_purge(
        &mut self,
        tree: &Tree,
        partition: Partition,
        plan: purge::Plan,
    ) -> Result<(), Error> {
        self.writes.clear();
        self.progress.batches += 1;
        for key in &plan.keys {
            self.writes.remove(key.clone());
        }
        if let Some(ends) = self.ends.get_mut(&partition) {
            ends.stories.forget();
        }
        let mut moves = story::Moves::new(tree, partition, &plan.keys);
        for commit in plan.commits {
            let number = commit.number;
            let key = Key::journal(partition, number);
            self.writes.remove_appended(key, commit.parts);
            for own in commit.stories {
                if moves.take(own.incident, number)? {
                    for (key, group) in own.rows {
                        self.writes.put_history(key, group);
                    }
                }
            }
        }
        let (parts, empty) = moves.finish();
        for part in parts {
            self.writes.put(part.key, record::encode(&part.commits)?);
        }
        for key in empty {
            self.writes.remove(key);
        }
        let left = self.progress.history_bytes.saturating_sub(plan.bytes);
        self.progress.history_bytes = left + self.writes.history_bytes;
        self.writes.put_progress(&self.progress)
    }
}
