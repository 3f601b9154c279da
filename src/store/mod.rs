//! Keeping state durable. The unit is the batch of decisions, not the key.
//!
//! The trait is all that the rest knows; `memory/` and `sled.rs` implement it and pass the same
//! contract tests (`contract/`).

mod active;
mod ahead;
mod backup;
mod checkpoint;
#[cfg(test)]
mod contract;
mod directory;
mod disk;
mod embedded;
mod error;
mod history;
mod journal;
mod keys;
mod kind;
mod load;
mod marker;
mod memory;
mod new_directory;
mod packed;
mod purge;
mod record;
mod repair;
mod rescue;
mod retention_index;
mod rows;
mod salvage;
mod sled;
mod story;
mod tap;
mod wal;
mod writes;

pub use self::backup::{Manifest, RestorePhase, Tell, restore, verify};
pub use self::disk::{Disk, RealDisk};
pub use self::embedded::{Options, SledStore};
pub use self::error::Error;
pub use self::memory::{CommitFault, MemoryStore};
pub use self::rescue::{Survey, check, save};

use self::sled::{Failure, Tree};

use std::io::Write;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::alert::Alert;
use crate::engine::ids::{EntryId, IncidentNumber, PageId, ReceiptId, Revision};
use crate::engine::incident::Incident;
use crate::engine::page::Page;
use crate::engine::records::{Change, Entry, Receipt, Record};
use crate::engine::time::{Duration, MonotonicTime, Timestamp};

/// The unit of single-writer state: one whole routing tree with its people and limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partition(pub u32);

/// Fences an owner that was replaced. Constant for the embedded store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// The clocks at the last commit, from which the steady line goes on after a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    pub wall: Timestamp,
    pub steady: MonotonicTime,
}

/// All that one group commit makes durable, or nothing of it.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// In order; of several on one key the last counts.
    pub changes: Vec<Change>,
    /// Documents beside the state: rule sets, tokens, keys, secrets. `None` removes.
    pub documents: Vec<DocumentWrite>,
    pub clocks: Clocks,
}

/// Sets or removes a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentWrite {
    pub kind: DocumentKind,
    pub name: String,
    /// `None` removes.
    pub bytes: Option<Vec<u8>>,
}

/// Kinds of documents that the store keeps without knowing what is in them. The numbers are
/// stored: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum DocumentKind {
    /// A rule set; the name is its revision in ten digits.
    Rules = 1,
    /// An API token, by its id; only the hash is in it.
    Token = 2,
    /// A key of an integration made through the API, by its id; only the hash is in it.
    Key = 3,
    /// A secret of this installation, such as that of acknowledge tokens.
    Secret = 4,
    /// Audit of administrative acts, by increasing id.
    Audit = 5,
    /// Of which integration a key is or was, by the hash of the key.
    KeyFingerprint = 6,
}

/// The secret of links, among the documents. The hash of the admin token, the other secret, is not
/// there where the environment gives the token.
pub const LINKS_SECRET: &str = "links";

/// What a start loads.
#[derive(Debug, Default)]
pub struct Loaded {
    /// All active records, in no particular order.
    pub records: Vec<Record>,
    /// Receipts of the last hour that carry an event id or speak of an unknown alert, oldest
    /// first, without what was sent.
    pub receipts: Vec<Arc<Receipt>>,
    pub clocks: Clocks,
}

/// A position in a list, newest first: results are strictly older.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(pub u64);

/// A part of a list by ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Those above this one, lowest first.
    After(u64),
    /// Those below this one, highest first.
    Before(u64),
}

impl Span {
    /// From the beginning, lowest first.
    pub const ALL: Self = Self::After(0);
}

/// How long history is kept, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Receipts.
    pub events: Duration,
    /// Closed incidents with their pages and stories.
    pub incidents: Duration,
    /// Cap on disk use in bytes; the oldest history goes first.
    pub disk_bytes: u64,
}

impl Retention {
    /// Whether history has to go. The database's files were measured at three to four times of
    /// what is in them and shrink slowly, so that this is asked long before they are at the cap.
    pub fn is_over_cap(self, used_bytes: u64, history_bytes: u64) -> bool {
        used_bytes > self.disk_bytes / 2 && history_bytes > self.disk_bytes / 4
    }
}

/// What a purge removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    pub receipts: u64,
    pub incidents: u64,
    /// How many of them went because of the cap.
    pub displaced: u64,
    /// Whether there is more to purge now.
    pub is_more: bool,
}

/// Durable state of partitions, with their history and documents. Calls block; they are made from
/// threads that may.
pub trait Store: Send + Sync {
    /// Becomes the owner; the epoch must be given with each commit.
    fn claim(&self, partition: Partition) -> Result<Epoch, Error>;

    /// All active records.
    fn load(&self, partition: Partition, now: Timestamp) -> Result<Loaded, Error>;

    /// Durable and all-or-nothing when it returns `Ok`. After an error nothing more is accepted.
    fn commit(&self, partition: Partition, epoch: Epoch, batch: &Batch) -> Result<(), Error>;

    /// One receipt.
    fn receipt(&self, partition: Partition, id: ReceiptId) -> Result<Option<Receipt>, Error>;

    /// Receipts, newest first.
    fn receipts(
        &self,
        partition: Partition,
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Receipt>, Error>;

    /// The story of an incident, oldest first, after an entry.
    fn entries(
        &self,
        partition: Partition,
        incident: IncidentNumber,
        after: Option<EntryId>,
        limit: usize,
    ) -> Result<Vec<Entry>, Error>;

    /// A closed incident.
    fn closed_incident(
        &self,
        partition: Partition,
        number: IncidentNumber,
    ) -> Result<Option<Incident>, Error>;

    /// Closed incidents, highest number first.
    fn closed_incidents(
        &self,
        partition: Partition,
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Incident>, Error>;

    /// A page kept in history.
    fn closed_page(&self, partition: Partition, page: PageId) -> Result<Option<Page>, Error>;

    /// Pages of an incident that are kept in history.
    fn closed_pages(
        &self,
        partition: Partition,
        incident: IncidentNumber,
        span: Span,
        limit: usize,
    ) -> Result<Vec<Page>, Error>;

    /// How many pages of an incident are kept in history.
    fn closed_pages_total(
        &self,
        partition: Partition,
        incident: IncidentNumber,
    ) -> Result<usize, Error>;

    /// Alerts as they were when they left an incident, or when it closed.
    fn closed_alerts(
        &self,
        partition: Partition,
        incident: IncidentNumber,
        span: Span,
        limit: usize,
    ) -> Result<Vec<Alert>, Error>;

    /// One document.
    fn document(&self, kind: DocumentKind, name: &str) -> Result<Option<Vec<u8>>, Error>;

    /// Documents of a kind by name: the last ones before `before` (or the very last), newest name
    /// first.
    fn documents(
        &self,
        kind: DocumentKind,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, Error>;

    /// Removes a small batch of history that is too old or over the cap. Never touches what pages.
    fn purge(
        &self,
        partition: Partition,
        retention: &Retention,
        now: Timestamp,
    ) -> Result<Purged, Error>;

    /// One small step, beside commits, of making the next start quick and giving back the space of
    /// what was changed since. Whether there is more to do now.
    fn checkpoint(&self) -> Result<bool, Error>;

    /// Writes a backup beside the commits: all as it is after one of them, which it names. Only a
    /// store on disk has any; one at a time. Fails, and does the store no harm, where what is
    /// committed meanwhile is much more than `out` takes.
    fn backup(&self, made_at: Timestamp, out: &mut dyn Write) -> Result<Manifest, Error>;

    /// About how many bytes a backup has.
    fn backup_bytes(&self) -> u64;

    /// Bytes free on the store's disk; `None` when it has none.
    fn free_bytes(&self) -> Option<u64>;

    /// Bytes that the store uses on disk.
    fn used_bytes(&self) -> u64;
}

/// Name of a rule set among the documents.
pub fn revision_name(revision: Revision) -> String {
    format!("{:010}", revision.0)
}
