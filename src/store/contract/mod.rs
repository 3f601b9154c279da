//! What every store must do, run against each of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::ids::{EntryId, IncidentNumber, PageId, ReceiptId, Revision};
use crate::engine::records::{Archived, Change, Entry, Receipt, Record, RecordKey};
use crate::engine::time::{Duration, MonotonicTime, Timestamp};

use super::{
    Batch, Clocks, CommitFault, Cursor, DocumentKind, DocumentWrite, Epoch, Error, MemoryStore,
    Options, Partition, Purged, Retention, SledStore, Span, Store, revision_name,
};
use crate::engine::samples::{self, START};

pub mod equal;
mod history;
mod purging;
mod state;

pub const HOME: Partition = Partition(0);
pub const KEEP_ALL: Retention = Retention {
    events: Duration::days(30),
    incidents: Duration::days(400),
    disk_bytes: u64::MAX,
};

/// A store that can be killed and started again.
pub trait Subject: Sized {
    fn fresh() -> Self;
    fn store(&self) -> &dyn Store;
    /// As a new process finds it.
    fn reopened(self) -> Self;
    /// One in which the next commit fails.
    fn failing() -> Self;
}

pub struct InMemory(MemoryStore);

impl Subject for InMemory {
    fn fresh() -> Self {
        Self(MemoryStore::new())
    }

    fn store(&self) -> &dyn Store {
        &self.0
    }

    fn reopened(self) -> Self {
        Self(self.0.snapshot_durable())
    }

    fn failing() -> Self {
        let subject = Self::fresh();
        subject.0.fail_next_commit(CommitFault::Lost);
        subject
    }
}

pub struct OnDisk {
    store: SledStore,
    directory: tempfile::TempDir,
}

/// Options that do not take much of the machine that runs the tests.
pub fn small() -> Options {
    Options {
        cache_bytes: 8 * 1024 * 1024,
        reserve_bytes: 0,
        checkpoint_bytes: 4 * 1024,
        wal_bytes: 16 * 1024,
        ..Options::default()
    }
}

struct FailingDisk;

impl super::Disk for FailingDisk {
    fn before_flush(&self) -> std::io::Result<()> {
        Err(std::io::Error::other("no space left"))
    }
}

impl OnDisk {
    fn with(options: Options) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = SledStore::open(directory.path(), options).unwrap();
        Self { store, directory }
    }
}

impl Subject for OnDisk {
    fn fresh() -> Self {
        Self::with(small())
    }

    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn reopened(self) -> Self {
        let Self { store, directory } = self;
        drop(store);
        let store = SledStore::open(directory.path(), small()).unwrap();
        Self { store, directory }
    }

    fn failing() -> Self {
        Self::with(Options {
            disk: Arc::new(FailingDisk),
            ..small()
        })
    }
}

macro_rules! contract {
    ($($part:ident::$behaviour:ident,)*) => {
        mod memory {
            $(#[test] fn $behaviour() { super::$part::$behaviour::<super::InMemory>(); })*
        }
        mod embedded {
            $(#[test] fn $behaviour() { super::$part::$behaviour::<super::OnDisk>(); })*
        }
    };
}

contract! {
    state::an_empty_store_holds_nothing,
    state::what_was_committed_is_there_after_a_restart,
    state::of_several_changes_on_one_record_the_last_counts,
    state::a_record_of_any_size_is_kept_whole_and_replaced_whole,
    state::an_archived_record_moves_into_history,
    state::partitions_do_not_see_each_other,
    state::another_epoch_is_refused_and_does_no_harm,
    state::after_a_failed_commit_nothing_more_is_accepted,
    history::a_receipt_is_found_by_its_id_wherever_it_lies,
    history::receipts_come_newest_first_in_pages,
    history::a_story_comes_oldest_first_in_pages,
    history::closed_incidents_come_highest_first_in_pages,
    history::pages_and_alerts_are_found_by_each_of_their_incidents,
    history::pages_and_alerts_of_an_incident_come_in_parts_from_either_end,
    history::documents_are_set_replaced_removed_and_listed_last_name_first,
    history::a_start_loads_receipts_of_the_last_hour_that_can_still_decide,
    purging::a_purge_removes_what_is_older_than_it_is_kept,
    purging::a_purge_never_touches_what_is_open,
    purging::a_story_is_read_whole_while_the_receipts_beside_it_go,
    purging::what_was_kept_under_a_clock_that_was_ahead_stops_no_purge,
    purging::a_bundled_page_stays_as_long_as_one_of_its_incidents,
    purging::an_alert_goes_with_the_last_of_its_incidents,
    purging::over_the_cap_the_oldest_history_goes_first,
    purging::a_purge_goes_in_small_steps,
}

pub fn commit(store: &dyn Store, changes: Vec<Change>) {
    let batch = Batch {
        changes,
        ..Batch::default()
    };
    commit_batch(store, &batch);
}

pub fn commit_batch(store: &dyn Store, batch: &Batch) {
    let epoch = store.claim(HOME).unwrap();
    store.commit(HOME, epoch, batch).unwrap();
}

pub fn put(record: impl Into<Record>) -> Change {
    Change::Put(record.into())
}

pub fn receipt_change(receipt: Receipt) -> Change {
    Change::Receipt(receipt.into())
}

fn entry_change(incident: u64, id: u64) -> Change {
    Change::Entry(samples::entry(incident, id).into())
}

fn archive_incident(number: u64, at: Timestamp) -> Change {
    let incident = samples::resolved_incident(number, at);
    Change::Archive(Archived::Incident(incident.into()))
}

fn archive_page(id: u64, incidents: &[u64]) -> Change {
    Change::Archive(Archived::Page(samples::page(id, incidents).into()))
}

fn archive_alert(id: u64, incidents: &[u64]) -> Change {
    let mut alert = samples::alert(id);
    alert.incidents = incidents
        .iter()
        .map(|number| IncidentNumber(*number))
        .collect();
    Change::Archive(Archived::Alert(alert.into()))
}

pub fn loaded(store: &dyn Store) -> BTreeMap<RecordKey, Record> {
    let records = store.load(HOME, START).unwrap().records;
    records.into_iter().map(|it| (it.key(), it)).collect()
}

fn receipt_ids(receipts: &[Receipt]) -> Vec<u64> {
    receipts.iter().map(|receipt| receipt.id.0).collect()
}

fn entry_ids(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.id.0).collect()
}
