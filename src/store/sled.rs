//! The one tree on sled. This is the only file that names sled.
//!
//! Everything that goes into sled is guarded against its panics. What was learnt by measuring
//! sled 0.34 and is kept to here and in `embedded/`: one tree, one writer, one batch a commit;
//! flush, then an own fdatasync through a second handle, then the answer; no flushing in the
//! background, no transactions, no subscribers; short values.

use std::any::Any;
use std::fs::{File, TryLockError};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{PoisonError, RwLock, mpsc};
use std::time::Duration;

use ::sled::{Db, IVec};

use super::Error;
use super::keys::{Key, describe};
use super::rows::Rows;
use super::writes::Writes;

/// How long another holder of sled's file is waited for.
const RELEASE_LIMIT: Duration = Duration::from_secs(5);

/// Rows in sled.
pub struct Tree {
    db: Db,
    /// Held for writing while a batch is applied, which sled does row by row.
    applying: RwLock<()>,
}

/// Why the database did not do as asked.
pub enum Failure {
    /// A copy may be repaired.
    Damaged(String),
    Other(String),
}

impl Failure {
    /// What to tell people.
    pub fn cause(self) -> String {
        match self {
            Self::Damaged(cause) | Self::Other(cause) => cause,
        }
    }
}

impl Tree {
    /// Opens the tree in a folder, or makes a new one.
    pub fn open(database: &Path, cache_bytes: u64) -> Result<Self, Failure> {
        wait_until_released(database)?;
        let config = ::sled::Config::new()
            .path(database)
            .flush_every_ms(None)
            .cache_capacity(cache_bytes);
        Ok(Self {
            db: guarded(|| config.open())?,
            applying: RwLock::new(()),
        })
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.db.is_empty()
    }

    /// Gives all that was applied to the operating system. This does not yet make it durable.
    pub fn flush(&self) -> Result<(), String> {
        guarded(|| self.db.flush()).map_err(Failure::cause)?;
        Ok(())
    }

    /// Applies all rows, or after a crash none of them.
    pub fn apply(&self, writes: &Writes) -> Result<(), String> {
        let mut batch = ::sled::Batch::default();
        for (key, value) in &writes.rows {
            match value {
                Some(value) => batch.insert(key.as_ref(), &value[..]),
                None => batch.remove(key.as_ref()),
            }
        }
        let _applying = self
            .applying
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        guarded(|| self.db.apply_batch(batch)).map_err(Failure::cause)
    }
}

impl Rows for Tree {
    type Bytes = IVec;

    fn get(&self, key: &[u8]) -> Result<Option<IVec>, Error> {
        guarded(|| self.db.get(key)).map_err(|failure| Error::Read {
            what: describe(key),
            cause: failure.cause(),
        })
    }

    fn range<'a>(
        &'a self,
        from: &Key,
        to: &Key,
    ) -> impl DoubleEndedIterator<Item = Result<(IVec, IVec), Error>> + use<'a> {
        GuardedIter {
            what: describe(from.as_ref()),
            rows: self.db.range(from.as_ref()..to.as_ref()),
        }
    }

    fn hold(&self) -> impl Sized {
        self.applying.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// sled's threads may hold its file a moment longer than the database that was dropped, and sled
/// gives up at once where somebody holds it.
fn wait_until_released(database: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::Other(error.to_string());
    let file = match File::open(database.join("db")) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    match file.try_lock() {
        Ok(()) => return Ok(()),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let (released, wait) = mpsc::channel();
    // A lock cannot be waited for with a limit; the thread ends with the lock or the process.
    std::thread::spawn(move || {
        let locked = file.lock();
        drop(file);
        let _ = released.send(locked);
    });
    match wait.recv_timeout(RELEASE_LIMIT) {
        Ok(locked) => locked.map_err(failed),
        Err(_) => Err(Failure::Other(format!(
            "another program has held the database for {} s: stop it",
            RELEASE_LIMIT.as_secs()
        ))),
    }
}

/// Rows of a range, read under guard.
struct GuardedIter {
    what: String,
    rows: ::sled::Iter,
}

impl GuardedIter {
    fn step(
        &mut self,
        step: impl FnOnce(&mut ::sled::Iter) -> Option<::sled::Result<(IVec, IVec)>>,
    ) -> Option<Result<(IVec, IVec), Error>> {
        let row = guarded(|| step(&mut self.rows).transpose());
        let row = row.map_err(|failure| Error::Read {
            what: format!("what follows {}", self.what),
            cause: failure.cause(),
        });
        row.transpose()
    }
}

impl Iterator for GuardedIter {
    type Item = Result<(IVec, IVec), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step(Iterator::next)
    }
}

impl DoubleEndedIterator for GuardedIter {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.step(DoubleEndedIterator::next_back)
    }
}

/// Calls into sled; its panics become failures.
fn guarded<T>(call: impl FnOnce() -> ::sled::Result<T>) -> Result<T, Failure> {
    use ::sled::Error as Sled;
    let result = match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result,
        Err(panic) => return Err(Failure::Damaged(panic_text(&*panic))),
    };
    result.map_err(|error| match &error {
        Sled::Io(cause) => match cause.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
                Failure::Damaged(error.to_string())
            }
            _ => Failure::Other(error.to_string()),
        },
        Sled::Corruption { .. } | Sled::ReportableBug(_) | Sled::CollectionNotFound(_) => {
            Failure::Damaged(error.to_string())
        }
        Sled::Unsupported(_) => Failure::Other(error.to_string()),
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or(owned).unwrap_or("no reason given");
    format!("the database panicked: {text}")
}
