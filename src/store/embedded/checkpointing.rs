//! Checkpoints, one small step at a time beside the commits: slices are written, then the row that
//! makes them the last checkpoint, and then what it makes needless is removed. A step holds the
//! writer only for the few rows that it applies. What a crash leaves half done the next steps
//! remove.

use std::sync::{MutexGuard, PoisonError};

use crate::store::active;
use crate::store::checkpoint::{Merge, Step};
use crate::store::keys::Key;
use crate::store::{Error, Store, record};

use super::SledStore;
use super::writer::Writer;

/// A checkpoint has at most the bytes of the last one and of what was changed since; the database
/// needs somewhat more for it.
const SPACE_FACTOR: u64 = 4;

/// Rows that one step removes at most.
const REMOVED_MAX: usize = 64;

/// What the next step does.
pub enum Stage {
    /// Removes what is needless; if there is nothing, goes on as in `Waiting`.
    Clearing,
    /// Begins a checkpoint if one is due.
    Waiting,
    Writing {
        merge: Box<Merge>,
        /// Bytes of the changes that it will hold.
        changed_bytes: u64,
    },
}

/// Where the steps are.
pub struct Steps {
    pub stage: Stage,
    /// While a backup is made, no step is: it needs what they remove.
    pub are_held: bool,
}

impl Steps {
    pub fn new(stage: Stage) -> Self {
        Self {
            stage,
            are_held: false,
        }
    }
}

impl SledStore {
    /// One step. Whether there is more to do now.
    pub(super) fn checkpoint_step(&self) -> Result<bool, Error> {
        let is_idle = matches!(self.checkpoint_steps().stage, Stage::Waiting);
        let is_settling = self.settle_if_due(is_idle)?;
        let mut steps = self.checkpoint_steps();
        if steps.are_held {
            return Ok(is_settling);
        }
        // After an error all is begun anew.
        let present = std::mem::replace(&mut steps.stage, Stage::Clearing);
        steps.stage = match present {
            Stage::Clearing => self.clear()?,
            Stage::Waiting => self.begin_if_due()?,
            Stage::Writing {
                merge,
                changed_bytes,
            } => self.write_on(merge, changed_bytes)?,
        };
        Ok(match steps.stage {
            Stage::Clearing | Stage::Writing { .. } => true,
            Stage::Waiting => is_settling,
        })
    }

    pub(super) fn checkpoint_steps(&self) -> MutexGuard<'_, Steps> {
        let steps = self.checkpointing.lock();
        steps.unwrap_or_else(PoisonError::into_inner)
    }

    fn clear(&self) -> Result<Stage, Error> {
        let checkpoint = self.writer().checkpoint;
        let outdated = active::outdated(&self.tree, &checkpoint, REMOVED_MAX)?;
        if outdated.is_empty() {
            return self.begin_if_due();
        }
        self.apply(|writer| {
            for (key, parts) in outdated {
                writer.writes.remove_appended(key, parts);
            }
            Ok(())
        })?;
        Ok(Stage::Clearing)
    }

    fn begin_if_due(&self) -> Result<Stage, Error> {
        let (until, changed_bytes) = {
            let writer = self.writer();
            writer.check()?;
            if writer.changed_bytes < self.checkpoint_bytes.max(writer.checkpoint.bytes) {
                return Ok(Stage::Waiting);
            }
            let bytes = writer.checkpoint.bytes + writer.changed_bytes;
            if self
                .free_bytes()
                .is_some_and(|free| free / SPACE_FACTOR < bytes)
            {
                // Without space for it the next start takes longer, and nothing else is lost.
                return Ok(Stage::Waiting);
            }
            (writer.progress.commits, writer.changed_bytes)
        };
        let merge = Box::new(Merge::begin(&self.tree, until)?);
        Ok(Stage::Writing {
            merge,
            changed_bytes,
        })
    }

    fn write_on(&self, mut merge: Box<Merge>, changed_bytes: u64) -> Result<Stage, Error> {
        match merge.step(&self.tree)? {
            Step::Reading => Ok(Stage::Writing {
                merge,
                changed_bytes,
            }),
            Step::Slice(key, value) => {
                self.apply(|writer| {
                    writer.writes.append(&key, value);
                    Ok(())
                })?;
                Ok(Stage::Writing {
                    merge,
                    changed_bytes,
                })
            }
            Step::Whole(checkpoint) => {
                self.apply(|writer| {
                    let value = record::encode(&checkpoint)?;
                    writer.writes.put(Key::checkpoint(), value);
                    writer.checkpoint = checkpoint;
                    writer.changed_bytes = writer.changed_bytes.saturating_sub(changed_bytes);
                    Ok(())
                })?;
                Ok(Stage::Clearing)
            }
        }
    }

    /// Adds some rows between two commits.
    fn apply(&self, fill: impl FnOnce(&mut Writer) -> Result<(), Error>) -> Result<(), Error> {
        let mut writer = self.writer();
        writer.check()?;
        writer.writes.clear();
        writer.progress.batches += 1;
        let filled = fill(&mut writer).and_then(|()| {
            let progress = writer.progress;
            writer.writes.put_progress(&progress)
        });
        let filled = filled.map_err(|error| error.to_string());
        let added = filled.and_then(|()| self.add(&mut writer));
        added.map_err(|cause| writer.fail(cause))
    }
}
