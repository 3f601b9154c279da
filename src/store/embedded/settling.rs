//! How the database takes over what is in the write-ahead log, many commits at a time and beside
//! further ones.

use std::fs::File;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use crate::store::directory::Directory;
use crate::store::disk::{Blobs, Disk};
use crate::store::sled::Unsettled;
use crate::store::{Error, Tree};

use super::SledStore;

/// What makes the files of the database durable.
pub struct Settler {
    /// A second handle on sled's file: sled's own flush does not reach the disk.
    file: File,
    blobs: Blobs,
    under_way: Option<TakingOver>,
}

/// What the database is taking over, and the batch with which it then ends.
struct TakingOver {
    unsettled: Unsettled,
    batches: u64,
}

impl Settler {
    /// After this all that was found in the database is durable, whoever wrote it.
    pub fn of(tree: &Tree, directory: &Directory, disk: &dyn Disk) -> Result<Self, Error> {
        let failed = |error: io::Error| directory.open_error(&error);
        let database = directory.database();
        tree.flush().map_err(|cause| directory.open_error(&cause))?;
        let file = File::open(database.join("db")).map_err(failed)?;
        let mut blobs = Blobs::of(&database).map_err(failed)?;
        blobs.sync_new(disk).map_err(failed)?;
        disk.sync_all(&file).map_err(failed)?;
        File::open(database.join("conf"))
            .and_then(|conf| disk.sync_all(&conf))
            .map_err(failed)?;
        disk.sync_folder(&database).map_err(failed)?;
        Ok(Self {
            file,
            blobs,
            under_way: None,
        })
    }

    /// Makes durable what the operating system has of the database.
    pub fn sync(&mut self, disk: &dyn Disk) -> Result<(), String> {
        let failed = |error: io::Error| error.to_string();
        self.blobs.sync_new(disk).map_err(failed)?;
        disk.sync(&self.file).map_err(failed)
    }
}

impl SledStore {
    /// Lets the database take over all that was added so far.
    pub(super) fn settle(&self) -> Result<(), Error> {
        let mut settler = self.settler();
        let is_under_way = settler.under_way.is_some();
        while self.settle_some(&mut settler)? {}
        // What was added since that began.
        while is_under_way && self.settle_some(&mut settler)? {}
        Ok(())
    }

    /// Lets the database take over a little if the log has as much as it should; where nothing else
    /// is to be done, of however little there is. Whether there is more to do now.
    pub(super) fn settle_if_due(&self, is_idle: bool) -> Result<bool, Error> {
        let mut settler = self.settler();
        let is_due = is_idle || settler.under_way.is_some();
        if !is_due && self.writer().wal.bytes() < self.wal_bytes {
            return Ok(false);
        }
        self.settle_some(&mut settler)
    }

    fn settler(&self) -> MutexGuard<'_, Settler> {
        self.settler.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the database take over a little. Whether there is more of what it is taking over.
    fn settle_some(&self, settler: &mut Settler) -> Result<bool, Error> {
        let Some(mut under_way) = self.under_way(settler)? else {
            return Ok(false);
        };
        let settled = self.tree.settle(&mut under_way.unsettled);
        let settled = settled.and_then(|more| settler.sync(&*self.disk).map(|()| more));
        if settled.map_err(|cause| self.writer().fail(cause))? {
            settler.under_way = Some(under_way);
            return Ok(true);
        }
        self.tree.end_settling(under_way.unsettled);
        self.settling_bytes.store(0, Ordering::Relaxed);
        let mut writer = self.writer();
        writer.settled = under_way.batches;
        // A marker that stays behind raises no alarm, so that this may fail.
        let _ = writer.note();
        Ok(false)
    }

    /// What the database goes on to take over; if that is nothing, all that was added so far, and
    /// the other file of the log is begun. Commits go on meanwhile.
    fn under_way(&self, settler: &mut Settler) -> Result<Option<TakingOver>, Error> {
        let mut writer = self.writer();
        writer.check()?;
        if let Some(under_way) = settler.under_way.take() {
            return Ok(Some(under_way));
        }
        let Some(unsettled) = self.tree.begin_settling() else {
            return Ok(None);
        };
        let bytes = writer.wal.bytes();
        self.settling_bytes.store(bytes, Ordering::Relaxed);
        let switched = writer.wal.switch(&*self.disk);
        switched.map_err(|error| writer.fail(error.to_string()))?;
        self.logged_bytes
            .store(writer.wal.bytes(), Ordering::Relaxed);
        let batches = writer.progress.batches;
        Ok(Some(TakingOver { unsettled, batches }))
    }
}
