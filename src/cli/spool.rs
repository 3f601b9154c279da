//! Events that wait on disk until the server has taken them, oldest first.
//!
//! One folder for each server. An event belongs to the integration whose key was given with it, so
//! the fingerprint of that key (SHA-256) is kept with it; the key itself must not lie on disk. The
//! number of events is bounded; a full spool refuses, it never forgets. Events carry an id, so that
//! sending one twice does no harm.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::engine::time::Timestamp;

/// Events that may wait.
const EVENTS_MAX: usize = 1_000;

/// A folder of waiting events.
pub struct Spool {
    folder: PathBuf,
    server: String,
}

/// An event with what it is of, as it is on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpoolEntry {
    /// The address for which it is meant.
    pub server: String,
    /// The fingerprint of the key under which it was made, in hex.
    pub key_sha256: String,
    pub event: Value,
}

/// An event that waits.
#[derive(Clone, Debug)]
pub struct QueuedEvent {
    /// `None` where it could not be kept.
    pub path: Option<PathBuf>,
    pub entry: SpoolEntry,
}

/// What a look into the folder finds.
#[derive(Debug, Default)]
pub struct SpoolContents {
    /// Oldest first.
    pub waiting: Vec<QueuedEvent>,
    /// What cannot be read, each with its reason.
    pub unreadable: Vec<String>,
}

/// Why an event could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot write to {}: {source}", folder.display())]
    Disk { folder: PathBuf, source: io::Error },
    #[error(
        "the spool {} is full with {EVENTS_MAX} events: bring the server back, or remove old files",
        folder.display()
    )]
    Full { folder: PathBuf },
}

impl Spool {
    /// The spool beneath `root` for this server.
    pub fn new(root: &Path, server: &str) -> Self {
        Self {
            folder: root.join(format!("{:016x}", mark(server))),
            server: server.to_owned(),
        }
    }

    /// Keeps an event, durably. Files are named so that they sort by time.
    pub fn keep(&self, entry: &SpoolEntry, id: &str, now: Timestamp) -> Result<PathBuf, Error> {
        let disk = |source: io::Error| Error::Disk {
            folder: self.folder.clone(),
            source,
        };
        fs::create_dir_all(&self.folder).map_err(disk)?;
        if self.names().map_err(disk)?.len() >= EVENTS_MAX {
            let folder = self.folder.clone();
            return Err(Error::Full { folder });
        }
        let name = format!("{:015}-{id}", now.0.max(0));
        let text = serde_json::to_string(entry).map_err(|error| disk(error.into()))?;
        self.write(&name, &text).map_err(disk)
    }

    /// Complete or not there at all, also after a power cut.
    fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let unfinished = self.folder.join(format!("{name}.part"));
        let path = self.folder.join(format!("{name}.json"));
        let mut file = File::create(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)?;
        File::open(&self.folder)?.sync_all()?;
        Ok(path)
    }

    /// The events that wait. What cannot be read keeps nobody waiting.
    pub fn look(&self) -> SpoolContents {
        let mut found = SpoolContents::default();
        let names = match self.names() {
            Ok(names) => names,
            Err(error) => {
                let folder = self.folder.display();
                found.unreadable.push(format!("{folder}: {error}"));
                return found;
            }
        };
        for path in names.into_iter().map(|name| self.folder.join(name)) {
            match read(&path) {
                // Two addresses may share a folder.
                Ok(entry) if entry.server == self.server => found.waiting.push(QueuedEvent {
                    path: Some(path),
                    entry,
                }),
                Ok(_) => {}
                // Another `send` was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => found
                    .unreadable
                    .push(format!("{}: {error}", path.display())),
            }
        }
        found
    }

    /// Puts an event that the server will never take beside the others, for people to look at.
    pub fn set_aside(&self, path: &Path) -> io::Result<PathBuf> {
        let refused = self.folder.join("refused");
        fs::create_dir_all(&refused)?;
        let target = refused.join(path.file_name().unwrap_or_default());
        fs::rename(path, &target)?;
        Ok(target)
    }

    fn names(&self) -> io::Result<Vec<std::ffi::OsString>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            if Path::new(&name)
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}

/// Forgets an event that the server has taken.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn read(path: &Path) -> io::Result<SpoolEntry> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

/// FNV-1a: stable over versions of the compiler, so that a spool is found again after an upgrade.
/// It only names a folder; nothing is protected by it.
fn mark(server: &str) -> u64 {
    server.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(server: &str, number: u64) -> SpoolEntry {
        SpoolEntry {
            server: server.to_owned(),
            key_sha256: "00".repeat(32),
            event: json!({ "n": number }),
        }
    }

    fn numbers(spool: &Spool) -> Vec<u64> {
        let waiting = spool.look().waiting.into_iter();
        waiting
            .map(|waiting| waiting.entry.event["n"].as_u64().expect("a number"))
            .collect()
    }

    #[test]
    fn events_wait_in_order_and_are_forgotten_when_done() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let spool = Spool::new(root.path(), "http://a");
        let keep = |number: u64| {
            let now = Timestamp(1_000 * number.cast_signed());
            spool.keep(&entry("http://a", number), "x", now)
        };
        let second = keep(2).expect("there is room");
        let first = keep(1).expect("there is room");
        assert_eq!(numbers(&spool), [1, 2]);
        remove(&first).expect("it is removed");
        remove(&first).expect("twice is harmless");
        let aside = spool.set_aside(&second).expect("it is moved");
        assert!(aside.exists());
        assert_eq!(numbers(&spool), [0; 0]);
    }

    #[test]
    fn what_cannot_be_read_or_is_of_another_server_keeps_nobody_waiting() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let spool = Spool::new(root.path(), "http://a");
        let good = spool.keep(&entry("http://a", 2), "x", Timestamp(2));
        let other = spool.keep(&entry("http://b", 1), "x", Timestamp(1));
        assert!(good.is_ok() && other.is_ok(), "{good:?} {other:?}");
        fs::write(spool.folder.join("0-half.json"), "{").expect("it is written");
        let found = spool.look();
        assert_eq!(numbers(&spool), [2]);
        assert_eq!(found.unreadable.len(), 1, "{found:?}");
        assert!(found.unreadable[0].contains("0-half.json"), "{found:?}");
    }

    #[test]
    fn a_full_spool_refuses_and_keeps_what_it_has() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let spool = Spool::new(root.path(), "http://a");
        fs::create_dir_all(&spool.folder).expect("it is made");
        let text = serde_json::to_string(&entry("http://a", 1)).expect("it has a form");
        for number in 0..EVENTS_MAX {
            let path = spool.folder.join(format!("{number:015}-x.json"));
            fs::write(path, &text).expect("it is written");
        }
        let kept = spool.keep(&entry("http://a", 2), "id", Timestamp(1));
        assert!(matches!(kept, Err(Error::Full { .. })), "{kept:?}");
        assert_eq!(numbers(&spool).len(), EVENTS_MAX);
    }
}
