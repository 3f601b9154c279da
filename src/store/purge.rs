//! Which history goes: what is older than it is kept, and, over the cap on disk use, the oldest
//! first. One call removes one small batch and touches nothing that is active.
//!
//! sled uses freed room again but gives little of it back, so the file alone cannot tell when
//! enough is gone: displacing ends once the history that is left is half of the cap.

use std::collections::BTreeSet;

use crate::engine::alert::Alert;
use crate::engine::ids::{AlertId, EntryId, IncidentNumber, PageId};
use crate::engine::incident::Incident;
use crate::engine::page::Page;
use crate::engine::records::Entry;
use crate::engine::time::Timestamp;

use super::keys::{Key, Kind, last_number};
use super::retention_index::{self, Closed};
use super::rows::{self, Rows};
use super::{Error, Partition, Purged, Retention, journal, record};

/// Keys that one call removes at most.
const KEYS_MAX: usize = 500;

/// So many entries that are moved count as much as a key.
const ENTRIES_OF_MOVE: usize = 8;

/// How full the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// On disk.
    pub used_bytes: u64,
    /// Of history, as written.
    pub history_bytes: u64,
}

/// What one call removes.
pub struct Plan {
    pub keys: BTreeSet<Key>,
    /// What leaves the journal, oldest first.
    pub commits: Vec<OldCommit>,
    /// Bytes of history that go.
    pub bytes: u64,
    /// Bytes of what is moved and not removed, if all of it is kept.
    moved_bytes: u64,
    pub purged: Purged,
}

/// Finds what goes.
pub fn plan(
    rows: &impl Rows,
    partition: Partition,
    retention: &Retention,
    now: Timestamp,
    usage: Usage,
) -> Result<Plan, Error> {
    let mut planner = Planner {
        rows,
        partition,
        retention,
        usage,
        now,
        plan: Plan {
            keys: BTreeSet::new(),
            commits: Vec::new(),
            bytes: 0,
            moved_bytes: 0,
            purged: Purged::default(),
        },
        moves: 0,
    };
    planner.run()?;
    Ok(planner.plan)
}

struct Planner<'a, R> {
    rows: &'a R,
    partition: Partition,
    retention: &'a Retention,
    usage: Usage,
    now: Timestamp,
    plan: Plan,
    /// What moving costs, in keys: commits that leave the journal, and stories that name them.
    moves: usize,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.commits.is_empty()
    }
}

/// A commit that leaves the journal.
pub struct OldCommit {
    pub number: u64,
    /// How many rows continue it.
    pub parts: u32,
    /// To be kept if their incidents are, which only the writer can tell.
    pub stories: Vec<OldEntries>,
}

/// The entries of one incident that are moved when their commit leaves the journal.
pub struct OldEntries {
    pub incident: IncidentNumber,
    pub rows: Vec<(Key, Vec<u8>)>,
}

impl<R: Rows> Planner<'_, R> {
    fn run(&mut self) -> Result<(), Error> {
        let (rows, retention, now) = (self.rows, self.retention, self.now);
        let mut journal = journal::all(rows, self.partition);
        let mut closed = rows.all(&Key::all(Kind::ByAge, self.partition));
        let mut next_commit = journal.next().transpose()?;
        let mut next_closed = read_next_closed(&mut closed)?;
        loop {
            let commit_at = next_commit.as_ref();
            let commit_at = commit_at.map(|it| it.head.newest.unwrap_or(Timestamp(i64::MIN)));
            let closed_at = next_closed.as_ref().map(|(at, _)| *at);
            let is_over_cap = self.is_over_cap();
            let victim = victim(retention, now, commit_at, closed_at, is_over_cap);
            let Some((victim, is_displaced)) = victim else {
                return Ok(());
            };
            if self.is_full() {
                self.plan.purged.is_more = true;
                return Ok(());
            }
            let before = self.plan.purged;
            match victim {
                Victim::Commit => {
                    if let Some(row) = next_commit.take() {
                        self.remove_commit(&row)?;
                    }
                    next_commit = journal.next().transpose()?;
                }
                Victim::Closed => {
                    if let Some((at, which)) = next_closed.take() {
                        self.remove_closed(at, which)?;
                    }
                    next_closed = read_next_closed(&mut closed)?;
                }
            }
            if is_displaced {
                let purged = &mut self.plan.purged;
                let receipts = purged.receipts - before.receipts;
                purged.displaced += receipts + (purged.incidents - before.incidents);
            }
        }
    }

    fn is_over_cap(&self) -> bool {
        let left = self.usage.history_bytes + self.plan.moved_bytes;
        let left = left.saturating_sub(self.plan.bytes);
        self.retention.is_over_cap(self.usage.used_bytes, left)
    }

    fn is_full(&self) -> bool {
        self.plan.keys.len() + self.moves >= KEYS_MAX
    }

    fn remove_commit(&mut self, row: &journal::Row) -> Result<(), Error> {
        self.plan.purged.receipts += u64::from(row.head.receipts);
        self.plan.bytes += row.bytes;
        let number = row.head.commit;
        let entries = match journal::read(self.rows, self.partition, number) {
            Ok(commit) => commit.map_or_else(Vec::new, |it| it.history.entries),
            // What is damaged goes like everything else, or it would stop all that comes later.
            Err(Error::Damaged { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut stories = Vec::new();
        for own in entries.chunk_by(|one, next| one.incident == next.incident) {
            stories.push(self.old_entries(own)?);
        }
        self.moves += 1 + row.parts as usize + stories.len() + entries.len() / ENTRIES_OF_MOVE;
        self.plan.commits.push(OldCommit {
            number,
            parts: row.parts,
            stories,
        });
        Ok(())
    }

    fn old_entries(&mut self, own: &[Entry]) -> Result<OldEntries, Error> {
        let incident = own[0].incident;
        let groups = record::encode_groups(own.iter().map(|it| (it.id.0, it)))?;
        let rows = groups.into_iter().map(|(first, group)| {
            let key = Key::entries(self.partition, incident, EntryId(first));
            self.plan.moved_bytes += (key.as_ref().len() + group.len()) as u64;
            (key, group)
        });
        let rows = rows.collect();
        Ok(OldEntries { incident, rows })
    }

    fn remove_closed(&mut self, at: Timestamp, which: Closed) -> Result<(), Error> {
        let index = which.by_age(self.partition, at);
        let is_whole = match which {
            Closed::Incident(number) => self.remove_incident(at, number)?,
            Closed::Page(id) => {
                self.remove(Key::closed_page(self.partition, id))?;
                true
            }
            Closed::Alert(id) => {
                self.remove_alert(at, id)?;
                true
            }
        };
        if is_whole {
            self.remove(index)?;
        } else {
            self.plan.purged.is_more = true;
        }
        Ok(())
    }

    /// Removes a closed incident with its pages, its alerts and its story; false if not all of it
    /// fitted into this batch. The record itself goes last, so that the rest is found again.
    fn remove_incident(&mut self, at: Timestamp, number: IncidentNumber) -> Result<bool, Error> {
        let key = Key::closed_incident(self.partition, number);
        let incident: Option<Incident> = rows::read(self.rows, &key)?;
        let closed_at = incident.as_ref().map(retention_index::incident_closed_at);
        if closed_at != Some(at) {
            // The index is out of date: it was archived again at another time.
            return Ok(true);
        }
        let pages = Key::index(Kind::PageOfIncident, self.partition, number);
        let alerts = Key::index(Kind::AlertOfIncident, self.partition, number);
        let is_whole = self.remove_parts(&pages, Self::remove_page_without_incidents)?
            && self.remove_parts(&alerts, Self::remove_alert_without_incidents)?;
        if !is_whole {
            return Ok(false);
        }
        for row in self
            .rows
            .all(&Key::index(Kind::Entries, self.partition, number))
        {
            let (key, _) = row?;
            if self.is_full() {
                return Ok(false);
            }
            self.remove(Key::read(key.as_ref()))?;
        }
        for row in self
            .rows
            .all(&Key::index(Kind::Story, self.partition, number))
        {
            let (key, _) = row?;
            if self.is_full() {
                return Ok(false);
            }
            // Stories are no history of their own, and are not counted.
            self.plan.keys.insert(Key::read(key.as_ref()));
        }
        self.remove(key)?;
        self.plan.purged.incidents += 1;
        Ok(true)
    }

    /// Removes what an index of an incident names; false if not all of it fitted.
    fn remove_parts(
        &mut self,
        index: &Key,
        remove_part: impl Fn(&mut Self, u64) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        for row in self.rows.all(index) {
            let (key, _) = row?;
            if self.is_full() {
                return Ok(false);
            }
            self.remove(Key::read(key.as_ref()))?;
            if let Some(id) = last_number(key.as_ref()) {
                remove_part(self, id)?;
            }
        }
        Ok(true)
    }

    /// A bundled page stays for as long as one of its incidents does.
    fn remove_page_without_incidents(&mut self, id: u64) -> Result<(), Error> {
        let key = Key::closed_page(self.partition, PageId(id));
        let page: Option<Page> = rows::read(self.rows, &key)?;
        let index = page.map(|page| retention_index::page_index_keys(self.partition, &page));
        self.remove_unless_kept(key, &index.unwrap_or_default())
    }

    /// An alert stays for as long as one of its incidents does.
    fn remove_alert_without_incidents(&mut self, id: u64) -> Result<(), Error> {
        let key = Key::closed_alert(self.partition, AlertId(id));
        let alert: Option<Alert> = rows::read(self.rows, &key)?;
        let index = alert.map(|alert| retention_index::alert_index_keys(self.partition, &alert));
        self.remove_unless_kept(key, &index.unwrap_or_default())
    }

    fn remove_unless_kept(&mut self, key: Key, index: &[Key]) -> Result<(), Error> {
        for row in index {
            let is_kept = !self.plan.keys.contains(row);
            if is_kept && self.rows.get(row.as_ref())?.is_some() {
                return Ok(());
            }
        }
        self.remove(key)
    }

    fn remove_alert(&mut self, at: Timestamp, id: AlertId) -> Result<(), Error> {
        let key = Key::closed_alert(self.partition, id);
        let alert: Option<Alert> = rows::read(self.rows, &key)?;
        let Some(alert) = alert.filter(|alert| retention_index::alert_closed_at(alert) == at)
        else {
            return Ok(());
        };
        for index in retention_index::alert_index_keys(self.partition, &alert) {
            self.remove(index)?;
        }
        self.remove(key)
    }

    fn remove(&mut self, key: Key) -> Result<(), Error> {
        let value = self.rows.get(key.as_ref())?;
        if let Some(value) = value {
            self.plan.bytes += rows::bytes_of(self.rows, key.as_ref(), value.as_ref())?;
            self.plan.keys.insert(key);
        }
        Ok(())
    }
}

/// Of which kind the next history is that goes.
pub enum Victim {
    /// The oldest commit of the journal, with its receipts.
    Commit,
    Closed,
}

/// Which of the two oldest goes next, and whether only because of the cap.
pub fn victim(
    retention: &Retention,
    now: Timestamp,
    commit: Option<Timestamp>,
    closed: Option<Timestamp>,
    is_over_cap: bool,
) -> Option<(Victim, bool)> {
    if commit.is_some_and(|at| at < now.minus(retention.events)) {
        return Some((Victim::Commit, false));
    }
    if closed.is_some_and(|at| at < now.minus(retention.incidents)) {
        return Some((Victim::Closed, false));
    }
    if !is_over_cap {
        return None;
    }
    match (commit, closed) {
        (None, None) => None,
        (Some(commit), closed) if closed.is_none_or(|closed| commit <= closed) => {
            Some((Victim::Commit, true))
        }
        (Some(_) | None, _) => Some((Victim::Closed, true)),
    }
}

fn read_next_closed<B: AsRef<[u8]>>(
    closed: &mut impl Iterator<Item = Result<(B, B), Error>>,
) -> Result<Option<(Timestamp, Closed)>, Error> {
    for row in closed {
        let (key, _) = row?;
        if let Some(found) = retention_index::read_by_age(key.as_ref()) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
