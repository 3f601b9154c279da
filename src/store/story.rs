//! The story of an incident: in which commits the entries of its timeline are.
//!
//! Entries that outlive their commit in the journal are moved into rows of their own: the oldest of
//! a story are there, the others in the journal.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::ids::{EntryId, IncidentNumber};
use crate::engine::records;

use super::keys::{Key, Kind, describe};
use super::record::Items;
use super::rows::{self, Rows};
use super::{Error, Partition, history, journal};

/// Commits that one row names at most, so that a row that grows stays short.
const COMMITS_MAX: usize = 64;

/// Stories of which the last row is kept in memory, half a KiB each.
const STORIES_MAX: usize = 4_096;

/// A row that names commits, oldest first.
#[derive(Clone)]
pub struct StoryPart {
    pub key: Key,
    pub commits: Vec<u64>,
}

/// Where stories end, in memory: while the database takes over rows nobody can read it, and no
/// commit is to wait for that.
#[derive(Default)]
pub struct Stories {
    /// Incidents above this one have no story yet.
    newest: IncidentNumber,
    /// The last rows of those to which something was added lately.
    last: BTreeMap<IncidentNumber, StoryPart>,
}

impl Stories {
    /// As they are in these rows.
    pub fn of(rows: &impl Rows, partition: Partition) -> Result<Self, Error> {
        let last = rows.all(&Key::all(Kind::Story, partition)).next_back();
        let key = last.transpose()?.map(|(key, _)| Key::read(key.as_ref()));
        Ok(Self {
            newest: key.and_then(|key| key.incident()).unwrap_or_default(),
            last: BTreeMap::new(),
        })
    }

    /// The row that names this commit too, of which `first` is the first entry.
    pub fn add(
        &mut self,
        rows: &impl Rows,
        partition: Partition,
        (incident, first): (IncidentNumber, EntryId),
        commit: u64,
    ) -> Result<StoryPart, Error> {
        let all = Key::index(Kind::Story, partition, incident);
        let known = match self.last.remove(&incident) {
            None if incident <= self.newest => {
                let row = rows.all(&all).next_back().transpose()?;
                row.map(|row| read(rows, row)).transpose()?
            }
            known => known,
        };
        let known = known.filter(|part| part.commits.len() < COMMITS_MAX);
        let mut part = known.unwrap_or_else(|| StoryPart {
            key: all.number(first.0),
            commits: Vec::new(),
        });
        part.commits.push(commit);
        self.newest = self.newest.max(incident);
        if self.last.len() >= STORIES_MAX {
            self.last.clear();
        }
        self.last.insert(incident, part.clone());
        Ok(part)
    }

    /// What is in memory may no longer be so: a purge changes stories.
    pub fn forget(&mut self) {
        self.last.clear();
    }
}

/// Stories of which the oldest commits leave the journal.
pub struct Moves<'rows, R> {
    rows: &'rows R,
    partition: Partition,
    removed: &'rows BTreeSet<Key>,
    known: BTreeMap<IncidentNumber, Moving>,
}

/// A story as it is once some commits have left the journal.
struct Moving {
    /// The first row, if any is left.
    first: Option<StoryPart>,
    /// Those that name no commit any more.
    empty: Vec<Key>,
}

impl<'rows, R: Rows> Moves<'rows, R> {
    /// `removed` are rows of incidents that are no longer kept.
    pub fn new(rows: &'rows R, partition: Partition, removed: &'rows BTreeSet<Key>) -> Self {
        Self {
            rows,
            partition,
            removed,
            known: BTreeMap::new(),
        }
    }

    /// Takes the oldest commit out of the story of an incident. Whether it named it: if not, the
    /// incident is no longer kept.
    pub fn take(&mut self, incident: IncidentNumber, commit: u64) -> Result<bool, Error> {
        let all = Key::index(Kind::Story, self.partition, incident);
        let mut story = match self.known.remove(&incident) {
            Some(known) => known,
            None => Moving {
                first: self.next_part(&all, &all)?,
                empty: Vec::new(),
            },
        };
        let mut is_named = false;
        while let Some(first) = &mut story.first {
            // Older ones left the journal damaged.
            let older = first.commits.partition_point(|it| *it < commit);
            first.commits.drain(..older);
            if first.commits.first() == Some(&commit) {
                is_named = true;
                first.commits.remove(0);
            }
            if !first.commits.is_empty() {
                break;
            }
            let next = self.next_part(&first.key.after(), &all)?;
            let emptied = std::mem::replace(&mut story.first, next);
            story.empty.extend(emptied.map(|part| part.key));
        }
        self.known.insert(incident, story);
        Ok(is_named)
    }

    /// The first row from this key on that is kept.
    fn next_part(&self, from: &Key, all: &Key) -> Result<Option<StoryPart>, Error> {
        for row in self.rows.range(from, &all.end()) {
            let part = read(self.rows, row?)?;
            if !self.removed.contains(&part.key) {
                return Ok(Some(part));
            }
        }
        Ok(None)
    }

    /// The first rows of the stories as they are now, and those that are no longer needed.
    pub fn finish(self) -> (Vec<StoryPart>, Vec<Key>) {
        let (mut first, mut empty) = (Vec::new(), Vec::new());
        for mut story in self.known.into_values() {
            first.extend(story.first);
            empty.append(&mut story.empty);
        }
        (first, empty)
    }
}

fn read<B: AsRef<[u8]>>(rows: &impl Rows, (key, value): (B, B)) -> Result<StoryPart, Error> {
    let commits: Option<Vec<u64>> = rows::read_row(rows, key.as_ref(), value.as_ref())?;
    Ok(StoryPart {
        key: Key::read(key.as_ref()),
        commits: commits.unwrap_or_default(),
    })
}

/// What a row of a story names.
pub fn incident_and_commits<B: AsRef<[u8]>>(
    rows: &impl Rows,
    row: (B, B),
) -> Result<(IncidentNumber, Vec<u64>), Error> {
    let part = read(rows, row)?;
    let incident = part.key.incident().ok_or_else(|| Error::Damaged {
        key: describe(part.key.as_ref()),
        cause: "it names no incident".to_owned(),
    })?;
    Ok((incident, part.commits))
}

/// Entries of an incident after one, oldest first. Nothing may be moved meanwhile.
pub fn entries(
    rows: &impl Rows,
    partition: Partition,
    incident: IncidentNumber,
    after: Option<EntryId>,
    limit: usize,
) -> Result<Vec<records::Entry>, Error> {
    let is_later = |entry: &records::Entry| after.is_none_or(|after| entry.id > after);
    let mut found = Vec::new();
    let from = |kind| {
        let all = Key::index(kind, partition, incident);
        history::first_with_later(rows, &all, after).map(|from| rows.range(&from, &all.end()))
    };
    for row in from(Kind::Entries)? {
        if found.len() >= limit {
            return Ok(found);
        }
        let (key, value) = row?;
        let group: Option<Items<records::Entry>> =
            rows::read_row(rows, key.as_ref(), value.as_ref())?;
        let later = group.into_iter().flat_map(|it| it.0).filter(is_later);
        found.extend(later.take(limit - found.len()));
    }
    for row in from(Kind::Story)? {
        for commit in read(rows, row?)?.commits {
            if found.len() >= limit {
                return Ok(found);
            }
            let Some(read) = journal::read(rows, partition, commit)? else {
                if journal::is_purged(rows, partition, commit)? {
                    continue;
                }
                return Err(Error::Damaged {
                    key: describe(Key::journal(partition, commit).as_ref()),
                    cause: "it is missing".to_owned(),
                });
            };
            let entries = read.history.entries.into_iter();
            let own = entries.filter(|entry| entry.incident == incident && is_later(entry));
            found.extend(own.take(limit - found.len()));
        }
    }
    Ok(found)
}
