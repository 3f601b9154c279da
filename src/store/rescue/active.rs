//! Active records and clocks of a database, as far as they can be read: the last checkpoint, and
//! what commits changed since.

use std::collections::BTreeMap;

use crate::store::active::{Checkpoint, Slice};
use crate::store::keys::{Key, Kind, last_number};
use crate::store::record::{self, Progress};
use crate::store::rows::{self, Rows};
use crate::store::{Clocks, Error, Partition};

/// As many gaps are named.
const NAMED_MAX: usize = 20;

/// What was read.
#[derive(Default)]
pub struct Active {
    /// Each with its key and its stored form.
    pub items: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What could not be read.
    pub unreadable: Vec<Error>,
    /// What is not there, in words.
    pub missing: Vec<String>,
}

impl Active {
    /// The clocks at the last commit.
    pub fn clocks(&self) -> Option<Clocks> {
        let key = Key::clocks(Partition::default());
        let stored = self.items.get(key.as_ref())?;
        record::decode(key.as_ref(), stored).ok()
    }

    /// Those of a kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = (&[u8], &[u8])> {
        let all = Key::all(kind, Partition::default());
        let end = all.end();
        let items = self
            .items
            .range(all.as_ref().to_vec()..end.as_ref().to_vec());
        items.map(|(key, value)| (&key[..], &value[..]))
    }

    /// Reads all that there is.
    pub fn read(rows: &impl Rows, progress: Option<Progress>) -> Result<Self, Error> {
        let mut active = Self::default();
        let checkpoint = rows::read::<Checkpoint>(rows, &Key::checkpoint());
        let checkpoint = active.readable(checkpoint)?;
        let slices = active.slices(rows, checkpoint.map(Option::unwrap_or_default))?;
        let known = checkpoint.flatten();
        let is_lost = known.is_none() && slices > 0;
        if is_lost {
            let which = "which checkpoint of the open records is the last";
            active.missing.push(which.to_owned());
        }
        let after = known.unwrap_or_default().until;
        let commits = progress.map_or(0, |progress| progress.commits);
        active.changes(rows, after, commits, is_lost)?;
        Ok(active)
    }

    /// Reads the slices of a checkpoint, or, where it is not known which is the last, of all, the
    /// oldest first. How many there are.
    fn slices(&mut self, rows: &impl Rows, checkpoint: Option<Checkpoint>) -> Result<usize, Error> {
        let all = Key::all(Kind::Slice, Partition::default());
        let all = match checkpoint {
            Some(Checkpoint { number: 0, .. }) | None => all,
            Some(checkpoint) => all.number(checkpoint.number),
        };
        let mut found = Vec::new();
        for row in rows.all(&all) {
            let key = Key::read(row?.0.as_ref());
            found.extend(last_number(key.as_ref()));
            self.add(rows, key)?;
        }
        let expected = 0..checkpoint.map_or(0, |checkpoint| checkpoint.slices);
        self.miss("slice", "of the checkpoint", expected, &found);
        Ok(found.len())
    }

    fn changes(
        &mut self,
        rows: &impl Rows,
        after: u64,
        commits: u64,
        is_lost: bool,
    ) -> Result<(), Error> {
        let all = Key::all(Kind::ActiveChanges, Partition::default());
        let mut found = Vec::new();
        let first = Key::active_changes(after.saturating_add(1));
        for row in rows.range(&first, &all.end()) {
            let key = Key::read(row?.0.as_ref());
            found.extend(last_number(key.as_ref()));
            self.add(rows, key)?;
        }
        // Which are still there depends on the checkpoint.
        let first = if is_lost {
            found.first().copied().unwrap_or(commits)
        } else {
            after
        };
        self.miss(
            "what commit",
            "changed of the open records",
            first.saturating_add(u64::from(!is_lost))..commits.saturating_add(1),
            &found,
        );
        Ok(())
    }

    fn add(&mut self, rows: &impl Rows, key: Key) -> Result<(), Error> {
        let Some(slice) = self.readable(Slice::read(rows, key))?.flatten() else {
            return Ok(());
        };
        let items = &mut self.items;
        let added = slice.each(|key, value| {
            match value {
                Some(value) => drop(items.insert(key.to_vec(), value.to_vec())),
                None => drop(items.remove(key)),
            }
            Ok(())
        });
        self.readable(added)?;
        Ok(())
    }

    fn miss(&mut self, what: &str, of: &str, expected: std::ops::Range<u64>, found: &[u64]) {
        let lost = expected.filter(|number| found.binary_search(number).is_err());
        let lost = lost.take(NAMED_MAX);
        self.missing
            .extend(lost.map(|number| format!("{what} {number} {of}")));
    }

    /// Keeps what cannot be read. What another version wrote is no damage.
    fn readable<T>(&mut self, read: Result<T, Error>) -> Result<Option<T>, Error> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(error @ (Error::Newer { .. } | Error::Older { .. })) => Err(error),
            Err(error) => {
                self.unreadable.push(error);
                Ok(None)
            }
        }
    }
}
