//! What can still be read of a data directory, and a new one made of it.

use std::path::Path;

use crate::store::{self, Options};

pub use crate::store::Survey;

/// Says what of a data directory can be read, and changes nothing.
pub fn check(data: &Path) -> Result<Survey, String> {
    store::check(data).map_err(|error| error.to_string())
}

/// Writes what of a data directory can be read into a new one.
pub fn save(data: &Path, new: &Path) -> Result<Survey, String> {
    store::save(data, new, Options::default()).map_err(|error| error.to_string())
}
