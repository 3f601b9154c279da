//! How the database takes over what is in the write-ahead log, many commits at a time and beside
//! further ones.

use std::fs::File;
use std::io;
use std::sync::PoisonError;

use crate::store::directory::Directory;
use crate::store::disk::{Blobs, Disk};
use crate::store::{Error, Tree};

use super::SledStore;

/// What makes the files of the database durable.
pub struct Settler {
    /// A second handle on sled's file: sled's own flush does not reach the disk.
    file: File,
    blobs: Blobs,
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
        Ok(Self { file, blobs })
    }
}

impl SledStore {
    /// Lets the database take over all that was added so far, and begins the other file of the
    /// log. Commits go on meanwhile.
    pub(super) fn settle(&self) -> Result<(), Error> {
        let mut settler = self.settler.lock().unwrap_or_else(PoisonError::into_inner);
        let (unsettled, batches) = {
            let mut writer = self.writer();
            writer.check()?;
            let Some(unsettled) = self.tree.begin_settling() else {
                return Ok(());
            };
            let switched = writer.wal.switch(&*self.disk);
            switched.map_err(|error| writer.fail(error.to_string()))?;
            (unsettled, writer.progress.batches)
        };
        let settled = self.tree.settle(&unsettled);
        let settled = settled.and_then(|()| self.sync_database(&mut settler));
        let mut writer = self.writer();
        settled.map_err(|cause| writer.fail(cause))?;
        self.tree.end_settling(unsettled);
        writer.settled = batches;
        // A marker that stays behind raises no alarm, so that this may fail.
        let _ = writer.note();
        Ok(())
    }

    fn sync_database(&self, settler: &mut Settler) -> Result<(), String> {
        let failed = |error: io::Error| error.to_string();
        settler.blobs.sync_new(&*self.disk).map_err(failed)?;
        self.disk.sync(&settler.file).map_err(failed)
    }

    /// Lets the database take over if the log has as much as it should.
    pub(super) fn settle_if_due(&self) -> Result<(), Error> {
        let bytes = self.writer().wal.bytes();
        if bytes < self.wal_bytes {
            return Ok(());
        }
        self.settle()
    }
}
