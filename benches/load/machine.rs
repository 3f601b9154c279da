//! What the system says about a process and a folder.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::Failure;

/// Linux counts the time of a process in hundredths of a second, whatever its own clock does.
const MICROSECONDS_PER_TICK: f64 = 10_000.0;

/// Microseconds that all threads of a process have computed, in its own code and in the kernel.
pub fn computed(process: u32) -> Result<f64, Failure> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may hold anything; the fields are counted after it.
    let (_, fields) = text.rsplit_once(')').ok_or("a process without a name")?;
    // In its own code, in the kernel.
    summed(fields.split_whitespace().skip(11).take(2))
}

/// Microseconds that all processors have computed, for whomever.
pub fn computed_by_all() -> Result<f64, Failure> {
    let text = fs::read_to_string("/proc/stat")?;
    let line = text.lines().next().ok_or("a machine without times")?;
    let fields: Vec<&str> = line.split_whitespace().skip(1).collect();
    // Idle and waiting for the disk are the fourth and the fifth; guests are counted twice.
    let busy = fields.iter().take(8).enumerate();
    summed(
        busy.filter(|(at, _)| !matches!(at, 3 | 4))
            .map(|(_, field)| *field),
    )
}

/// Processor time until now, in microseconds.
pub struct Computed {
    pub server: f64,
    pub loader: f64,
    pub all: f64,
}

impl Computed {
    /// Of a server, of this process and of all.
    pub fn until_now(server: u32) -> Result<Self, Failure> {
        Ok(Self {
            server: computed(server)?,
            loader: computed(std::process::id())?,
            all: computed_by_all()?,
        })
    }
}

/// The processors of this machine.
pub fn processors() -> Result<f64, Failure> {
    Ok(std::thread::available_parallelism()?.get() as f64)
}

fn summed<'text>(ticks: impl Iterator<Item = &'text str>) -> Result<f64, Failure> {
    let mut sum = 0.0;
    for field in ticks {
        sum += field.parse::<f64>()?;
    }
    Ok(sum * MICROSECONDS_PER_TICK)
}

/// Bytes of memory that a process holds.
pub fn resident(process: u32) -> Result<f64, Failure> {
    let text = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.ok_or("a process without memory")?;
    let kilobytes: f64 = kilobytes.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes * 1024.0)
}

/// Bytes that the files of a folder take on the disk, as `du` counts them.
pub fn on_disk(folder: &Path) -> Result<f64, Failure> {
    let mut bytes = 0.0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += match about.is_dir() {
            true => on_disk(&entry.path())?,
            false => about.blocks() as f64 * 512.0,
        };
    }
    Ok(bytes)
}
