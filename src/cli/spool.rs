//! Events that wait on disk until the server has taken them, oldest first.
//!
//! One folder for each server and key, because an event belongs to the integration whose key was
//! given with it, and the key itself must not lie on disk. The number of events is bounded; a full
//! spool refuses, it never forgets. Events carry an id, so that sending one twice does no harm.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::engine::time::Wall;

/// Events that may wait.
const EVENTS_MAX: usize = 1_000;

/// A folder of waiting events.
pub struct Spool {
    folder: PathBuf,
}

/// An event that waits.
pub struct Waiting {
    path: PathBuf,
    pub event: String,
}

/// Why an event could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "failed to keep the event in {}: {source}; give a folder with --spool",
        folder.display()
    )]
    Disk { folder: PathBuf, source: io::Error },
    #[error(
        "the spool {} is full with {EVENTS_MAX} events: bring the server back, or remove old files",
        folder.display()
    )]
    Full { folder: PathBuf },
}

impl Spool {
    /// The spool beneath `root` for this server and key.
    pub fn new(root: &Path, url: &str, key: &str) -> Self {
        let mark = fingerprint(&[url.trim_end_matches('/'), key]);
        Self {
            folder: root.join(format!("{mark:016x}")),
        }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps an event, durably. Files are named so that they sort by time.
    pub fn keep(&self, event: &Value, id: &str, now: Wall) -> Result<(), Error> {
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
        self.write(&name, &event.to_string()).map_err(disk)
    }

    /// Complete or not there at all, also after a power cut.
    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let unfinished = self.folder.join(format!("{name}.part"));
        let mut file = File::create(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, self.folder.join(format!("{name}.json")))?;
        File::open(&self.folder)?.sync_all()
    }

    /// The events that wait, oldest first.
    pub fn waiting(&self) -> io::Result<Vec<Waiting>> {
        let mut waiting = Vec::new();
        for name in self.names()? {
            let path = self.folder.join(name);
            match fs::read_to_string(&path) {
                Ok(event) => waiting.push(Waiting { path, event }),
                // Another `send` was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(waiting)
    }

    /// Forgets an event that the server has taken.
    pub fn done(&self, waiting: &Waiting) -> io::Result<()> {
        match fs::remove_file(&waiting.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Puts an event that the server will never take beside the others, for people to look at.
    pub fn set_aside(&self, waiting: &Waiting) -> io::Result<PathBuf> {
        let refused = self.folder.join("refused");
        fs::create_dir_all(&refused)?;
        let target = refused.join(waiting.path.file_name().unwrap_or_default());
        fs::rename(&waiting.path, &target)?;
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

/// FNV-1a: stable over versions of the compiler, so that a spool is found again after an upgrade.
/// The zero byte keeps the parts apart: neither a URL nor a key in a header can hold one. It only
/// names a folder; nothing is protected by it.
fn fingerprint(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_wait_in_order_and_are_forgotten_when_done() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let spool = Spool::new(root.path(), "http://a", "key");
        spool
            .keep(&json!({"n": 2}), "b", Wall(2_000))
            .expect("there is room");
        spool
            .keep(&json!({"n": 1}), "a", Wall(1_000))
            .expect("there is room");
        let waiting = spool.waiting().expect("it reads");
        let events: Vec<&str> = waiting
            .iter()
            .map(|waiting| waiting.event.as_str())
            .collect();
        assert_eq!(events, [r#"{"n":1}"#, r#"{"n":2}"#]);
        spool.done(&waiting[0]).expect("it is removed");
        spool.done(&waiting[0]).expect("twice is harmless");
        let aside = spool.set_aside(&waiting[1]).expect("it is moved");
        assert!(aside.exists());
        assert_eq!(spool.waiting().expect("it reads").len(), 0);
    }

    #[test]
    fn each_server_and_key_has_its_own_spool_and_the_key_is_not_in_its_name() {
        let root = Path::new("/spool");
        let folder = |url: &str, key: &str| Spool::new(root, url, key).folder;
        assert_eq!(folder("http://a", "key"), folder("http://a/", "key"));
        assert_ne!(folder("http://a", "key"), folder("http://a", "other"));
        assert_ne!(folder("http://a", "key"), folder("http://b", "key"));
        assert!(
            !folder("http://a", "key")
                .display()
                .to_string()
                .contains("key")
        );
        assert_eq!(fingerprint(&[]), 0xcbf2_9ce4_8422_2325);
    }

    #[test]
    fn a_full_spool_refuses_and_keeps_what_it_has() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let spool = Spool::new(root.path(), "http://a", "key");
        fs::create_dir_all(spool.folder()).expect("it is made");
        for number in 0..EVENTS_MAX {
            let path = spool.folder().join(format!("{number:015}-x.json"));
            fs::write(path, "{}").expect("it is written");
        }
        let kept = spool.keep(&json!({}), "id", Wall(1));
        assert!(matches!(kept, Err(Error::Full { .. })), "{kept:?}");
        assert_eq!(spool.waiting().expect("it reads").len(), EVENTS_MAX);
    }
}
