//! The one tree on sled. This is the only file that names sled.
//!
//! Everything that goes into sled is guarded against its panics. What was learnt by measuring
//! sled 0.34 and is kept to here and in `embedded/`: one tree, one writer, batches that are
//! durable in the write-ahead log before; flush, then an own fdatasync through a second handle;
//! no flushing in the background, no transactions, no subscribers; short values.

use std::any::Any;
use std::fs::{File, TryLockError};
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, mpsc};
use std::time::Duration;

use ::sled::{Db, IVec};

use super::Error;
use super::ahead::{Ahead, Merged, RowsAhead};
use super::keys::{Key, describe};
use super::rows::Rows;
use super::tap::{Overrun, Tap, TappedRows};

/// How long another holder of sled's file is waited for.
const RELEASE_LIMIT: Duration = Duration::from_secs(5);

/// Rows that sled applies at a time: nobody can read meanwhile.
const ROWS_OF_BATCH: usize = 16;

/// About so many bytes of rows are taken over before they are made durable.
///
/// sled takes for durable what it has only asked the system to write, and then writes over the
/// place of what that replaced. Its segments have 512 KiB: while what is not durable yet is far
/// shorter, the earlier form of it is still there.
const SLICE_BYTES: usize = 64 * 1024;

/// What a row counts at least: also for a short one, or one that goes, a leaf may be written anew.
const ROW_BYTES_MIN: usize = 1024;

/// Rows in sled.
pub struct Tree {
    db: Db,
    ahead: RwLock<Ahead<IVec>>,
    /// Held for writing while a batch is added, which is done row by row.
    adding: RwLock<()>,
    /// While a backup is made.
    tap: Mutex<Option<Tap<IVec>>>,
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
            ahead: RwLock::default(),
            adding: RwLock::new(()),
            tap: Mutex::default(),
        })
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.db.is_empty()
    }

    /// Adds rows: they are read from now on, and in the database once it has settled.
    pub fn add(&self, rows: impl IntoIterator<Item = (Key, Option<Vec<u8>>)>) {
        let _adding = self.adding.write().unwrap_or_else(PoisonError::into_inner);
        let mut ahead = self.ahead.write().unwrap_or_else(PoisonError::into_inner);
        let mut tap = self.tap();
        for (key, value) in rows {
            let value = value.map(IVec::from);
            if let Some(tap) = &mut *tap {
                tap.add(&key, value.as_ref());
            }
            ahead.add(key, value);
        }
    }

    /// From now on each row that is added is also kept for [`Self::drain_tap`], up to so many
    /// bytes.
    pub fn open_tap(&self, bytes_max: usize) {
        *self.tap() = Some(Tap::new(bytes_max));
    }

    /// What was added since the tap was opened or last drained, in order. Whatever this gives can
    /// be read in the tree already.
    pub fn drain_tap(&self) -> Result<TappedRows<IVec>, Overrun> {
        self.tap().as_mut().map_or(Ok(Vec::new()), Tap::drain)
    }

    /// Nothing is kept any more.
    pub fn close_tap(&self) {
        *self.tap() = None;
    }

    fn tap(&self) -> MutexGuard<'_, Option<Tap<IVec>>> {
        self.tap.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the database is to take over of what was added; nothing if it has all.
    pub fn begin_settling(&self) -> Option<Unsettled> {
        let mut ahead = self.ahead.write().unwrap_or_else(PoisonError::into_inner);
        (!ahead.has_nothing_fresh()).then(|| Unsettled {
            rows: ahead.begin_settling(),
            reached: None,
        })
    }

    /// Takes the next of these over and gives them to the operating system; whoever calls makes
    /// them durable before the next call. Whether there are more.
    ///
    /// The first row, which says how far the database is, goes last, with a few that are left: all
    /// others are durable then. Where that is not reached, the next start takes over all of them
    /// once more.
    pub fn settle(&self, unsettled: &mut Unsettled) -> Result<bool, String> {
        let Some(first) = unsettled.rows.first_key_value() else {
            return Ok(false);
        };
        let mut reached = unsettled.reached.as_ref().unwrap_or(first.0);
        let rows = (unsettled.rows).range::<Key, _>((Bound::Excluded(reached), Bound::Unbounded));
        let mut rows = rows.peekable();
        let (mut bytes, mut more) = (0, true);
        while bytes < SLICE_BYTES && more {
            let mut batch: Vec<_> = rows.by_ref().take(ROWS_OF_BATCH - 1).collect();
            let is_last = rows.peek().is_none();
            if is_last && bytes > 0 {
                break;
            }
            more = !is_last;
            let lengths = batch
                .iter()
                .map(|(_, value)| value.as_ref().map_or(0, |it| it.len()));
            bytes += lengths.map(|it| it.max(ROW_BYTES_MIN)).sum::<usize>();
            reached = batch.last().map_or(reached, |(key, _)| key);
            batch.extend(is_last.then_some(first));
            self.apply(&batch)?;
        }
        unsettled.reached = Some(reached.clone());
        self.flush()?;
        Ok(more)
    }

    fn apply(&self, rows: &[(&Key, &Option<IVec>)]) -> Result<(), String> {
        let mut batch = ::sled::Batch::default();
        for (key, value) in rows {
            match value {
                Some(value) => batch.insert(key.as_ref(), value),
                None => batch.remove(key.as_ref()),
            }
        }
        guarded(|| self.db.apply_batch(batch)).map_err(Failure::cause)
    }

    /// Gives all that was taken over to the operating system.
    pub fn flush(&self) -> Result<(), String> {
        guarded(|| self.db.flush()).map_err(Failure::cause)?;
        Ok(())
    }

    /// They are in the database and durable.
    pub fn end_settling(&self, unsettled: Unsettled) {
        let mut ahead = self.ahead.write().unwrap_or_else(PoisonError::into_inner);
        let settled = ahead.end_settling();
        drop(ahead);
        // Many rows go here, and nobody waits for it.
        drop((settled, unsettled));
    }

    /// Adds rows and lets the database take them over at once, together with what was added before.
    /// `sync` makes durable what the operating system has.
    pub fn add_settled(
        &self,
        rows: impl IntoIterator<Item = (Key, Option<Vec<u8>>)>,
        mut sync: impl FnMut() -> Result<(), String>,
    ) -> Result<(), String> {
        self.add(rows);
        if let Some(mut unsettled) = self.begin_settling() {
            while self.settle(&mut unsettled)? {
                sync()?;
            }
            sync()?;
            self.end_settling(unsettled);
        }
        Ok(())
    }

    fn ahead(&self) -> RwLockReadGuard<'_, Ahead<IVec>> {
        self.ahead.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the database is taking over.
pub struct Unsettled {
    rows: Arc<RowsAhead<IVec>>,
    /// The last row that it has taken over.
    reached: Option<Key>,
}

impl Rows for Tree {
    type Bytes = IVec;

    fn get(&self, key: &[u8]) -> Result<Option<IVec>, Error> {
        if let Some(known) = self.ahead().get(&Key::read(key)) {
            return Ok(known);
        }
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
        // In this order: what the database takes over meanwhile is known twice and given once.
        let ahead = self.ahead().range(from, to);
        let database = GuardedIter {
            what: describe(from.as_ref()),
            rows: self.db.range(from.as_ref()..to.as_ref()),
        };
        Merged::new(ahead, database)
    }

    fn hold(&self) -> impl Sized {
        self.adding.read().unwrap_or_else(PoisonError::into_inner)
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
