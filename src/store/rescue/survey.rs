//! What of a data directory can be read, and what is damaged or missing.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::store::Error;
use crate::store::salvage::Hole;

/// As many records that cannot be read are named.
const NAMED_MAX: usize = 20;

/// What of a data directory can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// The file that was read.
    pub database: PathBuf,
    /// How many there are of each kind.
    pub counts: BTreeMap<&'static str, u64>,
    /// The places of the file that cannot be read.
    pub damaged: Vec<Hole>,
    /// The first records that cannot be read, with the causes.
    pub unreadable: Vec<String>,
    pub unreadable_total: u64,
    /// What must have been there and is not, in words.
    pub missing: Vec<String>,
    /// Files beside the database that a saving could not take over, with the causes.
    pub left_behind: Vec<String>,
}

impl Survey {
    /// Whether nothing is damaged or missing, as far as one can tell.
    pub fn is_whole(&self) -> bool {
        self.damaged.is_empty() && self.unreadable_total == 0 && self.missing.is_empty()
    }

    pub fn cannot_read(&mut self, error: &Error) {
        self.unreadable_total += 1;
        if self.unreadable.len() < NAMED_MAX {
            self.unreadable.push(error.to_string());
        }
    }
}
