//! The new store that what was read is written into.

use std::path::Path;

use crate::engine::counters::Counters;
use crate::engine::ids::{
    AlertId, AttemptId, EntryId, IncidentNumber, OverrideId, PageId, ReceiptId, SilenceId, TaskId,
};
use crate::engine::records::{Change, Record};
use crate::store::{Batch, Clocks, Error, Options, Partition, SledStore, Store};

use super::reading::Piece;

/// Changes of one commit of a new store.
const CHANGES_MAX: usize = 500;
/// Where it is not known which numbers were given last, as many are left out: a link in a message
/// that was sent must never open something else. What was stored is no help where commits are
/// lost: numbers were given after it.
pub const NUMBERS_LEFT_OUT: u64 = 10_000;

/// A new store that is being filled.
pub struct Target {
    store: SledStore,
    clocks: Option<Clocks>,
    batch: Batch,
    next: Counters,
    stored: Option<Counters>,
    /// The newest moments that were met.
    newest: Clocks,
}

impl Target {
    pub fn open(path: &Path, options: Options, clocks: Option<Clocks>) -> Result<Self, Error> {
        Ok(Self {
            store: SledStore::open(path, options)?,
            clocks,
            batch: Batch::default(),
            next: Counters::default(),
            stored: None,
            newest: Clocks::default(),
        })
    }

    pub fn take(&mut self, piece: Piece) -> Result<(), Error> {
        match piece {
            Piece::Change(Change::Put(Record::Counters(counters))) => self.stored = Some(counters),
            Piece::Change(change) => {
                self.note(&change);
                // An alert may be open and, as it left another incident, in history.
                let is_archive = |change: &Change| matches!(change, Change::Archive(_));
                let first = self.batch.changes.first();
                if first.is_some_and(|first| is_archive(first) != is_archive(&change)) {
                    self.commit()?;
                }
                self.batch.changes.push(change);
            }
            Piece::Document(document) => self.batch.documents.push(document),
        }
        if self.batch.changes.len() + self.batch.documents.len() >= CHANGES_MAX {
            self.commit()?;
        }
        Ok(())
    }

    /// Keeps the next numbers above all that are met.
    fn note(&mut self, change: &Change) {
        let next = &mut self.next;
        match change {
            Change::Receipt(receipt) => {
                next.receipt.0 = next.receipt.0.max(receipt.id.0 + 1);
                self.newest.wall = self.newest.wall.max(receipt.at);
            }
            Change::Entry(entry) => {
                next.entry.0 = next.entry.0.max(entry.id.0 + 1);
                raise(next, entry.incident);
                self.newest.wall = self.newest.wall.max(entry.at);
            }
            Change::Put(record) => self.note_record(record),
            Change::Archive(record) => self.note_record(&record.record()),
            Change::Drop(_) => {}
        }
    }

    fn note_record(&mut self, record: &Record) {
        let next = &mut self.next;
        match record {
            Record::Alert(alert) => {
                next.alert = next.alert.max(AlertId(alert.id.0 + 1));
                alert.incidents.iter().for_each(|known| raise(next, *known));
                let entered = alert.entered.unwrap_or_default();
                self.newest.steady = self.newest.steady.max(entered);
            }
            Record::Incident(incident) => {
                raise(next, incident.number);
                self.newest.wall = self.newest.wall.max(incident.opened_at);
            }
            Record::Page(page) => {
                let incidents = page.incidents.iter();
                incidents.for_each(|known| raise(next, known.number));
                next.page = next.page.max(PageId(page.id.0 + 1));
                let attempts = page.attempts.iter().map(|it| AttemptId(it.id.0 + 1));
                next.attempt = attempts.fold(next.attempt, Ord::max);
                self.newest.steady = self.newest.steady.max(page.created);
                self.newest.wall = self.newest.wall.max(page.created_at);
            }
            Record::Silence(silence) => {
                next.silence.0 = next.silence.0.max(silence.id.0 + 1);
            }
            Record::Override(known) => {
                next.override_.0 = next.override_.0.max(known.id.0 + 1);
            }
            Record::Group(_)
            | Record::Person(_)
            | Record::Channel(_)
            | Record::Sender(_)
            | Record::Provider(_)
            | Record::Dependent(_)
            | Record::StatusComponent(_)
            | Record::StatusPost(_)
            | Record::ServiceAlert(_)
            | Record::PolicySnapshot(_)
            | Record::Counters(_)
            | Record::Jump(_) => {}
            Record::Task(task) => next.task = next.task.max(TaskId(task.id.0 + 1)),
        }
    }

    fn commit(&mut self) -> Result<(), Error> {
        let mut batch = std::mem::take(&mut self.batch);
        batch.clocks = self.clocks.unwrap_or_default();
        let partition = Partition::default();
        let epoch = self.store.claim(partition)?;
        self.store.commit(partition, epoch, &batch)
    }

    /// Where something was lost it is not known which numbers were given last.
    pub fn finish(mut self, is_whole: bool) -> Result<(), Error> {
        let next = self.next_numbers(if is_whole { 0 } else { NUMBERS_LEFT_OUT });
        self.batch.changes.push(Change::Put(Record::Counters(next)));
        // Waits go on from the last moment that is known, and what the next start finds past since
        // then is no jump of the clock.
        let stored = self.clocks.unwrap_or_default();
        self.clocks = Some(Clocks {
            wall: stored.wall.max(self.newest.wall),
            steady: stored.steady.max(self.newest.steady),
        });
        self.commit()?;
        Ok(())
    }

    fn next_numbers(&self, left_out: u64) -> Counters {
        let met = self.next;
        let stored = self.stored.unwrap_or_default();
        let above = |stored: u64, met: u64| stored.max(met).saturating_add(left_out);
        Counters {
            incident: IncidentNumber(above(stored.incident.0, met.incident.0)),
            alert: AlertId(above(stored.alert.0, met.alert.0)),
            page: PageId(above(stored.page.0, met.page.0)),
            attempt: AttemptId(above(stored.attempt.0, met.attempt.0)),
            receipt: ReceiptId(above(stored.receipt.0, met.receipt.0)),
            silence: SilenceId(above(stored.silence.0, met.silence.0)),
            override_: OverrideId(above(stored.override_.0, met.override_.0)),
            entry: EntryId(above(stored.entry.0, met.entry.0)),
            task: TaskId(above(stored.task.0, met.task.0)),
            started: stored.started,
            quick_starts: stored.quick_starts,
        }
    }
}

/// The next incident comes after this one.
fn raise(next: &mut Counters, incident: IncidentNumber) {
    next.incident = next.incident.max(IncidentNumber(incident.0 + 1));
}
