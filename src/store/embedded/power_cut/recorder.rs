//! The files of a run at every moment at which one of them is synced: what of each is durable, and
//! what was written since.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::RangeInclusive;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::store::Disk;

/// What reaches the disk together, but for torn sectors.
pub const BLOCK_BYTES: usize = 4096;

/// What is in a file; its last block may be shorter.
#[derive(Default)]
pub struct Blocks {
    pub blocks: Vec<Arc<[u8]>>,
    pub bytes: u64,
}

impl Blocks {
    /// Reads a file; what is as it was is not kept twice.
    fn read(path: &Path, before: &Self) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut buffer = Vec::new();
        file.read_to_end(&mut buffer)?;
        let blocks = buffer
            .chunks(BLOCK_BYTES)
            .enumerate()
            .map(|(index, chunk)| {
                let known = before.blocks.get(index).filter(|known| known[..] == *chunk);
                known.map_or_else(|| chunk.into(), Arc::clone)
            });
        Ok(Self {
            blocks: blocks.collect(),
            bytes: buffer.len() as u64,
        })
    }

    /// Whether nothing was changed since the blocks that this one was read after.
    fn is_still(&self, before: &Self) -> bool {
        let pairs = || self.blocks.iter().zip(&before.blocks);
        self.bytes == before.bytes && pairs().all(|(now, then)| Arc::ptr_eq(now, then))
    }
}

/// A file or a folder of the run.
#[derive(Clone, Default)]
pub struct Traced {
    inode: u64,
    pub is_folder: bool,
    /// Whether its name is in its folder, and whether that is durable.
    pub is_there: bool,
    pub is_named: bool,
    pub durable: Arc<Blocks>,
    /// As it was at each later moment at which it had changed.
    pub since: Vec<Arc<Blocks>>,
    /// What has had its name, while it is not durable that it no longer has.
    pub replaced: Option<Arc<Blocks>>,
}

impl Traced {
    pub fn newest(&self) -> &Arc<Blocks> {
        self.since.last().unwrap_or(&self.durable)
    }
}

/// A moment of the run at which the power may go.
pub struct Moment {
    pub number: usize,
    /// By their paths below the root.
    pub files: BTreeMap<PathBuf, Traced>,
    /// Which states of the store may be found afterwards: from the last acknowledged one on.
    pub states: RangeInclusive<usize>,
    /// What was about to be synced.
    pub before: PathBuf,
}

/// How far the run is; states are numbered as they were reached.
#[derive(Default)]
pub struct Reach {
    acknowledged: AtomicUsize,
    newest: AtomicUsize,
}

impl Reach {
    pub fn at(state: usize) -> Self {
        Self {
            acknowledged: state.into(),
            newest: state.into(),
        }
    }

    /// A state that must be found from now on.
    pub fn acknowledge(&self, state: usize) {
        self.newest.store(state, Ordering::SeqCst);
        self.acknowledged.store(state, Ordering::SeqCst);
    }

    /// A state that may be found.
    pub fn pass(&self, state: usize) {
        self.newest.store(state, Ordering::SeqCst);
    }
}

/// A disk that syncs nothing and notes everything.
pub struct Recorder {
    root: PathBuf,
    pub reach: Reach,
    tape: Mutex<Tape>,
}

#[derive(Default)]
struct Tape {
    files: BTreeMap<PathBuf, Traced>,
    moments: Vec<Arc<Moment>>,
}

impl Recorder {
    /// Records what happens below a folder; what is in it is durable.
    pub fn of(root: &Path, reach: Reach) -> Self {
        let mut tape = Tape::default();
        tape.look(root, root).unwrap();
        for traced in tape.files.values_mut() {
            traced.is_named = true;
            if let Some(newest) = traced.since.pop() {
                traced.durable = newest;
            }
        }
        Self {
            root: root.to_owned(),
            reach,
            tape: Mutex::new(tape),
        }
    }

    pub fn moments(&self) -> Vec<Arc<Moment>> {
        self.tape.lock().unwrap().moments.clone()
    }

    fn note(&self, file: &File) -> io::Result<()> {
        let inode = file.metadata()?.ino();
        let mut tape = self.tape.lock().unwrap();
        let acknowledged = self.reach.acknowledged.load(Ordering::SeqCst);
        for traced in tape.files.values_mut() {
            traced.is_there = false;
        }
        tape.look(&self.root, &self.root)?;
        let mut traced = tape.files.iter();
        let synced = traced.find(|(_, it)| it.is_there && it.inode == inode);
        let is_root = fs::metadata(&self.root)?.ino() == inode;
        let synced = match synced {
            Some((path, _)) => path.clone(),
            None if is_root => PathBuf::new(),
            // A folder above.
            None => return Ok(()),
        };
        let moment = Moment {
            number: tape.moments.len(),
            files: tape.files.clone(),
            // One more may be on its way.
            states: acknowledged..=self.reach.newest.load(Ordering::SeqCst) + 1,
            before: synced.clone(),
        };
        tape.moments.push(moment.into());
        tape.make_durable(&synced);
        Ok(())
    }
}

impl Tape {
    /// Reads all that is there.
    fn look(&mut self, root: &Path, folder: &Path) -> io::Result<()> {
        for file in fs::read_dir(folder)? {
            let path = file?.path();
            let Ok(metadata) = path.metadata() else {
                // sled removed it meanwhile.
                continue;
            };
            let name = path.strip_prefix(root).unwrap().to_owned();
            let inode = metadata.ino();
            let mut others = self.files.values();
            let renamed = others.find(|it| it.inode == inode && !it.is_there).cloned();
            let traced = self.files.entry(name).or_default();
            traced.is_there = true;
            traced.is_folder = metadata.is_dir();
            if traced.inode != inode {
                if traced.is_named && traced.replaced.is_none() {
                    traced.replaced = Some(traced.durable.clone());
                }
                let renamed = renamed.unwrap_or_default();
                (traced.durable, traced.since) = (renamed.durable, renamed.since);
                traced.inode = inode;
            }
            if metadata.is_dir() {
                self.look(root, &path)?;
                continue;
            }
            let before = Arc::clone(traced.newest());
            let Ok(now) = Blocks::read(&path, &before) else {
                continue;
            };
            if !now.is_still(&before) {
                traced.since.push(now.into());
            }
        }
        Ok(())
    }

    fn make_durable(&mut self, path: &Path) {
        if let Some(traced) = self.files.get_mut(path)
            && let Some(newest) = traced.since.pop()
        {
            traced.durable = newest;
            traced.since.clear();
        }
        let is_gone = |name: &PathBuf, it: &Traced| name.parent() == Some(path) && !it.is_there;
        self.files.retain(|name, it| !is_gone(name, it));
        for (name, traced) in &mut self.files {
            if name.parent() == Some(path) {
                traced.is_named = true;
                traced.replaced = None;
            }
        }
    }
}

impl Disk for Recorder {
    fn sync(&self, file: &File) -> io::Result<()> {
        self.note(file)
    }

    fn sync_all(&self, file: &File) -> io::Result<()> {
        self.note(file)
    }
}
